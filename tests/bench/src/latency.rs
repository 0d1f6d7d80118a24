//! From a fact over HTTP to its mail at the mail server, at a steady rate, under the live clock.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use server::{Clock, Roles, Server};

use crate::load::{self, Load};
use crate::pace;
use crate::sink::{Sink, Taken};

const LOAD: Load = Load::Campaign;
const CONNECTIONS: usize = 16;
const SECONDS: usize = 10;

pub(crate) async fn measure() -> anyhow::Result<()> {
    println!("from a fact over HTTP to its mail at the server, {LOAD}, {SECONDS} s each");
    for rate in [100, 1_000] {
        let mut took = run(rate).await?;
        took.sort_unstable();
        let at = |share: usize| {
            took.get(took.len() * share / 100)
                .copied()
                .unwrap_or_default()
        };
        println!(
            "  {rate:>5} facts/s: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms ({} mails)",
            at(50) as f64 / 1_000.0,
            at(99) as f64 / 1_000.0,
            took.last().copied().unwrap_or_default() as f64 / 1_000.0,
            took.len()
        );
    }
    Ok(())
}

/// How many microseconds each mail took.
async fn run(rate: usize) -> anyhow::Result<Vec<i64>> {
    let folder = tempfile::tempdir()?;
    let store = LOAD
        .decided(&folder.path().join("store.db"), rate * SECONDS, false)
        .await?;
    let sink = Sink::start(Duration::ZERO)?;
    let server = Server::start(
        LOAD.sending(folder.path(), (sink.address(), CONNECTIONS))?,
        store.clone(),
        Clock::wall(),
        Roles::ALL,
    )
    .await?;
    let address = server.address().context("HTTP listens")?;
    let telling = tokio::task::spawn_blocking(move || {
        let told = tell(address, rate)?;
        let taken = sink.take(told.len())?;
        anyhow::Ok((told, taken))
    });
    let (told, taken) = telling.await??;
    server.stop().await;
    store.close().await;
    Ok(durations(&told, &taken))
}

fn durations(told: &BTreeMap<String, i64>, taken: &[Taken]) -> Vec<i64> {
    taken
        .iter()
        .filter_map(|mail| Some(mail.at_micros - told.get(&mail.subject)?))
        .collect()
}

/// Tells `rate` facts a second over several connections; when each was told, by its number.
fn tell(address: SocketAddr, rate: usize) -> anyhow::Result<BTreeMap<String, i64>> {
    let began = Instant::now();
    let count = rate * SECONDS;
    std::thread::scope(|scope| {
        let tellers: Vec<_> = (0..CONNECTIONS)
            .map(|teller| {
                scope.spawn(move || {
                    let mut connection = connect(address)?;
                    let mut told = Vec::new();
                    for n in (teller..count).step_by(CONNECTIONS) {
                        let due = Duration::from_secs_f64(n as f64 / rate as f64);
                        pace::pass(due.saturating_sub(began.elapsed()));
                        let data = json!({"name": n.to_string(), "minutes": 5});
                        told.push((n.to_string(), Timestamp::now().as_microsecond()));
                        post(&mut connection, &load::name(n), ("feature.released", data))?;
                    }
                    anyhow::Ok(told)
                })
            })
            .collect();
        let mut all = BTreeMap::new();
        for teller in tellers {
            let told = teller.join();
            all.extend(told.map_err(|_| anyhow::anyhow!("a teller panicked"))??);
        }
        Ok(all)
    })
}

fn connect(address: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn post(
    connection: &mut BufReader<TcpStream>,
    account: &str,
    (kind, data): (&str, serde_json::Value),
) -> anyhow::Result<()> {
    let id = format!("{kind}-{account}");
    let body = json!({
        "specversion": "1.0", "id": id, "source": "bench", "type": kind, "subject": account, "data": data,
    })
    .to_string();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: bench\r\ncontent-type: application/cloudevents+json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.get_mut().write_all((head + &body).as_bytes())?;
    crate::append::answered(connection)
}
