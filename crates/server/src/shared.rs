//! What every part of a running server shares.

use crate::active::Active;
use crate::bell::Bells;
use crate::measure::Measures;
use crate::seals::Seals;
use crate::sender::{Means, MeansError};
use crate::sources::CopiedUntil;
use crate::status::Status;
use crate::{Clock, Config};
use engine::Change;
use model::{AccountId, MessageId, Record};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};
use store::{AddressKey, RevisionId, Store};
use tokio::sync::broadcast;

/// How many records a slow listener may be behind before it misses some.
const RECORDS_MAX: usize = 4_096;

/// How many texts before the present one are kept at hand for messages that were decided by them.
const TEXTS_MAX: usize = 4;

/// Texts before the present one, the latest used last; none where this program can't use it.
type Texts = Vec<(RevisionId, Option<Arc<Active>>)>;

/// What texts change, by the one before and the one after.
type Changes = BTreeMap<(RevisionId, RevisionId), Arc<Change>>;

/// What became of a message, as this process settled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The message.
    pub message: MessageId,
    /// The account.
    pub account: AccountId,
    /// `sent`, `deferred`, `refused`, `unknown`, `suppressed` or `expired`.
    pub state: &'static str,
    /// The server's answer or the reason, in words.
    pub detail: Box<str>,
    /// Whether it was kept instead of sent.
    pub is_captured: bool,
}

/// Shared by HTTP, workers and senders; cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) config: Arc<Config>,
    pub(crate) means: Arc<Means>,
    pub(crate) bells: Bells,
    pub(crate) measures: Measures,
    pub(crate) status: Status,
    /// What signs what leaves in links and addresses.
    pub(crate) seals: Seals,
    /// How many shards this process sends for, as its keeper counted last.
    pub(crate) sends_for: Arc<AtomicU32>,
    pub(crate) records: broadcast::Sender<Arc<Record>>,
    pub(crate) settled: broadcast::Sender<Settled>,
    /// Until when the sources are copied, as the store said last.
    pub(crate) copied: Arc<CopiedUntil>,
    active: Arc<Mutex<Option<Arc<Active>>>>,
    texts: Arc<Mutex<Texts>>,
    changes: Arc<Mutex<Changes>>,
    /// Held while a text is compiled, so that it is compiled once and not by every shard.
    pub(crate) compiling: Arc<tokio::sync::Mutex<()>>,
    address_key: [u8; 32],
}

impl Shared {
    pub(crate) fn new(config: Config, store: Store, clock: Clock) -> Result<Self, MeansError> {
        let means = Arc::new(Means::new(&config)?);
        let (records, _) = broadcast::channel(RECORDS_MAX);
        let (settled, _) = broadcast::channel(RECORDS_MAX);
        let bells = Bells::new(store.shards());
        let address_key = address_secret(&store);
        let seals = Seals::new(store.clone(), clock.clone());
        Ok(Self {
            seals,
            sends_for: Arc::default(),
            store,
            clock,
            config: Arc::new(config),
            means,
            bells,
            measures: Measures::new(),
            status: Status::default(),
            records,
            settled,
            copied: Arc::default(),
            active: Arc::default(),
            texts: Arc::default(),
            changes: Arc::default(),
            compiling: Arc::default(),
            address_key,
        })
    }

    /// The text that decides, if it is the one of that number.
    pub(crate) fn active(&self, id: RevisionId) -> Option<Arc<Active>> {
        self.latest().filter(|active| active.id == id)
    }

    /// The text that this process read last.
    pub(crate) fn latest(&self) -> Option<Arc<Active>> {
        self.active
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set_active(&self, active: Arc<Active>) {
        let mut present = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        let before = present.replace(active);
        drop(present);
        if let Some(before) = before {
            self.keep(before.id, Some(before));
        }
    }

    /// A text that is kept at hand though another one decides; inside, none where it can't be used.
    pub(crate) fn kept(&self, id: RevisionId) -> Option<Option<Arc<Active>>> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let place = texts.iter().position(|(known, _)| *known == id)?;
        let text = texts.remove(place);
        texts.push(text.clone());
        Some(text.1)
    }

    /// Keeps a text at hand, or that it can't be used.
    pub(crate) fn keep(&self, id: RevisionId, text: Option<Arc<Active>>) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.retain(|(known, _)| *known != id);
        texts.push((id, text));
        if texts.len() > TEXTS_MAX {
            texts.remove(0);
        }
    }

    /// What a text changes, if it was worked out lately.
    pub(crate) fn change(&self, from: RevisionId, to: RevisionId) -> Option<Arc<Change>> {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.get(&(from, to)).cloned()
    }

    pub(crate) fn set_change(&self, from: RevisionId, to: RevisionId, change: Arc<Change>) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        // Only what leads to the present text is asked for again.
        changes.retain(|(_, known), _| *known == to);
        changes.insert((from, to), change);
    }

    /// The keyed hash under which an address is known.
    pub(crate) fn address(&self, address: &str) -> AddressKey {
        keyed(&self.address_key, address)
    }
}

/// The keyed hash under which a store knows an address. Capitals make no other address: whoever said no would be
/// written to under the other spelling.
pub fn known_as(store: &Store, address: &str) -> AddressKey {
    keyed(&address_secret(store), address)
}

fn address_secret(store: &Store) -> [u8; 32] {
    blake3::derive_key("sottaku 2026 address", store.meta().incarnation.as_bytes())
}

fn keyed(key: &[u8; 32], address: &str) -> AddressKey {
    let address = address.trim();
    let parsed = outreach::mail::Address::parse(address);
    let normal = parsed.map_or_else(
        |_| address.to_lowercase(),
        |known| known.to_string().to_lowercase(),
    );
    AddressKey(*blake3::keyed_hash(key, normal.as_bytes()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_blanks_make_no_other_address() {
        let one = keyed(&[7; 32], "mika.tanaka@acme.example");
        for same in [
            "Mika.Tanaka@acme.example",
            "MIKA.TANAKA@ACME.EXAMPLE",
            " mika.tanaka@acme.example\n",
        ] {
            assert_eq!(keyed(&[7; 32], same), one, "{same:?}");
        }
        for other in [
            "mikatanaka@acme.example",
            "mika.tanaka+x@acme.example",
            "mika.tanaka@acme.example.org",
            "",
        ] {
            assert_ne!(keyed(&[7; 32], other), one, "{other:?}");
        }
        assert_ne!(
            keyed(&[8; 32], "mika.tanaka@acme.example"),
            one,
            "no other store knows it"
        );
    }
}
