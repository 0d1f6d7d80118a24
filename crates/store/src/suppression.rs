//! Suppressions: what stops messages to an address, from the moment at which it is committed.

use crate::{AddressKey, Failure, Store};
use jiff::Timestamp;
use model::{AccountId, Purpose};

/// What is stopped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything, contractual messages included: nothing can or may reach this address.
    All,
    /// Everything that can be left.
    Leavable,
    /// What advertises.
    Promotional,
    /// One topic, if it can be left.
    Topic(Box<str>),
}

impl Scope {
    /// As it stands in tables, facts and output: `all`, `leavable`, `promotional` or `topic:NAME`.
    pub fn word(&self) -> Box<str> {
        match self {
            Self::All => "all".into(),
            Self::Leavable => "leavable".into(),
            Self::Promotional => "promotional".into(),
            Self::Topic(topic) => format!("topic:{topic}").into(),
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "all" => Some(Self::All),
            "leavable" => Some(Self::Leavable),
            "promotional" => Some(Self::Promotional),
            _ => {
                let topic = word.strip_prefix("topic:")?;
                (!topic.is_empty()).then(|| Self::Topic(topic.into()))
            }
        }
    }

    /// Whether a message of this topic and purpose is stopped. What is contractual, or no topic's at all, can't be left.
    pub fn stops(&self, topic: Option<&str>, purpose: Option<Purpose>) -> bool {
        let can_be_left = matches!(purpose, Some(Purpose::Service | Purpose::Promotional));
        match self {
            Self::All => true,
            Self::Leavable => can_be_left,
            Self::Promotional => purpose == Some(Purpose::Promotional),
            Self::Topic(left) => can_be_left && topic == Some(left),
        }
    }
}

/// Why something is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The person said so.
    Unsubscribed,
    /// Mail to the address comes back.
    Bounced,
    /// The person called a mail unwanted.
    Complained,
    /// One of us said so.
    ByHand,
    /// It stood in a list that was brought along.
    Imported,
    /// The person was erased.
    Erased,
}

impl Reason {
    const ALL: [Self; 6] = [
        Self::Unsubscribed,
        Self::Bounced,
        Self::Complained,
        Self::ByHand,
        Self::Imported,
        Self::Erased,
    ];

    /// The word in tables, facts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::ByHand => "by_hand",
            Self::Imported => "imported",
            Self::Erased => "erased",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// Something that stops messages to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The address.
    pub key: AddressKey,
    /// What is stopped.
    pub scope: Scope,
    /// Why.
    pub reason: Reason,
    /// How that is known, in words; no address and no name in it.
    pub proof: Box<str>,
    /// Since when.
    pub at: Timestamp,
    /// Until when; none: for ever.
    pub until: Option<Timestamp>,
}

/// Something that stops messages no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lift {
    /// The address.
    pub key: AddressKey,
    /// What was stopped.
    pub scope: Scope,
    /// Only what was stopped for this reason; none: for whatever reason.
    pub reason: Option<Reason>,
    /// Who lifts it and why.
    pub proof: Box<str>,
    /// When.
    pub at: Timestamp,
}

/// Somebody at an account, whose log is told of what happens to their address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The contact.
    pub contact: Box<str>,
}

/// A row of the ledger: something was stopped, or lifted. Rows are never changed and never taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its number, rising.
    pub number: u64,
    /// What was said.
    pub said: Suppression,
    /// Whether it lifts what was stopped.
    pub is_lifted: bool,
    /// Whether it stops anything now.
    pub is_in_force: bool,
}

impl Store {
    /// Stops messages to an address: once this returns, no claim of a message in scope succeeds, and what is claimed
    /// finds out before its bytes leave. In the same transaction the logs of `person`, and of whoever was told of this
    /// address before, get the fact `contact.suppressed`. False: the same was in force already, at least as long.
    pub async fn suppress(
        &self,
        suppression: Suppression,
        person: Option<Person>,
    ) -> Result<bool, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.suppress(suppression, person).await,
        }
    }

    /// Lifts what was stopped; the ledger keeps both. False: nothing of that was in force.
    pub async fn unsuppress(&self, lift: Lift, person: Option<Person>) -> Result<bool, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.unsuppress(lift, person).await,
        }
    }

    /// All that was ever said about an address, in order.
    pub async fn suppressions(
        &self,
        key: AddressKey,
        now: Timestamp,
    ) -> Result<Vec<LedgerRow>, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.suppressions(key, now).await,
        }
    }

    /// What an address's row says is in force, and how often it changed.
    pub async fn standing(&self, key: AddressKey) -> Result<(Vec<(Scope, Reason)>, u64), Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.standing(key).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_back_from_its_word() {
        let all = [
            Scope::All,
            Scope::Leavable,
            Scope::Promotional,
            Scope::Topic("news".into()),
        ];
        for scope in all {
            assert_eq!(Scope::parse(&scope.word()), Some(scope));
        }
        assert_eq!(Scope::parse("topic:"), None);
        assert_eq!(Scope::parse("everything"), None);
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
    }

    #[test]
    fn a_scope_stops_what_can_be_left_and_all_stops_the_rest_too() {
        use Purpose::{Contractual, Promotional, Service};
        let news = || Scope::Topic("news".into());
        for (scope, purpose, expected) in [
            (Scope::All, Some(Contractual), true),
            (Scope::All, None, true),
            (Scope::Leavable, Some(Contractual), false),
            (Scope::Leavable, None, false),
            (Scope::Leavable, Some(Service), true),
            (Scope::Leavable, Some(Promotional), true),
            (Scope::Promotional, Some(Service), false),
            (Scope::Promotional, Some(Promotional), true),
            (news(), Some(Service), true),
            (news(), Some(Contractual), false),
        ] {
            assert_eq!(
                scope.stops(Some("news"), purpose),
                expected,
                "{scope:?} {purpose:?}"
            );
        }
        assert!(!news().stops(Some("other"), Some(Service)));
        assert!(!news().stops(None, Some(Service)));
    }
}
