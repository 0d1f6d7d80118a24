//! `sottaku shards`: who has each shard, how far it is, and what it waits for.

use crate::arguments::Shards;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use anyhow::Context;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{Failure, Lease, Role, ShardState, Store};

/// One shard as it is shown.
struct Shown {
    state: ShardState,
    leases: Vec<Lease>,
    /// Where its log ends; why that is not known where it is elsewhere and can't be reached.
    end: Result<u64, Failure>,
    next_wake: Option<Timestamp>,
}

/// Prints every shard.
pub(crate) fn run(arguments: &Shards) -> anyhow::Result<Exit> {
    wait(print(arguments))
}

async fn print(arguments: &Shards) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let now = Timestamp::now();
    let shards = read(&store).await.context("looking at the shards")?;
    let mut printer = Printer::new();
    if arguments.output == Output::Text {
        printer.line(line(
            [
                "SHARD",
                "DECIDES",
                "EPOCH",
                "SENDS",
                "EPOCH",
                "POSITION",
                "LAG",
                "NEXT WAKE-UP",
            ]
            .map(str::to_owned),
        ))?;
    }
    for shown in &shards {
        match arguments.output {
            Output::Json => printer.json(&as_json(shown, now))?,
            Output::Text => printer.line(line(as_row(shown, now)))?,
        }
    }
    printer.flush()?;
    let Some(why) = shards.iter().find_map(|shown| shown.end.as_ref().err()) else {
        return Ok(Exit::Done);
    };
    anstream::eprintln!("how far the log goes is not known: {why}");
    Ok(Exit::Found)
}

async fn read(store: &Store) -> Result<Vec<Shown>, Failure> {
    let leases = store.leases().await?;
    let mut shards = Vec::new();
    for state in store.shard_states().await? {
        let shard = state.shard;
        let of_shard = leases.iter().filter(|lease| lease.shard == shard);
        // Who could not be reached once is not asked for every shard.
        let known: Option<&Failure> = shards
            .iter()
            .find_map(|shown: &Shown| shown.end.as_ref().err());
        let end = match known {
            Some(failure) => Err(failure.clone()),
            None => store.log_end(shard).await,
        };
        shards.push(Shown {
            leases: of_shard.cloned().collect(),
            end,
            next_wake: store.earliest(shard).await?,
            state,
        });
    }
    Ok(shards)
}

impl Shown {
    fn lease(&self, role: Role) -> Option<&Lease> {
        self.leases.iter().find(|lease| lease.role == role)
    }

    fn lag(&self) -> Option<u64> {
        let end = self.end.as_ref().ok()?;
        Some(end.saturating_sub(self.state.mark.position))
    }
}

fn is_held(lease: &Lease, now: Timestamp) -> bool {
    lease.owner.is_some() && lease.lease_until > now
}

fn as_json(shown: &Shown, now: Timestamp) -> Value {
    let of = |role| {
        shown.lease(role).map(|lease| {
            json!({
                "owner": lease.owner, "epoch": lease.epoch, "until": lease.lease_until,
                "held": is_held(lease, now),
            })
        })
    };
    json!({
        "shard": shown.state.shard, "decide": of(Role::Decide), "send": of(Role::Send),
        "position": shown.state.mark.position, "end": shown.end.as_ref().ok(), "lag": shown.lag(),
        "commits": shown.state.mark.commits, "next_wake_up": shown.next_wake,
    })
}

fn as_row(shown: &Shown, now: Timestamp) -> [String; 8] {
    let owner = |role| match shown.lease(role) {
        Some(lease) if is_held(lease, now) => lease.owner.as_deref().unwrap_or("-").to_owned(),
        Some(Lease { owner: Some(_), .. }) => "(run out)".to_owned(),
        Some(_) | None => "-".to_owned(),
    };
    let epoch = |role| shown.lease(role).map_or(0, |lease| lease.epoch).to_string();
    let lag = shown.lag().map_or("?".to_owned(), |lag| lag.to_string());
    let next = shown.next_wake.map_or("-".to_owned(), |at| at.to_string());
    [
        shown.state.shard.to_string(),
        owner(Role::Decide),
        epoch(Role::Decide),
        owner(Role::Send),
        epoch(Role::Send),
        shown.state.mark.position.to_string(),
        lag,
        next,
    ]
}

fn line(cells: [String; 8]) -> String {
    let [shard, decides, epoch, sends, its_epoch, position, lag, next] = cells;
    format!(
        "{shard:>5}  {decides:<38}  {epoch:>6}  {sends:<38}  {its_epoch:>6}  {position:>10}  {lag:>8}  {next}"
    )
}
