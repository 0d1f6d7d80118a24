//! Loading accounts, and paging through them.

use super::Postgres;
use super::rows::{Columns, number, word};
use super::session::Session;
use crate::sqlite::accounts::{account_row, csm_row, known_revision};
use crate::{AccountRow, CsmRow, Failure, Loaded, Parts, RevisionId, Wanted};
use model::AccountId;
use std::collections::BTreeMap;

/// Heads by name.
pub(crate) const HEADS: &str = "SELECT id, account, revision, due_at, head FROM account \
    WHERE shard = $1 AND account = ANY($2)";
/// Parts by account and name.
pub(crate) const PARTS: &str = "SELECT p.account, p.part, p.bytes \
    FROM unnest($1::bigint[], $2::text[]) w (account, part) \
    JOIN account_part p ON p.account = w.account AND p.part = w.part";
/// Every part of some accounts.
pub(crate) const ALL_PARTS: &str = "SELECT account, part, bytes FROM account_part \
    WHERE account = ANY($1)";

impl Postgres {
    pub(crate) async fn load(
        &self,
        shard: u32,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Loaded>, Failure> {
        self.read((shard, wanted), |session, (shard, wanted)| {
            Box::pin(async move {
                let mut loaded = heads(session, *shard, wanted).await?;
                parts(session, wanted, &mut loaded).await?;
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
        let stale_for = stale_for.map(|id| i64::from(id.0));
        let input = (shard, after, stale_for, count_max);
        self.read(input, |session, (shard, after, stale_for, count_max)| {
            Box::pin(async move {
                let sql = "SELECT account, revision, due_at FROM account \
                    WHERE shard = $1 AND account > $2 AND ($3 IS NULL OR revision <> $3) \
                    ORDER BY account LIMIT $4";
                let query = sqlx::query(sql)
                    .bind(number(*shard))
                    .bind(&**after)
                    .bind(*stale_for)
                    .bind(i64::from(*count_max));
                let rows = session.rows(query).await?;
                rows.iter().map(account_row).collect()
            })
        })
        .await
    }

    pub(crate) async fn account_count(&self, shard: u32) -> Result<u64, Failure> {
        self.read(shard, |session, shard| {
            Box::pin(async move {
                let sql = "SELECT count(*) FROM account WHERE shard = $1";
                let row = session.row(sqlx::query(sql).bind(number(*shard))).await?;
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
        self.read((shard, revision), |session, (shard, revision)| {
            Box::pin(async move {
                let sql = "SELECT count(*) FROM account WHERE shard = $1 AND revision <> $2";
                let query = sqlx::query(sql)
                    .bind(number(*shard))
                    .bind(i64::from(revision.0));
                let row = session.row(query).await?;
                row.map_or(Ok(0), |row| row.count(0))
            })
        })
        .await
    }

    pub(crate) async fn csms(&self, shard: u32) -> Result<Vec<CsmRow>, Failure> {
        self.read(shard, |session, shard| {
            Box::pin(async move {
                let sql = "SELECT csm, bytes FROM csm WHERE shard = $1 ORDER BY csm";
                let rows = session.rows(sqlx::query(sql).bind(number(*shard))).await?;
                rows.iter().map(csm_row).collect()
            })
        })
        .await
    }
}

/// In the order in which they were made, like those of any other store.
async fn heads(
    session: &mut Session,
    shard: u32,
    wanted: &[Wanted],
) -> Result<BTreeMap<i64, Loaded>, Failure> {
    let names: Vec<_> = wanted
        .iter()
        .map(|one| word(one.account.as_str()))
        .collect();
    let query = sqlx::query(HEADS).bind(number(shard)).bind(names);
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
    wanted: &[Wanted],
    loaded: &mut BTreeMap<i64, Loaded>,
) -> Result<(), Failure> {
    let ids: BTreeMap<Box<str>, i64> = loaded
        .iter()
        .map(|(id, one)| (one.account.as_str().into(), *id))
        .collect();
    let (mut accounts, mut names, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for one in wanted {
        let Some(id) = ids.get(one.account.as_str()) else {
            continue;
        };
        match &one.parts {
            Parts::None => {}
            Parts::Named(parts) => {
                for part in parts {
                    accounts.push(*id);
                    names.push(word(part));
                }
            }
            Parts::All => whole.push(*id),
        }
    }
    let mut rows = Vec::new();
    if !accounts.is_empty() {
        let query = sqlx::query(PARTS).bind(accounts).bind(names);
        rows.extend(session.rows(query).await?);
    }
    if !whole.is_empty() {
        let query = sqlx::query(ALL_PARTS).bind(whole);
        rows.extend(session.rows(query).await?);
    }
    for row in rows {
        if let Some(account) = loaded.get_mut(&row.long(0)?) {
            account.parts.push((row.text(1)?, row.bytes(2)?));
        }
    }
    for account in loaded.values_mut() {
        account.parts.sort();
    }
    Ok(())
}
