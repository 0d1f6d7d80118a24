//! Names of a record: what stands in a topic has no declared type, so a name has the type of what stands beside it.

use super::check::{Checker, Expect, Typed};
use super::mistake::Mistake;
use super::syntax::{Node, NodeKind};
use crate::program::{Expr, ExprKind, Type};
use std::collections::BTreeMap;
use std::ops::Range;

/// What names mean in the mapping of a topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordNames {
    /// Types that were said, by the path behind `record`.
    pub types: BTreeMap<Box<str>, Type>,
    /// Whether `before` and `change.op` are there.
    pub has_rows: bool,
}

impl RecordNames {
    /// The type of a name, if it has one of its own; none: there is no such name.
    fn own_type(&self, parts: &[Box<str>]) -> Option<Option<Type>> {
        let head = &**parts.first()?;
        let path = parts[1..].join(".");
        match (head, &*path) {
            ("record", "") => None,
            ("record", path) => Some(self.types.get(path).cloned()),
            ("before", path) if self.has_rows && !path.is_empty() => {
                Some(self.types.get(path).cloned())
            }
            ("change", "op") if self.has_rows => Some(Some(Type::Text)),
            ("key", _) => Some(None),
            ("header", path) if !path.is_empty() => Some(Some(Type::Text)),
            ("kafka", "topic") => Some(Some(Type::Text)),
            ("kafka", "partition" | "offset") => Some(Some(Type::Number)),
            ("kafka", "time") => Some(Some(Type::Time)),
            _ => None,
        }
    }

    /// What is there, in words.
    fn list(&self) -> &'static str {
        if self.has_rows {
            "`record.FIELD`, `before.FIELD`, `change.op`, `key`, `key.FIELD`, `header.NAME`, `kafka.topic`, `kafka.partition`, `kafka.offset` and `kafka.time`"
        } else {
            "`record.FIELD`, `key`, `key.FIELD`, `header.NAME`, `kafka.topic`, `kafka.partition`, `kafka.offset` and `kafka.time`"
        }
    }
}

/// A name of a record as a type. The type stands behind it, since one name may be read as two: `record.x is known and
/// record.x > 3`.
pub(crate) fn named(path: &str, ty: Type) -> Expr {
    let word = match &ty {
        Type::Bool => "yes",
        Type::Number => "number",
        Type::Percent => "percent",
        Type::Money => "money",
        Type::Text | Type::Contact | Type::List(_) => "text",
        Type::Word(_) => "word",
        Type::Date => "date",
        Type::Time => "time",
    };
    Expr {
        kind: ExprKind::Event(format!("{path}:{word}").into()),
        ty,
    }
}

impl Checker<'_> {
    /// A name of a record.
    pub(super) fn of_record(
        &mut self,
        names: &RecordNames,
        parts: &[Box<str>],
        at: &Range<usize>,
        expect: &Expect,
    ) -> Typed {
        let Some(own) = names.own_type(parts) else {
            let full = parts.join(".");
            let message = format!("there is no `{full}` in a record");
            let help = format!("here are {}", names.list());
            return self.fail(Mistake::new("E201", at, message).help(help));
        };
        let ty = own.unwrap_or_else(|| match expect {
            Expect::Type(Type::Contact | Type::List(_)) => Type::Text,
            Expect::Type(ty) => ty.clone(),
            Expect::Nothing | Expect::Contacts | Expect::Failed => Type::Text,
        });
        Some(named(&parts.join("."), ty))
    }

    /// Whether a part is a name of a record that has whatever type is wanted.
    pub(super) fn is_untyped(&self, node: &Node) -> bool {
        let Some(names) = &self.scope.record else {
            return false;
        };
        match &node.kind {
            NodeKind::Else(left, right) => self.is_untyped(left) && self.is_untyped(right),
            _ => node
                .name()
                .is_some_and(|parts| names.own_type(parts) == Some(None)),
        }
    }

    /// What is expected of something that is reckoned with.
    pub(super) fn reckoned(&self, node: &Node) -> Expect {
        match self.is_untyped(node) {
            true => Expect::Type(Type::Number),
            false => Expect::Nothing,
        }
    }
}
