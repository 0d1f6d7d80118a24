//! Erasing a person: one job over the log, the account's state, the tables and the file itself.
//!
//! The order matters while servers run. First nothing leaves to the address any more; then the account hears that the
//! contact is gone; then the log says nothing of them; then the state, and moving its shard on makes whoever decides it
//! read it again; then the tables. What was decided from a page read before is refused by the fence.

mod log;

use crate::activate;
use crate::shared::known_as;
use engine::{Account, DecodeError};
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, DeliveryState, Fact};
use serde_json::json;
use std::time::Duration;
use store::{
    DeliveryFilter, Erased, Erasure, Failure, Incoming, NewFact, PartWrite, Parts, Reason, Rewrite,
    Scope, Scrub, Store, Suppression, Wanted,
};

/// How often the state is written anew while its shard moves.
const TRIES_MAX: u32 = 200;
/// How long messages that are under way are waited for.
const UNDER_WAY_MAX: SignedDuration = SignedDuration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);
/// Accounts looked at with one statement.
const PAGE: u32 = 500;

/// Why a person could not be erased; it may be tried again, and goes on where it was.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// Nothing is known of them.
    #[error("nothing is known of a contact {contact} of {account}")]
    Unknown {
        /// The account.
        account: AccountId,
        /// The contact.
        contact: Box<str>,
    },
    /// The shard never stands still.
    #[error("the shard moves all the time; try again")]
    Moving,
    /// What is stored can't be read.
    #[error("what is stored can't be read: {0}")]
    Unreadable(#[from] DecodeError),
    /// A stored fact can't be read.
    #[error("a stored fact can't be read: {0}")]
    Fact(Box<str>),
    /// The text that decides can't be read.
    #[error(transparent)]
    Workspace(#[from] activate::Refused),
    /// The log does not take it.
    #[error(transparent)]
    Log(#[from] store::AppendError),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What an erase did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Rows by table.
    pub rows: Erased,
    /// Addresses that are suppressed for ever.
    pub suppressed: usize,
    /// Records that speak of them and stay in a log that can't be written anew, until it forgets them by itself.
    pub left_in_log: usize,
    /// The texts that were looked for inside others: whoever checks the file looks for these.
    pub texts: Vec<Box<str>>,
}

/// Erases a contact of an account. The file is to be made compact then: [`Store::compact`].
pub async fn contact(
    store: &Store,
    account: &AccountId,
    contact: &str,
    now: Timestamp,
) -> Result<Done, EraseError> {
    let shard = store.shard_of(account.as_str());
    let files = activate::applied_files(store).await?;
    let program = files.and_then(|files| workflow::check(&files).program);
    let who = log::Who {
        account,
        contact,
        program: program.as_ref(),
    };
    let state = load(store, shard, account).await?;
    let mut scrub = Scrub::default();
    let mut addresses = Vec::new();
    if let Some(state) = &state {
        for text in engine::erase::texts(state, contact) {
            log::note(&mut scrub, &mut addresses, &text);
        }
    }
    let is_told = log::gather(store, shard, &who, (&mut scrub, &mut addresses)).await?;
    let is_known = state.is_some_and(|state| state.head.contacts.contains_key(contact));
    if !is_told && !is_known {
        return Err(EraseError::Unknown {
            account: account.clone(),
            contact: contact.into(),
        });
    }
    for address in &addresses {
        let suppression = Suppression {
            key: known_as(store, address),
            scope: Scope::All,
            reason: Reason::Erased,
            proof: "erased on request".into(),
            at: now,
            until: None,
        };
        store.suppress(suppression, None).await?;
    }
    tell_gone(store, shard, (account, contact), now).await?;
    let mut rows = Erased::default();
    let mut left_in_log = 0;
    // Twice: what was decided from pages that were read before stands in the tables only now.
    for _ in 0..2 {
        let mut facts = log::redacted(store, shard, &who, &scrub).await?;
        if !store.rewrites_log() {
            left_in_log = std::mem::take(&mut facts).len();
        }
        rewrite(store, shard, (account, contact), &scrub).await?;
        under_way(store, account).await?;
        let erasure = Erasure {
            shard,
            account: account.clone(),
            contact: contact.into(),
            scrub: scrub.clone(),
            facts,
        };
        let more = store.erase(erasure).await?;
        rows = sum(rows, more);
    }
    Ok(Done {
        rows,
        suppressed: addresses.len(),
        left_in_log,
        texts: scrub.inside().map(Box::from).collect(),
    })
}

/// The contacts of all accounts that have an address.
pub async fn holders(
    store: &Store,
    address: &str,
) -> Result<Vec<(AccountId, Box<str>)>, EraseError> {
    let mut found = Vec::new();
    for shard in 0..store.shards() {
        let mut after: Option<AccountId> = None;
        loop {
            let page = store.accounts(shard, after.as_ref(), None, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.account.clone());
            let wanted = page.iter().map(|row| Wanted {
                account: row.account.clone(),
                parts: Parts::Named(vec![engine::parts::CONTACTS.into()]),
            });
            for loaded in store.load(shard, wanted.collect()).await? {
                let id = loaded.account.clone();
                let account = Account::decode(id, Some(&loaded.head), loaded.parts)?;
                let contacts = engine::erase::holders(&account, address);
                found.extend(contacts.into_iter().map(|one| (account.id.clone(), one)));
            }
        }
    }
    Ok(found)
}

fn sum(a: Erased, b: Erased) -> Erased {
    Erased {
        facts: a.facts.max(b.facts),
        messages: a.messages + b.messages,
        captured: a.captured.max(b.captured),
        records: a.records + b.records,
        tasks: a.tasks + b.tasks,
        parked: a.parked + b.parked,
        notes: a.notes + b.notes,
    }
}

async fn load(
    store: &Store,
    shard: u32,
    account: &AccountId,
) -> Result<Option<Account>, EraseError> {
    let wanted = Wanted {
        account: account.clone(),
        parts: Parts::All,
    };
    let Some(loaded) = store.load(shard, vec![wanted]).await?.into_iter().next() else {
        return Ok(None);
    };
    let decoded = Account::decode(account.clone(), Some(&loaded.head), loaded.parts)?;
    Ok(Some(decoded))
}

/// The account hears that the contact is gone, so that their runs end as those of any who leave.
async fn tell_gone(
    store: &Store,
    shard: u32,
    (account, contact): (&AccountId, &str),
    now: Timestamp,
) -> Result<(), EraseError> {
    let mut data = serde_json::Map::new();
    data.insert("contact".to_owned(), json!(contact));
    let fact = Fact {
        specversion: "1.0".into(),
        id: format!("{contact}-{now}").into(),
        source: "sottaku/erase".into(),
        kind: "contact.deleted".into(),
        subject: Some(account.as_str().into()),
        time: None,
        is_history: false,
        arrived_at: None,
        data,
    };
    let fact = NewFact {
        shard,
        arrived_at: now,
        json: json!(fact).to_string().into(),
    };
    let parked = Vec::new();
    let facts = vec![fact];
    store.append(Incoming { facts, parked }).await?;
    Ok(())
}

async fn rewrite(
    store: &Store,
    shard: u32,
    (account, contact): (&AccountId, &str),
    scrub: &Scrub,
) -> Result<(), EraseError> {
    for _ in 0..TRIES_MAX {
        // The number is read first: what moves after it is seen by the comparison.
        let commits = store.shard(shard).await?.mark.commits;
        let Some(mut state) = load(store, shard, account).await? else {
            return Ok(());
        };
        engine::erase::erase(&mut state, contact, &|text| scrub.is_theirs(text));
        let parts = state.take_changed_parts().into_iter();
        let parts = parts.map(|(part, bytes)| PartWrite {
            account: account.clone(),
            part,
            bytes,
        });
        let written = Rewrite {
            shard,
            commits,
            account: account.clone(),
            head: state.encode_head(),
            parts: parts.collect(),
        };
        if store.rewrite(written).await? {
            return Ok(());
        }
    }
    Err(EraseError::Moving)
}

/// Waits for what senders hold in their hands.
async fn under_way(store: &Store, account: &AccountId) -> Result<(), EraseError> {
    let tries = UNDER_WAY_MAX.as_millis() / i128::try_from(PAUSE.as_millis()).unwrap_or(1);
    for _ in 0..tries {
        let filter = DeliveryFilter {
            account: Some(account.clone()),
            state: Some(DeliveryState::Claimed),
            after: 0,
            count_max: 1,
        };
        if store.deliveries(filter).await?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
