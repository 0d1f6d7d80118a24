//! The same inventory as of the file: every column that holds text or bytes, and what an erase does with it.

use super::Postgres;
use super::rows::Columns;
use super::tx::Ending;
use crate::conformance::server::Database;
use crate::sqlite::inventory::{CANARY, CLEANED, KEPT, Proof, REWRITTEN};
use crate::store::Tables;
use crate::{Erasure, Failure, OpenOptions, Scrub, Store};
use model::AccountId;
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

/// What stands in columns of its own here only: ids of colleagues.
const KEPT_HERE: [&str; 2] = ["task.csm", "task.assignee"];

/// Rows in which the person stands wherever one may, and what they lean on.
const FILL: [&str; 16] = [
    "INSERT INTO account (id, shard, account, revision, head) SELECT 1, 0, 'acme', 1, '\\x00'::bytea WHERE $1::text <> ''",
    "INSERT INTO address (key) SELECT '\\x01'::bytea WHERE $1::text <> ''",
    "INSERT INTO fact (place, arrived_at, event) VALUES (1, 0, json_build_object('name', $1::text)::text)",
    "INSERT INTO outbox (id, message, shard, account, decided_at, addresses, outgoing) \
        VALUES (1, 'm_1', 0, 'acme', 0, '[]', json_build_object('words', $1::text)::text)",
    "INSERT INTO delivery (id, shard, state, priority, ready_at, updated_at, detail) \
        VALUES (1, 0, 'sent', 1, 0, 0, 'no such user ' || $1::text)",
    "INSERT INTO attempt (delivery, n, claim, epoch, started_at, detail) VALUES (1, 1, 1, 1, 0, 'to ' || $1::text)",
    "INSERT INTO captured (message, at, channel, whom, subject, body) \
        VALUES ('m_1', 0, 'email', $1::text, $1::text, convert_to($1::text, 'UTF8'))",
    "INSERT INTO journal (place, at, account, revision, record, hash) \
        VALUES (1, 0, 1, 'w', json_build_object('text', $1::text)::text, 'h')",
    "INSERT INTO task (task, shard, account, state, assignee, change) \
        VALUES ('t', 0, 'acme', 'open', 'csm', json_build_object('title', $1::text)::text)",
    "INSERT INTO parked (shard, position, at, code, message, event) \
        VALUES (0, 1, 0, 'x', $1::text, json_build_object('name', $1::text)::text)",
    "INSERT INTO reject (shard, code, name, count, sample, first_at, last_at) VALUES (0, 'x', 'n', 1, $1::text, 0, 0)",
    "INSERT INTO import_file (hash, name, done, updated_at) VALUES ('h', $1::text || '.csv', 0, 0)",
    "INSERT INTO answer (id, delivery, said, detail, at) VALUES ('a', 1, 'x', $1::text, 0)",
    "INSERT INTO switch (name, is_on, at, note) VALUES ('topic:x', TRUE, 0, $1::text)",
    "INSERT INTO consent (address, basis, who, how, wording, at) \
        VALUES ('\\x01'::bytea, 'consent', $1::text, $1::text, $1::text, 0)",
    "INSERT INTO suppression (address, is_lifted, scope, reason, proof, at) \
        VALUES ('\\x01'::bytea, FALSE, 'all', 'erased', $1::text, 0)",
];

async fn columns(store: &Postgres) -> Result<BTreeSet<String>, Failure> {
    let sql = "SELECT table_name::text, column_name::text FROM information_schema.columns \
        WHERE table_schema = current_schema() \
        AND data_type NOT IN ('bigint', 'integer', 'boolean', 'timestamp with time zone')";
    store
        .read(sql, |session, sql| {
            Box::pin(async move {
                let mut found = BTreeSet::new();
                for row in session.rows(sqlx::query(*sql)).await? {
                    found.insert(format!("{}.{}", row.text(0)?, row.text(1)?));
                }
                Ok(found)
            })
        })
        .await
}

async fn fill(store: &Postgres) -> Result<(), Failure> {
    store
        .write((), |session, ()| {
            Box::pin(async move {
                for sql in FILL {
                    session.execute(sqlx::query(sql).bind(CANARY)).await?;
                }
                Ok(Ending::Commit(()))
            })
        })
        .await
}

/// How many rows hold the person in a column.
async fn count(store: &Postgres, table: &str, column: &str) -> Result<u64, Failure> {
    let text = match (table, column) {
        ("captured", "body") => "encode(body, 'escape')".to_owned(),
        _ => column.to_owned(),
    };
    let sql = format!("SELECT count(*) FROM {table} WHERE strpos({text}, $1) > 0");
    store
        .read(sql, |session, sql| {
            Box::pin(async move {
                let query = sqlx::query(AssertSqlSafe(sql.clone())).bind(CANARY);
                let row = session.row(query).await?;
                row.map_or(Ok(0), |row| row.count(0))
            })
        })
        .await
}

#[tokio::test]
async fn every_column_with_text_or_bytes_is_cleaned_or_is_nobodys() -> Proof {
    let database = Database::make().await?;
    let store = Store::connect(&database.url(), OpenOptions::default()).await?;
    let Tables::Postgres(store) = &store.tables else {
        return Err("it is a Postgres".into());
    };
    let found = columns(store).await?;
    let cleaned = CLEANED.iter().map(|(table, column, _)| (*table, *column));
    let others = KEPT.iter().chain(REWRITTEN);
    let others = others.flat_map(|(table, columns)| columns.iter().map(|column| (*table, *column)));
    let listed = cleaned
        .chain(others)
        .map(|(table, column)| format!("{table}.{column}"));
    let listed: BTreeSet<String> = listed.chain(KEPT_HERE.map(str::to_owned)).collect();
    let missing: Vec<&String> = found.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "say in the inventory, and in the erase, whether a person may stand in {missing:?}"
    );
    let gone: Vec<&String> = listed.difference(&found).collect();
    assert!(gone.is_empty(), "there is no {gone:?}");
    Ok(())
}

#[tokio::test]
async fn a_person_goes_from_every_column_that_may_hold_one() -> Proof {
    let database = Database::make().await?;
    let store = Store::connect(&database.url(), OpenOptions::default()).await?;
    let Tables::Postgres(postgres) = &store.tables else {
        return Err("it is a Postgres".into());
    };
    fill(postgres).await?;
    for (table, column, _) in CLEANED {
        let before = count(postgres, table, column).await?;
        assert!(before > 0, "nobody stands in {table}.{column} before");
    }
    let mut scrub = Scrub::default();
    scrub.add(CANARY);
    let erasure = Erasure {
        shard: 0,
        account: AccountId::new("acme"),
        contact: "p-1".into(),
        scrub,
        facts: vec![(1, "{}".into())],
    };
    store.erase(erasure).await?;
    for (table, column, _) in CLEANED {
        let after = count(postgres, table, column).await?;
        assert_eq!(after, 0, "{table}.{column}");
    }
    Ok(())
}
