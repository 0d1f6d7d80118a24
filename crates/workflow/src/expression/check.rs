//! Checking: a tree as it was written to an expression whose names are resolved and whose types are right.

use super::mistake::Mistake;
use super::scope::Scope;
use super::syntax::{Bound, Node, NodeKind};
use super::words::{a_type, list_of};
use crate::program::{Expr, ExprKind, ListKind, PickList, Type};
use model::Value;
use std::ops::Range;
use std::sync::Arc;

/// An expression, or none: it failed, here (then there is a mistake) or elsewhere, and has every type.
pub(super) type Typed = Option<Expr>;

/// What stands beside an expression, so what it probably is.
#[derive(Clone, Debug)]
pub(super) enum Expect {
    /// Nothing known.
    Nothing,
    /// This type: bare words are words of its pick-list first.
    Type(Type),
    /// Recipients: an unknown word is a role.
    Contacts,
    /// Something that failed to check: bare words are taken for its words.
    Failed,
}

impl Expect {
    /// What stands beside something of this type.
    pub(super) fn beside(typed: &Typed) -> Self {
        match typed {
            Some(expr) => Self::Type(expr.ty.clone()),
            None => Self::Failed,
        }
    }

    /// The pick-list, if one is expected.
    pub(super) fn words(&self) -> Option<&Arc<PickList>> {
        match self {
            Self::Type(Type::Word(list)) => Some(list),
            Self::Type(_) | Self::Nothing | Self::Contacts | Self::Failed => None,
        }
    }
}

/// Checks one expression.
pub(super) struct Checker<'a> {
    /// What was written.
    pub(super) text: &'a str,
    /// What names mean.
    pub(super) scope: &'a Scope,
    /// The lists whose items we are inside of, innermost last.
    pub(super) items: Vec<ListKind>,
    /// What was found.
    pub(super) mistakes: Vec<Mistake>,
}

impl<'a> Checker<'a> {
    /// Nothing seen yet.
    pub(super) fn new(text: &'a str, scope: &'a Scope) -> Self {
        Self {
            text,
            scope,
            items: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// Notes a mistake.
    pub(super) fn fail(&mut self, mistake: Mistake) -> Typed {
        self.mistakes.push(mistake);
        None
    }

    /// The text of a place.
    pub(super) fn said(&self, at: &Range<usize>) -> &'a str {
        self.text.get(at.clone()).unwrap_or_default()
    }

    /// The expression of a tree.
    pub(super) fn infer(&mut self, node: &Node, expect: &Expect) -> Typed {
        match &node.kind {
            NodeKind::Number(value) => constant(Value::Number(*value), Type::Number),
            NodeKind::Percent(value) => constant(Value::Percent(*value), Type::Percent),
            NodeKind::Text(text) => Some(quoted(text, expect)),
            NodeKind::Bool(yes) => constant(Value::Bool(*yes), Type::Bool),
            NodeKind::Name(parts) => self.name(parts, &node.at, expect),
            NodeKind::Call(name, at, arguments) => self.call(name, at, arguments, &node.at),
            NodeKind::Where(list, condition, sort) => self.filter(list, condition, sort.as_ref()),
            NodeKind::Not(inner) => {
                let inner = self.condition(inner)?;
                condition(ExprKind::Not(Box::new(inner)))
            }
            NodeKind::And(parts) => self.conditions(parts).map(|all| yes_no(ExprKind::And(all))),
            NodeKind::Or(parts) => self.conditions(parts).map(|all| yes_no(ExprKind::Or(all))),
            NodeKind::Compare(how, at, left, right) => self.compare(*how, at, left, right),
            NodeKind::Between(value, low, high) => self.between(value, low, high),
            NodeKind::Among(value, list) => self.among(value, list),
            NodeKind::InPeriod(date, which, unit) => {
                let found = self.infer(date, &Expect::Type(Type::Date))?;
                let found = self.day(found, &date.at)?;
                condition(ExprKind::InPeriod {
                    date: Box::new(found),
                    which: *which,
                    unit: *unit,
                })
            }
            NodeKind::Known(inner) => self.known(inner),
            NodeKind::Contains(whole, part) => self.contains(whole, part, &node.at),
            NodeKind::Arithmetic(how, at, left, right) => self.arithmetic(*how, at, left, right),
            NodeKind::Negate(inner) => self.negate(inner),
            NodeKind::Else(left, right) => self.otherwise(left, right, expect),
        }
    }

    /// A part that has to be yes or no.
    pub(super) fn condition(&mut self, node: &Node) -> Typed {
        let found = self.infer(node, &Expect::Type(Type::Bool))?;
        if found.ty == Type::Bool {
            return Some(found);
        }
        let mistake = Mistake::new(
            "E303",
            &node.at,
            format!(
                "this should be a condition (yes/no), but it is {}",
                a_type(&found.ty)
            ),
        );
        let said = self.said(&node.at);
        let mistake = match &found.ty {
            Type::Word(list) => match list.words.first() {
                Some(word) => mistake.help(format!("for example `{said} == {word}`")),
                None => mistake,
            },
            Type::Date | Type::Time => mistake.help(format!(
                "for example `{said} is known` or `days_since({said}) < 30`"
            )),
            Type::Number => mistake.help(format!("compare it, for example `{said} > 0`")),
            Type::Percent => mistake.help(format!("compare it, for example `{said} > 0%`")),
            Type::Money | Type::Text | Type::Contact => {
                mistake.help(format!("for example `{said} is known`"))
            }
            Type::List(_) => mistake.help(format!("for example `count({said}) > 0`")),
            Type::Bool => mistake,
        };
        self.fail(mistake)
    }

    fn conditions(&mut self, parts: &[Node]) -> Option<Vec<Expr>> {
        // All are looked at before giving up, so that every mistake is said.
        let found: Vec<Typed> = parts.iter().map(|part| self.condition(part)).collect();
        found.into_iter().collect()
    }

    /// A date or a time.
    pub(super) fn day(&mut self, found: Expr, at: &Range<usize>) -> Typed {
        if matches!(found.ty, Type::Date | Type::Time) {
            return Some(found);
        }
        let message = format!(
            "this should be a date or a time, but it is {}",
            a_type(&found.ty)
        );
        self.fail(Mistake::new("E301", at, message))
    }

    fn known(&mut self, inner: &Node) -> Typed {
        let found = self.infer(inner, &Expect::Nothing)?;
        if matches!(found.ty, Type::List(_)) {
            let said = self.said(&inner.at);
            let mistake = Mistake::new("E301", &inner.at, "a list is always known")
                .help(format!("ask `count({said}) > 0`"));
            return self.fail(mistake);
        }
        condition(ExprKind::Known(Box::new(found)))
    }

    fn filter(&mut self, list: &Node, test: &Node, sort: Option<&(Box<Node>, bool)>) -> Typed {
        let found = self.infer(list, &Expect::Nothing);
        let kind = match &found {
            Some(expr) => match expr.ty {
                Type::List(kind) => kind,
                _ => {
                    let message = format!(
                        "`where` stands behind a list, but this is {}",
                        a_type(&expr.ty)
                    );
                    return self.fail(Mistake::new("E301", &list.at, message));
                }
            },
            // The item's names are not known, so nothing can be said about what follows.
            None => return None,
        };
        self.items.push(kind);
        let test = self.condition(test);
        let sort = match sort {
            Some((by, is_descending)) => {
                self.sort(by).map(|by| Some((Box::new(by), *is_descending)))
            }
            None => Some(None),
        };
        self.items.pop();
        Some(Expr {
            ty: Type::List(kind),
            kind: ExprKind::Where {
                list: Box::new(found?),
                condition: Box::new(test?),
                sort: sort?,
            },
        })
    }

    fn sort(&mut self, by: &Node) -> Typed {
        let found = self.infer(by, &Expect::Nothing)?;
        if !matches!(found.ty, Type::List(_) | Type::Contact) {
            return Some(found);
        }
        let message = format!("a list can't be sorted by {}", a_type(&found.ty));
        self.fail(Mistake::new("E301", &by.at, message))
    }

    fn between(&mut self, value: &Node, low: &Bound, high: &Bound) -> Typed {
        let expect = match self.is_untyped(value) && low.is_percent && high.is_percent {
            true => Expect::Type(Type::Percent),
            false => self.reckoned(value),
        };
        let found = self.infer(value, &expect);
        let at = low.at.start..high.at.end;
        let is_range = self.range_fits(found.as_ref(), value, low, high);
        if is_range && low.value > high.value {
            let (from, to) = (self.said(&low.at), self.said(&high.at));
            let mistake = Mistake::new(
                "E401",
                &at,
                format!("this range is empty: {from} is above {to}"),
            )
            .help(format!("write {to}..{from}"));
            return self.fail(mistake);
        }
        if !is_range {
            return None;
        }
        condition(ExprKind::Between {
            value: Box::new(found?),
            low: low.value,
            high: high.value,
        })
    }

    /// Whether a value can lie in such a range; says why not.
    fn range_fits(
        &mut self,
        found: Option<&Expr>,
        value: &Node,
        low: &Bound,
        high: &Bound,
    ) -> bool {
        let Some(found) = found else { return true };
        let range = low.at.start..high.at.end;
        let said = self.said(&value.at);
        let wants_percent = match found.ty {
            Type::Percent => true,
            Type::Number | Type::Money => false,
            Type::Date | Type::Time => {
                let message = format!(
                    "`{said}` is {}; it can't be in a range of numbers",
                    a_type(&found.ty)
                );
                let help = format!(
                    "did you mean `days_until({said}) in {}`?",
                    self.said(&range)
                );
                self.fail(Mistake::new("E306", &value.at, message).help(help));
                return false;
            }
            _ => {
                let message = format!("{} can't be in a range of numbers", a_type(&found.ty));
                let mistake = Mistake::new("E301", &value.at, message);
                let mistake = match &found.ty {
                    Type::Word(list) => mistake.help(format!("write `in [{}]`", list_of(list))),
                    _ => mistake,
                };
                self.fail(mistake);
                return false;
            }
        };
        let wrong: Vec<&Bound> = [low, high]
            .into_iter()
            .filter(|bound| bound.is_percent != wants_percent)
            .collect();
        let Some(first) = wrong.first() else {
            return true;
        };
        let fixed = |bound: &Bound| {
            let said = self.said(&bound.at).trim_end_matches('%');
            let sign = if wants_percent { "%" } else { "" };
            format!("{said}{sign}")
        };
        let help = format!("did you mean `{}..{}`?", fixed(low), fixed(high));
        let message = "this compares a percentage with a plain number";
        let at = if wrong.len() == 2 {
            range
        } else {
            first.at.clone()
        };
        self.fail(Mistake::new("E302", &at, message).help(help));
        false
    }
}

/// A quoted text: a word where a pick-list with that word stands beside it.
fn quoted(text: &str, expect: &Expect) -> Expr {
    if let Some(list) = expect.words()
        && list.words.iter().any(|word| &**word == text)
    {
        return Expr {
            kind: ExprKind::Const(Value::Word(text.into())),
            ty: Type::Word(list.clone()),
        };
    }
    Expr {
        kind: ExprKind::Const(Value::Text(text.into())),
        ty: Type::Text,
    }
}

fn constant(value: Value, ty: Type) -> Typed {
    Some(Expr {
        kind: ExprKind::Const(value),
        ty,
    })
}

/// A yes/no.
pub(super) fn yes_no(kind: ExprKind) -> Expr {
    Expr {
        kind,
        ty: Type::Bool,
    }
}

/// A yes/no, found.
pub(super) fn condition(kind: ExprKind) -> Typed {
    Some(yes_no(kind))
}
