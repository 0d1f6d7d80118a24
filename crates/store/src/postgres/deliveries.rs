//! Deliveries, for people to read.

use super::Postgres;
use super::rows::{Columns, signed};
use super::session::Session;
use crate::sqlite::deliveries::{UNATTEMPTED, attempt, counted, delivery};
use crate::{Attempt, Delivery, DeliveryFilter, Failure};
use model::{Channel, DeliveryState, MessageId, Outgoing};
use std::collections::BTreeMap;

/// Whom mails are for.
pub(crate) const CONTACTS: &str = "SELECT message, outgoing FROM outbox WHERE message = ANY($1)";

impl Postgres {
    /// Read here and not by the database, which refuses a JSON text that has the character 0 anywhere.
    pub(crate) async fn contacts(
        &self,
        messages: Vec<MessageId>,
    ) -> Result<BTreeMap<MessageId, Box<str>>, Failure> {
        self.read(messages, |session, messages| {
            Box::pin(async move {
                let ids: Vec<&str> = messages.iter().map(MessageId::as_str).collect();
                let mut contacts = BTreeMap::new();
                for row in session.rows(sqlx::query(CONTACTS).bind(ids)).await? {
                    let outgoing = serde_json::from_str::<Outgoing>(&row.text(1)?);
                    let outgoing = outgoing.map_err(|why| Failure::unreadable("a message", why))?;
                    if let Channel::Email { contact, .. } = outgoing.channel {
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
        self.read(filter, |session, filter| {
            Box::pin(async move {
                let sql = "SELECT d.id, o.outgoing, o.decided_at, d.state, d.attempts, d.detail, d.updated_at, o.revision \
                    FROM outbox o JOIN delivery d ON d.id = o.id \
                    WHERE o.id > $1 AND ($2 IS NULL OR o.account = $2) AND ($3 IS NULL OR d.state = $3) \
                    ORDER BY o.id LIMIT $4";
                let query = sqlx::query(sql)
                    .bind(signed(filter.after))
                    .bind(filter.account.as_ref().map(|account| account.as_str()))
                    .bind(filter.state.map(DeliveryState::as_str))
                    .bind(i64::from(filter.count_max));
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
        self.read(message.clone(), |session, message| {
            Box::pin(one(session, message))
        })
        .await
    }

    pub(crate) async fn delivery_counts(&self) -> Result<Vec<(DeliveryState, u64)>, Failure> {
        self.read((), |session, ()| {
            Box::pin(async move {
                let sql = "SELECT state, count(*) FROM delivery GROUP BY state ORDER BY state";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(counted).collect()
            })
        })
        .await
    }

    pub(crate) async fn unattempted(&self) -> Result<Vec<u32>, Failure> {
        self.read((), |session, ()| {
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
        FROM outbox o JOIN delivery d ON d.id = o.id WHERE o.message = $1";
    let query = sqlx::query(sql).bind(message.as_str());
    let Some(row) = session.row(query).await? else {
        return Ok(None);
    };
    let sql = "SELECT n, epoch, started_at, ended_at, outcome, detail FROM attempt \
        WHERE delivery = $1 ORDER BY n";
    let rows = session.rows(sqlx::query(sql).bind(row.long(0)?)).await?;
    let attempts: Result<Vec<Attempt>, Failure> = rows.iter().map(attempt).collect();
    Ok(Some((delivery(&row)?, attempts?)))
}
