//! The command line: every command, its options and examples.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Acts at the right moment: reads what customers do, decides by YAML, sends the one message that moment calls for.
#[derive(Debug, Parser)]
#[command(
    name = "sottaku",
    version,
    arg_required_else_help = true,
    max_term_width = 110
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Exit codes: 0 done · 1 done, and something is wrong (mistakes, failed tests, refused facts) · 2 wrong usage · 3 it could not be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print generated facts of customers who do not exist, as NDJSON.
    Sample(Sample),
}

/// Generated facts.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku sample --accounts 50 > facts.ndjson\n  sottaku simulate . --events facts.ndjson"
)]
pub(crate) struct Sample {
    /// How many customers.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) accounts: u32,
    /// The first day.
    #[arg(long, default_value = "2026-01-01")]
    pub(crate) from: jiff::civil::Date,
    /// How many days.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(60..=3650))]
    pub(crate) days: i64,
    /// About how many logins each customer has.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(i64).range(0..=100_000))]
    pub(crate) logins: i64,
    /// Another seed gives other customers.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where to write; standard output if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
