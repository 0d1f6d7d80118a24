//! Options of `sottaku key`.

use crate::place::Place;
use crate::print::Output;
use clap::{Args, Subcommand};

/// Keys.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sottaku key list\n  sottaku key rotate\n\n\
                  A link or address that an older key signed stays good: mails that are out must go on working.")]
pub(crate) struct Key {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys by number; the last one signs. No key itself is shown.
    List(KeyOptions),
    /// Make a new key, which signs from now on: running servers use it within half a minute.
    Rotate(KeyOptions),
}

/// How to print, and where.
#[derive(Debug, Args)]
pub(crate) struct KeyOptions {
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}
