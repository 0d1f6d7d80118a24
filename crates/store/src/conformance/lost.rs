//! Answers that get lost, writers that are killed, disks that are full.

use super::{Ground, Proof, START, at, bid, claim, epoch, fact, facts, head, outgoing, sending};
use crate::sqlite::SmallDisk;
use crate::{AppendError, ClockMode, Commit, CommitError, Failure, NewFact, Role, Store, Tuning};
use std::time::Duration;

fn writing(epoch: u64, store_mark: crate::ShardMark, byte: u8) -> Commit {
    let mut commit = Commit::new(0, epoch, store_mark, at(1));
    commit.heads.push(head("acme", &[byte]));
    commit
}

pub(super) async fn a_lost_commit_is_known_not_done(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    store.lose_next_commit();
    let lost = store.commit(writing(epoch, START, 1)).await;
    assert!(
        matches!(lost, Err(CommitError::Failed(Failure::Late))),
        "{lost:?}"
    );
    assert_eq!(store.shard(0).await?.mark, START);
    let done = store.commit(writing(epoch, START, 1)).await?;
    assert_eq!(done.mark.commits, 1);
    Ok(())
}

pub(super) async fn a_lost_answer_is_known_done(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    store.lose_next_answer();
    let done = store.commit(writing(epoch, START, 1)).await?;
    assert_eq!(done.mark.commits, 1);
    assert_eq!(store.shard(0).await?.mark, done.mark);
    let twice = store.commit(writing(epoch, START, 1)).await;
    assert!(matches!(twice, Err(CommitError::Moved { .. })));
    Ok(())
}

pub(super) async fn a_lost_answer_to_an_append_is_settled_too(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    store.lose_next_answer();
    let appended = store.append(facts(vec![fact(0, 1), fact(1, 1)])).await?;
    assert_eq!(appended.positions, [1, 1]);
    store.lose_next_commit();
    let lost = store.append(facts(vec![fact(0, 2)])).await;
    assert!(
        matches!(lost, Err(AppendError::Failed(Failure::Late))),
        "{lost:?}"
    );
    let appended = store.append(facts(vec![fact(0, 2)])).await?;
    assert_eq!(appended.positions, [2]);
    Ok(())
}

pub(super) async fn a_lost_answer_to_a_claim_is_settled_too(ground: &Ground) -> Proof {
    let (store, send) = sending(ground, vec![outgoing("m_1"), outgoing("m_2")]).await?;
    store.lose_next_commit();
    assert!(claim(&store, send, 1).await.is_err());
    store.lose_next_answer();
    let claimed = claim(&store, send, 1).await?;
    assert_eq!(claimed.len(), 2);
    store.lose_next_answer();
    let unsure = store.attempt(&claimed[0].claim, 1, at(1)).await;
    assert!(matches!(unsure, Err(Failure::Unknown)));
    assert!(
        store.attempt(&claimed[0].claim, 1, at(1)).await?,
        "asked again"
    );
    store.lose_next_answer();
    let settlement = crate::Settlement {
        claim: claimed[0].claim.clone(),
        outcome: crate::Outcome::Sent,
        detail: "250 ok".into(),
        captured: None,
        now: at(2),
    };
    let unsure = store.settle(settlement.clone()).await;
    assert!(matches!(unsure, Err(Failure::Unknown)));
    assert!(store.settle(settlement).await?, "asked again");
    assert_eq!(store.log_end(0).await?, 1, "and told once");
    Ok(())
}

pub(super) async fn a_killed_writer_leaves_nothing_half_done(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let lease = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut accepted = 0;
    for round in 0..5 {
        let victim = ground.open().await?;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..40 {
            let (appending, committing) = (victim.clone(), victim.clone());
            tasks.spawn(async move { appending.append(facts(vec![fact(0, n); 20])).await.is_ok() });
            tasks.spawn(async move {
                let mark = committing.shard(0).await.map(|state| state.mark);
                let commit = writing(lease, mark.unwrap_or(START), round);
                committing.commit(commit).await.ok();
                false
            });
        }
        // The first answer is the signal: the writer is in the middle of the others.
        if let Some(first) = tasks.join_next().await {
            accepted += u64::from(first?);
        }
        victim.kill().await;
        while let Some(answer) = tasks.join_next().await {
            accepted += u64::from(answer?);
        }
    }
    let end = store.log_end(0).await?;
    let read = store.read_log(0, 0, u32::MAX, usize::MAX).await?;
    let positions: Vec<u64> = read.iter().map(|fact| fact.position).collect();
    assert_eq!(positions, (1..=end).collect::<Vec<u64>>());
    assert_eq!(end % 20, 0, "each append is whole or not there");
    assert!(
        end >= 20 * accepted,
        "{accepted} were acknowledged, {end} facts are there"
    );
    let state = store.shard(0).await?;
    assert_eq!(
        store.batches(0, 0, 1000).await?.len() as u64,
        state.mark.commits
    );
    store.commit(writing(lease, state.mark, 9)).await?;
    Ok(())
}

pub(super) async fn a_writer_held_up_by_another_process_says_so(ground: &Ground) -> Proof {
    let impatient = Tuning {
        busy_max: Duration::from_millis(20),
        ..Tuning::default()
    };
    let other = ground.open().await?;
    let store = ground.open_with(ClockMode::Live, impatient).await?;
    let held = other.hold().await?;
    let refused = store.append(facts(vec![fact(0, 1)])).await;
    assert!(
        matches!(refused, Err(AppendError::Failed(Failure::Busy))),
        "{refused:?}"
    );
    held.close().await;
    let appended = store.append(facts(vec![fact(0, 1)])).await?;
    assert_eq!(appended.positions, [1]);
    Ok(())
}

pub(super) async fn a_late_statement_costs_the_connection_only(ground: &Ground) -> Proof {
    let strict = Tuning {
        statement_max: Duration::from_millis(300),
        ..Tuning::default()
    };
    let store = ground.open_with(ClockMode::Live, strict).await?;
    let late = store.dawdle().await;
    assert!(matches!(late, Err(Failure::Late)), "{late:?}");
    let appended = store.append(facts(vec![fact(0, 1)])).await?;
    assert_eq!(
        appended.positions,
        [1],
        "what was begun is undone, and it goes on"
    );
    Ok(())
}

fn large(n: usize) -> NewFact {
    NewFact {
        json: format!(r#"{{"id":"e-{n}","pad":"{}"}}"#, "x".repeat(3000)).into(),
        ..fact(0, n)
    }
}

/// Appends until the disk is full and some more; says which were acknowledged.
async fn fill(store: &Store) -> Result<(Vec<u64>, u32), Box<dyn std::error::Error>> {
    let (mut kept, mut refused) = (Vec::new(), 0);
    for n in 0..20_000 {
        match store.append(facts(vec![large(n)])).await {
            Ok(appended) => kept.extend(appended.positions),
            Err(AppendError::Failed(_)) => refused += 1,
            Err(other) => return Err(other.into()),
        }
        if refused == 20 {
            return Ok((kept, refused));
        }
    }
    Err("the disk did not fill".into())
}

pub(super) async fn a_full_disk_loses_nothing_that_was_acknowledged(ground: &Ground) -> Proof {
    let dir = ground.dir();
    fill_and_recover(&SmallDisk::limited(dir).await?).await?;
    match SmallDisk::mounted(dir)? {
        Some(disk) => fill_and_recover(&disk).await,
        None => Ok(()),
    }
}

async fn fill_and_recover(disk: &SmallDisk) -> Proof {
    let store = disk.open().await?;
    let lease = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut kept = Vec::new();
    for round in 0..3 {
        let (more, refused) = fill(&store).await?;
        kept.extend(more);
        assert!(refused > 0);
        let mark = store.shard(0).await?.mark;
        if let Err(error) = store.commit(writing(lease, mark, round)).await {
            assert!(matches!(error, CommitError::Failed(_)), "{error:?}");
        }
        disk.make_room(round).await?;
        let appended = store.append(facts(vec![large(1)])).await?;
        kept.extend(appended.positions);
        let mark = store.shard(0).await?.mark;
        store.commit(writing(lease, mark, round)).await?;
    }
    store.close().await;
    let store = disk.open().await?;
    let read = store.read_log(0, 0, u32::MAX, usize::MAX).await?;
    let read: Vec<u64> = read.iter().map(|fact| fact.position).collect();
    assert_eq!(
        read, kept,
        "what was acknowledged, all of it, and nothing else"
    );
    assert_eq!(store.check().await?.problems, Vec::<Box<str>>::new());
    store.close().await;
    Ok(())
}
