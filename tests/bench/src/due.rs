//! Wake-ups of a million accounts in a real Postgres: a renewal window that opens for some of them on each day, for all
//! of them within an hour, and for none.

use std::time::Instant;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use store::{Incoming, NewFact, Store};
use workflow::Files;

use crate::commit::decided;
use crate::cpu::resident;
use crate::facts::Line;
use crate::production::{Production, patterns};
use crate::rules::{METRICS, POLICIES, SCHEMA};

const ACCOUNTS: usize = 1_000_000;
const DAYS: i32 = 365;

/// Contact within the window of 120 to 90 days; who is in it when the text goes live is not forgotten.
const WINDOW: &str = "workflow: window
status: live
for_each: contract
start:
  when: contract.status == active and days_until(contract.renewal_date) in 90..120
  existing: include
once_per: contract.renewal_date
steps:
  - id: tell
    alert: desk
    text: Look
";

/// The accounts of one measurement: how far apart their dates lie.
enum Dates {
    OverTheYear,
    AllTheSame,
}

pub(crate) async fn measure() -> anyhow::Result<()> {
    println!("a window of 120 to 90 days over {ACCOUNTS} accounts in Postgres");
    let production = populated(&Dates::OverTheYear).await?;
    let store = &production.store;
    passes(
        store,
        "the day it opens for 1 of 365",
        "2026-05-13T00:00:00Z",
    )
    .await?;
    passes(
        store,
        "an hour in which it opens for none",
        "2026-05-13T01:00:00Z",
    )
    .await?;
    passes(store, "28 days more: 28 of 365", "2026-06-10T00:00:00Z").await?;
    store.close().await;
    let production = populated(&Dates::AllTheSame).await?;
    passes(
        &production.store,
        "an hour in which it opens for all",
        "2026-05-13T00:00:00Z",
    )
    .await?;
    production.store.close().await;
    Ok(())
}

fn files() -> Files {
    let mut files = Files::new();
    let definitions = [
        ("schema", SCHEMA),
        ("metrics", METRICS),
        ("policies", POLICIES),
    ];
    for (name, text) in definitions {
        let path = format!("workflows/definitions/{name}.yaml");
        files.insert(path.into(), text.into());
    }
    files.insert("workflows/window.yaml".into(), WINDOW.into());
    files
}

/// A million accounts with a contract each, none in the window yet; how long that took is told.
async fn populated(dates: &Dates) -> anyhow::Result<Production> {
    let files = files();
    let kinds = match dates {
        Dates::OverTheYear => DAYS,
        Dates::AllTheSame => 1,
    };
    let mut lines = Vec::new();
    for n in 0..kinds {
        lines.extend(introduced(n)?);
    }
    let patterns = patterns(&files, &lines).await?;
    let production = Production::new(&files, None).await?;
    let began = Instant::now();
    production.populate(&patterns, ACCOUNTS).await?;
    let took = began.elapsed().as_secs_f64();
    println!(
        "  written in {took:.0} s: {:.0} accounts/s",
        ACCOUNTS as f64 / took
    );
    Ok(production)
}

/// Account and contract number `n`: its window opens on 13 May, a Wednesday, or `n` days later, at midnight in Tokyo; the hour told
/// ends at nine, when alerts may leave.
fn introduced(n: i32) -> anyhow::Result<Vec<Line>> {
    let account = format!("p-{n}");
    let first: Date = "2026-09-10".parse()?;
    let renews = first.checked_add(jiff::Span::new().try_days(n)?)?;
    let data = [
        ("account.updated", json!({"name": "アクメ", "plan": "paid"})),
        (
            "contract.updated",
            json!({"contract": "k-1", "status": "active", "renewal_date": renews.to_string()}),
        ),
    ];
    let line = |(kind, data)| Line {
        account: account.clone(),
        json: json!({
            "specversion": "1.0", "id": format!("{kind}-{n}"), "source": "bench", "type": kind,
            "subject": account, "time": "2026-01-05T01:00:00Z", "data": data,
        })
        .to_string(),
    };
    Ok(data.into_iter().map(line).collect())
}

/// Lets the time come, and tells how long it takes until all that is due then is decided and durable.
async fn passes(store: &Store, what: &str, to: &str) -> anyhow::Result<()> {
    let to: Timestamp = to.parse()?;
    let tick = json!({
        "specversion": "1.0", "id": format!("tick-{to}"), "source": "bench", "type": "sottaku.tick",
        "time": to.to_string(),
    });
    let tick = tick.to_string();
    let fact = |shard| NewFact {
        shard,
        arrived_at: Timestamp::UNIX_EPOCH,
        json: tick.as_str().into(),
    };
    let incoming = Incoming {
        facts: (0..store.shards()).map(fact).collect(),
        parked: Vec::new(),
    };
    let before = messages(store).await?;
    store.append(incoming).await?;
    let cost = decided(store).await?;
    let opened = messages(store).await? - before;
    let took = cost.wall.as_secs_f64();
    println!(
        "  {what}: {opened} opened in {took:.2} s ({:.0} /s by the clock, {:.0} /s per core of ours), {:.0} MB",
        opened as f64 / took,
        opened as f64 / cost.cores.max(0.01),
        resident()
    );
    Ok(())
}

/// How many messages there are.
async fn messages(store: &Store) -> anyhow::Result<u64> {
    let counts = store.delivery_counts().await?;
    Ok(counts.into_iter().map(|(_, count)| count).sum())
}
