//! `sottaku erase`: a person goes from everything that is kept; that nothing may be sent to them stays.

use crate::arguments::{Erase, EraseAddress, EraseCommand, EraseContact};
use crate::exit::Exit;
use crate::place::{Place, wait};
use crate::print::Printer;
use anyhow::bail;
use jiff::Timestamp;
use model::AccountId;
use server::config::StorePlace;
use server::erase::{Done, contact, holders};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use store::Store;

/// Bytes of a file looked at at once.
const CHUNK: usize = 4 * 1024 * 1024;

/// Erases.
pub(crate) fn run(arguments: &Erase) -> anyhow::Result<Exit> {
    match &arguments.command {
        EraseCommand::Contact(one) => wait(by_id(one)),
        EraseCommand::Address(all) => wait(by_address(all)),
    }
}

async fn by_id(arguments: &EraseContact) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let account = AccountId::new(arguments.account.as_str());
    let people = vec![(account, Box::from(arguments.contact.as_str()))];
    all(&arguments.place, &store, people, arguments.yes).await
}

async fn by_address(arguments: &EraseAddress) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let people = holders(&store, &arguments.address).await?;
    if people.is_empty() {
        bail!("no contact of any account has that address");
    }
    all(&arguments.place, &store, people, arguments.yes).await
}

async fn all(
    place: &Place,
    store: &Store,
    people: Vec<(AccountId, Box<str>)>,
    is_sure: bool,
) -> anyhow::Result<Exit> {
    let mut printer = Printer::new();
    if !is_sure {
        for (account, who) in &people {
            printer.line(format!("{account}  {who}"))?;
        }
        printer.flush()?;
        bail!("this can't be taken back; say --yes to erase");
    }
    let mut texts = Vec::new();
    for (account, who) in &people {
        let done = contact(store, account, who, Timestamp::now()).await?;
        printer.line(told(account, who, &done))?;
        if done.left_in_log > 0 {
            printer.line(format!(
                "the log in Kafka can't be written anew: {} of its records speak of them until the topic forgets them",
                done.left_in_log
            ))?;
        }
        texts.extend(done.texts);
    }
    let is_compact = store.compact().await?;
    if !is_compact {
        printer.line("somebody reads the store: old pages of it are overwritten when they end")?;
    }
    let left = match place.settings()?.store {
        StorePlace::File(path) => left_in(&path, &texts)?,
        // The files of a database server are not at hand here.
        StorePlace::Database(_) => Vec::new(),
    };
    for (file, count) in &left {
        printer.line(format!(
            "{}: {count} of their texts still stand in it: somebody else's data, the workspace, or what a process wrote meanwhile; erase again",
            file.display()
        ))?;
    }
    printer.flush()?;
    Ok(if is_compact && left.is_empty() {
        Exit::Done
    } else {
        Exit::Found
    })
}

fn told(account: &AccountId, contact: &str, done: &Done) -> String {
    let rows = &done.rows;
    format!(
        "{account} {contact}: erased from {} facts, {} messages ({} kept ones), {} records, {} tasks, {} parked facts, {} notes; {} addresses suppressed for ever",
        rows.facts,
        rows.messages,
        rows.captured,
        rows.records,
        rows.tasks,
        rows.parked,
        rows.notes,
        done.suppressed
    )
}

/// Looks into the store's files byte by byte: which of them still hold how many of the texts.
fn left_in(store: &Path, texts: &[Box<str>]) -> anyhow::Result<Vec<(PathBuf, usize)>> {
    let mut found = Vec::new();
    for suffix in ["", "-wal"] {
        let mut name = store.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        let count = match File::open(&path) {
            Ok(file) => count_in(file, texts)?,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error.into()),
        };
        if count > 0 {
            found.push((path, count));
        }
    }
    Ok(found)
}

fn count_in(mut file: impl Read, texts: &[Box<str>]) -> std::io::Result<usize> {
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
    let mut is_found = vec![false; texts.len()];
    let mut window: Vec<u8> = Vec::with_capacity(CHUNK + longest);
    loop {
        let before = window.len();
        let read = (&mut file)
            .take(u64::try_from(CHUNK).unwrap_or(u64::MAX))
            .read_to_end(&mut window)?;
        for (text, is_found) in texts.iter().zip(&mut is_found) {
            *is_found |= !*is_found && holds(&window, text.as_bytes());
        }
        if read == 0 {
            return Ok(is_found.iter().filter(|found| **found).count());
        }
        let keep = longest.min(before + read);
        window.drain(..before + read - keep);
    }
}

/// Letters of ASCII in whatever case.
fn holds(bytes: &[u8], text: &[u8]) -> bool {
    let Some(first) = text.first() else {
        return false;
    };
    bytes
        .windows(text.len())
        .any(|window| window[0].eq_ignore_ascii_case(first) && window.eq_ignore_ascii_case(text))
}
