//! Calls of somebody else's server: in order where that is asked for, and again after a kill; and threads.

use super::{Ground, Proof, at, bid, claim, epoch, head, outbox, outgoing, sending};
use crate::{Commit, OutboxWrite, Outcome, Role, Settlement, Store};
use model::message::Content;
use model::{AccountId, Channel, Outgoing, RunId};

fn call(message: &str, account: &str) -> Outgoing {
    Outgoing {
        account: AccountId::new(account),
        channel: Channel::Webhook { name: "crm".into() },
        content: Content::Webhook,
        ..outgoing(message)
    }
}

/// Commits calls of two accounts, each in its account's lane.
async fn in_lanes(
    ground: &Ground,
    calls: &[(&str, &str)],
) -> Result<(Store, u64), Box<dyn std::error::Error>> {
    let store = ground.open().await?;
    let decide = epoch(&store, Role::Decide, &bid("decider", 0)).await?;
    let mut commit = Commit::new(0, decide, store.shard(0).await?.mark, at(0));
    commit.heads.push(head("acme", b"a"));
    commit.heads.push(head("beta", b"b"));
    commit.outbox = calls
        .iter()
        .map(|(message, account)| OutboxWrite {
            lane: Some(format!("crm {account}").into()),
            ..outbox(call(message, account))
        })
        .collect();
    store.commit(commit).await?;
    let send = epoch(&store, Role::Send, &bid("sender", 0)).await?;
    Ok((store, send))
}

pub(super) async fn messages_of_a_lane_are_claimed_one_after_the_other(ground: &Ground) -> Proof {
    let calls = [
        ("m_1", "acme"),
        ("m_2", "acme"),
        ("m_3", "beta"),
        ("m_4", "acme"),
    ];
    let (store, send) = in_lanes(ground, &calls).await?;
    let ids = |claimed: &[crate::Claimed]| -> Vec<String> {
        let ids = claimed.iter().map(|one| one.claim.message.to_string());
        ids.collect()
    };
    let settle = |right: crate::Claim, outcome, second| Settlement {
        claim: right,
        outcome,
        detail: "".into(),
        captured: None,
        now: at(second),
    };
    let first = claim(&store, send, 1).await?;
    assert_eq!(ids(&first), ["m_1", "m_3"]);
    assert!(claim(&store, send, 1).await?.is_empty());
    let later = settle(first[0].claim.clone(), Outcome::Deferred(at(100)), 2);
    assert!(store.settle(later).await?);
    assert!(
        claim(&store, send, 50).await?.is_empty(),
        "what waits goes first all the same"
    );
    let again = claim(&store, send, 100).await?;
    assert_eq!(ids(&again), ["m_1"]);
    let refused = settle(again[0].claim.clone(), Outcome::Refused, 101);
    assert!(store.settle(refused).await?);
    assert_eq!(ids(&claim(&store, send, 102).await?), ["m_2"]);
    Ok(())
}

pub(super) async fn a_call_that_was_under_way_is_made_again_however_often(
    ground: &Ground,
) -> Proof {
    let (store, mut send) = sending(ground, vec![call("m_1", "acme")]).await?;
    for n in 1..=6_u32 {
        let now = i64::from(n) * 100;
        let right = claim(&store, send, now).await?.remove(0).claim;
        assert!(store.attempt(&right, n, at(now)).await?);
        send = epoch(&store, Role::Send, &bid(&format!("sender-{n}"), now + 50)).await?;
        assert_eq!(store.recover(0, send, at(now + 51)).await?.resent, 1);
    }
    let claimed = claim(&store, send, 1_000).await?;
    assert_eq!(claimed[0].attempts, 6);
    Ok(())
}

pub(super) async fn a_run_has_one_thread_in_each_channel(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let run = RunId::new("r_1");
    assert_eq!(store.thread(&run, "C1").await?, None);
    store.keep_thread(&run, "C1", "1.1").await?;
    store.keep_thread(&run, "C1", "2.2").await?;
    store.keep_thread(&run, "C2", "3.3").await?;
    assert_eq!(store.thread(&run, "C1").await?.as_deref(), Some("1.1"));
    assert_eq!(store.thread(&run, "C2").await?.as_deref(), Some("3.3"));
    assert_eq!(store.thread(&RunId::new("r_2"), "C1").await?, None);
    Ok(())
}
