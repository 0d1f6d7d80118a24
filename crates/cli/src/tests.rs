//! `sottaku test`: the scenarios beside the workflows, on virtual time.

use crate::arguments::Test;
use crate::exit::Exit;
use crate::print::{Output, Printer};
use crate::{check, workspace};
use engine::scenario::{Outcome, run as run_scenario};
use model::Outgoing;
use outreach::render::{Rendered, Templates, render as render_message};
use serde_json::json;
use workflow::{Program, Scenario};

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
    let templates = workspace::templates(&program)?;
    let mut printer = Printer::new();
    let mut counts = [0_usize; 3];
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
    }
    if arguments.output == Output::Text {
        printer.line(format!(
            "{} passed, {} failed, {} not yet",
            counts[0], counts[1], counts[2]
        ))?;
    }
    printer.flush()?;
    Ok(if counts[1] == 0 {
        Exit::Done
    } else {
        Exit::Found
    })
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
    let render = |outgoing: &Outgoing| match render_message(templates, outgoing) {
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
