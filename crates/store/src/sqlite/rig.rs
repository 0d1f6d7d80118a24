//! What tests do to a store behind its back.

use super::rows::Columns;
use super::tx::{Ending, Session};
use super::{Sqlite, Tuning};
use crate::{ClockMode, Failure, OpenError, OpenOptions, Store};
use sqlx::AssertSqlSafe;
use std::path::{Path, PathBuf};
use std::process::Command;

impl Sqlite {
    /// The next COMMIT is not done, and nobody is told.
    pub(crate) fn lose_next_commit(&self) {
        self.inner.writer.fault.lose_next_commit();
    }

    /// The next COMMIT is done, and nobody is told.
    pub(crate) fn lose_next_answer(&self) {
        self.inner.writer.fault.lose_next_answer();
    }

    /// Ends the writer where it stands.
    pub(crate) fn kill(&self) {
        self.inner.writer.kill();
    }

    /// Changes what is stored as somebody with the file could.
    pub(crate) async fn tamper(&self, sql: &'static str) -> Result<(), Failure> {
        let changing = self.write(move |session| {
            Box::pin(async move {
                session.execute(sqlx::query(sql)).await?;
                Ok(Ending::Commit(()))
            })
        });
        changing.await
    }

    /// The steps by which a statement would run.
    pub(crate) async fn explain(&self, sql: String) -> Result<Vec<Box<str>>, Failure> {
        let explaining = self.read(move |session| {
            Box::pin(async move {
                let query = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
                let rows = session.rows(query).await?;
                rows.iter().map(|row| row.text(3)).collect()
            })
        });
        explaining.await
    }

    /// A connection that holds the lock of writers, as a stopped process would.
    pub(crate) async fn hold(&self) -> Result<Session, Failure> {
        Session::hold(&self.inner.writer.options).await
    }

    /// A transaction that takes longer than any statement may.
    pub(crate) async fn dawdle(&self) -> Result<(), Failure> {
        let dawdling = self.write(move |session| {
            Box::pin(async move {
                let sql = "INSERT INTO fact (place, arrived_at, event) VALUES (1, 0, 'half done')";
                session.execute(sqlx::query(sql)).await?;
                let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000000) \
                    SELECT count(*) FROM n";
                session.execute(sqlx::query(sql)).await?;
                Ok(Ending::Commit(()))
            })
        });
        dawdling.await
    }
}

/// A disk that fills.
pub(crate) struct SmallDisk {
    dir: PathBuf,
    is_mounted: bool,
}

impl SmallDisk {
    /// One whose file may have only so many pages.
    pub(crate) async fn limited(under: &Path) -> Result<Self, Failure> {
        let disk = Self::new(under, "limited", false)?;
        disk.tamper("CREATE TABLE ballast AS SELECT value AS round, zeroblob(400 * 1024) FROM json_each('[0, 1, 2]')")
            .await?;
        Ok(disk)
    }

    /// A small file system in memory; none where this user can't mount one.
    pub(crate) fn mounted(under: &Path) -> Result<Option<Self>, Failure> {
        let mut disk = Self::new(under, "mounted", false)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]);
        let answer = mount.arg(&disk.dir).output();
        if !answer.is_ok_and(|output| output.status.success()) {
            return Ok(None);
        }
        disk.is_mounted = true;
        for round in 0..3 {
            std::fs::write(disk.ballast(round), vec![0; 400 * 1024]).map_err(failed)?;
        }
        Ok(Some(disk))
    }

    fn new(under: &Path, name: &str, is_mounted: bool) -> Result<Self, Failure> {
        let dir = under.join(name);
        std::fs::create_dir(&dir).map_err(failed)?;
        Ok(Self { dir, is_mounted })
    }

    fn ballast(&self, round: u8) -> PathBuf {
        self.dir.join(format!("ballast-{round}"))
    }

    /// The store on it.
    pub(crate) async fn open(&self) -> Result<Store, OpenError> {
        let pages_max = (!self.is_mounted).then_some(700);
        self.open_with(pages_max).await
    }

    async fn open_with(&self, pages_max: Option<u32>) -> Result<Store, OpenError> {
        let tuning = Tuning {
            wal_pages_max: 30,
            pages_max,
            ..Tuning::default()
        };
        let options = OpenOptions {
            shards: Some(2),
            clock: Some(ClockMode::Live),
            log: None,
            must_exist: false,
            tuning,
        };
        Store::open(&self.dir.join("store.db"), options).await
    }

    /// Gives space back: a file that lay on it goes, or pages become free.
    pub(crate) async fn make_room(&self, round: u8) -> Result<(), Failure> {
        if self.is_mounted {
            return std::fs::remove_file(self.ballast(round)).map_err(failed);
        }
        self.tamper("DELETE FROM ballast WHERE round = (SELECT min(round) FROM ballast)")
            .await
    }

    async fn tamper(&self, sql: &'static str) -> Result<(), Failure> {
        let roomy = self.open_with(None).await.map_err(failed)?;
        roomy.tamper(sql).await?;
        roomy.close().await;
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.is_mounted {
            let ended = Command::new("umount").arg(&self.dir).output();
            assert!(ended.is_ok_and(|output| output.status.success()));
        }
    }
}

fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::Database(why.to_string().into())
}
