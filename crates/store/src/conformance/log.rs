//! The log.

use super::{Ground, Proof, at, fact, facts};
use crate::{AppendError, ClockMode, Incoming, NewParked, Tuning};
use model::{ParkCode, Parked};

pub(super) async fn facts_stand_in_order_from_one_in_each_shard(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let batch = vec![fact(0, 1), fact(1, 2), fact(0, 3)];
    let appended = store.append(facts(batch)).await?;
    assert_eq!(appended.positions, [1, 1, 2]);
    let appended = store.append(facts(vec![fact(0, 4)])).await?;
    assert_eq!(appended.positions, [3]);
    let read = store.read_log(0, 1, 10, usize::MAX).await?;
    let read: Vec<(u64, &str)> = read.iter().map(|f| (f.position, &*f.json)).collect();
    assert_eq!(read, [(2, r#"{"id":"e-3"}"#), (3, r#"{"id":"e-4"}"#)]);
    assert_eq!((store.log_end(0).await?, store.log_end(1).await?), (3, 1));
    let first = store.read_log(1, 0, 10, usize::MAX).await?;
    assert_eq!(first[0].arrived_at, at(0));
    assert!(store.read_log(1, 1, 10, usize::MAX).await?.is_empty());
    Ok(())
}

pub(super) async fn two_owners_append_at_once_and_leave_no_gap(ground: &Ground) -> Proof {
    let stores = [ground.open().await?, ground.open().await?];
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200 {
        let store = stores[n % 2].clone();
        tasks.spawn(async move { store.append(facts(vec![fact(0, n), fact(1, n)])).await });
    }
    let mut positions = [Vec::new(), Vec::new()];
    while let Some(appended) = tasks.join_next().await {
        let appended = appended??;
        positions[0].push(appended.positions[0]);
        positions[1].push(appended.positions[1]);
    }
    let expected: Vec<u64> = (1..=200).collect();
    for (shard, mut taken) in (0..).zip(positions) {
        taken.sort_unstable();
        assert_eq!(taken, expected, "each position was given once");
        let read = stores[0].read_log(shard, 0, 1000, usize::MAX).await?;
        let read: Vec<u64> = read.iter().map(|fact| fact.position).collect();
        assert_eq!(read, expected, "and is there");
    }
    Ok(())
}

pub(super) async fn a_page_of_the_log_ends_at_its_count_and_at_its_bytes(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let many = (0..600).map(|_| fact(0, 1)).collect();
    store.append(facts(many)).await?;
    let size = fact(0, 1).json.len();
    for (count_max, bytes_max, expected) in [
        (600, usize::MAX, 600),
        (599, usize::MAX, 599),
        (256, usize::MAX, 256),
        (257, usize::MAX, 257),
        (0, usize::MAX, 0),
        (600, 1, 1),
        (600, 2 * size, 2),
        (600, 2 * size + 1, 3),
    ] {
        let read = store.read_log(0, 0, count_max, bytes_max).await?;
        assert_eq!(read.len(), expected, "{count_max} facts, {bytes_max} bytes");
    }
    Ok(())
}

pub(super) async fn a_fact_for_no_shard_is_refused(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let refused = store.append(facts(vec![fact(0, 1), fact(2, 2)])).await;
    assert!(matches!(refused, Err(AppendError::NoShard(2))));
    assert_eq!(store.log_end(0).await?, 0);
    Ok(())
}

pub(super) async fn a_full_queue_refuses_at_once(ground: &Ground) -> Proof {
    let tuning = Tuning {
        append_kib_max: 2,
        ..Tuning::default()
    };
    let store = ground.open_with(ClockMode::Live, tuning).await?;
    let one = |n| store.append(facts(vec![fact(0, n)]));
    let (first, second, third) = tokio::join!(one(1), one(2), one(3));
    assert!(first.is_ok() && second.is_ok());
    assert!(matches!(third, Err(AppendError::QueueFull)), "{third:?}");
    assert!(one(4).await.is_ok(), "there is room again");
    Ok(())
}

pub(super) async fn an_append_goes_on_when_its_caller_is_gone(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let mut appending = Box::pin(store.append(facts(vec![fact(0, 1)])));
    let polled = std::future::poll_fn(|context| {
        std::task::Poll::Ready(appending.as_mut().poll(context).is_ready())
    });
    assert!(!polled.await, "the answer takes longer than one look");
    drop(appending);
    let appended = store.append(facts(vec![fact(0, 2)])).await?;
    assert_eq!(appended.positions, [2], "the first one came through");
    Ok(())
}

pub(super) async fn a_parked_fact_is_replayed_once(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let parked = NewParked {
        at: at(5),
        place: None,
        account: None,
        parked: Parked {
            code: ParkCode::BadSubject,
            message: "no subject".into(),
            field: Some("subject".into()),
        },
        json: "{}".into(),
    };
    let incoming = Incoming {
        facts: vec![fact(1, 1)],
        parked: vec![parked.clone(), parked.clone()],
    };
    store.append(incoming).await?;
    let rows = store.parked(0, 10).await?;
    assert_eq!(rows[0].parked, parked);
    assert_eq!(store.parked_count().await?, 2);
    let again = vec![(rows[0].number, fact(1, 2)), (99, fact(1, 3))];
    assert_eq!(store.replay_parked(again.clone()).await?, 1);
    assert_eq!(store.replay_parked(again).await?, 0);
    assert_eq!(store.log_end(1).await?, 2);
    assert_eq!(store.remove_parked(vec![rows[1].number, 99]).await?, 1);
    assert!(store.parked(0, 10).await?.is_empty());
    Ok(())
}
