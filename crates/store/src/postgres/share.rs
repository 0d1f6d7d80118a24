//! Groups of attempts and fates, written in one transaction each. Rows are taken in the same order everywhere: leases,
//! deliveries, addresses, and the ends of logs last.

use super::session::Session;
use super::tx::{Connection, Ending};
use super::{attempts, settlements};
use crate::share::{Small, Waiting, gather, note, rounds};
use crate::{ClockMode, Failure};
use tokio::sync::mpsc;

/// Writes what waits, as far as it fits one group, and tells each caller.
pub(crate) async fn group(
    connection: &mut Connection,
    first: Waiting,
    waiting: &mut mpsc::Receiver<Waiting>,
    clock: ClockMode,
) {
    let (smalls, callers) = gather(first, waiting);
    let written = connection
        .transact(
            &(smalls, clock),
            &|session, input: &(Vec<Small>, ClockMode)| {
                Box::pin(write_all(session, &input.0, input.1))
            },
        )
        .await;
    callers.tell(written);
}

async fn write_all(
    session: &mut Session,
    smalls: &[Small],
    clock: ClockMode,
) -> Result<Ending<Vec<bool>>, Failure> {
    let before = session.changed();
    let mut answers = vec![false; smalls.len()];
    for round in rounds(smalls) {
        let told = attempts::begin(session, &round.attempts).await?;
        note(&mut answers, &round.attempts, &told);
        let told = settlements::settle(session, &round.settlements, clock).await?;
        note(&mut answers, &round.settlements, &told);
    }
    Ok(if session.changed() == before {
        Ending::Rollback(answers)
    } else {
        Ending::Commit(answers)
    })
}
