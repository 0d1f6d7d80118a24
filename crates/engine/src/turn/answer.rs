//! Answers and fates: what people and servers say to our tasks and messages.

use super::Turn;
use super::record::Spot;
use super::tell::own_fields;
use crate::fold::{self, Answer, Event, Said};
use crate::run::{Fate, StepState};
use jiff::Timestamp;
use model::{Fact, TaskState, Value};
use workflow::program::{Step, Verb, Workflow};

/// Where a message was sent from: workflow, run, step, and whom it is for.
type Sent = (Box<str>, usize, Box<str>, Box<str>);

impl<'a> Turn<'a, '_> {
    /// An answer: approved, rejected, done, replied, clicked …
    pub(super) fn answer(&mut self, fact: &Fact, at: Timestamp) {
        let Some(answer) = fold::read_answer(self.account, fact) else {
            self.reject("not_found", &fact.kind, "");
            return;
        };
        let Some(workflow) = self.workflow(&answer.workflow) else {
            self.reject("not_found", &fact.kind, &answer.workflow);
            return;
        };
        match answer.said {
            Said::Approved => self.approve(workflow, &answer, true),
            Said::Rejected => self.approve(workflow, &answer, false),
            Said::Done => self.done(workflow, &answer, at),
            Said::Snoozed => self.snooze(workflow, &answer, fact),
            Said::Reassigned => self.reassign(workflow, &answer, fact),
            Said::Delivered
            | Said::Bounced
            | Said::Complained
            | Said::Replied
            | Said::Clicked
            | Said::Opened => self.came(workflow, &answer, fact, at),
        }
    }

    /// An approval is given or refused; the first answer stands.
    fn approve(&mut self, workflow: &'a Workflow, answer: &Answer, yes: bool) {
        let is_open = self.run(workflow, answer.run).is_open();
        let state = self.step_mut(workflow, answer.run, &answer.step);
        let is_waiting = is_open && !state.is_over();
        let Some(ask) = state
            .ask
            .as_mut()
            .filter(|ask| is_waiting && ask.answer.is_none())
        else {
            self.reject(
                "late",
                if yes {
                    "task.approved"
                } else {
                    "task.rejected"
                },
                &answer.step,
            );
            return;
        };
        ask.answer = Some(yes);
        let task_state = if yes {
            TaskState::Approved
        } else {
            TaskState::Rejected
        };
        self.change_task(spot(workflow, answer), task_state);
    }

    /// A task is done.
    fn done(&mut self, workflow: &'a Workflow, answer: &Answer, at: Timestamp) {
        let outcome = answer.outcome.clone().map(Value::Text);
        let state = self.step_mut(workflow, answer.run, &answer.step);
        if state.task.is_none() {
            self.reject("not_found", "task.done", &answer.step);
            return;
        }
        state.outcomes.extend(answer.said.outcome());
        state.result = outcome.clone();
        self.change_task(spot(workflow, answer), TaskState::Done);
        let verb = self
            .find_step(workflow, &answer.step)
            .map(|step| &step.verb);
        let (title, assignee) = if let Some(Verb::Task {
            title, assignee, ..
        }) = verb
        {
            (title.clone(), assignee.clone())
        } else {
            Default::default()
        };
        let fields = own_fields(&[
            ("workflow", Some(Value::Text(workflow.name.clone()))),
            ("step", Some(Value::Text(answer.step.clone()))),
            ("title", Some(Value::Text(title))),
            ("assignee", Some(Value::Text(assignee))),
            ("outcome", outcome),
        ]);
        self.observe(&Event {
            kind: "task.done".into(),
            fields,
            at,
        });
    }

    /// Something came of a message.
    fn came(&mut self, workflow: &'a Workflow, answer: &Answer, fact: &Fact, at: Timestamp) {
        if answer.contact.is_none() {
            // The step has sent nothing, so nothing can come of it.
            self.reject("not_found", &fact.kind, &answer.step);
            return;
        }
        let state = self.step_mut(workflow, answer.run, &answer.step);
        state.outcomes.extend(answer.said.outcome());
        let fields = self.message_fields(spot(workflow, answer), answer.contact.as_deref());
        self.observe(&Event {
            kind: fact.kind.clone(),
            fields,
            at,
        });
        if answer.said == Said::Complained {
            self.tell_complained(spot(workflow, answer), answer.contact.as_deref());
        }
    }

    /// A message's fate is settled: one that expired is decided again, one that was suppressed does not count.
    pub(super) fn settled(&mut self, fact: &Fact) {
        let text = |key: &str| fact.data.get(key).and_then(serde_json::Value::as_str);
        let (Some(id), Some(state)) = (text("message"), text("state")) else {
            return self.reject("wrong_value", "message.settled", "");
        };
        let fate = match state {
            "expired" => Fate::Expired,
            "suppressed" => Fate::Suppressed,
            _ => Fate::Settled,
        };
        let Some((name, run, step, contact)) = self.find_message(id) else {
            return self.reject("not_found", "message.settled", id);
        };
        let Some(workflow) = self.workflow(&name) else {
            return self.reject("not_found", "message.settled", &name);
        };
        self.stop_settled(&contact, fact);
        let state = self.step_mut(workflow, run, &step);
        let Some(message) = state.messages.get_mut(&contact) else {
            return;
        };
        let before = message.fate;
        if before != Fate::Queued {
            return;
        }
        message.fate = fate;
        if fate == Fate::Expired {
            message.expired = message.expired.saturating_add(1);
        }
        let at = message.at;
        let is_call = self
            .find_step(workflow, &step)
            .is_some_and(|step| matches!(step.verb, Verb::Webhook { .. }));
        if is_call {
            if text("state") == Some("sent") {
                let state = self.step_mut(workflow, run, &step);
                state.outcomes.insert(crate::run::Outcome::Accepted);
            }
            return;
        }
        if !fate.counts() {
            if self.account.head.metrics.is_backfilling() {
                self.account.parts.keep_fate(id, true);
            }
            let place = Spot {
                workflow,
                run,
                step: &step,
            };
            let fields = self.message_fields(place, Some(&contact));
            self.uncount(workflow, &step, (&contact, at));
            self.retract(&Event {
                kind: "message.sent".into(),
                fields,
                at,
            });
        }
    }

    /// What became of a message, while its run knows it.
    pub(super) fn fate_of(&self, id: &str) -> Option<Fate> {
        let runs = self.account.head.workflows.values().flat_map(|it| &it.runs);
        let steps = runs.flat_map(|run| run.steps.values());
        let mut messages = steps.flat_map(|step| step.messages.values());
        let found = messages.find(|message| message.id.as_str() == id);
        found.map(|message| message.fate)
    }

    fn find_message(&self, id: &str) -> Option<Sent> {
        for (name, state) in self.account.head.workflows.iter() {
            for (index, run) in state.runs.iter().enumerate() {
                for (step, state) in run.steps.iter() {
                    let mut messages = state.messages.iter();
                    if let Some((contact, _)) =
                        messages.find(|(_, message)| message.id.as_str() == id)
                    {
                        return Some((name.into(), index, step.into(), contact.into()));
                    }
                }
            }
        }
        None
    }

    /// The fields of an event about a message of a step.
    pub(super) fn message_fields(
        &self,
        spot: Spot<'_>,
        contact: Option<&str>,
    ) -> std::collections::BTreeMap<Box<str>, Value> {
        let text = |text: &str| Some(Value::Text(text.into()));
        let verb = self
            .find_step(spot.workflow, spot.step)
            .map(|step| &step.verb);
        let (template, topic) = if let Some(Verb::Send {
            template, topic, ..
        }) = verb
        {
            (text(template), text(topic))
        } else {
            (None, None)
        };
        own_fields(&[
            ("workflow", text(&spot.workflow.name)),
            ("subject", text(&self.run(spot.workflow, spot.run).subject)),
            ("step", text(spot.step)),
            ("template", template),
            ("topic", topic),
            ("contact", contact.and_then(text)),
            ("channel", text("email")),
        ])
    }

    /// A workflow of the program by name.
    pub(super) fn workflow(&self, name: &str) -> Option<&'a Workflow> {
        self.context
            .program
            .workflows
            .iter()
            .find(|workflow| &*workflow.name == name)
    }

    /// A step of a workflow, wherever it stands.
    pub(super) fn find_step<'w>(&self, workflow: &'w Workflow, id: &str) -> Option<&'w Step> {
        let then = workflow.goal.as_ref().map_or(&[][..], |goal| &goal.then);
        find(&workflow.steps, id).or_else(|| find(then, id))
    }

    /// The state of a step that is there; one is made where there is none.
    pub(super) fn step_mut(
        &mut self,
        workflow: &Workflow,
        run: usize,
        step: &str,
    ) -> &mut StepState {
        let now = self.now;
        self.is_moved = true;
        let run = self.run_mut(workflow, run);
        run.steps
            .or_insert_with(step, || StepState::new(crate::run::StepPhase::Waiting, now))
    }
}

pub(super) fn spot<'s>(workflow: &'s Workflow, answer: &'s Answer) -> Spot<'s> {
    Spot {
        workflow,
        run: answer.run,
        step: &answer.step,
    }
}

fn find<'w>(steps: &'w [Step], id: &str) -> Option<&'w Step> {
    steps.iter().find_map(|step| {
        if &*step.id == id {
            return Some(step);
        }
        step.blocks().into_iter().find_map(|block| find(block, id))
    })
}
