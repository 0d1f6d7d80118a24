//! Many rows with few statements, from a handful of prepared sizes.

use super::tx::{Query, Session};
use crate::Failure;
use sqlx::AssertSqlSafe;

/// Rows of one statement, largest first; few sizes, so that each stays prepared.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// An insert of several rows: its text before, for each, and after them.
pub(crate) struct Bulk {
    pub(crate) head: &'static str,
    pub(crate) row: &'static str,
    pub(crate) tail: &'static str,
}

impl Bulk {
    /// Writes all rows; `bind` gives the values of one.
    pub(crate) async fn write<R: Sync>(
        &self,
        session: &mut Session,
        mut rows: &[R],
        bind: impl for<'q> Fn(Query<'q>, &R) -> Query<'q>,
    ) -> Result<(), Failure> {
        for size in SIZES {
            while rows.len() >= size {
                let (now, later) = rows.split_at(size);
                let query = sqlx::query(AssertSqlSafe(self.sql(size)));
                session.execute(now.iter().fold(query, &bind)).await?;
                rows = later;
            }
        }
        Ok(())
    }

    fn sql(&self, size: usize) -> String {
        let rows = vec![self.row; size].join(", ");
        format!("{} VALUES {} {}", self.head, rows, self.tail)
    }
}
