//! The goal of a workflow: its condition, how long it is watched, who is held out, and the steps on success.

use super::desk::Desk;
use super::expression::condition;
use super::notation::period;
use super::start::say_verdict;
use super::step::steps;
use super::survey::Survey;
use super::value::share;
use super::{Keys, Notes};
use crate::expression::{Scope, known_when_true};
use crate::program::{Expr, Goal, Period, Step};
use crate::yaml::Node;
use model::Decimal;

/// Keys of `goal`.
pub(crate) const KEYS: [&str; 3] = ["when", "within", "then"];

/// `goal`: a condition, or a map with `when` and `within`.
pub(crate) fn goal_condition(
    notes: &mut Notes,
    node: &Node,
    scope: &Scope,
) -> Option<(Expr, Option<Period>)> {
    let is_short =
        node.scalar().is_some() || node.get("all").is_some() || node.get("any").is_some();
    if is_short {
        let expr = condition(notes, node, scope)?;
        say_verdict(notes, node, &expr, scope);
        return Some((expr, None));
    }
    let keys = Keys::of(notes, node, "`goal`", &KEYS)?;
    let within = keys
        .get(notes, "within")
        .map(|node| period(notes, node, "`within`"));
    let when = keys.need(notes, "when")?;
    let expr = condition(notes, when, scope)?;
    say_verdict(notes, when, &expr, scope);
    match within {
        Some(within) => Some((expr, Some(within?))),
        None => Some((expr, None)),
    }
}

/// The share that is held out; E801 unless both groups are watched equally long.
pub(crate) fn holdout(notes: &mut Notes, keys: &Keys<'_>) -> Option<Decimal> {
    let Some(node) = keys.get(notes, "holdout") else {
        return (!keys.has("holdout")).then_some(Decimal::ZERO);
    };
    let share = share(notes, node, "`holdout`");
    let has_within = keys
        .get(&mut Notes::default(), "goal")
        .is_some_and(|goal| goal.get("within").is_some());
    if !has_within && share != Some(Decimal::ZERO) {
        let message =
            "with a holdout the goal needs `within`, so that both groups are watched equally long";
        notes.error("E801", node.span, message);
    }
    share
}

/// Steps on success: free of `while`; those above are all the others.
fn then_steps(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    node: &Node,
    survey: &Survey,
) -> Option<Vec<Step>> {
    desk.always.clear();
    desk.while_windows.clear();
    desk.windows_above.clear();
    super::branch::refuse_waits(notes, node);
    steps(notes, desk, node, survey)
}

/// The steps under `then`: what the goal says is known in them.
pub(crate) fn goal_steps(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    node: Option<&Node>,
    goal: &Option<Option<(Expr, Option<Period>)>>,
    survey: &Survey,
) -> Option<Vec<Step>> {
    let Some(then) = node.and_then(|node| node.get("then")) else {
        return Some(Vec::new());
    };
    desk.known = goal
        .iter()
        .flatten()
        .flat_map(|(when, _)| known_when_true(when))
        .collect();
    then_steps(notes, desk, then, survey)
}

/// The goal with its steps.
pub(crate) fn whole_goal((when, within): (Expr, Option<Period>), then: Vec<Step>) -> Goal {
    Goal { when, within, then }
}
