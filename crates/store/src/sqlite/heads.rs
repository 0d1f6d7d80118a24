//! Writing heads, parts and CSMs.

use super::Session;
use super::accounts::known;
use super::bulk::Bulk;
use crate::{Commit, CsmWrite, Failure, PartWrite};
use model::AccountId;
use std::collections::BTreeSet;

const HEADS: Bulk = Bulk {
    head: "INSERT INTO account (shard, account, revision, head)",
    row: "(?, ?, ?, ?)",
    tail: "ON CONFLICT (shard, account) DO UPDATE SET revision = excluded.revision, head = excluded.head",
};

const PARTS: Bulk = Bulk {
    head: "INSERT INTO account_part (account, part, bytes)",
    row: "((SELECT id FROM account WHERE shard = ? AND account = ?), ?, ?)",
    tail: "ON CONFLICT (account, part) DO UPDATE SET bytes = excluded.bytes",
};

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
        .write(session, &commit.heads, |query, head| {
            query
                .bind(shard)
                .bind(head.account.as_str())
                .bind(i64::from(head.revision.0))
                .bind(&*head.bytes)
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
        .write(session, &kept, |query, (part, bytes)| {
            query
                .bind(shard)
                .bind(part.account.as_str())
                .bind(&*part.part)
                .bind(*bytes)
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
