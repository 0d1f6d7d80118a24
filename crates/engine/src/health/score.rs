//! The score: points of the measures, averaged by weight inside each side, then over both.
//!
//! A measure that is unknown, stale, or only *at least* drops out, and so does a side of which nothing is known.
//! `co_band` and `cx_band` follow their score at once; margin and hold are the whole band's.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use crate::calendar::add;
use crate::evaluate::{Carrier, Order, Scene, order, words_of};
use crate::lookahead;
use crate::metric::children;
use jiff::Timestamp;
use model::Decimal;
use std::cmp::Ordering;
use workflow::program::{Band, Expr, ExprKind, Health, Measure, Side, Source};

/// What the measures come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Score<'a> {
    /// Both sides.
    pub(crate) score: Option<Decimal>,
    /// CO.
    pub(crate) outcome: Option<Decimal>,
    /// CX.
    pub(crate) experience: Option<Decimal>,
    /// The share of the weight that is known.
    pub(crate) known: Decimal,
    /// The measure that costs most points; none: none costs any.
    pub(crate) weakest: Option<&'a str>,
}

/// What one side comes to.
struct Part<'a> {
    score: Option<Decimal>,
    known: Decimal,
    worst: Option<(Decimal, &'a str)>,
}

/// The score at an instant.
pub(crate) fn score<'a>(scene: &Scene<'_>, health: &'a Health) -> Score<'a> {
    let outcome = part(scene, health, &health.outcome);
    let experience = part(scene, health, &health.experience);
    let sides = [
        (health.outcome.weight, &outcome),
        (health.experience.weight, &experience),
    ];
    let mut known = Decimal::ZERO;
    for (weight, side) in &sides {
        let share = weight.mul(side.known).unwrap_or(Decimal::ZERO);
        known = known.add(share).unwrap_or(known);
    }
    let weighted = sides
        .iter()
        .filter_map(|(weight, side)| Some((*weight, side.score?)));
    let worst = [outcome.worst, experience.worst].into_iter().flatten();
    Score {
        score: average(weighted),
        outcome: outcome.score,
        experience: experience.score,
        known,
        // Of equals the first that was written.
        weakest: worst
            .rev()
            .max_by_key(|(cost, _)| *cost)
            .map(|(_, name)| name),
    }
}

/// An average by weight; none where there is no weight.
fn average(weighted: impl Iterator<Item = (Decimal, Decimal)>) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    let mut weights = Decimal::ZERO;
    for (weight, points) in weighted {
        sum = sum.add(weight.mul(points)?)?;
        weights = weights.add(weight)?;
    }
    sum.div(weights)
}

fn part<'a>(scene: &Scene<'_>, health: &Health, side: &'a Side) -> Part<'a> {
    let known: Vec<(&Measure, Decimal)> = side
        .measures
        .iter()
        .filter_map(|measure| Some((measure, points(health, band(scene, measure)?))))
        .collect();
    let [best, ..] = health.points;
    let cost = |(measure, points): &(&'a Measure, Decimal)| {
        let cost = side.weight.mul(measure.weight)?.mul(best.sub(*points)?)?;
        (cost > Decimal::ZERO).then_some((cost, &*measure.name))
    };
    Part {
        score: average(
            known
                .iter()
                .map(|(measure, points)| (measure.weight, *points)),
        ),
        known: known
            .iter()
            .try_fold(Decimal::ZERO, |sum, (measure, _)| sum.add(measure.weight))
            .unwrap_or(Decimal::ZERO),
        worst: known
            .iter()
            .rev()
            .filter_map(cost)
            .max_by_key(|(cost, _)| *cost),
    }
}

fn points(health: &Health, band: Band) -> Decimal {
    let [green, yellow, red] = health.points;
    match band {
        Band::Green => green,
        Band::Yellow => yellow,
        Band::Red => red,
    }
}

/// The band in which a score lies, margin and hold aside.
pub(crate) fn band_of(health: &Health, score: Decimal) -> Band {
    if score >= health.bands.green {
        Band::Green
    } else if score >= health.bands.yellow {
        Band::Yellow
    } else {
        Band::Red
    }
}

/// Where one measure stands; none: unknown or stale.
fn band(scene: &Scene<'_>, measure: &Measure) -> Option<Band> {
    if stale_at(scene, measure).is_some_and(|at| at <= scene.now()) {
        return None;
    }
    if reaches(scene, measure, &measure.green)? {
        return Some(Band::Green);
    }
    Some(if reaches(scene, measure, &measure.yellow)? {
        Band::Yellow
    } else {
        Band::Red
    })
}

/// Whether a measure is as good as a threshold or better.
fn reaches(scene: &Scene<'_>, measure: &Measure, threshold: &Expr) -> Option<bool> {
    let order = order(
        &scene.reading(&measure.value),
        &scene.reading(threshold),
        words_of(&measure.value, threshold),
    );
    let worse = if measure.lower_is_better {
        Ordering::Greater
    } else {
        Ordering::Less
    };
    match order {
        Order::Known(ordering) => Some(ordering != worse),
        // Only good news would count.
        Order::LeftAtLeast(_) | Order::RightAtLeast(_) | Order::Different | Order::Unknown => None,
    }
}

/// A measure as it stands.
pub(crate) struct Measured<'a> {
    /// Which.
    pub(crate) measure: &'a Measure,
    /// Where it stands; none: unknown or stale.
    pub(crate) band: Option<Band>,
    /// When it is stale if nothing comes in.
    pub(crate) stale_at: Option<Timestamp>,
}

/// Each measure of a side as it stands.
pub(crate) fn measured<'a>(scene: &Scene<'_>, side: &'a Side) -> Vec<Measured<'a>> {
    let measures = side.measures.iter().map(|measure| Measured {
        measure,
        band: band(scene, measure),
        stale_at: stale_at(scene, measure),
    });
    measures.collect()
}

/// When a measure becomes stale if nothing comes in.
fn stale_at(scene: &Scene<'_>, measure: &Measure) -> Option<Timestamp> {
    let after = measure.stale_after?;
    let newest = newest(scene, &measure.value)?;
    add(&scene.program.calendar, newest, after, scene.zone)
}

/// When the newest fact happened that told an expression anything.
fn newest(scene: &Scene<'_>, expr: &Expr) -> Option<Timestamp> {
    let own = match &expr.kind {
        ExprKind::Account(name) => scene.known.carried_at(Carrier::Account, name),
        ExprKind::Csm(name) => scene.known.carried_at(Carrier::Csm, name),
        ExprKind::Contract(name) => {
            let id = scene.contract_id()?;
            scene.known.carried_at(Carrier::Contract(id), name)
        }
        ExprKind::RoleField { role, field } => {
            let holders = scene.known.holders(role);
            scene
                .known
                .carried_at(Carrier::Contact(holders.first()?), field)
        }
        ExprKind::Metric(index) | ExprKind::Previous(index) | ExprKind::Change(index) => {
            match &scene.program.metrics.get(*index)?.source {
                Source::Formula(formula) => newest(&scene.deeper(), formula),
                Source::Events(aggregate) => scene.known.tally(&aggregate.basis)?.newest_at(),
            }
        }
        ExprKind::Segment(index) => newest(
            &scene.deeper(),
            &scene.program.segments.get(*index)?.condition,
        ),
        ExprKind::Label(index) => {
            let lines = &scene.program.labels.get(*index)?.lines;
            let conditions = lines.iter().filter_map(|(_, condition)| condition.as_ref());
            conditions
                .filter_map(|one| newest(&scene.deeper(), one))
                .max()
        }
        _ => None,
    };
    let inside = children(expr)
        .into_iter()
        .filter_map(|child| newest(scene, child));
    inside.chain(own).max()
}

/// An instant up to which the score and all that belongs to it stay as they are.
pub(crate) fn hold(scene: &Scene<'_>, health: &Health) -> Option<Timestamp> {
    let sides = [&health.outcome, &health.experience];
    let measures = sides.into_iter().flat_map(|side| &side.measures);
    measures
        .filter_map(|measure| measure_hold(scene, measure))
        .min()
}

fn measure_hold(scene: &Scene<'_>, measure: &Measure) -> Option<Timestamp> {
    let stale = stale_at(scene, measure);
    if stale.is_some_and(|at| at <= scene.now()) {
        // Only news can wake it.
        return None;
    }
    let green = lookahead::order_hold(scene, &measure.value, &measure.green);
    let yellow = lookahead::order_hold(scene, &measure.value, &measure.yellow);
    [stale, green, yellow].into_iter().flatten().min()
}
