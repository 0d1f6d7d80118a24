//! How a number goes as time passes and nothing comes in.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::hold::{hold, known};
use super::{metric, sooner};
use crate::evaluate::{Reading, Scene};
use jiff::Timestamp;
use model::{Decimal, Value};
use workflow::program::{Arithmetic, Expr, ExprKind};

/// Which way a number goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trend {
    /// It stays.
    Constant,
    /// It never falls.
    Rising,
    /// It never rises.
    Falling,
    /// Nobody knows.
    Other,
}

/// How a number goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// Which way, up to `until`.
    pub(crate) trend: Trend,
    /// An instant up to which it stays as it is; none: for ever.
    pub(crate) step: Option<Timestamp>,
    /// An instant up to which the trend is sure; none: for ever.
    pub(crate) until: Option<Timestamp>,
    /// An instant from which on it rests, if it comes to rest before `until`.
    pub(crate) rest: Option<Timestamp>,
    /// Whether it changes only as days begin.
    pub(crate) is_daily: bool,
}

impl Course {
    /// Stays up to an instant, and then nobody knows.
    pub(crate) fn constant(until: Option<Timestamp>) -> Self {
        Self {
            trend: Trend::Constant,
            step: until,
            until,
            rest: Some(Timestamp::MIN),
            is_daily: true,
        }
    }

    /// Two courses together, going as `trend` says.
    fn with(self, other: Self, trend: Trend) -> Self {
        Self {
            trend,
            step: sooner(self.step, other.step),
            until: sooner(self.until, other.until),
            rest: self
                .rest
                .zip(other.rest)
                .map(|(left, right)| left.max(right)),
            is_daily: self.is_daily && other.is_daily,
        }
    }

    /// The same, the other way.
    fn turned(self) -> Self {
        Self {
            trend: self.trend.turned(),
            ..self
        }
    }

    /// The course of the difference of two numbers.
    pub(crate) fn minus(self, other: Self) -> Self {
        let trend = self.trend.plus(other.trend.turned());
        self.with(other, trend)
    }
}

impl Trend {
    fn turned(self) -> Self {
        match self {
            Self::Rising => Self::Falling,
            Self::Falling => Self::Rising,
            Self::Constant | Self::Other => self,
        }
    }

    /// Of a sum.
    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant, one) | (one, Self::Constant) => one,
            (Self::Rising, Self::Rising) => Self::Rising,
            (Self::Falling, Self::Falling) => Self::Falling,
            (Self::Rising | Self::Falling | Self::Other, _) => Self::Other,
        }
    }
}

/// How a number goes.
pub(crate) fn course(scene: &Scene<'_>, expr: &Expr) -> Course {
    match &expr.kind {
        ExprKind::Metric(index) => metric::course(scene, *index),
        ExprKind::DaysUntil(date) | ExprKind::BusinessDaysUntil(date) => {
            daily(scene, date, Trend::Falling)
        }
        ExprKind::DaysSince(date) | ExprKind::BusinessDaysSince(date) => {
            daily(scene, date, Trend::Rising)
        }
        ExprKind::HoursSince(time) => hourly(scene, time),
        ExprKind::Arithmetic { how, left, right } => {
            let scene = scene.of_quotient(*how, left, right);
            operation(&scene, *how, left, right)
        }
        ExprKind::Negate(one) => course(scene, one).turned(),
        ExprKind::Round(one) => course(scene, one),
        ExprKind::Min(left, right) | ExprKind::Max(left, right) => {
            let (left, right) = (course(scene, left), course(scene, right));
            left.with(right, left.trend.plus(right.trend))
        }
        ExprKind::Else(first, second) => match scene.reading(first) {
            Reading::Known(_) | Reading::AtLeast(_) => course(scene, first),
            Reading::Unseen | Reading::Unknown => {
                let stays = Course::constant(known(scene, first));
                let second = course(scene, second);
                second.with(stays, second.trend)
            }
        },
        ExprKind::With(index) => match scene.run.and_then(|run| run.with.get(*index)) {
            Some((_, value)) => course(&scene.deeper(), value),
            None => Course::constant(None),
        },
        _ => Course::constant(hold(scene, expr)),
    }
}

/// Of days since or until a date.
fn daily(scene: &Scene<'_>, date: &Expr, trend: Trend) -> Course {
    let until = hold(scene, date);
    if !is_known(scene, date) {
        return Course::constant(until);
    }
    let tomorrow = scene.midnight_after();
    Course {
        trend,
        step: sooner(tomorrow, until),
        until,
        rest: None,
        is_daily: true,
    }
}

/// Of hours since an instant: they run in millionths.
fn hourly(scene: &Scene<'_>, time: &Expr) -> Course {
    let until = hold(scene, time);
    if !is_known(scene, time) {
        return Course::constant(until);
    }
    let next = scene
        .reading(time)
        .value()
        .and_then(|value| scene.instant_of_value(&value))
        .and_then(|from| super::crossing::hours_reached(scene, from, 1));
    Course {
        trend: Trend::Rising,
        step: sooner(next, until),
        until,
        rest: None,
        is_daily: false,
    }
}

fn is_known(scene: &Scene<'_>, expr: &Expr) -> bool {
    matches!(scene.reading(expr), Reading::Known(_))
}

/// Of an operation.
fn operation(scene: &Scene<'_>, how: Arithmetic, left: &Expr, right: &Expr) -> Course {
    let (first, second) = (course(scene, left), course(scene, right));
    let trend = match how {
        Arithmetic::Add => first.trend.plus(second.trend),
        Arithmetic::Subtract => first.trend.plus(second.trend.turned()),
        Arithmetic::Multiply if second.trend == Trend::Constant => {
            scaled(first.trend, sign(scene, right))
        }
        Arithmetic::Multiply if first.trend == Trend::Constant => {
            scaled(second.trend, sign(scene, left))
        }
        Arithmetic::Divide if second.trend == Trend::Constant => {
            scaled(first.trend, sign(scene, right))
        }
        Arithmetic::Multiply | Arithmetic::Divide => Trend::Other,
    };
    first.with(second, trend)
}

/// Of a number times one that stays.
fn scaled(trend: Trend, by: Option<Decimal>) -> Trend {
    match by {
        Some(by) if by > Decimal::ZERO => trend,
        Some(by) if by < Decimal::ZERO => trend.turned(),
        Some(_) | None if trend == Trend::Constant => Trend::Constant,
        Some(_) | None => Trend::Other,
    }
}

/// The number by which one scales, where it is known.
fn sign(scene: &Scene<'_>, expr: &Expr) -> Option<Decimal> {
    scene
        .reading(expr)
        .value()
        .as_ref()
        .and_then(Value::decimal)
}
