//! Waits: for time to pass, for a condition, for an event. What is kept is the arrival, never when it will end.

use super::Turn;
use super::place::Place;
use super::ready::Ready;
use super::record::Spot;
use super::steps::Progress;
use crate::lookahead::next_change;
use crate::run::{How, Run, StepPhase};
use jiff::Timestamp;
use workflow::program::{Otherwise, Period, Step, Until, Verb, Workflow};

/// How a wait stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    /// What was waited for is there, or the time has passed that was to pass.
    Over,
    /// What was waited for did not come in time.
    TimedOut,
    /// Look again then.
    Until(Timestamp),
    /// Only a fact can change that.
    Rests,
}

impl<'a> Turn<'a, '_> {
    /// A wait: arrived at, over, or gone on with.
    pub(super) fn wait(&mut self, spot: Spot<'a>, step: &'a Step) -> Progress {
        let run = self.run(spot.workflow, spot.run);
        if !run.steps.contains_key(spot.step) {
            // Its `if` is asked once, on arrival.
            if !self.is_wanted(spot, step, None) {
                return self.pass_over(spot, "if");
            }
            let arrived_at = self.arrival(run, step);
            self.step_mut(spot.workflow, spot.run, spot.step).at = arrived_at;
        }
        match self.waited(spot.workflow, self.run(spot.workflow, spot.run), step) {
            Waited::Over => {
                let heard = self
                    .run_mut(spot.workflow, spot.run)
                    .heard
                    .remove(spot.step);
                let state = self.step_mut(spot.workflow, spot.run, spot.step);
                state.event = heard.unwrap_or_default();
                self.complete(spot, StepPhase::Acted)
            }
            Waited::TimedOut => self.time_out(spot, step),
            Waited::Until(_) | Waited::Rests => Progress::Rests,
        }
    }

    /// What was waited for did not come.
    fn time_out(&mut self, spot: Spot<'a>, step: &Step) -> Progress {
        let progress = self.complete(spot, StepPhase::TimedOut);
        if let Verb::WaitFor {
            otherwise: Otherwise::Stop,
            ..
        } = &step.verb
        {
            self.finish(spot.workflow, spot.run, How::Stopped);
        }
        progress
    }

    /// Whether a wait that was reached may be gone on with, and when to look again.
    pub(super) fn wait_ready(&self, workflow: &Workflow, run: &Run, step: &Step) -> Ready {
        if !run.steps.contains_key(&step.id) {
            return Ready::Now;
        }
        match self.waited(workflow, run, step) {
            Waited::Over | Waited::TimedOut => Ready::Now,
            Waited::Until(at) => Ready::At(at),
            Waited::Rests => Ready::Rests,
        }
    }

    fn waited(&self, workflow: &Workflow, run: &Run, step: &Step) -> Waited {
        let arrived_at = match run.steps.get(&step.id) {
            Some(state) => state.at,
            None => self.arrival(run, step),
        };
        let due = |period: Period| self.after(arrived_at, period);
        let (until, at_most) = match &step.verb {
            Verb::Wait { length } => {
                return match due(*length) {
                    Some(at) if self.now < at => Waited::Until(at),
                    Some(_) => Waited::Over,
                    None => Waited::Rests,
                };
            }
            Verb::WaitFor { until, at_most, .. } => (until, due(*at_most)),
            Verb::Send { .. }
            | Verb::Alert { .. }
            | Verb::Task { .. }
            | Verb::Branch { .. }
            | Verb::Match { .. }
            | Verb::Split { .. }
            | Verb::Set { .. }
            | Verb::Webhook { .. }
            | Verb::Stop { .. } => return Waited::Over,
        };
        let change = match until {
            Until::Event { .. } if run.heard.contains_key(&step.id) => return Waited::Over,
            Until::Event { .. } => None,
            Until::Condition(condition) => {
                let place = Place::run(workflow, run);
                let (is_true, change) = self.look(place, |scene| {
                    (scene.is_true(condition), next_change(scene, condition))
                });
                if is_true {
                    return Waited::Over;
                }
                change
            }
        };
        match (at_most, change) {
            (Some(at), _) if at <= self.now => Waited::TimedOut,
            (Some(one), Some(other)) => Waited::Until(one.min(other)),
            (Some(at), None) | (None, Some(at)) => Waited::Until(at),
            (None, None) => Waited::Rests,
        }
    }

    /// Since when it waits: the step before it was completed then. A wait with a window of its own begins in it.
    fn arrival(&self, run: &Run, step: &Step) -> Timestamp {
        if step.at.is_some() {
            self.now
        } else {
            run.rests_since.min(self.now)
        }
    }
}
