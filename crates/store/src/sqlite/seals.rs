//! Keys of seals.

use super::rows::{Columns, nanos};
use super::tx::Ending;
use super::{Session, Sqlite};
use crate::seal::SEAL_KEYS_MAX;
use crate::{Failure, SealKey};
use jiff::Timestamp;

impl Sqlite {
    pub(crate) async fn seal_keys(&self, now: Timestamp) -> Result<Vec<SealKey>, Failure> {
        let found = self.read(|session| Box::pin(read(session))).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        self.write(move |session| {
            Box::pin(async move {
                if read(session).await?.is_empty() {
                    make(session, now).await?;
                }
                Ok(Ending::Commit(read(session).await?))
            })
        })
        .await
    }

    pub(crate) async fn rotate_seal(&self, now: Timestamp) -> Result<u16, Failure> {
        self.write(move |session| {
            Box::pin(async move {
                make(session, now).await?;
                let newest = read(session).await?.pop();
                let newest = newest.ok_or_else(|| Failure::unreadable("a key", "none is left"))?;
                if newest.number > SEAL_KEYS_MAX {
                    let why = format!("a store has at most {SEAL_KEYS_MAX} keys");
                    return Err(Failure::Database(why.into()));
                }
                Ok(Ending::Commit(newest.number))
            })
        })
        .await
    }
}

/// SQLite draws from the system's own source of chance.
async fn make(session: &mut Session, now: Timestamp) -> Result<(), Failure> {
    let sql = "INSERT INTO seal_key (secret, made_at) VALUES (randomblob(32), ?)";
    session.execute(sqlx::query(sql).bind(nanos(now))).await?;
    Ok(())
}

async fn read(session: &mut Session) -> Result<Vec<SealKey>, Failure> {
    let sql = "SELECT number, secret, made_at FROM seal_key ORDER BY number";
    let rows = session.rows(sqlx::query(sql)).await?;
    rows.iter().map(seal_key).collect()
}

/// A key in the columns 0 to 2: number, secret, when it was made.
pub(crate) fn seal_key(row: &impl Columns) -> Result<SealKey, Failure> {
    let number = u16::try_from(row.long(0)?);
    let secret = row.bytes(1)?.try_into();
    Ok(SealKey {
        number: number.map_err(|why| Failure::unreadable("a key", why))?,
        secret: secret.map_err(|_| Failure::unreadable("a key", "it has another length"))?,
        made_at: row.instant(2)?,
    })
}
