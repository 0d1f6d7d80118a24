//! `sottaku mail receive`: one mail that came back, from standard input.

use crate::arguments::MailReceive;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use ingest::mail::MAIL_BYTES_MAX;
use server::returns::{Received, receive_one};
use std::io::Read;

/// Takes the mail. Whatever is in the way, it is the mail server's to bring again: a mail is never bounced for it.
pub(super) fn run(arguments: &MailReceive) -> anyhow::Result<Exit> {
    match wait(take(arguments)) {
        Ok(received) => {
            let mut printer = Printer::new();
            let why = match received {
                Received::Told => "it stands in the log now".to_owned(),
                Received::Again => "it was told before".to_owned(),
                Received::Ignored => {
                    "a machine's answer or notice, which asks for nothing".to_owned()
                }
                Received::Unproven => {
                    "it proves no message of ours that it could be about".to_owned()
                }
                Received::Unread(unread) => unread.to_string(),
            };
            match arguments.output {
                Output::Json => {
                    printer.json(&serde_json::json!({"received": received.as_str(), "why": why}))?
                }
                Output::Text => printer.line(format!("{}: {why}", received.as_str()))?,
            }
            printer.flush()?;
            Ok(Exit::Done)
        }
        Err(error) => {
            anstream::eprintln!("sottaku: {error:#}");
            Ok(Exit::Later)
        }
    }
}

async fn take(arguments: &MailReceive) -> anyhow::Result<Received> {
    let config = arguments.place.settings()?;
    if config.bounces.is_none() {
        anyhow::bail!("the settings name no `bounces.domain`, so no mail can come back");
    }
    let store = arguments.place.existing().await?;
    let limit = u64::try_from(MAIL_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    // One byte more than is read of any, so that a longer one is known.
    std::io::stdin().take(limit + 1).read_to_end(&mut bytes)?;
    let to: Vec<Box<str>> = arguments
        .to
        .iter()
        .map(|address| address.as_str().into())
        .collect();
    let received = receive_one(config, store.clone(), &to, &bytes).await?;
    store.close().await;
    Ok(received)
}
