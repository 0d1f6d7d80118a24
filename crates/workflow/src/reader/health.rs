//! Health: outcome and experience.

use super::expression::{condition, expression};
use super::keys::is_map;
use super::notation::period;
use super::value::{check_name, number, share, word};
use super::{Keys, Notes};
use crate::diagnostic::Span;
use crate::expression::{Scope, Want};
use crate::program::{Bands, Health, Measure, Period, Side, Type};
use crate::yaml::{Entry, Node};
use model::Decimal;

/// Keys of `health`.
pub(crate) const KEYS: [&str; 8] = [
    "outcome",
    "experience",
    "points",
    "bands",
    "margin",
    "hold",
    "needs",
    "red_if",
];

/// Keys of `points`.
pub(crate) const POINTS_KEYS: [&str; 3] = ["green", "yellow", "red"];
/// Keys of `bands`.
pub(crate) const BANDS_KEYS: [&str; 2] = ["green", "yellow"];
/// Keys of a side.
pub(crate) const SIDE_KEYS: [&str; 2] = ["weight", "measures"];
/// Keys of a measure.
pub(crate) const MEASURE_KEYS: [&str; 6] = [
    "value",
    "green",
    "yellow",
    "better",
    "weight",
    "stale_after",
];

/// Reads `health`.
pub(crate) fn health(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<Health> {
    let keys = Keys::of(notes, node, "`health`", &KEYS)?;
    let before = notes.errors();
    let outcome = keys
        .need(notes, "outcome")
        .and_then(|node| side(notes, node, scope));
    let experience = keys
        .need(notes, "experience")
        .and_then(|node| side(notes, node, scope));
    let points = keys
        .get(notes, "points")
        .and_then(|node| points(notes, node));
    let bands = keys
        .need(notes, "bands")
        .and_then(|node| bands(notes, node));
    let margin = keys
        .get(notes, "margin")
        .and_then(|node| number(notes, node, "`margin`"));
    let hold = keys
        .get(notes, "hold")
        .and_then(|node| period(notes, node, "`hold`"));
    let needs = keys
        .get(notes, "needs")
        .and_then(|node| share(notes, node, "`needs`"));
    let red_if = keys
        .get(notes, "red_if")
        .and_then(|node| condition(notes, node, scope));
    if red_if.is_none() && keys.has("red_if") || notes.errors() > before {
        return None;
    }
    let hundred = Decimal::from_count(100);
    Some(Health {
        outcome: outcome?,
        experience: experience?,
        points: points.unwrap_or([hundred, Decimal::from_count(50), Decimal::ZERO]),
        bands: bands?,
        margin: margin.unwrap_or(Decimal::ZERO),
        hold: hold.unwrap_or(Period::Seconds(0)),
        needs: needs.unwrap_or(Decimal::ZERO),
        red_if,
    })
}

fn points(notes: &mut Notes, node: &Node) -> Option<[Decimal; 3]> {
    let keys = Keys::of(notes, node, "`points`", &POINTS_KEYS)?;
    let mut read = |key| {
        keys.need(notes, key)
            .and_then(|node| number(notes, node, "points"))
    };
    let all = [read("green"), read("yellow"), read("red")];
    let [Some(green), Some(yellow), Some(red)] = all else {
        return None;
    };
    if green >= yellow && yellow >= red {
        return Some([green, yellow, red]);
    }
    notes.error(
        "E103",
        node.span,
        "green has more points than yellow, and yellow more than red",
    );
    None
}

fn bands(notes: &mut Notes, node: &Node) -> Option<Bands> {
    let keys = Keys::of(notes, node, "`bands`", &BANDS_KEYS)?;
    let green = keys
        .need(notes, "green")
        .and_then(|node| number(notes, node, "a band"));
    let yellow = keys
        .need(notes, "yellow")
        .and_then(|node| number(notes, node, "a band"));
    let bands = Bands {
        green: green?,
        yellow: yellow?,
    };
    if bands.green > bands.yellow {
        return Some(bands);
    }
    notes.error("E103", node.span, "green begins above yellow");
    None
}

fn side(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<Side> {
    let keys = Keys::of(notes, node, "a side of health", &SIDE_KEYS)?;
    let weight = keys
        .need(notes, "weight")
        .and_then(|node| share(notes, node, "`weight`"));
    let list = keys.need(notes, "measures")?;
    if !is_map(notes, list, "`measures`") {
        return None;
    }
    let mut measures = Vec::new();
    let mut is_good = true;
    for entry in list.entries() {
        match measure(notes, entry, scope) {
            Some(measure) => measures.push(measure),
            None => is_good = false,
        }
    }
    // The order of keys means nothing, so it must not show in the revision.
    measures.sort_by(|a, b| a.name.cmp(&b.name));
    let side = Side {
        weight: weight?,
        measures,
    };
    is_good.then_some(side)
}

fn measure(notes: &mut Notes, entry: &Entry, scope: &Scope) -> Option<Measure> {
    if !check_name(notes, &entry.key, entry.key_span) {
        return None;
    }
    let keys = Keys::of(notes, &entry.value, "a measure", &MEASURE_KEYS)?;
    let before = notes.errors();
    let value = keys
        .need(notes, "value")
        .and_then(|node| expression(notes, node, scope, &Want::Anything));
    let want = value.as_ref().map(|value| Want::Value(value.ty.clone()));
    let value_span = keys.get(notes, "value").map(|node| node.span);
    let is_ranked = value.as_ref().is_none_or(|value| is_ranked(&value.ty));
    if let (false, Some(span)) = (is_ranked, value_span) {
        unranked(notes, span);
    }
    let mut threshold = |key| {
        let node = keys.need(notes, key)?;
        let want = want.as_ref()?;
        is_ranked
            .then(|| expression(notes, node, scope, want))
            .flatten()
    };
    let green = threshold("green");
    let yellow = threshold("yellow");
    let sides = [("higher", false), ("lower", true)];
    let lower = keys
        .get(notes, "better")
        .and_then(|node| word(notes, node, "`better`", &sides));
    let weight = keys
        .need(notes, "weight")
        .and_then(|node| share(notes, node, "`weight`"));
    let stale_after = keys
        .get(notes, "stale_after")
        .and_then(|node| period(notes, node, "`stale_after`"));
    if notes.errors() > before {
        return None;
    }
    Some(Measure {
        name: entry.key.clone(),
        value: value?,
        green: green?,
        yellow: yellow?,
        lower_is_better: lower.unwrap_or(false),
        weight: weight?,
        stale_after,
    })
}

fn is_ranked(ty: &Type) -> bool {
    match ty {
        Type::Number | Type::Percent | Type::Money => true,
        Type::Word(list) => list.is_ordered,
        Type::Bool | Type::Text | Type::Date | Type::Time | Type::Contact | Type::List(_) => false,
    }
}

fn unranked(notes: &mut Notes, span: Span) {
    let message = "a measure needs something that has more and less: a number, a percentage, money or an ordered pick-list";
    notes.error("E301", span, message);
}
