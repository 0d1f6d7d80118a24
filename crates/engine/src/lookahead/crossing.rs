//! When does one number reach, pass or leave another?

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::course::{Course, Trend, course};
use super::hold::{hold, known};
use super::range::{apart_until, range};
use super::sooner;
use crate::calendar::{day_number, shift_business_days};
use crate::evaluate::{Reading, Scene, hours_reached, order, words_of};
use jiff::Timestamp;
use model::{Decimal, Value};
use std::cmp::Ordering;
use workflow::program::{Expr, ExprKind, Type};

/// Days, or seconds, that doubling steps reach at most: past the end of the calendar.
const DOUBLINGS_MAX: u32 = 40;

/// An instant up to which two expressions surely stand to each other as they do now.
pub(crate) fn order_hold(scene: &Scene<'_>, left: &Expr, right: &Expr) -> Option<Timestamp> {
    if !is_number(&left.ty) || !is_number(&right.ty) {
        return sooner(hold(scene, left), hold(scene, right));
    }
    if let ExprKind::Const(value) = &right.kind
        && let Some(bound) = value.decimal()
    {
        return bound_hold(scene, left, bound);
    }
    if let ExprKind::Const(value) = &left.kind
        && let Some(bound) = value.decimal()
    {
        return bound_hold(scene, right, bound);
    }
    let both = course(scene, left).minus(course(scene, right));
    if both.trend == Trend::Other && !both.is_daily {
        let sure = apart_until(scene, left, |until| range(scene, right, until));
        return wandering(scene, both, &[left, right], sure);
    }
    let words = words_of(left, right);
    crossing(scene, both, |scene| {
        order(&scene.reading(left), &scene.reading(right), words)
    })
}

/// An instant up to which a number surely stands to a bound as it does now.
pub(crate) fn bound_hold(scene: &Scene<'_>, value: &Expr, bound: Decimal) -> Option<Timestamp> {
    if let Some(found) = simple(scene, value, bound) {
        return found;
    }
    let limit = Reading::Known(Value::Number(bound));
    let own = course(scene, value);
    if own.trend == Trend::Other && !own.is_daily {
        let sure = apart_until(scene, value, |_| Some((bound, bound)));
        return wandering(scene, own, &[value], sure);
    }
    crossing(scene, own, |scene| {
        order(&scene.reading(value), &limit, None)
    })
}

/// Of a comparison in which hours run and nobody knows which way: as long as a side stays unknown; as long as the ranges lie
/// apart; else up to the next step.
fn wandering(
    scene: &Scene<'_>,
    course: Course,
    sides: &[&Expr],
    sure: Option<Timestamp>,
) -> Option<Timestamp> {
    let is_missing =
        |side: &&&Expr| matches!(scene.reading(side), Reading::Unseen | Reading::Unknown);
    if let Some(side) = sides.iter().find(is_missing) {
        return known(scene, side);
    }
    let step = course.step?;
    sooner(course.until, sure.max(Some(step)))
}

fn is_number(ty: &Type) -> bool {
    match ty {
        Type::Number | Type::Percent | Type::Money => true,
        Type::Bool
        | Type::Text
        | Type::Word(_)
        | Type::Date
        | Type::Time
        | Type::Contact
        | Type::List(_) => false,
    }
}

/// Days and hours against a bound, computed; the outer none: this is something else.
fn simple(scene: &Scene<'_>, value: &Expr, bound: Decimal) -> Option<Option<Timestamp>> {
    let (date, is_until) = match &value.kind {
        ExprKind::DaysUntil(date) | ExprKind::BusinessDaysUntil(date) => (date, true),
        ExprKind::DaysSince(date)
        | ExprKind::BusinessDaysSince(date)
        | ExprKind::HoursSince(date) => (date, false),
        ExprKind::Else(first, _) if is_clock(first) => {
            let is_known = matches!(scene.reading(first), Reading::Known(_));
            return is_known.then(|| simple(scene, first, bound)).flatten();
        }
        _ => return None,
    };
    let until = hold(scene, date);
    let Reading::Known(from) = scene.reading(date) else {
        return Some(until);
    };
    let Some(now) = scene
        .reading(value)
        .value()
        .as_ref()
        .and_then(Value::decimal)
    else {
        return Some(until);
    };
    // Everything as if it rose: the number of steps until it reaches the bound, or passes it by one.
    let (now, bound) = if is_until {
        (now.neg()?, bound.neg()?)
    } else {
        (now, bound)
    };
    let found = match &value.kind {
        ExprKind::HoursSince(_) => scene.instant_of_value(&from).and_then(|from| {
            let steps = Decimal::from_millionths(steps(now, bound, 1)?);
            hours_reached(from, now.add(steps)?)
        }),
        ExprKind::BusinessDaysUntil(_) | ExprKind::BusinessDaysSince(_) => {
            steps(now, bound, 1_000_000).and_then(|steps| {
                let day = shift_business_days(&scene.program.calendar, scene.today(), steps)?;
                Some(scene.start_of(day))
            })
        }
        _ => steps(now, bound, 1_000_000).and_then(|steps| {
            let day = i64::from(day_number(scene.today())).checked_add(steps)?;
            scene.start_of_number(i32::try_from(day).ok()?)
        }),
    };
    Some(sooner(found, until))
}

fn is_clock(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::DaysUntil(_)
            | ExprKind::DaysSince(_)
            | ExprKind::BusinessDaysUntil(_)
            | ExprKind::BusinessDaysSince(_)
            | ExprKind::HoursSince(_)
    )
}

/// How many steps of `size` millionths a rising number takes until it stands otherwise to the bound; none: it is past it.
fn steps(now: Decimal, bound: Decimal, size: i64) -> Option<i64> {
    let gap = i128::from(bound.millionths()) - i128::from(now.millionths());
    let size = i128::from(size);
    match gap.cmp(&0) {
        Ordering::Less => None,
        Ordering::Equal => Some(1),
        // The first step that reaches or passes it.
        Ordering::Greater => i64::try_from((gap + size - 1).div_euclid(size)).ok(),
    }
}

/// The first instant at which `class` is another than now, for what only rises or only falls; else the next step.
fn crossing<C: PartialEq>(
    scene: &Scene<'_>,
    course: Course,
    class: impl Fn(&Scene<'_>) -> C,
) -> Option<Timestamp> {
    match course.trend {
        Trend::Constant | Trend::Other => return course.step,
        Trend::Rising | Trend::Falling => {}
    }
    course.step?;
    let now = class(scene);
    let is_other = |at: Timestamp| class(&scene.at(at)) != now;
    let end = sooner(course.until, course.rest.filter(|rest| *rest > scene.now()));
    let found = if course.is_daily {
        search(scene, end, &is_other, |step| {
            let day = i64::from(day_number(scene.today())).checked_add(step)?;
            scene.start_of_number(i32::try_from(day).ok()?)
        })
    } else {
        // Minutes and hour buckets begin with a whole second.
        search(scene, end, &is_other, |step| {
            Timestamp::from_second(scene.now().as_second().checked_add(step)?).ok()
        })
    };
    sooner(found, course.until)
}

/// The first of rising instants at which something is so that stays so: doubling steps, then halving.
fn search(
    scene: &Scene<'_>,
    end: Option<Timestamp>,
    is_so: &impl Fn(Timestamp) -> bool,
    instant: impl Fn(i64) -> Option<Timestamp>,
) -> Option<Timestamp> {
    let limit = |step: i64| {
        // Past the end of the calendar only the end is left.
        sooner(instant(step), end)
    };
    let mut low = 0;
    let mut high = 1;
    for _ in 0..DOUBLINGS_MAX {
        let at = limit(high)?;
        if is_so(at) {
            break;
        }
        if end.is_some_and(|end| end <= at) {
            return None;
        }
        low = high;
        high = high.checked_mul(2)?;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_so(limit(middle)?) {
            high = middle;
        } else {
            low = middle;
        }
    }
    limit(high).filter(|at| *at > scene.now() && is_so(*at))
}
