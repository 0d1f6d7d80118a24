//! Beginning a run: what speaks against it, under which key, and what it keeps of its start.

use super::Turn;
use super::place::{Place, Remembered};
use crate::draw::draw;
use crate::fold::Event;
use crate::named::Named;
use crate::run::{How, Phase, Run};
use jiff::Timestamp;
use model::{Decimal, Kind, Record, RunId, Value};
use std::collections::BTreeMap;
use workflow::program::{Expr, IfRunning, OncePer, Period, Status, Workflow};

/// What makes a run begin.
#[derive(Clone, Copy)]
pub(super) struct Beginning<'b> {
    /// Looked at once, now.
    pub(super) condition: Option<&'b Expr>,
    /// The event, and how old it may be.
    pub(super) event: Option<(&'b Event, Period)>,
    /// Whether it is told where the condition does not hold: of an event or a moment that was never meant it is not.
    pub(super) says_if: bool,
}

impl<'b> Beginning<'b> {
    /// A condition became true.
    pub(super) fn when(condition: Option<&'b Expr>) -> Self {
        Self {
            condition,
            event: None,
            says_if: true,
        }
    }
}

impl<'a> Turn<'a, '_> {
    /// Begins a run, unless something speaks against it. Gives whether one began.
    pub(super) fn begin(
        &mut self,
        workflow: &'a Workflow,
        subject: &str,
        beginning: Beginning<'_>,
    ) -> bool {
        if workflow.status == Status::Closing {
            return false;
        }
        let fields = beginning.event.map(|(event, _)| &event.fields);
        let place = Place::subject(workflow, subject).on(fields);
        let is_false = |condition: &Expr| !self.look(place, |scene| scene.is_true(condition));
        if beginning.condition.is_some_and(is_false) {
            return beginning.says_if && self.does_not_start(workflow, subject, "if");
        }
        if beginning.event.is_some_and(|event| self.is_too_old(event)) {
            return self.does_not_start(workflow, subject, "too_late");
        }
        let key = match self.key(workflow, subject, place) {
            Ok(key) => key,
            Err(why) => return self.does_not_start(workflow, subject, why),
        };
        let remembered = self.remember(workflow, place);
        // What is remembered is so from this moment on, so `while` and goal may ask it.
        let place = place.remembering(&remembered);
        let is_while_false =
            |condition: &Expr| self.look(place, |scene| scene.truth(condition)) == Some(false);
        if workflow.while_true.as_ref().is_some_and(is_while_false) {
            return self.does_not_start(workflow, subject, "while");
        }
        let is_reached = |when: &Expr| self.look(place, |scene| scene.is_true(when));
        if workflow
            .goal
            .as_ref()
            .is_some_and(|goal| is_reached(&goal.when))
        {
            return self.does_not_start(workflow, subject, "goal");
        }
        self.stop_running(workflow, subject);
        self.start(workflow, subject, (&key, fields), remembered);
        true
    }

    /// What a run that starts now remembers.
    fn remember(&self, workflow: &Workflow, place: Place<'_>) -> Remembered {
        let all = workflow.remember.iter();
        all.map(|(name, expr)| (name.clone(), self.look(place, |scene| scene.value(expr))))
            .collect()
    }

    /// Whether an event happened too long ago to act on.
    fn is_too_old(&self, (event, max_age): (&Event, Period)) -> bool {
        let until = self.after(event.at, max_age);
        until.is_some_and(|until| until < self.now)
    }

    /// The runs of a subject that are open, by their places among the workflow's.
    fn running(&self, workflow: &Workflow, subject: &str) -> Vec<usize> {
        let runs = self.account.head.workflows.get(&workflow.name);
        let runs = runs.into_iter().flat_map(|state| &state.runs).enumerate();
        runs.filter(|(_, run)| *run.subject == *subject && run.is_running())
            .map(|(index, _)| index)
            .collect()
    }

    /// `if_running: restart` ends the run of the subject that is open.
    fn stop_running(&mut self, workflow: &'a Workflow, subject: &str) {
        for run in self.running(workflow, subject) {
            self.finish(workflow, run, How::Stopped);
        }
    }

    /// The `once_per` value under which a run may start, or why none may.
    fn key(
        &self,
        workflow: &Workflow,
        subject: &str,
        place: Place<'_>,
    ) -> Result<Box<str>, &'static str> {
        let is_running = !self.running(workflow, subject).is_empty();
        if is_running && workflow.if_running == IfRunning::Ignore {
            return Err("running");
        }
        let state = self.account.head.workflows.get(&workflow.name);
        let before = state.and_then(|state| state.subjects.get(subject));
        let key: Box<str> = match &workflow.once_per {
            OncePer::Subject | OncePer::Occurrence | OncePer::Period(_) => "".into(),
            OncePer::Field(field) => {
                let value = self.look(place, |scene| scene.value(field));
                key_text(&value.ok_or("unknown_key")?)
            }
        };
        let is_shadow = workflow.status == Status::Shadow;
        let has_started = before.is_some_and(|subject| subject.has_started(&key, is_shadow));
        let is_too_soon = |period: Period| {
            let started_at = before.and_then(|subject| subject.last_start(is_shadow));
            started_at.is_some_and(|at| self.after(at, period).is_none_or(|due| due > self.now))
        };
        let is_spent = match &workflow.once_per {
            OncePer::Subject | OncePer::Field(_) => has_started,
            OncePer::Period(period) => is_too_soon(*period),
            OncePer::Occurrence => false,
        };
        if is_spent { Err("once_per") } else { Ok(key) }
    }

    /// Why no run would begin now, in the words of records; none: nothing speaks against it.
    pub(super) fn speaks_against(&self, workflow: &Workflow, subject: &str) -> Option<Box<str>> {
        let place = Place::subject(workflow, subject);
        match workflow.status {
            Status::Draft => return Some("draft".into()),
            Status::Closing => return Some("closing".into()),
            Status::Retired => return Some("retired".into()),
            Status::Paused => return Some("paused".into()),
            Status::Shadow | Status::Live => {}
        }
        if let Err(why) = self.key(workflow, subject, place) {
            return Some(why.into());
        }
        let remembered = self.remember(workflow, place);
        let place = place.remembering(&remembered);
        let gives = |condition: &Expr| self.look(place, |scene| scene.truth(condition));
        if workflow.while_true.as_ref().and_then(gives) == Some(false) {
            return Some("while".into());
        }
        let is_reached = workflow.goal.as_ref().and_then(|goal| gives(&goal.when)) == Some(true);
        is_reached.then(|| "goal".into())
    }

    /// Says that an edge starts nothing, and why.
    fn does_not_start(&mut self, workflow: &Workflow, subject: &str, why: &str) -> bool {
        let record = Record {
            why: Some(why.into()),
            ..self.subject_record(Kind::Skip, workflow, subject)
        };
        self.push(record);
        false
    }

    fn start(
        &mut self,
        workflow: &'a Workflow,
        subject: &str,
        (key, event): (&str, Option<&BTreeMap<Box<str>, Value>>),
        remembered: Remembered,
    ) {
        let started_by = self.context.rules.kept(workflow, event);
        let is_held_out = self.is_held_out(workflow, subject);
        let now = self.now;
        let account = self.account.id.clone();
        let state = self.account.head.workflows.or_default(&workflow.name);
        let memory = state.subjects.or_default(subject);
        let is_shadow = workflow.status == Status::Shadow;
        let number = memory.count_start(key, now, is_shadow).to_string();
        let id = RunId::of(&[account.as_str(), &workflow.name, subject, key, &number]);
        let mut run = new_run(id, subject, now, remembered);
        run.started_by = started_by;
        run.is_held_out = is_held_out;
        if is_held_out {
            run.phase = Phase::Watching;
        }
        let index = state.runs.len();
        // Few have many.
        state.runs.reserve_exact(1);
        state.runs.push(run.clone());
        self.memo.forget();
        self.begun.push((workflow, index));
        let record = self.run_record(Kind::Start, workflow, &run);
        self.push(record);
        if is_held_out {
            let record = Record {
                why: Some("holdout".into()),
                ..self.run_record(Kind::Skip, workflow, &run)
            };
            self.push(record);
        }
        self.tell_workflow("workflow.started", workflow, subject, None);
    }

    /// Whether the subject belongs to the share that gets no steps: drawn once, the same for ever.
    fn is_held_out(&self, workflow: &Workflow, subject: &str) -> bool {
        if let Some(pins) = self.context.pins {
            return pins.is_held_out && workflow.holdout > Decimal::ZERO;
        }
        let drawn = draw(&[self.account.id.as_str(), &workflow.name, "", subject]);
        drawn < workflow.holdout
    }

    /// Tells that a run of a workflow started or ended.
    pub(super) fn tell_workflow(
        &mut self,
        kind: &str,
        workflow: &Workflow,
        subject: &str,
        how: Option<&str>,
    ) {
        let fields = [
            ("workflow", Some(Value::Text(workflow.name.clone()))),
            ("subject", Some(Value::Text(subject.into()))),
            ("how", how.map(|how| Value::Text(how.into()))),
        ];
        self.tell_own(kind, &fields);
    }
}

/// A run that begins.
pub(super) fn new_run(id: RunId, subject: &str, now: Timestamp, remembered: Remembered) -> Run {
    Run {
        id,
        subject: subject.into(),
        started_at: now,
        phase: Phase::Steps,
        ended: None,
        steps: Named::default(),
        remembered,
        rests_since: now,
        rests_at: None,
        listens_since: None,
        heard: BTreeMap::new(),
        started_by: BTreeMap::new(),
        is_held_out: false,
    }
}

/// The text of a `once_per` value; part of the run's id, so never to be changed.
fn key_text(value: &Value) -> Box<str> {
    match value {
        Value::Bool(yes) => yes.to_string().into(),
        Value::Number(decimal) | Value::Percent(decimal) | Value::Money(decimal) => {
            decimal.to_string().into()
        }
        Value::Text(text) | Value::Word(text) => text.clone(),
        Value::Date(date) => date.to_string().into(),
        Value::Time(time) => time.to_string().into(),
    }
}
