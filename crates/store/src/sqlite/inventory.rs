//! Every column that holds text or bytes, and what an erase does with it: a new one is not forgotten.

use super::rows::Columns;
use super::tx::Ending;
use crate::store::Tables;
use crate::{Erasure, OpenOptions, Scrub, Store};
use model::AccountId;
use std::collections::BTreeSet;

pub(crate) const CANARY: &str = "canary-of-a-person";

/// A column, and the statement that counts its rows that hold a text.
pub(crate) type Cleaned = (&'static str, &'static str, &'static str);

macro_rules! cleaned {
    ($($table:literal: $($column:literal),+;)+) => {
        &[$($((
            $table,
            $column,
            concat!("SELECT count(*) FROM ", $table, " WHERE instr(CAST(", $column, " AS TEXT), ?) > 0"),
        )),+),+]
    };
}

/// What people wrote or are called by may stand here; the erase looks through each.
pub(crate) const CLEANED: &[Cleaned] = cleaned! {
    "fact": "event";
    "outbox": "outgoing";
    "delivery": "detail";
    "attempt": "detail";
    "captured": "whom", "subject", "body";
    "journal": "record";
    "task": "change";
    "parked": "event", "message";
    "reject": "sample";
    "import_file": "name";
    "answer": "detail";
    "switch": "note";
    "consent": "who", "how", "wording";
    "suppression": "proof";
};

/// The state, which the engine writes anew without the person.
pub(crate) const REWRITTEN: &[(&str, &[&str])] =
    &[("account", &["head"]), ("account_part", &["bytes"])];

/// What is nobody's: ids, hashes, words of lists, our own texts; and what is known of colleagues, not of contacts.
pub(crate) const KEPT: &[(&str, &[&str])] = &[
    ("_sqlx_migrations", &["description", "checksum"]),
    ("account", &["account"]),
    ("account_part", &["part"]),
    ("address", &["key", "scopes"]),
    ("answer", &["id", "said"]),
    ("attempt", &["outcome"]),
    ("batch", &["woken"]),
    ("bounce", &["key", "answer"]),
    ("captured", &["message", "channel"]),
    ("consent", &["address", "basis"]),
    ("counted", &["address"]),
    ("csm", &["csm", "bytes"]),
    ("delivery", &["state", "lane"]),
    ("fate", &["state"]),
    ("import_file", &["hash"]),
    ("journal", &["workflow", "revision", "hash", "erased"]),
    ("lease", &["role", "owner"]),
    ("log_mark", &["mark"]),
    ("meta", &["key", "value"]),
    ("outbox", &["message", "account", "addresses"]),
    ("parked", &["account", "code", "field"]),
    ("pruned", &["kind", "hash"]),
    ("reject", &["code", "name"]),
    ("revision", &["hash", "bytes"]),
    ("seal_key", &["secret"]),
    ("shard", &["journal_hash"]),
    ("source", &["name", "topic", "topic_id", "owner", "halted"]),
    ("source_position", &["name", "mark"]),
    ("suppression", &["address", "scope", "reason"]),
    ("switch", &["name"]),
    ("task", &["task", "account", "state"]),
    ("thread", &["run", "channel", "ts"]),
    ("told", &["address", "account", "contact"]),
    ("worker", &["owner"]),
];

/// Rows in which the person stands wherever one may.
const FILL: [&str; 13] = [
    "INSERT INTO fact (place, arrived_at, event) VALUES (1, 0, json_object('name', ?1))",
    "INSERT INTO outbox (id, message, shard, account, decided_at, addresses, outgoing) \
        VALUES (1, 'm_1', 0, 'acme', 0, '[]', json_object('words', ?1))",
    "INSERT INTO delivery (id, shard, state, priority, ready_at, updated_at, detail) \
        VALUES (1, 0, 'sent', 1, 0, 0, 'no such user ' || ?1)",
    "INSERT INTO attempt (delivery, n, claim, epoch, started_at, detail) VALUES (1, 1, 1, 1, 0, 'to ' || ?1)",
    "INSERT INTO captured (message, at, channel, whom, subject, body) \
        VALUES ('m_1', 0, 'email', ?1, ?1, CAST(?1 AS BLOB))",
    "INSERT INTO journal (place, at, account, revision, record, hash) \
        VALUES (1, 0, 1, 'w', json_object('text', ?1), 'h')",
    "INSERT INTO task (task, shard, account, state, change) \
        VALUES ('t', 0, 'acme', 'open', json_object('title', ?1))",
    "INSERT INTO parked (shard, position, at, code, message, event) \
        VALUES (0, 1, 0, 'x', ?1, json_object('name', ?1))",
    "INSERT INTO reject (code, name, count, sample, first_at, last_at) VALUES ('x', 'n', 1, ?1, 0, 0)",
    "INSERT INTO import_file (hash, name, done, updated_at) VALUES ('h', ?1 || '.csv', 0, 0)",
    "INSERT INTO answer (id, delivery, said, detail, at) VALUES ('a', 1, 'x', ?1, 0)",
    "INSERT INTO switch (name, is_on, at, note) VALUES ('topic:x', 1, 0, ?1)",
    "INSERT INTO consent (address, basis, who, how, wording, at) VALUES (x'01', 'consent', ?1, ?1, ?1, 0)",
];
const PROOF: &str = "INSERT INTO suppression (address, is_lifted, scope, reason, proof, at) \
    VALUES (x'01', 0, 'all', 'erased', ?1, 0)";
/// What those rows lean on.
const GROUND: [&str; 2] = [
    "INSERT INTO account (id, shard, account, revision, head) VALUES (1, 0, 'acme', 1, x'00')",
    "INSERT INTO address (key) VALUES (x'01')",
];

pub(crate) type Proof = Result<(), Box<dyn std::error::Error>>;

async fn open(dir: &tempfile::TempDir) -> Result<Store, crate::OpenError> {
    Store::open(&dir.path().join("store.db"), OpenOptions::default()).await
}

#[tokio::test]
async fn every_column_with_text_or_bytes_is_cleaned_or_is_nobodys() -> Proof {
    let dir = tempfile::tempdir()?;
    let Tables::Sqlite(sqlite) = open(&dir).await?.tables else {
        return Err("it is in a file".into());
    };
    let found = sqlite
        .read(|session| {
            Box::pin(async move {
                let sql = "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p \
                    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND p.type NOT IN ('INTEGER', 'BIGINT', 'BOOLEAN', 'TIMESTAMP')";
                let mut found = BTreeSet::new();
                for row in session.rows(sqlx::query(sql)).await? {
                    found.insert(format!("{}.{}", row.text(0)?, row.text(1)?));
                }
                Ok(found)
            })
        })
        .await?;
    let cleaned = CLEANED.iter().map(|(table, column, _)| (*table, *column));
    let others = KEPT.iter().chain(REWRITTEN);
    let others = others.flat_map(|(table, columns)| columns.iter().map(|column| (*table, *column)));
    let listed: BTreeSet<String> = cleaned
        .chain(others)
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    let missing: Vec<&String> = found.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "say here, and in the erase, whether a person may stand in {missing:?}"
    );
    let gone: Vec<&String> = listed.difference(&found).collect();
    assert!(gone.is_empty(), "there is no {gone:?}");
    Ok(())
}

#[tokio::test]
async fn a_person_goes_from_every_column_that_may_hold_one() -> Proof {
    let dir = tempfile::tempdir()?;
    let store = open(&dir).await?;
    let Tables::Sqlite(sqlite) = &store.tables else {
        return Err("it is in a file".into());
    };
    sqlite
        .write(|session| {
            Box::pin(async move {
                for sql in GROUND {
                    session.execute(sqlx::query(sql)).await?;
                }
                for sql in FILL.into_iter().chain([PROOF]) {
                    session.execute(sqlx::query(sql).bind(CANARY)).await?;
                }
                Ok(Ending::Commit(()))
            })
        })
        .await?;
    let count = async |sql: &'static str| {
        let counted = sqlite.read(move |session| {
            Box::pin(async move {
                let row = session.row(sqlx::query(sql).bind(CANARY)).await?;
                row.map_or(Ok(0), |row| row.count(0))
            })
        });
        counted.await
    };
    for (table, column, sql) in CLEANED {
        assert!(
            count(sql).await? > 0,
            "nobody stands in {table}.{column} before"
        );
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
    for (table, column, sql) in CLEANED {
        assert_eq!(count(sql).await?, 0, "{table}.{column}");
    }
    Ok(())
}
