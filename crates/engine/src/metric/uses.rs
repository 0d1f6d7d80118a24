//! Every expression of a program, and which metrics are read over the window before theirs.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use std::collections::BTreeSet;
use workflow::Program;
use workflow::program::{
    Expr, ExprKind, OncePer, RouteTarget, Source, Start, Step, Until, Verb, Window, Workflow,
};

/// The metrics that `previous` or `change` read anywhere in the program.
pub(crate) fn read_before(program: &Program) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for expr in expressions(program) {
        collect(expr, &mut found);
    }
    found
}

/// The metrics whose change a condition may notice, and those whose newest event keeps a measure of health from being stale.
pub(crate) fn watched(program: &Program) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let mut found = BTreeSet::new();
    for expr in conditions(program) {
        reach(program, expr, &mut found);
    }
    let mut fresh = BTreeSet::new();
    if let Some(health) = &program.health {
        let sides = [&health.outcome, &health.experience];
        let measures = sides.into_iter().flat_map(|side| &side.measures);
        for measure in measures.filter(|measure| measure.stale_after.is_some()) {
            reach(program, &measure.value, &mut fresh);
        }
    }
    (found, fresh)
}

/// Notes every metric that an expression reads, by whatever names.
fn reach(program: &Program, expr: &Expr, found: &mut BTreeSet<usize>) {
    match &expr.kind {
        ExprKind::Metric(index) | ExprKind::Previous(index) | ExprKind::Change(index) => {
            let metric = program.metrics.get(*index);
            match metric.map(|metric| &metric.source) {
                Some(_) if !found.insert(*index) => {}
                Some(Source::Formula(formula)) => reach(program, formula, found),
                Some(Source::Events(aggregate)) => {
                    if let Window::Since(since) = &aggregate.window {
                        reach(program, since, found);
                    }
                }
                None => {}
            }
        }
        ExprKind::Segment(index) => {
            if let Some(segment) = program.segments.get(*index) {
                reach(program, &segment.condition, found);
            }
        }
        ExprKind::Label(index) => {
            let lines = program.labels.get(*index).map(|label| &label.lines);
            for condition in lines
                .into_iter()
                .flatten()
                .filter_map(|line| line.1.as_ref())
            {
                reach(program, condition, found);
            }
        }
        _ => {}
    }
    for child in children(expr) {
        reach(program, child, found);
    }
}

/// Notes the metrics under `previous` and `change` in one expression.
fn collect(expr: &Expr, found: &mut BTreeSet<usize>) {
    if let ExprKind::Previous(index) | ExprKind::Change(index) = &expr.kind {
        found.insert(*index);
    }
    for child in children(expr) {
        collect(child, found);
    }
}

/// The expressions directly inside one.
pub(crate) fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Account(_)
        | ExprKind::Contract(_)
        | ExprKind::Contact(_)
        | ExprKind::ThisContact
        | ExprKind::Csm(_)
        | ExprKind::Risk(_)
        | ExprKind::Event(_)
        | ExprKind::EventContact { .. }
        | ExprKind::StartedBy(_)
        | ExprKind::StartedByContact { .. }
        | ExprKind::Role(_)
        | ExprKind::RoleField { .. }
        | ExprKind::Metric(_)
        | ExprKind::Previous(_)
        | ExprKind::Change(_)
        | ExprKind::Segment(_)
        | ExprKind::Label(_)
        | ExprKind::Health(_)
        | ExprKind::RiskOpen(_)
        | ExprKind::AnyOpenRisk
        | ExprKind::With(_)
        | ExprKind::Remember(_)
        | ExprKind::Step { .. }
        | ExprKind::List(_) => Vec::new(),
        ExprKind::Where {
            list,
            condition,
            sort,
        } => {
            let mut all: Vec<&Expr> = vec![list, condition];
            all.extend(sort.as_ref().map(|(by, _)| &**by));
            all
        }
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().collect(),
        ExprKind::Among { value, list } => std::iter::once(&**value).chain(list).collect(),
        ExprKind::Count(one)
        | ExprKind::Not(one)
        | ExprKind::Between { value: one, .. }
        | ExprKind::InPeriod { date: one, .. }
        | ExprKind::Known(one)
        | ExprKind::Negate(one)
        | ExprKind::DaysUntil(one)
        | ExprKind::DaysSince(one)
        | ExprKind::BusinessDaysUntil(one)
        | ExprKind::BusinessDaysSince(one)
        | ExprKind::HoursSince(one)
        | ExprKind::Round(one) => vec![one],
        ExprKind::Compare { left, right, .. }
        | ExprKind::Arithmetic { left, right, .. }
        | ExprKind::Contains {
            whole: left,
            part: right,
        }
        | ExprKind::Else(left, right)
        | ExprKind::Min(left, right)
        | ExprKind::Max(left, right) => vec![left, right],
    }
}

/// Every expression of a program that stands by itself.
fn expressions(program: &Program) -> Vec<&Expr> {
    let mut all = Vec::new();
    for metric in &program.metrics {
        match &metric.source {
            Source::Formula(formula) => all.push(formula),
            Source::Events(aggregate) => {
                all.extend(&aggregate.condition);
                if let Window::Since(since) = &aggregate.window {
                    all.push(since);
                }
            }
        }
    }
    all.extend(&program.defaults.reply_to);
    let targets = program.routes.values().flat_map(|route| &route.targets);
    all.extend(targets.filter_map(|target| match target {
        RouteTarget::Slack(to) | RouteTarget::Email(to) => Some(to),
        RouteTarget::Channel(_) | RouteTarget::Teams(_) => None,
    }));
    for workflow in &program.workflows {
        let then = workflow.goal.iter().flat_map(|goal| &goal.then);
        for step in workflow.steps.iter().chain(then) {
            of_templates(step, &mut all);
        }
    }
    all.extend(conditions(program));
    all
}

/// Those that templates read, in a step and all below it.
fn of_templates<'a>(step: &'a Step, all: &mut Vec<&'a Expr>) {
    all.extend(step.reads.iter().map(|read| &read.value));
    for inner in step.blocks().into_iter().flatten() {
        of_templates(inner, all);
    }
}

/// Those that decide when something happens; what is read only as it happens is left out.
fn conditions(program: &Program) -> Vec<&Expr> {
    let mut all: Vec<&Expr> = program
        .segments
        .iter()
        .map(|segment| &segment.condition)
        .collect();
    let lines = program.labels.iter().flat_map(|label| &label.lines);
    all.extend(lines.filter_map(|(_, condition)| condition.as_ref()));
    if let Some(health) = &program.health {
        for measure in [&health.outcome, &health.experience].map(|side| &side.measures) {
            all.extend(
                measure
                    .iter()
                    .flat_map(|one| [&one.value, &one.green, &one.yellow]),
            );
        }
        all.extend(&health.red_if);
    }
    for risk in &program.risks {
        all.extend([&risk.opens, &risk.closes]);
        all.extend(&risk.high_if);
    }
    program
        .workflows
        .iter()
        .for_each(|workflow| of_workflow(workflow, &mut all));
    all
}

/// Every expression that a workflow, or a template of its steps, reads.
pub(crate) fn read_in(workflow: &Workflow) -> Vec<&Expr> {
    let mut all = Vec::new();
    let then = workflow.goal.iter().flat_map(|goal| &goal.then);
    for step in workflow.steps.iter().chain(then) {
        of_templates(step, &mut all);
    }
    of_workflow(workflow, &mut all);
    all
}

/// Those of a workflow.
fn of_workflow<'a>(workflow: &'a Workflow, all: &mut Vec<&'a Expr>) {
    match &workflow.start {
        Start::When {
            when, condition, ..
        } => {
            all.push(when);
            all.extend(condition);
        }
        Start::Event { condition, .. } | Start::Every { condition, .. } => all.extend(condition),
    }
    if let OncePer::Field(field) = &workflow.once_per {
        all.push(field);
    }
    all.extend(&workflow.while_true);
    all.extend(
        workflow
            .with
            .iter()
            .chain(&workflow.remember)
            .map(|(_, value)| value),
    );
    if let Some(goal) = &workflow.goal {
        all.push(&goal.when);
        of_steps(&goal.then, all);
    }
    of_steps(&workflow.steps, all);
}

/// Those of steps.
fn of_steps<'a>(steps: &'a [Step], all: &mut Vec<&'a Expr>) {
    for step in steps {
        all.extend(&step.condition);
        all.extend(step.at.as_ref().map(|at| &at.date));
        match &step.verb {
            Verb::Send {
                to, cc, reply_to, ..
            } => {
                all.extend(to.iter().chain(cc));
                all.extend(reply_to);
            }
            Verb::Match { value, .. } => all.push(value),
            Verb::Set { fields } => all.extend(fields.iter().map(|field| &field.value)),
            Verb::Webhook { body, .. } => all.extend(body.iter().map(|(_, value)| value)),
            Verb::WaitFor { until, .. } => match until {
                Until::Condition(condition) => all.push(condition),
                Until::Event { condition, .. } => all.extend(condition),
            },
            Verb::Branch { .. }
            | Verb::Split { .. }
            | Verb::Wait { .. }
            | Verb::Stop { .. }
            | Verb::Alert { .. }
            | Verb::Task { .. } => {}
        }
        for block in step.blocks() {
            of_steps(block, all);
        }
    }
}
