//! What runs for every batch and every claim finds its rows by key, with no statistics to help it.

use super::{
    accounts, admission, answers, append, attempts, caps, claims, deliveries, fates, gate, grounds,
    messages, prunes, settlements, wakes,
};
use crate::store::Tables;
use crate::{OpenOptions, Store};

#[tokio::test]
async fn hot_statements_find_their_rows_by_key() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let store = Store::open(&dir.path().join("store.db"), OpenOptions::default()).await?;
    let Tables::Sqlite(store) = &store.tables else {
        return Err("it is in a file".into());
    };
    let mut statements = vec![
        accounts::HEADS,
        accounts::PARTS,
        wakes::DUE,
        claims::EXPIRING,
        fates::LEFT,
        answers::SCANNED,
        messages::WITHDRAW,
        deliveries::CONTACTS,
        prunes::MESSAGES,
    ];
    statements.extend(prunes::OF_MESSAGES);
    statements.extend(wakes::CHANGES);
    let parts = [
        claims::NEXT_PRIORITY,
        claims::CANDIDATES,
        fates::EXPIRED,
        gate::STANDING,
        fates::PLACE,
        attempts::STANDING,
        attempts::COUNT,
        attempts::BEGUN,
        settlements::SETTLING,
        settlements::END_ATTEMPTS,
        grounds::PROVEN,
        caps::NEWEST,
        caps::GIVE_BACK,
        caps::FORGET,
        admission::CLAIM,
        append::ENDS,
        append::RAISE,
    ];
    let parts = parts.map(|part| part.sql(8));
    let statements = statements.into_iter().map(ToOwned::to_owned).chain(parts);
    for sql in statements {
        let plan = store.explain(sql.clone()).await?;
        assert!(!plan.is_empty());
        for step in plan {
            if step.ends_with("CONSTANT ROWS") {
                continue;
            }
            // The lists that are given may be walked through; a shard may not.
            let walked = step
                .strip_prefix("SCAN ")
                .and_then(|rest| rest.split(' ').next());
            let is_list = matches!(walked, Some("j" | "json_each" | "w" | "want") | None);
            assert!(is_list && !step.ends_with("(shard=?)"), "{step}\nin {sql}");
        }
    }
    Ok(())
}
