//! The report: what was struck, what was refused, how long takeovers took, and what was found.

use serde::Serialize;

use crate::blows::Struck;
use crate::proof::Found;
use crate::stage::Measure;
use crate::takeover::Quantiles;

/// As many violations are shown to people.
const SHOWN_MAX: usize = 40;

/// All that was seen.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The seed of all that happened by chance.
    pub seed: u64,
    /// How many workers there were.
    pub workers: usize,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// Workers killed.
    pub kills: usize,
    /// Workers stopped for longer than a lease.
    pub stops: usize,
    /// Leases that others took while their owner stood still.
    pub moved: usize,
    /// Workers that were sent away and called back.
    pub leaves: usize,
    /// Blows to the database.
    pub stores: usize,
    /// Blows to the brokers.
    pub brokers: usize,
    /// Imports killed.
    pub imports: usize,
    /// Facts that were told again since no answer came.
    pub resent: usize,
    /// Commits of zombies that were refused.
    pub refused_commits: usize,
    /// Fates and claims of zombies that were refused.
    pub refused_fates: usize,
    /// From a kill to the last shard's first commit, where nothing else was struck meanwhile.
    pub takeovers: Quantiles,
    /// The same where something was.
    pub takeovers_disturbed: Quantiles,
    /// From asking a worker to end to the last shard's first commit.
    pub hand_overs: Quantiles,
    /// What the proof came to.
    #[serde(flatten)]
    pub found: Found,
}

impl Report {
    pub(crate) fn new(
        struck: &Struck,
        measure: &Measure,
        (resent, imports): (usize, usize),
    ) -> Report {
        Report {
            seed: measure.seed,
            workers: measure.workers,
            seconds: 0,
            kills: struck.kills,
            stops: struck.stops,
            moved: struck.moved,
            leaves: struck.leaves,
            stores: struck.stores,
            brokers: struck.brokers,
            imports,
            resent,
            refused_commits: 0,
            refused_fates: 0,
            takeovers: struck.takeovers.quantiles(false),
            takeovers_disturbed: struck.takeovers.quantiles(true),
            hand_overs: struck.hand_overs.quantiles(false),
            found: Found::default(),
        }
    }

    /// Counts what a worker says that it was refused.
    pub(crate) fn heard(&mut self, log: &str) {
        let count = |words: &str| log.matches(words).count();
        self.refused_commits += count("let go of the shard");
        self.refused_fates += count("the claim was somebody else's") + count("the shard moved");
    }

    /// Whether every promise held.
    pub fn holds(&self) -> bool {
        self.found.violations.is_empty()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let found = &self.found;
        writeln!(
            out,
            "blows: {} kills, {} stops ({} leases moved), {} workers sent away and back, {} on the database, {} on the brokers, {} on imports",
            self.kills,
            self.stops,
            self.moved,
            self.leaves,
            self.stores,
            self.brokers,
            self.imports
        )?;
        writeln!(
            out,
            "facts: {} in the log and {} repeats; {} answered by a 2xx, {} told again after a cut",
            found.facts, found.repeats, found.accepted, self.resent
        )?;
        let states = found.messages.iter();
        let states: Vec<String> = states.map(|(state, n)| format!("{n} {state}")).collect();
        writeln!(
            out,
            "decided: {} records, messages {}; {} mails at the mail server",
            found.records,
            states.join(", "),
            found.mails
        )?;
        writeln!(
            out,
            "refused to zombies: {} commits, {} fates and moves",
            self.refused_commits, self.refused_fates
        )?;
        writeln!(
            out,
            "takeovers: {}; while something else was struck: {}; hand-overs: {}",
            self.takeovers, self.takeovers_disturbed, self.hand_overs
        )?;
        for violation in found.violations.iter().take(SHOWN_MAX) {
            writeln!(out, "VIOLATION {violation}")?;
        }
        write!(
            out,
            "violations: {} (seed {}, {} workers, {} s)",
            found.violations.len(),
            self.seed,
            self.workers,
            self.seconds
        )
    }
}
