//! Why: conditions taken apart, subjects and runs as they stand. Changes nothing.

use super::Turn;
use super::path::next;
use super::place::Place;
use super::ready::Ready;
use crate::evaluate::{Carrier, Reading, Scene};
use crate::lookahead::next_change;
use crate::memory::Memory;
use crate::run::{Phase, Run};
use crate::why::{Blame, Deed, Passage, Rest, Standing, Tree, Why};
use jiff::{SignedDuration, Timestamp};
use workflow::expression::{Naming, print};
use workflow::program::{
    Aggregate, Comparison, Expr, ExprKind, Source, Start, Step, Type, Until, Verb, Workflow,
};

/// How many instants are looked at to find when time alone makes a condition true.
const JUMPS_MAX: usize = 400;
/// And how far ahead.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);
/// How deep names are taken apart.
const DEPTH_MAX: usize = 12;

/// Gives names back, those of the workflow among them.
struct Names<'a> {
    program: &'a workflow::Program,
    workflow: &'a Workflow,
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

impl<'a> Turn<'a, '_> {
    /// What a workflow makes of the account now.
    pub(crate) fn explain(&self, workflow: &'a Workflow) -> Why {
        let mut subjects = self.subjects(workflow.for_each);
        let state = self.account.head.workflows.get(&workflow.name);
        let of_runs = state
            .iter()
            .flat_map(|state| state.runs.iter().map(|run| run.subject.clone()));
        subjects.extend(of_runs);
        subjects.sort();
        subjects.dedup();
        let subjects = subjects.iter();
        Why {
            workflow: workflow.name.clone(),
            title: workflow.title.clone(),
            status: workflow.status,
            at: self.now,
            zone: self.zone.iana_name().unwrap_or("UTC").into(),
            subjects: subjects
                .map(|subject| self.standing(workflow, subject))
                .collect(),
        }
    }

    fn standing(&self, workflow: &'a Workflow, subject: &str) -> Standing {
        let memory = self.memory(workflow, subject).cloned().unwrap_or_default();
        let place = Place::subject(workflow, subject);
        let (condition, hold) = match &workflow.start {
            Start::When { when, hold, .. } => (Some(when), *hold),
            Start::Event { condition, .. } | Start::Every { condition, .. } => {
                (condition.as_ref(), None)
            }
        };
        let start = condition.map(|condition| self.tree(workflow, place, condition));
        let blame = match (&start, condition) {
            (Some(tree), Some(condition)) => self.blame(workflow, place, (condition, tree)),
            _ => None,
        };
        let state = self.account.head.workflows.get(&workflow.name);
        let runs = state.iter().flat_map(|state| &state.runs);
        Standing {
            subject: subject.into(),
            against: self.speaks_against(workflow, subject),
            start,
            memory: word(memory.memory),
            held_since: memory.hold.map(|held| held.since),
            held_at: memory
                .hold
                .zip(hold)
                .and_then(|(held, period)| self.hold_due(held, period)),
            blame,
            started_at: memory.started_at,
            runs: runs
                .filter(|run| *run.subject == *subject)
                .map(|run| self.standing_run(workflow, run))
                .collect(),
        }
    }

    fn standing_run(&self, workflow: &'a Workflow, run: &Run) -> Passage {
        let place = Place::run(workflow, run);
        let tree = |expr: &Expr| self.tree(workflow, place, expr);
        let watches = run.is_running();
        let goal = workflow.goal.as_ref().filter(|_| watches);
        Passage {
            run: run.id.clone(),
            started_at: run.started_at,
            phase: run.phase,
            ended: run.ended,
            rests: self.rest(workflow, run),
            keeps: workflow.while_true.as_ref().filter(|_| watches).map(tree),
            goal: goal.map(|goal| tree(&goal.when)),
            steps: deeds(workflow, run),
        }
    }

    fn rest(&self, workflow: &'a Workflow, run: &Run) -> Option<Rest> {
        let steps = match (run.phase, &workflow.goal) {
            (Phase::Steps, _) => &workflow.steps,
            (Phase::Then, Some(goal)) => &goal.then,
            (Phase::Then, None) | (Phase::Watching | Phase::Ended, _) => return None,
        };
        let step = next(steps, run)?;
        let place = Place::run(workflow, run);
        let until = match self.ready(workflow, run, step) {
            Ready::At(at) => Some(at),
            Ready::Now | Ready::Passed => Some(self.now),
            Ready::Rests => None,
        };
        let waits_for = if let Verb::WaitFor {
            until: Until::Condition(condition),
            ..
        } = &step.verb
        {
            Some(condition)
        } else {
            step.condition.as_ref()
        };
        Some(Rest {
            step: step.id.clone(),
            since: run.rests_since,
            until,
            condition: waits_for.map(|condition| self.tree(workflow, place, condition)),
            held: self.waiting(workflow, run, step),
        })
    }

    /// An expression taken apart, as it is at a place.
    pub(super) fn tree(&self, workflow: &'a Workflow, place: Place<'_>, expr: &Expr) -> Tree {
        let names = Names {
            program: self.context.program,
            workflow,
        };
        self.look(place, |scene| grow(scene, &names, expr, 0))
    }

    /// What keeps a condition from being true; none if it is true.
    fn blame(
        &self,
        workflow: &'a Workflow,
        place: Place<'_>,
        (condition, tree): (&Expr, &Tree),
    ) -> Option<Blame> {
        if tree.truth == Some(true) {
            return None;
        }
        let names = Names {
            program: self.context.program,
            workflow,
        };
        let true_at = self.look(place, |scene| true_at(scene, condition));
        let (leaf, needs) = self.look(place, |scene| {
            let leaf = culprit(scene, condition);
            (grow(scene, &names, leaf, 0), needs(&names, leaf, true))
        });
        Some(Blame {
            leaf,
            needs: needs.into(),
            true_at,
        })
    }
}

fn word(memory: Memory) -> &'static str {
    match memory {
        Memory::Never => "never",
        Memory::False => "false",
        Memory::True => "true",
        Memory::Pending => "pending",
    }
}

/// The steps that are done or under way, in the order of time.
fn deeds(workflow: &Workflow, run: &Run) -> Vec<Deed> {
    let mut order = Vec::new();
    list(&workflow.steps, &mut order);
    list(
        workflow.goal.as_ref().map_or(&[][..], |goal| &goal.then),
        &mut order,
    );
    let place = |step: &str| order.iter().position(|id| **id == *step);
    let mut deeds: Vec<Deed> = run
        .steps
        .iter()
        .map(|(step, state)| Deed {
            step: step.clone(),
            phase: state.phase,
            at: state.at,
        })
        .collect();
    deeds.sort_by_key(|deed| (deed.at, place(&deed.step)));
    deeds
}

fn list<'w>(steps: &'w [Step], order: &mut Vec<&'w str>) {
    for step in steps {
        order.push(&step.id);
        for block in step.blocks() {
            list(block, order);
        }
    }
}

/// The expression and its parts, with what each gives.
fn grow(scene: &Scene<'_>, names: &Names<'_>, expr: &Expr, depth: usize) -> Tree {
    let reading = scene.reading(expr);
    let mut parts = Vec::new();
    if depth < DEPTH_MAX {
        for part in expr.children() {
            if !matches!(part.kind, ExprKind::Const(_)) {
                parts.push(grow(scene, names, part, depth + 1));
            }
        }
        for inner in defined(scene, names, expr) {
            let scene = scene.of_definitions();
            parts.push(grow(&scene, names, inner, depth + 1));
        }
    }
    Tree {
        text: print(expr, names).into(),
        gives: told(&reading, names).into(),
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
fn told(reading: &Reading, names: &Names<'_>) -> String {
    match reading {
        Reading::Known(value) => {
            let kind = ExprKind::Const(value.clone());
            let ty = Type::Text;
            print(&Expr { kind, ty }, names)
                .trim_matches('"')
                .to_owned()
        }
        Reading::AtLeast(least) => format!("at least {least}"),
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

/// The first part that is to blame for a condition that is not true.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other expression is blamed whole"
)]
fn culprit<'e>(scene: &Scene<'_>, expr: &'e Expr) -> &'e Expr {
    match &expr.kind {
        ExprKind::And(parts) => {
            let guilty = parts.iter().find(|part| !scene.is_true(part));
            guilty.map_or(expr, |part| culprit(scene, part))
        }
        ExprKind::Or(parts) => {
            // Whichever is unknown says more than what is plainly false.
            let unknown = parts.iter().find(|part| scene.truth(part).is_none());
            unknown
                .or(parts.first())
                .map_or(expr, |part| culprit(scene, part))
        }
        _ => expr,
    }
}

/// What would make a part true (or false), in words.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other expression is named whole"
)]
fn needs(names: &Names<'_>, expr: &Expr, wanted: bool) -> String {
    let text = |expr: &Expr| print(expr, names);
    match &expr.kind {
        ExprKind::Not(inner) => needs(names, inner, !wanted),
        ExprKind::Compare { how, left, right } => {
            let how = if wanted { *how } else { opposite(*how) };
            format!(
                "{} would have to be {} {}",
                text(left),
                relation(how),
                text(right)
            )
        }
        ExprKind::Between { value, low, high } if wanted => {
            format!("{} would have to lie in {low}..{high}", text(value))
        }
        ExprKind::Known(of) if wanted => format!("{} would have to be known", text(of)),
        ExprKind::Known(of) => format!("{} would have to be unknown", text(of)),
        _ if wanted => format!("{} would have to be true", text(expr)),
        _ => format!("{} would have to be false", text(expr)),
    }
}

fn opposite(how: Comparison) -> Comparison {
    match how {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::AtLeast,
        Comparison::AtMost => Comparison::Greater,
        Comparison::Greater => Comparison::AtMost,
        Comparison::AtLeast => Comparison::Less,
    }
}

fn relation(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "equal to",
        Comparison::NotEqual => "other than",
        Comparison::Less => "below",
        Comparison::AtMost => "at most",
        Comparison::Greater => "above",
        Comparison::AtLeast => "at least",
    }
}

/// When time alone makes a condition true, if it does within two years.
fn true_at(scene: &Scene<'_>, condition: &Expr) -> Option<Timestamp> {
    let last = scene.now().checked_add(AHEAD_MAX).ok()?;
    let mut scene = *scene;
    for _ in 0..JUMPS_MAX {
        let next = next_change(&scene, condition).filter(|next| *next <= last)?;
        scene = scene.at(next);
        if scene.is_true(condition) {
            return Some(next);
        }
    }
    None
}
