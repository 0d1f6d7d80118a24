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
    if workflows.sets.is_empty() {
        return;
    }
    let graph = Graph::new(scope, definitions, workflows);
    let mut edges: Edges<'_> = workflows
        .running
        .keys()
        .map(|name| (&**name, graph.starts(name)))
        .collect();
    trim(&mut edges);
    while let Some(name) = edges.keys().next().copied() {
        let circle: BTreeSet<&str> = reached(&edges, name)
            .into_iter()
            .filter(|other| reached(&edges, other).contains(name))
            .collect();
        if circle.contains(name) && graph.goes_round(&circle) {
            say(notes, workflows, &circle);
        }
        edges.retain(|other, _| *other != name && !circle.contains(other));
        trim(&mut edges);
    }
}

/// Takes out, again and again, what nothing leads on from: it is in no circle.
fn trim(edges: &mut Edges<'_>) {
    loop {
        let before = edges.len();
        let left: BTreeSet<&str> = edges.keys().copied().collect();
        for next in edges.values_mut() {
            next.retain(|name| left.contains(name));
        }
        edges.retain(|_, next| !next.is_empty());
        if edges.len() == before {
            return;
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
fn reached<'n>(edges: &Edges<'n>, from: &str) -> BTreeSet<&'n str> {
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

/// Which workflows each can start.
type Edges<'n> = BTreeMap<&'n str, BTreeSet<&'n str>>;

/// A field that is set.
type Field<'s> = (bool, &'s str);

struct Graph<'a> {
    scope: &'a Scope,
    definitions: &'a Definitions,
    workflows: &'a Workflows,
    /// The definitions that read each field that is set, themselves or through others.
    readers: BTreeMap<Field<'a>, BTreeSet<Definition>>,
}

fn field_of(setting: &Setting) -> Field<'_> {
    (setting.of == SetOf::Account, &setting.field)
}

impl<'a> Graph<'a> {
    fn new(scope: &'a Scope, definitions: &'a Definitions, workflows: &'a Workflows) -> Self {
        let mut readers = BTreeMap::new();
        for set in &workflows.sets {
            readers
                .entry(field_of(&set.setting))
                .or_insert_with(|| all_readers(definitions, &set.setting));
        }
        Self {
            scope,
            definitions,
            workflows,
            readers,
        }
    }

    /// The workflows that what this one sets can start.
    fn starts(&self, name: &str) -> BTreeSet<&'a str> {
        let mut sets: Vec<&Written> = Vec::new();
        for set in self.sets(name) {
            if !sets
                .iter()
                .any(|known| is_same(&known.setting, &set.setting))
            {
                sets.push(set);
            }
        }
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
        let below = expr.definitions(self.definitions.risks.len());
        reads_field(expr, set) || below.into_iter().any(|it| self.depends(it, set))
    }

    fn depends(&self, definition: Definition, set: &Setting) -> bool {
        let readers = self.readers.get(&field_of(set));
        readers.is_some_and(|readers| readers.contains(&definition))
    }

    /// A condition with its segments written out, one level deep: what is set can then be compared with it.
    fn open(&self, expr: &Expr) -> Expr {
        let segments = &self.definitions.segments;
        if let ExprKind::Segment(at) = &expr.kind
            && let Some(segment) = segments.get(*at).and_then(Option::as_ref)
        {
            return segment.condition.clone();
        }
        let each = |parts: &[Expr]| parts.iter().map(|part| self.open(part)).collect();
        if let ExprKind::Not(inner) = &expr.kind {
            return condition(ExprKind::Not(Box::new(self.open(inner))));
        }
        if let ExprKind::And(parts) = &expr.kind {
            return condition(ExprKind::And(each(parts)));
        }
        if let ExprKind::Or(parts) = &expr.kind {
            return condition(ExprKind::Or(each(parts)));
        }
        expr.clone()
    }
}

/// The definitions that read a field, found in the order in which they build on one another.
fn all_readers(definitions: &Definitions, set: &Setting) -> BTreeSet<Definition> {
    let risks = definitions.risks.len();
    let folds = (0..definitions.metrics.len()).map(Definition::Metric);
    let folds = folds.filter(|metric| definitions.is_fold(*metric));
    let mut readers = BTreeSet::new();
    for definition in folds.chain(definitions.order.iter().copied()) {
        let exprs = definitions.expressions(definition);
        let is_reader = exprs.into_iter().any(|expr| {
            let below = expr.definitions(risks);
            reads_field(expr, set) || below.iter().any(|it| readers.contains(it))
        });
        if is_reader {
            readers.insert(definition);
        }
    }
    readers
}

fn reads_field(expr: &Expr, set: &Setting) -> bool {
    let mut found = false;
    expr.each(&mut |part| found |= is_field(part, set));
    found
}

/// Whether `once_per` lets a run start again: each time, or by a key that is set on the way.
fn is_free(once_per: &OncePer, sets: &[&Written]) -> bool {
    match once_per {
        OncePer::Occurrence => true,
        OncePer::Field(field) => sets.iter().any(|set| is_field(field, &set.setting)),
        OncePer::Subject | OncePer::Period(_) => false,
    }
}

fn is_same(one: &Setting, two: &Setting) -> bool {
    one.of == two.of && one.field == two.field && one.value == two.value
}

/// Whether what is set differs: the same value again changes nothing, so no event tells of it.
fn has_change(sets: &[&Setting]) -> bool {
    sets.iter().any(|one| {
        let is_other =
            |two: &&Setting| two.of == one.of && two.field == one.field && two.value != one.value;
        !is_known_value(one) || sets.iter().any(is_other)
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
