//! The check: the texts of a workspace to a program, or to every mistake in them.

mod circle;
mod defined;
mod definitions;
mod order;
mod policies;
mod reach;
pub(crate) mod sort;
mod sources;
mod unused;
mod warnings;
mod workflows;

use crate::expression::{Scope, World};
use crate::program::{Program, Schema, TopicSource};
use crate::reader::engine_event::{self, Names};
use crate::reader::{Notes, schema};
use crate::{Checked, Files};
use defined::Definitions;
use definitions::Drafts;
use policies::Policies;
use sort::Sorted;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use workflows::Workflows;

/// Checks a workspace.
pub fn check(files: &Files) -> Checked {
    let mut notes = Notes::default();
    let (trees, is_whole) = sort::trees(&mut notes, files);
    if !is_whole {
        // Nobody knows which names stand in what could not be read: every use of one would be a false alarm.
        return Checked {
            program: None,
            diagnostics: notes.sorted(),
            not_yet: Vec::new(),
            scenarios: Vec::new(),
        };
    }
    let sorted = sort::sort(&mut notes, &trees);
    let mut scope = Scope {
        has_account: true,
        ..Scope::default()
    };
    let (schema, failed) = read_schema(&mut notes, &sorted);
    let roles = roles(&schema);
    let drafts = Drafts::gather(&mut notes, &sorted, &roles);
    let names = policies::Names::gather(&mut notes, &sorted);
    scope.world = Arc::new(World {
        schema: with_engine_events(files, schema, &sorted, &drafts, &names),
        roles,
        failed,
        ..World::default()
    });
    let definitions = drafts.read(&mut notes, &mut scope);
    let with_csm = Scope {
        has_csm: true,
        ..scope.clone()
    };
    let policies = policies::read(&mut notes, &sorted, &names, &with_csm);
    let sources = sources::read(&mut notes, &sorted, &scope);
    let since = &policies.complete_since;
    warnings::uncovered(
        &mut notes,
        &drafts,
        &definitions,
        since,
        &scope.world.schema,
    );
    warnings::restless(&mut notes, &drafts, &definitions);
    let templates = workflows::templates(&mut notes, files);
    let workspace = workflows::workspace(&scope, &names, &policies, templates);
    let mut workflows = workflows::read(&mut notes, &sorted, &workspace);
    let scenarios = workflows::tests(&mut notes, &sorted, &workspace, &workflows.steps);
    circle::circles(&mut notes, &scope, &definitions, &workflows);
    if notes.errors() == 0 {
        let defined = unused::Defined {
            drafts: &drafts,
            definitions: &definitions,
            names: &names,
            policies: &policies,
        };
        unused::unused(&mut notes, files, &defined, &workflows);
        warnings::unsigned(&mut notes, &names, &policies, &workflows);
    }
    let not_yet = std::mem::take(&mut workflows.not_yet);
    let schema = &scope.world.schema;
    let program = (notes.errors() == 0)
        .then(|| assemble(schema, definitions, (policies, sources), workflows))
        .flatten();
    Checked {
        program,
        diagnostics: notes.sorted(),
        not_yet,
        scenarios,
    }
}

fn read_schema(notes: &mut Notes, sorted: &Sorted<'_>) -> (Schema, BTreeSet<Box<str>>) {
    let mut read = Schema::default();
    let mut failed = BTreeSet::new();
    for found in sorted.all("entities") {
        notes.open(found.file);
        schema::entities(notes, found.node, &mut read, &mut failed);
    }
    for found in sorted.all("events") {
        notes.open(found.file);
        schema::events(notes, found.node, &mut read, &mut failed);
    }
    for name in ["name", "email"] {
        if let Some(field) = read.contact.fields.get_mut(name) {
            field.is_personal = true;
        }
    }
    (read, failed)
}

/// The words of `contact.role` but `user`, which is everybody else.
fn roles(schema: &Schema) -> Vec<Box<str>> {
    let role = schema.contact.fields.get("role");
    match role.map(|field| &field.kind) {
        Some(crate::program::FieldType::Pick(words)) => words
            .words
            .iter()
            .filter(|word| &***word != "user")
            .cloned()
            .collect(),
        Some(_) | None => Vec::new(),
    }
}

fn with_engine_events(
    files: &Files,
    mut schema: Schema,
    sorted: &Sorted<'_>,
    drafts: &Drafts<'_>,
    names: &policies::Names<'_>,
) -> Schema {
    let workflow = |root: &crate::yaml::Node| Some(root.get("workflow")?.scalar()?.text.clone());
    let names = Names {
        workflows: sorted
            .workflows
            .iter()
            .filter_map(|tree| workflow(&tree.root))
            .collect(),
        topics: names.topics().into_iter().collect(),
        templates: template_names(files),
        risks: drafts.risk_names(),
        stages: drafts.words_of("stage"),
    };
    schema.events.extend(engine_event::all(&names));
    schema
}

/// Names of templates, whatever is in them.
fn template_names(files: &Files) -> Vec<Box<str>> {
    let names = files
        .keys()
        .filter(|file| crate::template::shelf::is_template(file))
        .filter_map(|file| file.strip_prefix("templates/")?.strip_suffix(".hbs"));
    let names = names.filter_map(|file| file.rsplit('/').next()?.split('.').next());
    names
        .filter(|name| crate::reader::value::is_name(name))
        .map(Box::from)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// The program, once nothing has failed.
fn assemble(
    schema: &Schema,
    definitions: Definitions,
    (policies, sources): (Policies, BTreeMap<Box<str>, TopicSource>),
    workflows: Workflows,
) -> Option<Program> {
    let mut program = Program {
        revision: "".into(),
        schema: schema.clone(),
        metrics: definitions.metrics.into_iter().collect::<Option<_>>()?,
        segments: definitions.segments.into_iter().collect::<Option<_>>()?,
        labels: definitions.labels.into_iter().collect::<Option<_>>()?,
        health: definitions.health,
        risks: definitions.risks.into_iter().collect::<Option<_>>()?,
        order: definitions.order,
        complete_since: policies.complete_since,
        calendar: policies.calendar,
        topics: policies.topics,
        limits: policies.limits,
        over_limit: policies.over_limit,
        delay_at_most: policies.delay_at_most,
        spread: policies.spread,
        digest: policies.digest,
        holdout: policies.holdout,
        defaults: policies.defaults,
        sender: policies.sender,
        routes: policies.routes,
        webhooks: policies.webhooks,
        sources,
        workflows: workflows.running.into_values().collect(),
        templates: workflows.templates,
    };
    program.revision = revision(&program);
    Some(program)
}

/// Hash of the checked form, in which neither comments nor the order of keys show.
fn revision(program: &Program) -> Box<str> {
    let text = serde_json::to_string(program).unwrap_or_default();
    let digest = model::id::digest(&[&text]);
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into()
}
