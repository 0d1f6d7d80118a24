//! Decisions among several ways: by the word of a pick-list, or by a draw that is kept.

use super::Turn;
use super::place::Place;
use super::record::Spot;
use super::steps::Progress;
use crate::draw::draw;
use crate::run::StepPhase;
use model::{Decimal, Value};
use workflow::program::{Arm, Expr, Step};

impl Turn<'_, '_> {
    /// The case of the word; unknown, and words without a case, take the `otherwise`.
    pub(super) fn match_word(
        &mut self,
        spot: Spot<'_>,
        value: &Expr,
        cases: &[(Box<str>, Vec<Step>)],
    ) -> Progress {
        let place = Place::run(spot.workflow, self.run(spot.workflow, spot.run));
        let word = self.look(place, |scene| scene.value(value));
        let word = word.as_ref().and_then(Value::text);
        let case = cases.iter().find(|(case, _)| Some(&**case) == word);
        self.choose(spot, case.map(|(case, _)| case.clone()))
    }

    /// The arm that the subject drew, now or before.
    pub(super) fn split(&mut self, spot: Spot<'_>, arms: &[Arm]) -> Progress {
        let arm = self.arm(spot, arms);
        if let Some(arm) = &arm {
            let subject = self.run(spot.workflow, spot.run).subject.clone();
            let state = self.account.head.workflows.get_mut(&spot.workflow.name);
            if let Some(state) = state {
                let memory = state.subjects.or_default(&subject);
                memory.arms.insert(spot.step.into(), arm.clone());
            }
        }
        self.choose(spot, arm)
    }

    fn choose(&mut self, spot: Spot<'_>, chosen: Option<Box<str>>) -> Progress {
        self.step_mut(spot.workflow, spot.run, spot.step).chosen = chosen;
        self.complete(spot, StepPhase::Chose)
    }

    fn arm(&self, spot: Spot<'_>, arms: &[Arm]) -> Option<Box<str>> {
        let subject = &self.run(spot.workflow, spot.run).subject;
        let named = |name: &str| arms.iter().find(|arm| *arm.name == *name);
        if let Some(pins) = self.context.pins {
            let given = pins.arms.get(spot.step).and_then(|name| named(name));
            return given.or_else(|| arms.first()).map(|arm| arm.name.clone());
        }
        let memory = self.memory(spot.workflow, subject);
        let kept = memory.and_then(|memory| memory.arms.get(spot.step));
        if let Some(arm) = kept.and_then(|name| named(name)) {
            return Some(arm.name.clone());
        }
        let drawn = draw(&[
            self.account.id.as_str(),
            &spot.workflow.name,
            spot.step,
            subject,
        ]);
        arm_at(arms, drawn).map(|arm| arm.name.clone())
    }
}

/// The arm into whose share a draw falls.
fn arm_at(arms: &[Arm], drawn: Decimal) -> Option<&Arm> {
    let mut reached = 0_i64;
    let found = arms.iter().find(|arm| {
        reached = reached.saturating_add(arm.share.millionths());
        drawn.millionths() < reached
    });
    found.or_else(|| arms.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arms(shares: &[i64]) -> Vec<Arm> {
        let arm = |(index, share): (usize, &i64)| Arm {
            name: index.to_string().into(),
            share: Decimal::from_millionths(*share),
            steps: Vec::new(),
        };
        shares.iter().enumerate().map(arm).collect()
    }

    #[test]
    fn a_draw_falls_into_the_share_that_holds_it() {
        let check = |shares: &[i64], drawn: i64, wanted: &str| {
            let arms = arms(shares);
            let found = arm_at(&arms, Decimal::from_millionths(drawn));
            assert_eq!(
                found.map(|arm| &*arm.name),
                Some(wanted),
                "{shares:?} {drawn}"
            );
        };
        check(&[500_000, 500_000], 0, "0");
        check(&[500_000, 500_000], 499_999, "0");
        check(&[500_000, 500_000], 500_000, "1");
        check(&[0, 1_000_000], 0, "1");
        check(&[333_333, 333_333, 333_333], 999_999, "2");
    }
}
