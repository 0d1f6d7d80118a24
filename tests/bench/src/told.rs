//! What is printed: a figure beside its floor.

use crate::cpu::Cost;

/// Two things done in turns, so that a noisy neighbour slows both.
#[derive(Default)]
pub(crate) struct Turns {
    ours: Vec<Cost>,
    floor: Vec<Cost>,
}

impl Turns {
    pub(crate) fn ours(&mut self, cost: Cost) {
        self.ours.push(cost);
    }

    pub(crate) fn floor(&mut self, cost: Cost) {
        self.floor.push(cost);
    }

    /// Whether there is a floor.
    pub(crate) fn is_measured(&self) -> bool {
        !self.floor.is_empty()
    }

    /// Prints facts per second of one core, and by the clock, of both.
    pub(crate) fn print(&self, names: (&str, &str), facts: usize) {
        let ours = rates(&self.ours, facts);
        let floor = rates(&self.floor, facts);
        for (name, (core, wall)) in [(names.0, ours), (names.1, floor)] {
            println!("  {name:<34} {core:>10.0} /s per core   {wall:>10.0} /s by the clock");
        }
        println!(
            "  {:<34} {:>10.2}               {:>10.2}",
            "of the floor",
            ours.0 / floor.0,
            ours.1 / floor.1
        );
    }
}

fn rates(costs: &[Cost], facts: usize) -> (f64, f64) {
    // A count of facts is far below where a float rounds.
    let facts = facts as f64;
    let core = median(costs.iter().map(|cost| facts / cost.cores.max(0.0001)));
    let wall = median(costs.iter().map(|cost| facts / cost.wall.as_secs_f64()));
    (core, wall)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
