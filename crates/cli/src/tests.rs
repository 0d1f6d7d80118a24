//! `sottaku test`: the scenarios beside the workflows, on virtual time.

use crate::arguments::Test;
use crate::exit::Exit;
use crate::print::{Output, Printer};
use crate::{check, fixture, workspace};
use anyhow::Context;
use engine::scenario::{Broken, Outcome, promises, run as run_scenario};
use model::Outgoing;
use outreach::render::{Rendered, Templates, render as render_message};
use serde_json::json;
use std::collections::BTreeMap;
use workflow::scenario::Change;
use workflow::{Files, Program, Scenario};

/// How a scenario came out.
enum Verdict {
    Passed,
    Failed(Outcome),
    NotYet,
}

/// Runs every scenario and prints what came out.
pub(crate) fn run(arguments: &Test) -> anyhow::Result<Exit> {
    let files = workspace::read(&arguments.dir)?;
    let (checked, program) = check::program(&files)?;
    if let Some(account) = &arguments.from {
        return fixture::print(arguments, &program, account);
    }
    let templates = workspace::templates(&program)?;
    let mut printer = Printer::new();
    let mut counts = [0_usize; 3];
    let mut failed = Vec::new();
    for scenario in &checked.scenarios {
        if arguments
            .filter
            .as_ref()
            .is_some_and(|filter| !scenario.name.contains(filter.as_str()))
        {
            continue;
        }
        let verdict = judge(&program, &checked.not_yet, scenario, &templates);
        counts[match verdict {
            Verdict::Passed => 0,
            Verdict::Failed(_) => 1,
            Verdict::NotYet => 2,
        }] += 1;
        match arguments.output {
            Output::Text => tell(&mut printer, scenario, &verdict)?,
            Output::Json => printer.json(&as_json(scenario, &verdict))?,
        }
        if let Verdict::Failed(outcome) = verdict {
            failed.push((scenario, outcome));
        }
    }
    let broken = match arguments.filter {
        Some(_) => Vec::new(),
        None => promises(&program, arguments.seed, arguments.histories),
    };
    tell_broken(&mut printer, arguments, &broken)?;
    if arguments.output == Output::Text {
        printer.line(format!(
            "{} passed, {} failed, {} not yet",
            counts[0], counts[1], counts[2]
        ))?;
    }
    if arguments.accept {
        accept(&mut printer, (arguments, &files), &failed)?;
    }
    printer.flush()?;
    let is_well = counts[1] == 0 || arguments.accept;
    Ok(if is_well && broken.is_empty() {
        Exit::Done
    } else {
        Exit::Found
    })
}

/// Writes what happened into the files, as what is expected from now on.
fn accept(
    printer: &mut Printer,
    (arguments, files): (&Test, &Files),
    failed: &[(&Scenario, Outcome)],
) -> anyhow::Result<()> {
    let mut by_file: BTreeMap<&str, Vec<Change<'_>>> = BTreeMap::new();
    for (scenario, outcome) in failed {
        if outcome.is_impossible {
            printer.line(format!(
                "not accepted: {}: it asks for what can't be",
                scenario.name
            ))?;
            continue;
        }
        by_file.entry(&scenario.file).or_default().push(Change {
            scenario,
            gone: outcome.gone.iter().collect(),
            new: outcome.new.clone(),
        });
    }
    for (file, changes) in by_file {
        let Some(text) = files.get(file) else {
            continue;
        };
        let path = arguments.dir.join(file);
        std::fs::write(&path, workflow::scenario::accept(text, &changes))
            .with_context(|| format!("writing {}", path.display()))?;
        let count = changes.len();
        printer.line(format!(
            "accepted in {file}: {count} changed; read the difference before you keep it"
        ))?;
    }
    Ok(())
}

/// The promises that random histories broke.
fn tell_broken(printer: &mut Printer, arguments: &Test, broken: &[Broken]) -> anyhow::Result<()> {
    for one in broken {
        let workflow = one.workflow.as_deref().unwrap_or("all workflows");
        match arguments.output {
            Output::Text => printer.line(format!(
                "BROKEN   {workflow}: {}  (seed {})",
                one.sentence, one.seed
            ))?,
            Output::Json => printer.json(&json!({
                "promise": one.sentence, "workflow": one.workflow, "seed": one.seed, "result": "broken",
            }))?,
        }
    }
    let is_tried = arguments.filter.is_none() && arguments.histories > 0;
    if is_tried && broken.is_empty() && arguments.output == Output::Text {
        let (count, seed) = (arguments.histories, arguments.seed);
        printer.line(format!(
            "ok       hours, limits, repeats, ends and restarts hold on {count} random histories (seed {seed})"
        ))?;
    }
    Ok(())
}

fn judge(
    program: &Program,
    not_yet: &[Box<str>],
    scenario: &Scenario,
    templates: &Templates,
) -> Verdict {
    if scenario
        .workflow
        .as_ref()
        .is_some_and(|name| not_yet.contains(name))
    {
        return Verdict::NotYet;
    }
    let render = |outgoing: &Outgoing| match render_message(templates, outgoing, None) {
        Ok(Rendered::Mail(mail)) => format!("{}\n\n{}", mail.subject, mail.text),
        Ok(Rendered::Post(post)) => post.text,
        Err(error) => format!("(not rendered: {error})"),
    };
    let outcome = run_scenario(program, scenario, &render);
    if outcome.is_passed {
        Verdict::Passed
    } else {
        Verdict::Failed(outcome)
    }
}

fn tell(printer: &mut Printer, scenario: &Scenario, verdict: &Verdict) -> anyhow::Result<()> {
    match verdict {
        Verdict::Passed => printer.line(format!("ok       {}", scenario.name))?,
        Verdict::NotYet => printer.line(format!("not yet  {}", scenario.name))?,
        Verdict::Failed(outcome) => {
            printer.line(format!("FAILED   {}  ({})", scenario.name, scenario.file))?;
            for difference in &outcome.differences {
                printer.line(format!("         {difference}"))?;
            }
            printer.line("         what happened, ready to paste:")?;
            for line in outcome.happened.lines() {
                printer.line(format!("    {line}"))?;
            }
        }
    }
    Ok(())
}

fn as_json(scenario: &Scenario, verdict: &Verdict) -> serde_json::Value {
    let (word, outcome) = match verdict {
        Verdict::Passed => ("passed", None),
        Verdict::NotYet => ("not_yet", None),
        Verdict::Failed(outcome) => ("failed", Some(outcome)),
    };
    json!({
        "test": scenario.name, "file": scenario.file, "result": word,
        "differences": outcome.map(|outcome| &outcome.differences),
        "happened": outcome.map(|outcome| &outcome.happened),
    })
}
