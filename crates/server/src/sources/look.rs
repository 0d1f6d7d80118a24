//! Looking at sources by hand: a dry run, how far each is, and how one that is halted goes on.

use super::keeper::topic_id;
use super::proof::{Lag, lags, mark};
use super::turn::{Outcome, turn};
use crate::Config;
use engine::source::Origin;
use jiff::Timestamp;
use model::topic::RawRecord;
use serde_json::{Value, json};
use std::time::Duration;
use store::{
    Failure, KafkaSettings, NewSource, PartitionEnds, PollMax, SourcePosition, SourceRow, Store,
    TopicReader,
};
use workflow::Program;
use workflow::program::TopicSource;

/// How long a dry run waits for records that are there.
const READ_MAX: Duration = Duration::from_secs(30);

/// From where records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// From the oldest on.
    Beginning,
    /// The newest ones; for a source that goes on, only what comes.
    End,
    /// From where it was left.
    Kept,
}

/// Which records are tried.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// From where.
    pub from: From,
    /// How many.
    pub limit: usize,
}

/// A record, and what it comes to.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The record.
    pub record: RawRecord,
    /// The fact, as JSON.
    pub fact: Option<Value>,
    /// Why it comes to nothing.
    pub passed: Option<&'static str>,
    /// Why it is refused.
    pub refused: Option<model::Parked>,
}

/// Why a source could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    /// Nobody said where.
    #[error("no brokers are known: set `sources.kafka.brokers`, or `log.kafka.brokers`")]
    NoBrokers,
    /// No such source was ever read.
    #[error("the source `{0}` was never read: there is nothing to go on from")]
    Unread(Box<str>),
    /// It failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

fn settings(config: &Config, topic: &str) -> Result<KafkaSettings, TryError> {
    config.source(topic).ok_or(TryError::NoBrokers)
}

/// Reads some records of a source's topic and says what each would come to. Nothing is kept.
pub async fn try_source(
    config: &Config,
    program: &Program,
    (name, source): (&str, &TopicSource),
    wanted: Wanted,
) -> Result<Vec<Tried>, TryError> {
    let reader = TopicReader::open(&settings(config, &source.topic)?, "try").await?;
    let layout = reader.layout().await?;
    let records = read(&reader, &layout, wanted).await?;
    // Not what lies back: whoever tries wants to see what is told.
    let origin = Origin {
        name,
        source,
        topic_id: "TOPIC",
        since: Timestamp::MIN,
    };
    let tried = records.into_iter().map(|record| {
        let mut tried = Tried {
            fact: None,
            passed: None,
            refused: None,
            record,
        };
        match turn(program, &origin, &tried.record) {
            Outcome::Fact(fact) => tried.fact = serde_json::from_str(&fact.json).ok(),
            Outcome::Nothing(why) => tried.passed = Some(why),
            Outcome::Refused(why, _) => tried.refused = Some(why),
        }
        tried
    });
    Ok(tried.collect())
}

/// The first or the newest records, spread over the partitions that have any.
async fn read(
    reader: &TopicReader,
    layout: &[PartitionEnds],
    wanted: Wanted,
) -> Result<Vec<RawRecord>, Failure> {
    let filled: Vec<_> = layout.iter().filter(|ends| ends.high > ends.low).collect();
    if filled.is_empty() || wanted.limit == 0 {
        return Ok(Vec::new());
    }
    let each = wanted.limit.div_ceil(filled.len()) as u64;
    let from = filled.iter().map(|ends| {
        let next = match wanted.from {
            From::Beginning | From::Kept => ends.low,
            From::End => ends.high.saturating_sub(each).max(ends.low),
        };
        (ends.partition, next)
    });
    reader.start(from.collect()).await?;
    let mut records: Vec<RawRecord> = Vec::new();
    let mut ended = 0;
    let reading = async {
        while records.len() < wanted.limit && ended < filled.len() {
            let max = PollMax {
                count: wanted.limit - records.len(),
                bytes: usize::MAX,
                wait: Duration::from_millis(500),
            };
            let polled = reader.poll(max).await?;
            ended += polled.ends.len();
            records.extend(polled.records);
        }
        Ok::<_, Failure>(())
    };
    match tokio::time::timeout(READ_MAX, reading).await {
        Ok(done) => done?,
        Err(_) => return Err(Failure::Late),
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    Ok(records)
}

/// How far each source is that was ever read, and what its topic holds; why that is not known.
pub async fn look(
    config: &Config,
    store: &Store,
) -> Result<Vec<(SourceRow, Result<Vec<Lag>, TryError>)>, TryError> {
    let mut looked = Vec::new();
    for row in store.sources().await? {
        let asked = async {
            let settings = settings(config, &row.source.topic)?;
            let reader = TopicReader::open(&settings, "look").await?;
            Ok(lags(&row.positions, &reader.layout().await?))
        };
        let lag = asked.await;
        looked.push((row, lag));
    }
    Ok(looked)
}

/// Takes a source's topic for what it is now, and has it read on from somewhere. Says from where.
pub async fn resume(
    config: &Config,
    store: &Store,
    name: &str,
    from: From,
) -> Result<Vec<SourcePosition>, TryError> {
    let rows = store.sources().await?;
    let row = rows.into_iter().find(|row| &*row.source.name == name);
    let row = row.ok_or_else(|| TryError::Unread(name.into()))?;
    let reader = TopicReader::open(&settings(config, &row.source.topic)?, "resume").await?;
    let layout = reader.layout().await?;
    let mut positions = Vec::new();
    let mut is_same = true;
    for ends in &layout {
        let known = row
            .positions
            .iter()
            .find(|known| known.partition == ends.partition);
        let next = match (from, known) {
            (From::Beginning, _) | (From::Kept, None) => ends.low,
            (From::End, _) => ends.high,
            (From::Kept, Some(known)) => known.next.clamp(ends.low, ends.high),
        };
        if let Some((at, known)) = known.and_then(read_last) {
            let found = reader.record_at(ends.partition, at).await?;
            is_same &= found.is_none_or(|found| *mark(&found) == *known);
            is_same &= at < ends.high;
        }
        let last = match next.checked_sub(1) {
            Some(last) => reader.record_at(ends.partition, last).await?,
            None => None,
        };
        positions.push(SourcePosition {
            partition: ends.partition,
            next,
            mark: last.as_ref().map(mark).unwrap_or_default(),
        });
    }
    let source = NewSource {
        // Records of the same topic keep their names, so that what is read again counts once.
        topic_id: if is_same {
            row.source.topic_id
        } else {
            topic_id()
        },
        ..row.source
    };
    store.set_source(&source, positions.clone()).await?;
    Ok(positions)
}

/// Where the last record that was read stands, and by what it is known.
fn read_last(position: &SourcePosition) -> Option<(u64, &str)> {
    let (at, _) = position.mark.split_once(':')?;
    Some((at.parse().ok()?, &position.mark))
}

impl Tried {
    /// The record and what it comes to, for machines.
    pub fn to_json(&self, source: &str) -> Value {
        let text = |bytes: &Option<Box<[u8]>>| {
            let bytes = bytes.as_deref();
            bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let RawRecord {
            topic,
            partition,
            offset,
            at,
            ..
        } = &self.record;
        let refused = self.refused.as_ref();
        json!({
            "source": source, "topic": topic, "partition": partition, "offset": offset, "at": at,
            "key": text(&self.record.key), "value": text(&self.record.value),
            "facts": self.fact.iter().collect::<Vec<_>>(),
            "passed": self.passed,
            "refused": refused.map(|why| json!({
                "code": why.code.as_str(), "message": why.message, "field": why.field,
            })),
        })
    }
}
