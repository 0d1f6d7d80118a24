//! `sottaku consent`: on which ground an address is written to.

use crate::arguments::{AddressOptions, BasisOption, Consent, ConsentAdd, ConsentCommand};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::suppress::{key, say};
use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use std::path::Path;
use store::Basis;

/// Adds a proof, or lists those of an address.
pub(crate) fn run(arguments: &Consent) -> anyhow::Result<Exit> {
    match &arguments.command {
        ConsentCommand::Add(one) => wait(add(one)),
        ConsentCommand::List(one) => wait(list(one)),
    }
}

async fn add(arguments: &ConsentAdd) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let basis = match arguments.basis {
        BasisOption::Consent => Basis::Consent,
        BasisOption::BusinessRelationship => Basis::BusinessRelationship,
        BasisOption::Published => Basis::Published,
        BasisOption::Contract => Basis::Contract,
    };
    let key = key(&store, &arguments.address)?;
    let consent = store::Consent {
        key,
        basis,
        who: arguments.who.as_str().into(),
        how: arguments.how.as_str().into(),
        wording: wording(arguments.wording.as_deref())?.into(),
        at: arguments.at.unwrap_or_else(Timestamp::now),
        until: arguments.until,
    };
    store.add_consent(consent).await?;
    let (stands, _) = store.standing(key).await?;
    let mut text = format!("{} is recorded", basis.as_str());
    if !stands.is_empty() {
        text.push_str("; the address stays suppressed, as `sottaku suppress list` shows");
    }
    let shown = json!({"basis": basis.as_str(), "is_suppressed": !stands.is_empty()});
    say(arguments.output, &text, shown)?;
    Ok(Exit::Done)
}

/// The hash of the words that were agreed to.
fn wording(file: Option<&Path>) -> anyhow::Result<String> {
    let Some(file) = file else {
        return Ok(String::new());
    };
    let words = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    let hash = model::id::digest(&[&words]);
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn list(arguments: &AddressOptions) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let key = key(&store, &arguments.address)?;
    let mut printer = Printer::new();
    for one in store.consents(key).await? {
        let until = one.until;
        match arguments.output {
            Output::Json => printer.json(&json!({
                "at": one.at, "basis": one.basis.as_str(), "who": one.who, "how": one.how,
                "wording": one.wording, "until": until,
            }))?,
            Output::Text => {
                let until = until.map_or(String::new(), |until| format!(", until {until}"));
                let basis = one.basis.as_str();
                printer.line(format!(
                    "{}  {basis}  {}  by {}{until}",
                    one.at, one.how, one.who
                ))?;
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}
