//! The gate: what is suppressed, paused or over its cap does not leave.

use super::outbox::state;
use super::{Ground, Proof, at, bid, claim, epoch, outgoing, sending};
use crate::{
    AddressKey, Basis, Cap, ClaimRequest, Claimed, ClockMode, Consent, Lift, Outcome, Person,
    Reason, Role, Scope, Settlement, Store, Suppression, Switch, Tuning,
};
use model::{AccountId, Channel, DeliveryState, Fact, Mailbox, Outgoing, Purpose};
use std::time::Duration;

/// The address that messages of these cases go to first.
const WHOM: AddressKey = AddressKey([7; 32]);

pub(super) fn mail(id: &str, topic: &str, purpose: Purpose) -> Outgoing {
    Outgoing {
        channel: Channel::Email {
            to: mailbox("tanaka@ACME.example"),
            contact: "p-1".into(),
            cc: Vec::new(),
            from: mailbox("cs@vendor.example"),
            reply_to: None,
        },
        topic: Some(topic.into()),
        purpose: Some(purpose),
        ..outgoing(id)
    }
}

fn mailbox(address: &str) -> Mailbox {
    Mailbox {
        name: None,
        address: address.into(),
    }
}

pub(super) fn no(key: AddressKey, scope: Scope, second: i64) -> Suppression {
    Suppression {
        key,
        scope,
        reason: Reason::Unsubscribed,
        proof: "one click".into(),
        at: at(second),
        until: None,
    }
}

fn lift(scope: Scope, reason: Option<Reason>, second: i64) -> Lift {
    Lift {
        key: WHOM,
        scope,
        reason,
        proof: "asked for".into(),
        at: at(second),
    }
}

fn tanaka() -> Person {
    Person {
        account: AccountId::new("acme"),
        contact: "p-1".into(),
    }
}

fn ids(claimed: &[Claimed]) -> Vec<&str> {
    claimed
        .iter()
        .map(|one| one.claim.message.as_str())
        .collect()
}

async fn told(store: &Store) -> Result<Vec<Fact>, Box<dyn std::error::Error>> {
    let mut facts = Vec::new();
    for shard in 0..store.shards() {
        for fact in store.read_log(shard, 0, 100, usize::MAX).await? {
            facts.push(serde_json::from_str(&fact.json)?);
        }
    }
    Ok(facts)
}

pub(super) async fn what_is_suppressed_is_not_claimed(ground: &Ground) -> Proof {
    let all = vec![
        mail("m_news", "news", Purpose::Promotional),
        mail("m_tips", "tips", Purpose::Service),
        mail("m_bill", "bill", Purpose::Contractual),
    ];
    let (store, send) = sending(ground, all).await?;
    let news = Scope::Topic("news".into());
    assert!(store.suppress(no(WHOM, news, 1), None).await?);
    let claimed = claim(&store, send, 2).await?;
    assert_eq!(ids(&claimed), ["m_tips", "m_bill"]);
    assert_eq!(state(&store, "m_news").await?, DeliveryState::Suppressed);
    let facts = told(&store).await?;
    let data = serde_json::json!({"message": "m_news", "state": "suppressed", "attempt": 0,
        "scope": "topic:news", "reason": "unsubscribed"});
    assert_eq!(facts.len(), 1);
    assert_eq!(serde_json::Value::Object(facts[0].data.clone()), data);
    Ok(())
}

pub(super) async fn each_scope_stops_its_own(ground: &Ground) -> Proof {
    for (scope, left) in [
        (Scope::All, vec![]),
        (Scope::Leavable, vec!["m_bill"]),
        (Scope::Promotional, vec!["m_tips", "m_bill"]),
        (Scope::Topic("tips".into()), vec!["m_news", "m_bill"]),
        (
            Scope::Topic("bill".into()),
            vec!["m_news", "m_tips", "m_bill"],
        ),
    ] {
        let ground = ground.beside().await;
        let all = vec![
            mail("m_news", "news", Purpose::Promotional),
            mail("m_tips", "tips", Purpose::Service),
            mail("m_bill", "bill", Purpose::Contractual),
        ];
        let (store, send) = sending(&ground, all).await?;
        store.suppress(no(WHOM, scope.clone(), 1), None).await?;
        assert_eq!(ids(&claim(&store, send, 2).await?), left, "{scope:?}");
    }
    Ok(())
}

pub(super) async fn what_is_claimed_finds_out_before_its_bytes_leave(ground: &Ground) -> Proof {
    let all = vec![
        mail("m_1", "news", Purpose::Promotional),
        mail("m_2", "news", Purpose::Promotional),
    ];
    let (store, send) = sending(ground, all).await?;
    let claimed = claim(&store, send, 1).await?;
    let (begun, idle) = (&claimed[0].claim, &claimed[1].claim);
    assert!(store.attempt(begun, 1, at(1)).await?);
    assert!(store.may_send(begun, at(1)).await?);
    store.suppress(no(WHOM, Scope::Leavable, 2), None).await?;
    assert!(!store.may_send(begun, at(2)).await?);
    assert!(!store.attempt(idle, 1, at(2)).await?);
    let later = Settlement {
        claim: begun.clone(),
        outcome: Outcome::Deferred(at(3)),
        detail: "not permitted".into(),
        captured: None,
        now: at(2),
    };
    assert!(store.settle(later).await?);
    assert!(claim(&store, send, 3).await?.is_empty());
    assert_eq!(state(&store, "m_1").await?, DeliveryState::Suppressed);
    Ok(())
}

pub(super) async fn who_is_suppressed_gets_no_copy(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let mut message = mail("m_bill", "bill", Purpose::Contractual);
    if let Channel::Email { cc, .. } = &mut message.channel {
        *cc = vec![mailbox("a@acme.example"), mailbox("b@acme.example")];
    }
    let decide = epoch(&store, Role::Decide, &bid("decider", 0)).await?;
    let mut commit = crate::Commit::new(0, decide, store.shard(0).await?.mark, at(0));
    let (a, b) = (AddressKey([8; 32]), AddressKey([9; 32]));
    commit.outbox = vec![crate::OutboxWrite {
        outgoing: message,
        addresses: vec![WHOM, a, b],
        lane: None,
        related_until: None,
    }];
    store.commit(commit).await?;
    let send = epoch(&store, Role::Send, &bid("sender", 0)).await?;
    store.suppress(no(a, Scope::All, 1), None).await?;
    let claimed = claim(&store, send, 2).await?.remove(0);
    let Channel::Email { cc, .. } = &claimed.outgoing.channel else {
        return Err("it is a mail".into());
    };
    assert_eq!(cc, &[mailbox("b@acme.example")]);
    assert_eq!(claimed.addresses, [WHOM, b]);
    assert!(store.attempt(&claimed.claim, 1, at(2)).await?);
    store.suppress(no(b, Scope::All, 3), None).await?;
    assert!(!store.may_send(&claimed.claim, at(3)).await?);
    Ok(())
}

pub(super) async fn the_same_no_again_changes_nothing(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let said = no(WHOM, Scope::Leavable, 1);
    assert!(store.suppress(said.clone(), Some(tanaka())).await?);
    assert!(!store.suppress(said.clone(), Some(tanaka())).await?);
    let brief = Suppression {
        until: Some(at(100)),
        ..said.clone()
    };
    assert!(!store.suppress(brief, Some(tanaka())).await?);
    let bounced = Suppression {
        reason: Reason::Bounced,
        until: Some(at(100)),
        ..said
    };
    assert!(store.suppress(bounced.clone(), None).await?);
    let longer = Suppression {
        until: Some(at(200)),
        ..bounced
    };
    assert!(store.suppress(longer, None).await?);
    assert_eq!(store.suppressions(WHOM, at(1)).await?.len(), 3);
    let (stands, epoch) = store.standing(WHOM).await?;
    assert_eq!((stands.len(), epoch), (2, 3));
    assert_eq!(told(&store).await?.len(), 3);
    Ok(())
}

pub(super) async fn a_no_may_end_by_itself(ground: &Ground) -> Proof {
    let late = Outgoing {
        not_before: at(10),
        ..mail("m_2", "news", Purpose::Promotional)
    };
    let all = vec![mail("m_1", "news", Purpose::Promotional), late];
    let (store, send) = sending(ground, all).await?;
    let brief = Suppression {
        until: Some(at(10)),
        ..no(WHOM, Scope::All, 1)
    };
    store.suppress(brief, None).await?;
    assert!(claim(&store, send, 9).await?.is_empty());
    assert_eq!(ids(&claim(&store, send, 10).await?), ["m_2"]);
    assert!(store.suppressions(WHOM, at(9)).await?[0].is_in_force);
    assert!(!store.suppressions(WHOM, at(10)).await?[0].is_in_force);
    Ok(())
}

pub(super) async fn what_is_lifted_stays_in_the_ledger(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![mail("m_1", "news", Purpose::Service)]).await?;
    let bounced = Suppression {
        reason: Reason::Bounced,
        ..no(WHOM, Scope::All, 1)
    };
    store.suppress(no(WHOM, Scope::All, 1), None).await?;
    store.suppress(bounced, None).await?;
    let undo = lift(Scope::All, Some(Reason::Unsubscribed), 2);
    assert!(store.unsuppress(undo.clone(), None).await?);
    assert!(
        !store.unsuppress(undo, None).await?,
        "nothing is left of it"
    );
    let (stands, _) = store.standing(WHOM).await?;
    assert_eq!(stands, [(Scope::All, Reason::Bounced)]);
    assert!(store.unsuppress(lift(Scope::All, None, 3), None).await?);
    assert!(
        !store
            .unsuppress(lift(Scope::Promotional, None, 3), None)
            .await?
    );
    let rows = store.suppressions(WHOM, at(4)).await?;
    let shown: Vec<(Reason, bool, bool)> = rows
        .iter()
        .map(|row| (row.said.reason, row.is_lifted, row.is_in_force))
        .collect();
    let (left, came_back) = (Reason::Unsubscribed, Reason::Bounced);
    assert_eq!(
        shown,
        [
            (left, false, false),
            (came_back, false, false),
            (left, true, false),
            (came_back, true, false)
        ]
    );
    assert_eq!(ids(&claim(&store, send, 4).await?), ["m_1"]);
    for edit in [
        "DELETE FROM suppression",
        "UPDATE suppression SET scope = 'topic:x'",
        "UPDATE suppression SET until = 0",
    ] {
        assert!(store.tamper(edit).await.is_err(), "{edit}");
    }
    Ok(())
}

pub(super) async fn a_no_is_told_to_every_log_that_knows_the_address(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![mail("m_1", "news", Purpose::Service)]).await?;
    let other = Person {
        account: AccountId::new("beta"),
        contact: "p-9".into(),
    };
    store.suppress(no(WHOM, Scope::All, 1), Some(other)).await?;
    // The gate tells acme by the fate of its message, and from then on acme's log is told too.
    assert!(claim(&store, send, 2).await?.is_empty());
    store.unsuppress(lift(Scope::All, None, 3), None).await?;
    let mut shown: Vec<(String, String)> = told(&store)
        .await?
        .into_iter()
        .map(|fact| (fact.kind.into(), fact.subject.unwrap_or_default().into()))
        .collect();
    shown.sort();
    let pair = |kind: &str, account: &str| (kind.to_owned(), account.to_owned());
    assert_eq!(
        shown,
        [
            pair("contact.suppressed", "beta"),
            pair("contact.unsuppressed", "acme"),
            pair("contact.unsuppressed", "beta"),
            pair("message.settled", "acme"),
        ]
    );
    Ok(())
}

pub(super) async fn under_the_log_clock_a_no_carries_no_time(ground: &Ground) -> Proof {
    let store = ground.open_with(ClockMode::Log, Tuning::default()).await?;
    let said = no(WHOM, Scope::Topic("news".into()), 1);
    store.suppress(said, Some(tanaka())).await?;
    let facts = told(&store).await?;
    assert_eq!(facts.len(), 1);
    assert_eq!(
        (facts[0].time, &*facts[0].kind),
        (None, "contact.suppressed")
    );
    let data =
        serde_json::json!({"contact": "p-1", "scope": "topic:news", "reason": "unsubscribed"});
    assert_eq!(serde_json::Value::Object(facts[0].data.clone()), data);
    Ok(())
}

pub(super) async fn each_switch_holds_back_its_own_and_starves_nobody(ground: &Ground) -> Proof {
    let mut all: Vec<Outgoing> = (0..40)
        .map(|n| mail(&format!("m_{n:02}"), "news", Purpose::Promotional))
        .collect();
    all.push(Outgoing {
        workflow: "onboarding".into(),
        ..mail("m_flow", "tips", Purpose::Service)
    });
    let mut elsewhere = mail("m_far", "tips", Purpose::Service);
    if let Channel::Email { to, .. } = &mut elsewhere.channel {
        *to = mailbox("x@Other.example");
    }
    all.push(elsewhere);
    all.push(mail("m_pass", "tips", Purpose::Service));
    let (store, send) = sending(ground, all).await?;
    let switch = |name: &str, is_on, second| Switch {
        name: name.into(),
        is_on,
        at: at(second),
        note: "drill".into(),
    };
    for name in ["topic:news", "workflow:onboarding", "domain:other.example"] {
        store.set_switch(switch(name, false, 0)).await?;
    }
    let passed = claim(&store, send, 1).await?;
    assert_eq!(ids(&passed), ["m_pass"], "forty before it are held");
    store
        .set_switch(switch("domain:acme.example", false, 2))
        .await?;
    assert!(!store.attempt(&passed[0].claim, 1, at(2)).await?);
    store
        .set_switch(switch("domain:acme.example", true, 3))
        .await?;
    assert!(store.attempt(&passed[0].claim, 1, at(3)).await?);
    assert!(claim(&store, send, 3).await?.is_empty());
    store
        .set_switch(switch("domain:other.example", true, 4))
        .await?;
    assert_eq!(ids(&claim(&store, send, 4).await?), ["m_far"], "at once");
    let off: Vec<Box<str>> = store
        .switches()
        .await?
        .into_iter()
        .filter(|switch| !switch.is_on)
        .map(|switch| switch.name)
        .collect();
    assert_eq!(off, ["topic:news".into(), "workflow:onboarding".into()]);
    assert!(
        store
            .delivery(&model::MessageId::new("m_00"))
            .await?
            .is_some_and(|(delivery, _)| &*delivery.detail == "paused: topic:news"
                && delivery.state == DeliveryState::Deferred)
    );
    Ok(())
}

fn capped(epoch: u64, second: i64, at_most: u32) -> ClaimRequest {
    ClaimRequest {
        shard: 0,
        epoch,
        now: at(second),
        count_max: 10,
        cap: Some(Cap {
            at_most,
            within: Duration::from_secs(100),
        }),
        jurisdiction: model::Jurisdiction::Us,
    }
}

pub(super) async fn a_cap_defers_what_is_too_much_for_one_address(ground: &Ground) -> Proof {
    let all = vec![
        mail("m_1", "bill", Purpose::Contractual),
        mail("m_2", "news", Purpose::Promotional),
        mail("m_3", "news", Purpose::Promotional),
        mail("m_4", "bill", Purpose::Contractual),
    ];
    let (store, send) = sending(ground, all).await?;
    let claimed = store.claim(capped(send, 1, 2)).await?;
    assert_eq!(
        ids(&claimed),
        ["m_1", "m_2", "m_4"],
        "what is contractual is not held"
    );
    assert!(store.attempt(&claimed[1].claim, 1, at(1)).await?);
    // What was not sent is given back.
    for place in [1, 2] {
        let refused = Settlement {
            claim: claimed[place].claim.clone(),
            outcome: Outcome::Refused,
            detail: "550 no".into(),
            captured: None,
            now: at(2),
        };
        assert!(store.settle(refused).await?);
    }
    assert!(
        store.claim(capped(send, 50, 2)).await?.is_empty(),
        "deferred"
    );
    assert_eq!(state(&store, "m_3").await?, DeliveryState::Deferred);
    assert_eq!(ids(&store.claim(capped(send, 101, 2)).await?), ["m_3"]);
    Ok(())
}

pub(super) async fn a_cap_is_never_passed_by_several_senders(ground: &Ground) -> Proof {
    let all = (0..30)
        .map(|n| mail(&format!("m_{n:02}"), "news", Purpose::Promotional))
        .collect();
    let (one, send) = sending(ground, all).await?;
    let two = ground.open().await?;
    let mut count = 0;
    for second in [1, 2, 3] {
        let (mine, its) = tokio::join!(
            one.claim(capped(send, second, 3)),
            two.claim(capped(send, second, 3))
        );
        count += mine?.len() + its?.len();
    }
    assert_eq!(count, 3);
    assert!(one.claim(capped(send, 100, 3)).await?.is_empty());
    assert_eq!(one.claim(capped(send, 104, 3)).await?.len(), 3);
    Ok(())
}

pub(super) async fn consent_is_kept_and_opens_nothing(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![mail("m_1", "news", Purpose::Promotional)]).await?;
    let proof = |basis, second| Consent {
        key: WHOM,
        basis,
        who: "cs".into(),
        how: "form 12".into(),
        wording: "5d41".into(),
        at: at(second),
        until: None,
    };
    store.suppress(no(WHOM, Scope::Leavable, 1), None).await?;
    store.add_consent(proof(Basis::Consent, 2)).await?;
    store.add_consent(proof(Basis::Contract, 3)).await?;
    let found = store.consents(WHOM).await?;
    assert_eq!(found, [proof(Basis::Consent, 2), proof(Basis::Contract, 3)]);
    assert!(store.consents(AddressKey([1; 32])).await?.is_empty());
    assert!(claim(&store, send, 4).await?.is_empty());
    Ok(())
}
