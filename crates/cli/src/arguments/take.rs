//! Options of the commands that take data out: to a file, or for good.

use crate::place::Place;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Tables to take out.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku export messages --out messages.csv\n  sottaku export runs --format ndjson --since 2026-01-01T00:00:00Z\n  sottaku export tasks --account acme\n\nIn CSV a cell that a spreadsheet would calculate (it begins with = + - @) begins with ' instead."
)]
pub(crate) struct Export {
    #[command(subcommand)]
    pub(crate) command: ExportCommand,
}

/// Which table.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Messages, and what became of each.
    Messages(Exported),
    /// Runs: when each began, and how it ended.
    Runs(Exported),
    /// Tasks and approvals as they stand.
    Tasks(Exported),
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// RFC 4180, with a first line that names the columns.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// Which rows, and where to.
#[derive(Debug, Args)]
pub(crate) struct Exported {
    /// How to write it.
    #[arg(long, value_enum, default_value = "csv")]
    pub(crate) format: ExportFormat,
    /// Where to write; standard output if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Begin CSV with the mark by which spreadsheets know UTF-8.
    #[arg(long)]
    pub(crate) bom: bool,
    /// Only of this account.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only what was decided, began or was given from this instant on.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) since: Option<jiff::Timestamp>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// A person to erase.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku erase contact acme p-1 --yes\n  sottaku erase address tanaka@acme.example --yes\n\nWhat stays: the contact's id, that they were erased, and a keyed hash of the address, to which nothing is sent any more.\nExit codes: 0 nothing of them is left; 1 something in the file still reads so, see the lines; 3 it could not be done."
)]
pub(crate) struct Erase {
    #[command(subcommand)]
    pub(crate) command: EraseCommand,
}

/// Whom.
#[derive(Debug, Subcommand)]
pub(crate) enum EraseCommand {
    /// One contact of an account.
    Contact(EraseContact),
    /// Whoever has an address, at every account.
    Address(EraseAddress),
}

/// Which contact.
#[derive(Debug, Args)]
pub(crate) struct EraseContact {
    /// The account.
    pub(crate) account: String,
    /// The contact's id.
    pub(crate) contact: String,
    /// Do it: it can't be taken back.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which address.
#[derive(Debug, Args)]
pub(crate) struct EraseAddress {
    /// The address.
    pub(crate) address: String,
    /// Do it: it can't be taken back.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}
