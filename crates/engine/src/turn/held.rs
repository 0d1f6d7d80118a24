//! Held messages: what a limit or another workflow keeps waiting, since when, and how long at most.

use super::Turn;
use super::limit::Frees;
use super::recipients::Recipient;
use super::record::Spot;
use super::send::Send;
use super::steps::Progress;
use crate::calendar;
use crate::run::{Fate, Phase, Run};
use crate::sends::WHOLE;
use crate::why::Held;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{Kind, Record, RunId};
use workflow::program::{AtLimit, Hours, Status, Step, Workflow};

/// What keeps a message from leaving at this instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// A run of another workflow is under way.
    HeldBack,
    /// A limit is reached.
    Limit(Frees),
}

impl Obstacle {
    /// The word in records.
    fn why(self) -> &'static str {
        match self {
            Self::HeldBack => "held_back",
            Self::Limit(_) => "limit",
        }
    }
}

impl<'a> Turn<'a, '_> {
    /// What keeps a message to a contact from leaving now.
    fn obstacle(&self, workflow: &Workflow, send: Send<'_>, contact: &str) -> Option<Obstacle> {
        if self.is_held_back(workflow, send.topic) {
            return Some(Obstacle::HeldBack);
        }
        self.limited(send, contact).map(Obstacle::Limit)
    }

    /// Whether a run of another workflow, whose steps are not all done, holds a topic back. What runs in shadow holds
    /// nothing back, and nothing does while it only watches its goal, or does the steps of its success.
    fn is_held_back(&self, workflow: &Workflow, topic: &str) -> bool {
        let holds = |other: &&Workflow| {
            other.name != workflow.name && other.holds_back.iter().any(|held| **held == *topic)
        };
        let acts = |other: &&Workflow| match other.status {
            Status::Live | Status::Closing | Status::Paused => true,
            Status::Draft | Status::Shadow | Status::Retired => false,
        };
        let mut holders = self.context.program.workflows.iter().filter(holds);
        holders.by_ref().filter(acts).any(|other| {
            let state = self.account.head.workflows.get(&other.name);
            let mut runs = state.into_iter().flat_map(|state| &state.runs);
            runs.any(|run| run.phase == Phase::Steps)
        })
    }

    /// When a recipient's message may be decided: sent, held or given up. None: time alone does not bring it.
    pub(super) fn due_at(
        &self,
        (workflow, run): (&Workflow, &Run),
        step: &Step,
        recipient: &Recipient,
    ) -> Option<Timestamp> {
        let opens_at = self.opens_at(step.hours, &recipient.zone);
        let sends = self.account.parts.sends();
        let Some(since) = sends.held(&run.id, &step.id, &recipient.contact) else {
            return opens_at;
        };
        let Some((send, obstacle)) = Send::of(step).and_then(|send| {
            let obstacle = self.obstacle(workflow, send, &recipient.contact)?;
            Some((send, obstacle))
        }) else {
            return opens_at;
        };
        let frees_at = match obstacle {
            Obstacle::Limit(_) if self.at_limit(send) != AtLimit::Delay => return opens_at,
            Obstacle::Limit(frees) => frees.at(),
            Obstacle::HeldBack => None,
        };
        let freed_at = frees_at.and_then(|at| self.opens_after(at, step.hours, &recipient.zone));
        earliest(self.gives_up_at(since), freed_at)
    }

    /// When somebody in this zone may be written to, at the earliest then.
    fn opens_after(&self, at: Timestamp, hours: Hours, zone: &TimeZone) -> Option<Timestamp> {
        match hours {
            Hours::Any => Some(at),
            Hours::Working => calendar::next_open(&self.context.program.calendar, at, zone),
        }
    }

    /// Until when what waits since then may wait; none: the calendar ends before.
    fn gives_up_at(&self, since: Timestamp) -> Option<Timestamp> {
        self.after(since, self.context.program.delay_at_most)
            .map(|at| at.max(self.now))
    }

    /// When a step that another workflow holds back gives up; none: it is not held back, or not known to be.
    pub(super) fn held_until(
        &self,
        workflow: &Workflow,
        run: &Run,
        step: &Step,
    ) -> Option<Timestamp> {
        let sends = self.account.parts.sends();
        sends.held(&run.id, &step.id, WHOLE)?;
        let send = Send::of(step)?;
        if !self.is_held_back(workflow, send.topic) {
            return None;
        }
        self.gives_up_at(sends.held_first(&run.id, &step.id)?)
    }

    /// A step whose topic another workflow holds back: it waits, at last it is skipped. None: go on.
    pub(super) fn hold_back(&mut self, spot: Spot<'a>, send: Send<'_>) -> Option<Progress> {
        if !self.is_held_back(spot.workflow, send.topic) {
            return None;
        }
        let why = Obstacle::HeldBack.why();
        let run = self.run(spot.workflow, spot.run).id.clone();
        let sends = self.account.parts.sends();
        let since = sends.held_first(&run, spot.step).unwrap_or(self.now);
        if self.gives_up_at(since) == Some(self.now) {
            return Some(self.pass_over(spot, why));
        }
        if sends.held(&run, spot.step, WHOLE).is_none() {
            self.keep_waiting(spot, (WHOLE, since), (why, None));
        }
        Some(Progress::Rests)
    }

    /// Sends to a recipient, or keeps the message waiting, or gives it up.
    pub(super) fn send_or_hold(
        &mut self,
        spot: Spot<'a>,
        send: Send<'_>,
        (recipient, everyone): (&Recipient, &[Recipient]),
    ) {
        let contact = &*recipient.contact;
        let Some(obstacle) = self.obstacle(spot.workflow, send, contact) else {
            return self.send_to(spot, send, recipient, everyone);
        };
        let waits = obstacle == Obstacle::HeldBack || self.at_limit(send) == AtLimit::Delay;
        let run = self.run(spot.workflow, spot.run).id.clone();
        let sends = self.account.parts.sends();
        let own = sends.held(&run, spot.step, contact);
        let whole = sends.held(&run, spot.step, WHOLE);
        let since = own.or(whole).unwrap_or(self.now);
        if !waits || self.gives_up_at(since) == Some(self.now) {
            self.skip_contact(spot, recipient, obstacle.why());
        } else if own.is_none() {
            let address = recipient.mailbox.address.clone();
            self.keep_waiting(spot, (contact, since), (obstacle.why(), Some(address)));
        }
    }

    /// Remembers that a message waits, and says so once.
    fn keep_waiting(
        &mut self,
        spot: Spot<'_>,
        held: (&str, Timestamp),
        (why, to): (&str, Option<Box<str>>),
    ) {
        let run = self.run(spot.workflow, spot.run).id.clone();
        self.account.parts.sends_mut().hold(&run, spot.step, held);
        let record = Record {
            to,
            why: Some(why.into()),
            ..self.step_record(Kind::Hold, spot)
        };
        self.push(record);
        self.is_moved = true;
    }

    /// What is kept waiting of a step, and by what.
    pub(super) fn waiting(&self, workflow: &Workflow, run: &Run, step: &Step) -> Vec<Held> {
        let Some(send) = Send::of(step) else {
            return Vec::new();
        };
        let held = |(whom, since): (&str, Timestamp)| {
            let obstacle = match whom {
                WHOLE => self
                    .is_held_back(workflow, send.topic)
                    .then_some(Obstacle::HeldBack),
                contact => self.obstacle(workflow, send, contact),
            };
            Some(Held {
                contact: (whom != WHOLE).then(|| whom.into()),
                why: obstacle?.why().into(),
                since,
                until: self.gives_up_at(since),
            })
        };
        let all = self.account.parts.sends().held_all(&run.id, &step.id);
        all.filter_map(held).collect()
    }

    /// Forgets what waits no more: decided, or its run is over.
    pub(super) fn release_held(&mut self) {
        let workflows = &self.account.head.workflows;
        let runs = || workflows.values().flat_map(|state| &state.runs);
        let is_wanted = |id: &RunId, step: &str, whom: &str| {
            let run = runs().find(|run| run.id == *id);
            let state = run.and_then(|run| run.steps.get(step));
            match state.and_then(|state| state.messages.get(whom)) {
                Some(message) => message.fate == Fate::Expired,
                None => run.is_some_and(Run::is_open) && state.is_none_or(|state| !state.is_over()),
            }
        };
        if self.account.parts.sends().is_held_well(is_wanted) {
            return;
        }
        self.account.parts.sends_mut().release(is_wanted);
    }
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
