//! Options of the commands that bring facts in and run.

use crate::place::Place;
use crate::print::Output;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What becomes of runs that rest at a step which is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Resting {
    /// They go on with the step after it.
    Next,
    /// They end.
    End,
}

impl From<Resting> for engine::Resting {
    fn from(resting: Resting) -> Self {
        match resting {
            Resting::Next => Self::Next,
            Resting::End => Self::End,
        }
    }
}

/// A workspace that may be put live.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku plan .\n  sottaku plan . --store /var/lib/sottaku/sottaku.db --output json"
)]
pub(crate) struct Plan {
    /// The folder that holds `workflows` and `templates`.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// What becomes of runs that rest at a step which is gone.
    #[arg(long, value_enum, default_value = "next")]
    pub(crate) resting: Resting,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// A workspace to put live.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku apply .\n  sottaku apply . --yes --store /var/lib/sottaku/sottaku.db"
)]
pub(crate) struct Apply {
    /// The folder that holds `workflows` and `templates`.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Don't ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// What becomes of runs that rest at a step which is gone.
    #[arg(long, value_enum, default_value = "next")]
    pub(crate) resting: Resting,
    /// Don't wait until every account is brought over.
    #[arg(long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which clock decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClockName {
    /// The wall clock.
    Live,
    /// Time is what the facts say; for trying things out.
    Log,
}

/// Everything in one process.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku dev\n  sottaku dev --clock log --fresh\n  sottaku dev ../playbooks --listen 127.0.0.1:9000"
)]
pub(crate) struct Dev {
    /// The folder that holds `workflows` and `templates`.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Whose time decides.
    #[arg(long, value_enum, default_value = "live")]
    pub(crate) clock: ClockName,
    /// Where HTTP listens.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// Start over: forget the store of an earlier run.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// The store's file [default: DIR/.sottaku/dev-CLOCK.db].
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// How to print decisions.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// A year in about a minute.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku demo\n  sottaku demo --accounts 50 --seconds 20 --seed 7"
)]
pub(crate) struct Demo {
    /// The folder that holds `workflows` and `templates`.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// How many customers.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) accounts: u32,
    /// How many days pass.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(60..=3650))]
    pub(crate) days: i64,
    /// In how many seconds; 0: as fast as it can.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(crate) seconds: u32,
    /// Another seed gives other customers.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The store's file; made anew [default: DIR/.sottaku/demo.db].
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// How to print decisions.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Takes facts in over HTTP, and what comes back of mails.
    Ingest,
    /// Decides shards.
    Decide,
    /// Sends the messages of shards.
    Send,
    /// Answers people's links, tasks and the journal over HTTP.
    Api,
}

/// The server.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku serve --config /etc/sottaku.yaml\n  SOTTAKU_LISTEN=127.0.0.1:8080 sottaku serve --store sottaku.db\n  sottaku serve --roles decide,send --config /etc/sottaku.yaml"
)]
pub(crate) struct Serve {
    /// What this process does; every process has `/healthz` and `/metrics`.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_values = ["ingest", "decide", "send", "api"]
    )]
    pub(crate) roles: Vec<RoleName>,
    /// Compare the applied workspace with the files of this folder and say when they differ.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Workers that are killed.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku torture --minutes 2\n  sottaku torture --store postgres://me@db.example/trial --workers 3 --strike-store 'docker restart -t 0 db'\n  sottaku torture --store postgres://me@db.example/trial --kafka kafka.example:9092 --minutes 120 --facts 2000000 --accounts 50000 --output json\n\nThe store must be empty and the topic is a new one: nothing of yours is touched but by what you give to --strike-….\nExit codes: 0 every promise held; 1 some did not; 3 it could not be tried."
)]
pub(crate) struct Torture {
    /// The folder that holds `workflows` and `templates` [default: a small workspace of its own].
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// An empty Postgres database, or a file that is not there yet [default: SOTTAKU_STORE, else a file].
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Option<PathBuf>,
    /// The brokers of a Kafka in which the log is to be: `host:port`, with commas between several.
    #[arg(long, value_name = "BROKERS")]
    pub(crate) kafka: Option<String>,
    /// How many workers.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) workers: u32,
    /// For how long blows fall.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) minutes: u32,
    /// How many facts are told meanwhile [default: 10000 a minute].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_000..=100_000_000))]
    pub(crate) facts: Option<u32>,
    /// Of how many accounts [default: one for each 40 facts].
    #[arg(long, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    pub(crate) accounts: Option<u32>,
    /// Another seed gives other customers and other blows [default: drawn, and printed].
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// A command of the shell that kills the database and starts it again; it is run now and then.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) strike_store: Option<String>,
    /// The same for the brokers.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) strike_kafka: Option<String>,
    /// Try this binary of Sottaku; what is right is said by the present one.
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// As what facts are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum As {
    /// How things stood before Sottaku watched: nothing starts from it.
    History,
    /// What happens now.
    News,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncodingName {
    /// UTF-8, with or without a byte order mark.
    #[value(name = "utf-8", alias = "utf8")]
    Utf8,
    /// Shift_JIS.
    #[value(name = "shift_jis", alias = "sjis")]
    ShiftJis,
}

impl From<EncodingName> for ingest::csv::Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Utf8 => Self::Utf8,
            EncodingName::ShiftJis => Self::ShiftJis,
        }
    }
}

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowsName {
    /// `account` and its fields.
    Accounts,
    /// `account`, `id` and the contact's fields.
    Contacts,
    /// `account`, `id` and the contract's fields.
    Contracts,
    /// `id` and the CSM's fields.
    Csms,
    /// `account`, `type`, `time`, perhaps `id`, and the events' fields.
    Events,
}

impl From<RowsName> for ingest::csv::FileKind {
    fn from(name: RowsName) -> Self {
        match name {
            RowsName::Accounts => Self::Accounts,
            RowsName::Contacts => Self::Contacts,
            RowsName::Contracts => Self::Contracts,
            RowsName::Csms => Self::Csms,
            RowsName::Events => Self::Events,
        }
    }
}

/// Files of facts.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku import accounts.ndjson usage.ndjson\n  sottaku import facts.ndjson --dry-run\n  sottaku import today.ndjson --as news\n  sottaku import accounts.csv contacts.csv contracts.csv csms.csv events.csv --dir playbooks --dry-run\n  sottaku import contacts.csv --encoding shift_jis"
)]
pub(crate) struct Import {
    /// The files: NDJSON, one CloudEvent a line; or CSV named accounts, contacts, contracts, csms or events, whose first
    /// line names the fields. An empty cell says nothing, `\N` says that a field is unknown.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// As what the facts are taken in.
    #[arg(long = "as", value_enum, default_value = "history")]
    pub(crate) r#as: As,
    /// Only say what is wrong; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How CSV files are written.
    #[arg(long, value_enum, default_value = "utf-8")]
    pub(crate) encoding: EncodingName,
    /// What the rows of CSV files are, where their names don't say it.
    #[arg(long, value_enum)]
    pub(crate) kind: Option<RowsName>,
    /// The workspace that declares the fields of CSV files [default: the applied one, else the one here].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// With --dry-run: judge as a store under the log clock would.
    #[arg(long, requires = "dry_run")]
    pub(crate) log_clock: bool,
    /// Import a file that was imported before once more.
    #[arg(long)]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The settings.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku config --config /etc/sottaku.yaml\n  sottaku config --reference > settings.md"
)]
pub(crate) struct Config {
    /// Print what can be set, with what each setting takes, its default and its meaning, instead of what is in force.
    #[arg(long)]
    pub(crate) reference: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What to look at.
#[derive(Debug, Args)]
#[command(
    after_help = "Each finding is good, a note or bad, with what to do about it. The store is opened as a server opens it: its \
                  tables are brought up to date. Mail servers are greeted and signed in to, and no mail is begun.\n\n\
                  Exit codes: 0 nothing is bad; 1 something is; 3 the settings can't be read.\n\n\
                  Examples:\n  sottaku doctor --config /etc/sottaku/settings.yaml\n  \
                  sottaku doctor --name-server 198.51.100.53:53 --output json"
)]
pub(crate) struct Doctor {
    /// Ask this name server instead of the system's.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) name_server: Option<std::net::SocketAddr>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}
