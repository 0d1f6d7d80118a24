//! Small writes of many callers share one durable commit: what costs is the disk, not the statement.
//!
//! Each is told what it came to when the commit is known. An error of one is an error of all: nothing of the group is
//! written, so what goes this way can be asked for again.

use super::tx::{Connection, Ending, Pending, Session};
use crate::Failure;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// As many wait; more wait in their caller.
const WAITING_MAX: usize = 256;
/// As many share one commit.
const SHARED_MAX: usize = 64;

/// Writes, and says whether it is to be kept. What is not kept has written nothing.
type Body = Box<dyn for<'s> FnOnce(&'s mut Session) -> Pending<'s, Result<bool, Failure>> + Send>;
/// Tells the caller how the commit ended.
type Tell = Box<dyn FnOnce(Result<(), Failure>) + Send>;

/// One caller's write that waits.
pub(crate) struct Small {
    body: Body,
    tell: Tell,
}

/// The bounded queue before the writer.
#[derive(Debug)]
pub(crate) struct Sharing(mpsc::Sender<Small>);

impl Sharing {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Small>) {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        (Self(queue), waiting)
    }

    /// One write, committed with others. A refusal (`Ending::Rollback`) must not have written anything.
    pub(crate) async fn write<T, F>(&self, body: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<Ending<T>, Failure>>
            + Send
            + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let value: Arc<Mutex<Option<T>>> = Arc::default();
        let found = Arc::clone(&value);
        let body: Body = Box::new(move |session| {
            Box::pin(async move {
                let (value, is_kept) = match body(session).await? {
                    Ending::Commit(value) => (value, true),
                    Ending::Rollback(value) => (value, false),
                };
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                Ok(is_kept)
            })
        });
        let tell: Tell = Box::new(move |ended| {
            let value = value.lock().unwrap_or_else(PoisonError::into_inner).take();
            let told = ended.and_then(|()| value.ok_or(Failure::Closed));
            // A caller that went away does not undo the write.
            drop(reply.send(told));
        });
        let sent = self.0.send(Small { body, tell }).await;
        sent.map_err(|_| Failure::Closed)?;
        answer.await.map_err(|_| Failure::Closed)?
    }
}

/// Writes what waits, as far as it fits one group, and tells each caller.
pub(crate) async fn group(
    connection: &mut Connection,
    first: Small,
    waiting: &mut mpsc::Receiver<Small>,
) {
    let mut bodies = Vec::new();
    let mut callers = Vec::new();
    let mut next = Some(first);
    while let Some(small) = next {
        bodies.push(small.body);
        callers.push(small.tell);
        next = (bodies.len() < SHARED_MAX)
            .then(|| waiting.try_recv().ok())
            .flatten();
    }
    let written = connection.transact(move |session| Box::pin(write_all(session, bodies)));
    let ended = written.await.map_err(Failure::from);
    for tell in callers {
        tell(ended.clone());
    }
}

async fn write_all(session: &mut Session, bodies: Vec<Body>) -> Result<Ending<()>, Failure> {
    let mut is_any_kept = false;
    for body in bodies {
        let before = session.changed();
        let is_kept = body(session).await?;
        if !is_kept && session.changed() != before {
            return Err(Failure::Database("a refusal had written something".into()));
        }
        is_any_kept |= is_kept;
    }
    Ok(if is_any_kept {
        Ending::Commit(())
    } else {
        Ending::Rollback(())
    })
}

#[cfg(test)]
mod tests {
    use crate::sqlite::tx::{Ending, Pending, Session};
    use crate::{Failure, OpenOptions, Store};

    type Written = Result<Ending<u32>, Failure>;

    /// Notes a name; a negative number refuses, after writing if it is -2.
    fn note(n: i64) -> impl for<'s> FnOnce(&'s mut Session) -> Pending<'s, Written> + Send {
        move |session| {
            Box::pin(async move {
                if n != -1 {
                    let sql = "INSERT INTO meta (key, value) VALUES (?, '')";
                    session
                        .execute(sqlx::query(sql).bind(n.to_string()))
                        .await?;
                }
                Ok(match u32::try_from(n) {
                    Ok(n) => Ending::Commit(n),
                    Err(_) => Ending::Rollback(0),
                })
            })
        }
    }

    async fn notes(sqlite: &crate::Sqlite) -> usize {
        let counted = sqlite.read(|session| {
            Box::pin(async move {
                let sql = "SELECT key FROM meta WHERE value = ''";
                Ok(session.rows(sqlx::query(sql)).await?.len())
            })
        });
        counted.await.expect("it is read")
    }

    #[tokio::test]
    async fn many_small_writes_share_a_commit_and_each_has_its_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let store = Store::open(&path, OpenOptions::default()).await;
        let crate::store::Tables::Sqlite(sqlite) = store.expect("it opens").tables else {
            panic!("it is in a file");
        };
        let (one, refused, two) = tokio::join!(
            sqlite.share(note(1)),
            sqlite.share(note(-1)),
            sqlite.share(note(2)),
        );
        assert_eq!(
            (one.ok(), refused.ok(), two.ok()),
            (Some(1), Some(0), Some(2))
        );
        assert_eq!(notes(&sqlite).await, 2);
        // What refuses after it wrote is a fault of ours: nothing of its group is kept.
        let (three, broken) = tokio::join!(sqlite.share(note(3)), sqlite.share(note(-2)));
        assert!(broken.is_err());
        assert_eq!(notes(&sqlite).await, 2 + usize::from(three.is_ok()));
        assert_eq!(sqlite.share(note(4)).await.ok(), Some(4), "it recovers");
    }
}
