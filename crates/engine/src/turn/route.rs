//! Where a run goes on when the steps around it come, go or move: it remembers its place, and the text before says what
//! lay around that (language.md, 6).

use super::Turn;
use super::path::next;
use super::record::Spot;
use crate::rebase::{Resting, Revised};
use crate::run::{How, Phase, Run, StepPhase, StepState};
use jiff::Timestamp;
use model::TaskState;
use workflow::program::{Step, Workflow};

impl<'a> Turn<'a, '_> {
    /// Every open run of a workflow follows the new text.
    pub(super) fn follow_text(&mut self, workflow: &'a Workflow, revised: &'a Revised) {
        self.rename_arms(workflow);
        for index in 0..self.runs(workflow) {
            if !self.run(workflow, index).is_open() {
                continue;
            }
            if revised.leaves_shadow {
                self.finish(workflow, index, How::Stopped);
                continue;
            }
            if let Some(old) = &revised.old {
                self.follow_run((old, workflow), index);
            }
            self.stop_watching(workflow, index);
        }
    }

    /// Whoever was drawn keeps the arm, under the step's new id.
    fn rename_arms(&mut self, workflow: &Workflow) {
        let Some(state) = self.account.head.workflows.get_mut(&workflow.name) else {
            return;
        };
        for subject in state.subjects.values_mut() {
            for (old, id) in &workflow.moved {
                if let Some(arm) = subject.arms.remove(old) {
                    subject.arms.entry(id.clone()).or_insert(arm);
                }
            }
        }
    }

    fn follow_run(&mut self, (old, new): (&'a Workflow, &'a Workflow), index: usize) {
        let run = self.run(new, index);
        let (Some(before), Some(after)) = (steps_of(old, run.phase), steps_of(new, run.phase))
        else {
            return;
        };
        let at = next(before, run);
        if run.phase == Phase::Watching && at.is_some() {
            // Held out: it gets no steps, whatever the text says.
            return;
        }
        let at = at.map(|step| step.id.clone());
        let is_gone = at
            .as_ref()
            .is_some_and(|id| find(after, &renamed(new, id)).is_none());
        if let Some(id) = at.as_ref().filter(|_| is_gone) {
            self.close_question(old, index, id);
        }
        let now = self.now;
        let resting = self.change.map(|change| change.resting);
        let run = self.run_mut(new, index);
        rename(run, new);
        let at = at.map(|id| renamed(new, &id));
        let before: Vec<Box<str>> = flat(before)
            .iter()
            .map(|step| renamed(new, &step.id))
            .collect();
        pass(
            run,
            &before,
            at.as_deref().filter(|_| !is_gone),
            (after, at.as_deref(), now),
        );
        if is_gone {
            run.rests_since = now;
            run.rests_at = next(after, run).map(|step| step.id.clone());
        }
        if run.phase == Phase::Watching && next(after, run).is_some() {
            run.phase = Phase::Steps;
            run.rests_since = now;
        }
        if is_gone && resting == Some(Resting::End) {
            self.finish(new, index, How::Stopped);
        }
    }

    /// A step that is gone asks nobody any more; what it sent stands.
    fn close_question(&mut self, old: &'a Workflow, index: usize, step: &str) {
        let Some(state) = self.run(old, index).steps.get(step) else {
            return;
        };
        let is_asking = state.ask.as_ref().is_some_and(|ask| ask.answer.is_none());
        let has_sent = state.messages.values().any(|message| message.fate.counts());
        if is_asking && let Some(step) = find(&old.steps, step) {
            let spot = Spot {
                workflow: old,
                run: index,
                step: &step.id,
            };
            self.change_task(spot, TaskState::Closed);
        }
        if let Some(state) = self.run_mut(old, index).steps.get_mut(step) {
            state.phase = if has_sent {
                StepPhase::Acted
            } else {
                StepPhase::Skipped
            };
        }
    }

    /// A run that only watches for a goal ends where the text has no goal to watch for any more.
    fn stop_watching(&mut self, workflow: &'a Workflow, index: usize) {
        let within = workflow.goal.as_ref().and_then(|goal| goal.within);
        match self.run(workflow, index).phase {
            Phase::Watching if within.is_none() => self.finish(workflow, index, How::Finished),
            Phase::Then if workflow.goal.is_none() => {
                self.run_mut(workflow, index).phase = Phase::Ended;
            }
            Phase::Steps | Phase::Watching | Phase::Then | Phase::Ended => {}
        }
    }
}

/// The steps that a phase goes through.
fn steps_of(workflow: &Workflow, phase: Phase) -> Option<&[Step]> {
    match phase {
        Phase::Steps | Phase::Watching => Some(&workflow.steps),
        Phase::Then => workflow.goal.as_ref().map(|goal| &goal.then[..]),
        Phase::Ended => None,
    }
}

/// Steps and those inside them, in the order of the text.
pub(crate) fn flat(steps: &[Step]) -> Vec<&Step> {
    let mut all = Vec::new();
    for step in steps {
        all.push(step);
        for block in step.blocks() {
            all.extend(flat(block));
        }
    }
    all
}

fn find<'s>(steps: &'s [Step], id: &str) -> Option<&'s Step> {
    flat(steps).into_iter().find(|step| *step.id == *id)
}

/// A step's id in the new text.
fn renamed(new: &Workflow, id: &str) -> Box<str> {
    let moved = new.moved.iter().find(|(old, _)| **old == *id);
    moved.map_or(id, |(_, new)| new).into()
}

/// What a run keeps goes under the new ids.
fn rename(run: &mut Run, new: &Workflow) {
    for (old, id) in &new.moved {
        if !run.steps.contains_key(id)
            && let Some(state) = run.steps.remove(old)
        {
            run.steps.insert(id.clone(), state);
        }
        if let Some(heard) = run.heard.remove(old) {
            run.heard.entry(id.clone()).or_insert(heard);
        }
        if run.rests_at.as_ref() == Some(old) {
            run.rests_at = Some(id.clone());
        }
    }
}

/// Passes over what was inserted before the run's place: it is not made up. The place is the step at which the run rests,
/// or, where that is gone, behind the step that went before it.
fn pass(
    run: &mut Run,
    before: &[Box<str>],
    kept: Option<&str>,
    (after, at, now): (&[Step], Option<&str>, Timestamp),
) {
    let order: Vec<&Step> = flat(after);
    let place = |id: &str| order.iter().position(|step| *step.id == *id);
    let (anchor, is_behind) = match kept {
        Some(id) => (place(id), false),
        None => {
            let until = at.and_then(|at| before.iter().position(|id| **id == *at));
            let earlier = &before[..until.unwrap_or(before.len())];
            (earlier.iter().rev().find_map(|id| place(id)), true)
        }
    };
    let Some(anchor) = anchor else {
        return;
    };
    while let Some(step) = next(after, run) {
        let Some(index) = place(&step.id) else {
            return;
        };
        let is_before = index < anchor || (is_behind && index == anchor);
        let holds_anchor = index != anchor
            && flat(std::slice::from_ref(step))
                .iter()
                .any(|inner| inner.id == order[anchor].id);
        if !is_before || holds_anchor {
            return;
        }
        run.steps
            .or_insert_with(&step.id, || StepState::new(StepPhase::Skipped, now))
            .phase = StepPhase::Skipped;
    }
}
