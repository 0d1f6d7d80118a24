//! Options of what says no: `suppress`, `unsuppress`, `consent`, `pause`, `resume`.

use crate::place::Place;
use crate::print::Output;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::path::PathBuf;

/// What is stopped.
#[derive(Debug, Args)]
pub(crate) struct ScopeOptions {
    /// One topic, if it can be left; contractual messages still go.
    #[arg(long, value_name = "TOPIC", group = "scope")]
    pub(crate) topic: Option<String>,
    /// Everything that can be left; contractual messages still go.
    #[arg(long, group = "scope")]
    pub(crate) leavable: bool,
    /// What advertises.
    #[arg(long, group = "scope")]
    pub(crate) promotional: bool,
    /// Everything, contractual messages included.
    #[arg(long, group = "scope")]
    pub(crate) all: bool,
}

/// Whose log is told of it.
#[derive(Debug, Args)]
pub(crate) struct PersonOptions {
    /// The account of the person, whose decisions then know of it; otherwise the gate alone does, until it stops a message.
    #[arg(long, requires = "contact")]
    pub(crate) account: Option<String>,
    /// The contact's id at that account.
    #[arg(long, requires = "account")]
    pub(crate) contact: Option<String>,
}

/// Stops messages to an address.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    group = ArgGroup::new("scope").required(true),
    after_help = "Examples:\n  sottaku suppress tanaka@acme.example --leavable --reason 'asked on the phone'\n  \
                  sottaku suppress tanaka@acme.example --topic adoption --reason 'asked by mail'\n  \
                  sottaku suppress list tanaka@acme.example\n  sottaku suppress import unsubscribed.csv --scope leavable\n\n\
                  Exit codes: 0 done, or in force already; 1 rows of the file were refused; 3 it could not be done."
)]
pub(crate) struct Suppress {
    #[command(subcommand)]
    pub(crate) command: Option<SuppressCommand>,
    /// The address.
    #[arg(required = true)]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) scope: ScopeOptions,
    /// How that is known, in words; kept as proof.
    #[arg(long, value_name = "WORDS", required = true)]
    pub(crate) reason: Option<String>,
    /// Until when; otherwise for ever.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) person: PersonOptions,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What else to do with suppressions.
#[derive(Debug, Subcommand)]
pub(crate) enum SuppressCommand {
    /// Print all that was ever said about an address.
    List(AddressOptions),
    /// Bring a list along: CSV with a header (`address` or `email`; `scope`, `reason`, `at`) or NDJSON with these keys.
    Import(SuppressImport),
}

/// One address.
#[derive(Debug, Args)]
pub(crate) struct AddressOptions {
    /// The address.
    pub(crate) address: String,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What a row stops that says nothing of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowScope {
    /// Everything that can be left.
    Leavable,
    /// What advertises.
    Promotional,
    /// Everything.
    All,
}

/// A list of addresses.
#[derive(Debug, Args)]
pub(crate) struct SuppressImport {
    /// The file.
    pub(crate) file: PathBuf,
    /// What a row stops that names no scope of its own (`all`, `leavable`, `promotional`, `topic:NAME`).
    #[arg(long, value_enum, default_value = "leavable")]
    pub(crate) scope: RowScope,
    /// Only say what is wrong; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Lifts what was stopped.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("scope").required(true),
    after_help = "Examples:\n  sottaku unsuppress tanaka@acme.example --leavable --reason 'asked to be written to again'\n\n\
                  Both stay in the ledger. Exit codes: 0 done; 1 nothing of that was in force; 3 it could not be done."
)]
pub(crate) struct Unsuppress {
    /// The address.
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) scope: ScopeOptions,
    /// Who asked for it and how, in words; kept as proof.
    #[arg(long, value_name = "WORDS")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) person: PersonOptions,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The ledger of consent.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku consent add tanaka@acme.example --basis consent --how form-12 --wording form-12.txt\n  \
                        sottaku consent list tanaka@acme.example\n\n\
                        A consent opens nothing that is suppressed."
)]
pub(crate) struct Consent {
    #[command(subcommand)]
    pub(crate) command: ConsentCommand,
}

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Add a proof.
    Add(ConsentAdd),
    /// Print all proofs of an address.
    List(AddressOptions),
}

/// On which ground an address is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BasisOption {
    /// The person agreed.
    Consent,
    /// They do business with us.
    BusinessRelationship,
    /// Their company published the address.
    Published,
    /// A contract asks for it.
    Contract,
}

/// A proof.
#[derive(Debug, Args)]
pub(crate) struct ConsentAdd {
    /// The address.
    pub(crate) address: String,
    /// On which ground.
    #[arg(long, value_enum)]
    pub(crate) basis: BasisOption,
    /// How it was given: a form's id, a contract, a page.
    #[arg(long, value_name = "WORDS")]
    pub(crate) how: String,
    /// A file with the words that were agreed to; their hash is kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) wording: Option<PathBuf>,
    /// Who records it.
    #[arg(long, default_value = "command line")]
    pub(crate) who: String,
    /// When it was given [default: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// Until when it holds; otherwise until it is withdrawn.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What is held back or let go.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku pause --reason 'wrong price in a template'\n  sottaku pause --workflow renewal\n  \
                        sottaku resume --workflow renewal\n\n\
                        It takes effect at once in every process. Without an option it is about all messages. What is still\n\
                        paused is printed, and stands in /healthz."
)]
pub(crate) struct Switching {
    /// Only messages of this workflow.
    #[arg(long, group = "what")]
    pub(crate) workflow: Option<String>,
    /// Only mails of this topic; alerts and calls of its workflows still go (see `--workflow`).
    #[arg(long, group = "what")]
    pub(crate) topic: Option<String>,
    /// Only mails to this domain.
    #[arg(long, group = "what")]
    pub(crate) domain: Option<String>,
    /// Why, in words.
    #[arg(long, value_name = "WORDS", default_value = "by hand")]
    pub(crate) reason: String,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}
