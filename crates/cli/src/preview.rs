//! `sottaku preview`: a template as its reader would see it, for a real account or a sample.

mod lawful;

use crate::arguments::Preview;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::sample::{Span, facts};
use crate::{check, workspace};
use anyhow::{Context as _, bail};
use engine::simulate::Simulation;
use engine::why::Tree;
use engine::{Account, Clock, Context, Csms, Rules, preview};
use jiff::Timestamp;
use jiff::civil::date;
use model::{AccountId, Logged};
use outreach::render::{Rendered, render};
use serde_json::json;
use workflow::Program;
use workflow::program::{Step, Workflow};

/// How many generated accounts are looked through for one that the template suits.
const SAMPLES_MAX: usize = 40;

/// Renders the template.
pub(crate) fn run(arguments: &Preview) -> anyhow::Result<Exit> {
    let files = workspace::read(&arguments.dir)?;
    let (_, program) = check::program(&files)?;
    let (workflow, step) = place(&program, arguments)?;
    let Some(mut found) = look(&program, arguments, (workflow, step))? else {
        bail!(
            "the account has nothing that {} could run for, or the template has no such locale",
            workflow.name
        );
    };
    let templates = workspace::templates(&program)?;
    let footer = lawful::footer(&program, &arguments.place, &mut found.outgoing);
    let rendered = render(&templates, &found.outgoing, footer.as_ref())
        .with_context(|| format!("{} for {}", arguments.template, found.outgoing.account))?;
    if let Some(path) = &arguments.html {
        let Rendered::Mail(mail) = &rendered else {
            bail!("{} is no mail, so it has no HTML part", arguments.template);
        };
        std::fs::write(path, &mail.html).with_context(|| format!("writing {}", path.display()))?;
    }
    let mut printer = Printer::new();
    match arguments.output {
        Output::Json => printer.json(&as_json(&found, &rendered))?,
        Output::Text => tell(arguments, &found, &rendered, &mut printer)?,
    }
    printer.flush()?;
    Ok(Exit::Done)
}

/// The step that sends the template: the one that was asked for, else the first.
fn place<'p>(
    program: &'p Program,
    arguments: &Preview,
) -> anyhow::Result<(&'p Workflow, &'p Step)> {
    let uses = preview::uses(&program.workflows, &arguments.template);
    if uses.is_empty() {
        let names: Vec<&str> = program.templates.keys().map(|name| &**name).collect();
        bail!(
            "no workflow that runs sends the template {}; there are {}",
            arguments.template,
            names.join(", ")
        );
    }
    let fits =
        |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
    let mut fitting = uses.iter().filter(|(workflow, step)| {
        fits(&arguments.workflow, &workflow.name) && fits(&arguments.step, &step.id)
    });
    let Some(first) = fitting.next() else {
        let places = uses
            .iter()
            .map(|(workflow, step)| format!("{} at {}", workflow.name, step.id));
        bail!(
            "{} is not sent there; it is by {}",
            arguments.template,
            places.collect::<Vec<_>>().join(", ")
        );
    };
    Ok(*first)
}

fn look(
    program: &Program,
    arguments: &Preview,
    at: (&Workflow, &Step),
) -> anyhow::Result<Option<preview::Preview>> {
    let rules = Rules::of(program);
    let see = |account: &Account, csms: &Csms, now: Timestamp| {
        let context = Context {
            program,
            rules: &rules,
            csms,
            pins: None,
            clock: Clock::Log,
        };
        preview::preview(&context, account, now, at, arguments.locale.as_deref())
    };
    let Some(id) = &arguments.account else {
        return Ok(sample(program, &see));
    };
    let looked = wait(async {
        let store = arguments.place.existing().await?;
        let id = AccountId::new(id.as_str());
        Ok(server::account::look(&store, &id).await?)
    })?;
    let Some(looked) = looked else {
        bail!("nothing is known of the account {id}");
    };
    let own = looked.account.head.now.max(looked.shard_now);
    let now = own.unwrap_or_else(Timestamp::now);
    Ok(see(&looked.account, &looked.csms, now))
}

/// A generated account: the first for which everything that the template reads is known, else the first at all.
fn sample(
    program: &Program,
    see: &impl Fn(&Account, &Csms, Timestamp) -> Option<preview::Preview>,
) -> Option<preview::Preview> {
    let from = date(2026, 1, 1);
    let span = Span {
        from,
        days: 120,
        logins: 60,
    };
    let mut simulation = Simulation::new(program);
    let mut last = Timestamp::UNIX_EPOCH;
    for (number, told) in facts(1, SAMPLES_MAX, span).into_iter().enumerate() {
        last = last.max(told.at);
        simulation.push(&Logged {
            position: u64::try_from(number).unwrap_or(u64::MAX),
            arrived_at: told.at,
            fact: told.fact,
        });
    }
    simulation.raise(last);
    let csms = simulation.csms().clone();
    let mut previews: Vec<preview::Preview> = simulation
        .accounts()
        .filter_map(|account| see(account, &csms, last))
        .collect();
    let unknown = |preview: &preview::Preview| {
        let reads = preview.reads.iter();
        reads.filter(|(_, tree)| &*tree.gives == "unknown").count()
    };
    previews.sort_by_key(unknown);
    previews.into_iter().next()
}

fn tell(
    arguments: &Preview,
    found: &preview::Preview,
    rendered: &Rendered,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    printer.line(format!(
        "{} for {}, as {} sends it at {}",
        arguments.template, found.outgoing.account, found.workflow, found.step
    ))?;
    match rendered {
        Rendered::Mail(mail) => {
            let to = match &found.outgoing.channel {
                model::Channel::Email { to, .. } if found.contact.is_some() => {
                    to.address.to_string()
                }
                model::Channel::Email { .. }
                | model::Channel::Route { .. }
                | model::Channel::Webhook { .. } => "nobody: no one holds the role".to_owned(),
            };
            printer.line(format!(
                "locale {}\nto {to}\nsubject {}\n\n{}",
                mail.locale, mail.subject, mail.text
            ))?;
        }
        Rendered::Post(post) => printer.line(format!("\n{}", post.text))?,
    }
    if arguments.sources {
        printer.line("\nWhat it reads:")?;
        for (name, tree) in &found.reads {
            printer.line(format!("  {name}: {}{}", tree.gives, source(name, tree)))?;
            for part in &tree.parts {
                printer.line(format!("    {}: {}", part.text, part.gives))?;
            }
        }
    }
    Ok(())
}

/// Where a value comes from, unless its name says so.
fn source(name: &str, tree: &Tree) -> String {
    let text = if *tree.text == *name {
        String::new()
    } else {
        format!("  = {}", tree.text)
    };
    let said = tree
        .said_at
        .map_or(String::new(), |at| format!("  (said {at})"));
    format!("{text}{said}")
}

fn as_json(found: &preview::Preview, rendered: &Rendered) -> serde_json::Value {
    let message = match rendered {
        Rendered::Mail(mail) => json!({
            "locale": mail.locale, "subject": mail.subject, "text": mail.text, "html": mail.html,
        }),
        Rendered::Post(post) => json!({"text": post.text, "blocks": post.blocks}),
    };
    json!({
        "workflow": found.workflow, "step": found.step, "account": found.outgoing.account,
        "contact": found.contact, "message": message, "reads": found.reads,
    })
}
