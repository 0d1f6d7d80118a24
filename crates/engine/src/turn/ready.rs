//! Readiness: whether a step may act now, and if not, when to look again.

use super::Turn;
use super::place::Place;
use super::record::Spot;
use crate::calendar;
use crate::run::{Run, StepState};
use jiff::{SignedDuration, Timestamp};
use model::Value;
use workflow::program::{AtWindow, Step, Verb, Workflow};

/// Live, a send that finds nobody so soon after the first fact waits for facts that are still on their way.
pub(super) const SETTLE_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Whether a step may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// Now.
    Now,
    /// Not before this; look again then.
    At(Timestamp),
    /// Only a fact can change that.
    Rests,
    /// Its window is over.
    Passed,
}

/// Where now stands relative to an `at` window.
enum Window {
    /// There is none, or it plays no part any more.
    None,
    /// Its date is unknown.
    Unknown,
    /// Not open yet.
    Opens(Timestamp),
    /// Open until then.
    Until(Timestamp),
    /// Over.
    Over,
}

impl Turn<'_, '_> {
    /// Whether the step at which a run rests may act now.
    pub(super) fn ready(&self, workflow: &Workflow, run: &Run, step: &Step) -> Ready {
        let state = run.steps.get(&step.id);
        let asked = state.and_then(|state| state.ask.as_ref());
        let is_waiting = matches!(&step.verb, Verb::Wait { .. } | Verb::WaitFor { .. });
        let window = if asked.is_some() || (is_waiting && state.is_some()) {
            Window::None
        } else {
            self.window(workflow, run, step.at.as_ref())
        };
        let closes_at = match window {
            Window::Unknown => return Ready::Rests,
            Window::Over => return Ready::Passed,
            Window::Opens(at) => return Ready::At(at),
            Window::Until(at) => Some(at),
            Window::None => None,
        };
        if let Some(ask) = asked {
            match ask.answer {
                None if self.now < ask.due_at => return Ready::At(ask.due_at),
                None | Some(false) => return Ready::Now,
                Some(true) => {}
            }
        }
        if is_waiting {
            return self.wait_ready(workflow, run, step);
        }
        let opens_at = self.step_opens_at(workflow, run, step);
        match (opens_at, closes_at) {
            (Some(opens_at), _) if opens_at <= self.now => Ready::Now,
            (Some(opens_at), Some(closes_at)) => Ready::At(opens_at.min(closes_at)),
            (Some(at), None) | (None, Some(at)) => Ready::At(at),
            (None, None) => Ready::Rests,
        }
    }

    fn window(&self, workflow: &Workflow, run: &Run, at: Option<&AtWindow>) -> Window {
        let Some(at) = at else {
            return Window::None;
        };
        let date = match self.look(Place::run(workflow, run), |scene| scene.value(&at.date)) {
            Some(Value::Date(date)) => date,
            Some(Value::Time(time)) => calendar::day_of(time, &self.zone),
            Some(_) | None => return Window::Unknown,
        };
        let calendar = &self.context.program.calendar;
        match calendar::at_window(calendar, at, date, &self.zone) {
            None => Window::Unknown,
            Some((opens, _)) if self.now < opens => Window::Opens(opens),
            Some((_, closes)) if self.now < closes => Window::Until(closes),
            Some(_) => Window::Over,
        }
    }

    /// Whether the step's window is over (asked anew for a message that expired).
    pub(super) fn is_window_over(&self, workflow: &Workflow, run: &Run, step: &Step) -> bool {
        matches!(self.window(workflow, run, step.at.as_ref()), Window::Over)
    }

    /// The next working moment of those whom the step concerns.
    fn step_opens_at(&self, workflow: &Workflow, run: &Run, step: &Step) -> Option<Timestamp> {
        match &step.verb {
            Verb::Branch { .. } | Verb::Match { .. } | Verb::Split { .. } => {
                self.opens_at(step.hours, &self.zone)
            }
            Verb::Set { .. }
            | Verb::Webhook { .. }
            | Verb::Wait { .. }
            | Verb::WaitFor { .. }
            | Verb::Stop { .. } => Some(self.now),
            Verb::Alert { .. } | Verb::Task { .. } => {
                self.opens_at(step.hours, &self.calendar_zone())
            }
            Verb::Send { to, .. } => {
                let everyone = self.recipients(workflow, run, to);
                let state = run.steps.get(&step.id);
                if everyone.is_empty() {
                    return self.nobody_at(workflow, run, step, state);
                }
                let pending = Self::pending(&everyone, state);
                if pending.is_empty() {
                    return Some(self.now);
                }
                if let Some(until) = self.held_until(workflow, run, step) {
                    return Some(until);
                }
                let due = |recipient| self.due_at((workflow, run), step, recipient);
                pending.iter().filter_map(due).min()
            }
        }
    }

    /// When a send that finds nobody may say so.
    fn nobody_at(
        &self,
        workflow: &Workflow,
        run: &Run,
        step: &Step,
        state: Option<&StepState>,
    ) -> Option<Timestamp> {
        let opens_at = self.opens_at(step.hours, &self.zone);
        match self.settles_at(workflow, run) {
            Some(settles_at) if state.is_some_and(|state| state.is_held) => Some(settles_at),
            Some(_) | None => opens_at,
        }
    }

    /// Until when a live account, or the subject, is so new that somebody may still be on the way.
    pub(super) fn settles_at(&self, workflow: &Workflow, run: &Run) -> Option<Timestamp> {
        if !self.is_live() {
            return None;
        }
        let head = &self.account.head;
        let first_of = |entity: &crate::entity::Entity| entity.first_at;
        let subject_at = match workflow.for_each {
            workflow::program::ForEach::Contract => {
                head.contracts.get(&run.subject).and_then(first_of)
            }
            workflow::program::ForEach::Contact => {
                head.contacts.get(&run.subject).and_then(first_of)
            }
            workflow::program::ForEach::Account | workflow::program::ForEach::Risk => None,
        };
        let first_at = head.first_at.max(subject_at)?;
        first_at
            .checked_add(SETTLE_MAX)
            .ok()
            .filter(|at| self.now < *at)
    }

    /// Whether the step of a spot may act now.
    pub(super) fn ready_at(&self, spot: Spot<'_>, step: &Step) -> Ready {
        self.ready(spot.workflow, self.run(spot.workflow, spot.run), step)
    }
}
