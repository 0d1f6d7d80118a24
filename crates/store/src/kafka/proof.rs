//! Proof that the topic is the one that was read: the client tells no id of a topic, so the last record that was read
//! is known again by its hash. It is looked at before a shard is read for the first time, and now and then.

use super::{Kafka, PageMax, refused};
use crate::store::Tables;
use crate::{Failure, StoredFact};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// Between two looks.
const AGAIN: Duration = Duration::from_secs(10);

/// For each shard that was looked at, what ends when it is time again.
#[derive(Debug, Default)]
pub(crate) struct Proofs(Mutex<BTreeMap<u32, AbortHandle>>);

impl Proofs {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u32, AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time.
    fn is_due(&self, shard: u32) -> bool {
        self.all().get(&shard).is_none_or(AbortHandle::is_finished)
    }

    fn looked(&self, shard: u32) {
        let rests = tokio::spawn(sleep(AGAIN)).abort_handle();
        self.all().insert(shard, rests);
    }

    /// Who reads it next looks first.
    pub(crate) fn forget(&self, shard: u32) {
        self.all().remove(&shard);
    }
}

/// By what a record is known again.
fn mark(fact: &StoredFact) -> String {
    let at = fact.arrived_at.to_string();
    let digest = model::id::digest(&[&at, &fact.json]);
    let bytes = digest.iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a page, if the topic is the one that was read before.
pub(crate) async fn read(
    (kafka, tables): (&Kafka, &Tables),
    shard: u32,
    after: u64,
    max: PageMax,
) -> Result<Vec<StoredFact>, Failure> {
    let is_due = kafka.proofs.is_due(shard);
    if is_due {
        prove(kafka, tables, shard).await?;
    }
    let page = kafka.read(shard, after, max).await?;
    if is_due {
        if let Some(last) = page.last() {
            tables
                .set_log_mark(shard, last.position, &mark(last))
                .await?;
        }
        kafka.proofs.looked(shard);
    }
    Ok(page)
}

async fn prove(kafka: &Kafka, tables: &Tables, shard: u32) -> Result<(), Failure> {
    kafka.is_as_wide().await?;
    let Some((position, known)) = tables.log_mark(shard).await? else {
        return Ok(());
    };
    let one = PageMax { count: 1, bytes: 1 };
    let found = kafka
        .read_again(shard, position.saturating_sub(1), one)
        .await?;
    // One that is no longer kept proves nothing, either way.
    let found = found.into_iter().find(|found| found.position == position);
    if found.is_some_and(|found| mark(&found) != *known) {
        let why = format!(
            "shard {shard} was read up to {position}, and another record stands there now: the topic was made anew; nothing is skipped"
        );
        return Err(refused(&why));
    }
    Ok(())
}
