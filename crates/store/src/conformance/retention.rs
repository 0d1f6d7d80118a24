//! What is kept for a time only.

use super::{Ground, Proof, at, bid, claim, epoch, facts, head, outbox, outgoing, record, sending};
use crate::{
    AddressKey, Answer as Heard, Answered, Captured, ChainError, Claimed, Commit, DeliveryFilter,
    JournalFilter, Kept, NewFact, Outcome, Prune, PruneError, Pruned, Role, Said, Settlement,
    Store,
};
use model::{MessageId, Outgoing};

type Answer<T> = Result<T, Box<dyn std::error::Error>>;

/// A page that takes all that is older than a second of the tests.
fn page(epoch: u64, before: i64) -> Prune {
    Prune {
        shard: 0,
        epoch,
        before: at(before),
        after: 0,
        rows_max: 100,
    }
}

/// A store whose shard 0 has ten facts, records and commits, one each second, and is decided up to the eighth; and the
/// epoch of who decides it.
async fn ten(ground: &Ground) -> Answer<(Store, u64)> {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    for second in 0..10 {
        let fact = NewFact {
            arrived_at: at(second),
            ..super::fact(0, usize::try_from(second)?)
        };
        store.append(facts(vec![fact])).await?;
        let mut commit = Commit::new(0, epoch, store.shard(0).await?.mark, at(second));
        commit.to_position = u64::try_from(second)?.min(7) + 1;
        commit.heads = vec![head("acme", b"a")];
        commit.journal = vec![record("acme", "renewal", second)];
        store.commit(commit).await?;
    }
    Ok((store, epoch))
}

/// The places of the facts, records and commits that are there.
async fn kept(store: &Store) -> Answer<[Vec<u64>; 3]> {
    let all = JournalFilter {
        count_max: 100,
        ..JournalFilter::default()
    };
    let facts = store.read_back(0, 0, 100, usize::MAX).await?;
    let records = store.journal(0, all).await?;
    let commits = store.batches(0, 0, 100).await?;
    Ok([
        facts.iter().map(|fact| fact.position).collect(),
        records.iter().map(|row| row.place).collect(),
        commits.iter().map(|batch| batch.commits).collect(),
    ])
}

pub(super) async fn what_is_older_than_its_time_goes_from_the_oldest_on(ground: &Ground) -> Proof {
    let (store, epoch) = ten(ground).await?;
    let small = Prune {
        rows_max: 2,
        ..page(epoch, 5)
    };
    for kind in [Kept::Facts, Kept::Records, Kept::Commits] {
        let pages = [(2, Some(2)), (2, Some(4)), (1, None), (0, None)];
        for (rows, after) in pages {
            let pruned = store.prune(kind, small).await?;
            assert_eq!(pruned, Pruned { rows, after }, "{kind:?}");
        }
    }
    let rest: Vec<u64> = (6..=10).collect();
    assert_eq!(kept(&store).await?, [rest.clone(), rest.clone(), rest]);
    assert!(store.check().await?.problems.is_empty());
    let appended = store.append(facts(vec![super::fact(0, 11)])).await?;
    assert_eq!(appended.positions, [11], "positions go on");
    Ok(())
}

pub(super) async fn what_is_not_decided_and_the_newest_row_stay(ground: &Ground) -> Proof {
    let (store, epoch) = ten(ground).await?;
    for kind in Kept::ALL {
        store.prune(kind, page(epoch, 1_000)).await?;
    }
    assert_eq!(kept(&store).await?, [vec![9, 10], vec![10], vec![10]]);
    let mut commit = Commit::new(0, epoch, store.shard(0).await?.mark, at(10));
    commit.to_position = 10;
    store.commit(commit).await?;
    store.prune(Kept::Facts, page(epoch, 1_000)).await?;
    assert_eq!(kept(&store).await?[0], [10]);
    assert!(store.check().await?.problems.is_empty());
    Ok(())
}

pub(super) async fn a_row_that_came_in_late_keeps_what_follows_it(ground: &Ground) -> Proof {
    let (store, epoch) = ten(ground).await?;
    store
        .tamper("UPDATE fact SET arrived_at = 9223372036854775807 WHERE place = 3")
        .await?;
    store.prune(Kept::Facts, page(epoch, 1_000)).await?;
    assert_eq!(kept(&store).await?[0], (3..=10).collect::<Vec<u64>>());
    Ok(())
}

pub(super) async fn a_zombie_removes_nothing(ground: &Ground) -> Proof {
    let (store, old) = ten(ground).await?;
    let new = epoch(&store, Role::Decide, &bid("two", 100)).await?;
    for kind in Kept::ALL {
        let refused = store.prune(kind, page(old, 1_000)).await;
        assert!(
            matches!(refused, Err(PruneError::Fenced { shard: 0, epoch }) if epoch == new),
            "{kind:?}: {refused:?}"
        );
    }
    let all: Vec<u64> = (1..=10).collect();
    assert_eq!(kept(&store).await?, [all.clone(), all.clone(), all]);
    Ok(())
}

pub(super) async fn nothing_goes_while_a_text_takes_effect(ground: &Ground) -> Proof {
    let (store, epoch) = ten(ground).await?;
    let all: Vec<u64> = (1..=10).collect();
    for sql in [
        "INSERT INTO revision (id, hash, bytes, stored_at) VALUES (1, 'h', '', 0)",
        "UPDATE shard SET revision = 1 WHERE id = 0",
        "UPDATE shard SET rebased = revision, backfill = 0 WHERE id = 0",
    ] {
        store.tamper(sql).await?;
        if sql.starts_with("INSERT") {
            continue;
        }
        for kind in Kept::ALL {
            let pruned = store.prune(kind, page(epoch, 1_000)).await?;
            assert_eq!(pruned, Pruned::default(), "{kind:?} {sql}");
        }
        assert_eq!(kept(&store).await?[0], all);
    }
    store
        .tamper("UPDATE shard SET backfill = NULL WHERE id = 0")
        .await?;
    assert_eq!(store.prune(Kept::Facts, page(epoch, 3)).await?.rows, 3);
    Ok(())
}

pub(super) async fn the_journal_is_whole_from_where_it_is_kept(ground: &Ground) -> Proof {
    let (store, epoch) = ten(ground).await?;
    store.prune(Kept::Records, page(epoch, 4)).await?;
    let verified = store.verify_journal(0).await?;
    assert_eq!((verified.removed, verified.end), (4, 10));
    let mut commit = Commit::new(0, epoch, store.shard(0).await?.mark, at(11));
    commit.heads = vec![head("acme", b"a")];
    commit.journal = vec![record("acme", "renewal", 11)];
    store.commit(commit).await?;
    store.prune(Kept::Records, page(epoch, 6)).await?;
    let verified = store.verify_journal(0).await?;
    assert_eq!((verified.removed, verified.end), (6, 11));
    for (sql, back, found) in [
        (
            "UPDATE journal SET place = 100 WHERE place = 7",
            "UPDATE journal SET place = 7 WHERE place = 100",
            ChainError::Missing { shard: 0, place: 7 },
        ),
        (
            "UPDATE journal SET at = at + 1 WHERE place = 7",
            "UPDATE journal SET at = at - 1 WHERE place = 7",
            ChainError::Changed { shard: 0, place: 7 },
        ),
        (
            "UPDATE pruned SET upto = 7 WHERE kind = 'records'",
            "UPDATE pruned SET upto = 6 WHERE kind = 'records'",
            ChainError::Changed { shard: 0, place: 7 },
        ),
        (
            "UPDATE pruned SET hash = hash || '0' WHERE kind = 'records'",
            "UPDATE pruned SET hash = substr(hash, 1, 64) WHERE kind = 'records'",
            ChainError::Changed { shard: 0, place: 7 },
        ),
        (
            "UPDATE pruned SET kind = 'other' WHERE kind = 'records'",
            "UPDATE pruned SET kind = 'records' WHERE kind = 'other'",
            ChainError::Missing { shard: 0, place: 1 },
        ),
    ] {
        store.tamper(sql).await?;
        let verified = store.verify_journal(0).await;
        let Err(why) = verified else {
            return Err(format!("{sql} was not found").into());
        };
        assert_eq!(why.to_string(), found.to_string(), "{sql}");
        store.tamper(back).await?;
        assert!(store.verify_journal(0).await.is_ok(), "{back}");
    }
    Ok(())
}

/// A message of that name, decided at the tests' beginning, is claimed and settled at a second.
fn settlement(claimed: &Claimed, outcome: Outcome, second: i64) -> Settlement {
    let message = &claimed.claim.message;
    Settlement {
        claim: claimed.claim.clone(),
        outcome,
        detail: "as the server said".into(),
        captured: (outcome == Outcome::Sent).then(|| Captured {
            message: message.clone(),
            at: at(second),
            channel: "email".into(),
            to: "someone".into(),
            subject: "hello".into(),
            body: b"hello".to_vec(),
        }),
        now: at(second),
    }
}

/// Which messages are there.
async fn there(store: &Store) -> Answer<Vec<String>> {
    let all = DeliveryFilter {
        account: None,
        state: None,
        after: 0,
        count_max: 100,
    };
    let all = store.deliveries(all).await?.into_iter();
    Ok(all.map(|one| one.outgoing.message.to_string()).collect())
}

pub(super) async fn a_settled_message_goes_and_what_waits_stays(ground: &Ground) -> Proof {
    let names = ["m_sent", "m_unknown", "m_deferred", "m_claimed", "m_late"];
    let all = names.map(outgoing).into();
    let (store, send) = sending(ground, all).await?;
    let claimed = claim(&store, send, 1).await?;
    let outcomes = [
        (Outcome::Sent, 2),
        (Outcome::Unknown, 2),
        (Outcome::Deferred(at(9_000)), 2),
    ];
    for (one, (outcome, second)) in claimed.iter().zip(outcomes) {
        assert!(store.attempt(&one.claim, 1, at(1)).await?);
        assert!(store.settle(settlement(one, outcome, second)).await?);
    }
    assert!(store.attempt(&claimed[4].claim, 1, at(1)).await?);
    let late = settlement(&claimed[4], Outcome::Sent, 500);
    assert!(store.settle(late).await?);
    let epoch = epoch(&store, Role::Decide, &bid("decider", 0)).await?;
    let mut commit = Commit::new(0, epoch, store.shard(0).await?.mark, at(600));
    commit.outbox = vec![outbox(outgoing("m_new")), outbox(outgoing("m_newest"))];
    store.commit(commit).await?;
    assert_eq!(store.messages_kept_from().await?, None);
    let small = Prune {
        rows_max: 1,
        ..page(epoch, 100)
    };
    let (mut after, mut rows) = (Some(0), 0);
    while let Some(from) = after {
        let from = Prune {
            after: from,
            ..small
        };
        let pruned = store.prune(Kept::Messages, from).await?;
        (after, rows) = (pruned.after, rows + pruned.rows);
    }
    assert_eq!(rows, 2);
    let rest = ["m_deferred", "m_claimed", "m_late", "m_new", "m_newest"];
    assert_eq!(there(&store).await?, rest);
    assert_eq!(store.messages_kept_from().await?, Some(at(100)));
    let captured = store.captured(0, 10).await?;
    let captured: Vec<&str> = captured
        .iter()
        .map(|row| row.captured.message.as_str())
        .collect();
    assert_eq!(captured, ["m_late"]);
    assert!(store.check().await?.problems.is_empty());
    let under_way = settlement(&claimed[3], Outcome::Sent, 601);
    assert!(
        store.settle(under_way).await?,
        "what was claimed goes on as if nothing had been"
    );
    Ok(())
}

pub(super) async fn a_no_is_kept_though_its_message_is_gone(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![outgoing("m_1"), outgoing("m_2")]).await?;
    let claimed = claim(&store, send, 1).await?;
    assert!(store.attempt(&claimed[0].claim, 1, at(1)).await?);
    let sent = settlement(&claimed[0], Outcome::Sent, 2);
    assert!(store.settle(sent).await?);
    let complaint = |name: &str| Heard {
        message: MessageId::new("m_1"),
        said: Said::Complained,
        name: name.into(),
        about: Vec::new(),
        code: None,
        detail: "".into(),
        now: at(3),
    };
    store.answer(complaint("a")).await?;
    let key = AddressKey([7; 32]);
    let before = store.standing(key).await?;
    assert_eq!(before.0.len(), 1);
    let epoch = epoch(&store, Role::Decide, &bid("decider", 0)).await?;
    let pruned = store.prune(Kept::Messages, page(epoch, 100)).await?;
    assert_eq!(pruned.rows, 1);
    assert_eq!(store.standing(key).await?, before);
    assert_eq!(store.answer(complaint("b")).await?, Answered::Unknown);
    Ok(())
}

/// One round of a busy day: facts, records, messages that stay in the shadow, and some that are sent.
async fn round(store: &Store, (decide, send): (u64, u64), number: i64) -> Proof {
    let second = number * 1_000;
    let told = (0..3_000).map(|n| NewFact {
        arrived_at: at(second),
        ..super::fact(0, n)
    });
    let appended = store.append(facts(told.collect())).await?;
    let mut commit = Commit::new(0, decide, store.shard(0).await?.mark, at(second));
    commit.to_position = *appended.positions.last().ok_or("facts stand somewhere")?;
    commit.heads = vec![head("acme", b"a")];
    commit.journal = vec![record("acme", "renewal", second); 2_000];
    let message = |n: usize| Outgoing {
        is_shadow: n >= 10,
        not_before: at(0),
        ..outgoing(&format!("m_{number}_{n}"))
    };
    commit.outbox = (0..500).map(|n| outbox(message(n))).collect();
    store.commit(commit).await?;
    for claimed in claim(store, send, second).await? {
        assert!(store.attempt(&claimed.claim, 1, at(second)).await?);
        let sent = settlement(&claimed, Outcome::Sent, second);
        assert!(store.settle(sent).await?);
    }
    Ok(())
}

pub(super) async fn tables_stop_growing(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let decide = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let send = epoch(&store, Role::Send, &bid("one", 0)).await?;
    let mut sizes = Vec::new();
    for number in 0..8 {
        round(&store, (decide, send), number).await?;
        for kind in Kept::ALL {
            let mut after = Some(0);
            while let Some(from) = after {
                let page = Prune {
                    after: from,
                    rows_max: 1_000,
                    ..page(decide, number * 1_000)
                };
                after = store.prune(kind, page).await?.after;
            }
        }
        sizes.push(ground.size(&store).await?);
    }
    let (second, last) = (sizes[1], sizes[7]);
    assert!(last * 2 <= second * 3, "they grow: {sizes:?}");
    Ok(())
}
