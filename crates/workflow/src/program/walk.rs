//! Walks over an expression and all its parts, and over the steps inside steps.

use super::definition::Definition;
use super::expression::{Expr, ExprKind};
use super::rule::Step;
use super::verb::{Otherwise, Verb};

impl Expr {
    /// The parts directly under it, from left to right.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Where {
                list,
                condition,
                sort,
            } => {
                let mut parts = vec![&**list, &**condition];
                parts.extend(sort.iter().map(|(by, _)| &**by));
                parts
            }
            ExprKind::Count(of)
            | ExprKind::Not(of)
            | ExprKind::Known(of)
            | ExprKind::Negate(of)
            | ExprKind::DaysUntil(of)
            | ExprKind::DaysSince(of)
            | ExprKind::BusinessDaysUntil(of)
            | ExprKind::BusinessDaysSince(of)
            | ExprKind::HoursSince(of)
            | ExprKind::Round(of) => vec![of],
            ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().collect(),
            ExprKind::Compare { left, right, .. } | ExprKind::Arithmetic { left, right, .. } => {
                vec![left, right]
            }
            ExprKind::Between { value, .. } => vec![value],
            ExprKind::Among { value, list } => std::iter::once(&**value).chain(list).collect(),
            ExprKind::InPeriod { date, .. } => vec![date],
            ExprKind::Contains { whole, part } => vec![whole, part],
            ExprKind::Else(a, b) | ExprKind::Min(a, b) | ExprKind::Max(a, b) => vec![a, b],
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
        }
    }

    /// Shows it and every part below it to `look`.
    pub fn each(&self, look: &mut dyn FnMut(&Expr)) {
        look(self);
        for part in self.children() {
            part.each(look);
        }
    }

    /// The definitions that it reads itself; `any_open_risk` and `open_risks` read all `risks`.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other kinds read no definition; `children` lists them"
    )]
    pub fn definitions(&self, risks: usize) -> Vec<Definition> {
        let mut found = Vec::new();
        self.each(&mut |part| match &part.kind {
            ExprKind::Metric(index) | ExprKind::Previous(index) | ExprKind::Change(index) => {
                found.push(Definition::Metric(*index));
            }
            ExprKind::Segment(index) => found.push(Definition::Segment(*index)),
            ExprKind::Label(index) => found.push(Definition::Label(*index)),
            ExprKind::Health(_) => found.push(Definition::Health),
            ExprKind::RiskOpen(index) => found.push(Definition::Risk(*index)),
            ExprKind::AnyOpenRisk | ExprKind::List(super::expression::ListKind::Risks) => {
                found.extend((0..risks).map(Definition::Risk));
            }
            _ => {}
        });
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Otherwise {
    /// Whether a run that did not get what it waited for ends there.
    pub fn ends(&self) -> bool {
        match self {
            Self::Continue => false,
            Self::Stop => true,
            Self::Steps(steps) => steps.last().is_some_and(|last| {
                matches!(last.verb, Verb::Stop { .. })
                    && last.condition.is_none()
                    && last.at.is_none()
            }),
        }
    }
}

impl Step {
    /// The lists of steps inside it, in the order of the text.
    pub fn blocks(&self) -> Vec<&[Step]> {
        match &self.verb {
            Verb::Branch { then, otherwise } => vec![then, otherwise],
            Verb::Match {
                cases, otherwise, ..
            } => {
                let cases = cases.iter().map(|(_, steps)| &steps[..]);
                cases.chain([&otherwise[..]]).collect()
            }
            Verb::Split { arms } => arms.iter().map(|arm| &arm.steps[..]).collect(),
            Verb::WaitFor {
                otherwise: Otherwise::Steps(steps),
                ..
            } => vec![steps],
            Verb::WaitFor { .. }
            | Verb::Wait { .. }
            | Verb::Send { .. }
            | Verb::Alert { .. }
            | Verb::Task { .. }
            | Verb::Set { .. }
            | Verb::Webhook { .. }
            | Verb::Stop { .. } => Vec::new(),
        }
    }
}
