//! When could the mere passing of time change what an expression gives?

use crate::evaluate::Scene;
use jiff::Timestamp;
use workflow::program::Expr;

/// The next instant after the scene's at which time alone could change what the expression gives, or make a comparison
/// known or unknown. Never late; now and then early. `None`: never, until a fact comes in.
pub fn next_change(_scene: &Scene<'_>, _expr: &Expr) -> Option<Timestamp> {
    None
}
