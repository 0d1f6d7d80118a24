//! The outbox up to the attempt.

use super::{Ground, Proof, START, at, bid, claim, epoch, head, outbox, outgoing, queue, sending};
use crate::{ClockMode, Commit, Outcome, Role, Settlement, Store, Switch, Tuning};
use model::{Channel, DeliveryState, MessageId, Outgoing};

pub(super) async fn state(
    store: &Store,
    message: &str,
) -> Result<DeliveryState, Box<dyn std::error::Error>> {
    let delivery = store.delivery(&MessageId::new(message)).await?;
    Ok(delivery.ok_or("there is no such message")?.0.state)
}

pub(super) async fn a_message_is_queued_once_however_often_it_is_decided(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![outgoing("m_1")]).await?;
    let claimed = claim(&store, send, 1).await?;
    let epoch = epoch(&store, Role::Decide, &bid("decider", 0)).await?;
    let mut commit = Commit::new(0, epoch, store.shard(0).await?.mark, at(2));
    let other = Outgoing {
        step: "other".into(),
        ..outgoing("m_1")
    };
    commit.outbox = vec![
        outbox(other),
        outbox(outgoing("m_2")),
        outbox(outgoing("m_2")),
    ];
    assert_eq!(store.commit(commit).await?.queued, 1);
    assert_eq!(state(&store, "m_1").await?, DeliveryState::Claimed);
    let again = claim(&store, send, 3).await?;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].outgoing, outgoing("m_2"));
    assert_eq!(claimed[0].outgoing, outgoing("m_1"));
    assert_eq!(claimed[0].addresses, [crate::AddressKey([7; 32])]);
    Ok(())
}

pub(super) async fn a_message_says_which_text_decided_it(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let first = store.put_revision(b"first".to_vec(), at(0)).await?;
    store.activate(first, at(0), false).await?;
    queue(&store, vec![outgoing("m_1")]).await?;
    let second = store.put_revision(b"second".to_vec(), at(1)).await?;
    store.activate(second, at(1), false).await?;
    let send = epoch(&store, Role::Send, &bid("sender", 0)).await?;
    let claimed = claim(&store, send, 2).await?;
    assert_eq!(claimed[0].revision, Some(first));
    Ok(())
}

pub(super) async fn the_most_urgent_goes_first_and_nothing_before_its_time(
    ground: &Ground,
) -> Proof {
    let message = |id, priority, second| Outgoing {
        priority,
        not_before: at(second),
        ..outgoing(id)
    };
    let all = vec![
        message("m_late", 1, 10),
        message("m_usual", 5, 0),
        message("m_urgent", 1, 2),
    ];
    let (store, send) = sending(ground, all).await?;
    let ids = |claimed: Vec<crate::Claimed>| -> Vec<String> {
        let ids = claimed.iter().map(|one| one.claim.message.to_string());
        ids.collect()
    };
    assert_eq!(ids(claim(&store, send, 9).await?), ["m_urgent", "m_usual"]);
    assert_eq!(ids(claim(&store, send, 10).await?), ["m_late"]);
    Ok(())
}

pub(super) async fn the_log_clock_hands_over_at_once_and_tells_no_fates(ground: &Ground) -> Proof {
    let store = ground.open_with(ClockMode::Log, Tuning::default()).await?;
    let message = Outgoing {
        not_before: at(1_000_000),
        expires_at: Some(at(-1_000_000)),
        ..outgoing("m_1")
    };
    queue(&store, vec![message]).await?;
    let send = epoch(&store, Role::Send, &bid("sender", 0)).await?;
    let claimed = claim(&store, send, 0).await?;
    assert!(store.attempt(&claimed[0].claim, 1, at(0)).await?);
    let settlement = Settlement {
        claim: claimed[0].claim.clone(),
        outcome: Outcome::Sent,
        detail: "250 ok".into(),
        captured: None,
        now: at(1),
    };
    assert!(store.settle(settlement).await?);
    assert_eq!(state(&store, "m_1").await?, DeliveryState::Sent);
    assert_eq!(store.log_end(0).await?, 0);
    Ok(())
}

pub(super) async fn shadow_stays_in_the_store(ground: &Ground) -> Proof {
    let message = Outgoing {
        is_shadow: true,
        ..outgoing("m_1")
    };
    let (store, send) = sending(ground, vec![message]).await?;
    assert!(claim(&store, send, 9).await?.is_empty());
    assert_eq!(state(&store, "m_1").await?, DeliveryState::Shadow);
    Ok(())
}

pub(super) async fn a_message_is_claimed_once(ground: &Ground) -> Proof {
    let all = (0..20).map(|n| outgoing(&format!("m_{n:02}"))).collect();
    let (one, send) = sending(ground, all).await?;
    let two = ground.open().await?;
    let (mine, its) = tokio::join!(claim(&one, send, 1), claim(&two, send, 1));
    let mut ids: Vec<String> = mine?
        .iter()
        .chain(&its?)
        .map(|one| one.claim.message.to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    assert!(claim(&one, send, 1).await?.is_empty());
    assert!(claim(&one, send + 1, 1).await?.is_empty());
    Ok(())
}

pub(super) async fn who_lost_the_lease_claims_nothing(ground: &Ground) -> Proof {
    let (store, old) = sending(ground, vec![outgoing("m_1")]).await?;
    let new = epoch(&store, Role::Send, &bid("other", 10)).await?;
    assert!(claim(&store, old, 11).await?.is_empty());
    assert_eq!(claim(&store, new, 11).await?.len(), 1);
    Ok(())
}

pub(super) async fn an_attempt_needs_the_claim_it_was_made_for(ground: &Ground) -> Proof {
    let (store, old) = sending(ground, vec![outgoing("m_1")]).await?;
    let stale = claim(&store, old, 1).await?.remove(0).claim;
    let new = epoch(&store, Role::Send, &bid("other", 10)).await?;
    assert!(
        !store.attempt(&stale, 1, at(10)).await?,
        "another sender has the lease"
    );
    assert_eq!(store.recover(0, new, at(11)).await?.queued, 1);
    assert!(
        !store.attempt(&stale, 1, at(11)).await?,
        "it is queued again"
    );
    let fresh = claim(&store, new, 12).await?.remove(0).claim;
    assert!(
        !store.attempt(&stale, 1, at(12)).await?,
        "it is claimed by another"
    );
    assert!(!store.may_send(&stale, at(12)).await?);
    assert!(store.attempt(&fresh, 1, at(12)).await?);
    assert!(store.may_send(&fresh, at(12)).await?);
    Ok(())
}

pub(super) async fn an_attempt_may_be_written_again_by_its_own_claim(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![outgoing("m_1")]).await?;
    let right = claim(&store, send, 1).await?.remove(0).claim;
    assert!(store.attempt(&right, 1, at(1)).await?);
    assert!(store.attempt(&right, 1, at(2)).await?);
    let deferred = Settlement {
        claim: right,
        outcome: Outcome::Deferred(at(5)),
        detail: "450 later".into(),
        captured: None,
        now: at(3),
    };
    assert!(store.settle(deferred).await?);
    let next = claim(&store, send, 5).await?.remove(0);
    assert_eq!(next.attempts, 1);
    assert!(
        !store.attempt(&next.claim, 1, at(5)).await?,
        "that number is used"
    );
    assert!(store.attempt(&next.claim, 2, at(5)).await?);
    let shown = store.delivery(&MessageId::new("m_1")).await?;
    let (delivery, attempts) = shown.ok_or("it is there")?;
    assert_eq!((delivery.attempts, attempts.len()), (2, 2));
    assert_eq!(attempts[0].outcome, Some(DeliveryState::Deferred));
    assert_eq!(
        (attempts[0].started_at, attempts[0].ended_at),
        (at(1), Some(at(3)))
    );
    assert_eq!(attempts[1].outcome, None);
    Ok(())
}

pub(super) async fn a_switch_stops_claims_and_attempts(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![outgoing("m_1"), outgoing("m_2")]).await?;
    let request = crate::ClaimRequest {
        shard: 0,
        epoch: send,
        now: at(1),
        count_max: 1,
        cap: None,
        jurisdiction: model::Jurisdiction::Us,
    };
    let right = store.claim(request).await?.remove(0).claim;
    let switch = |is_on, second| Switch {
        name: Switch::SEND.into(),
        is_on,
        at: at(second),
        note: "drill".into(),
    };
    store.set_switch(switch(false, 2)).await?;
    assert!(claim(&store, send, 3).await?.is_empty());
    assert!(!store.attempt(&right, 1, at(3)).await?);
    store.set_switch(switch(true, 4)).await?;
    assert_eq!(store.switch(Switch::SEND).await?, Some(switch(true, 4)));
    assert!(store.attempt(&right, 1, at(5)).await?);
    assert_eq!(claim(&store, send, 5).await?.len(), 1);
    Ok(())
}

pub(super) async fn only_what_waits_is_withdrawn(ground: &Ground) -> Proof {
    let soon = Outgoing {
        not_before: at(100),
        ..outgoing("m_soon")
    };
    let (store, send) = sending(ground, vec![outgoing("m_now"), soon]).await?;
    let right = claim(&store, send, 1).await?.remove(0).claim;
    let decide = epoch(&store, Role::Decide, &bid("decider", 0)).await?;
    let mut commit = Commit::new(0, decide, store.shard(0).await?.mark, at(2));
    commit.withdrawn = vec![
        MessageId::new("m_now"),
        MessageId::new("m_soon"),
        MessageId::new("m_none"),
    ];
    store.commit(commit).await?;
    assert_eq!(state(&store, "m_soon").await?, DeliveryState::Withdrawn);
    assert!(store.attempt(&right, 1, at(3)).await?);
    assert!(claim(&store, send, 200).await?.is_empty());
    Ok(())
}

pub(super) async fn an_expired_claim_begins_nothing(ground: &Ground) -> Proof {
    let message = Outgoing {
        expires_at: Some(at(5)),
        ..outgoing("m_1")
    };
    let (store, send) = sending(ground, vec![message]).await?;
    let right = claim(&store, send, 4).await?.remove(0).claim;
    assert!(!store.attempt(&right, 1, at(5)).await?);
    assert!(store.attempt(&right, 1, at(4)).await?);
    assert!(!store.may_send(&right, at(5)).await?);
    // A message of a run that a zombie decided is not there at all.
    let mut zombie = Commit::new(0, 99, START, at(6));
    zombie.heads.push(head("acme", b"z"));
    zombie.outbox.push(outbox(outgoing("m_zombie")));
    assert!(store.commit(zombie).await.is_err());
    assert!(state(&store, "m_zombie").await.is_err());
    Ok(())
}

pub(super) async fn a_mail_says_which_contact_it_is_for(ground: &Ground) -> Proof {
    let mail = |id, whom: &str| {
        let mut outgoing = super::answer::by_mail(id);
        if let Channel::Email { contact, .. } = &mut outgoing.channel {
            *contact = whom.into();
        }
        outgoing
    };
    let alert = Outgoing {
        channel: Channel::Route {
            route: "csm".into(),
            targets: Vec::new(),
        },
        ..outgoing("m_3")
    };
    let all = vec![mail("m_1", "p-1"), mail("m_2", "p-2"), alert];
    let (store, _) = sending(ground, all).await?;
    let asked = ["m_2", "m_3", "m_4"].map(MessageId::new).to_vec();
    let told = store.contacts(asked).await?;
    let told: Vec<_> = told
        .iter()
        .map(|(id, whom)| (id.as_str(), &**whom))
        .collect();
    assert_eq!(told, [("m_2", "p-2")]);
    Ok(())
}
