//! Compiling: one expression, read and checked for what it is wanted for.

use super::check::{Checker, Expect, Typed};
use super::meeting::{as_money, is_numeric};
use super::mistake::Mistake;
use super::parse::parse;
use super::scope::Scope;
use super::syntax::Node;
use super::words::a_type;
use crate::program::{Expr, ExprKind, ListKind, Type};

/// What an expression is wanted for.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// Yes or no (E303).
    Condition,
    /// Something to compare with this type: `green: good` beside a pick-list, `green: 60%` beside a percentage.
    /// Where money is wanted a plain number will do.
    Value(Type),
    /// A number, a percentage or money.
    Numeric,
    /// A contact or contacts: recipients (an unknown word is E204).
    Contacts,
    /// A date or a time.
    Day,
    /// Anything but a mistake.
    Anything,
}

/// Reads and checks one expression. An error without any mistake means: it uses a name that failed to check
/// elsewhere, so there is nothing new to say, and whatever is defined by it has failed too.
pub fn compile(text: &str, scope: &Scope, want: &Want) -> Result<Expr, Vec<Mistake>> {
    let node = parse(text).map_err(|mistake| vec![mistake])?;
    let mut checker = Checker::new(text, scope);
    let found = match want {
        Want::Condition => checker.condition(&node),
        Want::Value(ty) => {
            let found = checker.infer(&node, &Expect::Type(ty.clone()));
            found.and_then(|found| checker.value(found, &node, ty))
        }
        Want::Numeric => {
            let found = checker.infer(&node, &Expect::Nothing);
            found.and_then(|found| match is_numeric(&found.ty) {
                true => Some(found),
                false => checker.unwanted(&found, &node, "a number"),
            })
        }
        Want::Contacts => {
            let found = checker.infer(&node, &Expect::Contacts);
            found.and_then(|found| match found.ty {
                Type::Contact | Type::List(ListKind::Contacts) => Some(found),
                _ => checker.unwanted(&found, &node, "a contact or contacts"),
            })
        }
        Want::Day => {
            let found = checker.infer(&node, &Expect::Type(Type::Date));
            found.and_then(|found| checker.day(found, &node.at))
        }
        Want::Anything => checker.infer(&node, &Expect::Nothing),
    };
    match found {
        Some(expr) if checker.mistakes.is_empty() => Ok(expr),
        Some(_) | None => Err(checker.mistakes),
    }
}

impl Checker<'_> {
    fn unwanted(&mut self, found: &Expr, node: &Node, wanted: &str) -> Typed {
        let message = format!("this should be {wanted}, but it is {}", a_type(&found.ty));
        self.fail(Mistake::new("E301", &node.at, message))
    }

    /// Something that can stand beside a type.
    fn value(&mut self, found: Expr, node: &Node, ty: &Type) -> Typed {
        let found = as_money(found, ty);
        let is_plain = |ty: &Type| matches!(ty, Type::Number | Type::Money);
        match (&found.ty, ty) {
            (a, b) if a == b => Some(found),
            (Type::Number, Type::Money) => Some(found),
            (a, Type::Percent) if is_plain(a) => {
                let mistake = Mistake::new(
                    "E302",
                    &node.at,
                    "a percentage is needed here, but this is a plain number",
                );
                let said = self.said(&node.at);
                let mistake = match found.kind {
                    ExprKind::Const(_) => mistake.help(format!("did you mean `{said}%`?")),
                    _ => mistake,
                };
                self.fail(mistake)
            }
            (Type::Percent, b) if is_plain(b) => {
                let mistake = Mistake::new(
                    "E302",
                    &node.at,
                    "a plain number is needed here, but this is a percentage",
                );
                let said = self.said(&node.at).trim_end_matches('%');
                let mistake = match found.kind {
                    ExprKind::Const(_) => mistake.help(format!("did you mean `{said}`?")),
                    _ => mistake,
                };
                self.fail(mistake)
            }
            (_, Type::Bool) => self.unwanted(&found, node, "a condition (yes/no)"),
            (_, ty) => self.unwanted(&found, node, a_type(ty)),
        }
    }
}
