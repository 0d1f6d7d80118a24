//! What runs for every batch and every claim finds its rows by key. The tables are empty, so the planner is told not to
//! walk through a table where there is another way: where it does all the same, there is none.

use super::rows::Columns;
use super::session::Session;
use super::{
    accounts, answers, attempts, caps, claims, deliveries, fates, grounds, heads, journals, logs,
    messages, prunes, settlements, wakes,
};
use crate::conformance::server::Database;
use crate::store::Tables;
use crate::{Failure, OpenOptions, Store};
use sqlx::AssertSqlSafe;

const HOT: [&str; 38] = [
    grounds::PROVEN,
    attempts::STANDING,
    attempts::STANDING_HELD,
    attempts::COUNT,
    settlements::SETTLING,
    settlements::END_ATTEMPTS,
    fates::PLACE,
    caps::GIVE_BACK,
    answers::SCANNED,
    accounts::HEADS,
    accounts::PARTS,
    accounts::ALL_PARTS,
    heads::KNOWN,
    heads::PARTS_GONE,
    wakes::CHANGE,
    wakes::DUE,
    claims::EXPIRING,
    claims::NEXT_PRIORITY,
    claims::READY,
    claims::READY_TAKEN,
    fates::LEFT,
    fates::EXPIRED,
    caps::NEWEST,
    messages::WITHDRAW,
    deliveries::CONTACTS,
    logs::PAGE,
    journals::OF_SHARD,
    journals::OF_ACCOUNT,
    prunes::FACTS.oldest,
    prunes::RECORDS.oldest,
    prunes::COMMITS.oldest,
    prunes::FATES.oldest,
    prunes::MESSAGES,
    prunes::TAKEN,
    prunes::OF_MESSAGES[0],
    prunes::OF_MESSAGES[1],
    prunes::OF_MESSAGES[2],
    prunes::OF_MESSAGES[3],
];

/// The plan that is kept for a statement, whatever its values are.
async fn explain(session: &mut Session, sql: &str) -> Result<Vec<Box<str>>, Failure> {
    let count = (1..=9)
        .take_while(|n| sql.contains(&format!("${n}")))
        .count();
    let nothing = vec!["NULL"; count].join(", ");
    for step in [
        "SET enable_seqscan = off".to_owned(),
        "SET enable_hashjoin = off".to_owned(),
        "SET enable_mergejoin = off".to_owned(),
        "SET plan_cache_mode = force_generic_plan".to_owned(),
        format!("PREPARE asked AS {sql}"),
    ] {
        session.execute(sqlx::query(AssertSqlSafe(step))).await?;
    }
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE asked ({nothing})"));
    let rows = session.rows(sqlx::query(explain)).await?;
    let plan: Result<Vec<Box<str>>, Failure> = rows.iter().map(|row| row.text(0)).collect();
    session.execute(sqlx::query("DEALLOCATE asked")).await?;
    plan
}

#[tokio::test]
async fn hot_statements_find_their_rows_by_key() -> Result<(), Box<dyn std::error::Error>> {
    let database = Database::make().await?;
    let store = Store::connect(&database.url(), OpenOptions::default()).await?;
    let Tables::Postgres(store) = &store.tables else {
        return Err("it is a Postgres".into());
    };
    for sql in HOT {
        let plan = store.read(sql, |session, sql| Box::pin(explain(session, sql)));
        let plan = plan.await?;
        let count = |part: &str| plan.iter().filter(|line| line.contains(part)).count();
        let by_index = count("Index Scan") + count("Index Only Scan");
        assert_eq!(count("Seq Scan on"), 0, "{plan:#?}\nof {sql}");
        assert!(by_index > 0, "{plan:#?}\nof {sql}");
        assert!(count("Index Cond") >= by_index, "{plan:#?}\nof {sql}");
    }
    Ok(())
}
