//! Printing: a checked expression as somebody would have written it. Reads back as the same expression.

use super::naming::Naming;
use super::parse::KEYWORDS;
use crate::program::{
    Arithmetic, Comparison, Expr, ExprKind, HealthName, ListKind, PeriodUnit, PeriodWhich,
    RiskField, StepResult, Type,
};
use model::{Decimal, Value};

/// How tightly an expression binds: what stands in a tighter place needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Where,
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Value,
    Primary,
}

/// The expression as text.
pub fn print(expr: &Expr, naming: &dyn Naming) -> String {
    Printer { naming }.bare(expr)
}

struct Printer<'a> {
    naming: &'a dyn Naming,
}

impl Printer<'_> {
    /// With parentheses where the place binds tighter than the expression.
    fn at(&self, level: Level, expr: &Expr) -> String {
        let text = self.bare(expr);
        if level_of(expr) < level {
            return format!("({text})");
        }
        text
    }

    fn bare(&self, expr: &Expr) -> String {
        if let Some(name) = self.name(expr) {
            return name;
        }
        if let Some(call) = self.call(expr) {
            return call;
        }
        self.operation(expr)
    }

    fn name(&self, expr: &Expr) -> Option<String> {
        let naming = self.naming;
        Some(match &expr.kind {
            ExprKind::Const(value) => literal(value),
            ExprKind::Account(field) => format!("account.{field}"),
            ExprKind::Contract(field) => format!("contract.{field}"),
            ExprKind::Contact(field) => format!("contact.{field}"),
            ExprKind::ThisContact => "contact".to_owned(),
            ExprKind::Csm(field) => format!("csm.{field}"),
            ExprKind::Risk(field) => format!("risk.{}", risk_word(*field)),
            ExprKind::Event(field) => format!("event.{field}"),
            ExprKind::EventContact { field, of } => format!("event.{field}.{of}"),
            ExprKind::StartedBy(field) => format!("started_by.{field}"),
            ExprKind::StartedByContact { field, of } => format!("started_by.{field}.{of}"),
            ExprKind::Role(role) => role.to_string(),
            ExprKind::RoleField { role, field } => format!("{role}.{field}"),
            ExprKind::Metric(index) => naming.metric(*index).to_owned(),
            ExprKind::Segment(index) => naming.segment(*index).to_owned(),
            ExprKind::Label(index) => naming.label(*index).to_owned(),
            ExprKind::Health(name) => format!("health.{}", health_word(*name)),
            ExprKind::RiskOpen(index) => naming.risk(*index).to_owned(),
            ExprKind::AnyOpenRisk => "any_open_risk".to_owned(),
            ExprKind::With(index) => naming.with(*index).to_owned(),
            ExprKind::Remember(index) => naming.remember(*index).to_owned(),
            ExprKind::Step { step, result } => format!("steps.{step}.{}", result_word(result)),
            ExprKind::List(kind) => list_word(*kind).to_owned(),
            _ => return None,
        })
    }

    fn call(&self, expr: &Expr) -> Option<String> {
        let naming = self.naming;
        let one = |name: &str, part: &Expr| format!("{name}({})", self.bare(part));
        let two =
            |name: &str, a: &Expr, b: &Expr| format!("{name}({}, {})", self.bare(a), self.bare(b));
        Some(match &expr.kind {
            ExprKind::Previous(index) => format!("previous({})", naming.metric(*index)),
            ExprKind::Change(index) => format!("change({})", naming.metric(*index)),
            ExprKind::Count(list) => one("count", list),
            ExprKind::DaysUntil(date) => one("days_until", date),
            ExprKind::DaysSince(date) => one("days_since", date),
            ExprKind::BusinessDaysUntil(date) => one("business_days_until", date),
            ExprKind::BusinessDaysSince(date) => one("business_days_since", date),
            ExprKind::HoursSince(time) => one("hours_since", time),
            ExprKind::Round(value) => one("round", value),
            ExprKind::Min(a, b) => two("min", a, b),
            ExprKind::Max(a, b) => two("max", a, b),
            _ => return None,
        })
    }

    fn operation(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Or(parts) => self.joined(parts, Level::And, " or "),
            ExprKind::And(parts) => self.joined(parts, Level::Not, " and "),
            ExprKind::Not(inner) => self.negation(inner),
            ExprKind::Compare { how, left, right } => format!(
                "{} {} {}",
                self.at(Level::Sum, left),
                comparison_sign(*how),
                self.at(Level::Sum, right)
            ),
            ExprKind::Contains { whole, part } => format!(
                "{} contains {}",
                self.at(Level::Sum, whole),
                self.at(Level::Sum, part)
            ),
            ExprKind::Known(inner) => format!("{} is known", self.at(Level::Sum, inner)),
            ExprKind::Between { value, .. }
            | ExprKind::Among { value, .. }
            | ExprKind::InPeriod { date: value, .. } => {
                format!("{} in {}", self.at(Level::Sum, value), self.inside(expr))
            }
            ExprKind::Arithmetic { how, left, right } => {
                let (sign, level, tighter) = match how {
                    Arithmetic::Add => ("+", Level::Sum, Level::Product),
                    Arithmetic::Subtract => ("-", Level::Sum, Level::Product),
                    Arithmetic::Multiply => ("*", Level::Product, Level::Value),
                    Arithmetic::Divide => ("/", Level::Product, Level::Value),
                };
                format!(
                    "{} {sign} {}",
                    self.at(level, left),
                    self.at(tighter, right)
                )
            }
            // A number right behind a minus would be read as one number.
            ExprKind::Negate(inner) if matches!(inner.kind, ExprKind::Const(_)) => {
                format!("-({})", self.bare(inner))
            }
            ExprKind::Negate(inner) => format!("-{}", self.at(Level::Primary, inner)),
            ExprKind::Else(left, right) => format!(
                "{} else {}",
                self.at(Level::Value, left),
                self.at(Level::Primary, right)
            ),
            ExprKind::Where {
                list,
                condition,
                sort,
            } => self.filter(list, condition, sort.as_ref()),
            _ => String::new(),
        }
    }

    fn joined(&self, parts: &[Expr], level: Level, sign: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.at(level, part)).collect();
        parts.join(sign)
    }

    fn negation(&self, inner: &Expr) -> String {
        match &inner.kind {
            ExprKind::Known(value) => format!("{} is unknown", self.at(Level::Sum, value)),
            ExprKind::Between { value, .. }
            | ExprKind::Among { value, .. }
            | ExprKind::InPeriod { date: value, .. } => {
                format!(
                    "{} not in {}",
                    self.at(Level::Sum, value),
                    self.inside(inner)
                )
            }
            _ => format!("not {}", self.at(Level::Not, inner)),
        }
    }

    /// What stands behind `in`.
    fn inside(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Between { value, low, high } => {
                let bound = |bound: Decimal| match value.ty {
                    Type::Percent => literal(&Value::Percent(bound)),
                    _ => literal(&Value::Number(bound)),
                };
                format!("{}..{}", bound(*low), bound(*high))
            }
            ExprKind::Among { list, .. } => format!("[{}]", self.joined(list, Level::Sum, ", ")),
            ExprKind::InPeriod { which, unit, .. } => {
                format!("{} {}", which_word(*which), unit_word(*unit))
            }
            _ => String::new(),
        }
    }

    fn filter(&self, list: &Expr, condition: &Expr, sort: Option<&(Box<Expr>, bool)>) -> String {
        let list = self.at(Level::Primary, list);
        let condition = self.at(Level::Or, condition);
        let sort = sort.map_or(String::new(), |(by, is_descending)| {
            let order = if *is_descending { " descending" } else { "" };
            format!(" sort by {}{order}", self.at(Level::Sum, by))
        });
        format!("{list} where {condition}{sort}")
    }
}

fn level_of(expr: &Expr) -> Level {
    match &expr.kind {
        ExprKind::Where { .. } => Level::Where,
        ExprKind::Or(_) => Level::Or,
        ExprKind::And(_) => Level::And,
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::Known(_)
            | ExprKind::Between { .. }
            | ExprKind::Among { .. }
            | ExprKind::InPeriod { .. } => Level::Compare,
            _ => Level::Not,
        },
        ExprKind::Compare { .. }
        | ExprKind::Between { .. }
        | ExprKind::Among { .. }
        | ExprKind::InPeriod { .. }
        | ExprKind::Known(_)
        | ExprKind::Contains { .. } => Level::Compare,
        ExprKind::Arithmetic { how, .. } => match how {
            Arithmetic::Add | Arithmetic::Subtract => Level::Sum,
            Arithmetic::Multiply | Arithmetic::Divide => Level::Product,
        },
        ExprKind::Negate(_) | ExprKind::Else(..) => Level::Value,
        ExprKind::Const(value) if value.decimal().is_some_and(|n| n < Decimal::ZERO) => {
            Level::Value
        }
        _ => Level::Primary,
    }
}

/// A literal as it is written. Days and instants have none, and are shown in quotes.
fn literal(value: &Value) -> String {
    match value {
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) | Value::Money(number) => short(*number),
        Value::Percent(share) => {
            let hundredfold = share.mul(Decimal::from_count(100));
            format!("{}%", hundredfold.unwrap_or(*share))
        }
        Value::Word(word) if is_a_word(word) => word.to_string(),
        Value::Text(text) | Value::Word(text) => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Value::Date(date) => format!("\"{date}\""),
        Value::Time(time) => format!("\"{time}\""),
    }
}

/// A number, whole millions with their letter.
fn short(number: Decimal) -> String {
    const MILLION: i64 = 1_000_000;
    let whole = number.floor();
    if whole != 0 && whole % MILLION == 0 && Decimal::from_int(whole) == Some(number) {
        return format!("{}M", whole / MILLION);
    }
    number.to_string()
}

/// Whether a word can stand without quotes.
fn is_a_word(word: &str) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let begins = word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    let is_joined = word
        .split('-')
        .all(|part| !part.is_empty() && part.chars().all(is_letter));
    begins && is_joined && !KEYWORDS.contains(&word) && !matches!(word, "now" | "today")
}

fn comparison_sign(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}

fn which_word(which: PeriodWhich) -> &'static str {
    match which {
        PeriodWhich::This => "this",
        PeriodWhich::Next => "next",
        PeriodWhich::Last => "last",
    }
}

fn unit_word(unit: PeriodUnit) -> &'static str {
    match unit {
        PeriodUnit::Week => "week",
        PeriodUnit::Month => "month",
        PeriodUnit::Quarter => "quarter",
        PeriodUnit::Year => "year",
    }
}

fn risk_word(field: RiskField) -> &'static str {
    match field {
        RiskField::Category => "category",
        RiskField::Severity => "severity",
        RiskField::Open => "open",
        RiskField::OpenedAt => "opened_at",
        RiskField::Title => "title",
    }
}

fn health_word(name: HealthName) -> &'static str {
    match name {
        HealthName::Score => "score",
        HealthName::Band => "band",
        HealthName::Co => "co",
        HealthName::Cx => "cx",
        HealthName::CoBand => "co_band",
        HealthName::CxBand => "cx_band",
        HealthName::Weakest => "weakest",
    }
}

fn list_word(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Contacts => "contacts",
        ListKind::Risks => "open_risks",
        ListKind::Contracts => "contracts",
        ListKind::Accounts => "accounts",
    }
}

fn result_word(result: &StepResult) -> String {
    let word = match result {
        StepResult::Sent => "sent",
        StepResult::Delivered => "delivered",
        StepResult::Opened => "opened",
        StepResult::Clicked => "clicked",
        StepResult::Replied => "replied",
        StepResult::Bounced => "bounced",
        StepResult::Skipped => "skipped",
        StepResult::Done => "done",
        StepResult::Outcome => "outcome",
        StepResult::Ok => "ok",
        StepResult::TimedOut => "timed_out",
        StepResult::Event(field) => return format!("event.{field}"),
        StepResult::Chosen => "chosen",
    };
    word.to_owned()
}
