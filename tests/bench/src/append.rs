//! Facts over HTTP, each answered by a 202 once it is durable; the floor appends the same facts without HTTP.
//! The client is a process of its own, so that its work is not counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use jiff::Timestamp;
use server::{Clock, Roles, Server};
use store::{Incoming, NewFact, Store};
use tokio::task::JoinSet;

use crate::commit::{open, settings};
use crate::cpu::{Cost, Meter};
use crate::facts::Line;
use crate::told::Turns;

/// The first word of the client's command line.
pub(crate) const CLIENT: &str = "client";
/// As many connections, or callers, at a time.
const CONNECTIONS: usize = 64;

pub(crate) async fn measure(lines: &[Line], rounds: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let told = folder.path().join("facts.ndjson");
    let text: Vec<&str> = lines.iter().map(|line| line.json.as_str()).collect();
    std::fs::write(&told, text.join("\n"))?;
    let mut turns = Turns::default();
    for round in 0..rounds {
        turns.ours(ours(&folder.path().join(format!("ours-{round}.db")), &told).await?);
        turns.floor(floor(&folder.path().join(format!("floor-{round}.db")), lines).await?);
    }
    println!("one fact a request, {CONNECTIONS} connections, each answered when durable");
    turns.print(("202 over HTTP", "the same appends alone"), lines.len());
    Ok(())
}

async fn ours(path: &Path, told: &Path) -> anyhow::Result<Cost> {
    let store = open(path).await?;
    let roles = Roles {
        http: true,
        ingest: true,
        api: false,
        decide: false,
        send: false,
    };
    let server = Server::start(settings()?, store.clone(), Clock::wall(), roles).await?;
    let address = server.address().context("HTTP listens")?;
    let meter = Meter::start();
    let status = tokio::process::Command::new(std::env::current_exe()?)
        .args([CLIENT, &address.to_string(), &told.display().to_string()])
        .status()
        .await?;
    let cost = meter.stop();
    server.stop().await;
    store.close().await;
    if !status.success() {
        bail!("the client failed: {status}");
    }
    Ok(cost)
}

async fn floor(path: &Path, lines: &[Line]) -> anyhow::Result<Cost> {
    let store = open(path).await?;
    let lines: Arc<[Line]> = lines.into();
    let meter = Meter::start();
    let mut callers = JoinSet::new();
    for caller in 0..CONNECTIONS {
        callers.spawn(append(store.clone(), lines.clone(), caller));
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    let cost = meter.stop();
    store.close().await;
    Ok(cost)
}

async fn append(store: Store, lines: Arc<[Line]>, caller: usize) -> anyhow::Result<()> {
    for line in lines.iter().skip(caller).step_by(CONNECTIONS) {
        let fact = NewFact {
            shard: 0,
            arrived_at: Timestamp::UNIX_EPOCH,
            json: line.json.as_str().into(),
        };
        store
            .append(Incoming {
                facts: vec![fact],
                parked: Vec::new(),
            })
            .await?;
    }
    Ok(())
}

/// `bench client ADDRESS FILE`: tells each line of the file, each connection the next when the last is answered.
pub(crate) fn client(words: &[String]) -> anyhow::Result<()> {
    let [_, address, file] = words else {
        bail!("client ADDRESS FILE");
    };
    let address: SocketAddr = address.parse()?;
    let text = std::fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().collect();
    std::thread::scope(|scope| {
        let tellers: Vec<_> = (0..CONNECTIONS)
            .map(|teller| {
                let lines = lines.iter().skip(teller).step_by(CONNECTIONS);
                scope.spawn(move || tell(address, lines.copied()))
            })
            .collect();
        tellers
            .into_iter()
            .try_for_each(|teller| match teller.join() {
                Ok(told) => told,
                Err(_) => bail!("a teller panicked"),
            })
    })
}

fn tell<'l>(address: SocketAddr, lines: impl Iterator<Item = &'l str>) -> anyhow::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_nodelay(true)?;
    for line in lines {
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nhost: bench\r\ncontent-type: application/cloudevents+json\r\ncontent-length: {}\r\n\r\n",
            line.len()
        );
        stream.get_mut().write_all((head + line).as_bytes())?;
        answered(&mut stream)?;
    }
    Ok(())
}

pub(crate) fn answered(stream: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    let mut first = String::new();
    stream.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    if !first.contains(" 202 ") {
        bail!("{}: {}", first.trim(), String::from_utf8_lossy(&body));
    }
    Ok(())
}
