//! `sottaku pause` and `resume`: what is held back, in every process at once.

use crate::arguments::Switching;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::strangers::Known;
use jiff::Timestamp;
use serde_json::json;
use store::{Store, Switch};

/// Turns a switch, and prints those that are off.
pub(crate) fn run(arguments: &Switching, is_on: bool) -> anyhow::Result<Exit> {
    wait(turn(arguments, is_on))
}

async fn turn(arguments: &Switching, is_on: bool) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let switch = Switch {
        name: name(arguments).into(),
        is_on,
        at: Timestamp::now(),
        note: arguments.reason.as_str().into(),
    };
    store.set_switch(switch).await?;
    if !is_on {
        warn_of_strangers(&store, arguments).await?;
    }
    let mut printer = Printer::new();
    let switches = store.switches().await?;
    let off: Vec<&Switch> = switches.iter().filter(|switch| !switch.is_on).collect();
    match arguments.output {
        Output::Json => {
            for switch in &off {
                let (name, at, note) = (&switch.name, switch.at, &switch.note);
                printer.json(&json!({"paused": name, "since": at, "reason": note}))?;
            }
        }
        Output::Text if off.is_empty() => printer.line("nothing is paused")?,
        Output::Text => {
            for switch in &off {
                let (name, at, note) = (&switch.name, switch.at, &switch.note);
                printer.line(format!("{name} is paused since {at}: {note}"))?;
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

/// What was decided by an earlier text may be of a workflow or topic that this one does not know.
async fn warn_of_strangers(store: &Store, arguments: &Switching) -> anyhow::Result<()> {
    const ALL_THE_SAME: &str = "What an earlier text decided for it is held back";
    if arguments.workflow.is_none() && arguments.topic.is_none() {
        return Ok(());
    }
    let known = Known::of(store).await?;
    if let Some(name) = &arguments.workflow {
        known.note_workflow(name, ALL_THE_SAME);
    }
    if let Some(name) = &arguments.topic {
        known.note_topic(name, ALL_THE_SAME);
    }
    Ok(())
}

fn name(arguments: &Switching) -> String {
    match (&arguments.workflow, &arguments.topic, &arguments.domain) {
        (Some(workflow), _, _) => format!("workflow:{workflow}"),
        (_, Some(topic), _) => format!("topic:{topic}"),
        (_, _, Some(domain)) => format!("domain:{}", domain.trim_start_matches('@').to_lowercase()),
        (None, None, None) => Switch::SEND.to_owned(),
    }
}
