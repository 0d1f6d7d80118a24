//! Answers: the fact, the address and what counts towards a pause, in one transaction.

use super::rows::{Columns, nanos, word};
use super::session::Session;
use super::tx::Ending;
use super::{Postgres, suppressions, switches};
use crate::answer::{
    POLICY_BOUNCES_MAX, POLICY_BOUNCES_WITHIN, SOFT_BOUNCES_MAX, SOFT_BOUNCES_PAUSE,
    SOFT_BOUNCES_WITHIN,
};
use crate::sqlite::answers::{
    About, Message, about, fact, id_of, message, stopped_domain, suppression,
};
use crate::{Answer, Answered, Failure, Meta, NewFact, Reason, Said, Scope, Stopped};
use jiff::{SignedDuration, Timestamp};
use model::MessageId;

/// Whether a link was followed that no person sees.
pub(crate) const SCANNED: &str = "SELECT a.delivery FROM outbox o JOIN answer a ON a.delivery = o.id \
    WHERE o.message = $1 AND a.said = $2 LIMIT 1";

impl Postgres {
    pub(crate) async fn is_scanned(&self, message: &MessageId) -> Result<bool, Failure> {
        self.read(message.clone(), |session, message| {
            Box::pin(async move {
                let query = sqlx::query(SCANNED)
                    .bind(message.as_str())
                    .bind(Said::Scanned.kind());
                Ok(session.row(query).await?.is_some())
            })
        })
        .await
    }

    pub(crate) async fn answer(&self, answer: Answer) -> Result<Answered, Failure> {
        let input = (answer, self.meta().clone());
        self.write(input, |session, (answer, meta)| {
            Box::pin(take(session, answer, meta))
        })
        .await
    }
}

async fn take(
    session: &mut Session,
    answer: &Answer,
    meta: &Meta,
) -> Result<Ending<Answered>, Failure> {
    let Some(message) = find(session, answer).await? else {
        return Ok(Ending::Rollback(Answered::Unknown));
    };
    let Some((key, is_recipient)) = about(answer, &message) else {
        return Ok(Ending::Rollback(Answered::Unknown));
    };
    let id = id_of(answer, key);
    let sql = "INSERT INTO answer (id, delivery, said, detail, at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql)
        .bind(&*id)
        .bind(message.row)
        .bind(answer.said.class().unwrap_or(answer.said.kind()))
        .bind(word(&answer.detail))
        .bind(nanos(answer.now));
    if session.execute(query).await? == 0 {
        return Ok(Ending::Rollback(Answered::Again));
    }
    let mut facts = Vec::new();
    // What became of a copy is no news of the message.
    if is_recipient && answer.said != Said::Scanned {
        facts.push(fact(answer, &message, (&id, meta.clock))?);
    }
    let about = message.about(&id, key, is_recipient);
    let stopped = stop(session, answer, &about, (meta, &mut facts)).await?;
    suppressions::append(session, &facts).await?;
    Ok(Ending::Commit(Answered::Told {
        shard: message.shard,
        account: message.outgoing.account,
        stopped,
    }))
}

async fn find(session: &mut Session, answer: &Answer) -> Result<Option<Message>, Failure> {
    let sql = "SELECT id, shard, addresses, outgoing FROM outbox WHERE message = $1";
    let query = sqlx::query(sql).bind(answer.message.as_str());
    let row = session.row(query).await?;
    row.as_ref().map(message).transpose()
}

/// Stops the address, or a whole domain, where the answer asks for it.
async fn stop(
    session: &mut Session,
    answer: &Answer,
    about: &About<'_>,
    told: (&Meta, &mut Vec<NewFact>),
) -> Result<Stopped, Failure> {
    let what = match answer.said {
        Said::BouncedHard => (Scope::All, Reason::Bounced, None),
        Said::Complained => (Scope::Promotional, Reason::Complained, None),
        Said::BouncedSoft => {
            let within = (SOFT_BOUNCES_WITHIN, answer.now);
            if count(session, (about.key.0, about.id), within).await? < SOFT_BOUNCES_MAX {
                return Ok(Stopped::Nothing);
            }
            let until = answer.now.saturating_add(SOFT_BOUNCES_PAUSE);
            let until = Some(until.unwrap_or(Timestamp::MAX));
            (Scope::All, Reason::Bounced, until)
        }
        Said::BouncedByPolicy => return stop_domain(session, answer, about).await,
        Said::Delivered | Said::Replied | Said::Opened | Said::Clicked | Said::Scanned => {
            return Ok(Stopped::Nothing);
        }
    };
    let said = suppression(answer, about.key, what);
    let (meta, facts) = told;
    let news = suppressions::suppress(session, &said, about.person.as_ref(), meta).await?;
    // None: the same stands already.
    facts.extend(news.unwrap_or_default());
    Ok(Stopped::Address)
}

/// Several refusals of us as a sender by one domain hold back all that goes there, until a person lets it go.
async fn stop_domain(
    session: &mut Session,
    answer: &Answer,
    about: &About<'_>,
) -> Result<Stopped, Failure> {
    let Some(domain) = &about.domain else {
        return Ok(Stopped::Nothing);
    };
    let name = format!("domain:{domain}");
    let key = model::id::digest(&["bounced by policy", &name]);
    let within = (POLICY_BOUNCES_WITHIN, answer.now);
    if count(session, (key, about.id), within).await? < POLICY_BOUNCES_MAX {
        return Ok(Stopped::Nothing);
    }
    switches::write(session, &stopped_domain(answer, &name)).await?;
    Ok(Stopped::Domain(domain.clone()))
}

/// Counts a bounce under a key, and how many there were lately; older ones are forgotten. Two at once are counted one
/// after the other, or neither would be the last that makes a pause.
async fn count(
    session: &mut Session,
    (key, id): ([u8; 32], &str),
    (within, now): (SignedDuration, Timestamp),
) -> Result<u32, Failure> {
    let lock = i64::from_le_bytes(std::array::from_fn(|place| key[place]));
    let query = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock);
    session.execute(query).await?;
    let since = now.saturating_sub(within).unwrap_or(Timestamp::MIN);
    let sql = "DELETE FROM bounce WHERE key = $1 AND at < $2";
    let query = sqlx::query(sql).bind(key.to_vec()).bind(nanos(since));
    session.execute(query).await?;
    let sql = "INSERT INTO bounce (key, answer, at) VALUES ($1, $2, $3)";
    let query = sqlx::query(sql)
        .bind(key.to_vec())
        .bind(id)
        .bind(nanos(now));
    session.execute(query).await?;
    let sql = "SELECT count(*) FROM bounce WHERE key = $1";
    match session.row(sqlx::query(sql).bind(key.to_vec())).await? {
        Some(row) => row.small(0),
        None => Ok(0),
    }
}
