//! Guards: what can be said of a step's `if` and `at` without any data.

use super::Notes;
use super::desk::Desk;
use super::start::say_verdict;
use crate::expression::{Scope, is_always_known};
use crate::program::{AtWindow, Comparison, Expr, ExprKind, StepResult};
use crate::yaml::Node;

/// Never or always true; siblings that leave a hole; the trap of `opened`.
pub(crate) fn look_at_guard(
    notes: &mut Notes,
    node: &Node,
    guard: &Expr,
    before: Option<&Expr>,
    scope: &Scope,
) {
    say_verdict(notes, node, guard, scope);
    let mut asks_opened = false;
    guard.each(&mut |part| {
        asks_opened |= matches!(
            &part.kind,
            ExprKind::Step {
                result: StepResult::Opened,
                ..
            }
        );
    });
    if asks_opened {
        let message = "mail programs that guard privacy open every mail: `opened` says little";
        notes.warn(
            "W606",
            node.span,
            message,
            "ask for `clicked` or `replied`".to_owned(),
        );
    }
    let is_hole =
        before.is_some_and(|before| is_opposite(before, guard)) && !is_always_known(guard, scope);
    if is_hole {
        let message = "this `if` and the one above it both skip a customer for whom it is unknown";
        notes.warn(
            "W603",
            node.span,
            message,
            "use one step with `if`, `then` and `else`".to_owned(),
        );
    }
}

/// Whether one condition is the other's negation, as they are written.
fn is_opposite(a: &Expr, b: &Expr) -> bool {
    match (&a.kind, &b.kind) {
        (ExprKind::Not(inner), _) if **inner == *b => true,
        (_, ExprKind::Not(inner)) if **inner == *a => true,
        (
            ExprKind::Compare {
                how: how_a,
                left: left_a,
                right: right_a,
            },
            ExprKind::Compare {
                how: how_b,
                left: left_b,
                right: right_b,
            },
        ) => left_a == left_b && right_a == right_b && is_opposite_sign(*how_a, *how_b),
        _ => false,
    }
}

fn is_opposite_sign(a: Comparison, b: Comparison) -> bool {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
    let pair = |x, y| (a == x && b == y) || (a == y && b == x);
    pair(Equal, NotEqual) || pair(Less, AtLeast) || pair(Greater, AtMost)
}

/// E403: outside of `while`; E404: over before a step above it opens.
pub(crate) fn check_window(notes: &mut Notes, desk: &mut Desk<'_>, node: &Node, at: &AtWindow) {
    let same = |above: &&AtWindow| above.date == at.date && above.is_business == at.is_business;
    let latest = desk
        .windows_above
        .iter()
        .filter(same)
        .map(|above| above.opens)
        .max();
    if let Some(opens) = latest.filter(|opens| at.closes < *opens) {
        let side = if opens < 0 { "before" } else { "after" };
        let message = format!(
            "this window is over before the step above it opens ({} days {side})",
            opens.abs()
        );
        notes.error("E404", node.span, message);
    }
    let (nearest_day, farthest) = (i64::from(-at.closes), i64::from(-at.opens));
    let bounds = desk
        .while_windows
        .iter()
        .filter(|bound| bound.date == at.date && !at.is_business);
    for bound in bounds {
        let is_outside = bound.low.is_some_and(|low| farthest < low)
            || bound.high.is_some_and(|high| nearest_day > high);
        if is_outside {
            let message = "no run is left by then: this window lies outside of `while`";
            notes.error("E403", node.span, message);
            break;
        }
    }
    desk.windows_above.push(at.clone());
}
