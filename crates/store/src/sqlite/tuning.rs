//! Limits and deadlines of a store in a file.

use std::time::Duration;

/// Limits and deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// A statement that takes longer loses its connection.
    pub statement_max: Duration,
    /// How long a writer waits for another process to let go of the file.
    pub busy_max: Duration,
    /// How often it asks meanwhile.
    pub busy_poll: Duration,
    /// Readers at the same time.
    pub readers_max: usize,
    /// Calls that may wait to append.
    pub append_queue_max: usize,
    /// Bytes of facts that may wait to be appended, in KiB.
    pub append_kib_max: u32,
    /// Facts that share one commit.
    pub group_facts_max: usize,
    /// Pages of the write-ahead log before it is folded into the file.
    pub wal_pages_max: u32,
    /// Pages that the file may have; none: what the disk holds.
    pub pages_max: Option<u32>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            statement_max: Duration::from_secs(30),
            busy_max: Duration::from_secs(15),
            busy_poll: Duration::from_millis(1),
            readers_max: 4,
            append_queue_max: 1024,
            append_kib_max: 64 * 1024,
            group_facts_max: 2000,
            wal_pages_max: 16_000,
            pages_max: None,
        }
    }
}
