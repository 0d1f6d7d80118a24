//! `sottaku new`: a first text of a workflow or a template, right for this workspace, to be written on.

use crate::arguments::{New, NewCommand, NewTemplate, NewWorkflow, StartKind};
use crate::exit::Exit;
use crate::print::Printer;
use crate::{check, workspace};
use anyhow::{Context as _, bail};
use model::Purpose;
use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use workflow::program::{FieldType, Program};

/// Writes it.
pub(crate) fn run(arguments: &New) -> anyhow::Result<Exit> {
    match &arguments.command {
        NewCommand::Workflow(new) => workflow_file(new),
        NewCommand::Template(new) => template_files(new),
    }
}

fn workflow_file(new: &NewWorkflow) -> anyhow::Result<Exit> {
    let files = workspace::read(&new.dir)?;
    let (_, program) = check::program(&files)?;
    let name = asked(
        new.name.as_deref(),
        "What is it called (small letters and -)?",
        None,
    )?;
    check_name(&name)?;
    let title = asked(
        new.title.as_deref(),
        "What is it for, in one line?",
        Some(&name),
    )?;
    let words = Words {
        topic: topic(&program, new.topic.as_deref())?,
        role: role(&program),
        start: start(&program, new)?,
        name,
        title,
    };
    let mut written = vec![(
        new.dir
            .join("workflows")
            .join(format!("{}.yaml", words.name)),
        words.workflow(),
    )];
    written.extend(
        locales(&program)
            .iter()
            .map(|locale| template(&new.dir, &words.name, locale)),
    );
    let template = format!("{}.", words.name);
    let has_template = program.templates.contains_key(&*words.name);
    if has_template {
        written.retain(|(path, _)| {
            let name = path.file_name().and_then(|name| name.to_str());
            !name.is_some_and(|name| name.starts_with(&template) && name.ends_with(".hbs"))
        });
    }
    write_all(&written)?;
    told(&new.dir, &written)
}

fn template_files(new: &NewTemplate) -> anyhow::Result<Exit> {
    let files = workspace::read(&new.dir)?;
    let (_, program) = check::program(&files)?;
    let name = asked(
        new.name.as_deref(),
        "What is it called (small letters and -)?",
        None,
    )?;
    check_name(&name)?;
    let wanted: BTreeSet<Box<str>> = if new.locale.is_empty() {
        locales(&program)
    } else {
        new.locale
            .iter()
            .map(|locale| locale.as_str().into())
            .collect()
    };
    let written: Vec<(PathBuf, String)> = wanted
        .iter()
        .map(|locale| template(&new.dir, &name, locale))
        .collect();
    write_all(&written)?;
    told(&new.dir, &written)
}

/// What a new workflow is made of.
struct Words {
    name: String,
    title: String,
    topic: String,
    role: String,
    start: String,
}

impl Words {
    fn workflow(&self) -> String {
        let Self {
            name,
            title,
            topic,
            role,
            start,
        } = self;
        format!(
            "workflow: {name}\ntitle: {title}\ntopic: {topic}\nstatus: draft          # then shadow, then live\n\n\
             start:\n{start}\nsteps:\n  - id: hello\n    send: {name}\n    to: {role}\n"
        )
    }
}

fn start(program: &Program, new: &NewWorkflow) -> anyhow::Result<String> {
    let kind = match new.start {
        Some(kind) => kind,
        None => kind(&asked(
            None,
            "Does it start when something becomes true, on an event, or by the calendar (when, event, every)?",
            Some("when"),
        )?)?,
    };
    let asks = |question, default: &str| asked(new.of.as_deref(), question, Some(default));
    Ok(match kind {
        StartKind::When => {
            let condition = asks("When? A condition:", "account.name is known")?;
            format!(
                "  when: {condition}\n  existing: skip       # those for whom it is already true when this goes live\nonce_per: account\n"
            )
        }
        StartKind::Event => {
            let first = program
                .schema
                .events
                .iter()
                .find(|(_, event)| !event.is_engine);
            let default = first.map_or("event", |(name, _)| name);
            let event = asks("On which event?", default)?;
            format!("  event: {event}\nonce_per: 30d\n")
        }
        StartKind::Every => {
            let schedule = asks("When? A schedule:", "month first business day 09:00")?;
            format!("  every: {schedule}\n")
        }
    })
}

fn kind(word: &str) -> anyhow::Result<StartKind> {
    Ok(match word {
        "when" => StartKind::When,
        "event" => StartKind::Event,
        "every" => StartKind::Every,
        other => bail!("`{other}` is none of when, event, every"),
    })
}

/// The topic that was asked for, else the first that is a service.
fn topic(program: &Program, wanted: Option<&str>) -> anyhow::Result<String> {
    if let Some(wanted) = wanted {
        if program.topics.contains_key(wanted) {
            return Ok(wanted.to_owned());
        }
        let all: Vec<&str> = program.topics.keys().map(|name| &**name).collect();
        bail!("there is no topic {wanted}; there are {}", all.join(", "));
    }
    let of = |purpose| {
        let mut topics = program.topics.iter();
        topics.find(move |(_, topic)| topic.purpose == purpose)
    };
    let found = of(Purpose::Service).or_else(|| of(Purpose::Contractual));
    let found = found.or_else(|| program.topics.iter().next());
    let (name, _) = found.context("no topic is defined; `topics:` in the definitions does it")?;
    Ok(name.to_string())
}

/// The first role of contacts.
fn role(program: &Program) -> String {
    let field = program.schema.contact.fields.get("role");
    match field.map(|field| &field.kind) {
        Some(FieldType::Pick(words)) => words
            .words
            .first()
            .map_or_else(|| "contacts".to_owned(), ToString::to_string),
        Some(_) | None => "contacts".to_owned(),
    }
}

/// The locales in which the workspace writes, the default among them.
fn locales(program: &Program) -> BTreeSet<Box<str>> {
    let texts = program.templates.values().flat_map(|one| one.texts.keys());
    let mut locales: BTreeSet<Box<str>> = texts.cloned().collect();
    locales.insert(program.defaults.locale.clone());
    locales
}

fn template(dir: &Path, name: &str, locale: &str) -> (PathBuf, String) {
    let text = if locale.starts_with("ja") {
        "---\nsubject: '{{or account.name \"お客\"}} 様 ご案内'\npreheader: \"一行で内容を伝えます\"\n---\n\
         {{or contact.name \"ご担当者\"}} 様\n\nいつもご利用いただき、ありがとうございます。\n\nここに、お伝えしたいことを一つだけ書きます。\n"
    } else {
        "---\nsubject: 'A word to {{or account.name \"you\"}}'\npreheader: \"Say in one line what this is about\"\n---\n\
         Hello {{or contact.name \"there\"}},\n\nwrite the one thing that this mail is to say.\n"
    };
    let file = dir.join("templates").join(format!("{name}.{locale}.hbs"));
    (file, text.to_owned())
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let is_good = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_good {
        bail!("`{name}` is not a name: small letters, digits and `-`, at most 64");
    }
    Ok(())
}

/// What an option says, else what is answered at the terminal, else the default.
fn asked(given: Option<&str>, question: &str, default: Option<&str>) -> anyhow::Result<String> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let input = std::io::stdin();
    if !input.is_terminal() {
        let Some(default) = default else {
            bail!("{question} Say it on the command line, or ask at a terminal.");
        };
        return Ok(default.to_owned());
    }
    let hint = default.map_or(String::new(), |default| format!(" [{default}]"));
    anstream::eprint!("{question}{hint} ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    let line = line.trim();
    match (line.is_empty(), default) {
        (false, _) => Ok(line.to_owned()),
        (true, Some(default)) => Ok(default.to_owned()),
        (true, None) => bail!("an answer is needed"),
    }
}

/// Writes files that must not be there yet: all or none.
fn write_all(files: &[(PathBuf, String)]) -> anyhow::Result<()> {
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        bail!("{} is there already; nothing was written", path.display());
    }
    for (path, text) in files {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("making {}", folder.display()))?;
        }
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Says what was written, and checks the workspace with it.
fn told(dir: &Path, written: &[(PathBuf, String)]) -> anyhow::Result<Exit> {
    let mut printer = Printer::new();
    for (path, _) in written {
        printer.line(format!("written: {}", path.display()))?;
    }
    printer.line("next: write on them; `sottaku check`, `sottaku test`, `sottaku plan` tell you where you are")?;
    printer.flush()?;
    let files = workspace::read(dir)?;
    let checked = workflow::check(&files);
    if checked.program.is_none() {
        anstream::eprint!(
            "{}",
            workflow::diagnostic::frames(&checked.diagnostics, &files, true)
        );
        return Ok(Exit::Found);
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use workflow::{Files, Severity};

    fn new(start: StartKind) -> NewWorkflow {
        NewWorkflow {
            name: Some("brand-new".to_owned()),
            title: Some("Something new".to_owned()),
            start: Some(start),
            of: None,
            topic: None,
            dir: PathBuf::from("."),
        }
    }

    fn words(program: &Program, start_kind: StartKind) -> Words {
        let new = new(start_kind);
        // As if the default were taken at the terminal: no test has one.
        let start = start(program, &new).expect("the defaults serve");
        Words {
            name: "brand-new".to_owned(),
            title: "Something new".to_owned(),
            topic: topic(program, None).expect("there is a topic"),
            role: role(program),
            start,
        }
    }

    #[test]
    fn whatever_is_begun_checks_without_a_mistake() {
        for folder in ["../..", "../../tests/data/example"] {
            let files: Files = workspace::read(Path::new(folder)).expect("it reads");
            let program = workflow::check(&files).program.expect("it is right");
            for kind in [StartKind::When, StartKind::Event, StartKind::Every] {
                let mut more = files.clone();
                let words = words(&program, kind);
                more.insert("workflows/brand-new.yaml".into(), words.workflow().into());
                for locale in locales(&program) {
                    let (path, text) = template(Path::new(""), &words.name, &locale);
                    more.insert(path.to_string_lossy().into(), text.into());
                }
                let checked = workflow::check(&more);
                let wrong = checked.diagnostics.iter();
                let wrong: Vec<_> = wrong
                    .filter(|found| found.severity == Severity::Error)
                    .collect();
                assert!(wrong.is_empty(), "{folder} {kind:?}: {wrong:#?}");
                let program = checked.program.expect("it is right");
                let is_new = |one: &workflow::program::Workflow| &*one.name == "brand-new";
                assert!(program.workflows.iter().any(is_new));
            }
        }
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for bad in ["", "Big", "a b", "../x", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_name(&"x".repeat(64)).is_ok());
    }
}
