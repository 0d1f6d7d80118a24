//! `sottaku why`: did it start, what keeps it from starting, where does it rest, and what did it do.

mod past;
mod picture;
mod tell;
mod unsent;

use crate::arguments::Why;
use crate::at::At;
use crate::exit::Exit;
use crate::place::{Place, wait};
use crate::print::{Output, Printer};
use anyhow::{Context as _, bail};
use engine::{Account, Clock, Context, Csms, Rules, why};
use jiff::Timestamp;
use model::{AccountId, Record};
use serde_json::json;
use server::records::{self, RecordFilter};
use store::{Delivery, Store};
use workflow::Program;
use workflow::program::Start;

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
    let program = seen.text.as_ref().unwrap_or(&program);
    let mut printer = Printer::new();
    match workflow {
        Some(workflow) => {
            let offered = offered(&store, program, (&arguments.place, &seen), workflow).await?;
            let of = (&seen, workflow, offered.as_ref());
            one(arguments, program, of, &mut printer)?;
        }
        None => all(arguments, program, &seen, &mut printer)?,
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
    /// The text that decided it then; none: the present one.
    text: Option<Program>,
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
        text: None,
    })
}

/// An account as it stood then, or as it is stored.
pub(crate) async fn seen(
    store: &Store,
    program: &Program,
    (place, id): (&Place, &AccountId),
    at: Option<At>,
) -> anyhow::Result<Seen> {
    let Some(at) = at else {
        return present(store, place, id).await;
    };
    let looked = server::account::look(store, id).await?;
    let account = looked.as_ref().map(|looked| &looked.account);
    let at = at.of(program, account);
    let is_live = is_live(place, account)?;
    let mut texts = past::deciding(store, id).await?;
    let (mut seen, by) = past::past(store, &texts, (id, is_live), at).await?;
    seen.text = (by < texts.len()).then(|| texts.swap_remove(by).program);
    Ok(seen)
}

/// Whether time is the wall's. A store does not say which clock it was decided by, so an account that is ahead of the
/// wall's clock, or settings that say so, decide.
fn is_live(place: &Place, account: Option<&Account>) -> anyhow::Result<bool> {
    let is_log = place.settings()?.clock == Some(store::ClockMode::Log);
    let own = account.and_then(|account| account.head.now);
    Ok(!is_log && own.is_none_or(|own| own <= Timestamp::now()))
}

/// An account as it stood then, decided by this text alone, as one that is to be tested.
pub(crate) async fn seen_by(
    store: &Store,
    program: &Program,
    (place, id): (&Place, &AccountId),
    at: Option<At>,
) -> anyhow::Result<Seen> {
    let Some(at) = at else {
        return present(store, place, id).await;
    };
    let looked = server::account::look(store, id).await?;
    let at = at.of(program, looked.as_ref().map(|looked| &looked.account));
    let alone = past::Deciding {
        program: program.clone(),
        from: 0,
        applied_at: Timestamp::MIN,
        resting: engine::Resting::Next,
    };
    Ok(past::past(store, &[alone], (id, false), at).await?.0)
}

/// What a workflow that starts on an event made of the last one, as the account stood then.
async fn offered(
    store: &Store,
    program: &Program,
    (place, seen): (&Place, &Seen),
    workflow: &str,
) -> anyhow::Result<Option<why::Offered>> {
    let mut workflows = program.workflows.iter();
    let found = workflows.find(|known| *known.name == *workflow);
    let Some(Start::Event { events, .. }) = found.map(|found| &found.start) else {
        return Ok(None);
    };
    let id = &seen.account.id;
    let Some(fact) = past::last_event(store, id, events, seen.now).await? else {
        return Ok(None);
    };
    let at = fact.time.unwrap_or(seen.now);
    let is_live = is_live(place, Some(&seen.account))?;
    let texts = past::deciding(store, id).await?;
    // An event that came before anything was known of the account, or before any text decided, started nothing.
    let Ok((then, by)) = past::past(store, &texts, (id, is_live), at).await else {
        return Ok(None);
    };
    let Some(by) = texts.get(by) else {
        return Ok(None);
    };
    let rules = Rules::of(&by.program);
    let context = Context {
        program: &by.program,
        rules: &rules,
        csms: &then.csms,
        pins: None,
        clock: then.clock,
    };
    Ok(why::offered(&context, &then.account, workflow, &fact))
}

/// One workflow taken apart.
fn one(
    arguments: &Why,
    program: &Program,
    (seen, workflow, offered): (&Seen, &str, Option<&why::Offered>),
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
            printer.json(&json!({
                "why": found,
                "last_event": offered,
                "records": records,
                "unsent": unsent,
            }))?;
        }
        Output::Text => {
            tell::tell(&found, &records, &unsent, printer)?;
            if let Some(offered) = offered {
                tell::offered(offered, &found.zone, printer)?;
            }
        }
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
