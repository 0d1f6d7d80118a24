//! Whether chance writes every kind of condition that the language has.

use crate::dice::Dice;
use crate::workspace::workspace;
use std::collections::BTreeMap;
use workflow::program::Workflow;
use workflow::program::{Expr, ExprKind, Program, Source};

/// How many workspaces are looked at: those of the twins, and more of the same make.
const SEEDS: u64 = 60;

/// Every kind; what a definition or a template alone may ask is not here.
const KINDS: &[&str] = &[
    "Const",
    "Account",
    "Contract",
    "Contact",
    "Risk",
    "Event",
    "EventContact",
    "StartedBy",
    "StartedByContact",
    "Role",
    "RoleField",
    "Metric",
    "Previous",
    "Change",
    "Segment",
    "Label",
    "Health",
    "RiskOpen",
    "AnyOpenRisk",
    "With",
    "Remember",
    "Step",
    "List",
    "Where",
    "Count",
    "Not",
    "And",
    "Or",
    "Compare",
    "Between",
    "Among",
    "InPeriod",
    "Known",
    "Contains",
    "Arithmetic",
    "Negate",
    "Else",
    "DaysUntil",
    "DaysSince",
    "BusinessDaysUntil",
    "BusinessDaysSince",
    "HoursSince",
    "Min",
    "Max",
    "Round",
    "health: Score",
    "health: Band",
    "health: Co",
    "health: Cx",
    "health: CoBand",
    "health: CxBand",
    "risk: Category",
    "risk: Severity",
    "risk: Open",
    "risk: OpenedAt",
    "risk: Title",
    "step: Sent",
    "step: Delivered",
    "step: Opened",
    "step: Clicked",
    "step: Replied",
    "step: Bounced",
    "step: Skipped",
    "step: Done",
    "step: Outcome",
    "step: Ok",
    "step: TimedOut",
    "step: Event",
    "period: This Week",
    "period: This Month",
    "period: This Quarter",
    "period: Next Month",
    "period: Last Week",
    "period: Last Year",
    "metric: Count over Days",
    "metric: Count over Hours",
    "metric: Count over Since",
    "metric: Count over Ever",
    "metric: CountDistinct over Days",
    "metric: CountDistinct over Hours",
    "metric: CountDistinct over Since",
    "metric: Sum over Days",
    "metric: Sum over Hours",
    "metric: Average over Days",
    "metric: Average over Hours",
    "metric: Min over Days",
    "metric: Max over Hours",
    "metric: Max over Since",
    "metric: Latest over Ever",
    "metric: Latest over Hours",
    "metric: Earliest over Days",
    "metric: Earliest over Since",
    "metric: formula",
];

/// The first word of how something prints: its kind.
fn word(of: &impl std::fmt::Debug) -> String {
    let text = format!("{of:?}");
    let end = text.find(|one: char| !one.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all have a name of their own; some have more to tell"
)]
fn names(program: &Program, expr: &Expr, counts: &mut BTreeMap<String, u64>) {
    let mut note = |name: String| *counts.entry(name).or_default() += 1;
    note(word(&expr.kind));
    match &expr.kind {
        ExprKind::Health(name) => note(format!("health: {}", word(name))),
        ExprKind::Risk(field) => note(format!("risk: {}", word(field))),
        ExprKind::Step { result, .. } => note(format!("step: {}", word(result))),
        ExprKind::InPeriod { which, unit, .. } => {
            note(format!("period: {} {}", word(which), word(unit)));
        }
        ExprKind::Metric(index) | ExprKind::Previous(index) | ExprKind::Change(index) => {
            note(match &program.metrics[*index].source {
                Source::Formula(_) => "metric: formula".to_owned(),
                Source::Events(from) => {
                    format!("metric: {} over {}", word(&from.how), word(&from.window))
                }
            });
        }
        _ => {}
    }
    for child in expr.children() {
        names(program, child, counts);
    }
}

#[test]
fn chance_writes_every_kind_of_condition() {
    let mut counts = BTreeMap::new();
    for seed in 0..SEEDS {
        let (program, _) = workspace(&mut Dice::new(seed));
        let written = |workflow: &&Workflow| workflow.name.starts_with("written");
        for workflow in program.workflows.iter().filter(written) {
            for expr in workflow.expressions() {
                names(&program, expr, &mut counts);
            }
        }
    }
    println!("{counts:?}");
    let never: Vec<_> = KINDS
        .iter()
        .filter(|kind| !counts.contains_key(**kind))
        .collect();
    assert!(never.is_empty(), "never {never:?}");
}
