//! `sottaku key`: the keys that sign what leaves in links and addresses.

use crate::arguments::{Key, KeyCommand, KeyOptions};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use jiff::Timestamp;
use serde_json::json;

/// Lists the keys, or makes a new one.
pub(crate) fn run(arguments: &Key) -> anyhow::Result<Exit> {
    match &arguments.command {
        KeyCommand::List(options) => wait(list(options)),
        KeyCommand::Rotate(options) => wait(rotate(options)),
    }
}

async fn list(options: &KeyOptions) -> anyhow::Result<Exit> {
    let store = options.place.existing().await?;
    let mut printer = Printer::new();
    for key in store.seal_keys(Timestamp::now()).await? {
        match options.output {
            Output::Json => {
                printer.json(&json!({"number": key.number, "made_at": key.made_at}))?;
            }
            Output::Text => printer.line(format!("{}  since {}", key.number, key.made_at))?,
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

async fn rotate(options: &KeyOptions) -> anyhow::Result<Exit> {
    let store = options.place.existing().await?;
    let number = store.rotate_seal(Timestamp::now()).await?;
    let mut printer = Printer::new();
    match options.output {
        Output::Json => printer.json(&json!({"number": number}))?,
        Output::Text => printer.line(format!("key {number} signs from now on"))?,
    }
    printer.flush()?;
    Ok(Exit::Done)
}
