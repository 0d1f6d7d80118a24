//! Beginning a run: what speaks against it.

use crate::ask::{Ask, Subject};
use crate::days;
use crate::deed::{Deed, What};
use crate::run::{Phase, Run, draw, key};
use crate::told::{Known, Told};
use crate::walk::Walk;
use model::Value;
use workflow::program::{IfRunning, OncePer, Start, Workflow};

impl<'a> Walk<'a> {
    /// Starts a run if nothing speaks against it.
    pub(crate) fn start(
        &mut self,
        known: &Known<'_>,
        workflow: &'a Workflow,
        subject: &Subject,
        event: Option<&Told>,
    ) {
        let ask = Ask {
            event,
            started_by: event,
            ..Ask::new(known, subject).of(workflow)
        };
        let remember = workflow.remember.iter();
        let remembered: Vec<_> = remember.map(|(_, value)| ask.value(value)).collect();
        let ask = Ask {
            remembered: Some(&remembered),
            ..ask
        };
        let condition = match &workflow.start {
            Start::When { condition, .. }
            | Start::Event { condition, .. }
            | Start::Every { condition, .. } => condition,
        };
        let is_wanted = |wanted| ask.truth(wanted) == Some(true);
        if !condition.as_ref().is_none_or(is_wanted) {
            self.sometimes.note("start.if is not true");
            return;
        }
        let Ok(key) = key(&workflow.once_per, &ask) else {
            self.sometimes.note("the key is unknown");
            return;
        };
        if !self.may_again(known, workflow, subject, key.as_ref()) {
            self.sometimes.note("once_per refuses");
            return;
        }
        if let Some(why) = over_already(workflow, &ask) {
            self.sometimes.note(why);
            return;
        }
        let open = self.runs.iter_mut().find(|run| {
            run.is_open() && run.workflow.name == workflow.name && run.subject == *subject
        });
        if let Some(open) = open {
            if workflow.if_running == IfRunning::Ignore {
                self.sometimes.note("one is running already");
                return;
            }
            self.sometimes.note("a run is started anew");
            open.phase = Phase::Over;
            open.ended = Some("stopped");
            self.deeds.push(Deed::new(
                known,
                workflow,
                subject,
                None,
                What::End("stopped"),
            ));
            self.tell_run(known, (workflow, subject), Some("stopped"));
        }
        self.begin(known, (workflow, subject), key);
        let run = self.runs.last_mut().expect("it began");
        run.started_by = event.cloned();
        run.remembered = remembered;
        self.tell_run(known, (workflow, subject), None);
    }

    fn note_names(&mut self, workflow: &Workflow) {
        if let Start::When { when, .. } = &workflow.start {
            self.sometimes.named("start", when);
        }
        let goal = workflow.goal.as_ref().map(|goal| &goal.when);
        for watched in goal.into_iter().chain(&workflow.while_true) {
            self.sometimes.named("while", watched);
        }
        if !workflow.remember.is_empty() {
            self.sometimes.note("a start is remembered");
        }
    }

    fn begin(
        &mut self,
        known: &Known<'_>,
        (workflow, subject): (&'a Workflow, &Subject),
        key: Option<Value>,
    ) {
        self.deeds
            .push(Deed::new(known, workflow, subject, None, What::Start));
        self.sometimes.start(workflow);
        self.note_names(workflow);
        let mut run = Run::new(workflow, subject.clone(), key, known);
        let earlier = self.runs.iter().filter(|one| {
            one.workflow.name == workflow.name && one.subject == *subject && one.key == run.key
        });
        run.number = earlier.count();
        run.is_held_out = draw(&workflow.name, "", subject.name()) < workflow.holdout.millionths();
        if run.is_held_out {
            self.sometimes.note("held out");
            run.phase = Phase::Watched;
        }
        self.runs.push(run);
    }

    fn may_again(
        &self,
        known: &Known<'_>,
        workflow: &Workflow,
        subject: &Subject,
        key: Option<&Value>,
    ) -> bool {
        let mut earlier = self
            .runs
            .iter()
            .filter(|run| run.workflow.name == workflow.name && run.subject == *subject);
        match &workflow.once_per {
            OncePer::Occurrence => true,
            OncePer::Subject => earlier.next().is_none(),
            OncePer::Field(_) => earlier.all(|run| run.key.as_ref() != key),
            OncePer::Period(period) => earlier.all(|run| {
                let calendar = &known.program.calendar;
                days::after(calendar, run.started_at, *period, &known.zone) <= known.now
            }),
        }
    }
}

/// Why a run would have ended before it began.
fn over_already(workflow: &Workflow, ask: &Ask<'_>) -> Option<&'static str> {
    let has_goal = |goal: &workflow::program::Goal| ask.truth(&goal.when) == Some(true);
    let is_out = |stay| ask.truth(stay) == Some(false);
    if workflow.goal.as_ref().is_some_and(has_goal) {
        return Some("the goal is reached already");
    }
    let is_out = workflow.while_true.as_ref().is_some_and(is_out);
    is_out.then_some("while is false already")
}
