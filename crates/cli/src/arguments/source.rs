//! The command `source`: looking at topics that are read.

use crate::place::Place;
use crate::print::Output;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Topics that are read.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku source try --limit 5\n  sottaku source try crm-accounts --from beginning --output json\n  sottaku source list\n  sottaku source resume crm-accounts --from kept\n\n\
                  Sources stand under `sources:` in the definitions, their brokers in the settings (`sources.kafka`).\n\
                  Exit codes: 0 all is well; 1 a record is refused, or a source is halted; 3 it could not be looked at."
)]
pub(crate) struct Source {
    #[command(subcommand)]
    pub(crate) command: SourceCommand,
}

/// What to do with sources.
#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Read some records and show which fact each would become, or why none; nothing is kept.
    Try(SourceTry),
    /// Show who reads each source, how far it is, and why it is halted.
    List(SourceList),
    /// Take a source's topic for what it is now, and have it read on: after a topic was made anew, or has other partitions.
    Resume(SourceResume),
}

/// Which records to try.
#[derive(Debug, Args)]
pub(crate) struct SourceTry {
    /// Which source; all, if none is named.
    pub(crate) name: Option<Box<str>>,
    /// The workspace's folder: its files count, applied or not.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// How many records of each source.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// The oldest ones, or the newest.
    #[arg(long, value_enum, default_value_t = TryFrom::End)]
    pub(crate) from: TryFrom,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// From where records are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TryFrom {
    /// The oldest records.
    Beginning,
    /// The newest records.
    End,
}

/// How to list.
#[derive(Debug, Args)]
pub(crate) struct SourceList {
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which source goes on, and from where.
#[derive(Debug, Args)]
pub(crate) struct SourceResume {
    /// Which.
    pub(crate) name: Box<str>,
    /// From where.
    #[arg(long, value_enum)]
    pub(crate) from: ResumeFrom,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// From where a source goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResumeFrom {
    /// From the oldest record: what was read already counts once, as long as it is the same topic.
    Beginning,
    /// From where it was, as far as that is there; new partitions from their beginning.
    Kept,
    /// From what comes next: what is there now is left out.
    End,
}
