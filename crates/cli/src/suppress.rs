//! `sottaku suppress` and `unsuppress`: who is not written to, from the moment at which this returns.

mod list;

use crate::arguments::{
    AddressOptions, PersonOptions, RowScope, ScopeOptions, Suppress, SuppressCommand,
    SuppressImport, Unsuppress,
};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::strangers::Known;
use anyhow::{Context, bail};
use jiff::Timestamp;
use outreach::mail::Address;
use serde_json::json;
use std::collections::BTreeSet;
use store::{AddressKey, LedgerRow, Lift, Person, Reason, Scope, Store, Suppression};

/// Suppresses an address, shows what is said of one, or brings a list along.
pub(crate) fn run(arguments: &Suppress) -> anyhow::Result<Exit> {
    match &arguments.command {
        Some(SuppressCommand::List(one)) => wait(show(one)),
        Some(SuppressCommand::Import(file)) => wait(import(file)),
        None => wait(suppress(arguments)),
    }
}

/// Lifts a suppression.
pub(crate) fn lift(arguments: &Unsuppress) -> anyhow::Result<Exit> {
    wait(unsuppress(arguments))
}

/// The key of an address that is one.
pub(crate) fn key(store: &Store, address: &str) -> anyhow::Result<AddressKey> {
    Address::parse(address.trim()).with_context(|| format!("`{address}` is no address"))?;
    Ok(server::known_as(store, address))
}

async fn suppress(arguments: &Suppress) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let address = arguments.address.as_deref().unwrap_or_default();
    let suppression = Suppression {
        key: key(&store, address)?,
        scope: scope(&arguments.scope)?,
        reason: Reason::ByHand,
        proof: arguments.reason.as_deref().unwrap_or_default().into(),
        at: Timestamp::now(),
        until: arguments.until,
    };
    let word = suppression.scope.word();
    warn_of_strangers(&store, [&suppression.scope]).await?;
    let is_new = store
        .suppress(suppression, person(&arguments.person))
        .await?;
    let text = if is_new {
        format!("{word} is stopped from now on")
    } else {
        format!("{word} was stopped already")
    };
    say(
        arguments.output,
        &text,
        json!({"scope": word, "is_new": is_new}),
    )?;
    Ok(Exit::Done)
}

async fn unsuppress(arguments: &Unsuppress) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let lift = Lift {
        key: key(&store, &arguments.address)?,
        scope: scope(&arguments.scope)?,
        reason: None,
        proof: arguments.reason.as_str().into(),
        at: Timestamp::now(),
    };
    let (scope, key) = (lift.scope.clone(), lift.key);
    let word = scope.word();
    let is_lifted = store.unsuppress(lift, person(&arguments.person)).await?;
    if !is_lifted && let Scope::Topic(name) = &scope {
        Known::of(&store).await?.note_topic(name, "");
    }
    let (left, _) = store.standing(key).await?;
    let left: Vec<String> = left
        .iter()
        .map(|(scope, reason)| format!("{} ({})", scope.word(), reason.as_str()))
        .collect();
    let mut text = if is_lifted {
        format!("{word} is lifted")
    } else {
        format!("{word} was not stopped")
    };
    if !left.is_empty() {
        text = format!("{text}; still stopped: {}", left.join(", "));
    }
    let shown = json!({"scope": word, "is_lifted": is_lifted, "left": left});
    say(arguments.output, &text, shown)?;
    Ok(if is_lifted { Exit::Done } else { Exit::Found })
}

async fn show(arguments: &AddressOptions) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let key = key(&store, &arguments.address)?;
    let rows = store.suppressions(key, Timestamp::now()).await?;
    let mut printer = Printer::new();
    for row in &rows {
        match arguments.output {
            Output::Json => printer.json(&as_json(row))?,
            Output::Text => printer.line(line(row))?,
        }
    }
    if rows.is_empty() && arguments.output == Output::Text {
        printer.line("nothing was ever said about this address")?;
    }
    printer.flush()?;
    Ok(Exit::Done)
}

fn as_json(row: &LedgerRow) -> serde_json::Value {
    json!({
        "at": row.said.at,
        "scope": row.said.scope.word(),
        "reason": row.said.reason.as_str(),
        "proof": row.said.proof,
        "until": row.said.until,
        "is_lifted": row.is_lifted,
        "is_in_force": row.is_in_force,
    })
}

fn line(row: &LedgerRow) -> String {
    let what = match (row.is_lifted, row.is_in_force) {
        (true, _) => "lifted  ",
        (false, true) => "in force",
        (false, false) => "ended   ",
    };
    let until = row.said.until;
    let until = until.map_or(String::new(), |until| format!(", until {until}"));
    format!(
        "{}  {what}  {}  {}  {}{until}",
        row.said.at,
        row.said.scope.word(),
        row.said.reason.as_str(),
        row.said.proof
    )
}

async fn import(arguments: &SuppressImport) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let path = &arguments.file;
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fallback = match arguments.scope {
        RowScope::Leavable => Scope::Leavable,
        RowScope::Promotional => Scope::Promotional,
        RowScope::All => Scope::All,
    };
    let mut printer = Printer::new();
    let (mut count, mut new, mut refused) = (0_u64, 0_u64, 0_u64);
    let rows = list::rows(&text, &fallback)?;
    let scopes = rows.iter().filter_map(|(_, row)| row.as_ref().ok());
    warn_of_strangers(&store, scopes.map(|row| &row.scope)).await?;
    for (number, row) in rows {
        let row = row.and_then(|row| Ok((key(&store, &row.address)?, row)));
        let (key, row) = match row {
            Ok(row) => row,
            Err(why) => {
                refused += 1;
                anstream::eprintln!("{}:{number}: {why:#}", path.display());
                continue;
            }
        };
        count += 1;
        if arguments.dry_run {
            continue;
        }
        let suppression = Suppression {
            key,
            scope: row.scope,
            reason: row.reason,
            proof: format!("list {name}, line {number}").into(),
            at: row.at.unwrap_or_else(Timestamp::now),
            until: None,
        };
        new += u64::from(store.suppress(suppression, None).await?);
    }
    match arguments.output {
        Output::Json => printer.json(&json!({"rows": count, "new": new, "refused": refused}))?,
        Output::Text => printer.line(format!(
            "{count} addresses, {new} of them new; {refused} rows refused"
        ))?,
    }
    printer.flush()?;
    Ok(if refused == 0 {
        Exit::Done
    } else {
        Exit::Found
    })
}

/// Says of each topic that the text in force does not know, once.
async fn warn_of_strangers(
    store: &Store,
    scopes: impl IntoIterator<Item = &Scope>,
) -> anyhow::Result<()> {
    let topics: BTreeSet<&str> = scopes
        .into_iter()
        .filter_map(|scope| match scope {
            Scope::Topic(name) => Some(&**name),
            Scope::All | Scope::Leavable | Scope::Promotional => None,
        })
        .collect();
    if topics.is_empty() {
        return Ok(());
    }
    let known = Known::of(store).await?;
    for name in topics {
        known.note_topic(name, "It is stopped all the same");
    }
    Ok(())
}

fn scope(options: &ScopeOptions) -> anyhow::Result<Scope> {
    match &options.topic {
        Some(topic) if topic.is_empty() => bail!("`--topic` names no topic"),
        Some(topic) => Ok(Scope::Topic(topic.as_str().into())),
        None if options.all => Ok(Scope::All),
        None if options.promotional => Ok(Scope::Promotional),
        None => Ok(Scope::Leavable),
    }
}

fn person(options: &PersonOptions) -> Option<Person> {
    let (account, contact) = (options.account.as_deref()?, options.contact.as_deref()?);
    Some(Person {
        account: model::AccountId::new(account),
        contact: contact.into(),
    })
}

/// One answer, for people or programs.
pub(crate) fn say(output: Output, text: &str, shown: serde_json::Value) -> anyhow::Result<()> {
    let mut printer = Printer::new();
    match output {
        Output::Json => printer.json(&shown)?,
        Output::Text => printer.line(text)?,
    }
    printer.flush()?;
    Ok(())
}
