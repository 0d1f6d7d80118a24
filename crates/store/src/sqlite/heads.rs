//! Writing heads, parts and CSMs.

use super::Session;
use super::accounts::known;
use super::flight::{Flight, Part};
use crate::{Commit, CsmWrite, Failure, PartWrite};
use model::AccountId;
use std::collections::BTreeSet;

static HEADS: Flight = Flight::new(&[Part::over(
    4,
    "WITH j (shard, account, revision, head) AS ({list}) INSERT INTO account (shard, account, revision, head) \
    SELECT j.shard, j.account, j.revision, j.head FROM j WHERE j.shard IS NOT NULL \
    ON CONFLICT (shard, account) DO UPDATE SET revision = excluded.revision, head = excluded.head",
)]);

static PARTS: Flight = Flight::new(&[Part::over(
    4,
    "WITH j (shard, account, part, bytes) AS ({list}) INSERT INTO account_part (account, part, bytes) \
    SELECT (SELECT a.id FROM account a WHERE a.shard = j.shard AND a.account = j.account), j.part, j.bytes \
    FROM j WHERE j.shard IS NOT NULL \
    ON CONFLICT (account, part) DO UPDATE SET bytes = excluded.bytes",
)]);

/// An account that has a part or wake-up to write, and no head stored or given.
pub(crate) async fn missing(
    session: &mut Session,
    commit: &Commit,
) -> Result<Option<AccountId>, Failure> {
    let named = named(commit);
    if named.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = named.iter().copied().collect();
    let found = known(session, commit.shard, &names).await?;
    let found: BTreeSet<&str> = found.iter().map(AccountId::as_str).collect();
    let gone = names.into_iter().find(|name| !found.contains(name));
    Ok(gone.map(AccountId::new))
}

/// The accounts that have a part or wake-up to write, and no head given.
pub(crate) fn named(commit: &Commit) -> BTreeSet<&str> {
    let heads: BTreeSet<&str> = commit
        .heads
        .iter()
        .map(|head| head.account.as_str())
        .collect();
    let parts = commit.parts.iter().filter(|part| part.bytes.is_some());
    let wakes = commit.wakes.iter().filter(|wake| wake.due_at.is_some());
    parts
        .map(|part| part.account.as_str())
        .chain(wakes.map(|wake| wake.account.as_str()))
        .filter(|account| !heads.contains(account))
        .collect()
}

/// Writes heads, then what hangs on them.
pub(crate) async fn write(session: &mut Session, commit: &Commit) -> Result<(), Failure> {
    let shard = i64::from(commit.shard);
    HEADS
        .write_all(session, &commit.heads, |head| {
            let (account, bytes) = (head.account.as_str().into(), (&*head.bytes).into());
            [shard.into(), account, head.revision.0.into(), bytes]
        })
        .await?;
    write_parts(session, shard, &commit.parts).await?;
    write_csms(session, shard, &commit.csms).await
}

pub(crate) async fn write_parts(
    session: &mut Session,
    shard: i64,
    parts: &[PartWrite],
) -> Result<(), Failure> {
    let kept: Vec<(&PartWrite, &[u8])> = parts
        .iter()
        .filter_map(|part| Some((part, part.bytes.as_deref()?)))
        .collect();
    PARTS
        .write_all(session, &kept, |(part, bytes)| {
            let (account, name) = (part.account.as_str().into(), (&*part.part).into());
            [shard.into(), account, name, (*bytes).into()]
        })
        .await?;
    for part in parts.iter().filter(|part| part.bytes.is_none()) {
        let sql = "DELETE FROM account_part WHERE part = ? \
            AND account = (SELECT id FROM account WHERE shard = ? AND account = ?)";
        let query = sqlx::query(sql)
            .bind(&*part.part)
            .bind(shard)
            .bind(part.account.as_str());
        session.execute(query).await?;
    }
    Ok(())
}

async fn write_csms(session: &mut Session, shard: i64, csms: &[CsmWrite]) -> Result<(), Failure> {
    for csm in csms {
        let query = match &csm.bytes {
            Some(bytes) => sqlx::query(
                "INSERT INTO csm (bytes, shard, csm) VALUES (?, ?, ?) \
                    ON CONFLICT (shard, csm) DO UPDATE SET bytes = excluded.bytes",
            )
            .bind(&**bytes),
            None => sqlx::query("DELETE FROM csm WHERE shard = ? AND csm = ?"),
        };
        session.execute(query.bind(shard).bind(&*csm.csm)).await?;
    }
    Ok(())
}
