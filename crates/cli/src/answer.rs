//! Facts from our own hands: answers and ticks, appended to the store's log.

use jiff::Timestamp;
use model::Fact;
use serde_json::{Map, Value};
use store::{Incoming, NewFact, Store};

/// Appends a fact about `account`; it carries no time, so it happens when it is read.
pub(crate) async fn tell(
    store: &Store,
    account: &str,
    kind: &str,
    data: Map<String, Value>,
) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let told = serde_json::to_string(&data)?;
    let fact = Fact {
        specversion: "1.0".into(),
        id: format!("{now}-{}", &blake(&[account, kind, &told])[..12]).into(),
        source: "sottaku/command".into(),
        kind: kind.into(),
        subject: Some(account.into()),
        time: None,
        is_history: false,
        arrived_at: None,
        data,
    };
    let json = serde_json::to_string(&fact)?;
    let shard = store.shard_of(account);
    let facts = vec![NewFact {
        shard,
        arrived_at: now,
        json: json.into(),
    }];
    store
        .append(Incoming {
            facts,
            parked: Vec::new(),
        })
        .await?;
    Ok(())
}

fn blake(parts: &[&str]) -> String {
    model::id::digest(parts)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
