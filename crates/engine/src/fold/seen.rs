//! Duplicates: fact ids by day of `arrived_at`, kept seven days; never the virtual clock.

use crate::account::Account;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::Logged;

/// How many days back a fact id is still known.
pub(crate) const DEDUPE_DAYS_MAX: i32 = 7;

/// Whether the fact was told before, inside the window.
pub(crate) fn is_seen(account: &Account, logged: &Logged) -> bool {
    if model::teeth::is_out("dedupe") {
        return false;
    }
    let first = first_day(day(logged));
    account
        .parts
        .holds_id_since(first, logged.fact.fingerprint())
}

/// Remembers a fact that counted, and forgets days that have left the window.
pub(crate) fn remember(account: &mut Account, logged: &Logged) {
    let today = day(logged);
    account.parts.insert_id(today, logged.fact.fingerprint());
    account.head.id_days.insert(today);
    let Some(newest) = account.head.id_days.last().copied() else {
        return;
    };
    let first = first_day(newest);
    while let Some(oldest) = account
        .head
        .id_days
        .first()
        .copied()
        .filter(|day| *day < first)
    {
        account.head.id_days.remove(&oldest);
        account.parts.forget_ids(oldest);
    }
}

/// Whether a back-fill reads the fact for the first time inside the window; it is remembered.
pub(crate) fn is_first_read(account: &mut Account, logged: &Logged) -> bool {
    let day = day(logged);
    let fingerprint = logged.fact.fingerprint();
    account
        .parts
        .insert_read_id((first_day(day), day), fingerprint)
}

fn day(logged: &Logged) -> Date {
    logged.arrived_at.to_zoned(TimeZone::UTC).date()
}

fn first_day(last: Date) -> Date {
    last.checked_sub(DEDUPE_DAYS_MAX.days())
        .unwrap_or(Date::MIN)
}
