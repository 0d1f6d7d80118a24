//! How a number goes as time passes and nothing comes in.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::hold::{hold, known};
use super::{metric, sooner};
use crate::evaluate::{Reading, Scene, minute_after};
use jiff::Timestamp;
use model::{Decimal, Value};
use std::cmp::Ordering;
use workflow::program::{Arithmetic, Expr, ExprKind};

/// The steepest rate that is told: with it nothing grows too large to say before the calendar ends.
const RATE_MAX: i64 = 1_000;
/// The largest number on which hours are taken off again: what is computed on the way stays sayable for ever.
const SAYABLE_MAX: i64 = 1_000_000_000_000_000_000;

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
    /// By how many millionths exactly it gains on each millionth of an hour, where it does nothing else.
    rate: Option<i64>,
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
            rate: Some(0),
        }
    }

    /// Goes one way by steps, of which the next is known.
    pub(super) fn stepping(
        trend: Trend,
        step: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Self {
        Self {
            trend,
            step: sooner(step, until),
            until,
            rest: None,
            is_daily: true,
            rate: None,
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
            rate: None,
        }
    }

    /// Both added, exactly: hours all step together, so of a difference of hours nothing is left but what stays.
    fn plus(self, other: Self) -> Self {
        let both = self.with(other, self.trend.plus(other.trend));
        let rates = self.rate.zip(other.rate);
        let Some(rate) = rates.and_then(|(one, other)| one.checked_add(other)) else {
            return both;
        };
        let trend = match rate.cmp(&0) {
            _ if rate.abs() > RATE_MAX => return both,
            Ordering::Equal => return Self::constant(both.until),
            Ordering::Greater => Trend::Rising,
            Ordering::Less => Trend::Falling,
        };
        Self {
            trend,
            rate: Some(rate),
            ..both
        }
    }

    /// The same, at rest from an instant on, and changing with the days or at any time.
    pub(super) fn resting(self, rest: Option<Timestamp>, is_daily: bool) -> Self {
        Self {
            rest,
            is_daily,
            ..self
        }
    }

    /// The same up to its next step, where it stays as it is; none: it steps no later than at an instant.
    fn piece(self, after: Option<Timestamp>) -> Option<Self> {
        let is_later = match (self.step, after) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(other)) => own > other,
        };
        (is_later && self.trend != Trend::Constant).then(|| Self::constant(self.step))
    }

    /// Both together, as `how` has it; where neither way can be told, the one that steps later is taken as it stands up to
    /// its step.
    fn together(self, other: Self, how: impl Fn(Self, Self) -> Self) -> Self {
        let both = how(self, other);
        if both.trend != Trend::Other {
            return both;
        }
        let pieced = match (self.piece(other.step), other.piece(self.step)) {
            (Some(piece), _) => how(piece, other),
            (None, Some(piece)) => how(self, piece),
            (None, None) => return both,
        };
        if pieced.trend == Trend::Other {
            both
        } else {
            pieced
        }
    }

    /// The same, the other way.
    fn turned(self) -> Self {
        Self {
            trend: self.trend.turned(),
            rate: self.rate.map(|rate| -rate),
            ..self
        }
    }

    /// The course of the difference of two numbers.
    pub(crate) fn minus(self, other: Self) -> Self {
        self.together(other.turned(), Self::plus)
    }

    /// Of this times one that stays.
    fn times(self, still: Self, by: Option<Decimal>) -> Self {
        let whole = by.filter(|by| by.millionths() % Decimal::ONE.millionths() == 0);
        let rate = self.rate.zip(whole).and_then(|(rate, by)| {
            let rate = rate.checked_mul(by.floor())?;
            (rate.abs() <= RATE_MAX).then_some(rate)
        });
        Self {
            rate: rate.filter(|rate| *rate != 0),
            ..self.with(still, scaled(self.trend, by))
        }
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
            left.together(right, |one, other| {
                one.with(other, one.trend.plus(other.trend))
            })
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
    Course::stepping(trend, tomorrow, until)
}

/// Of hours since an instant: they step with each minute.
fn hourly(scene: &Scene<'_>, time: &Expr) -> Course {
    let until = hold(scene, time);
    if !is_known(scene, time) {
        return Course::constant(until);
    }
    Course {
        is_daily: false,
        rate: Some(1),
        ..Course::stepping(Trend::Rising, minute_after(scene.now()), until)
    }
}

fn is_known(scene: &Scene<'_>, expr: &Expr) -> bool {
    matches!(scene.reading(expr), Reading::Known(_))
}

/// Of an operation.
fn operation(scene: &Scene<'_>, how: Arithmetic, left: &Expr, right: &Expr) -> Course {
    let (first, second) = (course(scene, left), course(scene, right));
    match how {
        Arithmetic::Add if is_sayable(scene, &[left, right]) => {
            first.together(second, Course::plus)
        }
        Arithmetic::Subtract if is_sayable(scene, &[left, right]) => first.minus(second),
        Arithmetic::Add => added(first, second),
        Arithmetic::Subtract => added(first, second.turned()),
        Arithmetic::Multiply | Arithmetic::Divide => {
            let by = |still: &Expr| sign(scene, still);
            first.together(second, |one, other| match (one.trend, other.trend) {
                (_, Trend::Constant) if how == Arithmetic::Multiply => one.times(other, by(right)),
                (_, Trend::Constant) => one.with(other, scaled(one.trend, by(right))),
                (Trend::Constant, _) if how == Arithmetic::Multiply => other.times(one, by(left)),
                (_, _) => one.with(other, Trend::Other),
            })
        }
    }
}

/// Of a sum that may grow too large to say.
fn added(one: Course, other: Course) -> Course {
    one.together(other, |one, other| {
        one.with(other, one.trend.plus(other.trend))
    })
}

/// Whether numbers are so small that hours added to them, or taken off, never make them too large to say.
fn is_sayable(scene: &Scene<'_>, all: &[&Expr]) -> bool {
    all.iter().all(|one| {
        let number = sign(scene, one);
        number.is_some_and(|number| number.millionths().abs() < SAYABLE_MAX)
    })
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
