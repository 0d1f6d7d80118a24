//! What only a server suffers: it is killed, its connections are cut, and two transactions meet. Whatever happens,
//! nothing that was acknowledged is lost, nothing is there twice, and what was said not to be written is not there.

use super::server::{Database, Server};
use super::{Proof, at, bid, epoch, fact, facts, head};
use crate::store::Tables;
use crate::{AppendError, Commit, CommitError, Failure, OpenOptions, Role, Store, Tuning};
use model::AccountId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

type Answer<T> = Result<T, Box<dyn std::error::Error>>;

/// What became of each try, by its number.
#[derive(Debug, Default)]
struct Told {
    done: BTreeMap<usize, u64>,
    not_done: BTreeSet<usize>,
    unknown: BTreeSet<usize>,
}

impl Told {
    fn note(&mut self, n: usize, told: Result<u64, Failure>) {
        match told {
            Ok(place) => {
                self.done.insert(n, place);
            }
            Err(Failure::Unknown) => {
                self.unknown.insert(n);
            }
            Err(_) => {
                self.not_done.insert(n);
            }
        }
    }

    /// Compares with what is there: the place of each try.
    fn judge(&self, there: &[(u64, usize)], what: &str) {
        let mut places = BTreeMap::new();
        for (place, n) in there {
            let before = places.insert(*n, *place);
            assert_eq!(before, None, "{what} {n} is there twice");
        }
        for (n, place) in &self.done {
            assert_eq!(places.get(n), Some(place), "{what} {n} was acknowledged");
        }
        for n in &self.not_done {
            assert_eq!(places.get(n), None, "{what} {n} was said not to be written");
        }
        println!(
            "{what}: {} acknowledged, {} refused, {} unknown, {} there",
            self.done.len(),
            self.not_done.len(),
            self.unknown.len(),
            there.len()
        );
    }
}

/// Writers that go on while harm is done, and how much they were told.
struct Work {
    store: Store,
    is_over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    progress: watch::Sender<u64>,
    appends: JoinSet<Told>,
    commits: JoinSet<Told>,
}

impl Work {
    async fn begin(store: &Store) -> Result<Self, Box<dyn std::error::Error>> {
        let lease = epoch(store, Role::Decide, &bid("one", 0)).await?;
        let (progress, _) = watch::channel(0);
        let mut work = Self {
            store: store.clone(),
            is_over: Arc::default(),
            acknowledged: Arc::default(),
            progress,
            appends: JoinSet::new(),
            commits: JoinSet::new(),
        };
        for worker in 0..4 {
            let (store, ticks) = (store.clone(), work.ticks());
            work.appends.spawn(async move {
                let mut told = Told::default();
                for n in (worker..).step_by(4) {
                    if !ticks.go_on() {
                        break;
                    }
                    let appended = store.append(facts(vec![fact(0, n)])).await;
                    let appended = appended.map(|appended| appended.positions[0]);
                    told.note(n, ticks.count(appended.map_err(failure_of)));
                }
                told
            });
        }
        let (store, ticks) = (store.clone(), work.ticks());
        work.commits.spawn(async move {
            let mut told = Told::default();
            for n in 0.. {
                if !ticks.go_on() {
                    break;
                }
                let Ok(state) = store.shard(0).await else {
                    continue;
                };
                let mut commit = Commit::new(0, lease, state.mark, at(1));
                commit.heads.push(head("acme", b"head"));
                commit.woken.push(AccountId::new(n.to_string()));
                let written = store.commit(commit).await;
                let written = written.map(|done| done.mark.commits);
                told.note(n, ticks.count(written.map_err(commit_failure_of)));
            }
            told
        });
        Ok(work)
    }

    fn ticks(&self) -> Ticks {
        Ticks {
            is_over: Arc::clone(&self.is_over),
            acknowledged: Arc::clone(&self.acknowledged),
            progress: self.progress.clone(),
        }
    }

    /// Waits until so many more were acknowledged.
    async fn more(&self, count: u64) -> Answer<()> {
        let goal = self.acknowledged.load(Ordering::SeqCst) + count;
        let mut progress = self.progress.subscribe();
        let reached = progress.wait_for(|now| *now >= goal);
        tokio::time::timeout(Duration::from_secs(60), reached).await??;
        Ok(())
    }

    /// Ends the writers, and compares what they were told with what is there.
    async fn judge(mut self) -> Proof {
        self.is_over.store(true, Ordering::SeqCst);
        let mut appends = Told::default();
        while let Some(told) = self.appends.join_next().await {
            let told = told?;
            appends.done.extend(told.done);
            appends.not_done.extend(told.not_done);
            appends.unknown.extend(told.unknown);
        }
        let commits = self.commits.join_next().await.ok_or("one commits")??;
        let read = self.store.read_log(0, 0, u32::MAX, usize::MAX).await?;
        let mut there = Vec::new();
        for (fact, expected) in read.iter().zip(1..) {
            assert_eq!(fact.position, expected, "no gap");
            let id: serde_json::Value = serde_json::from_str(&fact.json)?;
            let id = id["id"].as_str().and_then(|id| id.strip_prefix("e-"));
            there.push((fact.position, id.ok_or("it is one of ours")?.parse()?));
        }
        appends.judge(&there, "append");
        let batches = self.store.batches(0, 0, u32::MAX).await?;
        let state = self.store.shard(0).await?;
        assert_eq!(batches.len() as u64, state.mark.commits);
        let mut there = Vec::new();
        for batch in &batches {
            there.push((batch.commits, batch.woken[0].as_str().parse()?));
        }
        commits.judge(&there, "commit");
        assert!(self.store.check().await?.problems.is_empty());
        Ok(())
    }
}

/// What a writer counts by.
#[derive(Clone)]
struct Ticks {
    is_over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    progress: watch::Sender<u64>,
}

impl Ticks {
    fn go_on(&self) -> bool {
        !self.is_over.load(Ordering::SeqCst)
    }

    fn count(&self, told: Result<u64, Failure>) -> Result<u64, Failure> {
        if told.is_ok() {
            let now = self.acknowledged.fetch_add(1, Ordering::SeqCst) + 1;
            self.progress.send_replace(now);
        }
        told
    }
}

fn failure_of(error: AppendError) -> Failure {
    match error {
        AppendError::Failed(failure) => failure,
        AppendError::QueueFull | AppendError::NoShard(_) => Failure::Busy,
    }
}

fn commit_failure_of(error: CommitError) -> Failure {
    match error {
        CommitError::Failed(failure) => failure,
        CommitError::Fenced { .. } | CommitError::Moved { .. } | CommitError::NoHead(_) => {
            Failure::Busy
        }
    }
}

async fn open(database: &Database, tuning: Tuning) -> Result<Store, Box<dyn std::error::Error>> {
    let options = OpenOptions {
        shards: Some(2),
        tuning,
        ..OpenOptions::default()
    };
    Ok(Store::connect_by_bids(&database.url(), options).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_that_was_acknowledged() -> Proof {
    let mut server = Server::start()?;
    let database = Database::make_at(server.port()).await?;
    let store = open(&database, Tuning::default()).await?;
    let work = Work::begin(&store).await?;
    for _ in 0..5 {
        work.more(300).await?;
        server.crash()?;
        server.restart()?;
    }
    work.more(100).await?;
    work.judge().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends_cost_nothing_that_was_acknowledged() -> Proof {
    let database = Database::make().await?;
    let store = open(&database, Tuning::default()).await?;
    let work = Work::begin(&store).await?;
    for _ in 0..30 {
        work.more(20).await?;
        let all = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            database.name()
        );
        database.administer(&all).await?;
    }
    work.more(20).await?;
    work.judge().await
}

/// What stands between the store and its server, and loses answers to COMMIT.
mod proxy {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    /// The next answer to COMMIT is lost, and the connection with it.
    pub(super) const CUT: u8 = 1;
    /// The next answer to COMMIT is lost, and nothing more is heard on that connection.
    pub(super) const SILENCE: u8 = 2;

    /// Starts one; says where it listens, and what is to happen next.
    pub(super) async fn start(server: u16) -> std::io::Result<(u16, Arc<AtomicU8>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let next: Arc<AtomicU8> = Arc::default();
        let plan = Arc::clone(&next);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, Arc::clone(&plan)));
            }
        });
        Ok((port, next))
    }

    async fn carry(client: TcpStream, server: u16, next: Arc<AtomicU8>) -> std::io::Result<()> {
        let server = TcpStream::connect(("127.0.0.1", server)).await?;
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let asking = tokio::spawn(async move {
            tokio::io::copy(&mut from_client, &mut to_server).await.ok();
        });
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let read = from_server.read(&mut bytes).await?;
            if read == 0 {
                break;
            }
            let is_answer = bytes[..read].windows(7).any(|part| part == b"COMMIT\0");
            let what = if is_answer {
                next.swap(0, Ordering::SeqCst)
            } else {
                0
            };
            match what {
                CUT => break,
                SILENCE => std::future::pending().await,
                _ => to_client.write_all(&bytes[..read]).await?,
            }
        }
        asking.abort();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_commit_that_gets_lost_on_its_way_is_settled() -> Proof {
    let database = Database::make().await?;
    let (port, next) = proxy::start(database.port()?).await?;
    let url = format!("postgres://postgres@127.0.0.1:{port}/{}", database.name());
    let options = OpenOptions {
        shards: Some(2),
        tuning: Tuning {
            statement_max: Duration::from_millis(800),
            ..Tuning::default()
        },
        ..OpenOptions::default()
    };
    let store = Store::connect_by_bids(&url, options).await?;
    let lease = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut mark = store.shard(0).await?.mark;
    for round in 1..=6_u64 {
        for what in [proxy::CUT, proxy::SILENCE]
            .into_iter()
            .take(if round == 1 { 2 } else { 1 })
        {
            next.store(what, Ordering::SeqCst);
            let mut commit = Commit::new(0, lease, mark, at(1));
            commit.heads.push(head("acme", b"head"));
            let done = store.commit(commit.clone()).await?;
            assert_eq!(next.load(Ordering::SeqCst), 0, "it was lost");
            assert_eq!(done.mark.commits, mark.commits + 1);
            let again = store.commit(commit).await;
            assert!(matches!(again, Err(CommitError::Moved { .. })), "{again:?}");
            mark = done.mark;
        }
        next.store(proxy::CUT, Ordering::SeqCst);
        let appended = store.append(facts(vec![fact(0, 1), fact(1, 1)])).await?;
        assert_eq!(next.load(Ordering::SeqCst), 0, "it was lost");
        assert_eq!(appended.positions, [round, round]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_transactions_in_each_others_way_both_come_through() -> Proof {
    let database = Database::make().await?;
    let Tables::Postgres(store) = open(&database, Tuning::default()).await?.tables else {
        return Err("it is a Postgres".into());
    };
    let meeting = Arc::new(tokio::sync::Barrier::new(2));
    let tries: Arc<AtomicU64> = Arc::default();
    let (one, two) = tokio::join!(
        store.cross([0, 1], Arc::clone(&meeting), Arc::clone(&tries)),
        store.cross([1, 0], Arc::clone(&meeting), Arc::clone(&tries)),
    );
    one?;
    two?;
    assert_eq!(tries.load(Ordering::SeqCst), 3, "one of them began anew");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_run_out_by_the_databases_clock() -> Proof {
    let database = Database::make().await?;
    let store = Store::connect(&database.url(), OpenOptions::default()).await?;
    let first = store.acquire(0, Role::Decide, &bid("one", 0)).await?;
    let first = first.ok_or("it was free")?;
    assert_eq!(first.lease_until, at(6), "as the bidder counts");
    let hurried = bid("two", 1_000_000_000);
    assert_eq!(store.acquire(0, Role::Decide, &hurried).await?, None);
    let mut brief = bid("three", 0);
    brief.ttl = Duration::from_millis(1);
    let brief = store.acquire(0, Role::Send, &brief).await?;
    assert_eq!(brief.map(|lease| lease.epoch), Some(1));
    database.administer("SELECT pg_sleep(0.05)").await?;
    let slow = store
        .acquire(0, Role::Send, &bid("four", -1_000_000))
        .await?;
    assert_eq!(slow.map(|lease| lease.epoch), Some(2));
    Ok(())
}

#[tokio::test]
async fn a_database_that_loses_what_it_acknowledged_is_refused() -> Proof {
    let database = Database::make().await?;
    let off = format!(
        "ALTER DATABASE {} SET synchronous_commit = off",
        database.name()
    );
    database.administer(&off).await?;
    let refused = Store::connect(&database.url(), OpenOptions::default()).await;
    assert!(matches!(refused, Err(crate::OpenError::Unsafe(_))));
    Ok(())
}

#[tokio::test]
async fn the_character_zero_stops_nothing() -> Proof {
    let database = Database::make().await?;
    let store = open(&database, Tuning::default()).await?;
    let lease = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut commit = Commit::new(0, lease, store.shard(0).await?.mark, at(1));
    commit.rejects.push(model::decision::Rejected {
        code: "wrong_value".into(),
        name: "account.x\0".into(),
        sample: "a\0b".into(),
    });
    commit.heads.push(head("ac\0me", b"a"));
    store.commit(commit).await?;
    assert_eq!(&*store.rejects().await?[0].sample, "a\u{fffd}b");
    Ok(())
}
