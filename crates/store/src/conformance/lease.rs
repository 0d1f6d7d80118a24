//! Leases.

use super::{Ground, Proof, START, at, bid, epoch};
use crate::{Commit, CommitError, Role};

pub(super) async fn a_lease_is_one_owners_until_it_expires(ground: &Ground) -> Proof {
    let (one, two) = (ground.open().await?, ground.open().await?);
    let first = one.acquire(0, Role::Decide, &bid("one", 0)).await?;
    let first = first.ok_or("it was free")?;
    assert_eq!((first.epoch, first.lease_until), (1, at(6)));
    let early = two.acquire(0, Role::Decide, &bid("two", 5)).await?;
    assert_eq!(early, None);
    let taken = two.acquire(0, Role::Decide, &bid("two", 6)).await?;
    assert_eq!(taken.map(|lease| lease.epoch), Some(2));
    let back = one.acquire(0, Role::Decide, &bid("one", 7)).await?;
    assert_eq!(back, None);
    assert!(one.renew(&bid("one", 7)).await?.is_empty());
    Ok(())
}

pub(super) async fn renewing_keeps_the_epoch(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    for (shard, role) in [(1, Role::Send), (0, Role::Decide)] {
        store.acquire(shard, role, &bid("one", 0)).await?;
    }
    let held = store.renew(&bid("one", 100)).await?;
    let held: Vec<_> = held
        .iter()
        .map(|lease| (lease.shard, lease.role, lease.epoch, lease.lease_until))
        .collect();
    let expected = [(0, Role::Decide, 1, at(106)), (1, Role::Send, 1, at(106))];
    assert_eq!(held, expected, "though it had expired: nobody had taken it");
    let again = store.acquire(0, Role::Decide, &bid("one", 101)).await?;
    assert_eq!(again.map(|lease| lease.epoch), Some(1));
    Ok(())
}

pub(super) async fn a_lease_given_back_is_free_at_once_and_fences(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let old = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    assert!(!store.release(0, Role::Decide, "two").await?);
    assert!(store.release(0, Role::Decide, "one").await?);
    let refused = store.commit(Commit::new(0, old, START, at(1))).await;
    assert!(matches!(refused, Err(CommitError::Fenced { .. })));
    let new = epoch(&store, Role::Decide, &bid("two", 1)).await?;
    assert!(new > old);
    Ok(())
}

pub(super) async fn deciding_and_sending_are_leased_apart(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    epoch(&store, Role::Decide, &bid("one", 0)).await?;
    epoch(&store, Role::Send, &bid("two", 0)).await?;
    let leases = store.leases().await?;
    let owners: Vec<_> = leases.iter().map(|lease| lease.owner.as_deref()).collect();
    assert_eq!(owners, [Some("one"), Some("two"), None, None]);
    Ok(())
}

pub(super) async fn who_is_there_is_seen_until_it_leaves_or_is_silent(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let names = |owners: Vec<Box<str>>| owners.join(" ");
    assert_eq!(names(store.attend(&bid("two", 0)).await?), "two");
    assert_eq!(names(store.attend(&bid("one", 5)).await?), "one two");
    assert_eq!(names(store.attend(&bid("one", 6)).await?), "one");
    store.attend(&bid("two", 6)).await?;
    store.leave("one").await?;
    assert_eq!(names(store.attend(&bid("two", 7)).await?), "two");
    Ok(())
}
