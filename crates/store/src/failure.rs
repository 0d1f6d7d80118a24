//! What can go wrong with the database itself, and what to do next.

/// A call that did not come through.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// Another writer held the lock too long. Nothing was written.
    #[error("another writer held the database too long; nothing was written")]
    Busy,
    /// No space is left. Nothing was written.
    #[error("the disk or database is full; nothing was written")]
    Full,
    /// A statement took longer than its deadline. Nothing was written; the connection is closed.
    #[error("a statement took longer than its deadline; nothing was written")]
    Late,
    /// The database could not be reached, or went away. Nothing was written.
    #[error("the database can't be reached, nothing was written: {0}")]
    Away(Box<str>),
    /// The answer to COMMIT was lost, and what became of it could not be read yet.
    #[error("the answer to a commit was lost; it may or may not be done")]
    Unknown,
    /// The store is closed, or its writer has ended.
    #[error("the store is closed")]
    Closed,
    /// The database refused, or what it holds can't be read.
    #[error("the database failed: {0}")]
    Database(Box<str>),
}

impl Failure {
    /// Whether the same call may be made again as it is.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Busy | Self::Full | Self::Late | Self::Away(_) => true,
            Self::Unknown | Self::Closed | Self::Database(_) => false,
        }
    }

    /// What is stored does not read as what was written.
    pub(crate) fn unreadable(what: &str, why: impl std::fmt::Display) -> Self {
        Self::Database(format!("{what} can't be read: {why}").into())
    }
}
