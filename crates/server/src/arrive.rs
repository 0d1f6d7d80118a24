//! Arrival: from decoded facts to the log, each to its shard; what goes to every shard, to every one.

use crate::shared::Shared;
use ingest::{NewFact, Refused};
use jiff::Timestamp;
use model::AccountId;
use store::{AppendError, Incoming, NewParked, Role, Store};

/// The most bytes of a refused fact that are kept.
const PARKED_BYTES_MAX: usize = 512 * 1024;

/// A fact as the log takes it: once for its account's shard, or once for each shard.
pub fn log_facts(store: &Store, fact: &NewFact, arrived_at: Timestamp) -> Vec<store::NewFact> {
    store
        .shards_of(fact.account.as_ref().map(AccountId::as_str))
        .map(|shard| store::NewFact {
            shard,
            arrived_at,
            json: fact.json.clone(),
        })
        .collect()
}

/// A refused fact as it is put aside.
pub fn parked(refused: &Refused, at: Timestamp) -> NewParked {
    let raw = &refused.raw;
    let end = raw.floor_char_boundary(raw.len().min(PARKED_BYTES_MAX));
    NewParked {
        at,
        place: None,
        account: None,
        parked: refused.parked.clone(),
        json: raw[..end].into(),
    }
}

/// Makes facts and refusals durable together.
pub(crate) async fn append(
    shared: &Shared,
    items: &[Result<NewFact, Refused>],
) -> Result<(), AppendError> {
    let now = shared.clock.now();
    let mut incoming = Incoming::default();
    for item in items {
        match item {
            Ok(fact) => incoming.facts.extend(log_facts(&shared.store, fact, now)),
            Err(refused) => incoming.parked.push(parked(refused, now)),
        }
    }
    let mut shards: Vec<u32> = incoming.facts.iter().map(|fact| fact.shard).collect();
    shards.sort_unstable();
    shards.dedup();
    if incoming != Incoming::default() {
        shared.store.append(incoming).await?;
    }
    for shard in shards {
        shared.bells.ring(shard, Role::Decide);
    }
    Ok(())
}
