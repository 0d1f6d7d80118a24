//! Deliveries, for people to read.

use super::accounts::json;
use super::admission::revision;
use super::rows::{Columns, signed};
use super::{Session, Sqlite};
use crate::{Attempt, Delivery, DeliveryFilter, Failure};
use model::{DeliveryState, MessageId};
use std::collections::BTreeMap;

/// Whom mails are for.
pub(crate) const CONTACTS: &str = "SELECT message, outgoing ->> '$.channel.email.contact' FROM outbox \
        WHERE message IN (SELECT value FROM json_each(?))";

/// The shards in which something is claimed under the lease that stands, and no attempt yet, the oldest claim first.
pub(crate) const UNATTEMPTED: &str = "SELECT d.shard FROM delivery d \
    JOIN lease l ON l.shard = d.shard AND l.role = 'send' AND l.epoch = d.claim_epoch \
    WHERE d.state = 'claimed' \
    AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.delivery = d.id AND a.claim = d.claim) \
    ORDER BY d.claimed_at, d.id";

impl Sqlite {
    pub(crate) async fn contacts(
        &self,
        messages: Vec<MessageId>,
    ) -> Result<BTreeMap<MessageId, Box<str>>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let query = sqlx::query(CONTACTS).bind(json(&messages));
                let mut contacts = BTreeMap::new();
                for row in session.rows(query).await? {
                    if let Some(contact) = row.maybe_text(1)? {
                        contacts.insert(MessageId::new(row.text(0)?), contact);
                    }
                }
                Ok(contacts)
            })
        })
        .await
    }

    pub(crate) async fn deliveries(
        &self,
        filter: DeliveryFilter,
    ) -> Result<Vec<Delivery>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT d.id, o.outgoing, o.decided_at, d.state, d.attempts, d.detail, d.updated_at, o.revision \
                    FROM outbox o JOIN delivery d ON d.id = o.id \
                    WHERE o.id > ?1 AND (?2 IS NULL OR o.account = ?2) AND (?3 IS NULL OR d.state = ?3) \
                    ORDER BY o.id LIMIT ?4";
                let query = sqlx::query(sql)
                    .bind(signed(filter.after))
                    .bind(filter.account.map(|account| account.to_string()))
                    .bind(filter.state.map(DeliveryState::as_str))
                    .bind(filter.count_max);
                let rows = session.rows(query).await?;
                rows.iter().map(delivery).collect()
            })
        })
        .await
    }

    pub(crate) async fn delivery(
        &self,
        message: &MessageId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, Failure> {
        let message = message.clone();
        self.read(move |session| Box::pin(async move { one(session, &message).await }))
            .await
    }

    pub(crate) async fn delivery_counts(&self) -> Result<Vec<(DeliveryState, u64)>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let sql = "SELECT state, count(*) FROM delivery GROUP BY state ORDER BY state";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(counted).collect()
            })
        })
        .await
    }

    pub(crate) async fn unattempted(&self) -> Result<Vec<u32>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let rows = session.rows(sqlx::query(UNATTEMPTED)).await?;
                rows.iter().map(|row| row.small(0)).collect()
            })
        })
        .await
    }
}

async fn one(
    session: &mut Session,
    message: &MessageId,
) -> Result<Option<(Delivery, Vec<Attempt>)>, Failure> {
    let sql = "SELECT d.id, o.outgoing, o.decided_at, d.state, d.attempts, d.detail, d.updated_at, o.revision \
        FROM outbox o JOIN delivery d ON d.id = o.id WHERE o.message = ?";
    let query = sqlx::query(sql).bind(message.as_str());
    let Some(row) = session.row(query).await? else {
        return Ok(None);
    };
    let sql = "SELECT n, epoch, started_at, ended_at, outcome, detail FROM attempt \
        WHERE delivery = ? ORDER BY n";
    let rows = session.rows(sqlx::query(sql).bind(row.long(0)?)).await?;
    let attempts: Result<Vec<Attempt>, Failure> = rows.iter().map(attempt).collect();
    Ok(Some((delivery(&row)?, attempts?)))
}

pub(crate) fn counted(row: &impl Columns) -> Result<(DeliveryState, u64), Failure> {
    Ok((state(&row.text(0)?)?, row.count(1)?))
}

pub(crate) fn delivery(row: &impl Columns) -> Result<Delivery, Failure> {
    let outgoing = serde_json::from_str(&row.text(1)?);
    Ok(Delivery {
        number: row.count(0)?,
        outgoing: outgoing.map_err(|why| Failure::unreadable("a message", why))?,
        decided_at: row.instant(2)?,
        state: state(&row.text(3)?)?,
        attempts: row.small(4)?,
        detail: row.text(5)?,
        updated_at: row.instant(6)?,
        revision: revision(row, 7)?,
    })
}

pub(crate) fn attempt(row: &impl Columns) -> Result<Attempt, Failure> {
    let outcome = row.maybe_text(4)?;
    Ok(Attempt {
        n: row.small(0)?,
        epoch: row.count(1)?,
        started_at: row.instant(2)?,
        ended_at: row.maybe_instant(3)?,
        outcome: outcome.as_deref().map(state).transpose()?,
        detail: row.text(5)?,
    })
}

fn state(word: &str) -> Result<DeliveryState, Failure> {
    DeliveryState::parse(word).ok_or_else(|| Failure::unreadable("a delivery's state", word))
}
