//! The scope of the example workspace's renewal workflow, by hand.

use super::super::directory::Directory;
use super::super::scope::{Defined, Given, Meanings, Scope, StepKind, World};
use crate::program::{Entity, EventType, Field, FieldType, ListKind, PickList, Schema, Type};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pick-list of words parted by spaces.
pub(crate) fn pick(words: &str, is_ordered: bool) -> Arc<PickList> {
    Arc::new(PickList {
        words: words.split(' ').map(Into::into).collect(),
        is_ordered,
    })
}

fn field(text: &str) -> (Box<str>, Field) {
    let (name, kind) = text.split_once(": ").expect("a field is `name: type`");
    let (is_required, kind) = match kind.strip_prefix("required ") {
        Some(rest) => (true, rest),
        None => (false, kind),
    };
    let kind = match kind {
        "text" => FieldType::Text,
        "number" => FieldType::Number,
        "percent" => FieldType::Percent,
        "money" => FieldType::Money,
        "date" => FieldType::Date,
        "time" => FieldType::Time,
        "boolean" => FieldType::Boolean,
        "email" => FieldType::Email,
        "contact" => FieldType::Contact,
        words => FieldType::Pick(pick(words, true)),
    };
    let field = Field {
        kind,
        is_required,
        is_written_by_workflows: false,
        is_personal: false,
        title: None,
    };
    (name.into(), field)
}

fn fields(text: &str) -> BTreeMap<Box<str>, Field> {
    text.split(", ").map(field).collect()
}

fn schema() -> Schema {
    let entity = |text: &str| Entity {
        fields: fields(text),
    };
    let event = |text: &str| EventType {
        fields: fields(text),
        is_engine: false,
    };
    Schema {
        account: entity(
            "name: required text, arr: money, customer_since: date, flagship: boolean, goal_progress: percent, csm_sentiment: bad neutral good, industry: it other",
        ),
        contract: entity(
            "status: required trial active cancelled expired, start_date: required date, renewal_date: date, seats: required number, renewal_status: required open committed renewed churned",
        ),
        contact: entity(
            "name: required text, email: required email, role: champion admin executive_sponsor billing user, locale: text",
        ),
        csm: entity("name: required text, email: email"),
        events: [
            (
                "nps.responded",
                "contact: required contact, score: required number, comment: text",
            ),
            (
                "reference.answered",
                "contact: required contact, answer: required accepted declined",
            ),
            (
                "meeting.held",
                "kind: required kickoff checkin, executive: boolean, at: time",
            ),
        ]
        .into_iter()
        .map(|(name, text)| (name.into(), event(text)))
        .collect(),
    }
}

fn defined(all: &[(&str, Type)]) -> Directory {
    let all = all.iter().enumerate();
    all.map(|(index, (name, ty))| {
        let defined = Defined {
            index,
            ty: ty.clone(),
            is_known: false,
            changes_with_time: name.ends_with('d') || name.starts_with("stage"),
            is_windowed: name.ends_with('d'),
            is_count: *ty == Type::Number && *name != "csat",
        };
        ((*name).into(), defined)
    })
    .collect()
}

/// Everything that is defined for the whole workspace.
pub(crate) fn world() -> World {
    let mut labels = defined(&[
        ("touch", Type::Word(pick("high low tech", false))),
        (
            "stage",
            Type::Word(pick(
                "churned evaluation onboarding renewal adoption",
                false,
            )),
        ),
    ]);
    for name in ["touch", "stage"] {
        labels.get_mut(name).expect("it is defined").is_known = true;
    }
    World {
        schema: schema(),
        roles: ["champion", "admin", "executive_sponsor", "billing"]
            .map(Into::into)
            .into(),
        metrics: defined(&[
            ("weekly_active_users", Type::Number),
            ("users_28d", Type::Number),
            ("seat_usage", Type::Percent),
            ("usage_trend", Type::Percent),
            ("first_report_at", Type::Time),
            ("nps", Type::Percent),
            ("csat", Type::Number),
            ("trainings_done", Type::Number),
        ]),
        segments: defined(&[
            ("onboarding_complete", Type::Bool),
            ("advocate_ready", Type::Bool),
        ]),
        labels,
        risks: defined(&[("sentiment", Type::Bool), ("support", Type::Bool)]),
        has_health: true,
        failed: ["broken", "account.broken", "contact.gone"]
            .map(Into::into)
            .into(),
        meanings: Meanings::default(),
    }
}

/// The scope of a workflow `for_each: contract`.
pub(crate) fn contract() -> Scope {
    let given = |name: &str, ty: Option<Type>| Given {
        name: name.into(),
        ty,
        is_known: false,
        changes_with_time: false,
    };
    Scope {
        world: Arc::new(world()),
        has_account: true,
        has_contract: true,
        event: None,
        with: vec![
            given("boss", Some(Type::Contact)),
            given("lost", None),
            given("cases", Some(Type::List(ListKind::Risks))),
        ],
        remember: vec![given("arr_then", Some(Type::Money))],
        steps: [
            ("intro", StepKind::Send),
            ("meeting", StepKind::Task),
            (
                "answer",
                StepKind::Wait(Some(vec!["reference.answered".into()])),
            ),
            ("drawn", StepKind::Split(pick("story how_to", false))),
            ("fog", StepKind::Failed),
        ]
        .map(|(id, kind)| (id.into(), kind))
        .into(),
        later_steps: ["escalate".into()].into(),
        ..Scope::default()
    }
}

/// The scope of a metric's `where`.
pub(crate) fn event(kind: &str) -> Scope {
    Scope {
        world: Arc::new(world()),
        event: Some(vec![kind.into()]),
        ..Scope::default()
    }
}

/// The scope of a workflow `for_each: csm`.
pub(crate) fn csm() -> Scope {
    Scope {
        world: Arc::new(world()),
        has_csm: true,
        has_portfolio: true,
        ..Scope::default()
    }
}
