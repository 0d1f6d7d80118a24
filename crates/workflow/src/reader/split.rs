//! Splits: a draw between arms.

use super::branch::block;
use super::desk::Desk;
use super::keys::is_map;
use super::step::Place;
use super::value::share;
use super::{Keys, Notes};
use crate::program::{Arm, Step, Verb};
use crate::yaml::Entry;
use model::Decimal;

/// Keys of an arm.
pub(crate) const ARM_KEYS: [&str; 2] = ["share", "steps"];

/// Reads a `split`.
pub(crate) fn split(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    place: &Place<'_, '_>,
    id: Option<&str>,
) -> Option<Verb> {
    if let Some(id) = id {
        desk.pass(place.survey, id);
    }
    if !is_map(notes, place.value, "`split`") {
        return None;
    }
    let read: Vec<_> = place
        .value
        .entries()
        .iter()
        .map(|arm| (&arm.key, read_arm(notes, desk, place, arm)))
        .collect();
    let shares: Option<Vec<Decimal>> = read.iter().map(|(_, (share, _))| *share).collect();
    check_sum(notes, place, &shares?);
    let arms: Option<Vec<Arm>> = read
        .into_iter()
        .map(|(name, (share, steps))| {
            Some(Arm {
                name: name.clone(),
                share: share?,
                steps: steps?,
            })
        })
        .collect();
    Some(Verb::Split { arms: arms? })
}

/// E503 unless the shares are the whole.
fn check_sum(notes: &mut Notes, place: &Place<'_, '_>, shares: &[Decimal]) {
    let whole = shares
        .iter()
        .try_fold(Decimal::ZERO, |sum, share| sum.add(*share));
    if let Some(sum) = whole.filter(|sum| *sum != Decimal::ONE)
        && let Some(percent) = sum.mul(Decimal::from_count(100))
    {
        let first = place.value.entries().first();
        let span = first.map_or(place.value.span, |arm| arm.key_span);
        let message = format!("the shares add up to {percent}%, not 100%");
        notes.error("E503", span, message);
    }
}

fn read_arm(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    place: &Place<'_, '_>,
    arm: &Entry,
) -> (Option<Decimal>, Option<Vec<Step>>) {
    let is_named = super::value::check_name(notes, &arm.key, arm.key_span);
    let Some(keys) = Keys::of(notes, &arm.value, "an arm of a `split`", &ARM_KEYS) else {
        return (None, None);
    };
    let share = keys
        .need(notes, "share")
        .and_then(|node| share(notes, node, "`share`"));
    let steps = keys
        .need(notes, "steps")
        .and_then(|node| block(notes, desk, (node, &[]), place));
    (share, steps.filter(|_| is_named))
}
