//! Keys of seals.

use super::Postgres;
use super::rows::nanos;
use super::session::Session;
use super::tx::Ending;
use crate::seal::SEAL_KEYS_MAX;
use crate::sqlite::seals::seal_key;
use crate::{Failure, SealKey};
use jiff::Timestamp;

impl Postgres {
    pub(crate) async fn seal_keys(&self, now: Timestamp) -> Result<Vec<SealKey>, Failure> {
        let found = self.read((), |session, ()| Box::pin(read(session))).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        self.write(now, |session, now| {
            Box::pin(async move {
                lock(session).await?;
                if read(session).await?.is_empty() {
                    make(session, *now).await?;
                }
                Ok(Ending::Commit(read(session).await?))
            })
        })
        .await
    }

    pub(crate) async fn rotate_seal(&self, now: Timestamp) -> Result<u16, Failure> {
        self.write(now, |session, now| {
            Box::pin(async move {
                lock(session).await?;
                make(session, *now).await?;
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

/// Two processes don't make one key each.
async fn lock(session: &mut Session) -> Result<(), Failure> {
    let sql = "LOCK TABLE seal_key IN SHARE ROW EXCLUSIVE MODE";
    session.execute(sqlx::query(sql)).await?;
    Ok(())
}

/// The server's uuids are drawn from the system's own source of chance; three have more of it than a key needs.
async fn make(session: &mut Session, now: Timestamp) -> Result<(), Failure> {
    let sql = "INSERT INTO seal_key (number, secret, made_at) \
        SELECT coalesce(max(number), 0) + 1, sha256(decode(replace(gen_random_uuid()::text || \
        gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')), $1 FROM seal_key";
    session.execute(sqlx::query(sql).bind(nanos(now))).await?;
    Ok(())
}

async fn read(session: &mut Session) -> Result<Vec<SealKey>, Failure> {
    let sql = "SELECT number, secret, made_at FROM seal_key ORDER BY number";
    let rows = session.rows(sqlx::query(sql)).await?;
    rows.iter().map(seal_key).collect()
}
