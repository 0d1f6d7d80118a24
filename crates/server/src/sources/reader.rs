//! The reader of one source, under its lease: reads, maps, commits; waits for brokers, and stops where it is in doubt.

use super::copied::Copied;
use super::proof::{Doubt, mark, prove};
use super::turn::{Outcome, parked, turn};
use crate::active::Active;
use crate::arrive::log_facts;
use crate::shared::Shared;
use engine::source::Origin;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::{
    AppendError, Failure, Incoming, KafkaSettings, PollMax, Role, SourceError, SourcePosition,
    SourceRow, SourceStep, TopicReader,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use workflow::program::TopicSource;

/// Records of one commit.
const RECORDS_MAX: usize = 500;
const BYTES_MAX: usize = 4 << 20;
/// How long a poll waits for the first record.
const POLL: Duration = Duration::from_millis(250);
/// Between two questions whether all is copied: wake-ups wait for the answer.
const COPIED: Duration = Duration::from_millis(500);
/// Between two looks at the topic itself: its partitions, and whether it is the same.
const PROVE: Duration = Duration::from_secs(10);
/// The wait after something failed, at first and at most.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Why a source is not read on from here.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// Somebody else has it, or a person set it anew, or another text decides.
    #[error("it is read by somebody else")]
    Fenced,
    /// It is looked at anew, from what is stored.
    #[error("it is looked at anew")]
    Anew,
    #[error("{0}")]
    Doubt(#[from] Doubt),
    #[error("{0}")]
    Failed(Box<str>),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.to_string().into())
    }
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Fenced => Self::Fenced,
            SourceError::Moved => Self::Anew,
            SourceError::Append(error) => error.into(),
        }
    }
}

impl From<AppendError> for Trouble {
    fn from(error: AppendError) -> Self {
        Self::Failed(error.to_string().into())
    }
}

/// Reads one source under one epoch.
pub(super) struct Reader {
    pub(super) shared: Shared,
    pub(super) name: Box<str>,
    pub(super) source: TopicSource,
    pub(super) settings: KafkaSettings,
    pub(super) epoch: u64,
}

impl Reader {
    /// Reads until it is told to stop, or somebody else has the source.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut pause = PAUSE_MIN;
        while !stop.is_cancelled() {
            let started = Instant::now();
            let trouble = match self.session(&stop).await {
                Ok(()) | Err(Trouble::Fenced) => break,
                Err(trouble) => trouble,
            };
            if started.elapsed() > PAUSE_MAX {
                pause = PAUSE_MIN;
            }
            self.complain(&trouble).await;
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        self.shared.status.source_works(&self.name);
        self.shared.measures.behind(&self.name, None);
    }

    async fn complain(&self, trouble: &Trouble) {
        let source = &*self.name;
        let (now, why) = (self.shared.clock.now(), trouble.to_string());
        match trouble {
            Trouble::Fenced | Trouble::Anew => {
                tracing::info!(source, "the source moved; it is looked at again");
                return;
            }
            Trouble::Doubt(Doubt::Other(_)) => {
                tracing::error!(source, %why, "the source is halted");
                let halted = self
                    .shared
                    .store
                    .halt_source(source, self.epoch, Some(&why));
                if let Err(failure) = halted.await {
                    tracing::warn!(source, %failure, "that the source is halted could not be kept");
                }
            }
            Trouble::Doubt(Doubt::Failed(_)) | Trouble::Failed(_) => {
                tracing::warn!(source, %why, "the source could not be read; trying again");
            }
        }
        self.shared.status.source_fails(source, now, why);
    }

    /// Reads from what is stored, until something is wrong.
    async fn session(&self, stop: &CancellationToken) -> Result<(), Trouble> {
        let mut row = self.row().await?;
        let reader = TopicReader::open(&self.settings, &format!("source-{}", self.name)).await?;
        let layout = reader.layout().await?;
        prove(&reader, &row, &layout).await?;
        if row.halted.is_some() {
            let store = &self.shared.store;
            store.halt_source(&self.name, self.epoch, None).await?;
        }
        if row.positions.is_empty() {
            let moves = layout.iter().map(|ends| {
                let start = SourcePosition {
                    partition: ends.partition,
                    next: ends.low,
                    mark: "".into(),
                };
                (0, start)
            });
            self.step(Incoming::default(), moves.collect()).await?;
            row = self.row().await?;
        }
        let from = row.positions.iter();
        let from = from.map(|position| (position.partition, position.next));
        reader.start(from.collect()).await?;
        self.shared.status.source_works(&self.name);
        self.follow(&reader, row, stop).await
    }

    async fn row(&self) -> Result<SourceRow, Trouble> {
        let rows = self.shared.store.sources().await?;
        let row = rows.into_iter().find(|row| row.source.name == self.name);
        row.filter(|row| row.epoch == self.epoch)
            .ok_or(Trouble::Fenced)
    }

    async fn follow(
        &self,
        reader: &TopicReader,
        mut row: SourceRow,
        stop: &CancellationToken,
    ) -> Result<(), Trouble> {
        let max = PollMax {
            count: RECORDS_MAX,
            bytes: BYTES_MAX,
            wait: POLL,
        };
        let mut proved = Instant::now();
        let mut copied = Copied::default();
        let mut asked = proved.checked_sub(COPIED).unwrap_or(proved);
        while !stop.is_cancelled() {
            let polled = reader.poll(max).await?;
            if polled.is_lost {
                return Err(Trouble::Anew);
            }
            let Some(active) = self.active() else {
                return Err(Trouble::Fenced);
            };
            match &polled.trouble {
                Some(why) => {
                    let now = self.shared.clock.now();
                    self.shared
                        .status
                        .source_fails(&self.name, now, why.clone());
                }
                None => self.shared.status.source_works(&self.name),
            }
            self.take(&active, &mut row, &polled.records).await?;
            copied.saw(&polled);
            if polled.records.is_empty() && asked.elapsed() >= COPIED {
                // What comes in while it is asked is not in the answer, but may be in the log: the earlier instant counts.
                let until = self.shared.clock.now();
                let layout = reader.layout().await?;
                asked = Instant::now();
                if copied.is_all(&row.positions, &layout) {
                    let store = &self.shared.store;
                    store.copied_source(&self.name, self.epoch, until).await?;
                }
            }
            if proved.elapsed() > PROVE {
                let layout = reader.layout().await?;
                prove(reader, &row, &layout).await?;
                let behind = super::proof::lags(&row.positions, &layout).into_iter();
                let behind = behind.map(|lag| {
                    lag.ends
                        .map_or(0, |ends| ends.high.saturating_sub(lag.next))
                });
                self.shared.measures.behind(&self.name, Some(behind.sum()));
                proved = Instant::now();
            }
        }
        Ok(())
    }

    /// The text that decides, as long as it has this source as it is read.
    fn active(&self) -> Option<Arc<Active>> {
        let active = self.shared.latest()?;
        let present = active.program.sources.get(&self.name);
        (present == Some(&self.source)).then_some(active)
    }

    /// Makes what records became durable, together with how far their partitions are.
    async fn take(
        &self,
        active: &Active,
        row: &mut SourceRow,
        records: &[model::topic::RawRecord],
    ) -> Result<(), Trouble> {
        if records.is_empty() {
            return Ok(());
        }
        let now = self.shared.clock.now();
        let origin = Origin {
            name: &self.name,
            source: &self.source,
            topic_id: &row.source.topic_id,
            since: row.since,
        };
        let mut incoming = Incoming::default();
        let mut ends: BTreeMap<u32, SourcePosition> = BTreeMap::new();
        for record in records {
            let outcome = turn(&active.program, &origin, record);
            self.count(&outcome);
            match outcome {
                Outcome::Fact(fact) => {
                    incoming
                        .facts
                        .extend(log_facts(&self.shared.store, &fact, now));
                }
                Outcome::Nothing(_) => {}
                Outcome::Refused(why, json) => incoming.parked.push(parked(why, json, now)),
            }
            let position = SourcePosition {
                partition: record.partition,
                next: record.offset + 1,
                mark: mark(record),
            };
            ends.insert(record.partition, position);
        }
        let mut moves = Vec::new();
        for position in &mut row.positions {
            if let Some(end) = ends.remove(&position.partition) {
                moves.push((position.next, end.clone()));
                *position = end;
            }
        }
        self.step(incoming, moves).await
    }

    fn count(&self, outcome: &Outcome) {
        let measures = &self.shared.measures;
        let word = match outcome {
            Outcome::Fact(_) => {
                measures.accepted.inc();
                "taken"
            }
            Outcome::Nothing(_) => "passed",
            Outcome::Refused(why, _) => {
                let code = why.code.as_str();
                measures.parked.get_or_create(&vec![("reason", code)]).inc();
                "parked"
            }
        };
        measures
            .records
            .get_or_create(&vec![("outcome", word)])
            .inc();
    }

    async fn step(
        &self,
        incoming: Incoming,
        moves: Vec<(u64, SourcePosition)>,
    ) -> Result<(), Trouble> {
        let mut shards: Vec<u32> = incoming.facts.iter().map(|fact| fact.shard).collect();
        shards.sort_unstable();
        shards.dedup();
        let step = SourceStep {
            name: self.name.clone(),
            epoch: self.epoch,
            incoming,
            moves,
        };
        self.shared.store.step_source(step).await?;
        for shard in shards {
            self.shared.bells.ring(shard, Role::Decide);
        }
        Ok(())
    }
}
