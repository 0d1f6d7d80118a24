//! How metrics go as time passes and no event comes in: buckets leave their windows, windows become covered.

use super::course::{Course, Trend, course as course_of};
use super::hold::hold;
use super::sooner;
use crate::calendar::{day_number, hour_reached};
use crate::evaluate::{Asked, Scene};
use crate::metric::{Covered, Span, Tally};
use jiff::Timestamp;
use workflow::program::{Aggregate, Reduce, Source, Window};

const HOUR: i64 = 3_600;

/// How a metric goes.
pub(super) fn course(scene: &Scene<'_>, index: usize) -> Course {
    match scene.known.memo() {
        Some(memo) => memo.course(scene.question(Asked::Metric(index)), || find(scene, index)),
        None => find(scene, index),
    }
}

fn find(scene: &Scene<'_>, index: usize) -> Course {
    let Some(metric) = scene.program.metrics.get(index) else {
        return Course::constant(None);
    };
    if scene.known.pin(&metric.name).is_some() {
        return Course::constant(None);
    }
    match &metric.source {
        Source::Formula(formula) => course_of(&scene.of_definitions(), formula),
        Source::Events(aggregate) => of_events(scene, aggregate),
    }
}

/// How events over a window go.
fn of_events(scene: &Scene<'_>, aggregate: &Aggregate) -> Course {
    let none = Tally::default();
    let tally = scene.known.tally(&aggregate.basis).unwrap_or(&none);
    let until = sooner(
        covered_at(scene, aggregate, false),
        told_at(scene, aggregate, tally),
    );
    let until = match &aggregate.window {
        Window::Since(since) => sooner(until, hold(&scene.of_definitions(), since)),
        Window::Days(_) | Window::Hours(_) | Window::Ever => until,
    };
    let Some((first, last)) = leaving(scene, aggregate, tally) else {
        return Course::constant(until);
    };
    let trend = match aggregate.how {
        Reduce::Count | Reduce::CountDistinct(_) => Trend::Falling,
        Reduce::Sum(_)
        | Reduce::Average(_)
        | Reduce::Min(_)
        | Reduce::Max(_)
        | Reduce::Latest
        | Reduce::Earliest => Trend::Other,
    };
    let is_daily = matches!(aggregate.window, Window::Days(_));
    Course::stepping(trend, first, until).resting(last, is_daily)
}

/// When the first and the last bucket that hold something leave the present window; none: there is nothing in it.
fn leaving(
    scene: &Scene<'_>,
    aggregate: &Aggregate,
    tally: &Tally,
) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    match (&aggregate.window, scene.span(aggregate, false)?) {
        (Window::Days(length), Span::Days(from, _)) => {
            let (first, last) = days_with(tally, &aggregate.how, from)?;
            let leaves = |day: i32| scene.start_of_number(day + i32::from(*length));
            Some((leaves(first), leaves(last)))
        }
        (Window::Hours(length), Span::Hours(from, _)) => {
            let (first, last) = hours_with(tally, &aggregate.how, from)?;
            let length = i64::from(*length) * HOUR;
            let leaves = |hour: i64| hour_reached(hour + length, scene.now(), scene.zone);
            Some((leaves(first), leaves(last)))
        }
        (Window::Days(_) | Window::Hours(_) | Window::Since(_) | Window::Ever, _) => None,
    }
}

/// The first and the last day from `from` on whose leaving may change the value.
fn days_with(tally: &Tally, how: &Reduce, from: i32) -> Option<(i32, i32)> {
    fn ends<V>(days: &[(i32, V)], from: i32) -> Option<(i32, i32)> {
        let inside = &days[days.partition_point(|(day, _)| *day < from)..];
        Some((inside.first()?.0, inside.last()?.0))
    }
    match how {
        Reduce::CountDistinct(_) => ends(&tally.lasts, from),
        Reduce::Earliest => ends(&tally.firsts, from),
        Reduce::Latest => {
            let newest = tally.newest.filter(|newest| newest.day >= from)?;
            Some((newest.day, newest.day))
        }
        Reduce::Count | Reduce::Sum(_) | Reduce::Average(_) | Reduce::Min(_) | Reduce::Max(_) => {
            ends(&tally.days, from)
        }
    }
}

/// The first and the last hour from `from` on, likewise.
fn hours_with(tally: &Tally, how: &Reduce, from: i64) -> Option<(i64, i64)> {
    fn ends<V>(hours: &[(i64, V)], from: i64) -> Option<(i64, i64)> {
        let inside = &hours[hours.partition_point(|(hour, _)| *hour < from)..];
        Some((inside.first()?.0, inside.last()?.0))
    }
    match how {
        Reduce::CountDistinct(_) => ends(&tally.last_hours, from),
        Reduce::Latest | Reduce::Earliest => {
            let newest = tally.newest.filter(|newest| newest.hour >= from)?;
            Some((newest.hour, newest.hour))
        }
        Reduce::Count | Reduce::Sum(_) | Reduce::Average(_) | Reduce::Min(_) | Reduce::Max(_) => {
            ends(&tally.hours, from)
        }
    }
}

/// When a window that is not covered will be.
fn covered_at(scene: &Scene<'_>, aggregate: &Aggregate, is_before: bool) -> Option<Timestamp> {
    let Covered::From(day) = scene.covered(aggregate) else {
        return None;
    };
    begins_at(scene, aggregate, is_before, day)
}

/// When the window's first day will be `day` or later; none: it is, or never will be.
fn begins_at(
    scene: &Scene<'_>,
    aggregate: &Aggregate,
    is_before: bool,
    day: i32,
) -> Option<Timestamp> {
    let times = if is_before { 2 } else { 1 };
    let at = match &aggregate.window {
        Window::Days(days) => scene.start_of_number(day + times * i32::from(*days) - 1),
        Window::Hours(hours) => {
            let start = scene.start_of_number(day)?.as_second();
            let length = i64::from(times) * i64::from(*hours) * HOUR;
            hour_reached(start + length - HOUR, scene.now(), scene.zone)
        }
        Window::Since(_) | Window::Ever => None,
    };
    at.filter(|at| *at > scene.now())
}

/// When a window no longer holds the day on which a different value was turned away.
fn told_at(scene: &Scene<'_>, aggregate: &Aggregate, tally: &Tally) -> Option<Timestamp> {
    let refused = tally.refused_on?;
    match &aggregate.window {
        Window::Days(_) => begins_at(scene, aggregate, false, refused + 1),
        Window::Hours(_) | Window::Since(_) | Window::Ever => None,
    }
}

/// An instant up to which `previous(m)` stays as it is, or with `is_change` also `change(m)`.
pub(super) fn before_hold(scene: &Scene<'_>, index: usize, is_change: bool) -> Option<Timestamp> {
    let (_, aggregate) = scene.trended(index)?;
    let none = Tally::default();
    let tally = scene.known.tally(&aggregate.basis).unwrap_or(&none);
    let mut soonest = sooner(
        steps_before(scene, aggregate, tally),
        covered_at(scene, aggregate, true),
    );
    if let Some(refused) = tally.refused_on {
        soonest = sooner(soonest, begins_at(scene, aggregate, true, refused + 1));
    }
    if is_change {
        soonest = sooner(soonest, of_events(scene, aggregate).step);
        let first = scene.known.coverage().first_on.map(day_number);
        soonest = sooner(
            soonest,
            first.and_then(|first| begins_at(scene, aggregate, true, first)),
        );
    }
    soonest
}

/// When a bucket next enters or leaves the window before the present one.
fn steps_before(scene: &Scene<'_>, aggregate: &Aggregate, tally: &Tally) -> Option<Timestamp> {
    let today = day_number(scene.today());
    match (&aggregate.window, &aggregate.how) {
        (Window::Days(days), Reduce::CountDistinct(_)) => {
            let steps = tally.before.get(days)?;
            let next = steps.get(steps.partition_point(|(day, _)| *day <= today))?;
            scene.start_of_number(next.0)
        }
        (Window::Days(days), _) => {
            let days = i32::from(*days);
            let kept = tally.days.iter().map(|(day, _)| *day);
            let steps = kept.flat_map(|day| [day + days, day + 2 * days]);
            scene.start_of_number(steps.filter(|day| *day > today).min()?)
        }
        (Window::Hours(hours), _) => {
            let length = i64::from(*hours) * HOUR;
            let kept = tally.hours.iter().map(|(hour, _)| *hour);
            let steps = kept.flat_map(|hour| [hour + length, hour + 2 * length]);
            let present = crate::calendar::hour_of(scene.now(), scene.zone);
            let next = steps.filter(|hour| *hour > present).min()?;
            hour_reached(next, scene.now(), scene.zone)
        }
        (Window::Since(_) | Window::Ever, _) => None,
    }
}
