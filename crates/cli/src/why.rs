//! `sottaku why`: did it start, what keeps it from starting, where does it rest, and what did it do.

mod picture;
mod tell;
mod unsent;

use crate::arguments::Why;
use crate::at::At;
use crate::exit::Exit;
use crate::place::{Place, wait};
use crate::print::{Output, Printer};
use anyhow::{Context as _, bail};
use engine::simulate::Simulation;
use engine::{Account, Clock, Context, Csms, Rules, why};
use jiff::Timestamp;
use model::{AccountId, Fact, Logged, Record};
use serde_json::json;
use server::records::{self, RecordFilter};
use store::{Delivery, Store};
use workflow::Program;

/// How many facts, and how many bytes, are read at once.
const PAGE: u32 = 2_000;
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Answers.
pub(crate) fn run(arguments: &Why) -> anyhow::Result<Exit> {
    wait(answer(arguments))
}

async fn answer(arguments: &Why) -> anyhow::Result<Exit> {
    let (workflow, account) = match arguments.of.as_slice() {
        [account] => (None, account),
        [workflow, account] => (Some(workflow.as_str()), account),
        _ => bail!("name an account, or a workflow and an account"),
    };
    let store = arguments.place.existing().await?;
    let files = server::applied_files(&store).await?;
    let files = files.context("no workspace was applied yet; `sottaku apply` does it")?;
    let Some(program) = workflow::check(&files).program else {
        bail!("the applied workspace can't be read by this version");
    };
    let id = AccountId::new(account.as_str());
    let seen = seen(&store, &program, (&arguments.place, &id), arguments.at).await?;
    let mut printer = Printer::new();
    match workflow {
        Some(workflow) => one(arguments, &program, (&seen, workflow), &mut printer)?,
        None => all(arguments, &program, &seen, &mut printer)?,
    }
    printer.flush()?;
    Ok(Exit::Done)
}

/// An account, and what was decided of it so far.
pub(crate) struct Seen {
    pub(crate) account: Account,
    pub(crate) csms: Csms,
    pub(crate) clock: Clock,
    pub(crate) now: Timestamp,
    records: Vec<Record>,
    /// Messages that did not leave; none of the past.
    unsent: Vec<Delivery>,
}

/// The account as it is stored.
async fn present(store: &Store, place: &Place, id: &AccountId) -> anyhow::Result<Seen> {
    let Some(looked) = server::account::look(store, id).await? else {
        bail!("nothing is known of the account {id}; `sottaku journal` shows who is known");
    };
    let config = place.settings()?;
    let is_log = config.clock == Some(store::ClockMode::Log);
    let own = looked.account.head.now.max(looked.shard_now);
    let wall = Timestamp::now();
    let filter = RecordFilter {
        account: Some(id.clone()),
        count_max: usize::MAX,
        ..RecordFilter::default()
    };
    let lines = records::read(store, &filter).await?;
    let records: Result<Vec<Record>, _> = lines
        .iter()
        .map(|line| serde_json::from_str(line))
        .collect();
    // Under the log clock time is the account's own; a store does not say which clock it was decided by, so an
    // account that is ahead of the wall's clock, or settings that say so, decide.
    let (clock, now) = match own {
        Some(own) if is_log || own > wall => (Clock::Log, own),
        Some(_) | None => (Clock::Live, wall),
    };
    Ok(Seen {
        account: looked.account,
        csms: looked.csms,
        clock,
        now,
        records: records.context("a record of the journal must read back")?,
        unsent: unsent::read(store, id).await?,
    })
}

/// An account as it stood then, or as it is stored.
pub(crate) async fn seen(
    store: &Store,
    program: &Program,
    (place, id): (&Place, &AccountId),
    at: Option<At>,
) -> anyhow::Result<Seen> {
    match at {
        Some(at) => {
            let looked = server::account::look(store, id).await?;
            let at = at.of(program, looked.as_ref().map(|looked| &looked.account));
            past(store, program, id, at).await
        }
        None => present(store, place, id).await,
    }
}

/// The account as it stood: its part of the log decided anew up to then.
async fn past(
    store: &Store,
    program: &Program,
    id: &AccountId,
    at: Timestamp,
) -> anyhow::Result<Seen> {
    let mut simulation = Simulation::new(program);
    for shard in store.shards_of(Some(id.as_str())) {
        let mut after = 0;
        loop {
            let page = store.read_back(shard, after, PAGE, PAGE_BYTES).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for stored in &page {
                let fact: Fact = match serde_json::from_str(&stored.json) {
                    Ok(fact) => fact,
                    // Somebody else wrote it into the topic; whoever decides has put it aside.
                    Err(_) if !store.rewrites_log() => continue,
                    Err(why) => return Err(why).context("a stored fact must read back"),
                };
                let is_own = fact.subject.as_deref() == Some(id.as_str());
                let is_early = fact.time.unwrap_or(stored.arrived_at) <= at;
                if is_early && (is_own || fact.is_csm() || fact.is_control()) {
                    simulation.push(&Logged {
                        position: stored.position,
                        arrived_at: stored.arrived_at,
                        fact,
                    });
                }
            }
        }
    }
    simulation.raise(at);
    let account = simulation
        .accounts()
        .find(|account| account.id == *id)
        .cloned();
    let Some(account) = account else {
        bail!("nothing was known of the account {id} at {at}");
    };
    let csms = simulation.csms().clone();
    let (records, _) = simulation.finish(None);
    Ok(Seen {
        account,
        csms,
        clock: Clock::Log,
        now: at,
        records,
        unsent: Vec::new(),
    })
}

/// One workflow taken apart.
fn one(
    arguments: &Why,
    program: &Program,
    (seen, workflow): (&Seen, &str),
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let rules = Rules::of(program);
    let context = Context {
        program,
        rules: &rules,
        csms: &seen.csms,
        pins: None,
        clock: seen.clock,
    };
    let Some(found) = why::why(&context, &seen.account, seen.now, workflow) else {
        let names: Vec<&str> = program.workflows.iter().map(|one| &*one.name).collect();
        bail!(
            "there is no workflow {workflow} that runs; there are {}",
            names.join(", ")
        );
    };
    let mut of_it = seen.records.iter();
    let records: Vec<&Record> = of_it
        .by_ref()
        .filter(|record| record.workflow.as_deref() == Some(workflow))
        .collect();
    let unsent = unsent::of(&seen.unsent, workflow);
    match arguments.output {
        Output::Json => {
            let unsent: Vec<serde_json::Value> =
                unsent.iter().map(|one| unsent::as_json(one)).collect();
            printer.json(&json!({"why": found, "records": records, "unsent": unsent}))?;
        }
        Output::Text => tell::tell(&found, &records, &unsent, printer)?,
    }
    Ok(())
}

/// All runs of the account.
fn all(
    arguments: &Why,
    program: &Program,
    seen: &Seen,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    match arguments.output {
        Output::Json => {
            for passage in picture::passages(&seen.records) {
                printer.json(&passage)?;
            }
        }
        Output::Text => picture::draw(program, &seen.records, seen.now, printer)?,
    }
    Ok(())
}
