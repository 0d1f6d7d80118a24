//! `sottaku plan`: what applying the files would do to the accounts there are; nothing is changed.

use crate::apply::{progress, short};
use crate::arguments::Plan;
use crate::check;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::workspace;
use engine::plan::{StepPlan, WorkflowPlan};
use engine::rebase::StepEdit;
use jiff::Timestamp;
use server::Planned;
use store::Store;
use workflow::Files;

/// Compares the applied text with the files over all accounts, and prints what would happen.
pub(crate) fn run(arguments: &Plan) -> anyhow::Result<Exit> {
    let files = workspace::read(&arguments.dir)?;
    check::program(&files)?;
    wait(async {
        let store = arguments.place.existing_or_new().await?;
        let planned = work_out(&store, &files, arguments.resting.into()).await?;
        let mut printer = Printer::new();
        match arguments.output {
            Output::Json => printer.json(&planned)?,
            Output::Text => printer.text(told(&planned))?,
        }
        printer.flush()?;
        Ok(Exit::Done)
    })
}

/// Works the plan out, showing how far it is.
pub(crate) async fn work_out(
    store: &Store,
    files: &Files,
    resting: engine::Resting,
) -> anyhow::Result<Planned> {
    let show = |seen: u64, all: u64| {
        // A line that can't be shown is no reason to stop.
        if progress(&format!("{seen} of {all} accounts looked at")).is_err() {}
    };
    let planned = server::plan(store, files, Timestamp::now(), resting, show).await?;
    progress("")?;
    Ok(planned)
}

/// The plan in words.
pub(crate) fn told(planned: &Planned) -> String {
    let plan = &planned.plan;
    let mut lines = Vec::new();
    if planned.is_same {
        lines.push(format!(
            "revision {} decides already: nothing changes",
            short(&planned.revision)
        ));
    } else if planned.applied.is_some() && plan.workflows.is_empty() {
        lines.push(format!(
            "no workflow changes for any of {}",
            accounts(plan.accounts)
        ));
    }
    if planned.history > 0 {
        lines.push(format!(
            "{} facts came in before: they count as history, nothing starts from them but by `existing: include`",
            planned.history
        ));
    }
    for (name, workflow) in &plan.workflows {
        lines.push(format!("{name}  {}", headline(workflow)));
        lines.extend(
            of_workflow(workflow)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    if plan.is_health_redefined {
        lines
            .push("health means something else: bands are judged anew, and that is no news".into());
    }
    if !plan.risks.is_empty() {
        lines.push(format!(
            "risks that are new or mean something else: {}; what is open by that is no news",
            plan.risks.join(", ")
        ));
    }
    lines.join("\n") + "\n"
}

fn accounts(count: u64) -> String {
    check::count(usize::try_from(count).unwrap_or(usize::MAX), "account")
}

fn runs(count: u64) -> String {
    check::count(usize::try_from(count).unwrap_or(usize::MAX), "run")
}

fn headline(workflow: &WorkflowPlan) -> String {
    let mut parts = match (workflow.status_before, workflow.status) {
        (None, Some(status)) => vec![format!("new, {status}")],
        (Some(_), None) => vec!["removed".to_owned()],
        (Some(was), Some(is)) if was != is => vec![format!("{was} → {is}")],
        (Some(_) | None, _) => Vec::new(),
    };
    for (edit, word) in [
        (StepEdit::Changed, "changed"),
        (StepEdit::Added, "added"),
        (StepEdit::Removed, "removed"),
        (StepEdit::Renamed, "renamed"),
    ] {
        let count = workflow
            .steps
            .iter()
            .filter(|step| step.change.edit == edit);
        match count.count() {
            0 => {}
            count => parts.push(format!("{} {word}", check::count(count, "step"))),
        }
    }
    parts.push(format!("{} open", runs(workflow.open)));
    parts.join(", ")
}

fn of_workflow(workflow: &WorkflowPlan) -> Vec<String> {
    let mut lines: Vec<String> = workflow.steps.iter().map(of_step).collect();
    for (how, count) in &workflow.ends {
        lines.push(format!("ends     {}: {how}", runs(*count)));
    }
    if workflow.start != "kept" || workflow.starts > 0 {
        let existing = workflow.existing.unwrap_or("-");
        let refused: u64 = workflow.refused.values().sum();
        let mut line = format!(
            "starts   {}: existing: {existing} → {}, {} in the next 3 working days",
            workflow.start,
            runs(workflow.starts),
            check::count(
                usize::try_from(workflow.messages).unwrap_or(usize::MAX),
                "message"
            )
        );
        if refused > 0 {
            let why: Vec<String> = workflow
                .refused
                .iter()
                .map(|(why, count)| format!("{why} {count}"))
                .collect();
            line.push_str(&format!("; not started: {}", why.join(", ")));
        }
        lines.push(line);
    }
    if workflow.unknown > 0 {
        lines.push(format!(
            "unknown  for {}: whoever is in once it is known is handled by `existing`",
            workflow.unknown
        ));
    }
    lines
}

fn of_step(step: &StepPlan) -> String {
    let change = &step.change;
    let word = match change.edit {
        StepEdit::Added => "added",
        StepEdit::Removed => "removed",
        StepEdit::Renamed => "renamed",
        StepEdit::Changed => "changed",
    };
    let mut line = format!("{word:<8} {}", change.step);
    if !change.details.is_empty() {
        line.push_str(&format!(": {}", change.details.join("; ")));
    }
    let mut counts = vec![format!("{} before it", runs(step.before))];
    if step.resting > 0 {
        counts.push(format!("{} rest at it", step.resting));
    }
    if step.due > 0 {
        counts.push(format!("{} due now", step.due));
    }
    if step.skipped > 0 {
        counts.push(format!("{} would have passed it (skipped)", step.skipped));
    }
    line.push_str(&format!("  ({})", counts.join(", ")));
    if let Some(probably) = &change.probably {
        line.push_str(&format!(
            "\n           did you mean `moved: {{{}: {probably}}}`? Without it the run goes on behind it",
            change.step
        ));
    }
    line
}
