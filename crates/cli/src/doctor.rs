//! `sottaku doctor`: whether all that the settings name is there and as it should be.

use crate::arguments::Doctor;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use server::Clock;
use server::doctor::{Finding, State, examine};

/// Looks, and prints each finding.
pub(crate) fn run(arguments: &Doctor) -> anyhow::Result<Exit> {
    wait(look(arguments))
}

async fn look(arguments: &Doctor) -> anyhow::Result<Exit> {
    let config = arguments.place.settings()?;
    let mut printer = Printer::new();
    let mut exit = Exit::Done;
    let mut printed = Ok(());
    let mut told = |finding: Finding| {
        if finding.state == State::Bad {
            exit = Exit::Found;
        }
        if printed.is_ok() {
            printed = print(&mut printer, &finding, arguments.output);
        }
    };
    examine(&config, &Clock::wall(), arguments.name_server, &mut told).await;
    printed?;
    Ok(exit)
}

/// A finding is on the screen as soon as it is known: the next may take long.
fn print(printer: &mut Printer, finding: &Finding, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => printer.json(finding)?,
        Output::Text => {
            let state = match finding.state {
                State::Good => "good",
                State::Note => "note",
                State::Bad => "BAD ",
            };
            printer.line(format!("{state}  {}: {}", finding.what, finding.says))?;
            if let Some(help) = &finding.help {
                printer.line(format!("      -> {help}"))?;
            }
        }
    }
    printer.flush()?;
    Ok(())
}
