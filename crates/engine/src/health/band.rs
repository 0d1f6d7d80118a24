//! The band: taken at once from unknown, left only past a margin and after a hold; `red_if` acts at once both ways.
//!
//! Each of the two edges is watched by itself: the score must stay past it by the margin for the whole hold. So a fall
//! through both edges passes them one after the other, each when its own hold is over.

use super::score::{Score, band_of, hold, score};
use crate::calendar::add;
use crate::evaluate::{Asked, Scene};
use crate::lookahead;
use crate::stored::stored_struct;
use jiff::Timestamp;
use model::{Decimal, Value};
use workflow::program::{Band, Health};

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

/// How many steps of the score are looked through before a wake-up is simply taken early.
const STEPS_MAX: usize = 32;

/// One edge: whether the band lies above it, and from which score on and below which score that is left behind.
struct Edge {
    is_above: bool,
    up: Option<Decimal>,
    down: Option<Decimal>,
}

impl Edge {
    /// Whether a score is past the edge by the margin, against the band.
    fn is_past(&self, score: Decimal) -> bool {
        if self.is_above {
            self.down.is_some_and(|down| score < down)
        } else {
            self.up.is_some_and(|up| score >= up)
        }
    }
}

/// The yellow and the green edge as the band has them.
fn edges(health: &Health, base: Band) -> [Edge; 2] {
    let edge = |edge: Decimal, is_above| Edge {
        is_above,
        up: edge.add(health.margin),
        down: edge.sub(health.margin),
    };
    [
        edge(health.bands.yellow, base >= Band::Yellow),
        edge(health.bands.green, base >= Band::Green),
    ]
}

/// The score, where enough of the weight is known.
fn enough(health: &Health, score: &Score<'_>) -> Option<Decimal> {
    score.score.filter(|_| score.known >= health.needs)
}

/// Brings the band up to the scene's instant. To be called in dependency order at every decision, before anything reads
/// `health.band`.
pub fn update(scene: &Scene<'_>, state: &mut State) -> Update {
    let before = *state;
    *state = after(scene, before);
    Update {
        is_changed: *state != before,
        from: (state.band != before.band).then_some(before.band),
    }
}

/// The state as of the scene's instant.
fn after(scene: &Scene<'_>, before: State) -> State {
    let Some(health) = &scene.program.health else {
        return State::default();
    };
    let scene = scene.of_definitions();
    let score = enough(health, &score(&scene, health));
    let mut next = match (before.base, score) {
        (_, None) => State::default(),
        (None, Some(score)) => State {
            base: Some(band_of(health, score)),
            ..State::default()
        },
        (Some(base), Some(score)) => moved(&scene, health, before, (base, score)),
    };
    let is_forced = health.red_if.as_ref().is_some_and(|red| scene.is_true(red));
    next.band = if is_forced {
        Some(Band::Red)
    } else {
        next.base
    };
    if let Some(pin) = scene
        .known
        .pin(super::name(workflow::program::HealthName::Band))
    {
        next.band = pin.as_ref().and_then(Value::text).and_then(read);
    }
    next
}

/// A band by its word.
fn read(word: &str) -> Option<Band> {
    [Band::Red, Band::Yellow, Band::Green]
        .into_iter()
        .find(|band| super::word(*band) == word)
}

/// Both edges watched from one known score to the next.
fn moved(scene: &Scene<'_>, health: &Health, before: State, at: (Band, Decimal)) -> State {
    let (base, score) = at;
    let watch = |edge: &Edge, since: Option<Timestamp>| {
        if !edge.is_past(score) {
            return (edge.is_above, None);
        }
        let since = since.unwrap_or(scene.now());
        if due(scene, health, since).is_some_and(|due| due <= scene.now()) {
            (!edge.is_above, None)
        } else {
            (edge.is_above, Some(since))
        }
    };
    let [yellow, green] = edges(health, base);
    let (is_yellow, past_yellow_at) = watch(&yellow, before.past_yellow_at);
    let (is_green, past_green_at) = watch(&green, before.past_green_at);
    let base = match (is_yellow, is_green) {
        (_, true) => Band::Green,
        (true, false) => Band::Yellow,
        (false, false) => Band::Red,
    };
    State {
        band: None,
        base: Some(base),
        past_yellow_at,
        past_green_at,
    }
}

/// When a hold is over.
fn due(scene: &Scene<'_>, health: &Health, since: Timestamp) -> Option<Timestamp> {
    add(&scene.program.calendar, since, health.hold, scene.zone)
}

/// When time alone could next change the band or what leads to it. Never late.
pub fn next_change(scene: &Scene<'_>) -> Option<Timestamp> {
    match scene.known.memo() {
        Some(memo) => memo.hold(scene.question(Asked::Health), || find_change(scene)),
        None => find_change(scene),
    }
}

fn find_change(scene: &Scene<'_>) -> Option<Timestamp> {
    let health = scene.program.health.as_ref()?;
    let scene = scene.of_definitions();
    let state = scene.known.health();
    let holds = [state.past_yellow_at, state.past_green_at]
        .into_iter()
        .flatten();
    let holds = holds.filter_map(|since| due(&scene, health, since));
    let red = health
        .red_if
        .as_ref()
        .and_then(|red| lookahead::change_of(&scene, red));
    holds
        .chain(red)
        .chain(next_move(&scene, health, state))
        .filter(|at| *at > scene.now())
        .min()
}

/// When the score next moves across anything that the band looks at.
fn next_move(scene: &Scene<'_>, health: &Health, state: &State) -> Option<Timestamp> {
    let class = |scene: &Scene<'_>| {
        let score = enough(health, &score(scene, health))?;
        let base = state.base?;
        Some(edges(health, base).map(|edge| edge.is_past(score)))
    };
    let now = class(scene);
    let mut scene = *scene;
    for _ in 0..STEPS_MAX {
        scene = scene.at(hold(&scene, health)?);
        // Where there is no band yet, anything known gives one.
        if state.base.is_none() || class(&scene) != now {
            return Some(scene.now());
        }
    }
    Some(scene.now())
}
