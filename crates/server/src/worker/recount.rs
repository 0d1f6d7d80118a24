//! What the journal tells of an account's own events, for metrics over them that a later text brought (engine.md, 6).

use super::state::State;
use super::{Trouble, Worker};
use crate::active::Active;
use engine::OwnRecord;
use jiff::Timestamp;
use model::{AccountId, Kind, MessageId, Record};
use std::collections::BTreeMap;
use store::{JournalFilter, JournalRow};

/// So many records are read at a time.
const PAGE: u32 = 1_000;

impl Worker {
    /// The records of an account in the order they were decided; none where the end of its back-fill asks for none.
    pub(super) async fn own_records(
        &self,
        active: &Active,
        state: &mut State,
        account: &AccountId,
    ) -> Result<Option<Vec<OwnRecord>>, Trouble> {
        let cached = state.cache.get_mut(account);
        if !cached.is_some_and(|cached| active.rules.asks_records(&cached.account)) {
            return Ok(None);
        }
        let mut own = Vec::new();
        let mut after = 0;
        loop {
            let filter = JournalFilter {
                account: Some(account.clone()),
                after,
                count_max: PAGE,
                ..JournalFilter::default()
            };
            let page = self.shared.store.journal(self.shard, filter).await?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map_or(after, |row| row.place);
            own.append(&mut self.with_contacts(page).await?);
            if is_last {
                return Ok(Some(own));
            }
        }
    }

    /// The records of a page, mails with the contact that each was for.
    async fn with_contacts(&self, page: Vec<JournalRow>) -> Result<Vec<OwnRecord>, Trouble> {
        let mut records = Vec::with_capacity(page.len());
        for row in page {
            let record: Record = serde_json::from_str(&row.record).map_err(|why| {
                let why = format!("record {} of the journal can't be read: {why}", row.place);
                Trouble::Failed(why.into())
            })?;
            records.push(record);
        }
        let mails = records.iter().filter(|record| record.kind == Kind::Send);
        let mails: Vec<MessageId> = mails.filter_map(|record| record.message.clone()).collect();
        let contacts = if mails.is_empty() {
            BTreeMap::new()
        } else {
            self.shared.store.contacts(mails).await?
        };
        let own = records.into_iter().map(|record| OwnRecord {
            contact: record
                .message
                .as_ref()
                .and_then(|id| contacts.get(id).cloned()),
            record,
        });
        Ok(own.collect())
    }

    /// Since when the journal is kept; none: from its beginning.
    pub(super) async fn journal_kept_from(&self) -> Result<Option<Timestamp>, Trouble> {
        let filter = JournalFilter {
            count_max: 1,
            ..JournalFilter::default()
        };
        let oldest = self.shared.store.journal(self.shard, filter).await?;
        Ok(oldest.first().filter(|row| row.place > 1).map(|row| row.at))
    }
}
