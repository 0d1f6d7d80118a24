//! Telling: what a workflow makes of an account, in words.

use super::unsent;
use crate::print::Printer;
use crate::records;
use engine::run::{How, Phase, StepPhase};
use engine::why::{Blame, Held, Offered, Passage, Standing, Tree, Why};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::Record;
use std::collections::BTreeSet;
use store::Delivery;
use workflow::program::Status;

/// Instants as the account's clocks show them.
struct Civil(TimeZone);

impl Civil {
    fn show(&self, at: Timestamp) -> String {
        at.to_zoned(self.0.clone())
            .strftime("%Y-%m-%dT%H:%M:%S%:z")
            .to_string()
    }
}

/// What was shown of a subject already: what stands behind a name is shown where it is read first.
struct Shown<'a> {
    clock: &'a Civil,
    names: BTreeSet<Box<str>>,
}

/// Tells it.
pub(super) fn tell(
    why: &Why,
    records: &[&Record],
    unsent: &[&Delivery],
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let clock = Civil(TimeZone::get(&why.zone).unwrap_or(TimeZone::UTC));
    printer.line(format!(
        "{} ({}), {}, as of {}",
        why.workflow,
        why.title,
        status(why.status),
        clock.show(why.at)
    ))?;
    if why.subjects.is_empty() {
        printer.line("\nThis account has nothing that the workflow could run for.")?;
    }
    for standing in &why.subjects {
        let mut shown = Shown {
            clock: &clock,
            names: BTreeSet::new(),
        };
        subject(standing, why.at, &mut shown, printer)?;
        for passage in &standing.runs {
            run(passage, &mut shown, printer)?;
        }
        let own: Vec<&&Record> = records
            .iter()
            .filter(|record| record.subject.as_deref() == Some(&*standing.subject))
            .collect();
        if !own.is_empty() {
            printer.line("  What happened:")?;
        }
        for record in own {
            printer.line(format!("    {}", records::line(record)))?;
        }
        unsent::tell(unsent, &standing.subject, printer)?;
    }
    Ok(())
}

fn subject(
    standing: &Standing,
    at: Timestamp,
    shown: &mut Shown<'_>,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let clock = shown.clock;
    printer.line(format!(
        "\n{}: {}",
        standing.subject,
        verdict(standing, at, clock)
    ))?;
    if let Some(start) = &standing.start {
        printer.line(if standing.events.is_empty() {
            "  The start, taken apart:"
        } else {
            "  What it asks when the event comes, taken apart:"
        })?;
        shown.branch(start, 2, printer)?;
    }
    if let Some(guard) = &standing.guard {
        printer.line("  Its `if`, looked at once as it begins:")?;
        shown.branch(guard, 2, printer)?;
    }
    if let Some(blame) = &standing.blame {
        blamed(blame, "What keeps it", clock, printer)?;
        printer.line(match blame.true_at {
            Some(at) => format!(
                "  Time alone makes it true at {}, if nothing else changes.",
                clock.show(at)
            ),
            None => "  Time alone does not make it true within two years: a fact must.".to_owned(),
        })?;
    }
    Ok(())
}

/// The part that is to blame, and what would help.
fn blamed(blame: &Blame, words: &str, clock: &Civil, printer: &mut Printer) -> anyhow::Result<()> {
    let leaf = &blame.leaf;
    printer.line(format!("  {words}: `{}` is {}", leaf.text, known(leaf)))?;
    for part in &leaf.parts {
        printer.line(format!(
            "    {} is {}{}",
            part.text,
            part.gives,
            since(part, clock)
        ))?;
    }
    printer.line(format!("  To be true: {}.", blame.needs))?;
    Ok(())
}

/// What was made of the last event that could have started a run.
pub(super) fn offered(offered: &Offered, zone: &str, printer: &mut Printer) -> anyhow::Result<()> {
    let clock = Civil(TimeZone::get(zone).unwrap_or(TimeZone::UTC));
    printer.line(format!(
        "\nThe last {} happened at {}.",
        offered.event,
        clock.show(offered.at)
    ))?;
    for asked in &offered.subjects {
        let Some(start) = &asked.start else { continue };
        printer.line(format!(
            "  For {} its condition was {} then:",
            asked.subject,
            known(start)
        ))?;
        let mut shown = Shown {
            clock: &clock,
            names: BTreeSet::new(),
        };
        shown.branch(start, 2, printer)?;
        if let Some(blame) = &asked.blame {
            blamed(blame, "What kept it", &clock, printer)?;
        }
    }
    Ok(())
}

/// In one sentence: did it start, and if not, why.
fn verdict(standing: &Standing, at: Timestamp, clock: &Civil) -> String {
    if let Some(open) = standing.runs.iter().find(|run| run.phase != Phase::Ended) {
        return format!("a run is open since {}", clock.show(open.started_at));
    }
    let before = standing
        .started_at
        .map_or("no run began yet".to_owned(), |at| {
            format!("the last run began at {} and is over", clock.show(at))
        });
    let now = match standing.start.as_ref().map(|start| start.truth) {
        _ if !standing.events.is_empty() => {
            format!("it waits for the event {}", standing.events.join(" or "))
        }
        truth if let Some(next) = standing.next_at => format!(
            "its next moment is {}{}",
            clock.show(next),
            match truth.flatten() {
                Some(true) => ", and as things stand its condition holds",
                Some(false) => "; as things stand its condition is false",
                None if truth.is_some() => "; as things stand its condition is unknown",
                None => "",
            }
        ),
        None => "it waits for its moment".to_owned(),
        Some(Some(true)) if standing.held_at.is_some_and(|due| due > at) => {
            format!(
                "the start is true and has to hold until {}",
                clock.show(standing.held_at.unwrap_or(at))
            )
        }
        Some(Some(true)) => {
            "the start is true, and was so before: a run begins only where it becomes true"
                .to_owned()
        }
        Some(Some(false)) => "the start is false".to_owned(),
        Some(None) => "the start is unknown, and only true acts".to_owned(),
    };
    let against = standing.against.as_deref().map_or(String::new(), |why| {
        format!("; none would begin now: {}", reason(why))
    });
    format!("{before}; {now}{against}")
}

fn reason(why: &str) -> &str {
    match why {
        "once_per" => "`once_per` is used up",
        "running" => "a run is open",
        "unknown_key" => "the value of `once_per` is unknown",
        "while" => "`while` is false",
        "goal" => "the goal is reached already",
        "draft" => "it is a draft, and only checked",
        "paused" => "it is paused",
        "closing" => "it is closing: no new runs",
        "retired" => "it is retired",
        other => other,
    }
}

fn run(passage: &Passage, shown: &mut Shown<'_>, printer: &mut Printer) -> anyhow::Result<()> {
    let clock = shown.clock;
    let state = match passage.ended {
        Some((how, at)) if passage.phase == Phase::Ended => {
            format!("ended {} at {}", end(how), clock.show(at))
        }
        Some((how, at)) => format!(
            "ended {} at {}, its last steps are under way",
            end(how),
            clock.show(at)
        ),
        None if passage.phase == Phase::Watching => {
            "its steps are done, the goal is still watched".to_owned()
        }
        None => "open".to_owned(),
    };
    printer.line(format!(
        "  Run {} since {}: {state}",
        passage.run,
        clock.show(passage.started_at)
    ))?;
    for deed in &passage.steps {
        printer.line(format!(
            "    {}  {} {}",
            clock.show(deed.at),
            deed.step,
            phase(deed.phase, deed.chosen.as_deref())
        ))?;
    }
    if let Some(rest) = &passage.rests {
        let until = rest
            .until
            .map_or("until a fact says more".to_owned(), |until| {
                format!("until {}", clock.show(until))
            });
        printer.line(format!(
            "    It rests at `{}` since {}, {until}",
            rest.step,
            clock.show(rest.since)
        ))?;
        for held in &rest.held {
            printer.line(format!("      {}", kept(held, clock)))?;
        }
        if let Some(condition) = &rest.condition {
            shown.branch(condition, 3, printer)?;
        }
    }
    for (name, tree) in [("while", &passage.keeps), ("goal", &passage.goal)] {
        if let Some(tree) = tree {
            printer.line(format!("    {name} is {}:", known(tree)))?;
            shown.branch(tree, 3, printer)?;
        }
    }
    Ok(())
}

/// What keeps a message waiting.
fn kept(held: &Held, clock: &Civil) -> String {
    let whose = held
        .contact
        .as_ref()
        .map_or("its messages".to_owned(), |contact| {
            format!("the message to {contact}")
        });
    let by = if &*held.why == "limit" {
        "a limit"
    } else {
        "another workflow's `holds_back`"
    };
    let until = held.until.map_or(String::new(), |until| {
        format!(", at most until {}", clock.show(until))
    });
    format!("{by} holds {whose} since {}{until}", clock.show(held.since))
}

impl Shown<'_> {
    /// A condition and what it is made of, one part a line.
    fn branch(&mut self, tree: &Tree, depth: usize, printer: &mut Printer) -> anyhow::Result<()> {
        let mark = match tree.truth {
            Some(true) => "+",
            Some(false) => "-",
            None if &*tree.gives == "unknown" => "?",
            None => "=",
        };
        let gives = if tree.truth.is_some() {
            String::new()
        } else {
            format!(": {}", tree.gives)
        };
        let is_name = !tree.text.contains([' ', '(']);
        let is_old = is_name && !tree.parts.is_empty() && !self.names.insert(tree.text.clone());
        printer.line(format!(
            "{}{mark} {}{gives}{}{}",
            "  ".repeat(depth),
            tree.text,
            since(tree, self.clock),
            if is_old { "  (as above)" } else { "" }
        ))?;
        if !is_old {
            for part in &tree.parts {
                self.branch(part, depth + 1, printer)?;
            }
        }
        Ok(())
    }
}

fn since(tree: &Tree, clock: &Civil) -> String {
    tree.said_at
        .map_or(String::new(), |at| format!("  (said {})", clock.show(at)))
}

fn known(tree: &Tree) -> &str {
    match tree.truth {
        Some(true) => "true",
        Some(false) => "false",
        None => "unknown",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Shadow => "shadow",
        Status::Live => "live",
        Status::Paused => "paused",
        Status::Closing => "closing",
        Status::Retired => "retired",
    }
}

fn end(how: How) -> &'static str {
    match how {
        How::Finished => "finished",
        How::Left => "because `while` was false or its subject went",
        How::Goal => "at its goal",
        How::Stopped => "stopped",
        How::Stuck => "stuck: it moved without an end",
    }
}

fn phase(phase: StepPhase, chosen: Option<&str>) -> String {
    let word = match phase {
        StepPhase::Waiting => "is under way",
        StepPhase::Acted => "is done",
        StepPhase::Skipped => "was skipped",
        StepPhase::TookThen => "took `then`",
        StepPhase::TookElse => "took `else`",
        StepPhase::Chose => return format!("took `{}`", chosen.unwrap_or("otherwise")),
        StepPhase::TimedOut => "ran out of time, and took `otherwise`",
    };
    word.to_owned()
}
