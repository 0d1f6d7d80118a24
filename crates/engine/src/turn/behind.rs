//! What stands behind a name that no expression explains: the measures of health, the cases of risks.

use super::tree::{Names, grow};
use crate::evaluate::{RiskCase, Scene};
use crate::health::{self, Measured};
use crate::why::Tree;
use model::{Decimal, Value};
use workflow::expression::print;
use workflow::program::{Expr, ExprKind, Health, HealthName, Risk, Type};

/// The parts of a name under `health`, of a risk, or of `any_open_risk`; none: it is another expression.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other expressions show what they are made of by themselves"
)]
pub(super) fn behind(scene: &Scene<'_>, names: &Names<'_>, expr: &Expr) -> Vec<Tree> {
    let program = scene.program;
    match &expr.kind {
        ExprKind::Health(name) => match &program.health {
            Some(health) if scene.known.pin(health::name(*name)).is_none() => {
                of_health(&scene.of_definitions(), names, (health, *name))
            }
            Some(_) | None => Vec::new(),
        },
        ExprKind::RiskOpen(index) => match program.risks.get(*index) {
            Some(risk) if scene.known.pin(&risk.name).is_none() => {
                of_risk(&scene.of_definitions(), names, (*index, risk))
            }
            Some(_) | None => Vec::new(),
        },
        ExprKind::AnyOpenRisk => {
            let risks = program.risks.iter().enumerate();
            let open = risks.filter_map(|(index, risk)| {
                let case = scene.known.open_case(index)?;
                Some(case_of(risk, case))
            });
            open.collect()
        }
        _ => Vec::new(),
    }
}

fn part(text: String, gives: String) -> Tree {
    Tree {
        text: text.into(),
        gives: gives.into(),
        truth: None,
        said_at: None,
        parts: Vec::new(),
    }
}

/// A share as people write it.
fn share(weight: Decimal, names: &Names<'_>) -> String {
    let kind = ExprKind::Const(Value::Percent(weight));
    let ty = Type::Percent;
    print(&Expr { kind, ty }, names)
}

/// What is known of each measure, what the score comes to, and what makes the band red whatever the score.
fn of_health(
    scene: &Scene<'_>,
    names: &Names<'_>,
    (health, name): (&Health, HealthName),
) -> Vec<Tree> {
    let is_whole = matches!(
        name,
        HealthName::Score | HealthName::Band | HealthName::Weakest
    );
    let mut parts = Vec::new();
    if is_whole {
        let score = health::score(scene, health);
        let known = share(score.known, names);
        let needs = share(health.needs, names);
        parts.push(part(
            "the score".into(),
            score.score.map_or("unknown".into(), |score| {
                score.round().unwrap_or(score).to_string()
            }),
        ));
        parts.push(part(
            "how much of the weight is known".into(),
            format!("{known}, {needs} are needed"),
        ));
    }
    if let (HealthName::Band, Some(red_if)) = (name, &health.red_if) {
        let mut tree = grow(scene, names, red_if);
        tree.text = format!("red_if: {}", tree.text).into();
        parts.push(tree);
    }
    let has_outcome = is_whole || matches!(name, HealthName::Co | HealthName::CoBand);
    let sides = [
        ("outcome", &health.outcome, has_outcome),
        ("experience", &health.experience, is_whole || !has_outcome),
    ];
    for (word, side, _) in sides.into_iter().filter(|(_, _, is_asked)| *is_asked) {
        for measured in health::measured(scene, side) {
            parts.push(measure(scene, names, (word, &measured)));
        }
    }
    parts
}

fn measure(scene: &Scene<'_>, names: &Names<'_>, (side, of): (&str, &Measured<'_>)) -> Tree {
    let stale_at = of.stale_at.filter(|at| *at <= scene.now());
    let gives = match (of.band, stale_at) {
        (Some(band), _) => health::word(band).to_owned(),
        (None, Some(_)) => "too old to count".to_owned(),
        (None, None) => "unknown".to_owned(),
    };
    let mut tree = part(
        format!(
            "{side}: {} (weight {})",
            of.measure.name,
            share(of.measure.weight, names)
        ),
        gives,
    );
    tree.parts.push(grow(scene, names, &of.measure.value));
    tree
}

/// A case, and since when it is open.
fn case_of(risk: &Risk, case: RiskCase) -> Tree {
    let severity = if case.is_high { "high" } else { "normal" };
    let mut tree = part(
        format!("{} ({})", risk.name, risk.title),
        format!("open, {severity}"),
    );
    tree.said_at = Some(case.opened_at);
    tree
}

/// Of an open risk the case and what would close it; of another one what would open it.
fn of_risk(scene: &Scene<'_>, names: &Names<'_>, (index, risk): (usize, &Risk)) -> Vec<Tree> {
    let worded = |word: &str, condition: &Expr| {
        let mut tree = grow(scene, names, condition);
        tree.text = format!("{word}: {}", tree.text).into();
        tree
    };
    match scene.known.open_case(index) {
        Some(case) => vec![case_of(risk, case), worded("closes", &risk.closes)],
        None => vec![worded("opens", &risk.opens)],
    }
}
