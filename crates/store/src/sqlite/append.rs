//! Appending: many callers share one durable commit.

use super::accounts::json;
use super::flight::{Flight, Part, ROWS_MAX, Value, Values};
use super::rows::{Columns, nanos, place, signed};
use super::tx::{Connection, Ending, Session};
use super::{Sqlite, Tuning, parks};
use crate::{AppendError, Appended, Failure, Incoming, NewFact};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Where the logs of a list of shards end, as one list.
const ENDS: &str = "SELECT json_group_array(json_array(shard, position)) FROM log_end \
    WHERE shard IN (SELECT value FROM json_each(?))";
/// Appends a list of facts, and raises the ends of a list of shards.
static APPENDING: Flight = Flight::new(&[
    Part::over(
        3,
        "WITH j (place, at, event) AS ({list}) INSERT INTO fact (place, arrived_at, event) \
        SELECT j.place, j.at, j.event FROM j WHERE j.place IS NOT NULL",
    ),
    Part::over(
        2,
        "WITH j (shard, position) AS ({list}) UPDATE log_end SET position = j.position \
        FROM j WHERE log_end.shard = j.shard",
    ),
]);

/// One caller that waits.
pub(crate) struct Append {
    incoming: Incoming,
    reply: oneshot::Sender<Result<Appended, Failure>>,
    _room: OwnedSemaphorePermit,
}

/// The bounded queue before the writer.
#[derive(Debug)]
pub(crate) struct Appending {
    queue: mpsc::Sender<Append>,
    room: Arc<Semaphore>,
    shards: u32,
    kib_max: u32,
}

impl Appending {
    pub(crate) fn new(tuning: Tuning, shards: u32) -> (Self, mpsc::Receiver<Append>) {
        let (queue, appends) = mpsc::channel(tuning.append_queue_max);
        let kib_max = tuning.append_kib_max;
        let room = usize::try_from(kib_max).unwrap_or(usize::MAX);
        let appending = Self {
            queue,
            room: Arc::new(Semaphore::new(room)),
            shards,
            kib_max,
        };
        (appending, appends)
    }

    pub(crate) async fn append(&self, incoming: Incoming) -> Result<Appended, AppendError> {
        known_shards(&incoming.facts, self.shards)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(self.kib(&incoming));
        let room = room.map_err(|_| AppendError::QueueFull)?;
        let (reply, answer) = oneshot::channel();
        let append = Append {
            incoming,
            reply,
            _room: room,
        };
        self.queue.try_send(append).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AppendError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => Failure::Closed.into(),
        })?;
        // The writer may have ended after it took the facts: nobody knows.
        Ok(answer.await.map_err(|_| Failure::Unknown)??)
    }

    /// Its size in KiB, rounded up; what is larger than the whole room takes all of it.
    fn kib(&self, incoming: &Incoming) -> u32 {
        let facts = incoming.facts.iter().map(|fact| fact.json.len());
        let parked = incoming.parked.iter().map(|parked| parked.json.len());
        let bytes: usize = facts.chain(parked).sum();
        let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
        kib.saturating_add(1).min(self.kib_max)
    }
}

impl Sqlite {
    pub(crate) async fn append(&self, incoming: Incoming) -> Result<Appended, AppendError> {
        self.inner.writer.appending.append(incoming).await
    }
}

/// Refuses facts for shards that do not exist.
pub(crate) fn known_shards(facts: &[NewFact], shards: u32) -> Result<(), AppendError> {
    match facts.iter().find(|fact| fact.shard >= shards) {
        Some(fact) => Err(AppendError::NoShard(fact.shard)),
        None => Ok(()),
    }
}

/// Callers of one group that wait for its end.
pub(crate) struct Waiting(Vec<(Reply, OwnedSemaphorePermit)>);

/// The way back to a caller.
type Reply = oneshot::Sender<Result<Appended, Failure>>;

/// Takes what waits, as far as it fits one group.
pub(crate) fn gather(
    first: Append,
    waiting: &mut mpsc::Receiver<Append>,
    tuning: &Tuning,
) -> (Vec<Incoming>, Waiting) {
    let mut replies = Vec::new();
    let mut all = Vec::new();
    let mut count = 0;
    let mut next = Some(first);
    while let Some(append) = next {
        count += append.incoming.facts.len();
        all.push(append.incoming);
        replies.push((append.reply, append._room));
        next = (count < tuning.group_facts_max)
            .then(|| waiting.try_recv().ok())
            .flatten();
    }
    (all, Waiting(replies))
}

impl Waiting {
    /// Answers each caller; one that went away does not undo the append.
    pub(crate) fn tell(self, outcome: Result<Vec<Appended>, Failure>) {
        match outcome {
            Ok(appended) => {
                for ((reply, _room), appended) in self.0.into_iter().zip(appended) {
                    drop(reply.send(Ok(appended)));
                }
            }
            Err(failure) => {
                for (reply, _room) in self.0 {
                    drop(reply.send(Err(failure.clone())));
                }
            }
        }
    }
}

/// Writes what waits, as far as it fits one group, and answers each caller.
pub(crate) async fn group(
    connection: &mut Connection,
    first: Append,
    waiting: &mut mpsc::Receiver<Append>,
    tuning: &Tuning,
) {
    let (all, callers) = gather(first, waiting, tuning);
    callers.tell(write_group(connection, Arc::new(all)).await);
}

/// Writes a group; a lost answer is settled by looking for its first fact.
async fn write_group(
    connection: &mut Connection,
    all: Arc<Vec<Incoming>>,
) -> Result<Vec<Appended>, Failure> {
    let body = Arc::clone(&all);
    let written = connection.transact_settled(
        move |session| {
            Box::pin(async move { Ok(Ending::Commit(write_all(session, &body).await?)) })
        },
        move |session, appended| {
            let all = Arc::clone(&all);
            Box::pin(async move { is_there(session, &all, appended).await })
        },
    );
    written.await
}

async fn write_all(session: &mut Session, all: &[Incoming]) -> Result<Vec<Appended>, Failure> {
    let facts: Vec<&NewFact> = all.iter().flat_map(|incoming| &incoming.facts).collect();
    let mut positions = append_facts(session, &facts).await?.into_iter();
    for incoming in all {
        parks::write(session, &incoming.parked).await?;
    }
    let split = |incoming: &Incoming| Appended {
        positions: positions.by_ref().take(incoming.facts.len()).collect(),
    };
    Ok(all.iter().map(split).collect())
}

/// Appends facts inside a transaction: each shard's end is raised with them, so positions have no gaps.
pub(crate) async fn append_facts(
    session: &mut Session,
    facts: &[&NewFact],
) -> Result<Vec<u64>, Failure> {
    let mut ends = ends(session, facts).await?;
    let mut placed = Vec::with_capacity(facts.len());
    for fact in facts {
        let end = ends.entry(fact.shard).or_default();
        *end += 1;
        placed.push((*end, *fact));
    }
    for chunk in placed.chunks(ROWS_MAX) {
        let (mut rows, mut raised) = (Values::new(), BTreeMap::new());
        for (position, fact) in chunk {
            let place = place(fact.shard, *position);
            rows.extend([
                place.into(),
                fact.arrived_at.into(),
                Value::Text(&fact.json),
            ]);
            raised.insert(fact.shard, signed(*position));
        }
        let raised = raised
            .into_iter()
            .flat_map(|(shard, end)| [shard.into(), end.into()])
            .collect();
        APPENDING.write(session, [rows, raised]).await?;
    }
    Ok(placed.into_iter().map(|(position, _)| position).collect())
}

/// The ends of the logs that facts go to.
async fn ends(session: &mut Session, facts: &[&NewFact]) -> Result<BTreeMap<u32, u64>, Failure> {
    let shards: BTreeSet<u32> = facts.iter().map(|fact| fact.shard).collect();
    let query = sqlx::query(ENDS).bind(json(&shards));
    let list = session.row(query).await?.map(|row| row.text(0));
    let list = list.transpose()?;
    let found: Vec<(u32, u64)> = serde_json::from_str(list.as_deref().unwrap_or("[]"))
        .map_err(|why| Failure::unreadable("a list of shards", why))?;
    let ends: BTreeMap<u32, u64> = found.into_iter().collect();
    match shards.iter().find(|shard| !ends.contains_key(shard)) {
        Some(shard) => Err(no_shard(*shard)),
        None => Ok(ends),
    }
}

fn no_shard(shard: u32) -> Failure {
    Failure::Database(format!("there is no shard {shard}").into())
}

/// The end of a shard's log.
pub(crate) async fn log_end(session: &mut Session, shard: u32) -> Result<u64, Failure> {
    let query = sqlx::query("SELECT position FROM log_end WHERE shard = ?").bind(i64::from(shard));
    match session.row(query).await? {
        Some(row) => row.count(0),
        None => Err(no_shard(shard)),
    }
}

/// Whether the group's first fact stands where it was put; without one nobody can tell.
async fn is_there(
    session: &mut Session,
    all: &[Incoming],
    appended: &[Appended],
) -> Result<bool, Failure> {
    let fact = all.iter().flat_map(|incoming| &incoming.facts).next();
    let position = appended.iter().flat_map(|one| &one.positions).next();
    let (Some(fact), Some(position)) = (fact, position) else {
        return Err(Failure::Unknown);
    };
    let sql = "SELECT 1 FROM fact WHERE place = ? AND arrived_at = ? AND event = ?";
    let query = sqlx::query(sql)
        .bind(place(fact.shard, *position))
        .bind(nanos(fact.arrived_at))
        .bind(&*fact.json);
    Ok(session.row(query).await?.is_some())
}
