//! Groups of attempts and fates, written in one transaction each.

use super::append::{self, Placed};
use super::attempts::{self, Asked, Begins};
use super::flight::Flight;
use super::settlements::{self, Settling};
use super::tx::{Connection, Ending, Session};
use super::{fates, gate, grounds};
use crate::share::{Round, Shared, Small, note, rounds};
use crate::{ClockMode, Failure};
use std::collections::BTreeSet;

/// All that bears on attempts, and the deliveries that are settled.
static ASKING: Flight = Flight::new(&[
    gate::OFF,
    gate::STANDING,
    grounds::PROVEN,
    attempts::STANDING,
    settlements::SETTLING,
    append::ENDS,
]);
/// All that is written of both.
static WRITING: Flight = Flight::new(&[
    attempts::BEGIN,
    attempts::COUNT,
    settlements::END_ATTEMPTS,
    fates::PLACE,
    append::FACTS,
    append::RAISE,
    fates::FATES,
]);

/// Writes what waits, as far as it fits one group, and tells each caller.
pub(crate) async fn group(connection: &mut Connection, shared: &mut Shared, clock: ClockMode) {
    let (smalls, callers) = shared.gather();
    let written = connection
        .transact(move |session| Box::pin(async move { write_all(session, &smalls, clock).await }));
    let written = written.await.map_err(Failure::from);
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
        write_round(session, &round, clock, &mut answers).await?;
    }
    Ok(if session.changed() == before {
        Ending::Rollback(answers)
    } else {
        Ending::Commit(answers)
    })
}

/// Writes the rows of attempts whose claims hold, and what came of claims that still hold; notes for each whether they did.
async fn write_round(
    session: &mut Session,
    round: &Round<'_>,
    clock: ClockMode,
    answers: &mut [bool],
) -> Result<(), Failure> {
    let asked = Asked::of(&round.attempts);
    let shards = round.settlements.iter().map(|(_, one)| one.claim.shard);
    let shards: BTreeSet<u32> = shards.collect();
    let [off, addresses, grounds, claims] = asked.values();
    let (settled, ends) = (
        settlements::asked(&round.settlements),
        append::asked(&shards),
    );
    let asking = [off, addresses, grounds, claims, settled, ends];
    let [off, addresses, grounds, claims, settled, ends] = ASKING.read(session, asking).await?;
    let holding = asked.holding(&[off, addresses, grounds, claims])?;
    let begins = Begins::new(&round.attempts, holding);
    let settling = Settling::of(&round.settlements, &settled)?;
    settling.prepare(session).await?;
    let settled = settling.settled(clock)?;
    let placed = Placed::new(&fates::facts(&settled.ended), &ends)?;
    let told = fates::told(&settled.ended, &placed.positions());
    let ([begun, counted], [ended, moved]) = (begins.values(), settled.values());
    let [facts, raised] = placed.values();
    let writing = [begun, counted, ended, moved, facts, raised, told];
    let [begun, ..] = WRITING.write(session, writing).await?;
    let told = begins.told(session, begun.changed).await?;
    note(answers, &round.attempts, &told);
    note(answers, &round.settlements, &settling.answers);
    Ok(())
}
