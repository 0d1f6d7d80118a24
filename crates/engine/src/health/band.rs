//! The band: taken at once from unknown, left only past a margin and after a hold; `red_if` acts at once both ways.

use crate::evaluate::Scene;
use crate::stored::stored_struct;
use jiff::Timestamp;
use workflow::program::Band;

/// The band as it stands. A part of the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The band that is shown: red while `red_if` is true.
    pub band: Option<Band>,
    /// The band without `red_if`.
    pub(crate) base: Option<Band>,
    /// Since when the score has been past the yellow edge by the margin, against the band.
    pub(crate) past_yellow_at: Option<Timestamp>,
    /// The same of the green edge.
    pub(crate) past_green_at: Option<Timestamp>,
}
stored_struct!(State {
    band,
    base,
    past_yellow_at,
    past_green_at
});

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Whether anything in the state changed.
    pub is_changed: bool,
    /// The band that was shown before, where another is shown now.
    pub from: Option<Option<Band>>,
}

/// Brings the band up to the scene's instant. To be called in dependency order at every decision, before anything reads
/// `health.band`.
pub fn update(_scene: &Scene<'_>, _state: &mut State) -> Update {
    Update {
        is_changed: false,
        from: None,
    }
}

/// When time alone could next change the band or what leads to it.
pub fn next_change(_scene: &Scene<'_>) -> Option<Timestamp> {
    None
}
