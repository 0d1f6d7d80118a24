//! Metrics' formulas, segments, labels and health by name; a value held fast (a pin) goes before what is defined.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::memo::Asked;
use super::number::typed;
use super::reading::Reading;
use super::scene::{DEPTH_MAX, Scene};
use crate::health;
use model::Value;
use workflow::program::{Band, ExprKind, HealthName, Reduce, Source, Type};

impl Scene<'_> {
    /// A value held fast under a name, as the type asks for it.
    pub(crate) fn pinned(&self, name: &str, ty: &Type) -> Option<Reading> {
        let pin = self.known.pin(name)?;
        Some(Reading::of_value(pin.as_ref().map(|value| cast(value, ty))))
    }

    /// A reading of the account's own, worked out once for each instant.
    fn once(&self, asked: Asked, read: impl FnOnce() -> Reading) -> Reading {
        match self.known.memo() {
            Some(memo) => memo.reading(self.question(asked), read),
            None => read(),
        }
    }

    /// A metric's present value.
    pub(crate) fn metric(&self, index: usize) -> Reading {
        self.once(Asked::Metric(index), || self.read_metric(index))
    }

    fn read_metric(&self, index: usize) -> Reading {
        let Some(metric) = self.program.metrics.get(index) else {
            return Reading::Unknown;
        };
        if let Some(pinned) = self.pinned(&metric.name, &metric.ty) {
            return pinned;
        }
        if self.depth > DEPTH_MAX {
            return Reading::Unknown;
        }
        match &metric.source {
            Source::Formula(formula) => match self.of_definitions().reading(formula) {
                Reading::Known(value) => Reading::Known(cast(&value, &metric.ty)),
                other @ (Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown) => other,
            },
            Source::Events(aggregate) => self.aggregate(aggregate, &metric.ty),
        }
    }

    /// Whether a segment holds.
    pub(crate) fn segment(&self, index: usize) -> Reading {
        self.once(Asked::Segment(index), || self.read_segment(index))
    }

    fn read_segment(&self, index: usize) -> Reading {
        let Some(segment) = self.program.segments.get(index) else {
            return Reading::Unknown;
        };
        if let Some(pinned) = self.pinned(&segment.name, &Type::Bool) {
            return pinned;
        }
        if self.depth > DEPTH_MAX {
            return Reading::Unknown;
        }
        Reading::of_truth(self.of_definitions().truth(&segment.condition))
    }

    /// The word of a label: that of the first line that is true. A line that is unknown is passed over, as `if` takes `else`.
    pub(crate) fn label(&self, index: usize) -> Reading {
        self.once(Asked::Label(index), || self.read_label(index))
    }

    fn read_label(&self, index: usize) -> Reading {
        let Some(label) = self.program.labels.get(index) else {
            return Reading::Unknown;
        };
        if let Some(pinned) = self.pinned(&label.name, &Type::Word(label.words.clone())) {
            return pinned;
        }
        if self.depth > DEPTH_MAX {
            return Reading::Unknown;
        }
        let scene = self.of_definitions();
        let line = label.lines.iter().find(|(_, condition)| match condition {
            Some(condition) => scene.is_true(condition),
            None => true,
        });
        Reading::of_value(line.map(|(word, _)| Value::Word(word.clone())))
    }

    /// A name under `health`.
    pub(crate) fn health(&self, name: HealthName) -> Reading {
        if let Some(pin) = self.known.pin(health::name(name)) {
            let word = |value: &Value| match (name, value) {
                (HealthName::Band | HealthName::CoBand | HealthName::CxBand, Value::Text(word)) => {
                    Value::Word(word.clone())
                }
                _ => value.clone(),
            };
            return Reading::of_value(pin.as_ref().map(word));
        }
        let Some(defined) = &self.program.health else {
            return Reading::Unknown;
        };
        if self.depth > DEPTH_MAX {
            return Reading::Unknown;
        }
        let number = |score| Reading::of_value(Option::map(score, Value::Number));
        let band = |band: Option<Band>| {
            Reading::of_value(band.map(|band| Value::Word(health::word(band).into())))
        };
        let score = || health::score(&self.of_definitions(), defined);
        match name {
            HealthName::Band => band(self.known.health().band),
            HealthName::Score => number(score().score),
            HealthName::Co => number(score().outcome),
            HealthName::Cx => number(score().experience),
            HealthName::CoBand => band(score().outcome.map(|co| health::band_of(defined, co))),
            HealthName::CxBand => band(score().experience.map(|cx| health::band_of(defined, cx))),
            HealthName::Weakest => {
                Reading::of_value(score().weakest.map(|name| Value::Text(name.into())))
            }
        }
    }

    /// Whether an expression is a count, or made only of counts of one event over one window and of plain numbers; the name
    /// of what is counted. `None`: it is something else.
    pub(crate) fn counted(&self, kind: &ExprKind) -> Option<Counted<'_>> {
        match kind {
            ExprKind::Const(_) => Some(Counted::Nothing),
            ExprKind::Metric(index) => {
                let metric = self.program.metrics.get(*index)?;
                match &metric.source {
                    Source::Formula(formula) => self.counted(&formula.kind),
                    Source::Events(aggregate)
                        if matches!(aggregate.how, Reduce::Count | Reduce::CountDistinct(_)) =>
                    {
                        Some(Counted::Of(&aggregate.event, &aggregate.window))
                    }
                    Source::Events(_) => None,
                }
            }
            ExprKind::Arithmetic { left, right, .. } => {
                self.counted(&left.kind)?.with(self.counted(&right.kind)?)
            }
            ExprKind::Negate(one) | ExprKind::Round(one) => self.counted(&one.kind),
            _ => None,
        }
    }
}

/// What an expression made of counts counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Counted<'a> {
    /// Only plain numbers so far.
    Nothing,
    /// Events of one type over one window.
    Of(&'a str, &'a workflow::program::Window),
}

impl<'a> Counted<'a> {
    /// Both together, if they count the same.
    pub(crate) fn with(self, other: Counted<'a>) -> Option<Counted<'a>> {
        match (self, other) {
            (Counted::Nothing, one) | (one, Counted::Nothing) => Some(one),
            (Counted::Of(..), Counted::Of(..)) => (self == other).then_some(self),
        }
    }
}

/// A value as the type asks for it: a plain number as a percentage, a text as a word.
fn cast(value: &Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Number(decimal) | Value::Percent(decimal) | Value::Money(decimal), _) => {
            typed(*decimal, ty)
        }
        (Value::Text(word), Type::Word(_)) => Value::Word(word.clone()),
        (Value::Bool(_) | Value::Text(_) | Value::Word(_) | Value::Date(_) | Value::Time(_), _) => {
            value.clone()
        }
    }
}
