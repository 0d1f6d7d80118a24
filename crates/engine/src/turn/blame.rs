//! Blame: the part that keeps a condition from being true, what would help, and when time alone does.

use super::tree::Names;
use crate::evaluate::Scene;
use crate::lookahead::next_change;
use jiff::{SignedDuration, Timestamp};
use workflow::expression::print;
use workflow::program::{Comparison, Expr, ExprKind};

/// How many instants are looked at to find when time alone makes a condition true.
const JUMPS_MAX: usize = 400;
/// And how far ahead.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);

/// A part that is to blame, where it is read, and whether it would have to be true.
#[derive(Clone, Copy)]
pub(super) struct Culprit<'e> {
    pub(super) scene: Scene<'e>,
    pub(super) expr: &'e Expr,
    pub(super) wanted: bool,
}

/// The first part that is to blame for a condition that is not as it is wanted; segments are looked into.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other expression is blamed whole"
)]
pub(super) fn culprit(whole: Culprit<'_>) -> Culprit<'_> {
    let Culprit {
        scene,
        expr,
        wanted,
    } = whole;
    let among = |part| {
        culprit(Culprit {
            expr: part,
            ..whole
        })
    };
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            let must_all = matches!(expr.kind, ExprKind::And(_)) == wanted;
            let mut guilty = parts
                .iter()
                .filter(|part| scene.truth(part) != Some(wanted));
            let first = if must_all {
                // What an event will tell, nobody can know before it comes.
                let known = guilty.clone().find(|part| !asks_event(part));
                known.or_else(|| guilty.next())
            } else {
                // One would do. Whichever is unknown says more than what is plainly wrong.
                let unknown = parts.iter().find(|part| scene.truth(part).is_none());
                unknown.or(parts.first())
            };
            first.map_or(whole, among)
        }
        ExprKind::Not(inner) => {
            let deeper = culprit(Culprit {
                expr: inner,
                wanted: !wanted,
                ..whole
            });
            if std::ptr::eq(deeper.expr, &**inner) {
                whole
            } else {
                deeper
            }
        }
        ExprKind::Segment(index) => match scene.program.segments.get(*index) {
            Some(segment) => culprit(Culprit {
                scene: scene.of_definitions(),
                expr: &segment.condition,
                wanted,
            }),
            None => whole,
        },
        _ => whole,
    }
}

/// Whether an expression asks what an event tells.
pub(super) fn asks_event(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Event(_) | ExprKind::EventContact { .. }
    ) || expr.children().into_iter().any(asks_event)
}

/// What would make a part true (or false), in words.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other expression is named whole"
)]
pub(super) fn needs(names: &Names<'_>, expr: &Expr, wanted: bool) -> String {
    let text = |expr: &Expr| print(expr, names);
    match &expr.kind {
        ExprKind::Not(inner) => needs(names, inner, !wanted),
        ExprKind::Compare { how, left, right } => {
            let how = if wanted { *how } else { opposite(*how) };
            format!(
                "{} would have to be {} {}",
                text(left),
                relation(how),
                text(right)
            )
        }
        ExprKind::Between { value, low, high } if wanted => {
            format!("{} would have to lie in {low}..{high}", text(value))
        }
        ExprKind::Known(of) if wanted => format!("{} would have to be known", text(of)),
        ExprKind::Known(of) => format!("{} would have to be unknown", text(of)),
        _ if wanted => format!("{} would have to be true", text(expr)),
        _ => format!("{} would have to be false", text(expr)),
    }
}

fn opposite(how: Comparison) -> Comparison {
    match how {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::AtLeast,
        Comparison::AtMost => Comparison::Greater,
        Comparison::Greater => Comparison::AtMost,
        Comparison::AtLeast => Comparison::Less,
    }
}

fn relation(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "equal to",
        Comparison::NotEqual => "other than",
        Comparison::Less => "below",
        Comparison::AtMost => "at most",
        Comparison::Greater => "above",
        Comparison::AtLeast => "at least",
    }
}

/// When time alone makes a condition true, if it does within two years.
pub(super) fn true_at(scene: &Scene<'_>, condition: &Expr) -> Option<Timestamp> {
    let last = scene.now().checked_add(AHEAD_MAX).ok()?;
    let mut scene = *scene;
    for _ in 0..JUMPS_MAX {
        let next = next_change(&scene, condition).filter(|next| *next <= last)?;
        scene = scene.at(next);
        if scene.is_true(condition) {
            return Some(next);
        }
    }
    None
}
