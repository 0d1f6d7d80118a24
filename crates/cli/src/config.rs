//! `sottaku config`: the settings in force, secrets masked.

use crate::arguments::Config;
use crate::exit::Exit;
use crate::print::{Output, Printer};

/// Prints the settings.
pub(crate) fn run(arguments: &Config) -> anyhow::Result<Exit> {
    let config = arguments.place.settings()?;
    let mut printer = Printer::new();
    match arguments.output {
        Output::Json => printer.json(&config.shown())?,
        Output::Text => printer.line(format!("{:#}", config.shown()))?,
    }
    printer.flush()?;
    Ok(Exit::Done)
}
