//! `sottaku pause` and `resume`: what is held back, in every process at once.

use crate::arguments::Switching;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use jiff::Timestamp;
use serde_json::json;
use store::Switch;

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

fn name(arguments: &Switching) -> String {
    match (&arguments.workflow, &arguments.topic, &arguments.domain) {
        (Some(workflow), _, _) => format!("workflow:{workflow}"),
        (_, Some(topic), _) => format!("topic:{topic}"),
        (_, _, Some(domain)) => format!("domain:{}", domain.trim_start_matches('@').to_lowercase()),
        (None, None, None) => Switch::SEND.to_owned(),
    }
}
