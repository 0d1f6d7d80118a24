//! Starts: where a condition rises, a run begins (language.md, 5.3 and 5.4; engine.md, 6).

use super::place::Place;
use super::{Closing, Turn};
use crate::memory::{Hold, Memory, Subject};
use crate::run::{Phase, Run};
use jiff::Timestamp;
use model::{Kind, Record, RunId, Value};
use std::collections::BTreeMap;
use workflow::program::{Existing, Expr, ForEach, OncePer, Period, Start, Status, Workflow};

/// The keys of `start` with `when`.
#[derive(Clone, Copy)]
struct When<'w> {
    hold: Option<Period>,
    condition: Option<&'w Expr>,
    existing: Existing,
    /// Whether time alone made it true, before the fact.
    is_risen: bool,
}

impl<'a> Turn<'a, '_> {
    /// Follows every start condition. Gives whether a run began.
    pub(super) fn starts(&mut self) -> bool {
        let mut has_started = false;
        for workflow in &self.context.program.workflows {
            match workflow.status {
                Status::Draft | Status::Retired => continue,
                Status::Shadow | Status::Live | Status::Paused | Status::Closing => {}
            }
            for subject in self.subjects(workflow.for_each) {
                has_started |= self.edge(workflow, &subject);
            }
        }
        has_started
    }

    /// The subjects that are there.
    pub(super) fn subjects(&self, for_each: ForEach) -> Vec<Box<str>> {
        let head = &self.account.head;
        let there = |entities: &BTreeMap<Box<str>, crate::entity::Entity>| {
            let there = entities.iter().filter(|(_, entity)| entity.is_there);
            there.map(|(id, _)| id.clone()).collect()
        };
        match for_each {
            ForEach::Account if self.has_account() => vec![self.account.id.as_str().into()],
            ForEach::Contract => there(&head.contracts),
            ForEach::Contact => there(&head.contacts),
            ForEach::Account | ForEach::Risk => Vec::new(),
        }
    }

    /// Whether a subject is there.
    pub(super) fn is_there(&self, for_each: ForEach, subject: &str) -> bool {
        let head = &self.account.head;
        match for_each {
            ForEach::Account => self.has_account(),
            ForEach::Contract => head
                .contracts
                .get(subject)
                .is_some_and(|entity| entity.is_there),
            ForEach::Contact => head
                .contacts
                .get(subject)
                .is_some_and(|entity| entity.is_there),
            ForEach::Risk => false,
        }
    }

    /// An account is there from its first fact until it is deleted.
    fn has_account(&self) -> bool {
        let entity = &self.account.head.account;
        entity.is_there || entity.deleted_at.is_none()
    }

    /// One subject's memory of `when`, brought up to now. Gives whether a run began.
    fn edge(&mut self, workflow: &'a Workflow, subject: &str) -> bool {
        let Start::When {
            when,
            hold,
            condition,
            existing,
        } = &workflow.start
        else {
            return false;
        };
        let keys = When {
            hold: *hold,
            condition: condition.as_ref(),
            existing: *existing,
            is_risen: self.is_risen(&workflow.name, subject),
        };
        let truth = self.look_again(Place::subject(workflow, subject), |scene| scene.truth(when));
        let before = self.memory(workflow, subject).cloned().unwrap_or_default();
        let mut after = before.clone();
        let fires = match (truth, self.cause.closes) {
            (None, Some(Closing::Frozen)) => {
                after.memory = Memory::Pending;
                after.hold = None;
                false
            }
            (None, Some(Closing::Waiting) | None) => {
                after.hold = before.hold.map(|hold| self.pause(hold));
                false
            }
            (Some(false), _) => {
                self.falls(&mut after);
                false
            }
            (Some(true), Some(Closing::Frozen)) => self.closes(keys, &mut after),
            (Some(true), Some(Closing::Waiting)) if before.is_waiting => {
                self.closes(keys, &mut after)
            }
            (Some(true), Some(Closing::Waiting) | None) => self.rises(keys, &mut after),
        };
        if after != before {
            self.is_moved = true;
            self.memo.forget();
            let state = self
                .account
                .head
                .workflows
                .entry(workflow.name.clone())
                .or_default();
            state.subjects.insert(subject.into(), after);
        }
        fires && self.begin(workflow, subject, keys.condition)
    }

    pub(super) fn memory(&self, workflow: &Workflow, subject: &str) -> Option<&Subject> {
        self.account
            .head
            .workflows
            .get(&workflow.name)?
            .subjects
            .get(subject)
    }

    /// The condition is false: a hold is over.
    pub(super) fn falls(&self, subject: &mut Subject) {
        if subject.memory != Memory::False {
            subject.false_at = Some(self.evidence_at());
        }
        subject.memory = Memory::False;
        subject.hold = None;
        subject.is_waiting = false;
    }

    /// The condition is true. Gives whether that starts a run.
    fn rises(&self, keys: When<'_>, subject: &mut Subject) -> bool {
        let was_pending = subject.memory == Memory::Pending;
        let is_new = match subject.memory {
            Memory::Never | Memory::False => true,
            Memory::Pending => keys.existing == Existing::Include,
            Memory::True => false,
        };
        subject.memory = Memory::True;
        let mut is_ready = is_new;
        if keys.hold.is_some() {
            if is_new {
                subject.hold = Some(if was_pending || keys.is_risen {
                    self.hold_from_now()
                } else {
                    self.begin_hold(subject.false_at)
                });
            }
            subject.hold = subject.hold.map(|hold| self.resume(hold));
            is_ready = self.is_hold_full(keys, subject);
        }
        if is_new && (self.cause.is_marked || self.account.head.is_frozen()) {
            subject.is_waiting = true;
        }
        if subject.is_waiting || self.account.head.is_frozen() {
            return false;
        }
        if is_ready {
            subject.hold = None;
        }
        is_ready
    }

    /// A history closes and the condition is true: `existing` decides.
    fn closes(&self, keys: When<'_>, subject: &mut Subject) -> bool {
        subject.memory = Memory::True;
        subject.is_waiting = false;
        if keys.existing == Existing::Skip {
            subject.hold = None;
            return false;
        }
        if keys.hold.is_none() {
            return true;
        }
        let held = subject.hold.map(|hold| self.resume(hold));
        subject.hold = Some(held.unwrap_or_else(|| self.hold_from_now()));
        let is_full = self.is_hold_full(keys, subject);
        if is_full {
            subject.hold = None;
        }
        is_full
    }

    fn hold_from_now(&self) -> Hold {
        Hold {
            since: self.now,
            paused_at: None,
        }
    }

    fn is_hold_full(&self, keys: When<'_>, subject: &Subject) -> bool {
        let due = subject
            .hold
            .zip(keys.hold)
            .and_then(|(hold, period)| self.hold_due(hold, period));
        due.is_some_and(|due| due <= self.now)
    }

    /// Begins a run, unless something speaks against it. Gives whether one began.
    pub(super) fn begin(
        &mut self,
        workflow: &'a Workflow,
        subject: &str,
        condition: Option<&Expr>,
    ) -> bool {
        if workflow.status == Status::Closing {
            return false;
        }
        let place = Place::subject(workflow, subject);
        if condition.is_some_and(|condition| !self.look(place, |scene| scene.is_true(condition))) {
            return self.does_not_start(workflow, subject, "if");
        }
        let key = match self.key(workflow, subject) {
            Ok(key) => key,
            Err(why) => return self.does_not_start(workflow, subject, why),
        };
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
        self.start(workflow, subject, &key);
        true
    }

    /// The `once_per` value under which a run may start, or why none may.
    fn key(&self, workflow: &Workflow, subject: &str) -> Result<Box<str>, &'static str> {
        let state = self.account.head.workflows.get(&workflow.name);
        let is_running = |run: &Run| *run.subject == *subject && run.is_running();
        if state.is_some_and(|state| state.runs.iter().any(is_running)) {
            return Err("running");
        }
        let before = state.and_then(|state| state.subjects.get(subject));
        let key: Box<str> = match &workflow.once_per {
            OncePer::Subject | OncePer::Occurrence | OncePer::Period(_) => "".into(),
            OncePer::Field(field) => {
                let value = self.look(Place::subject(workflow, subject), |scene| {
                    scene.value(field)
                });
                key_text(&value.ok_or("unknown_key")?)
            }
        };
        let has_started = before.is_some_and(|subject| subject.starts.contains_key(&key));
        let is_too_soon = |period: Period| {
            let started_at = before.and_then(|subject| subject.started_at);
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
        if let Err(why) = self.key(workflow, subject) {
            return Some(why.into());
        }
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

    fn start(&mut self, workflow: &'a Workflow, subject: &str, key: &str) {
        let place = Place::subject(workflow, subject);
        let remembered = workflow
            .remember
            .iter()
            .map(|(name, expr)| (name.clone(), self.look(place, |scene| scene.value(expr))))
            .collect();
        let now = self.now;
        let account = self.account.id.clone();
        let state = self
            .account
            .head
            .workflows
            .entry(workflow.name.clone())
            .or_default();
        let memory = state.subjects.entry(subject.into()).or_default();
        let earlier = memory.starts.entry(key.into()).or_default();
        let number = earlier.to_string();
        *earlier = earlier.saturating_add(1);
        memory.started_at = Some(now);
        let run = new_run(
            RunId::of(&[account.as_str(), &workflow.name, subject, key, &number]),
            subject,
            now,
            remembered,
        );
        state.runs.push(run.clone());
        self.memo.forget();
        let record = self.run_record(Kind::Start, workflow, &run);
        self.push(record);
        self.tell_workflow("workflow.started", workflow, subject, None);
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
pub(super) fn new_run(
    id: RunId,
    subject: &str,
    now: Timestamp,
    remembered: BTreeMap<Box<str>, Option<Value>>,
) -> Run {
    Run {
        id,
        subject: subject.into(),
        started_at: now,
        phase: Phase::Steps,
        ended: None,
        steps: BTreeMap::new(),
        remembered,
        rests_since: now,
        rests_at: None,
        listens_since: None,
        heard: BTreeMap::new(),
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
