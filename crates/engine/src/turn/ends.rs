//! Ends: goal first, then `while`; and what an end takes back.

use super::Turn;
use super::place::Place;
use super::record::Spot;
use crate::run::{Fate, How, Phase, Run};
use jiff::{SignedDuration, Timestamp};
use model::{Kind, MessageId, Record, RunId, TaskState};
use workflow::program::{Goal, Status, Workflow};

/// An ended run is kept so long after its end and its last message, for answers to them.
pub(super) const KEPT_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);
/// One whose task is still to be done is kept so long, so that it can be overdue, and done.
pub(super) const TASK_KEPT_MAX: SignedDuration = SignedDuration::from_hours(365 * 24);

impl<'a> Turn<'a, '_> {
    /// Looks at goal and `while` of every open run. Gives whether one ended.
    pub(super) fn ends(&mut self) -> bool {
        let mut has_ended = false;
        for workflow in &self.context.program.workflows {
            if workflow.status == Status::Draft {
                // Its runs rest until it is in force again.
                continue;
            }
            let runs = self
                .account
                .head
                .workflows
                .get(&workflow.name)
                .map_or(0, |state| state.runs.len());
            for run in 0..runs {
                has_ended |= self.check_end(workflow, run);
            }
        }
        has_ended
    }

    /// Ends a run whose goal is reached, whose `while` is false or whose subject is gone. Gives whether it ended.
    pub(super) fn check_end(&mut self, workflow: &'a Workflow, index: usize) -> bool {
        let run = self.run(workflow, index);
        let is_there = self.is_there(workflow.for_each, &run.subject);
        match run.phase {
            Phase::Ended => return false,
            Phase::Then if is_there && workflow.status != Status::Retired => return false,
            Phase::Then => {
                self.run_mut(workflow, index).phase = Phase::Ended;
                return true;
            }
            Phase::Steps | Phase::Watching => {}
        }
        let how = if !is_there {
            Some(How::Left)
        } else if workflow.status == Status::Retired {
            Some(How::Stopped)
        } else {
            self.how_it_ends(workflow, index)
        };
        if let Some(how) = how {
            self.finish(workflow, index, how);
        }
        how.is_some()
    }

    fn how_it_ends(&self, workflow: &Workflow, index: usize) -> Option<How> {
        let run = self.run(workflow, index);
        let place = Place::run(workflow, run);
        if let Some(goal) = &workflow.goal {
            let deadline = self.goal_deadline(goal, run);
            if deadline.is_none_or(|deadline| self.now < deadline)
                && self.look_again(place, |scene| scene.is_true(&goal.when))
            {
                return Some(How::Goal);
            }
            if run.phase == Phase::Watching && deadline.is_some_and(|deadline| deadline <= self.now)
            {
                return Some(How::Finished);
            }
        }
        let keeps = workflow.while_true.as_ref()?;
        (self.look_again(place, |scene| scene.truth(keeps)) == Some(false)).then_some(How::Left)
    }

    /// Until when the goal is watched; none: as long as the run is open.
    pub(super) fn goal_deadline(&self, goal: &Goal, run: &Run) -> Option<Timestamp> {
        self.after(run.started_at, goal.within?)
    }

    /// Ends a run.
    pub(super) fn finish(&mut self, workflow: &'a Workflow, index: usize, how: How) {
        self.finish_for(workflow, index, (how, None));
    }

    /// Ends a run, for a reason that its text gives.
    pub(super) fn finish_for(
        &mut self,
        workflow: &'a Workflow,
        index: usize,
        (how, why): (How, Option<&str>),
    ) {
        let now = self.now;
        self.memo.forget();
        let then = workflow
            .goal
            .as_ref()
            .is_some_and(|goal| how == How::Goal && !goal.then.is_empty());
        let run = self.run_mut(workflow, index);
        // Who is held out gets no steps, after the goal neither.
        let goes_on = then && !run.is_held_out;
        run.phase = if goes_on { Phase::Then } else { Phase::Ended };
        run.ended = Some((how, now));
        run.rests_since = now;
        let subject = run.subject.clone();
        let record = Record {
            how: Some(how.as_str().into()),
            why: why.map(Box::from),
            ..self.run_record(Kind::End, workflow, self.run(workflow, index))
        };
        self.push(record);
        self.is_moved = true;
        match how {
            How::Goal | How::Left | How::Stopped | How::Stuck => self.take_back(workflow, index),
            How::Finished => {}
        }
        self.tell_workflow("workflow.ended", workflow, &subject, Some(how.as_str()));
    }

    /// Takes back what the run's ordinary steps have under way: messages still queued, tasks, questions.
    fn take_back(&mut self, workflow: &'a Workflow, index: usize) {
        let open: Vec<Box<str>> = self
            .run(workflow, index)
            .steps
            .iter()
            .filter(|(_, state)| {
                let is_asked = state.ask.as_ref().is_some_and(|ask| ask.answer.is_none());
                let is_task =
                    state.task.is_some() && !state.outcomes.contains(&crate::run::Outcome::Done);
                (is_asked && !state.is_over()) || is_task
            })
            .map(|(step, _)| step.into())
            .collect();
        for step in &open {
            let spot = Spot {
                workflow,
                run: index,
                step,
            };
            self.change_task(spot, TaskState::Closed);
        }
        let is_live = self.is_live();
        let mut withdrawn: Vec<MessageId> = Vec::new();
        for state in self.run_mut(workflow, index).steps.values_mut() {
            for message in state.messages.values_mut() {
                match message.fate {
                    Fate::Queued if is_live => withdrawn.push(message.id.clone()),
                    // Under the log clock the sender hands over at once: nothing is left to take back.
                    Fate::Queued | Fate::Settled | Fate::Suppressed | Fate::Skipped => {}
                    Fate::Expired => message.fate = Fate::Skipped,
                }
            }
        }
        self.out.withdrawn.append(&mut withdrawn);
    }

    /// Forgets runs that ended long ago.
    pub(super) fn prune(&mut self) {
        let mut gone: Vec<RunId> = Vec::new();
        for (name, state) in self.account.head.workflows.iter() {
            let old = state.runs.iter().filter(|run| self.is_old(name, run));
            gone.extend(old.map(|run| run.id.clone()));
        }
        if !gone.is_empty() {
            for state in self.account.head.workflows.values_mut() {
                state.runs.retain(|run| !gone.contains(&run.id));
            }
        }
        self.prune_cases();
    }

    /// Whether a run ended so long ago that nothing is to come of it any more.
    fn is_old(&self, name: &str, run: &Run) -> bool {
        let Some((_, ended_at)) = run.ended.filter(|_| !run.is_open()) else {
            return false;
        };
        // A message that expired is decided again after the end, and may still be taken out of its day's counts.
        let messages = run.steps.values().flat_map(|state| state.messages.values());
        let last = messages.map(|message| message.at).fold(ended_at, Ord::max);
        let age = self.now.duration_since(last);
        age > KEPT_MAX && (age > TASK_KEPT_MAX || !self.has_open_task(name, run))
    }

    /// A run by its place among the workflow's.
    pub(super) fn run(&self, workflow: &Workflow, index: usize) -> &Run {
        let state = self.account.head.workflows.get(&workflow.name);
        state
            .and_then(|state| state.runs.get(index))
            .expect("a run is only named by its place after it was found there")
    }

    /// The same, to be changed.
    pub(super) fn run_mut(&mut self, workflow: &Workflow, index: usize) -> &mut Run {
        let state = self.account.head.workflows.get_mut(&workflow.name);
        state
            .and_then(|state| state.runs.get_mut(index))
            .expect("a run is only named by its place after it was found there")
    }
}
