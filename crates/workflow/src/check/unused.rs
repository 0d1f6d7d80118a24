//! Names that nobody uses (W607). Said only where nothing is wrong: a use may hide behind a mistake.

use super::defined::Definitions;
use super::definitions::Drafts;
use super::policies::{self, Policies};
use super::workflows::Workflows;
use crate::Files;
use crate::diagnostic::Span;
use crate::program::{Definition, Expr, Route, RouteTarget, Says, Source, Verb, Window, Workflow};
use crate::reader::Notes;
use std::collections::BTreeSet;

/// The route that is told where a send finds nobody; it needs no other use.
const CSM_ROUTE: &str = "csm";
/// The label whose changes are events; it needs no other use.
const STAGE: &str = "stage";

/// What is used somewhere.
#[derive(Default)]
struct Used {
    definitions: BTreeSet<Definition>,
    routes: BTreeSet<Box<str>>,
    webhooks: BTreeSet<Box<str>>,
    templates: BTreeSet<Box<str>>,
}

/// What a workspace defines.
pub(crate) struct Defined<'a> {
    /// Metrics and the like as they are written.
    pub(crate) drafts: &'a Drafts<'a>,
    /// And as they were read.
    pub(crate) definitions: &'a Definitions,
    /// Routes and webhooks as they are written.
    pub(crate) names: &'a policies::Names<'a>,
    /// All policies.
    pub(crate) policies: &'a Policies,
}

/// Says which names of the workspace nobody uses.
pub(crate) fn unused(
    notes: &mut Notes,
    files: &Files,
    defined: &Defined<'_>,
    workflows: &Workflows,
) {
    let mut used = Used::default();
    used.by_definitions(defined.definitions);
    used.by_policies(defined.policies, defined.definitions.risks.len());
    let all: Vec<&Workflow> = workflows.running.values().chain(&workflows.aside).collect();
    if all.is_empty() {
        // Nothing can be used yet.
        return;
    }
    for workflow in all {
        used.by_workflow(workflow, defined.definitions.risks.len());
    }
    for definition in defined.definitions.present() {
        let is_own = match definition {
            Definition::Metric(_) | Definition::Segment(_) => false,
            Definition::Label(_) => defined.drafts.place(definition).0 == STAGE,
            // They speak for themselves.
            Definition::Health | Definition::Risk(_) => true,
        };
        if !is_own && !used.definitions.contains(&definition) {
            let (name, file, span) = defined.drafts.place(definition);
            say(notes, name, file, span);
        }
    }
    for named in defined.names.each_route() {
        if named.name != CSM_ROUTE && !used.routes.contains(named.name) {
            say(notes, named.name, named.file, named.span);
        }
    }
    for named in defined.names.each_webhook() {
        if !used.webhooks.contains(named.name) {
            say(notes, named.name, named.file, named.span);
        }
    }
    templates(notes, files, &used);
}

fn say(notes: &mut Notes, name: &str, file: &str, span: Span) {
    notes.open(file);
    notes.unused(name, span);
}

/// A template in all its locales is one name: it is told at the first file.
fn templates(notes: &mut Notes, files: &Files, used: &Used) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for file in files.keys() {
        let base = file
            .strip_prefix("templates/")
            .filter(|_| crate::template::shelf::is_template(file))
            .and_then(|file| file.rsplit('/').next());
        let Some(name) = base.and_then(|base| base.split('.').next()) else {
            continue;
        };
        if !used.templates.contains(name) && told.insert(name) {
            say(notes, name, file, Span { start: 0, end: 0 });
        }
    }
}

impl Used {
    fn expressions<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>, risks: usize) {
        for expr in exprs {
            self.definitions.extend(expr.definitions(risks));
        }
    }

    fn by_definitions(&mut self, definitions: &Definitions) {
        let risks = definitions.risks.len();
        for definition in definitions.present() {
            self.expressions(definitions.expressions(definition), risks);
        }
        for metric in definitions.metrics.iter().flatten() {
            if let Source::Events(aggregate) = &metric.source {
                self.expressions(&aggregate.condition, risks);
                if let Window::Since(since) = &aggregate.window {
                    self.expressions([since], risks);
                }
            }
        }
    }

    fn by_policies(&mut self, policies: &Policies, risks: usize) {
        self.expressions(&policies.defaults.reply_to, risks);
        for route in policies.routes.values() {
            let Route { targets, otherwise } = route;
            self.routes.extend(otherwise.clone());
            for target in targets {
                match target {
                    RouteTarget::Slack(to) | RouteTarget::Email(to) => {
                        self.expressions([to], risks);
                    }
                    RouteTarget::Channel(_) | RouteTarget::Teams(_) => {}
                }
            }
        }
    }

    fn by_workflow(&mut self, workflow: &Workflow, risks: usize) {
        self.expressions(workflow.expressions(), risks);
        for step in workflow.all_steps() {
            self.by_verb(&step.verb);
        }
    }

    fn by_verb(&mut self, verb: &Verb) {
        match verb {
            Verb::Send {
                template, approval, ..
            } => {
                self.templates.insert(template.clone());
                self.routes
                    .extend(approval.iter().map(|approval| approval.by.clone()));
            }
            Verb::Alert { routes, says, .. } => {
                self.routes.extend(routes.iter().cloned());
                if let Says::Template(template) = says {
                    self.templates.insert(template.clone());
                }
            }
            Verb::Task {
                assignee, template, ..
            } => {
                self.routes.insert(assignee.clone());
                self.templates.extend(template.clone());
            }
            Verb::Webhook { name, .. } => {
                self.webhooks.insert(name.clone());
            }
            Verb::Branch { .. }
            | Verb::Match { .. }
            | Verb::Split { .. }
            | Verb::Set { .. }
            | Verb::Wait { .. }
            | Verb::WaitFor { .. }
            | Verb::Stop { .. } => {}
        }
    }
}
