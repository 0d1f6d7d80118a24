//! Workflows and their templates: read one by one, put together.

use super::circle::Written;
use super::policies::{Names, Policies};
use super::reach::reach;
use super::sort::Sorted;
use crate::diagnostic::Span;
use crate::expression::Scope;
use crate::program::{Template, Workflow};
use crate::reader::Notes;
use crate::reader::desk::Workspace;
use crate::reader::scenario::{Bench, StepIds, scenarios};
use crate::reader::workflow::workflow;
use crate::template::shelf::is_template;
use crate::template::{Parsed, Shelf, parse};
use crate::{Files, Scenario};
use std::collections::BTreeMap;

/// All workflows of a workspace.
#[derive(Default)]
pub(crate) struct Workflows {
    /// Those that can run, by name.
    pub(crate) running: BTreeMap<Box<str>, Workflow>,
    /// Those that are right and set aside.
    pub(crate) aside: Vec<Workflow>,
    /// What any of them sets.
    pub(crate) sets: Vec<Written>,
    /// Names of those set aside.
    pub(crate) not_yet: Vec<Box<str>>,
    /// Every name with the ids of its steps, whatever came of it.
    pub(crate) steps: StepIds,
    /// The templates that the running ones use.
    pub(crate) templates: BTreeMap<Box<str>, Template>,
}

/// Reads every template file. A name of which some file failed has no texts.
pub(crate) fn templates(notes: &mut Notes, files: &Files) -> BTreeMap<Box<str>, Vec<Parsed>> {
    let mut templates: BTreeMap<Box<str>, Vec<Parsed>> = BTreeMap::new();
    let mut failed = Vec::new();
    let shelf = Shelf::of(files);
    for (text, mail) in shelf.texts() {
        if !files.contains_key(mail.as_str()) {
            notes.open(text);
            let message = format!("there is no `{mail}` for which this is the text");
            notes.error("E709", Span { start: 0, end: 0 }, message);
        }
    }
    for (file, text) in files.iter().filter(|(file, _)| is_template(file)) {
        let name = file.strip_prefix("templates/").unwrap_or(file);
        notes.open(file);
        let (parsed, diagnostics) = parse(file, text, &shelf);
        for diagnostic in diagnostics {
            notes.take(diagnostic);
        }
        match parsed {
            Some(parsed) => templates
                .entry(parsed.text.name.clone())
                .or_default()
                .push(parsed),
            None => {
                let name = name.rsplit('/').next().unwrap_or(name);
                failed.push(Box::from(name.split('.').next().unwrap_or(name)));
            }
        }
    }
    for name in failed {
        templates.insert(name, Vec::new());
    }
    templates
}

/// What workflows may speak of.
pub(crate) fn workspace(
    scope: &Scope,
    names: &Names<'_>,
    policies: &Policies,
    templates: BTreeMap<Box<str>, Vec<Parsed>>,
) -> Workspace {
    let topics = policies.topics.iter();
    Workspace {
        scope: scope.clone(),
        topics: topics
            .map(|(name, topic)| (name.clone(), topic.purpose))
            .collect(),
        topic_names: names.topics(),
        routes: names.routes(),
        webhooks: names.webhooks(),
        templates,
        locale: policies.defaults.locale.clone(),
        has_from: policies.defaults.from.is_some(),
        limits: policies.limits.clone(),
        has_digest: names.has_digest,
    }
}

/// Reads all workflows.
pub(crate) fn read(notes: &mut Notes, sorted: &Sorted<'_>, workspace: &Workspace) -> Workflows {
    let mut all = Workflows::default();
    let mut places: BTreeMap<Box<str>, &str> = BTreeMap::new();
    for tree in &sorted.workflows {
        notes.open(tree.file);
        let read = workflow(notes, &tree.root, workspace);
        let Some(name) = read.name else {
            continue;
        };
        if let Some(first) = places.get(&name) {
            let span = tree
                .root
                .get("workflow")
                .map_or(tree.root.span, |node| node.span);
            let message = format!("the workflow `{name}` is defined twice");
            notes.error_help("E105", span, message, format!("it is in {first} already"));
            continue;
        }
        places.insert(name.clone(), tree.file);
        all.steps.insert(name.clone(), read.steps);
        if read.is_later {
            all.not_yet.push(name.clone());
        }
        if read.workflow.is_none() && !read.is_later && notes.errors() == 0 {
            // A part was given up without a word: our own mistake, and no reason to run without this workflow.
            let message = format!("Sottaku could not read `{name}`, and does not know why");
            notes.error_help(
                "E103",
                tree.root.span,
                message,
                "please report this".to_owned(),
            );
        }
        all.aside.extend(read.aside);
        let written = read.sets.into_iter().map(|(setting, span)| Written {
            workflow: name.clone(),
            file: tree.file.into(),
            span,
            setting,
        });
        all.sets.extend(written);
        if let Some(workflow) = read.workflow {
            reach(notes, &tree.root, &workflow, &workspace.scope);
            all.running.insert(name, workflow);
            all.templates.extend(read.templates);
        }
    }
    all.not_yet.sort();
    all
}

/// Reads all tests.
pub(crate) fn tests(
    notes: &mut Notes,
    sorted: &Sorted<'_>,
    workspace: &Workspace,
    steps: &StepIds,
) -> Vec<Scenario> {
    let bench = Bench {
        workspace,
        steps,
        tested: None,
        is_all: false,
    };
    let mut all = Vec::new();
    for tree in &sorted.tests {
        notes.open(tree.file);
        all.extend(scenarios(notes, &tree.root, &bench));
    }
    all
}
