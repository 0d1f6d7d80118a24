//! A year of many accounts, simulated as `sottaku simulate` does it.

use engine::simulate::Simulation;
use jiff::Timestamp;
use model::Logged;
use std::time::Instant;
use workflow::Program;

use crate::facts;

const ACCOUNTS: usize = 10_000;
const FACTS_EACH: usize = 12;

pub(crate) fn measure(program: &Program) -> anyhow::Result<()> {
    let lines = facts::generate_of(ACCOUNTS * FACTS_EACH, ACCOUNTS);
    let end: Timestamp = "2027-01-05T00:00:00Z".parse()?;
    let began = Instant::now();
    let mut simulation = Simulation::new(program);
    for (position, line) in (1..).zip(&lines) {
        let fact = serde_json::from_str(&line.json)?;
        simulation.push(&Logged {
            position,
            arrived_at: Timestamp::UNIX_EPOCH,
            fact,
        });
    }
    let (records, report) = simulation.finish(Some(end));
    let took = began.elapsed().as_secs_f64();
    println!(
        "a year of {ACCOUNTS} accounts: {} facts, {} wake-ups ({} quiet), {} records, {} messages in {took:.1} s: {:.0} facts/s",
        lines.len(),
        report.wakes,
        report.quiet_wakes,
        records.len(),
        report.outbox.len(),
        lines.len() as f64 / took
    );
    Ok(())
}
