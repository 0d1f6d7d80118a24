//! What each kind of expression gives.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::definition::Counted;
use super::knowledge::Carrier;
use super::number::{arithmetic, choose, holds, order, order_to, typed};
use super::reading::Reading;
use super::scene::{DEPTH_MAX, Scene};
use model::{Decimal, Value};
use std::cmp::Ordering;
use workflow::program::{Arithmetic, Comparison, Expr, ExprKind, PickList, StepResult, Type};

/// The words of a type.
pub(crate) fn words(ty: &Type) -> Option<&PickList> {
    match ty {
        Type::Word(list) => Some(list),
        Type::Bool
        | Type::Number
        | Type::Percent
        | Type::Money
        | Type::Text
        | Type::Date
        | Type::Time
        | Type::Contact
        | Type::List(_) => None,
    }
}

/// The words by which two expressions are compared: those of the side whose list has an order goes first.
pub(crate) fn words_of<'e>(left: &'e Expr, right: &'e Expr) -> Option<&'e PickList> {
    let both = [words(&left.ty), words(&right.ty)];
    let ordered = both.into_iter().flatten().find(|list| list.is_ordered);
    ordered.or(both[0]).or(both[1])
}

impl Scene<'_> {
    /// What an expression gives: known, at least so much, or unknown.
    pub fn reading(&self, expr: &Expr) -> Reading {
        match &expr.kind {
            ExprKind::Const(value) => Reading::Known(value.clone()),
            ExprKind::Account(_)
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
            | ExprKind::Remember(_)
            | ExprKind::Step { .. } => self.fact(expr),
            ExprKind::Metric(index) => self.metric(*index),
            ExprKind::Previous(index) => self.previous(*index),
            ExprKind::Change(index) => self.change(*index),
            ExprKind::Segment(index) => self.segment(*index),
            ExprKind::Label(index) => self.label(*index),
            ExprKind::Health(name) => self.health(*name),
            ExprKind::RiskOpen(index) => self.risk_open(*index),
            ExprKind::AnyOpenRisk => self.any_open_risk(),
            ExprKind::With(index) => self.with_name(*index),
            ExprKind::List(_) | ExprKind::Where { .. } => self.first_contact(expr),
            ExprKind::Not(_) | ExprKind::And(_) | ExprKind::Or(_) => {
                Reading::of_truth(self.joined(&expr.kind))
            }
            ExprKind::Compare { how, left, right } => self.compared(*how, left, right),
            ExprKind::Between { value, low, high } => {
                Reading::of_truth(self.between(value, *low, *high))
            }
            ExprKind::Among { value, list } => Reading::of_truth(self.among(value, list)),
            ExprKind::InPeriod { date, which, unit } => self.in_period(date, *which, *unit),
            ExprKind::Known(one) => match self.reading(one) {
                Reading::Known(_) => Reading::of_truth(Some(true)),
                Reading::AtLeast(_) | Reading::Unknown => Reading::of_truth(Some(false)),
                Reading::Unseen => Reading::Unknown,
            },
            ExprKind::Contains { whole, part } => self.contains(whole, part),
            ExprKind::Else(first, second) => match self.reading(first) {
                found @ (Reading::Known(_) | Reading::AtLeast(_)) => found,
                Reading::Unseen | Reading::Unknown => self.reading(second),
            },
            ExprKind::Arithmetic { .. }
            | ExprKind::Negate(_)
            | ExprKind::Count(_)
            | ExprKind::DaysUntil(_)
            | ExprKind::DaysSince(_)
            | ExprKind::BusinessDaysUntil(_)
            | ExprKind::BusinessDaysSince(_)
            | ExprKind::HoursSince(_)
            | ExprKind::Min(..)
            | ExprKind::Max(..)
            | ExprKind::Round(_) => self.number(expr),
        }
    }

    /// What a name gives that facts, or the run, told.
    fn fact(&self, expr: &Expr) -> Reading {
        match &expr.kind {
            ExprKind::Account(name) => self.field(Carrier::Account, name),
            ExprKind::Contract(name) => match self.contract_id() {
                Some(id) => self.field(Carrier::Contract(id), name),
                None => Reading::Unknown,
            },
            ExprKind::Contact(name) => self.contact_field(name),
            ExprKind::ThisContact => self.this_contact(),
            ExprKind::Csm(name) => self.field(Carrier::Csm, name),
            ExprKind::Risk(field) => self.risk_field(*field),
            ExprKind::Event(name) => Reading::of_value(self.event_field(name).cloned()),
            ExprKind::EventContact { field, of } => {
                match self.event_field(field).and_then(Value::text) {
                    Some(id) => self.field(Carrier::Contact(id), of),
                    None => Reading::Unknown,
                }
            }
            ExprKind::StartedBy(name) => {
                Reading::of_value(self.started_by.and_then(|event| event.get(name)).cloned())
            }
            ExprKind::StartedByContact { field, of } => {
                let contact = self.started_by.and_then(|event| event.get(field));
                match contact.and_then(Value::text) {
                    Some(id) => self.field(Carrier::Contact(id), of),
                    None => Reading::Unknown,
                }
            }
            ExprKind::Role(role) => {
                let first = self
                    .known
                    .holders(role)
                    .first()
                    .map(|id| Value::Text((*id).into()));
                Reading::of_value(first)
            }
            ExprKind::RoleField { role, field } => match self.known.holders(role).first() {
                Some(id) => self.field(Carrier::Contact(id), field),
                None => Reading::Unknown,
            },
            ExprKind::Remember(index) => {
                let value = self.run.and_then(|run| run.remember.get(*index));
                let value = value.cloned().flatten();
                // Whoever was deleted since is nobody, as in `to`.
                let is_gone = expr.ty == Type::Contact
                    && value
                        .as_ref()
                        .and_then(Value::text)
                        .is_some_and(|id| !self.known.contacts().contains(&id));
                Reading::of_value(value.filter(|_| !is_gone))
            }
            ExprKind::Step { step, result } => self.step(step, result),
            _ => Reading::Unknown,
        }
    }

    /// The id of the first contact of a list.
    fn first_contact(&self, list: &Expr) -> Reading {
        let contacts = self.contacts(list);
        Reading::of_value(contacts.first().map(|id| Value::Text((*id).into())))
    }

    /// What an expression that computes a number gives.
    fn number(&self, expr: &Expr) -> Reading {
        match &expr.kind {
            ExprKind::Arithmetic { how, left, right } => {
                let scene = self.of_quotient(*how, left, right);
                arithmetic(*how, &scene.reading(left), &scene.reading(right), &expr.ty)
            }
            ExprKind::Negate(one) => self.mapped(one, Decimal::neg),
            ExprKind::Round(one) => self.mapped(one, Decimal::round),
            ExprKind::Count(list) => self.count(list),
            ExprKind::DaysUntil(date) => self.days_until(date, 1),
            ExprKind::DaysSince(date) => self.days_until(date, -1),
            ExprKind::BusinessDaysUntil(date) => self.business_days_until(date, 1),
            ExprKind::BusinessDaysSince(date) => self.business_days_until(date, -1),
            ExprKind::HoursSince(time) => self.hours_since(time),
            ExprKind::Min(left, right) => {
                choose(&self.reading(left), &self.reading(right), Ordering::Less)
            }
            ExprKind::Max(left, right) => {
                choose(&self.reading(left), &self.reading(right), Ordering::Greater)
            }
            _ => Reading::Unknown,
        }
    }

    /// The scene in which the sides of an operation are read: a quotient whose both sides are made only of counts of one
    /// event is one of what was seen.
    pub(crate) fn of_quotient(&self, how: Arithmetic, left: &Expr, right: &Expr) -> Self {
        let is_quotient = how == Arithmetic::Divide
            && match (self.counted(&left.kind), self.counted(&right.kind)) {
                (Some(above @ Counted::Of(..)), Some(below @ Counted::Of(..))) => above == below,
                (Some(_) | None, Some(_) | None) => false,
            };
        Self {
            is_as_seen: self.is_as_seen || is_quotient,
            ..*self
        }
    }

    /// A field as a reading.
    pub(crate) fn field(&self, of: Carrier<'_>, name: &str) -> Reading {
        Reading::of_value(self.known.field(of, name).cloned())
    }

    /// A field of the event.
    fn event_field(&self, name: &str) -> Option<&Value> {
        self.event?.get(name)
    }

    fn risk_open(&self, index: usize) -> Reading {
        let name = self.program.risks.get(index).map(|risk| &*risk.name);
        name.and_then(|name| self.pinned(name, &Type::Bool))
            .unwrap_or_else(|| Reading::of_truth(Some(self.known.open_case(index).is_some())))
    }

    fn any_open_risk(&self) -> Reading {
        self.pinned("any_open_risk", &Type::Bool)
            .unwrap_or_else(|| {
                let mut risks = 0..self.program.risks.len();
                Reading::of_truth(Some(
                    risks.any(|risk| self.risk_open(risk).truth() == Some(true)),
                ))
            })
    }

    /// A name of the workflow's `with`.
    fn with_name(&self, index: usize) -> Reading {
        match self.run.and_then(|run| run.with.get(index)) {
            Some((_, value)) if self.depth <= DEPTH_MAX => self.deeper().reading(value),
            Some(_) | None => Reading::Unknown,
        }
    }

    fn step(&self, step: &str, result: &StepResult) -> Reading {
        Reading::of_value(self.run.and_then(|run| run.steps.result(step, result)))
    }

    /// `not`, `and`, `or`, three-valued.
    fn joined(&self, kind: &ExprKind) -> Option<bool> {
        let (parts, decides) = match kind {
            ExprKind::Not(one) => return self.truth(one).map(|yes| !yes),
            ExprKind::And(parts) => (parts, false),
            ExprKind::Or(parts) => (parts, true),
            _ => return None,
        };
        let mut result = Some(!decides);
        for part in parts {
            match self.truth(part) {
                Some(yes) if yes == decides => return Some(decides),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    }

    /// A comparison.
    fn compared(&self, how: Comparison, left: &Expr, right: &Expr) -> Reading {
        let (found, words) = (self.reading(left), words_of(left, right));
        let order = match &right.kind {
            // What the text says is looked at where it stands.
            ExprKind::Const(value) => order_to(&found, value, words),
            _ => order(&found, &self.reading(right), words),
        };
        Reading::of_truth(holds(how, order))
    }

    /// Whether a number lies between two, both included.
    fn between(&self, value: &Expr, low: Decimal, high: Decimal) -> Option<bool> {
        let value = self.reading(value);
        let bound = |how, bound| {
            let bound = Reading::Known(Value::Number(bound));
            holds(how, order(&value, &bound, None))
        };
        match (
            bound(Comparison::AtLeast, low),
            bound(Comparison::AtMost, high),
        ) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            (Some(true) | None, None) | (None, Some(true)) => None,
        }
    }

    /// Whether a value is one of several.
    fn among(&self, value: &Expr, list: &[Expr]) -> Option<bool> {
        let mut result = Some(false);
        for candidate in list {
            match self.compared(Comparison::Equal, value, candidate).truth() {
                Some(true) => return Some(true),
                Some(false) => {}
                None => result = None,
            }
        }
        result
    }

    /// A function of one known number.
    fn mapped(&self, one: &Expr, of: impl Fn(Decimal) -> Option<Decimal>) -> Reading {
        match self.reading(one) {
            Reading::Known(value) => {
                let result = value.decimal().and_then(of);
                Reading::of_value(result.map(|result| typed(result, &one.ty)))
            }
            Reading::Unseen => Reading::Unseen,
            Reading::AtLeast(_) | Reading::Unknown => Reading::Unknown,
        }
    }
}
