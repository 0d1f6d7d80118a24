//! A draft: what a batch of decisions will commit, gathered decision by decision.

use super::cache::Cached;
use super::relation;
use crate::active::Active;
use crate::shared::Shared;
use engine::Account;
use jiff::Timestamp;
use model::message::Channel;
use model::{AccountId, Decision, Outgoing, ParkCode, Parked, Purpose, Record};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{
    Commit, HeadWrite, JournalWrite, NewParked, OutboxWrite, PartWrite, StoredFact, WakeWrite,
};

/// What a batch will commit.
pub(super) struct Draft {
    pub(super) commit: Commit,
    /// The records, for those who listen.
    pub(super) told: Vec<Arc<Record>>,
    pub(super) facts: u64,
    pub(super) wakes: u64,
    /// Wake-ups that changed nothing.
    pub(super) quiet: u64,
    changed: BTreeSet<AccountId>,
}

/// What was decided about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// The account, as the decision left it.
    pub(super) account: &'a Account,
    /// The fact, if it was one.
    pub(super) fact: Option<&'a StoredFact>,
    /// The instant it was decided at.
    pub(super) at: Timestamp,
}

impl Draft {
    pub(super) fn new(commit: Commit) -> Self {
        Self {
            commit,
            told: Vec::new(),
            facts: 0,
            wakes: 0,
            quiet: 0,
            changed: BTreeSet::new(),
        }
    }

    /// Takes in one decision.
    pub(super) fn take(
        &mut self,
        shared: &Shared,
        active: &Active,
        about: About<'_>,
        decision: Decision,
    ) {
        if decision.is_changed {
            self.changed.insert(about.account.id.clone());
        }
        for record in decision.records {
            let revision = if record.workflow.is_some() {
                active.program.revision.clone()
            } else {
                "".into()
            };
            self.told.push(Arc::new(record.clone()));
            self.commit.journal.push(JournalWrite {
                at: about.at,
                revision,
                record,
            });
        }
        let grace_days = shared.config.relationship_grace_days;
        let outbox = decision.outbox.into_iter();
        self.commit
            .outbox
            .extend(outbox.map(|outgoing| OutboxWrite {
                addresses: addresses(shared, &outgoing),
                lane: lane(shared, &outgoing),
                related_until: related_until(about, &outgoing, grace_days),
                outgoing,
            }));
        self.commit.withdrawn.extend(decision.withdrawn);
        self.commit.tasks.extend(decision.tasks);
        self.commit.rejects.extend(decision.rejected);
        if let (Some(parked), Some(fact)) = (decision.parked, about.fact) {
            self.park(shared.clock.now(), Some(&about.account.id), fact, parked);
        }
    }

    /// Puts a fact of the log aside.
    pub(super) fn park(
        &mut self,
        at: Timestamp,
        account: Option<&AccountId>,
        fact: &StoredFact,
        parked: Parked,
    ) {
        self.commit.parked.push(NewParked {
            at,
            place: Some((self.commit.shard, fact.position)),
            account: account.cloned(),
            parked,
            json: fact.json.clone(),
        });
    }

    /// Puts a wake-up aside whose decision panics: the account sleeps until its next fact.
    pub(super) fn park_wake(&mut self, at: Timestamp, cached: &mut Cached) {
        let account = cached.account.id.clone();
        let parked = Parked {
            code: ParkCode::Poison,
            message:
                "deciding the account's wake-up failed three times; it sleeps until its next fact"
                    .into(),
            field: None,
        };
        let json = format!(
            "{{\"account\":{}}}",
            serde_json::Value::from(account.as_str())
        )
        .into();
        self.commit.parked.push(NewParked {
            at,
            place: None,
            account: Some(account.clone()),
            parked,
            json,
        });
        self.commit.wakes.push(WakeWrite {
            account,
            due_at: None,
        });
        cached.due_at = None;
        cached.account.head.wake_at = None;
    }

    /// Writes out an account that was touched: head and parts if it changed, its wake-up if that moved.
    pub(super) fn write_out(&mut self, active: &Active, cached: &mut Cached) {
        let id = cached.account.id.clone();
        let wake_at = cached.account.wake_at();
        if !self.changed.contains(&id) && (!cached.is_stored || wake_at == cached.due_at) {
            return;
        }
        let bytes = cached.account.encode_head();
        self.commit.heads.push(HeadWrite {
            account: id.clone(),
            revision: active.id,
            bytes,
        });
        cached.is_stored = true;
        cached.revision = Some(active.id);
        for (part, bytes) in cached.account.take_changed_parts() {
            self.commit.parts.push(PartWrite {
                account: id.clone(),
                part,
                bytes,
            });
        }
        if wake_at != cached.due_at {
            self.commit.wakes.push(WakeWrite {
                account: id,
                due_at: wake_at,
            });
            cached.due_at = wake_at;
        }
    }

    /// The smallest wake-up that is written: the scan's mark must not stand behind it.
    pub(super) fn earliest_wake(&self) -> Option<Timestamp> {
        self.commit
            .wakes
            .iter()
            .filter_map(|wake| wake.due_at)
            .min()
    }
}

/// Until when the account does business with us, where the law may ask for it.
fn related_until(about: About<'_>, outgoing: &Outgoing, grace_days: u32) -> Option<Timestamp> {
    match outgoing.purpose {
        Some(Purpose::Promotional) => {
            relation::until(&about.account.head.contracts, about.at, grace_days)
        }
        Some(Purpose::Service | Purpose::Contractual) | None => None,
    }
}

/// The lane of a call whose webhook wants those of an account in their order.
fn lane(shared: &Shared, outgoing: &Outgoing) -> Option<Box<str>> {
    let Channel::Webhook { name } = &outgoing.channel else {
        return None;
    };
    let hook = shared.config.reach.webhooks.get(name)?;
    hook.is_ordered
        .then(|| format!("{name} {}", outgoing.account).into())
}

/// The keyed hashes of whom a message reaches, the recipient first.
fn addresses(shared: &Shared, outgoing: &Outgoing) -> Vec<store::AddressKey> {
    match &outgoing.channel {
        Channel::Email { to, cc, .. } => std::iter::once(to)
            .chain(cc)
            .map(|mailbox| shared.address(&mailbox.address))
            .collect(),
        Channel::Route { .. } | Channel::Webhook { .. } => Vec::new(),
    }
}
