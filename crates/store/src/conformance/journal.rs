//! The journal and its chain.

use super::{Ground, Proof, at, bid, epoch, head, record};
use crate::{ChainError, Commit, JournalFilter, Role, Store};
use model::AccountId;

async fn written(ground: &Ground) -> Result<Store, Box<dyn std::error::Error>> {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    for second in 0..3 {
        let mut commit = Commit::new(0, epoch, store.shard(0).await?.mark, at(second));
        commit.heads = vec![head("acme", b"a"), head("beta", b"b")];
        commit.journal = vec![
            record("acme", "renewal", second),
            record("beta", "welcome", second),
        ];
        store.commit(commit).await?;
    }
    assert_eq!(store.verify_journal(0).await?.end, 6);
    Ok(store)
}

pub(super) async fn an_edited_journal_is_found_out(ground: &Ground) -> Proof {
    let store = written(ground).await?;
    for sql in [
        "UPDATE journal SET record = replace(record, 'start', 'stops') WHERE place = 3",
        "UPDATE journal SET at = at + 1 WHERE place = 3",
        "UPDATE journal SET workflow = 'other' WHERE place = 3",
        "UPDATE journal SET revision = 'other' WHERE place = 3",
        "UPDATE journal SET hash = hash || '0' WHERE place = 3",
    ] {
        let copy = ground.beside().await;
        let store_there = written(&copy).await?;
        store_there.tamper(sql).await?;
        let verified = store_there.verify_journal(0).await;
        assert!(
            matches!(verified, Err(ChainError::Changed { shard: 0, place: 3 })),
            "{sql}: {verified:?}"
        );
    }
    assert_eq!(store.verify_journal(1).await?.end, 0);
    Ok(())
}

pub(super) async fn a_shortened_journal_is_found_out(ground: &Ground) -> Proof {
    let store = written(ground).await?;
    store.tamper("DELETE FROM journal WHERE place = 6").await?;
    let verified = store.verify_journal(0).await;
    assert!(matches!(
        verified,
        Err(ChainError::Missing { place: 6, .. })
    ));
    store.tamper("DELETE FROM journal WHERE place = 2").await?;
    let verified = store.verify_journal(0).await;
    assert!(matches!(
        verified,
        Err(ChainError::Missing { place: 2, .. })
    ));
    Ok(())
}

pub(super) async fn the_journal_is_read_by_account_workflow_and_time(ground: &Ground) -> Proof {
    let store = written(ground).await?;
    let all = JournalFilter {
        count_max: 10,
        ..JournalFilter::default()
    };
    let acme = JournalFilter {
        account: Some(AccountId::new("acme")),
        ..all.clone()
    };
    let welcome = JournalFilter {
        workflow: Some("welcome".into()),
        ..all.clone()
    };
    let recent = JournalFilter {
        since: Some(at(2)),
        ..all.clone()
    };
    let later = JournalFilter {
        after: 4,
        ..all.clone()
    };
    let nobody = JournalFilter {
        account: Some(AccountId::new("nobody")),
        ..all.clone()
    };
    for (filter, places) in [
        (all, vec![1, 2, 3, 4, 5, 6]),
        (acme, vec![1, 3, 5]),
        (welcome, vec![2, 4, 6]),
        (recent, vec![5, 6]),
        (later, vec![5, 6]),
        (nobody, vec![]),
    ] {
        let rows = store.journal(0, filter.clone()).await?;
        let found: Vec<u64> = rows.iter().map(|row| row.place).collect();
        assert_eq!(found, places, "{filter:?}");
    }
    Ok(())
}
