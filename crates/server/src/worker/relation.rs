//! Until when an account does business with us, of its contracts: that is a ground to write to its people.

use engine::entity::Entity;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::Value;
use std::collections::BTreeMap;

/// Until when, seen from `at`; none: there is no contract, or the last one is over for longer than the grace.
pub(super) fn until(
    contracts: &BTreeMap<Box<str>, Entity>,
    at: Timestamp,
    grace_days: u32,
) -> Option<Timestamp> {
    let grace = SignedDuration::from_hours(24 * i64::from(grace_days));
    let ends = contracts.values().filter_map(|contract| end(contract, at));
    let until = ends.max()?.saturating_add(grace);
    until.ok().filter(|until| at < *until)
}

/// When a contract ends. One that runs does not end before `at`, however long its last day is over; one that was called
/// off ends when that was said, and never after its last day.
fn end(contract: &Entity, at: Timestamp) -> Option<Timestamp> {
    if !contract.is_there {
        return contract.deleted_at;
    }
    let last_day = match contract.value("renewal_date") {
        Some(Value::Date(date)) => day_end(*date),
        Some(_) | None => None,
    };
    match contract.value("status").and_then(Value::text) {
        Some("active" | "trial") => Some(last_day.map_or(at, |last_day| last_day.max(at))),
        Some(_) | None => {
            let said = contract.fields.get("status").map(|status| status.at);
            last_day.into_iter().chain(said).min()
        }
    }
}

fn day_end(date: Date) -> Option<Timestamp> {
    let next = date.checked_add(1.day()).ok()?;
    next.to_zoned(TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::entity::Stamped;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn contract(status: Option<&str>, renewal: Option<&str>) -> Entity {
        let said = |value: Value| Stamped {
            value: Some(value),
            at: at("2026-03-01T00:00:00Z"),
        };
        let status = status.map(|word| ("status".into(), said(Value::Word(word.into()))));
        let renewal = renewal.map(|day| {
            let day = day.parse().expect("a day");
            ("renewal_date".into(), said(Value::Date(day)))
        });
        Entity {
            fields: status.into_iter().chain(renewal).collect(),
            is_there: true,
            ..Entity::default()
        }
    }

    #[test]
    fn a_relation_lasts_as_long_as_the_last_contract_and_its_grace() {
        let now = at("2026-06-01T00:00:00Z");
        for (status, renewal, expected) in [
            (
                Some("active"),
                Some("2026-12-31"),
                Some("2027-01-11T00:00:00Z"),
            ),
            (
                Some("trial"),
                Some("2026-06-30"),
                Some("2026-07-11T00:00:00Z"),
            ),
            // It runs, whatever day stands in it, or none.
            (
                Some("active"),
                Some("2025-12-31"),
                Some("2026-06-11T00:00:00Z"),
            ),
            (Some("active"), None, Some("2026-06-11T00:00:00Z")),
            // Called off in March, though its term goes on; over since May; over just now; nothing known.
            (Some("cancelled"), Some("2026-12-31"), None),
            (Some("expired"), Some("2026-02-01"), None),
            (None, Some("2026-05-30"), Some("2026-06-10T00:00:00Z")),
            (None, None, None),
        ] {
            let one = [("k-1".into(), contract(status, renewal))].into();
            let found = until(&one, now, 10);
            assert_eq!(found, expected.map(at), "{status:?} {renewal:?}");
        }
        assert_eq!(until(&BTreeMap::new(), now, 10), None);
        let gone = Entity {
            is_there: false,
            deleted_at: Some(at("2026-05-30T00:00:00Z")),
            ..contract(Some("active"), None)
        };
        let both = [
            ("k-1".into(), gone.clone()),
            ("k-2".into(), contract(Some("cancelled"), None)),
        ];
        let found = until(&both.into(), now, 10);
        assert_eq!(found, Some(at("2026-06-09T00:00:00Z")));
        assert_eq!(until(&[("k-1".into(), gone)].into(), now, 1), None);
        let called_off = [("k-1".into(), contract(Some("cancelled"), None))].into();
        assert_eq!(
            until(&called_off, now, 100),
            Some(at("2026-06-09T00:00:00Z"))
        );
    }
}
