//! Generated facts: customers who do not exist, for the demo, the tests and the bench.

mod customer;
mod dice;
mod life;
mod names;
mod told;

pub(crate) use customer::{Mood, Span};
pub(crate) use dice::Dice;
pub(crate) use told::{Told, fact};

use crate::exit::Exit;
use crate::print::file_or_stdout;
use jiff::tz::TimeZone;
use serde_json::json;
use std::io::Write;

/// `sottaku sample`.
pub(crate) fn write(arguments: &crate::arguments::Sample) -> anyhow::Result<Exit> {
    let span = Span {
        from: arguments.from,
        days: arguments.days,
        logins: arguments.logins,
    };
    let accounts = usize::try_from(arguments.accounts)?;
    let mut out = file_or_stdout(arguments.out.as_deref())?;
    for told in facts(arguments.seed, accounts, span) {
        serde_json::to_writer(&mut out, &told.fact).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// All facts of `accounts` customers over `span`, in order of time.
pub(crate) fn facts(seed: u64, accounts: usize, span: Span) -> Vec<Told> {
    let mut all: Vec<Told> = csms(span);
    for number in 1..=accounts {
        all.extend(customer::customer(seed, number, span));
    }
    all.sort_by_key(|told| told.at);
    all
}

/// The CSMs are told before all customers.
fn csms(span: Span) -> Vec<Told> {
    let midnight = customer::instant(customer::day(span.from, -1), 0, &TimeZone::UTC);
    let tell = |(id, name, slack): &(&str, &str, &str)| {
        let data = json!({"name": name, "email": format!("{id}@vendor.example"), "slack": slack, "manager_slack": "U0100"});
        fact(midnight, &format!("csm-{id}"), "csm.updated", id, data)
    };
    names::CSM.iter().map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_same_seed_tells_the_same_facts() {
        let span = Span {
            from: date(2026, 1, 1),
            days: 365,
            logins: 30,
        };
        let (one, two) = (facts(1, 20, span), facts(1, 20, span));
        assert_eq!(one.len(), two.len());
        assert!(one.iter().zip(&two).all(|(a, b)| a.fact == b.fact));
        assert_ne!(facts(2, 20, span).len(), one.len());
    }

    #[test]
    fn facts_are_in_order_and_their_ids_differ() {
        let span = Span {
            from: date(2026, 1, 1),
            days: 365,
            logins: 30,
        };
        let all = facts(7, 50, span);
        assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at));
        let ids: std::collections::BTreeSet<_> = all.iter().map(|told| &told.fact.id).collect();
        assert_eq!(ids.len(), all.len());
    }
}
