//! Steps: each open run goes on as far as it can at this instant.

use super::Turn;
use super::path::next;
use super::place::Place;
use super::ready::Ready;
use super::record::Spot;
use crate::run::{How, Phase, StepPhase};
use model::{Kind, Record, TaskState};
use workflow::program::{Status, Step, Verb, Workflow};

/// A run makes at most so many steps in one instant.
const STEPS_MAX: usize = 1_000;

/// What became of an attempt to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Something happened; the run may go on.
    Moved,
    /// It rests.
    Rests,
}

impl<'a> Turn<'a, '_> {
    /// Lets every open run go on. Gives whether any did.
    pub(super) fn steps(&mut self) -> bool {
        for workflow in &self.context.program.workflows {
            match workflow.status {
                Status::Draft | Status::Paused | Status::Retired => continue,
                Status::Shadow | Status::Live | Status::Closing => {}
            }
            let runs = self
                .account
                .head
                .workflows
                .get(&workflow.name)
                .map_or(0, |state| state.runs.len());
            for run in 0..runs {
                let said = self.out.records.len();
                let has_moved = self.advance(workflow, run) | self.send_expired(workflow, run);
                // What a step says while it still rests counts too: others may read it.
                if has_moved || self.out.records.len() > said {
                    self.acted.push((workflow, run));
                    self.is_moved = true;
                }
            }
        }
        self.settle_contest();
        !self.acted.is_empty()
    }

    /// Lets one run go on as far as it can. Gives whether it moved.
    pub(super) fn advance(&mut self, workflow: &'a Workflow, index: usize) -> bool {
        let mut has_moved = false;
        for _ in 0..STEPS_MAX {
            // At the acting moment goal and `while` are asked anew, with what the step before has changed.
            has_moved |= self.check_end(workflow, index);
            let run = self.run(workflow, index);
            let steps = match run.phase {
                Phase::Steps => &workflow.steps,
                Phase::Then => match &workflow.goal {
                    Some(goal) => &goal.then,
                    None => return has_moved,
                },
                Phase::Watching | Phase::Ended => return has_moved,
            };
            let Some(step) = next(steps, run) else {
                self.complete_run(workflow, index);
                return true;
            };
            if run.rests_at.as_ref() != Some(&step.id) {
                self.run_mut(workflow, index).rests_at = Some(step.id.clone());
            }
            if self.act(workflow, index, step) == Progress::Rests {
                return has_moved;
            }
            has_moved = true;
        }
        has_moved
    }

    /// All steps are done: the run ends, or watches its goal.
    fn complete_run(&mut self, workflow: &'a Workflow, index: usize) {
        let run = self.run(workflow, index);
        if run.phase == Phase::Then {
            self.run_mut(workflow, index).phase = Phase::Ended;
            return;
        }
        let deadline = workflow
            .goal
            .as_ref()
            .and_then(|goal| self.goal_deadline(goal, run));
        if deadline.is_some_and(|deadline| self.now < deadline) {
            self.run_mut(workflow, index).phase = Phase::Watching;
        } else {
            self.finish(workflow, index, How::Finished);
        }
    }

    fn act(&mut self, workflow: &'a Workflow, index: usize, step: &'a Step) -> Progress {
        let spot = Spot {
            workflow,
            run: index,
            step: &step.id,
        };
        match self.ready_at(spot, step) {
            Ready::At(_) | Ready::Rests => return Progress::Rests,
            Ready::Passed => return self.pass_over(spot, "window_passed"),
            Ready::Now => {}
        }
        if self.stands_back(spot, step, None) {
            return Progress::Rests;
        }
        match &step.verb {
            Verb::Send { .. } => return self.send_step(spot, step),
            Verb::Wait { .. } | Verb::WaitFor { .. } => return self.wait(spot, step),
            Verb::Alert { .. }
            | Verb::Task { .. }
            | Verb::Branch { .. }
            | Verb::Match { .. }
            | Verb::Split { .. }
            | Verb::Set { .. }
            | Verb::Webhook { .. }
            | Verb::Stop { .. } => {}
        }
        let is_wanted = self.is_wanted(spot, step, None);
        match &step.verb {
            Verb::Branch { .. } => {
                let phase = if is_wanted {
                    StepPhase::TookThen
                } else {
                    StepPhase::TookElse
                };
                self.complete(spot, phase)
            }
            _ if !is_wanted => self.pass_over(spot, "if"),
            Verb::Alert { .. } => self.alert(spot, step),
            Verb::Task { .. } => self.task(spot, step),
            Verb::Match { value, cases, .. } => self.match_word(spot, value, cases),
            Verb::Split { arms } => self.split(spot, arms),
            Verb::Set { fields } => self.set(spot, fields),
            Verb::Webhook { name, body } => self.webhook(spot, name, body),
            Verb::Stop { reason } => self.stop(spot, reason),
            Verb::Send { .. } | Verb::Wait { .. } | Verb::WaitFor { .. } => Progress::Rests,
        }
    }

    /// The end of the run, as its text wants it.
    fn stop(&mut self, spot: Spot<'a>, reason: &str) -> Progress {
        let progress = self.complete(spot, StepPhase::Acted);
        self.finish_for(spot.workflow, spot.run, (How::Stopped, Some(reason)));
        progress
    }

    /// Whether the step's `if` is true now; without one it is.
    pub(super) fn is_wanted(&self, spot: Spot<'_>, step: &Step, contact: Option<&str>) -> bool {
        let place = Place::run(spot.workflow, self.run(spot.workflow, spot.run));
        let place = contact.map_or(place, |contact| place.to(contact));
        let condition = step.condition.as_ref();
        condition.is_none_or(|condition| self.look(place, |scene| scene.is_true(condition)))
    }

    /// The step is done; the run rests before the next one from now on.
    pub(super) fn complete(&mut self, spot: Spot<'_>, phase: StepPhase) -> Progress {
        let now = self.now;
        let state = self.step_mut(spot.workflow, spot.run, spot.step);
        state.phase = phase;
        state.at = now;
        self.run_mut(spot.workflow, spot.run).rests_since = now;
        if phase == StepPhase::Acted
            && let Some(step) = self.find_step(spot.workflow, spot.step)
        {
            self.listen_from_now(spot.workflow, spot.run, step);
        }
        Progress::Moved
    }

    /// Skips a step, saying why. What it has sent stands; what it has asked is closed.
    pub(super) fn pass_over(&mut self, spot: Spot<'_>, why: &str) -> Progress {
        let record = Record {
            why: Some(why.into()),
            ..self.step_record(Kind::Skip, spot)
        };
        self.push(record);
        let state = self.step_mut(spot.workflow, spot.run, spot.step);
        let is_asking = state.ask.as_ref().is_some_and(|ask| ask.answer.is_none());
        let has_sent = state.messages.values().any(|message| message.fate.counts());
        if is_asking {
            self.change_task(spot, TaskState::Closed);
        }
        let phase = if has_sent {
            StepPhase::Acted
        } else {
            StepPhase::Skipped
        };
        self.complete(spot, phase)
    }

    /// An instant that never comes to rest: the runs that keep it going end, loudly.
    pub(super) fn stop_stuck(&mut self) {
        if !self.end_stuck() && !self.offers.is_empty() {
            // All have ended already, and their ends begin others: those are the ones.
            self.starts();
            self.end_stuck();
        }
        // What that tells starts nothing: else it would never end.
        self.offers.clear();
    }

    /// Ends the open runs that moved in this round. Gives whether there were any.
    fn end_stuck(&mut self) -> bool {
        let acted = std::mem::take(&mut self.acted);
        let begun = std::mem::take(&mut self.begun);
        let mut is_any = false;
        for (workflow, run) in acted.into_iter().chain(begun) {
            if self.run(workflow, run).is_open() {
                self.finish(workflow, run, How::Stuck);
                self.run_mut(workflow, run).phase = Phase::Ended;
                is_any = true;
            }
        }
        is_any
    }
}
