//! `sottaku torture`: workers over a store of one's own are killed while facts are told; afterwards each has counted once.

use crate::arguments::Torture;
use crate::exit::Exit;
use crate::print::{Output, Printer};
use crate::sample::{self, Span};
use crate::serve::stop_signal;
use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::civil::date;
use model::DeliveryState;
use server::Config;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{OpenError, Store};
use torture::takeover::pid;
use torture::{
    Dice, Failure, Held, Look, Measure, Product, Reached, Report, Stage, Strikes, World,
};

/// The settings file in the folder of the trial.
const SETTINGS: &str = "sottaku.yaml";
const FACTS_A_MINUTE: u32 = 10_000;
const FACTS_OF_ACCOUNT: u32 = 40;
/// Seeds are short enough to be typed.
const SEEDS: i64 = 1_000_000;

/// Tries, and prints what was seen.
pub(crate) fn run(arguments: &Torture) -> anyhow::Result<Exit> {
    // What the proof leans on is the present binary, also where another one is tried.
    let own = std::env::current_exe().context("finding this binary")?;
    let folder = tempfile::Builder::new()
        .prefix("sottaku-torture-")
        .tempdir();
    let mut folder = folder.context("making a folder")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let stage = tokio::task::LocalSet::new();
    let report = runtime.block_on(stage.run_until(async {
        // Who ends the trial ends its workers.
        tokio::select! {
            report = tried(arguments, &own, folder.path()) => report,
            stopped = stop_signal() => stopped.and_then(|()| bail!("the trial was ended")),
        }
    }));
    drop(stage);
    if !report.as_ref().is_ok_and(Report::holds) {
        folder.disable_cleanup(true);
        anstream::eprintln!("kept for a look: {}", folder.path().display());
    }
    let report = report?;
    let mut printer = Printer::new();
    match arguments.output {
        Output::Text => printer.line(&report)?,
        Output::Json => printer.json(&report)?,
    }
    printer.flush()?;
    Ok(if report.holds() {
        Exit::Done
    } else {
        Exit::Found
    })
}

async fn tried(arguments: &Torture, own: &Path, folder: &Path) -> anyhow::Result<Report> {
    let drawn = u64::try_from(Timestamp::now().as_microsecond() % SEEDS).unwrap_or(1);
    let seed = arguments.seed.unwrap_or(drawn);
    anstream::eprintln!("seed {seed}");
    let sink = Stage::mail_server(folder.join("taken")).await?;
    let settings = torture::stage::settings(&place(arguments, seed)?, sink.address());
    let file = folder.join(SETTINGS);
    std::fs::write(&file, settings).context("writing the settings")?;
    let config = Config::load(Some(&file))?;
    must_be_empty(&config).await?;
    let workspace = match &arguments.dir {
        Some(dir) => absolute(dir)?,
        None => {
            let own = folder.join("workspace");
            torture::workspace::write(&own)?;
            own
        }
    };
    let oracle = Product::of(own, folder);
    let tried = match &arguments.binary {
        Some(binary) => Product::of(&absolute(binary)?, folder),
        None => oracle.clone(),
    };
    let workspace = workspace.display().to_string();
    tried.done(&["apply", &workspace, "--yes"]).await?;
    let look = Sight(server::open_existing(&config).await?);
    let world = world(arguments, seed)?;
    anstream::eprintln!("{} facts of {} accounts", world.count(), world.accounts);
    let stage = Stage {
        tried,
        oracle,
        workspace,
        sink,
    };
    let measure = Measure {
        workers: usize::try_from(arguments.workers)?,
        time: Duration::from_secs(u64::from(arguments.minutes) * 60),
        seed,
        strikes: Strikes {
            store: arguments.strike_store.clone(),
            kafka: arguments.strike_kafka.clone(),
        },
    };
    let report = torture::torture(stage, &world, &measure, look.clone()).await;
    look.0.close().await;
    Ok(report?)
}

/// The lines of the settings that say where store and log are.
fn place(arguments: &Torture, seed: u64) -> anyhow::Result<String> {
    let mut lines = String::new();
    if let Some(store) = &arguments.store {
        let text = store.to_str().context("--store is no text")?;
        let text = match text.contains("://") {
            true => text.to_owned(),
            false => absolute(store)?.display().to_string(),
        };
        writeln!(lines, "store: {}", serde_json::Value::from(text))?;
    }
    if let Some(brokers) = &arguments.kafka {
        let topic = format!("sottaku-torture-{seed}-{}", std::process::id());
        let log = serde_json::json!({"kafka": {"brokers": brokers, "topic": topic}});
        writeln!(lines, "log: {log}")?;
    }
    Ok(lines)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("finding {}", path.display()))
}

/// Refuses a store that somebody uses.
async fn must_be_empty(config: &Config) -> anyhow::Result<()> {
    let shown = config.store.shown();
    match server::open_existing(config).await {
        Err(OpenError::Missing(_)) => Ok(()),
        Ok(store) => {
            store.close().await;
            bail!("there is a store at {shown}: name one that is empty")
        }
        // A store that has its log elsewhere is one, too.
        Err(OpenError::Log { .. }) => bail!("there is a store at {shown}: name one that is empty"),
        Err(error) => Err(error).with_context(|| format!("looking at {shown}")),
    }
}

fn world(arguments: &Torture, seed: u64) -> anyhow::Result<World> {
    let facts = arguments.facts;
    let facts = facts.unwrap_or(arguments.minutes.saturating_mul(FACTS_A_MINUTE));
    let accounts = arguments.accounts;
    let accounts = accounts.unwrap_or((facts / FACTS_OF_ACCOUNT).max(10));
    let (facts, accounts) = (usize::try_from(facts)?, usize::try_from(accounts)?);
    let span = Span {
        from: date(2026, 1, 1),
        days: 365,
        logins: i64::try_from(torture::world::logins(facts, accounts))?,
    };
    let sample = sample::facts(seed, accounts, span).into_iter();
    // A fact of ours can always be written.
    let lines = sample.map(|told| serde_json::to_string(&told.fact).unwrap_or_default());
    Ok(World::of(lines, (accounts, facts), &mut Dice::new(seed))?)
}

/// Looks by the store's own face, beside the workers.
#[derive(Clone)]
struct Sight(Store);

impl Look for Sight {
    async fn leases(&self) -> Result<Vec<Held>, Failure> {
        let leases = self.0.leases().await.map_err(unseen)?;
        let held = |lease: &store::Lease| Held {
            shard: i64::from(lease.shard),
            role: lease.role.as_str().to_owned(),
            pid: pid(lease.owner.as_deref()),
            epoch: signed(lease.epoch),
        };
        Ok(leases.iter().map(held).collect())
    }

    async fn reached(&self) -> Result<Vec<Reached>, Failure> {
        let states = self.0.shard_states().await.map_err(unseen)?;
        let reached = |state: &store::ShardState| Reached {
            position: signed(state.mark.position),
            commits: signed(state.mark.commits),
            epoch: signed(state.commit_epoch),
        };
        Ok(states.iter().map(reached).collect())
    }

    async fn end(&self, shard: i64) -> Result<i64, Failure> {
        let end = self.0.log_end(u32::try_from(shard).unwrap_or(0)).await;
        end.map(signed).map_err(unseen)
    }

    async fn unsettled(&self) -> Result<i64, Failure> {
        let counts = self.0.delivery_counts().await.map_err(unseen)?;
        let is_open = |state: &DeliveryState| {
            matches!(
                state,
                DeliveryState::Queued | DeliveryState::Claimed | DeliveryState::Deferred
            )
        };
        let open = counts.iter().filter(|(state, _)| is_open(state));
        Ok(open.map(|(_, count)| signed(*count)).sum())
    }

    async fn unattempted(&self) -> Result<Vec<u32>, Failure> {
        let shards = self.0.unattempted().await.map_err(unseen)?;
        let leases = self.leases().await?;
        let sender = |shard: &u32| {
            let mut senders = leases.iter().filter(|held| held.role == "send");
            senders
                .find(|held| held.shard == i64::from(*shard))
                .and_then(|held| held.pid)
        };
        Ok(shards.iter().filter_map(sender).collect())
    }

    async fn problems(&self) -> Result<Vec<String>, Failure> {
        let health = self.0.check().await.map_err(unseen)?;
        Ok(health.problems.iter().map(ToString::to_string).collect())
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unseen(failure: store::Failure) -> Failure {
    Failure::Unreadable {
        what: "the store".to_owned(),
        reason: failure.to_string(),
    }
}
