//! Answers: the fact, the address and what counts towards a pause, in one transaction.

use super::admission::addresses;
use super::append::append_facts;
use super::rows::{Columns, nanos};
use super::tx::Ending;
use super::{Session, Sqlite, suppressions, switches};
use crate::answer::{
    POLICY_BOUNCES_MAX, POLICY_BOUNCES_WITHIN, SOFT_BOUNCES_MAX, SOFT_BOUNCES_PAUSE,
    SOFT_BOUNCES_WITHIN,
};
use crate::{
    AddressKey, Answer, Answered, ClockMode, Failure, Meta, NewFact, Person, Reason, Said, Scope,
    Stopped, Suppression, Switch,
};
use jiff::{SignedDuration, Timestamp};
use model::{Channel, Fact, MessageId, Outgoing};

/// The message that is answered.
pub(crate) struct Message {
    pub(crate) row: i64,
    pub(crate) shard: u32,
    pub(crate) addresses: Vec<AddressKey>,
    pub(crate) outgoing: Outgoing,
}

/// Whom the answer is about.
pub(crate) struct About<'a> {
    /// What names the answer.
    pub(crate) id: &'a str,
    pub(crate) key: AddressKey,
    /// The recipient, whose account is told; nobody for a copy.
    pub(crate) person: Option<Person>,
    pub(crate) domain: Option<Box<str>>,
}

/// Whether a link was followed that no person sees.
pub(crate) const SCANNED: &str = "SELECT 1 FROM outbox o JOIN answer a ON a.delivery = o.id \
    WHERE o.message = ? AND a.said = ? LIMIT 1";

impl Sqlite {
    pub(crate) async fn is_scanned(&self, message: &MessageId) -> Result<bool, Failure> {
        let message = message.clone();
        self.read(move |session| {
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
        let meta = self.meta().clone();
        self.write(move |session| Box::pin(async move { take(session, &answer, &meta).await }))
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
    let sql = "INSERT INTO answer (id, delivery, said, detail, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql)
        .bind(&*id)
        .bind(message.row)
        .bind(answer.said.class().unwrap_or(answer.said.kind()))
        .bind(&*answer.detail)
        .bind(nanos(answer.now));
    if session.execute(query).await? == 0 {
        return Ok(Ending::Rollback(Answered::Again));
    }
    // What became of a copy is no news of the message.
    if is_recipient && answer.said != Said::Scanned {
        let fact = fact(answer, &message, (&id, meta.clock))?;
        append_facts(session, &[&fact]).await?;
    }
    let about = message.about(&id, key, is_recipient);
    let stopped = stop(session, answer, &about, meta).await?;
    Ok(Ending::Commit(Answered::Told {
        shard: message.shard,
        account: message.outgoing.account,
        stopped,
    }))
}

impl Message {
    pub(crate) fn about<'a>(&self, id: &'a str, key: AddressKey, is_recipient: bool) -> About<'a> {
        let recipient = match &self.outgoing.channel {
            Channel::Email { to, contact, .. } if is_recipient => Some((to, contact)),
            Channel::Email { .. } | Channel::Route { .. } | Channel::Webhook { .. } => None,
        };
        About {
            id,
            key,
            person: recipient.map(|(_, contact)| Person {
                account: self.outgoing.account.clone(),
                contact: contact.clone(),
            }),
            domain: recipient
                .and_then(|(to, _)| to.address.rsplit_once('@'))
                .map(|(_, domain)| domain.to_ascii_lowercase().into()),
        }
    }
}

async fn find(session: &mut Session, answer: &Answer) -> Result<Option<Message>, Failure> {
    let sql = "SELECT id, shard, addresses, outgoing FROM outbox WHERE message = ?";
    let query = sqlx::query(sql).bind(answer.message.as_str());
    let Some(row) = session.row(query).await? else {
        return Ok(None);
    };
    Ok(Some(message(&row)?))
}

/// The message in the columns 0 to 3: id, shard, addresses, outgoing.
pub(crate) fn message(row: &impl Columns) -> Result<Message, Failure> {
    let outgoing = serde_json::from_str(&row.text(3)?);
    Ok(Message {
        row: row.long(0)?,
        shard: row.small(1)?,
        addresses: addresses(&row.text(2)?)?,
        outgoing: outgoing.map_err(|why| Failure::unreadable("a message", why))?,
    })
}

/// Which address of the message is meant, and whether it is the recipient's. A message without copies leaves no
/// doubt, whatever address a server forwarded it to.
pub(crate) fn about(answer: &Answer, message: &Message) -> Option<(AddressKey, bool)> {
    let recipient = message.addresses.first().copied()?;
    let named = answer
        .about
        .iter()
        .find(|key| message.addresses.contains(key));
    match named {
        Some(key) => Some((*key, *key == recipient)),
        None if answer.about.is_empty() || message.addresses.len() == 1 => Some((recipient, true)),
        None => None,
    }
}

/// The same for the same answer, whichever way it comes.
pub(crate) fn id_of(answer: &Answer, key: AddressKey) -> Box<str> {
    let kind = answer.said.kind();
    let parts = [answer.message.as_str(), kind, &key.hex(), &answer.name];
    let digest = model::id::digest(&parts);
    let id = blake3::Hash::from_bytes(digest).to_hex();
    id[..32].into()
}

/// Under the log clock it carries no time, like what commands tell: it happens when it is read.
pub(crate) fn fact(
    answer: &Answer,
    message: &Message,
    (id, clock): (&str, ClockMode),
) -> Result<NewFact, Failure> {
    let mut data = serde_json::Map::new();
    data.insert("message".to_owned(), answer.message.as_str().into());
    if let Some(class) = answer.said.class() {
        data.insert("class".to_owned(), class.into());
    }
    if let Some(code) = &answer.code {
        data.insert("code".to_owned(), code.to_string().into());
    }
    let fact = Fact {
        specversion: "1.0".into(),
        id: id.into(),
        source: "sottaku/mail".into(),
        kind: answer.said.kind().into(),
        subject: Some(message.outgoing.account.as_str().into()),
        time: (clock == ClockMode::Live).then_some(answer.now),
        is_history: false,
        arrived_at: None,
        data,
    };
    let json = serde_json::to_string(&fact)
        .map_err(|why| Failure::Database(format!("an answer is no JSON: {why}").into()))?;
    Ok(NewFact {
        shard: message.shard,
        arrived_at: answer.now,
        json: json.into(),
    })
}

/// Stops the address, or a whole domain, where the answer asks for it.
async fn stop(
    session: &mut Session,
    answer: &Answer,
    about: &About<'_>,
    meta: &Meta,
) -> Result<Stopped, Failure> {
    let key = about.key;
    match answer.said {
        Said::BouncedHard => {
            let forever = (Scope::All, Reason::Bounced, None);
            suppress(session, answer, about, (forever, meta)).await?;
        }
        Said::Complained => {
            let forever = (Scope::Promotional, Reason::Complained, None);
            suppress(session, answer, about, (forever, meta)).await?;
        }
        Said::BouncedSoft => {
            let within = (SOFT_BOUNCES_WITHIN, answer.now);
            if count(session, (key.0, about.id), within).await? < SOFT_BOUNCES_MAX {
                return Ok(Stopped::Nothing);
            }
            let until = answer.now.saturating_add(SOFT_BOUNCES_PAUSE);
            let until = Some(until.unwrap_or(Timestamp::MAX));
            let pause = (Scope::All, Reason::Bounced, until);
            suppress(session, answer, about, (pause, meta)).await?;
        }
        Said::BouncedByPolicy => return stop_domain(session, answer, about).await,
        Said::Delivered | Said::Replied | Said::Opened | Said::Clicked | Said::Scanned => {
            return Ok(Stopped::Nothing);
        }
    }
    Ok(Stopped::Address)
}

async fn suppress(
    session: &mut Session,
    answer: &Answer,
    about: &About<'_>,
    ((scope, reason, until), meta): ((Scope, Reason, Option<Timestamp>), &Meta),
) -> Result<(), Failure> {
    let said = suppression(answer, about.key, (scope, reason, until));
    // Refused only where the same stands already.
    match suppressions::suppress(session, &said, about.person.clone(), meta).await? {
        Ending::Commit(_) | Ending::Rollback(_) => Ok(()),
    }
}

/// What an answer says against an address.
pub(crate) fn suppression(
    answer: &Answer,
    key: AddressKey,
    (scope, reason, until): (Scope, Reason, Option<Timestamp>),
) -> Suppression {
    let code = answer.code.as_deref().unwrap_or_default();
    let proof = format!("{} {code} of {}", answer.said.kind(), answer.message);
    Suppression {
        key,
        scope,
        reason,
        proof: proof.into(),
        at: answer.now,
        until,
    }
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
    let switch = stopped_domain(answer, &name);
    switches::write(session, &switch).await?;
    Ok(Stopped::Domain(domain.clone()))
}

/// The switch that holds a domain back.
pub(crate) fn stopped_domain(answer: &Answer, name: &str) -> Switch {
    let code = answer.code.as_deref().unwrap_or_default();
    Switch {
        name: name.into(),
        is_on: false,
        at: answer.now,
        note: format!(
            "its servers don't want us as a sender ({code}); look at SPF, DKIM and DMARC"
        )
        .into(),
    }
}

/// Counts a bounce under a key, and how many there were lately; older ones are forgotten.
async fn count(
    session: &mut Session,
    (key, id): ([u8; 32], &str),
    (within, now): (SignedDuration, Timestamp),
) -> Result<u32, Failure> {
    let since = now.saturating_sub(within).unwrap_or(Timestamp::MIN);
    let sql = "DELETE FROM bounce WHERE key = ? AND at < ?";
    let query = sqlx::query(sql).bind(key.to_vec()).bind(nanos(since));
    session.execute(query).await?;
    let sql = "INSERT INTO bounce (key, answer, at) VALUES (?, ?, ?)";
    let query = sqlx::query(sql)
        .bind(key.to_vec())
        .bind(id)
        .bind(nanos(now));
    session.execute(query).await?;
    let sql = "SELECT count(*) FROM bounce WHERE key = ?";
    match session.row(sqlx::query(sql).bind(key.to_vec())).await? {
        Some(row) => row.small(0),
        None => Ok(0),
    }
}
