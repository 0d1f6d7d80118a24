//! Mails from the outbox to a mail server. The floors send as many of the same bytes: a bare client that does nothing
//! else, the client of a library that many programs use, and Postfix's own generator of load.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::json;
use server::{Clock, Config, Roles, Server};
use store::{ClockMode, DeliveryFilter, Incoming, NewFact, OpenOptions, Store};

use crate::clients;
use crate::cpu::{Cost, Meter};
use crate::facts;
use crate::smtp_sink::SmtpSink;
use crate::taker::Taker;
use crate::told::Turns;

/// To each account.
const MAILS_EACH: usize = 20;
/// Of the mails that are measured, this share goes to a server that takes its time.
const SLOW_SHARE: usize = 4;
/// From one look at what has been done to the next.
pub(crate) const LOOK: Duration = Duration::from_millis(5);
/// The workspace that sends one mail for each event.
pub(crate) const WORKSPACE: &str = "tests/data/invoices";

/// What is measured, beside each of the clients.
#[derive(Default)]
struct Beside {
    bare: Turns,
    library: Turns,
    source: Turns,
}

/// What is measured at a time.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) taker: Taker,
    pub(crate) connections: usize,
    pub(crate) mails: usize,
}

impl Case {
    /// How many mails one connection of a client sends.
    pub(crate) fn share(self, connection: usize) -> usize {
        self.mails / self.connections + usize::from(connection < self.mails % self.connections)
    }
}

pub(crate) async fn measure(facts: usize, rounds: usize) -> anyhow::Result<()> {
    let accounts = (facts / MAILS_EACH).max(SLOW_SHARE);
    let at_once = Taker::Own(Duration::ZERO);
    let mut cases = vec![(at_once, 1), (at_once, 16)];
    if SmtpSink::is_there() {
        cases.extend([(Taker::Postfix, 1), (Taker::Postfix, 16)]);
    }
    side_by_side(accounts, rounds, &cases).await?;
    let slow = Taker::Own(Duration::from_millis(20));
    side_by_side(accounts / SLOW_SHARE, rounds, &[(slow, 16)]).await
}

async fn side_by_side(
    accounts: usize,
    rounds: usize,
    cases: &[(Taker, usize)],
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let decided = folder.path().join("decided.db");
    let letter = prepare(&decided, accounts).await?;
    let mails = accounts * MAILS_EACH;
    println!("{mails} mails of {} bytes from the outbox", letter.len());
    for (taker, connections) in cases.iter().copied() {
        let case = Case {
            taker,
            connections,
            mails,
        };
        let mut beside = Beside::default();
        for _ in 0..rounds {
            let path = folder.path().join("round.db");
            std::fs::copy(&decided, &path)?;
            let ours = ours(&path, case).await?;
            for turns in [&mut beside.bare, &mut beside.library, &mut beside.source] {
                turns.ours(ours);
            }
            beside.bare.floor(clients::bare(&letter, case)?);
            beside.library.floor(clients::library(&letter, case).await?);
            if clients::has_smtp_source() {
                let cost = clients::smtp_source(letter.len(), case)?;
                beside.source.floor(cost);
            }
            remove(&path)?;
        }
        println!(" {connections} connections to {taker}");
        let names = [
            (&beside.bare, "a bare client"),
            (&beside.library, "a library's client"),
            (&beside.source, "smtp-source (clock only)"),
        ];
        for (turns, name) in names {
            turns.print(("outbox to server", name), mails);
        }
    }
    Ok(())
}

/// Removes a store with what SQLite keeps beside it.
fn remove(path: &Path) -> anyhow::Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        match std::fs::remove_file(Path::new(&file)) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Decides one mail for each event; what the first of them looks like on the wire.
async fn prepare(path: &Path, accounts: usize) -> anyhow::Result<Vec<u8>> {
    let options = OpenOptions {
        shards: Some(8),
        clock: Some(ClockMode::Log),
        ..OpenOptions::default()
    };
    let store = Store::open(path, options).await?;
    let files = facts::files_of(WORKSPACE, &["workflows", "templates"])?;
    server::activate(&store, &files, Timestamp::UNIX_EPOCH).await?;
    for account in 0..accounts {
        let account = format!("a-{account:05}");
        let shard = store::shard_of(&account, store.shards());
        let facts = told(&account).into_iter().map(|json| NewFact {
            shard,
            arrived_at: Timestamp::UNIX_EPOCH,
            json: json.into(),
        });
        let incoming = Incoming {
            facts: facts.collect(),
            parked: Vec::new(),
        };
        store.append(incoming).await?;
    }
    let roles = Roles {
        http: false,
        ingest: false,
        api: false,
        decide: true,
        send: false,
    };
    let server = Server::start(settings(&[])?, store.clone(), Clock::wall(), roles).await?;
    until(LOOK, async || {
        let mut is_done = true;
        for (shard, state) in (0..).zip(store.shard_states().await?) {
            is_done &= state.mark.position == store.log_end(shard).await?;
        }
        Ok(is_done)
    })
    .await?;
    server.stop().await;
    let filter = DeliveryFilter {
        count_max: u32::MAX,
        ..DeliveryFilter::default()
    };
    let decided = store.deliveries(filter).await?;
    if decided.len() != accounts * MAILS_EACH {
        bail!("{} mails were decided", decided.len());
    }
    let letter = letter(&files, &decided[0].outgoing)?;
    store.close().await;
    Ok(letter)
}

fn told(account: &str) -> Vec<String> {
    let fact = |id: &str, kind: &str, minute: usize, data: serde_json::Value| {
        json!({
            "specversion": "1.0", "id": format!("{account}-{id}"), "source": "bench", "type": kind, "subject": account,
            "time": format!("2026-01-13T01:{minute:02}:00Z"), "data": data,
        })
        .to_string()
    };
    let email = format!("billing@{account}.example");
    let mut facts = vec![
        fact("0", "account.updated", 0, json!({"name": "アクメ"})),
        fact(
            "1",
            "contact.updated",
            0,
            json!({"contact": "p-1", "name": "田中", "role": "billing", "email": email, "locale": "ja"}),
        ),
    ];
    facts.extend((0..MAILS_EACH).map(|n| {
        let data = json!({"number": n, "amount": 120_000});
        fact(&format!("invoice-{n}"), "invoice.issued", n + 1, data)
    }));
    facts
}

/// The bytes that a mail has on the wire.
fn letter(files: &workflow::Files, outgoing: &model::Outgoing) -> anyhow::Result<Vec<u8>> {
    let checked = workflow::check(files);
    let program = checked.program.context("the workspace has mistakes")?;
    let texts = program
        .templates
        .values()
        .flat_map(|template| template.texts.values().cloned());
    let templates = outreach::render::Templates::new(texts);
    let templates = templates.map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    let outreach::render::Rendered::Mail(words) =
        outreach::render::render(&templates, outgoing, None)?
    else {
        bail!("it is no mail");
    };
    let at = Timestamp::UNIX_EPOCH;
    let letter = outreach::mail::Letter::of(outgoing, &words, at).context("it is no mail")?;
    Ok(outreach::mail::build(&letter)?.bytes)
}

/// Settings of a server in this process, as its environment would give them.
pub(crate) fn settings(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
    let config = Config::load_with(None, &|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        match name {
            "SOTTAKU_LISTEN" => Some("127.0.0.1:0".to_owned()),
            _ => found.map(|(_, value)| (*value).to_owned()),
        }
    });
    Ok(config?)
}

/// The settings of one that sends to `sink`.
pub(crate) fn sending(sink: SocketAddr, connections: usize) -> anyhow::Result<Config> {
    settings(&[
        ("SOTTAKU_MODE", "smtp"),
        ("SOTTAKU_SMTP_HOST", "127.0.0.1"),
        ("SOTTAKU_SMTP_PORT", &sink.port().to_string()),
        ("SOTTAKU_SMTP_TLS", "none"),
        ("SOTTAKU_SMTP_CONCURRENCY_MAX", &connections.to_string()),
    ])
}

async fn ours(path: &Path, case: Case) -> anyhow::Result<Cost> {
    let sink = case.taker.start()?;
    let store = Store::open(path, OpenOptions::default()).await?;
    let roles = Roles {
        http: false,
        ingest: false,
        api: false,
        decide: false,
        send: true,
    };
    let meter = Meter::start();
    let config = sending(sink.address(), case.connections)?;
    let server = Server::start(config, store.clone(), Clock::wall(), roles).await?;
    // It stays until all is settled: what it takes it has still to answer.
    sink.has_taken(case.mails).await?;
    until(sink.look(), async || {
        let counts = store.delivery_counts().await?;
        Ok(counts
            .iter()
            .all(|(state, count)| *count == 0 || state.as_str() == "sent"))
    })
    .await?;
    let cost = meter.stop();
    server.stop().await;
    drop(sink);
    store.close().await;
    Ok(cost)
}

/// Asks now and then.
async fn until(
    every: Duration,
    mut ask: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(every);
    loop {
        look.tick().await;
        if ask().await? {
            return Ok(());
        }
    }
}
