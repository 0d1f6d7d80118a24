//! Erasing a person: what they said and were called goes from every table; positions, ids and hashes stay.

use crate::{Failure, PartWrite, Store, store::Tables};
use model::AccountId;
use serde_json::Value;
use std::collections::BTreeSet;

/// What stands where something of a person stood.
pub const ERASED: &str = "[erased]";
/// Texts of at least so many characters are looked for inside others too; shorter ones only as a whole.
const INSIDE_CHARS_MIN: usize = 8;
/// Shorter texts than this are not looked for: they are anybody's.
const CHARS_MIN: usize = 2;

/// Keys whose values are words and ids of our own.
const OWN_KEYS: [&str; 27] = [
    "specversion",
    "source",
    "type",
    "time",
    "message",
    "account",
    "workflow",
    "subject",
    "run",
    "step",
    "kind",
    "state",
    "hash",
    "locale",
    "topic",
    "purpose",
    "route",
    "contact",
    "contract",
    "csm",
    "assignee",
    "timezone",
    "currency",
    "at",
    "how",
    "why",
    "by",
];

/// The texts of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrub {
    whole: BTreeSet<Box<str>>,
    inside: BTreeSet<Box<str>>,
}

impl Scrub {
    /// Adds a text; an address is looked for inside others whatever its length.
    pub fn add(&mut self, text: &str) {
        let text = text.trim().to_lowercase();
        let count = text.chars().count();
        if count < CHARS_MIN || text == ERASED {
            return;
        }
        if count >= INSIDE_CHARS_MIN || text.contains('@') {
            self.inside.insert(text.as_str().into());
        }
        self.whole.insert(text.into());
    }

    /// Whether a text is of that person.
    pub fn is_theirs(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        self.whole.contains(&*text) || self.inside.iter().any(|own| text.contains(&**own))
    }

    /// The texts that are looked for inside others.
    pub fn inside(&self) -> impl Iterator<Item = &str> {
        self.inside.iter().map(|text| &**text)
    }

    /// A JSON text without what is theirs; none: nothing of it is. What is no JSON is judged as a whole.
    pub fn json(&self, text: &str) -> Option<String> {
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => self.clean(&mut value).then(|| value.to_string()),
            Err(_) => self.text(text),
        }
    }

    /// A text without what is theirs; none: nothing of it is.
    pub fn text(&self, text: &str) -> Option<String> {
        self.is_theirs(text).then(|| ERASED.to_owned())
    }

    /// A beginning of a text of theirs, as samples are kept.
    pub(crate) fn is_beginning(&self, sample: &str) -> bool {
        let sample = sample.trim().to_lowercase();
        sample.chars().count() >= INSIDE_CHARS_MIN
            && self.inside.iter().any(|own| own.starts_with(&*sample))
    }

    /// Cleans a value in place; says whether anything was theirs.
    pub fn clean(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let is_theirs = self.is_theirs(text);
                if is_theirs {
                    ERASED.clone_into(text);
                }
                is_theirs
            }
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |found, item| self.clean(item) | found),
            Value::Object(fields) => {
                let mut found = false;
                for (key, field) in fields.iter_mut() {
                    let is_own = OWN_KEYS.contains(&key.as_str());
                    match field {
                        // An id of ours that only happens to be somebody's short word stays; an address never does.
                        Value::String(text) if is_own => {
                            let holds = self
                                .inside
                                .iter()
                                .any(|own| text.to_lowercase().contains(&**own));
                            if holds {
                                ERASED.clone_into(text);
                                found = true;
                            }
                        }
                        Value::String(_)
                        | Value::Null
                        | Value::Bool(_)
                        | Value::Number(_)
                        | Value::Array(_)
                        | Value::Object(_) => found |= self.clean(field),
                    }
                }
                found
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

/// What to erase.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// The shard of the account.
    pub shard: u32,
    /// The account.
    pub account: AccountId,
    /// The contact's id, which stays.
    pub contact: Box<str>,
    /// The contact's texts.
    pub scrub: Scrub,
    /// Facts of the log by position, as they read from now on.
    pub facts: Vec<(u64, Box<str>)>,
}

/// What was erased, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Facts of the log.
    pub facts: u64,
    /// Messages in the outbox.
    pub messages: u64,
    /// Messages that were kept instead of sent.
    pub captured: u64,
    /// Records of the journal.
    pub records: u64,
    /// Tasks.
    pub tasks: u64,
    /// Facts put aside.
    pub parked: u64,
    /// Samples, notes and proofs.
    pub notes: u64,
}

/// An account's state as it reads from now on; only if the shard stands where it was read.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// The shard.
    pub shard: u32,
    /// Its number of commits when the account was read.
    pub commits: u64,
    /// The account.
    pub account: AccountId,
    /// Its head.
    pub head: Vec<u8>,
    /// The parts that changed.
    pub parts: Vec<PartWrite>,
}

impl Store {
    /// Erases a person from every table but the account's own state, in one transaction.
    pub async fn erase(&self, erasure: Erasure) -> Result<Erased, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.erase(erasure).await,
            Tables::Postgres(postgres) => postgres.erase(erasure).await,
        }
    }

    /// Writes an account's state anew and moves its shard on, so that whoever decides it reads it again; false: the
    /// shard has moved since the account was read.
    pub async fn rewrite(&self, rewrite: Rewrite) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.rewrite(rewrite).await,
            Tables::Postgres(postgres) => postgres.rewrite(rewrite).await,
        }
    }

    /// Writes the whole file anew, so that nothing that was taken out is left in its unused places; false: somebody
    /// reads the old pages still.
    pub async fn compact(&self) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.compact().await,
            Tables::Postgres(postgres) => postgres.compact().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_theirs_goes_and_what_is_ours_stays() {
        let mut scrub = Scrub::default();
        for text in [
            "田中",
            "tanaka@acme.example",
            "Your renewal page is slow",
            "renewal",
        ] {
            scrub.add(text);
        }
        let before = r#"{"workflow":"renewal","to":"Tanaka@acme.example","title":"田中","note":"she said: your renewal page is slow!","company":"田中商店","n":3,"list":["tanaka@acme.example","x"]}"#;
        assert_eq!(
            scrub.json(before).as_deref(),
            Some(
                r#"{"workflow":"renewal","to":"[erased]","title":"[erased]","note":"[erased]","company":"田中商店","n":3,"list":["[erased]","x"]}"#
            )
        );
        assert_eq!(scrub.json(r#"{"workflow":"renewal","n":3}"#), None);
        assert_eq!(
            scrub.json("no JSON of tanaka@acme.example").as_deref(),
            Some(ERASED)
        );
        assert!(scrub.is_beginning("your renewal p"));
    }
}
