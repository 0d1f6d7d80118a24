//! Mails from the outbox to a mail server. The floors send as many of the same bytes: a bare client that does nothing
//! else, the client of a library that many programs use, and Postfix's own generator of load.

use std::future::pending;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use server::{Clock, Roles, Server};
use store::{OpenOptions, Store};
use tokio::time::timeout;

use crate::clients;
use crate::cpu::{Cost, Meter};
use crate::load::{self, Key, Load};
use crate::taker::Taker;
use crate::told::Turns;

/// Of the mails that are measured, this share goes to a server that takes its time.
const SLOW_SHARE: usize = 4;
/// From one look at what has been done to the next.
pub(crate) const LOOK: Duration = Duration::from_millis(5);
/// The same while nothing has been done.
const LOOK_MAX: Duration = Duration::from_millis(500);
/// By then all have to be sent.
const SETTLED_MAX: Duration = Duration::from_secs(300);

/// What is measured, beside each of the clients.
#[derive(Default)]
struct Beside {
    bare: Turns,
    library: Turns,
    source: Turns,
    signing: Turns,
}

/// What is measured at a time.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) load: Load,
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

/// A campaign with everything on.
pub(crate) async fn measure(facts: usize, rounds: usize) -> anyhow::Result<()> {
    side_by_side((Load::Campaign, facts), rounds, &by(&[1, 16])).await?;
    let slow = Taker::Own(Duration::from_millis(20));
    let load = (Load::Campaign, facts / SLOW_SHARE);
    side_by_side(load, rounds, &[(slow, 16)]).await
}

/// The same, signed here.
pub(crate) async fn measure_signed(facts: usize, rounds: usize) -> anyhow::Result<()> {
    for key in [Key::Ed25519, Key::Rsa] {
        side_by_side((Load::Signed(key), facts), rounds, &by(&[16])).await?;
    }
    Ok(())
}

/// Mails of which nothing is asked.
pub(crate) async fn measure_bills(facts: usize, rounds: usize) -> anyhow::Result<()> {
    side_by_side((Load::Invoices, facts), rounds, &by(&[1, 16])).await
}

/// To each server that this machine has, by so many connections each time.
fn by(connections: &[usize]) -> Vec<(Taker, usize)> {
    let takers = [Taker::Postfix, Taker::Own(Duration::ZERO)];
    let takers = takers.into_iter().filter(|taker| taker.is_there());
    takers
        .flat_map(|taker| connections.iter().map(move |count| (taker, *count)))
        .collect()
}

async fn side_by_side(
    (load, mails): (Load, usize),
    rounds: usize,
    cases: &[(Taker, usize)],
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let accounts = load.accounts(mails);
    let letter = load.prepare(folder, accounts).await?;
    let mails = load.mails(accounts);
    println!(
        "{mails} mails of {} bytes from the outbox: {load}",
        letter.len()
    );
    for (taker, connections) in cases.iter().copied() {
        let case = Case {
            load,
            taker,
            connections,
            mails,
        };
        let mut beside = Beside::default();
        for _ in 0..rounds {
            let path = folder.join("round.db");
            std::fs::copy(load::decided_in(folder), &path)?;
            let ours = ours(folder, &path, case).await?;
            let Beside {
                bare,
                library,
                source,
                signing,
            } = &mut beside;
            for turns in [bare, library, source, signing] {
                turns.ours(ours);
            }
            beside.bare.floor(clients::bare(&letter, case)?);
            beside.library.floor(clients::library(&letter, case).await?);
            if clients::has_smtp_source() {
                let cost = clients::smtp_source(letter.len(), case)?;
                beside.source.floor(cost);
            }
            if let Load::Signed(key) = load {
                let key = std::fs::read_to_string(key.path(folder))?;
                beside.signing.floor(clients::signing(&letter, &key, case)?);
            }
            remove(&path)?;
        }
        println!(" {connections} connections to {taker}");
        let names = [
            (&beside.bare, "a bare client"),
            (&beside.library, "a library's client"),
            (&beside.source, "smtp-source (clock only)"),
            (&beside.signing, "signing alone, on all cores"),
        ];
        for (turns, name) in names.into_iter().filter(|(turns, _)| turns.is_measured()) {
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

async fn ours(folder: &Path, path: &Path, case: Case) -> anyhow::Result<Cost> {
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
    let config = case
        .load
        .sending(folder, (sink.address(), case.connections))?;
    let server = Server::start(config, store.clone(), Clock::wall(), roles).await?;
    settled(&store, case.mails).await?;
    let cost = meter.stop();
    server.stop().await;
    sink.take(case.mails)?;
    store.close().await;
    Ok(cost)
}

/// Waits until all mails are settled as sent; the less is left, the sooner it looks again, since each look costs.
async fn settled(store: &Store, mails: usize) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let mut left = 0;
        for (state, count) in store.delivery_counts().await? {
            match state.as_str() {
                "sent" => {}
                "queued" | "claimed" => left += count,
                state => ensure!(count == 0, "{count} mails are {state}"),
            }
        }
        if left == 0 {
            return Ok(());
        }
        ensure!(began.elapsed() < SETTLED_MAX, "{left} mails are left");
        let share = left as f64 / mails.max(1) as f64;
        let pause = timeout(LOOK.max(LOOK_MAX.mul_f64(share)), pending::<()>());
        pause.await.ok();
    }
}

/// Asks now and then.
pub(crate) async fn until(
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
