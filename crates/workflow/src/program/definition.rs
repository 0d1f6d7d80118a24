//! Definitions: metrics, segments, labels, health and risks.

use super::expression::Expr;
use super::rule::Period;
use jiff::civil::Date;
use model::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// A number (or an instant) made of events.
#[derive(Clone, Debug, Serialize)]
pub struct Metric {
    /// Its name.
    pub name: Box<str>,
    /// Where it comes from.
    pub source: Source,
    /// The type it gives, as in [`Expr`].
    pub ty: super::expression::Type,
}

/// Where a metric comes from.
#[derive(Clone, Debug, Serialize)]
pub enum Source {
    /// Events.
    Events(Box<Aggregate>),
    /// Other metrics and fields.
    Formula(Expr),
}

/// How events become a value.
#[derive(Clone, Debug, Serialize)]
pub struct Aggregate {
    /// What is kept of them.
    pub how: Reduce,
    /// The event type.
    pub event: Box<str>,
    /// Which of them: a condition on `event`.
    pub condition: Option<Expr>,
    /// Names the structure that holds its events: equal (event, field, condition) share one.
    pub basis: Box<str>,
    /// Over which time.
    pub window: Window,
}

/// What is kept of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Reduce {
    /// How many.
    Count,
    /// How many different values of a field.
    CountDistinct(Box<str>),
    /// The sum of a field.
    Sum(Box<str>),
    /// Its average.
    Average(Box<str>),
    /// Its least value.
    Min(Box<str>),
    /// Its greatest value.
    Max(Box<str>),
    /// When the latest happened.
    Latest,
    /// When the earliest happened.
    Earliest,
}

/// The time over which a metric looks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Window {
    /// So many civil days, today included.
    Days(u16),
    /// So many hour buckets, the present one included.
    Hours(u16),
    /// From the day of a date field.
    Since(Expr),
    /// All time.
    Ever,
}

/// A named yes/no.
#[derive(Clone, Debug, Serialize)]
pub struct Segment {
    /// Its name.
    pub name: Box<str>,
    /// When it is true.
    pub condition: Expr,
}

/// A named pick-list: the first line that is true wins.
#[derive(Clone, Debug, Serialize)]
pub struct Label {
    /// Its name.
    pub name: Box<str>,
    /// Words and their conditions, in order; `None` is `otherwise`. An unknown condition is passed over only as false is if a later line wins: see the engine.
    pub lines: Vec<(Box<str>, Option<Expr>)>,
    /// Its words as a type.
    pub words: std::sync::Arc<super::expression::PickList>,
}

/// How well an account does: outcome and experience.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// CO.
    pub outcome: Side,
    /// CX.
    pub experience: Side,
    /// Points of a green, yellow and red measure.
    pub points: [Decimal; 3],
    /// From which score green and yellow begin.
    pub bands: Bands,
    /// How far past an edge the score must be to leave a known band.
    pub margin: Decimal,
    /// And for how long.
    pub hold: Period,
    /// Which share of the weight must be known.
    pub needs: Decimal,
    /// Red at once while true.
    pub red_if: Option<Expr>,
}

/// From which score a band begins.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bands {
    /// Green.
    pub green: Decimal,
    /// Yellow.
    pub yellow: Decimal,
}

/// One side of health.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Its weight.
    pub weight: Decimal,
    /// Its measures.
    pub measures: Vec<Measure>,
}

/// One measure of health.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    /// Its name.
    pub name: Box<str>,
    /// What is measured.
    pub value: Expr,
    /// Green from here on.
    pub green: Expr,
    /// Yellow from here on.
    pub yellow: Expr,
    /// Whether lower is better.
    pub lower_is_better: bool,
    /// Its weight inside the side.
    pub weight: Decimal,
    /// After which time without news it is unknown.
    pub stale_after: Option<Period>,
}

/// A band of health.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Poor.
    Red,
    /// Middling.
    Yellow,
    /// Good.
    Green,
}

/// A name under `health`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum HealthName {
    /// 0 to 100.
    Score,
    /// The band, with margin and hold.
    Band,
    /// The outcome's score.
    Co,
    /// The experience's score.
    Cx,
    /// The outcome's band.
    CoBand,
    /// The experience's band.
    CxBand,
    /// The name of the measure that costs most points.
    Weakest,
}

/// A kind of trouble. Each opening is one case.
#[derive(Clone, Debug, Serialize)]
pub struct Risk {
    /// Its name.
    pub name: Box<str>,
    /// For people.
    pub title: Box<str>,
    /// When it opens.
    pub opens: Expr,
    /// After how long of that.
    pub hold: Option<Period>,
    /// When it closes, if `opens` is not true.
    pub closes: Expr,
    /// When it is grave; none: always normal.
    pub high_if: Option<Expr>,
    /// A link for people.
    pub playbook: Option<Box<str>>,
}

/// A definition by kind and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Definition {
    /// A metric.
    Metric(usize),
    /// A segment.
    Segment(usize),
    /// A label.
    Label(usize),
    /// Health.
    Health,
    /// A risk.
    Risk(usize),
}

/// Since when sources deliver everything.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CompleteSince {
    /// For every event not named.
    pub all: Option<Date>,
    /// By event.
    pub events: BTreeMap<Box<str>, Date>,
}
