//! What becomes of claims.

use super::outbox::state;
use super::{Ground, Proof, at, bid, claim, epoch, outgoing, sending};
use crate::{Captured, Claim, Failure, Outcome, Recovered, Role, Settlement};
use model::{DeliveryState, Fact, MessageId, Outgoing};

fn settlement(claim: &Claim, outcome: Outcome, second: i64) -> Settlement {
    Settlement {
        claim: claim.clone(),
        outcome,
        detail: "as the server said".into(),
        captured: None,
        now: at(second),
    }
}

pub(super) async fn a_fate_is_told_in_the_log(ground: &Ground) -> Proof {
    let outcomes = [
        (Outcome::Sent, DeliveryState::Sent),
        (Outcome::Refused, DeliveryState::Refused),
        (Outcome::Unknown, DeliveryState::Unknown),
        (Outcome::Suppressed, DeliveryState::Suppressed),
        (Outcome::Expired, DeliveryState::Expired),
    ];
    let all = (0..outcomes.len())
        .map(|n| outgoing(&format!("m_{n}")))
        .collect();
    let (store, send) = sending(ground, all).await?;
    let claimed = claim(&store, send, 1).await?;
    for (one, (outcome, expected)) in claimed.iter().zip(outcomes) {
        assert!(store.attempt(&one.claim, 1, at(1)).await?);
        assert!(store.settle(settlement(&one.claim, outcome, 2)).await?);
        assert_eq!(state(&store, one.claim.message.as_str()).await?, expected);
    }
    let log = store.read_log(0, 0, 10, usize::MAX).await?;
    assert_eq!(log.len(), outcomes.len());
    let fact: Fact = serde_json::from_str(&log[0].json)?;
    assert_eq!(
        (&*fact.kind, fact.subject.as_deref()),
        ("message.settled", Some("acme"))
    );
    assert_eq!(fact.time, Some(at(2)));
    let told = serde_json::json!({"message": "m_0", "state": "sent", "attempt": 1});
    assert_eq!(serde_json::Value::Object(fact.data), told);
    let counts = store.delivery_counts().await?;
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 5);
    Ok(())
}

pub(super) async fn what_expired_is_settled_as_that(ground: &Ground) -> Proof {
    let message = Outgoing {
        expires_at: Some(at(5)),
        ..outgoing("m_1")
    };
    let (store, send) = sending(ground, vec![message]).await?;
    assert!(claim(&store, send, 5).await?.is_empty());
    assert_eq!(state(&store, "m_1").await?, DeliveryState::Expired);
    assert_eq!(store.log_end(0).await?, 1);
    assert!(claim(&store, send, 6).await?.is_empty());
    assert_eq!(store.log_end(0).await?, 1);
    Ok(())
}

pub(super) async fn a_deferred_message_comes_again(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![outgoing("m_1")]).await?;
    let right = claim(&store, send, 1).await?.remove(0).claim;
    let later = settlement(&right, Outcome::Deferred(at(60)), 2);
    assert!(store.settle(later).await?);
    assert_eq!(store.log_end(0).await?, 0, "it is no fate yet");
    assert!(claim(&store, send, 59).await?.is_empty());
    let again = claim(&store, send, 60).await?.remove(0).claim;
    assert_ne!(again, right);
    Ok(())
}

pub(super) async fn a_claim_is_settled_once(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![outgoing("m_1")]).await?;
    let right = claim(&store, send, 1).await?.remove(0).claim;
    assert!(store.attempt(&right, 1, at(1)).await?);
    assert!(store.settle(settlement(&right, Outcome::Sent, 2)).await?);
    assert!(
        store.settle(settlement(&right, Outcome::Sent, 3)).await?,
        "the same again"
    );
    assert!(
        !store
            .settle(settlement(&right, Outcome::Refused, 3))
            .await?
    );
    assert_eq!(store.log_end(0).await?, 1);
    assert_eq!(state(&store, "m_1").await?, DeliveryState::Sent);
    Ok(())
}

pub(super) async fn what_is_asked_at_once_has_its_own_answer(ground: &Ground) -> Proof {
    let all = (0..10).map(|n| outgoing(&format!("m_{n}"))).collect();
    let (store, send) = sending(ground, all).await?;
    let mut claims: Vec<Claim> = claim(&store, send, 1)
        .await?
        .into_iter()
        .map(|one| one.claim)
        .collect();
    // The last one is claimed by a sender whose lease was taken.
    claims[9].epoch += 1;
    let mut asking = tokio::task::JoinSet::new();
    for (n, right) in (0..10).chain(0..9).zip(claims.iter().chain(&claims[..9])) {
        let (store, right) = (store.clone(), right.clone());
        asking.spawn(async move { (n, store.attempt(&right, 1, at(1)).await) });
    }
    assert_eq!(yes(asking).await?, [2, 2, 2, 2, 2, 2, 2, 2, 2, 0]);
    let mut asking = tokio::task::JoinSet::new();
    for (n, right) in (0..10).chain(0..9).zip(claims.iter().chain(&claims[..9])) {
        let outcome = match asking.len() {
            18 => Outcome::Refused,
            _ => Outcome::Sent,
        };
        let (store, settlement) = (store.clone(), settlement(right, outcome, 2));
        asking.spawn(async move { (n, store.settle(settlement).await) });
    }
    assert_eq!(yes(asking).await?, [2, 2, 2, 2, 2, 2, 2, 2, 1, 0]);
    let mut told: Vec<String> = Vec::new();
    for line in store.read_log(0, 0, 100, usize::MAX).await? {
        let fact: Fact = serde_json::from_str(&line.json)?;
        told.push(fact.data["message"].as_str().unwrap_or_default().to_owned());
    }
    told.sort();
    let expected: Vec<String> = (0..9).map(|n| format!("m_{n}")).collect();
    assert_eq!(told, expected, "each fate once");
    assert_eq!(state(&store, "m_7").await?, DeliveryState::Sent);
    assert_eq!(state(&store, "m_9").await?, DeliveryState::Claimed);
    Ok(())
}

/// How many of ten were answered with yes, how often.
async fn yes(
    mut asking: tokio::task::JoinSet<(usize, Result<bool, Failure>)>,
) -> Result<[u32; 10], Box<dyn std::error::Error>> {
    let mut yes = [0; 10];
    while let Some(answered) = asking.join_next().await {
        let (n, answer) = answered?;
        yes[n] += u32::from(answer?);
    }
    Ok(yes)
}

pub(super) async fn a_new_sender_takes_over_what_an_old_one_left(ground: &Ground) -> Proof {
    let all = vec![outgoing("m_1"), outgoing("m_2"), outgoing("m_3")];
    let (store, old) = sending(ground, all).await?;
    let claimed = claim(&store, old, 1).await?;
    assert!(store.attempt(&claimed[0].claim, 1, at(1)).await?);
    assert!(store.attempt(&claimed[2].claim, 1, at(1)).await?);
    assert!(
        store
            .settle(settlement(&claimed[2].claim, Outcome::Sent, 2))
            .await?
    );
    let none = store.recover(0, old, at(3)).await?;
    assert_eq!(none, Recovered::default(), "its own claims are under way");
    let new = epoch(&store, Role::Send, &bid("other", 10)).await?;
    assert_eq!(store.recover(0, old, at(11)).await?, Recovered::default());
    let recovered = store.recover(0, new, at(11)).await?;
    let expected = Recovered {
        queued: 1,
        unknown: 1,
        resent: 0,
    };
    assert_eq!(recovered, expected);
    assert_eq!(state(&store, "m_1").await?, DeliveryState::Unknown);
    assert_eq!(state(&store, "m_2").await?, DeliveryState::Queued);
    assert_eq!(state(&store, "m_3").await?, DeliveryState::Sent);
    assert_eq!(store.recover(0, new, at(12)).await?, Recovered::default());
    Ok(())
}

pub(super) async fn a_zombie_sender_begins_nothing_and_settles_nothing(ground: &Ground) -> Proof {
    let (one, old) = sending(ground, vec![outgoing("m_1"), outgoing("m_2")]).await?;
    let claimed = claim(&one, old, 1).await?;
    let (begun, idle) = (&claimed[0].claim, &claimed[1].claim);
    assert!(one.attempt(begun, 1, at(1)).await?);
    let two = ground.open().await?;
    let new = epoch(&two, Role::Send, &bid("other", 10)).await?;
    two.recover(0, new, at(11)).await?;
    let taken = claim(&two, new, 12).await?;
    assert!(two.attempt(&taken[0].claim, 1, at(12)).await?);
    assert!(claim(&one, old, 13).await?.is_empty());
    assert!(!one.attempt(idle, 1, at(13)).await?);
    assert!(!one.settle(settlement(idle, Outcome::Sent, 13)).await?);
    assert!(!one.settle(settlement(begun, Outcome::Sent, 13)).await?);
    assert_eq!(state(&two, "m_1").await?, DeliveryState::Unknown);
    assert_eq!(state(&two, "m_2").await?, DeliveryState::Claimed);
    Ok(())
}

pub(super) async fn an_unknown_fate_is_sent_again_only_where_the_topic_says_so(
    ground: &Ground,
) -> Proof {
    let message = Outgoing {
        resends_unknown: true,
        ..outgoing("m_1")
    };
    let (store, first) = sending(ground, vec![message]).await?;
    let right = claim(&store, first, 1).await?.remove(0).claim;
    assert!(store.attempt(&right, 1, at(1)).await?);
    let second = epoch(&store, Role::Send, &bid("other", 10)).await?;
    assert_eq!(store.recover(0, second, at(11)).await?.resent, 1);
    let right = claim(&store, second, 11).await?.remove(0).claim;
    assert!(store.attempt(&right, 2, at(11)).await?);
    assert!(
        store
            .settle(settlement(&right, Outcome::Unknown, 12))
            .await?
    );
    assert_eq!(state(&store, "m_1").await?, DeliveryState::Deferred);
    let right = claim(&store, second, 12).await?.remove(0).claim;
    assert!(store.attempt(&right, 3, at(12)).await?);
    assert!(
        store
            .settle(settlement(&right, Outcome::Unknown, 13))
            .await?
    );
    assert_eq!(
        state(&store, "m_1").await?,
        DeliveryState::Unknown,
        "there is an end to it"
    );
    let shown = store.delivery(&MessageId::new("m_1")).await?;
    let attempts = shown.ok_or("it is there")?.1;
    let unknown = attempts
        .iter()
        .all(|one| one.outcome == Some(DeliveryState::Unknown));
    assert!(unknown && attempts.len() == 3);
    Ok(())
}

pub(super) async fn a_captured_mail_needs_no_attempt(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![outgoing("m_1")]).await?;
    let right = claim(&store, send, 1).await?.remove(0).claim;
    let kept = Captured {
        message: MessageId::new("m_1"),
        at: at(2),
        channel: "email".into(),
        to: "tanaka@acme.example".into(),
        subject: "ご契約更新".into(),
        body: b"Subject: x\r\n\r\n".to_vec(),
    };
    let mut sent = settlement(&right, Outcome::Sent, 2);
    sent.captured = Some(kept.clone());
    assert!(store.settle(sent).await?);
    store.capture(kept.clone()).await?;
    let rows = store.captured(0, 10).await?;
    assert_eq!(rows.len(), 1, "a message is kept once");
    let found = store.captured_message(&MessageId::new("m_1")).await?;
    assert_eq!(found.as_ref(), rows.first());
    assert_eq!(rows[0].captured, kept);
    assert!(store.captured(rows[0].number, 10).await?.is_empty());
    Ok(())
}
