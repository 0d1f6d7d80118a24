//! The way of a run through its steps: where it is, as the present text has them.

use crate::run::{Run, StepPhase, StepState};
use workflow::program::{Otherwise, Step, Verb};

/// The step at which a run is; none: all are done.
///
/// It goes on from where it rests: steps that were put before that place are not made up, and what is done stays done.
pub(super) fn next<'w>(steps: &'w [Step], run: &Run) -> Option<&'w Step> {
    let from_there = run.rests_at.as_deref().and_then(|at| after(steps, at, run));
    from_there.unwrap_or_else(|| first(steps, run))
}

/// The first step that is not over, looking into those whose decision has led inside.
fn first<'w>(steps: &'w [Step], run: &Run) -> Option<&'w Step> {
    steps.iter().find_map(|step| match run.steps.get(&step.id) {
        Some(state) if state.is_over() => first(inside(step, state), run),
        Some(_) | None => Some(step),
    })
}

/// The first step that is not over, from the step `at` on; none: the run can't be in these steps.
fn after<'w>(steps: &'w [Step], at: &str, run: &Run) -> Option<Option<&'w Step>> {
    steps.iter().enumerate().find_map(|(index, step)| {
        let state = run.steps.get(&step.id).filter(|state| state.is_over());
        let found = match state {
            None if *step.id == *at => Some(step),
            None => return None,
            Some(state) if *step.id == *at => first(inside(step, state), run),
            Some(state) => after(inside(step, state), at, run)?,
        };
        Some(found.or_else(|| first(&steps[index + 1..], run)))
    })
}

/// The steps into which a step's decision has led.
pub(super) fn inside<'w>(step: &'w Step, state: &StepState) -> &'w [Step] {
    match state.phase {
        StepPhase::Waiting | StepPhase::Acted | StepPhase::Skipped => &[],
        StepPhase::TookThen => then(&step.verb),
        StepPhase::TookElse => otherwise(&step.verb),
        StepPhase::TimedOut => {
            if let Verb::WaitFor {
                otherwise: Otherwise::Steps(steps),
                ..
            } = &step.verb
            {
                steps
            } else {
                &[]
            }
        }
        StepPhase::Chose => chosen(&step.verb, state.chosen.as_deref()),
    }
}

fn then(verb: &Verb) -> &[Step] {
    if let Verb::Branch { then, .. } = verb {
        then
    } else {
        &[]
    }
}

fn otherwise(verb: &Verb) -> &[Step] {
    if let Verb::Branch { otherwise, .. } = verb {
        otherwise
    } else {
        &[]
    }
}

/// The case or arm of a name; what the text no longer has leads nowhere.
fn chosen<'w>(verb: &'w Verb, name: Option<&str>) -> &'w [Step] {
    if let Verb::Split { arms } = verb {
        let arm = arms.iter().find(|arm| Some(&*arm.name) == name);
        return arm.map_or(&[], |arm| &arm.steps);
    }
    let Verb::Match {
        cases, otherwise, ..
    } = verb
    else {
        return &[];
    };
    let Some(name) = name else {
        return otherwise;
    };
    let case = cases.iter().find(|(word, _)| **word == *name);
    case.map_or(&[], |(_, steps)| steps)
}
