//! `sottaku webhook`: whom webhooks call, and who said to be gone.

use crate::arguments::{Webhook, WebhookCommand, WebhookList, WebhookPick};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::json;
use store::{Store, Switch};
use workflow::Program;

/// Lists or enables.
pub(crate) fn run(arguments: &Webhook) -> anyhow::Result<Exit> {
    match &arguments.command {
        WebhookCommand::List(list) => wait(print(list)),
        WebhookCommand::Enable(pick) => wait(enable(pick)),
    }
}

/// The text that decides.
async fn applied(store: &Store) -> anyhow::Result<Program> {
    let files = server::applied_files(store).await?;
    let program = files.and_then(|files| workflow::check(&files).program);
    program.context("no workspace was applied yet; `sottaku apply` does it")
}

async fn print(arguments: &WebhookList) -> anyhow::Result<Exit> {
    let settings = arguments.place.settings()?;
    let store = arguments.place.existing().await?;
    let mut printer = Printer::new();
    for (name, webhook) in &applied(&store).await?.webhooks {
        let hook = settings.reach.webhooks.get(name);
        let is_signed = hook.is_some_and(|hook| hook.secret.is_some());
        let is_ordered = hook.is_some_and(|hook| hook.is_ordered);
        let switch = store.switch(&Switch::of_webhook(name)).await?;
        let gone = switch.filter(|switch| !switch.is_on);
        let state = match (&gone, webhook.secret.is_some() && !is_signed) {
            (Some(_), _) => "gone",
            (None, true) => "unsigned",
            (None, false) => "on",
        };
        match arguments.output {
            Output::Json => printer.json(&json!({
                "webhook": name, "url": webhook.url, "state": state, "signed": is_signed,
                "ordered": is_ordered, "since": gone.as_ref().map(|gone| gone.at),
                "note": gone.as_ref().map(|gone| &gone.note),
            }))?,
            Output::Text => {
                let why = gone.map_or(String::new(), |gone| {
                    format!("  {} since {}", gone.note, gone.at)
                });
                printer.line(format!("{name}  {state}  {}{why}", webhook.url))?;
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

async fn enable(arguments: &WebhookPick) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let name = &arguments.name;
    if !applied(&store).await?.webhooks.contains_key(&**name) {
        bail!("there is no webhook {name}; `sottaku webhook list` shows them");
    }
    let on = Switch {
        name: Switch::of_webhook(name).into(),
        is_on: true,
        at: Timestamp::now(),
        note: "enabled by command".into(),
    };
    store.set_switch(on).await?;
    let mut printer = Printer::new();
    printer.line(format!("{name}: called again from now on"))?;
    printer.flush()?;
    Ok(Exit::Done)
}
