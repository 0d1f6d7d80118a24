//! Lists and their items.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::knowledge::{Carrier, RiskCase};
use super::number::{Order, order};
use super::reading::Reading;
use super::scene::{DEPTH_MAX, Scene};
use model::{Decimal, Value};
use workflow::program::{Expr, ExprKind, ListKind, RiskField, Type};

/// One thing of a list, or the subject or recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A contact, by id.
    Contact(&'a str),
    /// A contract, by id.
    Contract(&'a str),
    /// A case of a risk.
    Risk(RiskCase),
}

impl<'a> Scene<'a> {
    /// The things that an expression names: a list, who holds a role, or one contact by id; none: it names nothing of the kind.
    pub fn items(&self, expr: &Expr) -> Vec<Item<'a>> {
        match &expr.kind {
            ExprKind::List(ListKind::Contacts) => self
                .known
                .contacts()
                .into_iter()
                .map(Item::Contact)
                .collect(),
            ExprKind::List(ListKind::Risks) => (0..self.program.risks.len())
                .filter_map(|risk| self.known.open_case(risk))
                .map(Item::Risk)
                .collect(),
            // Lists of a CSM come with `for_each: csm`.
            ExprKind::List(ListKind::Contracts | ListKind::Accounts) => Vec::new(),
            ExprKind::Role(role) => self
                .known
                .holders(role)
                .into_iter()
                .map(Item::Contact)
                .collect(),
            ExprKind::Else(first, second) => {
                let found = self.items(first);
                if found.is_empty() {
                    self.items(second)
                } else {
                    found
                }
            }
            ExprKind::Where {
                list,
                condition,
                sort,
            } => self.items_where(list, condition, sort.as_ref()),
            // What a name of `with` stands for: all of it, not only the first.
            ExprKind::With(index) => {
                let named = self.run.and_then(|run| run.with.get(*index));
                let named = named.filter(|_| self.depth <= DEPTH_MAX);
                named.map_or_else(Vec::new, |(_, value)| self.deeper().items(value))
            }
            _ => self.one_contact(expr).into_iter().collect(),
        }
    }

    /// The contacts that an expression names: who holds a role, a list, or one contact by id. Empty: nobody.
    pub fn contacts(&self, expr: &Expr) -> Vec<&'a str> {
        let items = self.items(expr).into_iter();
        items
            .filter_map(|item| match item {
                Item::Contact(id) => Some(id),
                Item::Contract(_) | Item::Risk(_) => None,
            })
            .collect()
    }

    /// The contact whose id an expression gives.
    fn one_contact(&self, expr: &Expr) -> Option<Item<'a>> {
        if !matches!(expr.ty, Type::Contact) {
            return None;
        }
        let value = self.value(expr)?;
        let id = value.text()?;
        let contacts = self.known.contacts();
        contacts
            .into_iter()
            .find(|other| *other == id)
            .map(Item::Contact)
    }

    /// The items for which a condition is true, in the order asked for; what cannot be compared comes last.
    fn items_where(
        &self,
        list: &Expr,
        condition: &Expr,
        sort: Option<&(Box<Expr>, bool)>,
    ) -> Vec<Item<'a>> {
        let mut items = self.items(list);
        items.retain(|item| self.with_item(*item).is_true(condition));
        if let Some((by, is_descending)) = sort {
            let mut keyed: Vec<(Reading, Item<'a>)> = items
                .into_iter()
                .map(|item| (self.with_item(item).reading(by), item))
                .collect();
            let words = super::expression::words(&by.ty);
            keyed.sort_by(|(left, _), (right, _)| match order(left, right, words) {
                Order::Known(ordering) if *is_descending => ordering.reverse(),
                Order::Known(ordering) => ordering,
                Order::Different
                | Order::LeftAtLeast(_)
                | Order::RightAtLeast(_)
                | Order::Unknown => is_unknown(left).cmp(&is_unknown(right)),
            });
            items = keyed.into_iter().map(|(_, item)| item).collect();
        }
        items
    }

    /// How many things a list holds.
    pub(crate) fn count(&self, list: &Expr) -> Reading {
        let count = u32::try_from(self.items(list).len()).unwrap_or(u32::MAX);
        Reading::Known(Value::Number(Decimal::from_count(count)))
    }

    /// Whether a list has a contact, or a text a part.
    pub(crate) fn contains(&self, whole: &Expr, part: &Expr) -> Reading {
        let part = self.reading(part).value();
        let Some(part) = part.as_ref().and_then(Value::text) else {
            return Reading::Unknown;
        };
        let yes = if matches!(whole.ty, Type::List(_) | Type::Contact) {
            Some(self.contacts(whole).contains(&part))
        } else {
            let whole = self.reading(whole).value();
            whole
                .as_ref()
                .and_then(Value::text)
                .map(|whole| whole.contains(part))
        };
        Reading::of_truth(yes)
    }

    /// A field of the contact that is the item.
    pub(crate) fn contact_field(&self, name: &str) -> Reading {
        match self.item {
            Some(Item::Contact(id)) => self.field(Carrier::Contact(id), name),
            Some(Item::Contract(_) | Item::Risk(_)) | None => Reading::Unknown,
        }
    }

    /// The contact that is the item, by id.
    pub(crate) fn this_contact(&self) -> Reading {
        match self.item {
            Some(Item::Contact(id)) => Reading::of_value(Some(Value::Text(id.into()))),
            Some(Item::Contract(_) | Item::Risk(_)) | None => Reading::Unknown,
        }
    }

    /// A field of the risk case that is the item, or else the subject.
    pub(crate) fn risk_field(&self, field: RiskField) -> Reading {
        let item = match self.item {
            Some(Item::Risk(case)) => Some(case),
            Some(Item::Contact(_) | Item::Contract(_)) | None => self.case,
        };
        let Some(case) = item else {
            return Reading::Unknown;
        };
        let Some(risk) = self.program.risks.get(case.risk) else {
            return Reading::Unknown;
        };
        Reading::Known(match field {
            RiskField::Category => Value::Word(risk.name.clone()),
            RiskField::Severity if case.is_high => Value::Word("high".into()),
            RiskField::Severity => Value::Word("normal".into()),
            RiskField::Open => Value::Bool(case.is_open),
            RiskField::OpenedAt => Value::Time(case.opened_at),
            RiskField::Title => Value::Text(risk.title.clone()),
        })
    }
}

fn is_unknown(reading: &Reading) -> bool {
    match reading {
        Reading::Known(_) => false,
        Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown => true,
    }
}
