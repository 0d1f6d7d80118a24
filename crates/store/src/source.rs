//! Sources: other topics that are copied into the log, each by whoever has its lease, from where it was left.

use crate::log::Incoming;
use crate::store::{Log, Tables};
use crate::{AppendError, Bid, Failure, Store};
use jiff::Timestamp;
use model::teeth;

/// Which topic a source is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSource {
    /// The source's name.
    pub name: Box<str>,
    /// Its topic.
    pub topic: Box<str>,
    /// Names the topic as it is now: one made anew under its name is another.
    pub topic_id: Box<str>,
}

/// A source as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// Which topic it was taken for.
    pub source: NewSource,
    /// When it was first read.
    pub since: Timestamp,
    /// Who reads it.
    pub owner: Option<Box<str>>,
    /// Rises at each change of owner.
    pub epoch: u64,
    /// Until when nobody else may.
    pub lease_until: Timestamp,
    /// Why it is halted.
    pub halted: Option<Box<str>>,
    /// The instant as of which all that its topic held was copied.
    pub copied_until: Timestamp,
    /// How far each partition is, in order.
    pub positions: Vec<SourcePosition>,
}

/// How far a partition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePosition {
    /// The partition.
    pub partition: u32,
    /// The offset of the record that comes next.
    pub next: u64,
    /// By what the last record is known again: its offset and a hash. Empty if none was read.
    pub mark: Box<str>,
}

/// What was read of a source, and what it became: all of it becomes durable, or none.
#[derive(Clone, Debug, Default)]
pub struct SourceStep {
    /// The source.
    pub name: Box<str>,
    /// Under which epoch it was read.
    pub epoch: u64,
    /// What it became.
    pub incoming: Incoming,
    /// How far each partition was before, and is now.
    pub moves: Vec<(u64, SourcePosition)>,
}

/// Why nothing of a step was written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SourceError {
    /// Somebody else reads the source now, or a person has set it anew.
    #[error("somebody else reads the source now")]
    Fenced,
    /// It is no longer where it was read from.
    #[error("the source has moved")]
    Moved,
    /// The facts were not taken.
    #[error(transparent)]
    Append(#[from] AppendError),
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        Self::Append(failure.into())
    }
}

impl Store {
    /// Takes or keeps the lease of a source; none if somebody else has it. One that names another topic than before
    /// begins anew, as a new source does.
    pub async fn take_source(
        &self,
        source: &NewSource,
        bid: &Bid,
    ) -> Result<Option<SourceRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.take_source(source, bid).await,
            Tables::Postgres(postgres) => postgres.take_source(source, bid).await,
        }
    }

    /// Gives the lease of a source back; false if it was no longer the owner's.
    pub async fn release_source(&self, name: &str, owner: &str) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.release_source(name, owner).await,
            Tables::Postgres(postgres) => postgres.release_source(name, owner).await,
        }
    }

    /// Every source that was ever read, in order of name.
    pub async fn sources(&self) -> Result<Vec<SourceRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.sources().await,
            Tables::Postgres(postgres) => postgres.sources().await,
        }
    }

    /// Writes what a source's records became together with how far it is.
    pub async fn step_source(&self, step: SourceStep) -> Result<(), SourceError> {
        let mut step = step;
        // A negative control: what was read moves before the facts that it became, in a transaction of its own.
        if teeth::is_out("source") {
            let incoming = std::mem::take(&mut step.incoming);
            self.move_source(step).await?;
            self.append(incoming).await?;
            return Ok(());
        }
        if !matches!(self.log, Log::Tables) && !step.incoming.facts.is_empty() {
            // After a cut here they come again, and their ids are known.
            let facts = std::mem::take(&mut step.incoming.facts);
            let parked = Vec::new();
            self.append(Incoming { facts, parked }).await?;
        }
        self.move_source(step).await
    }

    async fn move_source(&self, step: SourceStep) -> Result<(), SourceError> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.step_source(step).await,
            Tables::Postgres(postgres) => postgres.step_source(step).await,
        }
    }

    /// Halts a source, with why, or lets it go on. Only who reads it may.
    pub async fn halt_source(
        &self,
        name: &str,
        epoch: u64,
        why: Option<&str>,
    ) -> Result<(), SourceError> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.halt_source(name, epoch, why).await,
            Tables::Postgres(postgres) => postgres.halt_source(name, epoch, why).await,
        }
    }

    /// Says that all that a source's topic held at an instant was copied. Only who reads it may.
    pub async fn copied_source(
        &self,
        name: &str,
        epoch: u64,
        until: Timestamp,
    ) -> Result<(), SourceError> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.copied_source(name, epoch, until).await,
            Tables::Postgres(postgres) => postgres.copied_source(name, epoch, until).await,
        }
    }

    /// Sets a source anew, by a person: whoever reads it is fenced off, and begins again from there. False if there is
    /// no such source.
    pub async fn set_source(
        &self,
        source: &NewSource,
        positions: Vec<SourcePosition>,
    ) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.set_source(source, positions).await,
            Tables::Postgres(postgres) => postgres.set_source(source, positions).await,
        }
    }
}
