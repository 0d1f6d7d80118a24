//! Circles through `set` (E506): what a workflow sets starts it again, perhaps by way of others.
//!
//! The graph goes from a `set` to its field, on to all definitions that read the field, to the starts that read
//! those, and to what the started workflows set. A start is in a circle when what is set there can make it true as
//! well as untrue, and `once_per` lets it through each time.

use super::defined::Definitions;
use super::workflows::Workflows;
use crate::diagnostic::Span;
use crate::expression::{Scope, Verdict, verdict};
use crate::program::{
    Comparison, Definition, Expr, ExprKind, OncePer, SetOf, Setting, Start, Type, Workflow,
};
use crate::reader::Notes;
use std::collections::{BTreeMap, BTreeSet};

/// A `set` of one field, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The workflow.
    pub(crate) workflow: Box<str>,
    /// Its file.
    pub(crate) file: Box<str>,
    /// The field's place.
    pub(crate) span: Span,
    /// What is set.
    pub(crate) setting: Setting,
}

/// Says which workflows start themselves again.
pub(crate) fn circles(
    notes: &mut Notes,
    scope: &Scope,
    definitions: &Definitions,
    workflows: &Workflows,
) {
    let graph = Graph {
        scope,
        definitions,
        workflows,
    };
    let edges: BTreeMap<&str, BTreeSet<&str>> = workflows
        .running
        .iter()
        .map(|(name, _)| (&**name, graph.starts(name)))
        .collect();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for name in edges.keys() {
        let circle: BTreeSet<&str> = reached(&edges, name)
            .into_iter()
            .filter(|other| reached(&edges, other).contains(name))
            .collect();
        let is_new = circle.contains(name) && !told.contains(name);
        if is_new && graph.goes_round(&circle) {
            say(notes, workflows, &circle);
            told.extend(circle);
        }
    }
}

fn say(notes: &mut Notes, workflows: &Workflows, circle: &BTreeSet<&str>) {
    let mut sets = workflows.sets.iter();
    let Some(first) = sets.find(|set| circle.contains(&*set.workflow)) else {
        return;
    };
    notes.open(&first.file);
    let names: Vec<String> = circle.iter().map(|name| format!("`{name}`")).collect();
    let message = match &names[..] {
        [only] => format!("what {only} sets here can start it again, and so for ever"),
        _ => format!(
            "what is set here can start {} again and again in a circle",
            names.join(", ")
        ),
    };
    let help = "write `once_per` so that it ends, or take what is set out of the `when`";
    notes.error_help("E506", first.span, message, help.to_owned());
}

/// All that can be reached from here, itself only by a way back.
fn reached<'n>(edges: &BTreeMap<&'n str, BTreeSet<&'n str>>, from: &str) -> BTreeSet<&'n str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(next) = open.pop() {
        for other in edges.get(next).into_iter().flatten().copied() {
            if found.insert(other) {
                open.push(other);
            }
        }
    }
    found
}

struct Graph<'a> {
    scope: &'a Scope,
    definitions: &'a Definitions,
    workflows: &'a Workflows,
}

impl<'a> Graph<'a> {
    /// The workflows that what this one sets can start.
    fn starts(&self, name: &str) -> BTreeSet<&'a str> {
        let sets: Vec<&Written> = self.sets(name).collect();
        let running = self.workflows.running.values();
        running
            .filter(|other| is_free(&other.once_per, &sets))
            .filter(|other| sets.iter().any(|set| self.can_make(other, set, true)))
            .map(|other| &*other.name)
            .collect()
    }

    fn sets(&self, name: &str) -> impl Iterator<Item = &'a Written> {
        let sets = self.workflows.sets.iter();
        sets.filter(move |set| *set.workflow == *name)
    }

    /// Whether the circle can make each start untrue again, so that it rises again.
    fn goes_round(&self, circle: &BTreeSet<&str>) -> bool {
        let sets = || circle.iter().flat_map(|name| self.sets(name));
        let mut members = circle
            .iter()
            .filter_map(|name| self.workflows.running.get(*name));
        members.all(|workflow| match &workflow.start {
            Start::When { .. } => sets().any(|set| self.can_make(workflow, set, false)),
            Start::Event { .. } | Start::Every { .. } => {
                let telling: Vec<&Setting> = sets()
                    .filter(|set| self.can_make(workflow, set, true))
                    .map(|set| &set.setting)
                    .collect();
                has_change(&telling)
            }
        })
    }

    /// Whether what is set can make a workflow's start true, or not true.
    fn can_make(&self, workflow: &Workflow, set: &Written, truth: bool) -> bool {
        match &workflow.start {
            Start::When { when, .. } => {
                let when = self.open(when);
                if !self.reads(&when, &set.setting) {
                    return false;
                }
                let claim = match truth {
                    true => when,
                    false => condition(ExprKind::Not(Box::new(when))),
                };
                let both = condition(ExprKind::And(vec![claim, equals(&set.setting)]));
                !is_known_value(&set.setting) || verdict(&both, self.scope) != Verdict::Never
            }
            Start::Event { events, .. } => events
                .iter()
                .flat_map(|event| self.told_by(event))
                .any(|definition| self.depends(definition, &set.setting)),
            Start::Every { .. } => false,
        }
    }

    /// The definitions whose changes an event of the engine tells.
    fn told_by(&self, event: &str) -> Vec<Definition> {
        let labels = self.definitions.labels.iter().enumerate();
        match event {
            "risk.opened" | "risk.closed" => (0..self.definitions.risks.len())
                .map(Definition::Risk)
                .collect(),
            "health.changed" => vec![Definition::Health],
            "stage.changed" => labels
                .filter(|(_, label)| label.as_ref().is_some_and(|it| &*it.name == "stage"))
                .map(|(at, _)| Definition::Label(at))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether an expression reads a field, itself or through definitions.
    fn reads(&self, expr: &Expr, set: &Setting) -> bool {
        let mut found = false;
        expr.each(&mut |part| found |= is_field(part, set));
        let below = expr.definitions(self.definitions.risks.len());
        found || below.into_iter().any(|it| self.depends(it, set))
    }

    /// Definitions never go in a circle, so this ends.
    fn depends(&self, definition: Definition, set: &Setting) -> bool {
        let exprs = self.definitions.expressions(definition);
        exprs.into_iter().any(|expr| self.reads(expr, set))
    }

    /// A condition with its segments written out, one level deep: what is set can then be compared with it.
    fn open(&self, expr: &Expr) -> Expr {
        let kind = match &expr.kind {
            ExprKind::Segment(at) => {
                let segment = self.definitions.segments.get(*at).and_then(Option::as_ref);
                return segment.map_or_else(|| expr.clone(), |it| it.condition.clone());
            }
            ExprKind::Not(inner) => ExprKind::Not(Box::new(self.open(inner))),
            ExprKind::And(all) => ExprKind::And(all.iter().map(|it| self.open(it)).collect()),
            ExprKind::Or(any) => ExprKind::Or(any.iter().map(|it| self.open(it)).collect()),
            kind => kind.clone(),
        };
        condition(kind)
    }
}

/// Whether `once_per` lets a run start again: each time, or by a key that is set on the way.
fn is_free(once_per: &OncePer, sets: &[&Written]) -> bool {
    match once_per {
        OncePer::Occurrence => true,
        OncePer::Field(field) => sets.iter().any(|set| is_field(field, &set.setting)),
        OncePer::Subject | OncePer::Period(_) => false,
    }
}

/// Whether what is set differs: the same value again changes nothing, so no event tells of it.
fn has_change(sets: &[&Setting]) -> bool {
    sets.iter().any(|one| {
        let is_other =
            |two: &&Setting| two.of == one.of && two.field == one.field && two.value != one.value;
        !is_known_value(one) || sets.iter().any(|two| is_other(two))
    })
}

fn is_field(expr: &Expr, set: &Setting) -> bool {
    match (&expr.kind, set.of) {
        (ExprKind::Account(field), SetOf::Account)
        | (ExprKind::Contract(field), SetOf::Contract) => *field == set.field,
        _ => false,
    }
}

fn is_known_value(set: &Setting) -> bool {
    matches!(set.value.kind, ExprKind::Const(_))
}

/// `field == value`.
fn equals(set: &Setting) -> Expr {
    let field = match set.of {
        SetOf::Account => ExprKind::Account(set.field.clone()),
        SetOf::Contract => ExprKind::Contract(set.field.clone()),
    };
    condition(ExprKind::Compare {
        how: Comparison::Equal,
        left: Box::new(Expr {
            kind: field,
            ty: set.value.ty.clone(),
        }),
        right: Box::new(set.value.clone()),
    })
}

fn condition(kind: ExprKind) -> Expr {
    Expr {
        kind,
        ty: Type::Bool,
    }
}
