//! All together: workers over a store and a log, a mail server that outlives them, a client that tells, and blows.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::blows::{Blows, Strikes, tail};
use crate::report::Report;
use crate::{
    Accounted, Act, Client, Dice, Evidence, Failure, Load, Look, Phase, Plan, Product, Progress,
    Rule, Serving, Sink, SinkOptions, World, files, prove, wait,
};

/// After the last fact so long may go by in which nothing is decided and no message gets its fate.
const STILL_TIME_MAX: Duration = Duration::from_secs(240);
/// Between two looks at what is left.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
/// How often telling is let go on.
const PACE: Duration = Duration::from_millis(50);
/// Raises the time to the end, so that all that is due is decided.
const TICK: &str = r#"{"specversion":"1.0","id":"tick","source":"torture","type":"sottaku.tick","time":"2027-01-05T00:00:00Z"}"#;

/// The workers; each is locked by what befalls it.
pub type Workers = Vec<Arc<Mutex<Serving>>>;

/// How much is done.
#[derive(Debug, Clone)]
pub struct Measure {
    /// How many workers there are.
    pub workers: usize,
    /// For how long blows fall while facts are told.
    pub time: Duration,
    /// The seed of all that happens by chance.
    pub seed: u64,
    /// What strikes the database and the brokers.
    pub strikes: Strikes,
}

/// A store with a workspace applied, and a mail server.
#[derive(Debug)]
pub struct Stage {
    /// The binary that is tried, in the folder that holds its settings.
    pub tried: Product,
    /// The binary that says what is right.
    pub oracle: Product,
    /// The folder of the workspace that decides.
    pub workspace: String,
    /// Where mails go.
    pub sink: Sink,
}

impl Stage {
    /// A mail server that is slow now and then, so that senders are struck at every moment; that refuses for now, cuts, or
    /// takes a mail and does not say so.
    ///
    /// # Errors
    /// When it can't listen.
    pub async fn mail_server(record: PathBuf) -> Result<Sink, Failure> {
        let slow = |millis| Act::SlowMs(millis);
        let mut options = SinkOptions::new(record);
        options.plan = Plan::of([
            Rule::new(Phase::Rcpt, slow(1_500)).every(23),
            Rule::new(Phase::Dot, slow(1_200)).every(31),
            Rule::new(Phase::Mail, Act::Reply("451 4.3.0 later".to_owned())).every(101),
            Rule::new(Phase::Data, Act::Cut).every(503),
            Rule::new(Phase::Dot, Act::Cut).keeping().every(607),
            Rule::new(Phase::Dot, Act::Cut).every(701),
        ]);
        Sink::start(options).await
    }
}

/// Settings of the workers: what `lines` say of store and log, and the mail server. Commands leave one by one, so that
/// the moments between claim, attempt and message are long.
pub fn settings(lines: &str, mail: SocketAddr) -> String {
    let port = mail.port();
    format!(
        "{lines}shards: 8\nclock: log\nmode: smtp\nfrom_domain: vendor.example\n\
         public_url: https://cs.vendor.example\n\
         smtp: {{host: 127.0.0.1, port: {port}, tls: none, pipelining: false, \
         command_time_max: 30s, answer_time_max: 30s}}\nlimits: {{retry_wait_max: 300ms}}\n"
    )
}

/// Tells the world to the workers while blows fall, waits until all is quiet, and proves. Runs on a local set.
///
/// # Errors
/// When the stage itself does not stand; what the product does wrong is in the report.
pub async fn torture(
    stage: Stage,
    world: &World,
    measure: &Measure,
    look: impl Look + 'static,
) -> Result<Report, Failure> {
    let began = Instant::now();
    let mut dice = Dice::new(measure.seed);
    let workers = start(&stage, measure.workers).await?;
    let mut addresses = Vec::new();
    for worker in &workers {
        addresses.push(worker.lock().await.address());
    }
    let load = Load::new(world, &mut dice);
    let progress = load.progress();
    let written = files::write(world, stage.tried.folder())?;
    let importing = files::import(stage.tried.clone(), written, progress.clone(), dice.clone());
    let importing = tokio::task::spawn_local(importing);
    let telling = load.start(world, &addresses);
    let pacing = tokio::task::spawn_local(pace(progress, world.over_http(), measure.time));
    let blows = Blows {
        workers: workers.clone(),
        look: look.clone(),
        strikes: measure.strikes.clone(),
        time: measure.time,
        dice,
    };
    let struck = blows.strike().await?;
    let said_so = |what: &str| eprintln!("{:.0} s: {what}", began.elapsed().as_secs_f64());
    said_so("all blows have fallen");
    let ended = async { tokio::join!(telling.end(), importing, pacing) };
    let (told, imported, paced) = ended.await;
    let told: Accounted = told?;
    paced.map_err(|error| crate::broken("the pace", &error))?;
    let imported = imported.map_err(|error| crate::broken("the import", &error))??;
    said_so("all is told");
    tick(&addresses).await?;
    said_so("the time is raised to the end");
    let mut violations = struck.violations.clone();
    violations.extend(told.violations.iter().cloned());
    if let Err(failure) = quiet(&look).await {
        violations.push(failure.to_string());
    }
    said_so("all is quiet");
    let mut report = Report::new(&struck, measure, (told.resent, imported.kills));
    violations.extend(end(workers, &mut report).await?);
    violations.extend(look.problems().await?);
    let evidence = Evidence {
        oracle: &stage.oracle,
        workspace: &stage.workspace,
        taken: stage.sink.taken()?,
    };
    report.found = prove(&evidence, world, &told).await?;
    report.found.violations.splice(0..0, violations);
    report.seconds = began.elapsed().as_secs();
    Ok(report)
}

async fn start(stage: &Stage, count: usize) -> Result<Workers, Failure> {
    let mut workers = Workers::new();
    for number in 1..=count.max(1) {
        let log = stage.tried.folder().join(format!("worker-{number}.log"));
        let worker = Serving::start(&stage.tried, &["serve"], &log)?;
        worker.answers().await?;
        workers.push(Arc::new(Mutex::new(worker)));
    }
    Ok(workers)
}

/// Lets telling go on evenly over the time.
async fn pace(progress: Progress, facts: usize, time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        progress.allow(share(facts, began.elapsed(), time));
        tokio::time::sleep(PACE).await;
    }
    progress.allow(usize::MAX);
}

/// The part of some facts that is due after a part of the time.
fn share(facts: usize, passed: Duration, time: Duration) -> usize {
    let facts = u128::try_from(facts).unwrap_or(u128::MAX);
    let due = facts.saturating_mul(passed.as_millis()) / time.as_millis().max(1);
    usize::try_from(due.min(facts)).unwrap_or(usize::MAX)
}

async fn tick(addresses: &[SocketAddr]) -> Result<(), Failure> {
    let mut turn = addresses.iter().cycle();
    wait::until("the tick is accepted", STILL_TIME_MAX, async || {
        let mut client = Client::new(*turn.next()?, Duration::from_secs(20));
        let told = client.tell("application/cloudevents+json", TICK.as_bytes());
        told.await.ok().filter(|answer| answer.status == 202)
    })
    .await
    .map(|_| ())
}

/// Waits until everything is decided and every message has its fate, as long as it comes nearer; says what is left.
async fn quiet(look: &impl Look) -> Result<(), Failure> {
    let mut least = None;
    loop {
        let mut left = Left::default();
        let advanced = wait::until("less is left to do", STILL_TIME_MAX, async || {
            // Counting costs a database that has enough to do.
            tokio::time::sleep(LOOK_PAUSE).await;
            left = Left::seen(look).await.ok()?;
            let is_less = least.as_ref().is_none_or(|least| left < *least);
            is_less.then_some(())
        });
        match advanced.await {
            Ok(()) if left.is_nothing() => return Ok(()),
            Ok(()) => least = Some(left),
            Err(late) => return Err(crate::broken(&late.to_string(), &left.shown())),
        }
    }
}

/// What is neither decided nor sent. Less is left where less is undecided, however many messages that brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Left {
    undecided: i64,
    open: i64,
    /// Of each shard: which, how far it is, and where its log ends.
    shards: Vec<(i64, i64, i64)>,
}

impl Left {
    async fn seen(look: &impl Look) -> Result<Self, Failure> {
        let mut left = Self::default();
        for (shard, reached) in (0..).zip(look.reached().await?) {
            let (at, end) = (reached.position, look.end(shard).await?);
            if at < end {
                left.undecided += end - at;
                left.shards.push((shard, at, end));
            }
        }
        left.open = look.unsettled().await?;
        Ok(left)
    }

    fn is_nothing(&self) -> bool {
        self.undecided == 0 && self.open == 0
    }

    fn shown(&self) -> String {
        let shards = self.shards.iter();
        let shards = shards.map(|(shard, at, end)| format!("shard {shard} is at {at} of {end}"));
        let open = (self.open > 0).then(|| format!("{} messages have no fate", self.open));
        shards.chain(open).collect::<Vec<_>>().join(", ")
    }
}

/// Asks every worker to end; what it should not have done.
async fn end(workers: Workers, report: &mut Report) -> Result<Vec<String>, Failure> {
    let mut violations = Vec::new();
    for worker in workers {
        let mut worker = worker.lock().await;
        let code = worker.leave().await?;
        let said = worker.said();
        if code != Some(0) {
            violations.push(format!("a worker ended with {code:?}: {}", tail(&said)));
        }
        report.heard(&said);
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_that_brings_many_messages_leaves_less_to_do() {
        let left = |undecided, open| Left {
            undecided,
            open,
            shards: Vec::new(),
        };
        assert!(left(0, 100_000) < left(1, 3));
        assert!(left(0, 99_999) < left(0, 100_000));
        assert!(left(2, 0) > left(1, 9));
        assert!(left(0, 0).is_nothing() && !left(0, 1).is_nothing());
    }

    #[test]
    fn facts_are_due_evenly_over_the_time() {
        let time = Duration::from_secs(60);
        for (seconds, due) in [(0, 0), (15, 250), (60, 1_000), (90, 1_000)] {
            assert_eq!(share(1_000, Duration::from_secs(seconds), time), due);
        }
    }
}
