//! Appending: many callers share one durable commit.

use super::flight::{Answer, Flight, Part, Value, Values};
use super::rows::{Columns, nanos, place, signed};
use super::tx::{Connection, Ending, Session};
use super::{Sqlite, Tuning, parks};
use crate::{AppendError, Appended, Failure, Incoming, NewFact};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Where the logs of a list of shards end, as one list.
pub(crate) const ENDS: Part = Part::over(
    1,
    "WITH j (shard) AS ({list}) SELECT json_group_array(json_array(e.shard, e.position)) \
    FROM j CROSS JOIN log_end e ON e.shard = j.shard",
);
/// Appends a list of facts.
pub(crate) const FACTS: Part = Part::over(
    3,
    "WITH j (place, at, event) AS ({list}) INSERT OR ROLLBACK INTO fact (place, arrived_at, event) \
    SELECT j.place, j.at, j.event FROM j WHERE j.place IS NOT NULL",
);
/// Raises the ends of a list of shards.
pub(crate) const RAISE: Part = Part::over(
    2,
    "WITH j (shard, position) AS ({list}) UPDATE OR ROLLBACK log_end SET position = j.position \
    FROM j WHERE log_end.shard = j.shard",
);

static LOOKING: Flight = Flight::new(&[ENDS]);
static APPENDING: Flight = Flight::new(&[FACTS, RAISE]);

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
    let shards: BTreeSet<u32> = facts.iter().map(|fact| fact.shard).collect();
    let [found] = LOOKING.read(session, [asked(&shards)]).await?;
    let placed = Placed::new(facts, &found)?;
    APPENDING.write(session, placed.values()).await?;
    Ok(placed.positions())
}

/// The shards of which is asked where their logs end, as values of their statement.
pub(crate) fn asked(shards: &BTreeSet<u32>) -> Values<'static> {
    shards.iter().copied().map(Value::from).collect()
}

/// Facts with their positions, behind the ends of the logs of their shards.
pub(crate) struct Placed<'f> {
    facts: Vec<(u64, &'f NewFact)>,
    ends: BTreeMap<u32, u64>,
}

impl<'f> Placed<'f> {
    pub(crate) fn new(facts: &[&'f NewFact], found: &Answer) -> Result<Self, Failure> {
        let mut ends = BTreeMap::new();
        for row in &found.rows {
            let list: Vec<(u32, u64)> = serde_json::from_str(&row.text(0)?)
                .map_err(|why| Failure::unreadable("a list of shards", why))?;
            ends.extend(list);
        }
        let mut placed = Vec::with_capacity(facts.len());
        for fact in facts {
            let end = ends.get_mut(&fact.shard);
            let end = end.ok_or_else(|| no_shard(fact.shard))?;
            *end += 1;
            placed.push((*end, *fact));
        }
        Ok(Self {
            facts: placed,
            ends,
        })
    }

    /// As values of the statements that write them and raise the ends.
    pub(crate) fn values(&self) -> [Values<'f>; 2] {
        let row = |(position, fact): &(u64, &'f NewFact)| -> [Value<'f>; 3] {
            let place = place(fact.shard, *position);
            [
                place.into(),
                fact.arrived_at.into(),
                Value::Text(&fact.json),
            ]
        };
        let raised = |(shard, end): (&u32, &u64)| [(*shard).into(), signed(*end).into()];
        [
            self.facts.iter().flat_map(row).collect(),
            self.ends.iter().flat_map(raised).collect(),
        ]
    }

    /// One for each fact.
    pub(crate) fn positions(&self) -> Vec<u64> {
        self.facts.iter().map(|(position, _)| *position).collect()
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
