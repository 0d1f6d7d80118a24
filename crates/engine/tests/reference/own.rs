//! What the engine itself tells: events like others, seen by metrics, starts and waits.

use crate::ask::Subject;
use crate::days;
use crate::deed::{Deed, What};
use crate::run::Run;
use crate::tell::{Asked, Topic};
use crate::told::{About, Known, Told};
use crate::walk::Walk;
use jiff::Timestamp;
use model::Value;
use serde_json::json;
use std::rc::Rc;
use workflow::program::{Step, Verb, Workflow};

/// Something that the engine itself tells, and the case of a risk that it is about.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) told: Told,
    pub(crate) case: Option<String>,
}

/// What a task came to.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    opened_at: Timestamp,
    pub(crate) is_done: bool,
    pub(crate) outcome: Option<String>,
    is_overdue: bool,
}

impl<'a> Walk<'a> {
    /// Tells an event that happened then.
    pub(crate) fn tell_own(
        &mut self,
        known: &Known<'_>,
        (kind, at, data): (&str, Timestamp, serde_json::Value),
        case: Option<String>,
    ) {
        let told = Told {
            about: About::Event(kind.to_owned()),
            at,
            seen_at: known.now,
            data: data.as_object().cloned().unwrap_or_default(),
            day: days::day(at, &known.zone),
            hour: at.as_second().div_euclid(3_600),
        };
        Rc::make_mut(&mut self.own_told).push(told.clone());
        self.own.push(Own { told, case });
    }

    /// Tells that a run started, or how it ended.
    pub(crate) fn tell_run(
        &mut self,
        known: &Known<'_>,
        (workflow, subject): (&Workflow, &Subject),
        how: Option<&str>,
    ) {
        let mut data = json!({"workflow": &*workflow.name, "subject": subject.name()});
        let kind = match how {
            Some(how) => {
                data["how"] = json!(how);
                "workflow.ended"
            }
            None => "workflow.started",
        };
        self.tell_own(known, (kind, known.now, data), None);
    }

    /// Messages that went out are told as they go.
    pub(crate) fn tell_mails(&mut self, known: &Known<'_>, index: usize, step: &Step, new: usize) {
        let contacts: Vec<String> = self.sent[new..].iter().map(|one| one.1.clone()).collect();
        for contact in contacts {
            let run = &self.runs[index];
            let data = mail(run, step, &contact);
            let asked = asked(Topic::Mail, known, run, step);
            self.asked.push(asked);
            self.tell_own(known, ("message.sent", known.now, data), None);
        }
    }

    /// The stage, when it becomes another one; unknown is none. Gives whether it did.
    pub(crate) fn stage(&mut self, known: &Known<'_>) -> bool {
        let mut labels = self.program.labels.iter();
        let index = labels.position(|label| &*label.name == "stage");
        let index = index.expect("there is a stage");
        let word = crate::ask::Ask::new(known, &Subject::Account).label(index);
        let Some(Value::Word(word)) = word else {
            return false;
        };
        let before = self.last_stage.replace(word.to_string());
        if before.as_deref() == Some(&*word) {
            return false;
        }
        let mut data = json!({"to": &*word});
        if let Some(before) = &before {
            data["from"] = json!(before);
        }
        self.sometimes.note("stage.changed");
        self.deeds.push(Deed {
            at: known.now,
            workflow: String::new(),
            subject: String::new(),
            step: None,
            what: What::Stage(before.unwrap_or_default(), word.to_string()),
        });
        self.tell_own(known, ("stage.changed", known.now, data), None);
        true
    }

    /// Tasks whose time is over are told, once each. Gives whether there were any.
    pub(crate) fn overdue(&mut self, known: &Known<'_>) -> bool {
        let mut told = Vec::new();
        for run in &mut self.runs {
            let (workflow, is_cut) = (run.workflow, run.is_cut_off());
            for (id, task) in &mut run.past.tasks {
                let is_closed = is_cut && find(&workflow.steps, id).is_some();
                let Some(step) = step_of(workflow, id) else {
                    continue;
                };
                let Verb::Task { due: Some(due), .. } = &step.verb else {
                    continue;
                };
                let due_at =
                    days::after(&known.program.calendar, task.opened_at, *due, &known.zone);
                if is_closed || task.is_done || task.is_overdue || known.now < due_at {
                    continue;
                }
                task.is_overdue = true;
                told.push((due_at, fields(workflow, step)));
            }
        }
        let is_any = !told.is_empty();
        for (due_at, data) in told {
            self.sometimes.note("task.overdue");
            self.tell_own(known, ("task.overdue", due_at, data), None);
        }
        is_any
    }

    /// Somebody has done a task: that of the newest run that came to the step.
    pub(crate) fn done(&mut self, known: &Known<'_>, told: &Told) {
        let Some((index, step)) = self.answered(told) else {
            return;
        };
        let outcome = told.data.get("outcome").and_then(|word| word.as_str());
        let run = &mut self.runs[index];
        let Some(task) = run.past.tasks.get_mut(&*step.id) else {
            return;
        };
        task.is_done = true;
        task.outcome = outcome.map(str::to_owned);
        let mut data = fields(run.workflow, step);
        if let Some(outcome) = outcome {
            data["outcome"] = json!(outcome);
        }
        self.sometimes.note(if run.is_open() {
            "a task is done"
        } else {
            "a task is done after its run"
        });
        self.tell_own(known, ("task.done", told.at, data), None);
    }

    /// Somebody has replied to a mail.
    pub(crate) fn replied(&mut self, known: &Known<'_>, told: &Told) {
        let Some((index, step)) = self.answered(told) else {
            return;
        };
        let run = &mut self.runs[index];
        let contacts = run.past.mailed.get(&*step.id);
        let Some(contact) = contacts.and_then(|all| all.first()).cloned() else {
            return;
        };
        run.past.replied.insert(step.id.to_string());
        let data = mail(run, step, &contact);
        self.sometimes.note("a reply");
        self.tell_own(known, ("message.replied", told.at, data), None);
    }

    /// The newest run that came to the step which an answer names.
    fn answered(&self, told: &Told) -> Option<(usize, &'a Step)> {
        let text = |key: &str| told.data.get(key).and_then(|value| value.as_str());
        let (name, subject, id) = (text("workflow")?, text("subject")?, text("step")?);
        let mut all = self.runs.iter().enumerate().rev();
        let (index, run) = all.find(|(_, run)| {
            let is_of = *run.workflow.name == *name && run.subject.name() == subject;
            let has_come = run.past.done.contains_key(id) || run.past.mailed.contains_key(id);
            is_of && has_come
        })?;
        Some((index, step_of(run.workflow, id)?))
    }
}

impl Run<'_> {
    /// A task was given.
    pub(crate) fn give(&mut self, known: &Known<'_>, step: &Step) {
        let task = Task {
            opened_at: known.now,
            is_done: false,
            outcome: None,
            is_overdue: false,
        };
        self.past.tasks.insert(step.id.to_string(), task);
    }
}

/// Something that may be answered.
pub(crate) fn asked(topic: Topic, known: &Known<'_>, run: &Run<'_>, step: &Step) -> Asked {
    let (workflow, subject) = (run.workflow.name.to_string(), run.subject.name());
    (
        topic,
        known.now,
        workflow,
        subject.to_owned(),
        step.id.to_string(),
    )
}

fn fields(workflow: &Workflow, step: &Step) -> serde_json::Value {
    let Verb::Task {
        title, assignee, ..
    } = &step.verb
    else {
        panic!("no task");
    };
    json!({"workflow": &*workflow.name, "step": &*step.id, "title": &**title, "assignee": &**assignee})
}

fn mail(run: &Run<'_>, step: &Step, contact: &str) -> serde_json::Value {
    let Verb::Send {
        template, topic, ..
    } = &step.verb
    else {
        panic!("no mail");
    };
    json!({"workflow": &*run.workflow.name, "subject": run.subject.name(), "step": &*step.id, "template": &**template, "topic": &**topic, "contact": contact, "channel": "email"})
}

fn step_of<'w>(workflow: &'w Workflow, id: &str) -> Option<&'w Step> {
    let then = workflow.goal.as_ref().map_or(&[][..], |goal| &goal.then);
    find(&workflow.steps, id).or_else(|| find(then, id))
}

fn find<'w>(steps: &'w [Step], id: &str) -> Option<&'w Step> {
    steps.iter().find_map(|step| {
        let mut inner = step.blocks().into_iter();
        (*step.id == *id)
            .then_some(step)
            .or_else(|| inner.find_map(|block| find(block, id)))
    })
}
