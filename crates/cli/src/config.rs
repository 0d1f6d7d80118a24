//! `sottaku config`: the settings in force, secrets masked.

use crate::arguments::Config;
use crate::exit::Exit;
use crate::print::{Output, Printer};
use server::config::reference;

/// Prints the settings.
pub(crate) fn run(arguments: &Config) -> anyhow::Result<Exit> {
    let mut printer = Printer::new();
    if arguments.reference {
        match arguments.output {
            Output::Json => printer.json(&reference::settings())?,
            Output::Text => printer.line(reference::page().trim_end())?,
        }
        printer.flush()?;
        return Ok(Exit::Done);
    }
    let config = arguments.place.settings()?;
    match arguments.output {
        Output::Json => printer.json(&config.shown())?,
        Output::Text => printer.line(format!("{:#}", config.shown()))?,
    }
    printer.flush()?;
    Ok(Exit::Done)
}
