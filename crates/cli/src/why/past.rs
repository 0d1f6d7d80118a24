//! The account as it stood: its part of the log decided anew, by the texts that took effect on the way.

use super::Seen;
use anyhow::{Context as _, bail};
use engine::simulate::Simulation;
use engine::{Clock, Resting};
use jiff::Timestamp;
use model::{AccountId, Fact, Logged};
use store::{Store, StoredFact};
use workflow::Program;

/// How many facts, and how many bytes, are read at once.
const PAGE: u32 = 2_000;
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A text, and from where on it decides.
pub(crate) struct Deciding {
    /// The text.
    pub(crate) program: Program,
    /// The facts behind this position are decided by it; of the first text, those up to it are history.
    pub(crate) from: u64,
    /// When it was applied.
    pub(crate) applied_at: Timestamp,
    /// What becomes of runs that rest at a step which it does not have.
    pub(crate) resting: Resting,
}

/// The texts that decided an account, oldest first; those that this program can't read any more are left out.
pub(crate) async fn deciding(store: &Store, id: &AccountId) -> anyhow::Result<Vec<Deciding>> {
    let mut texts = Vec::new();
    for text in server::texts(store).await? {
        let shard = store.shard_of(id.as_str());
        let (Some(from), Some(program)) = (
            text.from.get(&shard).copied(),
            server::text(store, text.id).await?,
        ) else {
            continue;
        };
        texts.push(Deciding {
            program,
            from,
            applied_at: text.applied_at,
            resting: text.resting,
        });
    }
    Ok(texts)
}

/// What is decided anew.
struct Again<'t> {
    simulation: Simulation<'t>,
    texts: &'t [Deciding],
    /// How many texts have taken effect.
    taken: usize,
    is_history: bool,
    /// Whether the account's own time lies behind `at` already.
    has_passed: bool,
    at: Timestamp,
    is_live: bool,
    told: Vec<Logged>,
}

impl Again<'_> {
    /// Before the fact at this position: the history ends and texts take effect as they did then.
    fn come_to(&mut self, position: u64) {
        while let Some(text) = self.texts.get(self.taken) {
            let is_due = if self.is_live {
                text.applied_at <= self.at
            } else {
                !self.has_passed
            };
            if text.from >= position || !is_due {
                return;
            }
            if self.is_live {
                self.simulation.raise(text.applied_at);
            }
            if self.taken == 0 {
                self.is_history = false;
                self.simulation.close_history();
            } else {
                let (program, resting) = (&text.program, text.resting);
                self.simulation.take_over(program, resting, &self.told);
            }
            self.taken += 1;
        }
    }

    fn tell(&mut self, logged: Logged) {
        let has_no_time = !self.is_live && logged.fact.is_control() && logged.fact.time.is_none();
        let happened_at = logged.fact.time.unwrap_or(logged.arrived_at);
        if has_no_time && self.has_passed {
            return;
        }
        if !has_no_time && happened_at > self.at {
            self.has_passed |= !logged.fact.is_csm();
            return;
        }
        if self.is_history {
            self.simulation.push_history(&logged);
        } else {
            self.simulation.push(&logged);
        }
        self.told.push(logged);
    }
}

/// The last event of one of these types that the log has of an account, up to an instant.
pub(super) async fn last_event(
    store: &Store,
    id: &AccountId,
    types: &[Box<str>],
    until: Timestamp,
) -> anyhow::Result<Option<Fact>> {
    let mut last: Option<(Timestamp, Fact)> = None;
    let shard = store.shard_of(id.as_str());
    let mut after = 0;
    loop {
        let page = store.read_back(shard, after, PAGE, PAGE_BYTES).await?;
        let Some(end) = page.last() else { break };
        after = end.position;
        for stored in &page {
            let Ok(mut fact) = serde_json::from_str::<Fact>(&stored.json) else {
                continue;
            };
            let is_asked = types.contains(&fact.kind);
            let at = fact.time.unwrap_or(stored.arrived_at);
            let is_own = fact.subject.as_deref() == Some(id.as_str());
            if is_own && is_asked && at <= until && last.as_ref().is_none_or(|(was, _)| *was <= at)
            {
                fact.time = Some(at);
                last = Some((at, fact));
            }
        }
    }
    Ok(last.map(|(_, fact)| fact))
}

/// Refuses a log whose beginning is gone: nobody knows what an account was by that.
fn reaches_back(oldest: &[StoredFact], id: &AccountId, at: Timestamp) -> anyhow::Result<()> {
    match oldest.first() {
        Some(first) if first.position > 1 => bail!(
            "the log is kept from {} on: how the account {id} stood at {at} hangs on facts that are gone; \
             `sottaku journal --account {id}` has what was decided",
            first.arrived_at
        ),
        Some(_) | None => Ok(()),
    }
}

/// A stored fact; none: somebody else wrote it into the topic, and whoever decides has put it aside.
fn read(store: &Store, json: &str) -> anyhow::Result<Option<Fact>> {
    match serde_json::from_str(json) {
        Ok(fact) => Ok(Some(fact)),
        Err(_) if !store.rewrites_log() => Ok(None),
        Err(why) => Err(why).context("a stored fact must read back"),
    }
}

/// The account as it stood at an instant, and which of the texts decided it then.
pub(super) async fn past(
    store: &Store,
    texts: &[Deciding],
    (id, is_live): (&AccountId, bool),
    at: Timestamp,
) -> anyhow::Result<(Seen, usize)> {
    let Some(first) = texts.first() else {
        bail!("no text that this version can read has decided the account {id}");
    };
    let mut again = Again {
        simulation: Simulation::new(&first.program),
        texts,
        taken: usize::from(first.from == 0),
        is_history: first.from > 0,
        has_passed: false,
        at,
        is_live,
        told: Vec::new(),
    };
    let shard = store.shard_of(id.as_str());
    let mut after = 0;
    loop {
        let page = store.read_back(shard, after, PAGE, PAGE_BYTES).await?;
        let Some(last) = page.last() else { break };
        if after == 0 {
            reaches_back(&page, id, at)?;
        }
        after = last.position;
        for stored in &page {
            let Some(fact) = read(store, &stored.json)? else {
                continue;
            };
            again.come_to(stored.position);
            let is_own = fact.subject.as_deref() == Some(id.as_str());
            if is_own || fact.is_csm() || fact.is_control() {
                again.tell(Logged {
                    position: stored.position,
                    arrived_at: stored.arrived_at,
                    fact,
                });
            }
        }
    }
    again.come_to(u64::MAX);
    let Again {
        mut simulation,
        taken,
        ..
    } = again;
    simulation.raise(at);
    let account = simulation
        .accounts()
        .find(|account| account.id == *id)
        .cloned();
    let Some(account) = account else {
        bail!("nothing was known of the account {id} at {at}");
    };
    let csms = simulation.csms().clone();
    let (records, _) = simulation.finish(None);
    let seen = Seen {
        account,
        csms,
        clock: Clock::Log,
        now: at,
        records,
        unsent: Vec::new(),
        text: None,
    };
    Ok((seen, taken.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_without_its_beginning_says_from_when_it_is_kept() {
        let fact = |position| StoredFact {
            position,
            arrived_at: "2026-05-01T00:00:00Z".parse().expect("an instant"),
            json: "{}".into(),
        };
        let acme = AccountId::new("acme");
        let reach = |oldest: &[StoredFact]| reaches_back(oldest, &acme, Timestamp::UNIX_EPOCH);
        assert!(reach(&[]).is_ok() && reach(&[fact(1), fact(2)]).is_ok());
        let told = reach(&[fact(7)]).expect_err("its beginning is gone");
        let told = told.to_string();
        assert!(
            told.starts_with("the log is kept from 2026-05-01T00:00:00Z on"),
            "{told}"
        );
    }
}
