//! Parse and decide, on one thread and in memory; the floor is to parse alone.

use std::hint::black_box;

use engine::simulate::Simulation;
use ingest::Rules;
use jiff::Timestamp;
use model::{Fact, Logged};
use workflow::Program;

use crate::cpu::Meter;
use crate::facts::Line;
use crate::told::Turns;

const RULES: Rules = Rules {
    is_log_clock: true,
    marks_history: false,
};

pub(crate) fn measure(program: &Program, lines: &[Line], rounds: usize) {
    let mut turns = Turns::default();
    let (mut records, mut wakes, mut quiet) = (0, 0, 0);
    for _ in 0..rounds {
        let meter = Meter::start();
        let mut simulation = Simulation::new(program);
        for (position, line) in (1..).zip(lines) {
            if let Some(fact) = parse(&line.json) {
                simulation.push(&Logged {
                    position,
                    arrived_at: Timestamp::UNIX_EPOCH,
                    fact,
                });
            }
        }
        let (all, report) = simulation.finish(None);
        turns.ours(meter.stop());
        (records, wakes, quiet) = (all.len(), report.wakes, report.quiet_wakes);
        let meter = Meter::start();
        for line in lines {
            black_box(parse(&line.json));
        }
        turns.floor(meter.stop());
    }
    println!(
        "parse and decide, one thread ({records} records, {wakes} wake-ups, {quiet} of them quiet)"
    );
    turns.print(("parse and decide", "parse alone"), lines.len());
}

/// As a fact goes: decoded and judged when it comes in, read again from the log.
fn parse(json: &str) -> Option<Fact> {
    let decoded = ingest::decode_one(json, RULES).ok()?.ok()?;
    serde_json::from_str(&decoded.json).ok()
}
