//! Writing heads, parts and CSMs: a statement for all of a kind.

use super::rows::{Columns, number, word};
use super::session::Session;
use crate::sqlite::heads::named;
use crate::{Commit, CsmWrite, Failure, HeadWrite, PartWrite};
use model::AccountId;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const KNOWN: &str = "SELECT account FROM account WHERE shard = $1 AND account = ANY($2)";
const HEADS: &str = "INSERT INTO account (shard, account, revision, head) \
    SELECT $1, h.* FROM unnest($2::text[], $3::bigint[], $4::bytea[]) h \
    ON CONFLICT (shard, account) DO UPDATE SET revision = excluded.revision, head = excluded.head";
const PARTS: &str = "INSERT INTO account_part (account, part, bytes) SELECT a.id, p.part, p.bytes \
    FROM unnest($2::text[], $3::text[], $4::bytea[]) p (account, part, bytes) \
    JOIN account a ON a.shard = $1 AND a.account = p.account \
    ON CONFLICT (account, part) DO UPDATE SET bytes = excluded.bytes";
pub(crate) const PARTS_GONE: &str = "DELETE FROM account_part p \
    USING unnest($2::text[], $3::text[]) g (account, part), account a \
    WHERE a.shard = $1 AND a.account = g.account AND p.account = a.id AND p.part = g.part";
const CSMS: &str = "INSERT INTO csm (shard, csm, bytes) \
    SELECT $1, c.* FROM unnest($2::text[], $3::bytea[]) c \
    ON CONFLICT (shard, csm) DO UPDATE SET bytes = excluded.bytes";
const CSMS_GONE: &str = "DELETE FROM csm WHERE shard = $1 AND csm = ANY($2)";

/// An account that has a part or wake-up to write, and no head stored or given.
pub(crate) async fn missing(
    session: &mut Session,
    commit: &Commit,
) -> Result<Option<AccountId>, Failure> {
    let named = named(commit);
    if named.is_empty() {
        return Ok(None);
    }
    let names: Vec<Cow<'_, str>> = named.iter().map(|name| word(name)).collect();
    let query = sqlx::query(KNOWN).bind(number(commit.shard)).bind(names);
    let rows = session.rows(query).await?;
    let found: Result<BTreeSet<Box<str>>, Failure> = rows.iter().map(|row| row.text(0)).collect();
    let found = found?;
    let gone = named.into_iter().find(|name| !found.contains(&*word(name)));
    Ok(gone.map(AccountId::new))
}

/// Writes heads, then what hangs on them.
pub(crate) async fn write(session: &mut Session, commit: &Commit) -> Result<(), Failure> {
    write_heads(session, commit.shard, &commit.heads).await?;
    write_parts(session, commit.shard, &commit.parts).await?;
    write_csms(session, commit.shard, &commit.csms).await
}

/// One statement can't write a row twice: the last one stands.
async fn write_heads(
    session: &mut Session,
    shard: u32,
    heads: &[HeadWrite],
) -> Result<(), Failure> {
    if heads.is_empty() {
        return Ok(());
    }
    let last: BTreeMap<&str, &HeadWrite> = heads
        .iter()
        .map(|head| (head.account.as_str(), head))
        .collect();
    let (mut names, mut revisions) = (Vec::new(), Vec::new());
    let mut bytes: Vec<&[u8]> = Vec::new();
    for (name, head) in last {
        names.push(word(name));
        revisions.push(i64::from(head.revision.0));
        bytes.push(&head.bytes);
    }
    let query = sqlx::query(HEADS)
        .bind(number(shard))
        .bind(names)
        .bind(revisions)
        .bind(bytes);
    session.execute(query).await?;
    Ok(())
}

pub(crate) async fn write_parts(
    session: &mut Session,
    shard: u32,
    parts: &[PartWrite],
) -> Result<(), Failure> {
    let (mut kept, mut gone) = (BTreeMap::new(), Vec::new());
    for part in parts {
        let name = (part.account.as_str(), &*part.part);
        match &part.bytes {
            Some(bytes) => {
                kept.insert(name, &**bytes);
            }
            None => gone.push(name),
        }
    }
    if !kept.is_empty() {
        let names: Vec<_> = kept.keys().copied().collect();
        let (accounts, parts) = columns(&names);
        let bytes: Vec<&[u8]> = kept.into_values().collect();
        let query = sqlx::query(PARTS)
            .bind(number(shard))
            .bind(accounts)
            .bind(parts)
            .bind(bytes);
        session.execute(query).await?;
    }
    if !gone.is_empty() {
        let (accounts, parts) = columns(&gone);
        let query = sqlx::query(PARTS_GONE)
            .bind(number(shard))
            .bind(accounts)
            .bind(parts);
        session.execute(query).await?;
    }
    Ok(())
}

fn columns<'a>(pairs: &[(&'a str, &'a str)]) -> (Vec<Cow<'a, str>>, Vec<Cow<'a, str>>) {
    pairs
        .iter()
        .map(|(one, two)| (word(one), word(two)))
        .unzip()
}

async fn write_csms(session: &mut Session, shard: u32, csms: &[CsmWrite]) -> Result<(), Failure> {
    let last: BTreeMap<&str, Option<&[u8]>> = csms
        .iter()
        .map(|csm| (&*csm.csm, csm.bytes.as_deref()))
        .collect();
    let (mut names, mut bytes, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for (name, kept) in last {
        match kept {
            Some(kept) => {
                names.push(word(name));
                bytes.push(kept);
            }
            None => gone.push(word(name)),
        }
    }
    if !names.is_empty() {
        let query = sqlx::query(CSMS)
            .bind(number(shard))
            .bind(names)
            .bind(bytes);
        session.execute(query).await?;
    }
    if !gone.is_empty() {
        let query = sqlx::query(CSMS_GONE).bind(number(shard)).bind(gone);
        session.execute(query).await?;
    }
    Ok(())
}
