//! What types and names are called in messages, and which names there are to suggest.

use super::check::{Checker, Expect};
use super::scope::StepKind;
use crate::diagnostic::{Alike, Typed};
use crate::program::{FieldType, HealthName, ListKind, PickList, RiskField, StepResult, Type};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// So many names a check looks through for near ones, over all its misspelt ones: a file can hold thousands of them among
/// thousands of names. Those that come after are told without a near one.
const LOOKED_THROUGH_MAX: usize = 20_000;

/// Names with their types.
type Names<'n> = Vec<(Cow<'n, str>, Type)>;

/// A type with its article.
pub(crate) fn a_type(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "a condition (yes/no)",
        Type::Number => "a number",
        Type::Percent => "a percentage",
        Type::Money => "an amount of money",
        Type::Text => "text",
        Type::Word(_) => "a word of a pick-list",
        Type::Date => "a date",
        Type::Time => "a time",
        Type::Contact => "a contact",
        Type::List(_) => "a list",
    }
}

/// The words of a pick-list, with commas.
pub(super) fn list_of(list: &PickList) -> String {
    list.words.join(", ")
}

/// The type of a field.
pub fn type_of(kind: &FieldType) -> Type {
    match kind {
        FieldType::Text
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Csm => Type::Text,
        FieldType::Number => Type::Number,
        FieldType::Percent => Type::Percent,
        FieldType::Money => Type::Money,
        FieldType::Date => Type::Date,
        FieldType::Time => Type::Time,
        FieldType::Boolean => Type::Bool,
        FieldType::Contact => Type::Contact,
        FieldType::Pick(list) => Type::Word(list.clone()),
    }
}

fn pick_list(words: &[&str], is_ordered: bool) -> Type {
    Type::Word(Arc::new(PickList {
        words: words.iter().map(|word| (*word).into()).collect(),
        is_ordered,
    }))
}

/// A name under `health` and its type.
pub(super) fn health_name(name: &str) -> Option<(HealthName, Type)> {
    let band = || pick_list(&["red", "yellow", "green"], true);
    Some(match name {
        "score" => (HealthName::Score, Type::Number),
        "band" => (HealthName::Band, band()),
        "co" => (HealthName::Co, Type::Number),
        "cx" => (HealthName::Cx, Type::Number),
        "co_band" => (HealthName::CoBand, band()),
        "cx_band" => (HealthName::CxBand, band()),
        "weakest" => (HealthName::Weakest, Type::Text),
        _ => return None,
    })
}

/// The names under `health`.
pub(super) const HEALTH_NAMES: [&str; 7] =
    ["score", "band", "co", "cx", "co_band", "cx_band", "weakest"];

/// The names under `risk`.
pub(super) const RISK_NAMES: [&str; 5] = ["category", "severity", "open", "opened_at", "title"];

/// What a kind of step can be asked for.
pub(super) fn step_results(kind: &StepKind) -> &'static [&'static str] {
    match kind {
        StepKind::Send => &[
            "sent",
            "delivered",
            "opened",
            "clicked",
            "replied",
            "bounced",
            "skipped",
        ],
        StepKind::Alert => &["sent"],
        StepKind::Task => &["done", "outcome"],
        StepKind::Webhook => &["ok"],
        StepKind::Wait(Some(_)) => &["timed_out", "event"],
        StepKind::Wait(None) => &["timed_out"],
        StepKind::Split(_) => &["chosen"],
        StepKind::Silent | StepKind::Failed => &[],
    }
}

/// A result by its word, `event` apart.
pub(super) fn step_result(word: &str) -> Option<StepResult> {
    Some(match word {
        "sent" => StepResult::Sent,
        "delivered" => StepResult::Delivered,
        "opened" => StepResult::Opened,
        "clicked" => StepResult::Clicked,
        "replied" => StepResult::Replied,
        "bounced" => StepResult::Bounced,
        "skipped" => StepResult::Skipped,
        "done" => StepResult::Done,
        "outcome" => StepResult::Outcome,
        "ok" => StepResult::Ok,
        "timed_out" => StepResult::TimedOut,
        "chosen" => StepResult::Chosen,
        _ => return None,
    })
}

impl Checker<'_> {
    /// A name under `risk` and its type.
    pub(super) fn risk_name(&self, name: &str) -> Option<(RiskField, Type)> {
        Some(match name {
            "category" => {
                let mut risks: Vec<_> = self.scope.world.risks.iter().collect();
                risks.sort_by_key(|(_, risk)| risk.index);
                let words: Vec<&str> = risks.iter().map(|(name, _)| &***name).collect();
                (RiskField::Category, pick_list(&words, false))
            }
            "severity" => (RiskField::Severity, pick_list(&["normal", "high"], true)),
            "open" => (RiskField::Open, Type::Bool),
            "opened_at" => (RiskField::OpenedAt, Type::Time),
            "title" => (RiskField::Title, Type::Text),
            _ => return None,
        })
    }

    /// Whether the account's names are there.
    pub(super) fn has_account(&self) -> bool {
        self.scope.has_account
            || self.is_inside(ListKind::Contracts)
            || self.is_inside(ListKind::Accounts)
    }

    /// Whether we are inside of such a list.
    pub(super) fn is_inside(&self, kind: ListKind) -> bool {
        self.items.contains(&kind)
    }

    /// The nearest name to one that is not there, of the right type if one is near enough.
    pub(super) fn suggestion(&self, name: &str, expect: &Expect) -> Option<String> {
        let looked_through = &self.scope.looked_through;
        if self.scope.is_first_reading || looked_through.load(Relaxed) > LOOKED_THROUGH_MAX {
            return None;
        }
        let names = self.names();
        looked_through.fetch_add(names.len(), Relaxed);
        let fits = |ty: &Type| match expect {
            Expect::Type(wanted) => ty == wanted,
            Expect::Contacts => matches!(ty, Type::Contact | Type::List(ListKind::Contacts)),
            Expect::Nothing | Expect::Failed => false,
        };
        let near = Typed::of(name).and_then(|typed| {
            let (mut right, mut others) = (Alike::default(), Alike::default());
            for (known, ty) in &names {
                let alike = if fits(ty) { &mut right } else { &mut others };
                alike.offer(&typed, known);
            }
            Some(right.nearest_or(others, &typed)?.to_string())
        });
        near.or_else(|| {
            let ending = format!(".{name}");
            let full = names.iter().filter(|(full, _)| full.ends_with(&ending));
            full.map(|(full, _)| full.to_string()).min()
        })
        .map(|near| format!("did you mean `{near}`?"))
    }

    /// Every name that means something here, dotted. Only asked for when one was not found.
    fn names(&self) -> Names<'_> {
        let scope = self.scope;
        let world = &scope.world;
        let mut names = Names::new();
        let mut entities = Vec::new();
        if self.has_account() {
            entities.extend(["account", "contract"]);
            self.account_names(&mut names);
        }
        if scope.has_contact || self.is_inside(ListKind::Contacts) {
            entities.push("contact");
        }
        if scope.has_csm {
            entities.push("csm");
        }
        for (entity, fields) in entities
            .iter()
            .filter_map(|name| Some((name, scope.entity(name)?)))
        {
            for (field, what) in &fields.fields {
                names.push((format!("{entity}.{field}").into(), type_of(&what.kind)));
            }
        }
        if scope.has_risk || self.is_inside(ListKind::Risks) {
            for field in RISK_NAMES {
                if let Some((_, ty)) = self.risk_name(field) {
                    names.push((format!("risk.{field}").into(), ty));
                }
            }
        }
        for (word, kinds) in [("event", &scope.event), ("started_by", &scope.started_by)] {
            for event in kinds
                .iter()
                .flatten()
                .filter_map(|kind| world.schema.events.get(kind))
            {
                for (field, what) in &event.fields {
                    names.push((format!("{word}.{field}").into(), type_of(&what.kind)));
                }
            }
        }
        for given in scope.with.iter().chain(&scope.remember) {
            names.push((
                (&*given.name).into(),
                given.ty.clone().unwrap_or(Type::Bool),
            ));
        }
        if scope.has_portfolio {
            names.push(("accounts".into(), Type::List(ListKind::Accounts)));
            names.push(("contracts".into(), Type::List(ListKind::Contracts)));
        }
        names
    }

    fn account_names<'n>(&'n self, names: &mut Names<'n>) {
        let world = &self.scope.world;
        for (name, metric) in world.metrics.iter() {
            names.push(((&**name).into(), metric.ty.clone()));
        }
        for name in world.segments.keys().chain(world.risks.keys()) {
            names.push(((&**name).into(), Type::Bool));
        }
        for (name, label) in world.labels.iter() {
            names.push(((&**name).into(), label.ty.clone()));
        }
        for role in &world.roles {
            names.push(((&**role).into(), Type::Contact));
            for (field, what) in &world.schema.contact.fields {
                names.push((format!("{role}.{field}").into(), type_of(&what.kind)));
            }
        }
        if world.has_health {
            for name in HEALTH_NAMES {
                if let Some((_, ty)) = health_name(name) {
                    names.push((format!("health.{name}").into(), ty));
                }
            }
        }
        names.push(("any_open_risk".into(), Type::Bool));
        names.push(("contacts".into(), Type::List(ListKind::Contacts)));
        names.push(("open_risks".into(), Type::List(ListKind::Risks)));
    }
}
