//! The store: that it is there and keeps what it acknowledges, and whose clock it has; and what the text in it reads.

use super::finding::{listed, value};
use super::{Finding, sources};
use crate::{Clock, Config, applied_files};
use jiff::{SignedDuration, Timestamp};
use store::{OpenOptions, Store};
use workflow::Program;

/// A difference between our clock and the database's that is worth a word, and one that decides wrongly.
const SKEW_NOTED: SignedDuration = SignedDuration::from_millis(500);
const SKEW_MAX: SignedDuration = SignedDuration::from_secs(5);

/// Tells how the store stands; returns the domains that the applied text sends from.
pub(super) async fn examine(
    config: &Config,
    clock: &Clock,
    told: &mut (dyn FnMut(Finding) + Send),
) -> Vec<Box<str>> {
    let options = OpenOptions {
        must_exist: true,
        ..OpenOptions::default()
    };
    let store = match config.store.open(options).await {
        Ok(store) => store,
        Err(why) => {
            let help =
                "it is made by the first `sottaku apply` or `sottaku serve`; else see what is said";
            told(Finding::bad("store", why.to_string(), help));
            return Vec::new();
        }
    };
    condition(&store, clock, told).await;
    let program = applied(&store, told).await;
    if let Some(program) = &program {
        sources::examine(config, &store, program, told).await;
    }
    store.close().await;
    program.as_ref().and_then(sender).into_iter().collect()
}

async fn condition(store: &Store, clock: &Clock, told: &mut (dyn FnMut(Finding) + Send)) {
    let before = clock.now();
    let condition = match store.condition().await {
        Ok(condition) => condition,
        Err(why) => {
            told(Finding::bad("store", why.to_string(), "see what is said"));
            return;
        }
    };
    let after = clock.now();
    let says = format!(
        "{}, {} bytes, {} shards; {}",
        condition.product,
        condition.bytes,
        store.shards(),
        listed(&condition.settings)
    );
    told(Finding::good("store", says));
    let of = |name: &str| value(&condition.settings, name);
    if of("data_checksums") == Some("off") {
        told(Finding::note(
            "store",
            "data_checksums is off: a page that the disk damaged is not noticed",
            "pg_checksums --enable, while the database is stopped",
        ));
    }
    if let Some(time) = condition.time {
        told(skew(time, before, after));
    }
}

/// The database's clock beside ours; it was read between two moments.
fn skew(theirs: Timestamp, before: Timestamp, after: Timestamp) -> Finding {
    let ahead = theirs.duration_since(after);
    let behind = before.duration_since(theirs);
    let by = ahead.max(behind).max(SignedDuration::ZERO);
    let says = format!(
        "this machine and the database differ by {} ms",
        by.as_millis()
    );
    let help = "let both keep time by NTP: leases end by the database's clock, steps are due by this machine's";
    if by > SKEW_MAX {
        Finding::bad("clock", says, help)
    } else if by > SKEW_NOTED {
        Finding::note("clock", says, help)
    } else {
        Finding::good("clock", says)
    }
}

/// The applied text.
async fn applied(store: &Store, told: &mut (dyn FnMut(Finding) + Send)) -> Option<Program> {
    let help = "sottaku apply DIR";
    match applied_files(store).await {
        Ok(Some(files)) => workflow::check(&files).program,
        Ok(None) => {
            told(Finding::note("workspace", "nothing was applied yet", help));
            None
        }
        Err(why) => {
            told(Finding::bad("workspace", why.to_string(), help));
            None
        }
    }
}

/// The domain of its `defaults.from`.
fn sender(program: &Program) -> Option<Box<str>> {
    let from = program.defaults.from.as_ref()?;
    Some(from.address.rsplit_once('@')?.1.to_ascii_lowercase().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn clocks_that_differ_are_told() {
        let at =
            |millis: i64| Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("a time");
        for (theirs, state) in [
            (0, State::Good),
            (900, State::Good),
            (1_400, State::Good),
            (1_600, State::Note),
            (-600, State::Note),
            (6_100, State::Bad),
            (-5_100, State::Bad),
        ] {
            assert_eq!(skew(at(theirs), at(0), at(1_000)).state, state, "{theirs}");
        }
    }
}
