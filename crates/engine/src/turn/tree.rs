//! An expression taken apart: what it gives, what its parts give, and when what they read was said.

use super::behind::behind;
use crate::evaluate::{Carrier, Item, Reading, Scene};
use crate::why::Tree;
use jiff::Timestamp;
use model::Value;
use std::cell::Cell;
use workflow::expression::{Naming, print};
use workflow::program::{Aggregate, Expr, ExprKind, Source, Type, Workflow};

/// How many parts one tree has at most: names that lead to names twice each would grow without end.
const PARTS_MAX: usize = 2_000;

/// Gives names back, those of the workflow among them.
pub(super) struct Names<'a> {
    pub(super) program: &'a workflow::Program,
    pub(super) workflow: &'a Workflow,
    /// How many parts may still grow.
    left: Cell<usize>,
}

impl<'a> Names<'a> {
    pub(super) fn new(program: &'a workflow::Program, workflow: &'a Workflow) -> Self {
        Self {
            program,
            workflow,
            left: Cell::new(PARTS_MAX),
        }
    }

    /// Whether one more part may grow.
    fn takes_one(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}

impl Naming for Names<'_> {
    fn metric(&self, index: usize) -> &str {
        self.program.metric(index)
    }
    fn segment(&self, index: usize) -> &str {
        self.program.segment(index)
    }
    fn label(&self, index: usize) -> &str {
        self.program.label(index)
    }
    fn risk(&self, index: usize) -> &str {
        self.program.risk(index)
    }
    fn with(&self, index: usize) -> &str {
        self.workflow.with.get(index).map_or("?", |(name, _)| name)
    }
    fn remember(&self, index: usize) -> &str {
        self.workflow
            .remember
            .get(index)
            .map_or("?", |(name, _)| name)
    }
}

/// The expression and its parts, with what each gives.
pub(super) fn grow(scene: &Scene<'_>, names: &Names<'_>, expr: &Expr) -> Tree {
    let reading = scene.reading(expr);
    let mut parts = Vec::new();
    let children = expr.children().into_iter();
    for part in children.filter(|part| !matches!(part.kind, ExprKind::Const(_))) {
        if names.takes_one() {
            parts.push(grow(scene, names, part));
        }
    }
    for inner in defined(scene, names, expr) {
        if names.takes_one() {
            parts.push(grow(&scene.of_definitions(), names, inner));
        }
    }
    if names.takes_one() {
        parts.append(&mut behind(scene, names, expr));
    }
    Tree {
        text: print(expr, names).into(),
        gives: told(&reading, names, expr).into(),
        truth: reading.truth(),
        said_at: said_at(scene, expr),
        parts,
    }
}

/// What stands behind a name: the condition of a segment, the formula of a metric.
fn defined<'p>(scene: &Scene<'p>, names: &Names<'p>, expr: &Expr) -> Vec<&'p Expr> {
    let program = scene.program;
    if let ExprKind::Segment(index) = &expr.kind {
        let segment = program.segments.get(*index);
        return segment.iter().map(|segment| &segment.condition).collect();
    }
    if let ExprKind::Label(index) = &expr.kind {
        let label = program.labels.get(*index);
        let lines = label.map_or(&[][..], |label| &label.lines).iter();
        return lines
            .filter_map(|(_, condition)| condition.as_ref())
            .collect();
    }
    if let ExprKind::With(index) = &expr.kind {
        let given = names.workflow.with.get(*index);
        return given.iter().map(|(_, value)| value).collect();
    }
    if let ExprKind::Metric(index) = &expr.kind
        && let Some(metric) = program.metrics.get(*index)
        && let Source::Formula(formula) = &metric.source
    {
        return vec![formula];
    }
    Vec::new()
}

/// What a reading says to people.
fn told(reading: &Reading, names: &Names<'_>, expr: &Expr) -> String {
    match reading {
        Reading::Known(value) => {
            let kind = ExprKind::Const(value.clone());
            let ty = Type::Text;
            print(&Expr { kind, ty }, names)
                .trim_matches('"')
                .to_owned()
        }
        Reading::AtLeast(least) => {
            let value = if expr.ty == Type::Percent {
                Value::Percent(*least)
            } else {
                Value::Number(*least)
            };
            format!("at least {}", told(&Reading::Known(value), names, expr))
        }
        Reading::Unseen => "not seen".to_owned(),
        Reading::Unknown => "unknown".to_owned(),
    }
}

/// When what a name reads was last said.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "no other expression is a name that facts say"
)]
fn said_at(scene: &Scene<'_>, expr: &Expr) -> Option<Timestamp> {
    let known = scene.known;
    let (of, name): (Carrier<'_>, &str) = match &expr.kind {
        ExprKind::Account(name) => (Carrier::Account, name),
        ExprKind::Contract(name) => (Carrier::Contract(scene.contract_id()?), name),
        ExprKind::Contact(name) => match scene.item? {
            Item::Contact(id) => (Carrier::Contact(id), name),
            Item::Contract(_) | Item::Risk(_) => return None,
        },
        ExprKind::Csm(name) => (Carrier::Csm, name),
        ExprKind::RoleField { role, field } => {
            (Carrier::Contact(known.holders(role).first()?), field)
        }
        ExprKind::Metric(index) | ExprKind::Previous(index) | ExprKind::Change(index) => {
            return newest(scene, *index);
        }
        _ => return None,
    };
    known.carried_at(of, name)
}

/// When the newest event of a metric happened.
fn newest(scene: &Scene<'_>, metric: usize) -> Option<Timestamp> {
    let Source::Events(aggregate) = &scene.program.metrics.get(metric)?.source else {
        return None;
    };
    let aggregate: &Aggregate = aggregate;
    scene.known.tally(&aggregate.basis)?.newest_at()
}
