//! Loading accounts, and paging through them.

use super::rows::{Columns, signed};
use super::shards::revision;
use super::{Session, Sqlite};
use crate::{AccountRow, CsmRow, Failure, Loaded, Parts, RevisionId, Wanted};
use model::AccountId;
use std::collections::BTreeMap;

/// Heads by name.
pub(crate) const HEADS: &str = "SELECT id, account, revision, due_at, head FROM account \
        WHERE shard = ? AND account IN (SELECT value FROM json_each(?))";
/// Parts by account and name; two arms, so that a named part is found by its key.
pub(crate) const PARTS: &str = "WITH want AS MATERIALIZED (SELECT value ->> 0 AS account, value ->> 1 AS part FROM json_each(?2)) \
        SELECT p.account, p.part, p.bytes FROM want w \
        CROSS JOIN account a ON a.shard = ?1 AND a.account = w.account \
        CROSS JOIN account_part p ON p.account = a.id AND p.part = w.part \
        UNION ALL SELECT p.account, p.part, p.bytes FROM want w \
        CROSS JOIN account a ON a.shard = ?1 AND a.account = w.account \
        CROSS JOIN account_part p ON p.account = a.id WHERE w.part IS NULL";

impl Sqlite {
    pub(crate) async fn load(
        &self,
        shard: u32,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Loaded>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let mut loaded = heads(session, shard, &wanted).await?;
                parts(session, shard, &wanted, &mut loaded).await?;
                Ok(loaded.into_values().collect())
            })
        })
        .await
    }

    pub(crate) async fn accounts(
        &self,
        shard: u32,
        after: Option<&AccountId>,
        stale_for: Option<RevisionId>,
        count_max: u32,
    ) -> Result<Vec<AccountRow>, Failure> {
        let after = after.map(|account| account.to_string()).unwrap_or_default();
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT account, revision, due_at FROM account \
                    WHERE shard = ?1 AND account > ?2 AND (?3 IS NULL OR revision <> ?3) \
                    ORDER BY account LIMIT ?4";
                let query = sqlx::query(sql)
                    .bind(i64::from(shard))
                    .bind(after)
                    .bind(stale_for.map(|id| i64::from(id.0)))
                    .bind(count_max);
                let rows = session.rows(query).await?;
                rows.iter().map(account_row).collect()
            })
        })
        .await
    }

    pub(crate) async fn account_count(&self, shard: u32) -> Result<u64, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT count(*) FROM account WHERE shard = ?";
                let row = session.row(sqlx::query(sql).bind(i64::from(shard))).await?;
                row.map_or(Ok(0), |row| row.count(0))
            })
        })
        .await
    }

    pub(crate) async fn stale_count(
        &self,
        shard: u32,
        revision: RevisionId,
    ) -> Result<u64, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT count(*) FROM account WHERE shard = ? AND revision <> ?";
                let query = sqlx::query(sql)
                    .bind(i64::from(shard))
                    .bind(i64::from(revision.0));
                let row = session.row(query).await?;
                row.map_or(Ok(0), |row| row.count(0))
            })
        })
        .await
    }

    pub(crate) async fn csms(&self, shard: u32) -> Result<Vec<CsmRow>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT csm, bytes FROM csm WHERE shard = ? ORDER BY csm";
                let rows = session
                    .rows(sqlx::query(sql).bind(i64::from(shard)))
                    .await?;
                rows.iter().map(csm_row).collect()
            })
        })
        .await
    }
}

pub(crate) fn csm_row(row: &impl Columns) -> Result<CsmRow, Failure> {
    Ok(CsmRow {
        csm: row.text(0)?,
        bytes: row.bytes(1)?,
    })
}

pub(crate) fn account_row(row: &impl Columns) -> Result<AccountRow, Failure> {
    Ok(AccountRow {
        account: AccountId::new(row.text(0)?),
        revision: known_revision(row, 1)?,
        due_at: row.maybe_instant(2)?,
    })
}

pub(crate) fn known_revision(row: &impl Columns, index: usize) -> Result<RevisionId, Failure> {
    revision(row, index)?.ok_or_else(|| Failure::unreadable("an account's revision", "it is null"))
}

async fn heads(
    session: &mut Session,
    shard: u32,
    wanted: &[Wanted],
) -> Result<BTreeMap<i64, Loaded>, Failure> {
    let names: Vec<&str> = wanted.iter().map(|one| one.account.as_str()).collect();
    let query = sqlx::query(HEADS).bind(i64::from(shard)).bind(json(&names));
    let mut loaded = BTreeMap::new();
    for row in session.rows(query).await? {
        let head = Loaded {
            account: AccountId::new(row.text(1)?),
            revision: known_revision(&row, 2)?,
            due_at: row.maybe_instant(3)?,
            head: row.bytes(4)?,
            parts: Vec::new(),
        };
        loaded.insert(row.long(0)?, head);
    }
    Ok(loaded)
}

async fn parts(
    session: &mut Session,
    shard: u32,
    wanted: &[Wanted],
    loaded: &mut BTreeMap<i64, Loaded>,
) -> Result<(), Failure> {
    let mut pairs: Vec<(&str, Option<&str>)> = Vec::new();
    for one in wanted {
        let account = one.account.as_str();
        match &one.parts {
            Parts::None => {}
            Parts::Named(names) => pairs.extend(names.iter().map(|name| (account, Some(&**name)))),
            Parts::All => pairs.push((account, None)),
        }
    }
    if pairs.is_empty() || loaded.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(PARTS).bind(i64::from(shard)).bind(json(&pairs));
    for row in session.rows(query).await? {
        if let Some(account) = loaded.get_mut(&row.long(0)?) {
            account.parts.push((row.text(1)?, row.bytes(2)?));
        }
    }
    for account in loaded.values_mut() {
        account.parts.sort();
    }
    Ok(())
}

/// Plain lists of text and numbers as JSON.
pub(crate) fn json<T: serde::Serialize>(list: &T) -> String {
    serde_json::to_string(list).expect("lists of text and numbers are JSON")
}

/// The rows of accounts by name, for writers that follow up on them: how many of the names have one.
pub(crate) async fn known(
    session: &mut Session,
    shard: u32,
    names: &[&str],
) -> Result<Vec<AccountId>, Failure> {
    let sql = "SELECT account FROM account \
        WHERE shard = ? AND account IN (SELECT value FROM json_each(?))";
    let query = sqlx::query(sql)
        .bind(signed(u64::from(shard)))
        .bind(json(&names));
    let rows = session.rows(query).await?;
    rows.iter()
        .map(|row| Ok(AccountId::new(row.text(0)?)))
        .collect()
}
