//! When could the mere passing of time change what an expression gives?
//!
//! Two layers. [`hold`](hold::hold) names an instant up to which an expression surely stays as it is: exactly for dates, working
//! days, windows and comparisons of what only rises or only falls, else the next step of any of its inputs. [`next_change`]
//! then looks at the expression as of that instant, and goes on while nothing has changed, for a limited number of steps.
//! So it is never late, and early only where it gave up looking.

mod course;
mod crossing;
mod hold;
mod metric;
mod range;

pub(crate) use course::Course;
pub(crate) use crossing::order_hold;
pub(crate) use hold::hold as holds_until;

use crate::evaluate::Scene;
use crate::health;
use jiff::Timestamp;
use workflow::program::Expr;

/// How many steps are looked through before a wake-up is simply taken early.
pub const STEPS_MAX: usize = 32;

/// The earlier of two instants, none being never.
pub(crate) fn sooner(left: Option<Timestamp>, right: Option<Timestamp>) -> Option<Timestamp> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (one, None) | (None, one) => one,
    }
}

/// The next instant after the scene's at which time alone could change what the expression gives, or make a comparison
/// known or unknown. Never late; now and then early. `None`: never, until a fact comes in.
///
/// What is kept as state beside the expression (an open risk, a run's steps, the band of health) is taken as it stands; of
/// health's band it is known when it may move next. Whoever keeps the other states looks ahead for them.
pub fn next_change(scene: &Scene<'_>, expr: &Expr) -> Option<Timestamp> {
    look(scene, expr, || health::next_change(scene))
}

/// The same for what does not read the band of health.
pub(crate) fn change_of(scene: &Scene<'_>, expr: &Expr) -> Option<Timestamp> {
    look(scene, expr, || None)
}

/// Looks through holds; past `barrier` the state is not known, so it goes no further.
fn look(
    scene: &Scene<'_>,
    expr: &Expr,
    barrier: impl Fn() -> Option<Timestamp>,
) -> Option<Timestamp> {
    let mut next = hold::hold(scene, expr)?;
    let now = scene.reading(expr);
    for _ in 0..STEPS_MAX {
        let then = scene.at(next);
        if then.reading(expr) != now || barrier().is_some_and(|barrier| barrier <= next) {
            return Some(next);
        }
        next = hold::hold(&then, expr)?;
    }
    Some(next)
}
