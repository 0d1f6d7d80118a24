//! `sottaku schema unknown`: what came in and was not taken, by name.

use crate::arguments::{Schema, SchemaCommand, SchemaUnknown};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use serde_json::json;

/// Prints what the schema does not know.
pub(crate) fn run(arguments: &Schema) -> anyhow::Result<Exit> {
    match &arguments.command {
        SchemaCommand::Unknown(unknown) => wait(print(unknown)),
    }
}

async fn print(arguments: &SchemaUnknown) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let mut printer = Printer::new();
    for row in store.rejects().await? {
        match arguments.output {
            Output::Json => printer.json(&json!({
                "code": row.code, "name": row.name, "count": row.count, "sample": row.sample,
                "first_at": row.first_at, "last_at": row.last_at,
            }))?,
            Output::Text => {
                let (code, name, count) = (&row.code, &row.name, row.count);
                printer.line(format!(
                    "{code}  {name}  {count} times, last {}; for example {}",
                    row.last_at, row.sample
                ))?;
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}
