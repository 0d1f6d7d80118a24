//! Options of the commands for those who write workflows.

use crate::place::Place;
use crate::print::Output;
use clap::Args;
use std::path::PathBuf;

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

/// A workspace to check.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku check .\n  sottaku check . --fix --dry-run\n  sottaku check . --output json | jq '.diagnostics[].message'\n  sottaku check . --output sarif > check.sarif"
)]
pub(crate) struct Check {
    /// The folder that holds `workflows` and `templates`.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Write what has one sure answer: missing ids, and names with one near to them. Nothing else is touched.
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: only show what would be written.
    #[arg(long, requires = "fix")]
    pub(crate) dry_run: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: CheckOutput,
}

/// How a check prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CheckOutput {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For code scanning and editors: SARIF 2.1.0.
    Sarif,
}

/// A code to explain.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku explain E402\n  sottaku explain\n  sottaku explain W606 --output json"
)]
pub(crate) struct Explain {
    /// For example E402; without it all codes are listed.
    pub(crate) code: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Tests to run.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku test .\n  sottaku test . --filter renewal\n  sottaku test . --accept\n  sottaku test --from acme --at 2026-01-05"
)]
pub(crate) struct Test {
    /// The folder that holds `workflows` and `templates`.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Only tests whose sentence contains this.
    #[arg(long)]
    pub(crate) filter: Option<String>,
    /// Write what happened into the tests that fail, as what they expect from now on.
    #[arg(long)]
    pub(crate) accept: bool,
    /// How many random histories the promises of every workflow are tried on; 0: none.
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    pub(crate) histories: u32,
    /// Where those histories begin: the same seed tells the same ones.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print a fixture made from this account of the store, names and addresses masked.
    #[arg(long, value_name = "ACCOUNT", conflicts_with_all = ["accept", "filter"])]
    pub(crate) from: Option<String>,
    /// With `--from`: the day on which the test is to start [default: today].
    #[arg(long, value_name = "DAY", requires = "from")]
    pub(crate) at: Option<jiff::civil::Date>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Facts to decide in memory.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku simulate . --events facts.ndjson --until 2026-12-31T00:00:00Z\n  sottaku sample | sottaku simulate . --events - --output json"
)]
pub(crate) struct Simulate {
    /// The folder that holds `workflows` and `templates`.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The facts, one CloudEvent a line; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: PathBuf,
    /// Decide what time alone brings until then.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// A template to look at.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku preview renewal-intro                       for a sample account\n  sottaku preview renewal-intro acme --locale en      for a real one\n  sottaku preview renewal-intro acme --sources        where each value comes from\n  sottaku preview renewal-intro acme --html out.html  the HTML part, to open in a browser"
)]
pub(crate) struct Preview {
    /// The template's name.
    pub(crate) template: String,
    /// An account of the store; without it one of the tests' fixtures or a generated one is taken.
    pub(crate) account: Option<String>,
    /// The folder that holds `workflows` and `templates`.
    #[arg(long, default_value = ".")]
    pub(crate) dir: PathBuf,
    /// As this workflow sends it; else as the first that does.
    #[arg(long)]
    pub(crate) workflow: Option<String>,
    /// As this step sends it.
    #[arg(long)]
    pub(crate) step: Option<String>,
    /// In this locale, instead of the reader's.
    #[arg(long)]
    pub(crate) locale: Option<String>,
    /// Write the HTML part into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Say for each variable what it is made of, and since when that is known.
    #[arg(long)]
    pub(crate) sources: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Something new.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku new workflow                                     asks\n  sottaku new workflow win-back --start when --of \"stage == churned\"\n  sottaku new template win-back --locale en --locale ja"
)]
pub(crate) struct New {
    #[command(subcommand)]
    pub(crate) command: NewCommand,
}

/// What to begin.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum NewCommand {
    /// A workflow, as a draft, with its template.
    Workflow(NewWorkflow),
    /// A template in the workspace's locales.
    Template(NewTemplate),
}

/// A new workflow.
#[derive(Debug, Args)]
pub(crate) struct NewWorkflow {
    /// Its name, for ever: small letters, digits and `-`.
    pub(crate) name: Option<String>,
    /// What it is for, in one line.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// What starts it.
    #[arg(long, value_enum)]
    pub(crate) start: Option<StartKind>,
    /// The condition, the event or the schedule.
    #[arg(long, value_name = "TEXT")]
    pub(crate) of: Option<String>,
    /// The topic of its sends.
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// The folder that holds `workflows` and `templates`.
    #[arg(long, default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// A new template.
#[derive(Debug, Args)]
pub(crate) struct NewTemplate {
    /// Its name: small letters, digits and `-`.
    pub(crate) name: Option<String>,
    /// In these locales, instead of those of the workspace.
    #[arg(long)]
    pub(crate) locale: Vec<String>,
    /// The folder that holds `workflows` and `templates`.
    #[arg(long, default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// What starts a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StartKind {
    /// A condition that becomes true.
    When,
    /// An event that arrives.
    Event,
    /// A moment of the calendar.
    Every,
}
