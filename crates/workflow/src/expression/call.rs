//! Functions: the few there are, what they take and what they give.

use super::check::{Checker, Expect, Typed};
use super::meeting::{alike, is_numeric};
use super::mistake::Mistake;
use super::syntax::Node;
use super::words::a_type;
use crate::diagnostic::nearest;
use crate::program::{Expr, ExprKind, Type};
use std::ops::Range;

/// Every function and how many values it takes.
const FUNCTIONS: [(&str, usize); 11] = [
    ("days_until", 1),
    ("days_since", 1),
    ("business_days_until", 1),
    ("business_days_since", 1),
    ("hours_since", 1),
    ("previous", 1),
    ("change", 1),
    ("count", 1),
    ("min", 2),
    ("max", 2),
    ("round", 1),
];

impl Checker<'_> {
    /// `name(arguments)`.
    pub(super) fn call(
        &mut self,
        name: &str,
        at: &Range<usize>,
        arguments: &[Node],
        whole: &Range<usize>,
    ) -> Typed {
        let Some((_, takes)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            return self.no_such_function(name, at);
        };
        match (name, arguments) {
            ("previous" | "change", [metric]) => self.trend(name, metric),
            ("count", [list]) => self.count(list),
            ("round", [value]) => self.round(value),
            ("min" | "max", [one, two]) => self.extreme(name, one, two, whole),
            (_, [date]) if *takes == 1 => self.days(name, date),
            (_, found) => {
                let values = if *takes == 1 {
                    "one value"
                } else {
                    "two values"
                };
                let message = format!("`{name}` takes {values}, not {}", found.len());
                self.fail(Mistake::new("E209", whole, message))
            }
        }
    }

    fn no_such_function(&mut self, name: &str, at: &Range<usize>) -> Typed {
        let mistake = Mistake::new("E209", at, format!("there is no function `{name}`"));
        let known = FUNCTIONS.iter().map(|(known, _)| *known);
        let help = match name {
            "has" | "exists" | "isset" | "is_known" => Some("write `x is known`".to_owned()),
            "coalesce" | "ifnull" | "default" => Some("write `x else y`".to_owned()),
            _ => nearest(name, known).map(|near| format!("did you mean `{near}`?")),
        };
        let all = FUNCTIONS.map(|(known, _)| known).join(", ");
        self.fail(mistake.help(help.unwrap_or_else(|| format!("there are {all}"))))
    }

    fn days(&mut self, name: &str, date: &Node) -> Typed {
        let found = self.infer(date, &Expect::Type(Type::Date))?;
        let found = Box::new(self.day(found, &date.at)?);
        let kind = match name {
            "days_until" => ExprKind::DaysUntil(found),
            "days_since" => ExprKind::DaysSince(found),
            "business_days_until" => ExprKind::BusinessDaysUntil(found),
            "business_days_since" => ExprKind::BusinessDaysSince(found),
            _ if found.ty == Type::Date => {
                let said = self.said(&date.at);
                let mistake = Mistake::new("E301", &date.at, "a date has no hours")
                    .help(format!("did you mean `days_since({said})`?"));
                return self.fail(mistake);
            }
            _ => ExprKind::HoursSince(found),
        };
        Some(Expr {
            kind,
            ty: Type::Number,
        })
    }

    fn trend(&mut self, name: &str, metric: &Node) -> Typed {
        let found = self.infer(metric, &Expect::Nothing)?;
        let ExprKind::Metric(index) = found.kind else {
            let message = format!("`{name}` takes the name of a metric");
            return self.fail(Mistake::new("E301", &metric.at, message));
        };
        if !is_numeric(&found.ty) {
            let message = format!("`{name}` takes a number, but this is {}", a_type(&found.ty));
            return self.fail(Mistake::new("E301", &metric.at, message));
        }
        let world = &self.scope.world;
        let has_window = world
            .metrics
            .values()
            .any(|defined| defined.index == index && defined.is_windowed);
        if !has_window {
            let said = self.said(&metric.at);
            let message = format!("`{said}` has no window, so there is none just before it");
            let mistake = Mistake::new("E301", &metric.at, message);
            return self.fail(mistake.help("it needs `over:`, for example `over: 28d`"));
        }
        let (kind, ty) = match name {
            "previous" => (ExprKind::Previous(index), found.ty),
            _ => (ExprKind::Change(index), Type::Percent),
        };
        Some(Expr { kind, ty })
    }

    fn count(&mut self, list: &Node) -> Typed {
        let found = self.infer(list, &Expect::Nothing)?;
        if !matches!(found.ty, Type::List(_)) {
            let message = format!("`count` takes a list, but this is {}", a_type(&found.ty));
            return self.fail(Mistake::new("E301", &list.at, message));
        }
        Some(Expr {
            kind: ExprKind::Count(Box::new(found)),
            ty: Type::Number,
        })
    }

    fn round(&mut self, value: &Node) -> Typed {
        let found = self.infer(value, &self.reckoned(value))?;
        if !matches!(found.ty, Type::Number | Type::Money) {
            let message = format!(
                "`round` takes a number or money, but this is {}",
                a_type(&found.ty)
            );
            return self.fail(Mistake::new("E301", &value.at, message));
        }
        Some(Expr {
            ty: found.ty.clone(),
            kind: ExprKind::Round(Box::new(found)),
        })
    }

    fn extreme(&mut self, name: &str, one: &Node, two: &Node, at: &Range<usize>) -> Typed {
        let left = self.infer(one, &self.reckoned(one));
        let right = self.infer(two, &Expect::beside(&left));
        let (Some(left), Some(right)) = alike(left, right) else {
            return None;
        };
        let has_order = is_numeric(&left.ty) || matches!(left.ty, Type::Date | Type::Time);
        if left.ty != right.ty || !has_order {
            let is_percent = left.ty == Type::Percent || right.ty == Type::Percent;
            let both_numeric = is_numeric(&left.ty) && is_numeric(&right.ty);
            let code = if is_percent && both_numeric {
                "E302"
            } else {
                "E301"
            };
            let message = format!(
                "`{name}` takes two values of one type that has an order, not {} and {}",
                a_type(&left.ty),
                a_type(&right.ty)
            );
            return self.fail(Mistake::new(code, at, message));
        }
        let ty = left.ty.clone();
        let (left, right) = (Box::new(left), Box::new(right));
        let kind = match name {
            "min" => ExprKind::Min(left, right),
            _ => ExprKind::Max(left, right),
        };
        Some(Expr { kind, ty })
    }
}
