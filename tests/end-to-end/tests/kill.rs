//! Exactly once, whatever is killed: two servers share a store while facts come in over HTTP and from files;
//! one after the other is killed or stopped at random moments. Afterwards what the world has is compared
//! with what was told.

mod blows;
mod heard;
mod stage;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use end_to_end::{Client, Dice, Failure, wait};
use torture::{Evidence, Listed, Load, Look as _, World, broken, files, prove, world};

use blows::Blows;
use stage::Stage;

use crate::office::top;

/// Until the servers answer again after the last blow.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(240);
const TICK: &str = r#"{"specversion":"1.0","id":"tick","source":"test","type":"sottaku.tick","time":"2027-01-05T00:00:00Z"}"#;

/// How much is done, by default and by the environment.
#[derive(Debug, Clone)]
struct Size {
    /// The workspace that decides.
    workspace: PathBuf,
    accounts: usize,
    /// Whether commands leave in one flight; without it the moment between claim and attempt is long enough to aim at.
    pipelining: bool,
    facts: usize,
    kills: usize,
    seed: u64,
    /// Another binary than the one that was built with the tests: one with a safeguard left out.
    binary: Option<PathBuf>,
}

impl Size {
    /// The road from contracts to renewal mails, with many customers.
    fn of_road() -> Size {
        Size {
            workspace: top().join("tests/data/renewal"),
            accounts: 2_000,
            pipelining: true,
            facts: number("SOTTAKU_KILL_FACTS", 100_000),
            kills: number("SOTTAKU_KILL_KILLS", 20),
            ..Size::of_whole()
        }
    }

    /// The whole shipped workspace: ten workflows, and many more decisions for each fact.
    fn of_whole() -> Size {
        let facts = number("SOTTAKU_KILL_WHOLE_FACTS", 12_500);
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let drawn = since.map_or(1, |since| u64::from(since.subsec_nanos()) % 1_000_000);
        Size {
            workspace: top(),
            accounts: facts / 50,
            pipelining: false,
            facts,
            kills: number("SOTTAKU_KILL_WHOLE_KILLS", 8),
            seed: number("SOTTAKU_KILL_SEED", drawn),
            binary: std::env::var_os("SOTTAKU_KILL_BINARY").map(PathBuf::from),
        }
    }
}

fn number<N: std::str::FromStr>(name: &str, usual: N) -> N {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// One at a time: each needs the machine for itself.
pub(crate) static MACHINE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fact_and_every_mail_counts_once_whatever_is_killed() {
    holds(Size::of_road()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_workspace_decides_once_whatever_is_killed() {
    holds(Size::of_whole()).await;
}

async fn holds(size: Size) {
    let _machine = MACHINE.lock().await;
    println!("seed {} (SOTTAKU_KILL_SEED={})", size.seed, size.seed);
    let stage = tokio::task::LocalSet::new();
    let violations = stage.run_until(run(&size)).await.expect("the stage stands");
    for violation in violations.iter().take(40) {
        println!("VIOLATION {violation}");
    }
    assert!(
        violations.is_empty(),
        "{} violations, seed {}",
        violations.len(),
        size.seed
    );
}

async fn run(size: &Size) -> Result<Vec<String>, Failure> {
    let began = Instant::now();
    let mut stage = Stage::set(size).await?;
    let mut dice = Dice::new(size.seed);
    let world = generate(&stage, size, &mut dice).await?;
    println!(
        "facts {} of {} accounts, {} from files",
        world.count(),
        world.accounts,
        world.in_files()
    );
    let load = Load::new(&world, &mut dice);
    let progress = load.progress();
    let files = files::write(&world, stage.folder.path())?;
    let importing = tokio::task::spawn_local(files::import(
        stage.product.clone(),
        files,
        progress.clone(),
        dice.clone(),
    ));
    let telling = load.start(&world, &stage.addresses());
    let blows = Blows::plan(size.kills, world.over_http(), &mut dice);
    let mut struck = blows.strike(&mut stage, &progress).await?;
    println!("{:.0} s: all blows struck", began.elapsed().as_secs_f64());
    let told = telling.end().await?;
    let imported = importing
        .await
        .map_err(|error| broken("the import", &error))??;
    println!("{:.0} s: all told", began.elapsed().as_secs_f64());
    tick(&stage).await?;
    let quiet = quiet(&stage, size).await;
    println!("{:.0} s: quiet", began.elapsed().as_secs_f64());
    let mut violations = told.violations.clone();
    if let Err(failure) = quiet {
        violations.push(failure.to_string());
    }
    let endings = stage.end().await?;
    violations.append(&mut struck.violations);
    let evidence = Evidence {
        oracle: &stage.oracle,
        workspace: &stage.workspace,
        taken: stage.sink.taken()?,
    };
    let found = prove(&evidence, &world, &told).await?;
    let listed = found.listed.iter();
    let listed: Vec<Listed> = listed
        .map(|mail| Listed::read(mail, &found.mailed))
        .collect();
    violations.extend(found.violations.iter().cloned());
    violations.extend(heard::judge(&stage, &listed).await?);
    println!(
        "log: {} facts and {} repeats of them, {} answers of 2xx; {} records; messages {:?}, mails {}",
        found.facts, found.repeats, found.accepted, found.records, found.messages, found.mails
    );
    println!(
        "{} resent after a cut or a refusal, {} told twice on purpose, import killed {} times",
        told.resent, told.twice, imported.kills
    );
    println!("{}", struck.told(&stage));
    println!(
        "exit codes after SIGTERM {endings:?}; {:.0} s; violations {}",
        began.elapsed().as_secs_f64(),
        violations.len()
    );
    if !violations.is_empty() {
        stage.folder.disable_cleanup(true);
        println!("kept for a look: {}", stage.folder.path().display());
    }
    Ok(violations)
}

/// Raises the time to the end, so that all that is due is decided.
async fn tick(stage: &Stage) -> Result<(), Failure> {
    wait::until("the tick is accepted", ANSWER_TIME_MAX, async || {
        let mut client = Client::new(stage.servers[0].address(), Duration::from_secs(20));
        let told = client
            .tell("application/cloudevents+json", TICK.as_bytes())
            .await;
        told.ok().filter(|answer| answer.status == 202)
    })
    .await
    .map(|_| ())
}

/// Waits until everything is decided and every message has its fate.
async fn quiet(stage: &Stage, size: &Size) -> Result<(), Failure> {
    let for_facts = Duration::from_millis(u64::try_from(size.facts).unwrap_or(u64::MAX));
    wait::until(
        "all is decided and sent",
        ANSWER_TIME_MAX + for_facts,
        async || {
            let reached = stage.peek.logs().await.ok()?;
            let unsettled = stage.peek.unsettled().await.ok()?;
            let is_decided = reached.iter().all(|shard| shard.position == shard.end);
            (is_decided && unsettled == 0).then_some(())
        },
    )
    .await
}

/// The sample of the binary that says what is right, made the world that is told.
async fn generate(stage: &Stage, size: &Size, dice: &mut Dice) -> Result<World, Failure> {
    let logins = world::logins(size.facts, size.accounts).to_string();
    let (accounts, seed) = (size.accounts.to_string(), size.seed.to_string());
    let arguments = [
        "sample",
        "--accounts",
        &accounts,
        "--logins",
        &logins,
        "--seed",
        &seed,
    ];
    let sample = stage.oracle.done(&arguments).await?;
    World::of(sample.out.lines(), (size.accounts, size.facts), dice)
}
