//! Wake-ups.

use super::{Ground, Proof, at, bid, epoch, head};
use crate::{Commit, Role, Store, WakeMark, WakeWrite};
use model::AccountId;

async fn wakes(store: &Store, wakes: &[(&str, Option<i64>)]) -> Proof {
    let epoch = epoch(store, Role::Decide, &bid("one", 0)).await?;
    let mut commit = Commit::new(0, epoch, store.shard(0).await?.mark, at(0));
    commit.heads = wakes
        .iter()
        .map(|(account, _)| head(account, b"h"))
        .collect();
    commit.wakes = wakes
        .iter()
        .map(|(account, due)| WakeWrite {
            account: AccountId::new(*account),
            due_at: due.map(at),
        })
        .collect();
    store.commit(commit).await?;
    Ok(())
}

async fn due(store: &Store, until: i64) -> Result<Vec<(String, i64)>, Box<dyn std::error::Error>> {
    let due = store.due(0, at(until), None, 100).await?;
    let shown = |wake: &crate::Wake| {
        let seconds = wake.due_at.as_second() - at(0).as_second();
        (wake.account.to_string(), seconds)
    };
    Ok(due.iter().map(shown).collect())
}

pub(super) async fn wakes_come_in_pages_behind_a_mark(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let all = [
        ("a", Some(5)),
        ("b", Some(5)),
        ("c", Some(3)),
        ("d", Some(9)),
        ("e", None),
    ];
    wakes(&store, &all).await?;
    let mut seen = Vec::new();
    let mut mark = None;
    loop {
        let page = store.due(0, at(5), mark, 2).await?;
        seen.extend(page.iter().map(|wake| wake.account.to_string()));
        match page.last() {
            Some(last) => mark = Some(last.mark),
            None => break,
        }
    }
    assert_eq!(seen, ["c", "a", "b"], "due at 5 is due by 5, at 9 is not");
    assert!(store.due(1, at(99), None, 10).await?.is_empty());
    Ok(())
}

pub(super) async fn an_account_has_one_wake_up_or_none(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    wakes(&store, &[("a", Some(5)), ("b", Some(7))]).await?;
    wakes(&store, &[("a", Some(5)), ("b", Some(2))]).await?;
    let expected = [("b".to_owned(), 2), ("a".to_owned(), 5)];
    assert_eq!(due(&store, 99).await?, expected);
    assert_eq!(store.earliest(0).await?, Some(at(2)));
    wakes(&store, &[("a", None), ("b", None)]).await?;
    assert!(due(&store, 99).await?.is_empty());
    assert_eq!(store.earliest(0).await?, None);
    wakes(&store, &[("a", None), ("b", Some(4))]).await?;
    assert_eq!(due(&store, 99).await?, [("b".to_owned(), 4)]);
    Ok(())
}

pub(super) async fn a_mark_can_be_lowered(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    wakes(&store, &[("a", Some(5)), ("b", Some(7))]).await?;
    let all = store.due(0, at(9), None, 10).await?;
    let last = all.last().ok_or("two are due")?.mark;
    let lower = last.min(WakeMark::before(at(7)));
    let again = store.due(0, at(9), Some(lower), 10).await?;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].account.as_str(), "b");
    Ok(())
}
