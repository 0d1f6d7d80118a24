//! An instant up to which an expression surely stays as it is.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::course::{Course, Trend, course};
use super::crossing::{bound_hold, order_hold};
use super::range::bounded_until;
use super::{metric, sooner};
use crate::calendar::period_bounds;
use crate::evaluate::{Reading, Scene};
use crate::health;
use jiff::Timestamp;
use workflow::program::{Expr, ExprKind, HealthName, PeriodUnit, PeriodWhich};

/// An instant after the scene's up to which time alone surely does not change what the expression gives; none: for ever.
pub(crate) fn hold(scene: &Scene<'_>, expr: &Expr) -> Option<Timestamp> {
    match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Account(_)
        | ExprKind::Contract(_)
        | ExprKind::Contact(_)
        | ExprKind::ThisContact
        | ExprKind::Csm(_)
        | ExprKind::Risk(_)
        | ExprKind::Event(_)
        | ExprKind::EventContact { .. }
        | ExprKind::StartedBy(_)
        | ExprKind::StartedByContact { .. }
        | ExprKind::Role(_)
        | ExprKind::RoleField { .. }
        | ExprKind::RiskOpen(_)
        | ExprKind::AnyOpenRisk
        | ExprKind::Remember(_)
        | ExprKind::Step { .. }
        | ExprKind::List(_) => None,
        ExprKind::Metric(_)
        | ExprKind::DaysUntil(_)
        | ExprKind::DaysSince(_)
        | ExprKind::BusinessDaysUntil(_)
        | ExprKind::BusinessDaysSince(_)
        | ExprKind::HoursSince(_)
        | ExprKind::Arithmetic { .. }
        | ExprKind::Negate(_)
        | ExprKind::Round(_)
        | ExprKind::Min(..)
        | ExprKind::Max(..) => course(scene, expr).step,
        ExprKind::Previous(index) => metric::before_hold(scene, *index, false),
        ExprKind::Change(index) => metric::before_hold(scene, *index, true),
        ExprKind::Segment(index) => segment(scene, *index),
        ExprKind::Label(index) => label(scene, *index),
        ExprKind::Health(name) => of_health(scene, *name),
        ExprKind::With(index) => {
            let (_, value) = scene.run.and_then(|run| run.with.get(*index))?;
            hold(&scene.deeper(), value)
        }
        ExprKind::Where {
            list,
            condition,
            sort,
        } => items(scene, list, condition, sort.as_ref()),
        ExprKind::Count(list) => hold(scene, list),
        ExprKind::Not(one) => hold(scene, one),
        ExprKind::And(parts) => joined(scene, parts, false),
        ExprKind::Or(parts) => joined(scene, parts, true),
        ExprKind::Compare { left, right, .. } => order_hold(scene, left, right),
        ExprKind::Between { value, low, high } => sooner(
            bound_hold(scene, value, *low),
            bound_hold(scene, value, *high),
        ),
        ExprKind::Among { value, list } => {
            let each = list.iter().map(|one| order_hold(scene, value, one));
            each.flatten().min()
        }
        ExprKind::InPeriod { date, which, unit } => in_period(scene, date, *which, *unit),
        ExprKind::Known(one) => known(scene, one),
        ExprKind::Contains { whole, part } => sooner(hold(scene, whole), hold(scene, part)),
        ExprKind::Else(first, second) => match scene.reading(first) {
            Reading::Known(_) | Reading::AtLeast(_) => hold(scene, first),
            Reading::Unseen | Reading::Unknown => sooner(known(scene, first), hold(scene, second)),
        },
    }
}

/// Of `and` (decided by one false part) and `or` (decided by one true part): while one part decides, the others may do
/// what they like.
fn joined(scene: &Scene<'_>, parts: &[Expr], decides: bool) -> Option<Timestamp> {
    let mut deciding: Option<Option<Timestamp>> = None;
    for part in parts {
        if scene.truth(part) == Some(decides) {
            let held = hold(scene, part)?;
            deciding = Some(deciding.flatten().max(Some(held)));
        }
    }
    match deciding {
        Some(until) => until,
        None => parts.iter().filter_map(|part| hold(scene, part)).min(),
    }
}

/// Of whether something is known: what only rises or falls stays known while it does, and what is computed of something
/// unknown stays so while that does.
pub(super) fn known(scene: &Scene<'_>, one: &Expr) -> Option<Timestamp> {
    match &one.kind {
        ExprKind::DaysUntil(_)
        | ExprKind::DaysSince(_)
        | ExprKind::BusinessDaysUntil(_)
        | ExprKind::BusinessDaysSince(_)
        | ExprKind::HoursSince(_)
        | ExprKind::Metric(_) => {
            let course = course(scene, one);
            match course.trend {
                Trend::Rising | Trend::Falling if !is_computed(scene, one) => course.until,
                Trend::Rising | Trend::Falling | Trend::Constant | Trend::Other => {
                    computed(scene, one, course)
                }
            }
        }
        ExprKind::Arithmetic { left, right, .. }
        | ExprKind::Min(left, right)
        | ExprKind::Max(left, right) => {
            let is_missing =
                |side: &&&Expr| matches!(scene.reading(side), Reading::Unseen | Reading::Unknown);
            match [&**left, &**right].iter().find(is_missing) {
                Some(side) => known(scene, side),
                None => computed(scene, one, course(scene, one)),
            }
        }
        ExprKind::Negate(inner) | ExprKind::Round(inner) => known(scene, inner),
        _ => hold(scene, one),
    }
}

/// Of whether what is computed is known: where hours run, while it stays within bounds, and at least up to the next step.
fn computed(scene: &Scene<'_>, one: &Expr, course: Course) -> Option<Timestamp> {
    if course.is_daily {
        return course.step;
    }
    let step = course.step?;
    sooner(course.until, bounded_until(scene, one).max(Some(step)))
}

/// Whether a metric is computed from others, so that it may become too large to say.
fn is_computed(scene: &Scene<'_>, one: &Expr) -> bool {
    let ExprKind::Metric(index) = one.kind else {
        return false;
    };
    let metric = scene.program.metrics.get(index);
    metric.is_some_and(|metric| matches!(metric.source, workflow::program::Source::Formula(_)))
}

fn segment(scene: &Scene<'_>, index: usize) -> Option<Timestamp> {
    let segment = scene.program.segments.get(index)?;
    if scene.known.pin(&segment.name).is_some() {
        return None;
    }
    hold(&scene.of_definitions(), &segment.condition)
}

/// A label keeps its word while the line that gives it stays true and no line before it becomes so.
fn label(scene: &Scene<'_>, index: usize) -> Option<Timestamp> {
    let label = scene.program.labels.get(index)?;
    if scene.known.pin(&label.name).is_some() {
        return None;
    }
    let scene = scene.of_definitions();
    let mut soonest = None;
    for (_, condition) in &label.lines {
        let Some(condition) = condition else {
            break;
        };
        soonest = sooner(soonest, hold(&scene, condition));
        if scene.is_true(condition) {
            break;
        }
    }
    soonest
}

fn of_health(scene: &Scene<'_>, name: HealthName) -> Option<Timestamp> {
    if scene.known.pin(health::name(name)).is_some() {
        return None;
    }
    let defined = scene.program.health.as_ref()?;
    match name {
        HealthName::Band => health::next_change(scene),
        HealthName::Score
        | HealthName::Co
        | HealthName::Cx
        | HealthName::CoBand
        | HealthName::CxBand
        | HealthName::Weakest => health::hold(&scene.of_definitions(), defined),
    }
}

/// Of a list with a condition: each thing by itself.
fn items(
    scene: &Scene<'_>,
    list: &Expr,
    condition: &Expr,
    sort: Option<&(Box<Expr>, bool)>,
) -> Option<Timestamp> {
    let mut soonest = hold(scene, list);
    for item in scene.items(list) {
        let inner = scene.with_item(item);
        soonest = sooner(soonest, hold(&inner, condition));
        if let Some((by, _)) = sort {
            soonest = sooner(soonest, hold(&inner, by));
        }
    }
    soonest
}

/// Of `d in this quarter` and its like: the days as of which it is true are themselves a period.
fn in_period(
    scene: &Scene<'_>,
    date: &Expr,
    which: PeriodWhich,
    unit: PeriodUnit,
) -> Option<Timestamp> {
    let until = hold(scene, date);
    let day = scene
        .reading(date)
        .value()
        .and_then(|value| scene.day_of_value(&value));
    // A day lies in the next week while today lies in the week before it.
    let from_there = match which {
        PeriodWhich::This => PeriodWhich::This,
        PeriodWhich::Next => PeriodWhich::Last,
        PeriodWhich::Last => PeriodWhich::Next,
    };
    let bounds = day.and_then(|day| period_bounds(&scene.program.calendar, day, from_there, unit));
    let Some((first, end)) = bounds else {
        return until;
    };
    let edge = [first, end].into_iter().find(|edge| *edge > scene.today());
    sooner(edge.map(|edge| scene.start_of(edge)), until)
}
