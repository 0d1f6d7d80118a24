//! The log's promise on a real broker.

use super::rig::{log, settings};
use super::*;
use jiff::Timestamp;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use std::time::Duration;

type Proof = Result<(), Box<dyn std::error::Error>>;

const ALL: PageMax = PageMax {
    count: 10_000,
    bytes: usize::MAX,
};

fn fact(shard: u32, n: u64) -> NewFact {
    let millis = 1_767_225_600_000 + i64::try_from(n).expect("small");
    NewFact {
        shard,
        arrived_at: Timestamp::from_millisecond(millis).expect("in range"),
        json: format!("{{\"id\":\"{n}\",\"subject\":\"a-{shard}\"}}").into(),
    }
}

fn positions(facts: &[StoredFact]) -> Vec<u64> {
    facts.iter().map(|fact| fact.position).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_stand_in_order_from_one_in_each_shard() -> Proof {
    let log = log(&settings()).await;
    assert_eq!(log.log_end(0).await?, 0);
    let mixed: Vec<_> = (0..10).map(|n| fact(u32::from(n % 3 == 0), n)).collect();
    let appended = log.append(&mixed).await?;
    assert_eq!(appended.positions, [1, 1, 2, 2, 3, 4, 3, 5, 6, 4]);
    for shard in [0, 1] {
        let here: Vec<_> = mixed.iter().filter(|fact| fact.shard == shard).collect();
        assert_eq!(log.log_end(shard).await?, here.len() as u64);
        let mut read = Vec::new();
        while read.len() < here.len() {
            let after = read.len() as u64;
            read.append(&mut log.read(shard, after, ALL).await?);
        }
        for (read, told) in read.iter().zip(here) {
            assert_eq!((&read.json, read.arrived_at), (&told.json, told.arrived_at));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_ends_at_its_count_and_the_next_goes_on() -> Proof {
    let log = log(&settings()).await;
    let facts: Vec<_> = (0..20_000).map(|n| fact(0, n)).collect();
    log.append(&facts).await?;
    let max = PageMax {
        count: 700,
        bytes: 20_000,
    };
    let (mut after, mut pages) = (0, 0);
    while after < 20_000 {
        let page = log.read(0, after, max).await?;
        let expected: Vec<u64> = (after + 1..=after + page.len() as u64).collect();
        assert_eq!(positions(&page), expected);
        let bytes: usize = page.iter().map(|fact| fact.json.len()).sum();
        assert!(page.len() <= 700 && bytes < 20_000 + 64, "{bytes}");
        after += page.len() as u64;
        pages += 1;
    }
    assert!(pages >= 29, "{pages}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_later_is_read_from_where_it_was_left() -> Proof {
    let settings = settings();
    let (log, other) = (log(&settings).await, log(&settings).await);
    for round in 0..5 {
        other.append(&[fact(1, round)]).await?;
        assert_eq!(log.log_end(1).await?, round + 1);
        assert_eq!(positions(&log.read(1, round, ALL).await?), [round + 1]);
    }
    // A place again that was read before, by who decides and by who looks back.
    assert_eq!(log.read_again(1, 2, ALL).await?[0].position, 3);
    assert_eq!(log.read(1, 3, ALL).await?[0].position, 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_of_transactions_are_no_facts_and_the_end_is_met_before_them() -> Proof {
    let settings = settings();
    let log = log(&settings).await;
    log.append(&[fact(0, 1)]).await?;
    assert_eq!(positions(&log.read(0, 0, ALL).await?), [1]);
    let topic = settings.topic.clone();
    let transacted = tokio::task::spawn_blocking(move || {
        let mut config = settings.producer();
        config.set("transactional.id", "one");
        let producer: ThreadedProducer<DefaultProducerContext> = config.create()?;
        producer.init_transactions(Duration::from_secs(20))?;
        producer.begin_transaction()?;
        let record = BaseRecord::<str, str>::to(&topic)
            .partition(0)
            .payload("{}");
        producer.send(record).map_err(|(why, _)| why)?;
        // Else it would be taken back before any broker saw it.
        producer.flush(Duration::from_secs(20))?;
        producer.abort_transaction(Duration::from_secs(20))
    });
    transacted.await??;
    // The record that was undone and its mark: two places, no fact. The broker writes the mark in its own time.
    while log.log_end(0).await? < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(positions(&log.read(0, 1, ALL).await?), [0; 0]);
    assert_eq!(log.log_end(0).await?, 1);
    log.append(&[fact(0, 2)]).await?;
    assert_eq!(log.log_end(0).await?, 4);
    assert_eq!(positions(&log.read(0, 1, ALL).await?), [4]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_behind_the_end_halts_and_says_so() -> Proof {
    let log = log(&settings()).await;
    log.append(&[fact(0, 1)]).await?;
    let halted = log.read(0, 7, ALL).await;
    let said = halted.expect_err("there is no such place").to_string();
    assert!(
        said.contains("shard 0 stands at 7") && said.contains("holds 0 to 1"),
        "{said}"
    );
    // The other shard goes on, and so does this one from a place that is there.
    log.append(&[fact(1, 2)]).await?;
    assert_eq!(positions(&log.read(1, 0, ALL).await?), [1]);
    assert_eq!(positions(&log.read(0, 0, ALL).await?), [1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_of_another_width_is_refused() -> Proof {
    let settings = settings();
    drop(log(&settings).await);
    let refused = Kafka::open(settings, 3).await;
    let said = refused.expect_err("two are not three").to_string();
    assert!(
        said.contains("has 2 partitions and the store 3 shards"),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_nothing_is_acknowledged() -> Proof {
    let settings = settings();
    let log = log(&settings).await;
    let mut elsewhere = settings.clone();
    elsewhere.brokers = "127.0.0.1:9".into();
    elsewhere.ask_max = Duration::from_millis(300);
    assert!(Kafka::open(elsewhere, 2).await.is_err());
    let refused = log.append(&[fact(2, 1)]).await;
    assert!(
        matches!(refused, Err(AppendError::NoShard(2))),
        "{refused:?}"
    );
    Ok(())
}

/// Deletes the topic, and makes it again as the log does.
async fn make_anew(settings: &KafkaSettings) -> Kafka {
    use rdkafka::admin::{AdminClient, AdminOptions};
    use rdkafka::client::DefaultClientContext;
    let admin: AdminClient<DefaultClientContext> =
        settings.consumer("test").create().expect("a client");
    let deleted = admin.delete_topics(&[&settings.topic], &AdminOptions::new());
    deleted.await.expect("it is asked")[0]
        .as_ref()
        .expect("it is deleted");
    // The brokers forget it in their own time: a topic that is still there has facts.
    loop {
        if let Ok(log) = Kafka::open(settings.clone(), 2).await
            && log.log_end(0).await.is_ok_and(|end| end == 0)
        {
            return log;
        }
    }
}

/// A store of two shards over the topic, with three facts in the first.
async fn store_of_three(settings: &KafkaSettings, file: &std::path::Path) -> crate::Store {
    let store = again(settings, file).await;
    let facts = (0..3).map(|n| fact(0, n)).collect();
    let parked = Vec::new();
    let told = store.append(crate::Incoming { facts, parked }).await;
    told.expect("they are durable");
    let read = read_to(&store, 0, 3).await;
    assert_eq!(read.expect("they are read"), [1, 2, 3]);
    store
}

/// The same store over the same topic.
async fn again(settings: &KafkaSettings, file: &std::path::Path) -> crate::Store {
    let options = crate::OpenOptions {
        shards: Some(2),
        log: Some(crate::LogKind::Kafka),
        ..crate::OpenOptions::default()
    };
    let store = crate::Store::open(file, options).await;
    let store = store.expect("it opens").with_log(settings).await;
    store.expect("it has its log")
}

/// What stands behind a position up to another one, in as many readings as it takes.
async fn read_to(store: &crate::Store, after: u64, last: u64) -> Result<Vec<u64>, crate::Failure> {
    let mut read = Vec::new();
    while read.last().copied().unwrap_or(after) < last {
        let from = read.last().copied().unwrap_or(after);
        let page = store.read_log(0, from, 10, usize::MAX).await?;
        read.extend(positions(&page));
    }
    Ok(read)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_made_anew_under_its_name_halts_its_shards() -> Proof {
    let settings = settings();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("store.db");
    let store = store_of_three(&settings, &file).await;
    store.close().await;
    drop(store);
    // The same store over the same topic goes on.
    let store = again(&settings, &file).await;
    assert_eq!(read_to(&store, 1, 3).await?, [2, 3]);
    store.close().await;
    drop(store);
    let anew = make_anew(&settings).await;
    let others: Vec<_> = (10..20).map(|n| fact(0, n)).collect();
    anew.append(&others).await?;
    let store = again(&settings, &file).await;
    let halted = store.read_log(0, 3, 10, usize::MAX).await;
    let said = halted.expect_err("another record stands there").to_string();
    assert!(
        said.contains("made anew") && said.contains("shard 0"),
        "{said}"
    );
    // A shard that was never read has nothing to prove.
    assert_eq!(store.read_log(1, 0, 10, usize::MAX).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_was_widened_under_way_halts_its_shards() -> Proof {
    use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
    use rdkafka::client::DefaultClientContext;
    let settings = settings();
    let folder = tempfile::tempdir()?;
    let store = store_of_three(&settings, &folder.path().join("store.db")).await;
    let admin: AdminClient<DefaultClientContext> = settings.consumer("test").create()?;
    let wider = [NewPartitions::new(&settings.topic, 3)];
    let widened = admin.create_partitions(&wider, &AdminOptions::new());
    widened.await?[0].as_ref().expect("it is widened");
    // The brokers tell of it in their own time; a shard looks anew once it was let go of, and every ten seconds.
    let halted = loop {
        store.let_go(0);
        match store.read_log(0, 0, 10, usize::MAX).await {
            Ok(page) => assert_eq!(positions(&page), [1, 2, 3]),
            Err(halted) => break halted.to_string(),
        }
    };
    assert!(
        halted.contains("has 3 partitions now and the store 2 shards"),
        "{halted}"
    );
    let other = store.read_log(1, 0, 10, usize::MAX).await;
    assert!(other.is_err(), "no shard goes on: {other:?}");
    Ok(())
}
