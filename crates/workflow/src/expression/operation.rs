//! Operations: which types may meet, and what comes of it.

use super::check::{Checker, Expect, Typed, condition};
use super::known::is_always_known;
use super::meeting::{
    alike, as_money, has_order, is_numeric, product_type, quotient_type, sum_type,
};
use super::mistake::Mistake;
use super::syntax::Node;
use super::words::{a_type, list_of};
use crate::program::{Arithmetic, Comparison, Expr, ExprKind, ListKind, Type};
use model::Value;
use std::ops::Range;

const MEETS_PLAIN: &str = "this compares a percentage with a plain number";

impl Checker<'_> {
    /// Two sides of which one may be a bare word of the other's pick-list.
    fn sides(&mut self, left: &Node, right: &Node) -> (Typed, Typed) {
        let is_unknown = |checker: &mut Self, node: &Node| {
            checker.is_untyped(node) || node.name().is_some_and(|parts| !checker.is_name(parts))
        };
        let is_right_first = is_unknown(self, left) && !is_unknown(self, right);
        let (first, second) = if is_right_first {
            (right, left)
        } else {
            (left, right)
        };
        let found = self.infer(first, &Expect::Nothing);
        let other = self.infer(second, &Expect::beside(&found));
        let (found, other) = alike(found, other);
        if is_right_first {
            (other, found)
        } else {
            (found, other)
        }
    }

    /// `a == b` and its like.
    pub(super) fn compare(
        &mut self,
        how: Comparison,
        at: &Range<usize>,
        left: &Node,
        right: &Node,
    ) -> Typed {
        let (one, two) = self.sides(left, right);
        let (one, two) = (one?, two?);
        if let Some(mistake) = self.mismatch(&one, &two, (left, right), at) {
            return self.fail(mistake);
        }
        let is_ordering = !matches!(how, Comparison::Equal | Comparison::NotEqual);
        if is_ordering && !has_order(&one.ty) {
            let message = match &one.ty {
                Type::Word(_) => "these words have no order, low to high".to_owned(),
                ty => format!("{} has no order", a_type(ty)),
            };
            let mistake = Mistake::new("E301", at, message).help("compare with `==` or `!=`");
            return self.fail(mistake);
        }
        condition(ExprKind::Compare {
            how,
            left: Box::new(one),
            right: Box::new(two),
        })
    }

    /// Why two things can't be compared.
    fn mismatch(
        &self,
        one: &Expr,
        two: &Expr,
        nodes: (&Node, &Node),
        at: &Range<usize>,
    ) -> Option<Mistake> {
        let (left, right) = nodes;
        match (&one.ty, &two.ty) {
            (Type::List(_), _) | (_, Type::List(_)) => {
                let mistake = Mistake::new("E301", at, "a list can't be compared");
                Some(mistake.help("ask how many it has: `count(…) > 0`"))
            }
            (a, b) if a == b => None,
            (Type::Money, Type::Number) | (Type::Number, Type::Money) => None,
            (Type::Percent, Type::Number | Type::Money) => {
                Some(self.percent_mistake(MEETS_PLAIN, at, two, right))
            }
            (Type::Number | Type::Money, Type::Percent) => {
                Some(self.percent_mistake(MEETS_PLAIN, at, one, left))
            }
            (Type::Word(list), Type::Text) | (Type::Text, Type::Word(list)) => {
                let (word, node) = if one.ty == Type::Text {
                    (one, left)
                } else {
                    (two, right)
                };
                if let ExprKind::Const(Value::Text(text)) = &word.kind {
                    let message = format!("`{text}` is not one of: {}", list_of(list));
                    return Some(Mistake::new("E304", &node.at, message));
                }
                Some(Mistake::new(
                    "E301",
                    at,
                    "this compares a word of a pick-list with text",
                ))
            }
            (Type::Word(_), Type::Word(_)) => Some(Mistake::new(
                "E301",
                at,
                "this compares words of two different pick-lists",
            )),
            (Type::Date | Type::Time, Type::Number) => Some(self.days_mistake(at, &one.ty, left)),
            (Type::Number, Type::Date | Type::Time) => Some(self.days_mistake(at, &two.ty, right)),
            (a, b) => {
                let message = format!("this compares {} with {}", a_type(a), a_type(b));
                let mistake = Mistake::new("E301", at, message);
                Some(match (a, b) {
                    (Type::Date | Type::Time, _) | (_, Type::Date | Type::Time) => {
                        mistake.help("count days instead: `days_until(…)`, `days_since(…)`")
                    }
                    _ => mistake,
                })
            }
        }
    }

    fn days_mistake(&self, at: &Range<usize>, ty: &Type, date: &Node) -> Mistake {
        let said = self.said(&date.at);
        Mistake::new(
            "E301",
            at,
            format!("this compares {} with a number", a_type(ty)),
        )
        .help(format!(
            "count days: `days_until({said})` or `days_since({said})`"
        ))
    }

    /// A percentage beside a plain number: the number, if it stands there, probably lacks its sign.
    fn percent_mistake(
        &self,
        message: &str,
        at: &Range<usize>,
        plain: &Expr,
        node: &Node,
    ) -> Mistake {
        let mistake = Mistake::new("E302", at, message);
        if matches!(plain.kind, ExprKind::Const(_)) {
            let said = self.said(&node.at);
            return mistake.help(format!("did you mean `{said}%`?"));
        }
        mistake.help("make both percentages: a formula with `as: percent`, or a percentage literal")
    }

    /// `a in [b, c]`.
    pub(super) fn among(&mut self, value: &Node, list: &[Node]) -> Typed {
        let found = self.infer(value, &Expect::Nothing);
        let expect = Expect::beside(&found);
        let mut items = Vec::new();
        for node in list {
            let item = self.infer(node, &expect);
            items.push(match (&found, item) {
                (Some(value_expr), Some(item)) => {
                    let item = as_money(item, &value_expr.ty);
                    match self.mismatch(value_expr, &item, (value, node), &node.at) {
                        Some(mistake) => self.fail(mistake),
                        None => Some(item),
                    }
                }
                (None, _) | (_, None) => None,
            });
        }
        let list: Option<Vec<Expr>> = items.into_iter().collect();
        condition(ExprKind::Among {
            value: Box::new(found?),
            list: list?,
        })
    }

    /// `a contains b`.
    pub(super) fn contains(&mut self, whole: &Node, part: &Node, at: &Range<usize>) -> Typed {
        let one = self.infer(whole, &Expect::Nothing);
        let expect = match &one {
            Some(Expr {
                ty: Type::List(_), ..
            }) => Expect::Type(Type::Contact),
            Some(_) => Expect::Type(Type::Text),
            None => Expect::Failed,
        };
        let two = self.infer(part, &expect);
        let (one, two) = (one?, two?);
        match (&one.ty, &two.ty) {
            (Type::Text, Type::Text) | (Type::List(ListKind::Contacts), Type::Contact) => {
                condition(ExprKind::Contains {
                    whole: Box::new(one),
                    part: Box::new(two),
                })
            }
            (a, b) => {
                let message = format!("{} can't contain {}", a_type(a), a_type(b));
                self.fail(
                    Mistake::new("E301", at, message)
                        .help("text contains text, `contacts` contains a contact"),
                )
            }
        }
    }

    /// `a + b` and its like.
    pub(super) fn arithmetic(
        &mut self,
        how: Arithmetic,
        at: &Range<usize>,
        left: &Node,
        right: &Node,
    ) -> Typed {
        let one = self.infer(left, &self.reckoned(left));
        let two = self.infer(right, &self.reckoned(right));
        let (one, two) = (one?, two?);
        let (one, two) = match how {
            Arithmetic::Add | Arithmetic::Subtract => match alike(Some(one), Some(two)) {
                (Some(one), Some(two)) => (one, two),
                _ => return None,
            },
            Arithmetic::Multiply | Arithmetic::Divide => (one, two),
        };
        let ty = match (how, &one.ty, &two.ty) {
            (Arithmetic::Add | Arithmetic::Subtract, a, b) => sum_type(a, b),
            (Arithmetic::Multiply, a, b) => product_type(a, b),
            (Arithmetic::Divide, a, b) => quotient_type(a, b),
        };
        match ty {
            Some(ty) => Some(Expr {
                ty,
                kind: ExprKind::Arithmetic {
                    how,
                    left: Box::new(one),
                    right: Box::new(two),
                },
            }),
            None => {
                let mistake = self.no_arithmetic(at, &one, &two, (left, right));
                self.fail(mistake)
            }
        }
    }

    fn no_arithmetic(
        &self,
        at: &Range<usize>,
        one: &Expr,
        two: &Expr,
        nodes: (&Node, &Node),
    ) -> Mistake {
        let message = "this reckons a percentage with a plain number";
        match (&one.ty, &two.ty) {
            (Type::Percent, Type::Number | Type::Money) => {
                self.percent_mistake(message, at, two, nodes.1)
            }
            (Type::Number | Type::Money, Type::Percent) => {
                self.percent_mistake(message, at, one, nodes.0)
            }
            (a, b) => {
                let sign = self.said(at);
                let message = format!("`{sign}` can't join {} and {}", a_type(a), a_type(b));
                let mistake = Mistake::new("E301", at, message);
                match (a, b) {
                    (Type::Date | Type::Time, _) | (_, Type::Date | Type::Time) => {
                        mistake.help("dates are counted in days: `days_until(…)`, `days_since(…)`")
                    }
                    _ => mistake,
                }
            }
        }
    }

    /// `-a`.
    pub(super) fn negate(&mut self, inner: &Node) -> Typed {
        let found = self.infer(inner, &self.reckoned(inner))?;
        if !is_numeric(&found.ty) {
            let message = format!("{} has no negative", a_type(&found.ty));
            return self.fail(Mistake::new("E301", &inner.at, message));
        }
        Some(Expr {
            ty: found.ty.clone(),
            kind: ExprKind::Negate(Box::new(found)),
        })
    }

    /// `a else b`.
    pub(super) fn otherwise(&mut self, left: &Node, right: &Node, expect: &Expect) -> Typed {
        let one = self.infer(left, expect);
        let two = match (&one, expect) {
            (_, Expect::Contacts) => self.infer(right, expect),
            _ => self.infer(right, &Expect::beside(&one)),
        };
        let one = one?;
        if is_always_known(&one, self.scope) {
            let said = self.said(&left.at);
            let message = format!("`{said}` is always known, so this `else` is never used");
            let at = left.at.end..right.at.end;
            let at = at.start + self.said(&at).find("else").unwrap_or(0)..at.end;
            self.fail(Mistake::new("E305", &at, message).help(format!("write `{said}` alone")));
            return None;
        }
        let two = as_money(two?, &one.ty);
        let mistake = match (&one.ty, &two.ty) {
            (Type::Money, Type::Number) | (Type::Number, Type::Money) => Some(Mistake::new(
                "E301",
                &right.at,
                "both sides of `else` have to be money",
            )),
            (Type::Percent, Type::Number) | (Type::Number, Type::Percent) => {
                let (plain, node) = if one.ty == Type::Number {
                    (&one, left)
                } else {
                    (&two, right)
                };
                let message = "this mixes a percentage with a plain number";
                Some(self.percent_mistake(message, &right.at, plain, node))
            }
            (a, b) if a == b => None,
            (Type::Contact, Type::List(ListKind::Contacts)) => None,
            (a, b) => {
                let message = format!(
                    "`else` has {} on its left and {} on its right",
                    a_type(a),
                    a_type(b)
                );
                Some(Mistake::new("E301", &right.at, message).help("both sides need the same type"))
            }
        };
        if let Some(mistake) = mistake {
            return self.fail(mistake);
        }
        Some(Expr {
            ty: one.ty.clone(),
            kind: ExprKind::Else(Box::new(one), Box::new(two)),
        })
    }
}
