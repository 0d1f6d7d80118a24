//! Grounds: the whole table of what may leave, by purpose, basis, jurisdiction and refusal.

use super::gate::{mail, no};
use super::outbox::state;
use super::{Ground, Proof, at, bid, epoch, outbox};
use crate::{
    AddressKey, Basis, Cap, ClaimRequest, Claimed, Consent, OutboxWrite, Outcome, Role, Scope,
    Settlement, Store,
};
use futures_util::future::join_all;
use model::{DeliveryState, Jurisdiction, Outgoing, Purpose};
use std::collections::BTreeSet;
use std::time::Duration;

/// Who may be sent what advertises and was not refused: nobody known, consent, business, published, contract.
const ADVERTISING: [(Jurisdiction, [bool; 5]); 4] = [
    (Jurisdiction::Strictest, [false, true, true, false, true]),
    (Jurisdiction::Jp, [false, true, true, true, true]),
    (Jurisdiction::Us, [true, true, true, true, true]),
    (Jurisdiction::Eu, [false, true, true, false, true]),
];
const BASES: [Option<Basis>; 5] = [
    None,
    Some(Basis::Consent),
    Some(Basis::BusinessRelationship),
    Some(Basis::Published),
    Some(Basis::Contract),
];
const PURPOSES: [Option<Purpose>; 4] = [
    None,
    Some(Purpose::Contractual),
    Some(Purpose::Service),
    Some(Purpose::Promotional),
];

/// One case of the table.
struct Case {
    id: String,
    key: AddressKey,
    purpose: Option<Purpose>,
    basis: Option<Basis>,
    is_refused: bool,
    may_leave: bool,
}

fn cases(advertising: [bool; 5]) -> Vec<Case> {
    let mut cases = Vec::new();
    for purpose in PURPOSES {
        for (basis, may_advertise) in BASES.into_iter().zip(advertising) {
            for is_refused in [false, true] {
                let id = format!("m_{purpose:?}_{basis:?}_{is_refused}");
                let may_leave = match purpose {
                    None | Some(Purpose::Contractual) => true,
                    Some(Purpose::Service) => !is_refused,
                    Some(Purpose::Promotional) => may_advertise && !is_refused,
                };
                cases.push(Case {
                    key: AddressKey(model::id::digest(&[&id])),
                    id,
                    purpose,
                    basis,
                    is_refused,
                    may_leave,
                });
            }
        }
    }
    cases
}

fn proof(key: AddressKey, basis: Basis, until: Option<i64>) -> Consent {
    Consent {
        key,
        basis,
        who: "cs".into(),
        how: "form-12".into(),
        wording: "".into(),
        at: at(0),
        until: until.map(at),
    }
}

fn write(id: &str, purpose: Option<Purpose>, key: AddressKey) -> OutboxWrite {
    OutboxWrite {
        addresses: vec![key],
        ..outbox(Outgoing {
            purpose,
            ..mail(id, "news", Purpose::Promotional)
        })
    }
}

async fn claim(
    store: &Store,
    epoch: u64,
    second: i64,
    jurisdiction: Jurisdiction,
) -> Result<Vec<Claimed>, crate::Failure> {
    let request = ClaimRequest {
        shard: 0,
        epoch,
        now: at(second),
        count_max: 1_000,
        cap: None,
        jurisdiction,
    };
    store.claim(request).await
}

pub(super) async fn the_whole_table_of_grounds_holds(ground: &Ground) -> Proof {
    let mut tried = 0;
    for (jurisdiction, advertising) in ADVERTISING {
        let ground = ground.beside().await;
        let store = ground.open().await?;
        let cases = cases(advertising);
        for case in &cases {
            if case.is_refused {
                store
                    .suppress(no(case.key, Scope::Leavable, 0), None)
                    .await?;
            }
            if let Some(basis) = case.basis {
                store.add_consent(proof(case.key, basis, None)).await?;
            }
        }
        let writes = cases
            .iter()
            .map(|case| write(&case.id, case.purpose, case.key));
        super::queue_all(&store, writes.collect()).await?;
        let send = epoch(&store, Role::Send, &bid("sender", 0)).await?;
        let claimed = claim(&store, send, 1, jurisdiction).await?;
        let claimed: BTreeSet<String> = claimed
            .iter()
            .map(|one| one.claim.message.to_string())
            .collect();
        for case in &cases {
            let about = format!("{jurisdiction:?} {}", case.id);
            assert_eq!(claimed.contains(&case.id), case.may_leave, "{about}");
            let expected = if case.may_leave {
                DeliveryState::Claimed
            } else {
                DeliveryState::Suppressed
            };
            assert_eq!(state(&store, &case.id).await?, expected, "{about}");
            tried += 1;
        }
    }
    assert_eq!(tried, 4 * 5 * 4 * 2);
    Ok(())
}

pub(super) async fn a_ground_that_ends_stops_what_is_claimed(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let key = |n: u8| AddressKey([n; 32]);
    store
        .add_consent(proof(key(1), Basis::Consent, Some(10)))
        .await?;
    let related = |id: &str, n: u8| OutboxWrite {
        related_until: Some(at(10)),
        ..write(id, Some(Purpose::Promotional), key(n))
    };
    let agreed = write("m_agreed", Some(Purpose::Promotional), key(1));
    super::queue_all(&store, vec![agreed, related("m_customer", 2)]).await?;
    let send = epoch(&store, Role::Send, &bid("sender", 0)).await?;
    let claimed = claim(&store, send, 9, Jurisdiction::Eu).await?;
    assert_eq!(claimed.len(), 2);
    for one in &claimed {
        assert!(store.may_send(&one.claim, at(9)).await?, "{one:?}");
        assert!(!store.may_send(&one.claim, at(10)).await?, "{one:?}");
        assert!(!store.attempt(&one.claim, 1, at(10)).await?, "{one:?}");
    }
    Ok(())
}

pub(super) async fn who_has_no_ground_is_told_what_is_missing(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let one = write("m_1", Some(Purpose::Promotional), AddressKey([1; 32]));
    super::queue_all(&store, vec![one]).await?;
    let send = epoch(&store, Role::Send, &bid("sender", 0)).await?;
    assert!(claim(&store, send, 1, Jurisdiction::Jp).await?.is_empty());
    let shown = store.delivery(&model::MessageId::new("m_1")).await?;
    let (delivery, _) = shown.ok_or("it is there")?;
    assert!(delivery.detail.starts_with("no_consent: "), "{delivery:?}");
    assert!(
        delivery
            .detail
            .contains("proof of consent, business_relationship, contract, published"),
        "{delivery:?}"
    );
    Ok(())
}

/// Messages by number: two to each person, with copies to two others.
fn many() -> Vec<OutboxWrite> {
    let key = |name: String| AddressKey(model::id::digest(&[&name]));
    let one = |n: usize| OutboxWrite {
        addresses: vec![
            key(format!("whom-{}", n / 2)),
            key(format!("copy-{n}")),
            key("all".into()),
        ],
        ..write(
            &format!("m_{n:03}"),
            Some(Purpose::Promotional),
            AddressKey([0; 32]),
        )
    };
    (0..600).map(one).collect()
}

/// Every second person agreed, every third said no, and so did every fifth who gets a copy.
async fn answers_of_many(store: &Store, many: &[OutboxWrite]) -> Proof {
    for (person, pair) in many.chunks(2).enumerate() {
        let [whom, copy, _] = pair[0].addresses[..] else {
            return Err("each goes to three".into());
        };
        if person.is_multiple_of(2) {
            store.add_consent(proof(whom, Basis::Consent, None)).await?;
        }
        for (each, key) in [(3, whom), (5, copy)] {
            if person.is_multiple_of(each) {
                store.suppress(no(key, Scope::Leavable, 0), None).await?;
            }
        }
    }
    Ok(())
}

/// Begins and settles these at once.
async fn send(store: &Store, claimed: &[Claimed], second: i64) -> Proof {
    let attempts = claimed
        .iter()
        .map(|one| store.attempt(&one.claim, 1, at(second)));
    for begun in join_all(attempts).await {
        assert!(begun?);
    }
    let settling = claimed.iter().map(|one| {
        store.settle(Settlement {
            claim: one.claim.clone(),
            outcome: Outcome::Sent,
            detail: "250 ok".into(),
            captured: None,
            now: at(second),
        })
    });
    for settled in join_all(settling).await {
        assert!(settled?);
    }
    Ok(())
}

/// More than one statement takes: each of many is asked about by itself, and one claim takes all that may leave.
pub(super) async fn of_many_each_is_asked_about(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let many = many();
    answers_of_many(&store, &many).await?;
    super::queue_all(&store, many).await?;
    let epoch = epoch(&store, Role::Send, &bid("sender", 0)).await?;
    for second in [1, 102] {
        let request = ClaimRequest {
            shard: 0,
            epoch,
            now: at(second),
            count_max: 1_000,
            cap: Some(Cap {
                at_most: 1,
                within: Duration::from_secs(100),
            }),
            jurisdiction: Jurisdiction::Eu,
        };
        let claimed = store.claim(request).await?;
        let mut persons = Vec::new();
        for one in &claimed {
            let person = one.claim.message.as_str()[2..].parse::<usize>()? / 2;
            let is_copy_refused = second == 1 && person.is_multiple_of(5);
            let copies = if is_copy_refused { 1 } else { 2 };
            assert_eq!(one.addresses.len(), 1 + copies, "{one:?}");
            persons.push(person);
        }
        let may = |person: &usize| person.is_multiple_of(2) && !person.is_multiple_of(3);
        let expected: Vec<usize> = (0..300).filter(may).collect();
        assert_eq!(persons, expected, "one to each");
        send(&store, &claimed, second).await?;
    }
    let counts = store.delivery_counts().await?;
    let of = |wanted| counts.iter().find(|(state, _)| *state == wanted);
    assert_eq!(of(DeliveryState::Sent).map(|(_, count)| *count), Some(200));
    let suppressed = of(DeliveryState::Suppressed).map(|(_, count)| *count);
    assert_eq!(suppressed, Some(400));
    let told = store.read_log(0, 0, 1_000, usize::MAX).await?;
    let sent = told
        .iter()
        .filter(|fact| fact.json.contains("\"state\":\"sent\""));
    assert_eq!(sent.count(), 200, "each is told once");
    Ok(())
}
