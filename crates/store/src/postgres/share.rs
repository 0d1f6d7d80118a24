//! Groups of attempts and fates, written in one transaction each. Rows are taken in the same order everywhere: leases,
//! deliveries, addresses, and the ends of logs last.

use super::session::Session;
use super::tx::{Connection, Ending};
use super::{attempts, settlements};
use crate::share::{Shared, Small, note, rounds};
use crate::{ClockMode, Failure};

/// Writes what waits, as far as it fits one group, and tells each caller.
pub(crate) async fn group(connection: &mut Connection, shared: &mut Shared, clock: ClockMode) {
    let (smalls, callers) = shared.gather();
    let written = connection
        .transact(
            &(smalls, clock),
            &|session, input: &(Vec<Small>, ClockMode)| {
                Box::pin(write_all(session, &input.0, input.1))
            },
        )
        .await;
    shared.has_written();
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
