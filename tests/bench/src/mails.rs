//! Mails from the outbox to a mail server. The floors send as many of the same bytes: a bare client that does nothing
//! else, the client of a library that many programs use, and Postfix's own generator of load.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use serde_json::json;
use server::{Clock, Config, Roles, Server};
use store::{ClockMode, DeliveryFilter, Incoming, NewFact, OpenOptions, Store};

use crate::cpu::{Cost, Meter};
use crate::facts;
use crate::sink::Sink;
use crate::told::Turns;

const ACCOUNTS: usize = 500;
const MAILS_EACH: usize = 20;
/// Postfix's generator of load, where Debian puts it.
const SMTP_SOURCE: &str = "/usr/sbin/smtp-source";
/// The workspace that sends one mail for each event.
pub(crate) const WORKSPACE: &str = "tests/data/invoices";

pub(crate) async fn measure(rounds: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let decided = folder.path().join("decided.db");
    let letter = prepare(&decided).await?;
    let mails = ACCOUNTS * MAILS_EACH;
    println!(
        "{mails} mails of {} bytes from the outbox to a server that takes all",
        letter.len()
    );
    for delay in [0, 20].map(Duration::from_millis) {
        for connections in [1, 16] {
            if !delay.is_zero() && connections == 1 {
                continue;
            }
            let mut turns = Turns::default();
            let mut by_library = Turns::default();
            let mut source = Turns::default();
            for round in 0..rounds {
                let path = folder
                    .path()
                    .join(format!("{connections}-{round}-{}.db", delay.as_millis()));
                std::fs::copy(&decided, &path)?;
                let ours = ours(&path, connections, delay).await?;
                turns.ours(ours);
                let bare = bare(&letter, connections, delay)?;
                turns.floor(bare);
                by_library.ours(ours);
                by_library.floor(library(&letter, connections, delay).await?);
                source.ours(bare);
                if let Some(cost) = smtp_source(letter.len(), connections, delay)? {
                    source.floor(cost);
                }
            }
            println!(
                " {connections} connections, answered after {} ms",
                delay.as_millis()
            );
            turns.print(("outbox to server", "a bare client"), mails);
            by_library.print(("outbox to server", "a library's client"), mails);
            source.print(("a bare client", "smtp-source (clock only)"), mails);
        }
    }
    Ok(())
}

/// Decides one mail for each event; what the first of them looks like on the wire.
async fn prepare(path: &Path) -> anyhow::Result<Vec<u8>> {
    let options = OpenOptions {
        shards: Some(8),
        clock: Some(ClockMode::Log),
        ..OpenOptions::default()
    };
    let store = Store::open(path, options).await?;
    let files = facts::files_of(WORKSPACE, &["workflows", "templates"])?;
    server::activate(&store, &files, Timestamp::UNIX_EPOCH).await?;
    for account in 0..ACCOUNTS {
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
    until(async || {
        let mut is_done = true;
        for (shard, state) in (0..).zip(store.shard_states().await?) {
            is_done &= state.mark.position == store.log_end(shard).await?;
        }
        Ok(is_done)
    })
    .await?;
    server.stop().await;
    let filter = DeliveryFilter {
        count_max: 100_000,
        ..DeliveryFilter::default()
    };
    let decided = store.deliveries(filter).await?;
    if decided.len() != ACCOUNTS * MAILS_EACH {
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
pub(crate) fn sending(sink: &Sink, connections: usize) -> anyhow::Result<Config> {
    settings(&[
        ("SOTTAKU_MODE", "smtp"),
        ("SOTTAKU_SMTP_HOST", "127.0.0.1"),
        ("SOTTAKU_SMTP_PORT", &sink.address().port().to_string()),
        ("SOTTAKU_SMTP_TLS", "none"),
        ("SOTTAKU_SMTP_CONCURRENCY_MAX", &connections.to_string()),
    ])
}

async fn ours(path: &Path, connections: usize, delay: Duration) -> anyhow::Result<Cost> {
    let sink = Sink::start(delay)?;
    let store = Store::open(path, OpenOptions::default()).await?;
    let roles = Roles {
        http: false,
        ingest: false,
        api: false,
        decide: false,
        send: true,
    };
    let meter = Meter::start();
    let config = sending(&sink, connections)?;
    let server = Server::start(config, store.clone(), Clock::wall(), roles).await?;
    // It stays until all is settled: what it takes it has still to answer.
    sink.has_taken(ACCOUNTS * MAILS_EACH).await?;
    until(async || {
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

/// Asks every 5 ms.
pub(crate) async fn until(
    mut ask: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    loop {
        look.tick().await;
        if ask().await? {
            return Ok(());
        }
    }
}

/// The same mails by a client that keeps nothing and asks nobody; it sends commands together, as the server allows.
fn bare(letter: &[u8], connections: usize, delay: Duration) -> anyhow::Result<Cost> {
    let sink = Sink::start(delay)?;
    let address = sink.address();
    let mails = ACCOUNTS * MAILS_EACH;
    let meter = Meter::start();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|sender| {
                let count = mails / connections + usize::from(sender < mails % connections);
                scope.spawn(move || send(address, letter, count))
            })
            .collect();
        senders
            .into_iter()
            .try_for_each(|sender| match sender.join() {
                Ok(sent) => sent,
                Err(_) => bail!("a sender panicked"),
            })
    })?;
    let cost = meter.stop();
    sink.take(mails)?;
    Ok(cost)
}

fn send(address: SocketAddr, letter: &[u8], count: usize) -> anyhow::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_nodelay(true)?;
    answered(&mut stream, '2')?;
    stream.get_mut().write_all(b"EHLO bench\r\n")?;
    answered(&mut stream, '2')?;
    let begin = "MAIL FROM:<billing@vendor.example>\r\nRCPT TO:<billing@a.example>\r\nDATA\r\n";
    let whole = [letter, b"\r\n.\r\n"].concat();
    for _ in 0..count {
        stream.get_mut().write_all(begin.as_bytes())?;
        for wanted in ['2', '2', '3'] {
            answered(&mut stream, wanted)?;
        }
        stream.get_mut().write_all(&whole)?;
        answered(&mut stream, '2')?;
    }
    Ok(())
}

/// The same mails by the library's client, which sends command by command, over connections that do not wait to fill a
/// packet: it keeps nothing either.
async fn library(letter: &[u8], connections: usize, delay: Duration) -> anyhow::Result<Cost> {
    let sink = Sink::start(delay)?;
    let mails = ACCOUNTS * MAILS_EACH;
    let letter: Arc<[u8]> = letter.into();
    let meter = Meter::start();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..connections {
        let count = mails / connections + usize::from(sender < mails % connections);
        senders.spawn(send_by_library(sink.address(), Arc::clone(&letter), count));
    }
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    let cost = meter.stop();
    sink.take(mails)?;
    Ok(cost)
}

async fn send_by_library(
    address: SocketAddr,
    letter: Arc<[u8]>,
    count: usize,
) -> anyhow::Result<()> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let hello = ClientId::Domain("bench".to_owned());
    let mut connection =
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await?;
    let from = Some("billing@vendor.example".parse()?);
    let envelope = Envelope::new(from, vec!["billing@a.example".parse()?])?;
    for _ in 0..count {
        connection.send(&envelope, &letter).await?;
    }
    Ok(())
}

fn answered(stream: &mut BufReader<TcpStream>, wanted: char) -> anyhow::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        if line.as_bytes().get(3) != Some(&b'-') {
            break;
        }
    }
    if !line.starts_with(wanted) {
        bail!("the sink said {line:?}");
    }
    Ok(())
}

/// Postfix's generator, if it is there. It is another process, so only the clock counts.
fn smtp_source(bytes: usize, connections: usize, delay: Duration) -> anyhow::Result<Option<Cost>> {
    if !Path::new(SMTP_SOURCE).exists() {
        return Ok(None);
    }
    let sink = Sink::start(delay)?;
    let mails = ACCOUNTS * MAILS_EACH;
    let meter = Meter::start();
    let status = Command::new(SMTP_SOURCE)
        .args([
            "-d",
            "-s",
            &connections.to_string(),
            "-m",
            &mails.to_string(),
        ])
        .args(["-l", &bytes.to_string(), "-f", "billing@vendor.example"])
        .args([
            "-t",
            "billing@a.example",
            &format!("inet:127.0.0.1:{}", sink.address().port()),
        ])
        .status()?;
    let wall = meter.stop().wall;
    if !status.success() {
        bail!("smtp-source failed: {status}");
    }
    sink.take(mails)?;
    Ok(Some(Cost {
        wall,
        cores: wall.as_secs_f64(),
    }))
}
