//! Verbs that are checked now and run later: `wait`, `match`, `split`, `set`, `stop`, `webhook`.

use super::branch::block;
use super::desk::Desk;
use super::expression::{condition, expression};
use super::keys::{is_map, one_or_more};
use super::metric::check_event;
use super::notation::{parse_period, period};
use super::step::Place;
use super::survey::event_names;
use super::value::{scalar, share, short, text, word};
use super::{Keys, Notes};
use crate::diagnostic::nearest;
use crate::expression::{Scope, Want};
use crate::program::{FieldType, PickList, Type};
use crate::yaml::{Entry, Node, NodeKind};
use model::Decimal;

/// Reads one of these verbs, and sets the workflow aside.
pub(crate) fn read(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    verb: &str,
    place: &Place<'_, '_>,
    id: Option<&str>,
) {
    let span = place.keys.span_of(verb).unwrap_or(place.value.span);
    desk.later(span, format!("the step `{verb}`"));
    match verb {
        "wait" => wait(notes, desk, place, id),
        "match" => cases(notes, desk, place, id),
        "split" => split(notes, desk, place, id),
        "set" => set(notes, desk, place.value),
        "webhook" => webhook(notes, desk, place),
        _ => {
            text(notes, place.value, "the reason of a `stop`");
        }
    }
}

fn pass(desk: &mut Desk<'_>, place: &Place<'_, '_>, id: Option<&str>) {
    if let Some(id) = id {
        desk.pass(place.survey, id);
    }
}

fn wait(notes: &mut Notes, desk: &mut Desk<'_>, place: &Place<'_, '_>, id: Option<&str>) {
    let node = place.value;
    if let Some(scalar) = node.scalar() {
        if parse_period(&scalar.text).is_none() {
            period(notes, node, "`wait`");
        }
        return;
    }
    let known = ["until", "event", "if", "at_most", "otherwise"];
    let Some(keys) = Keys::of(notes, node, "a `wait`", &known) else {
        return;
    };
    match (keys.get(notes, "until"), keys.get(notes, "event")) {
        (Some(until), None) => {
            condition(notes, until, &desk.scope);
        }
        (None, Some(event)) => wait_for(notes, desk, &keys, event),
        (Some(_), Some(_)) => notes.error(
            "E104",
            keys.place(),
            "a `wait` has either `until` or `event`",
        ),
        (None, None) if keys.has("until") || keys.has("event") => {}
        (None, None) => notes.error(
            "E102",
            keys.place(),
            "this says not what to wait for: it needs `until` or `event`",
        ),
    }
    if let Some(node) = keys.get(notes, "at_most") {
        period(notes, node, "`at_most`");
    } else if !keys.has("at_most") {
        let message = "a wait for something that may never happen needs `at_most`";
        notes.error_help(
            "E402",
            keys.place(),
            message,
            "for example `at_most: 14d`".to_owned(),
        );
    }
    pass(desk, place, id);
    match keys.get(notes, "otherwise") {
        Some(steps) if matches!(steps.kind, NodeKind::List(_)) => {
            block(notes, desk, steps, place);
        }
        Some(node) => {
            word(
                notes,
                node,
                "`otherwise`",
                &[("continue", ()), ("stop", ())],
            );
        }
        None if keys.has("otherwise") => {}
        None => {
            let message = "`otherwise` is missing: what happens when nothing happens?";
            notes.error_help(
                "E102",
                keys.place(),
                message,
                "write `continue`, `stop` or steps".to_owned(),
            );
        }
    }
}

fn wait_for(notes: &mut Notes, desk: &Desk<'_>, keys: &Keys<'_>, event: &Node) {
    let mut is_good = true;
    for item in one_or_more(event) {
        if let Some(name) = scalar(notes, item, "an event") {
            is_good &= check_event(notes, &name.text, item.span, &desk.scope).is_some();
        }
    }
    let scope = Scope {
        event: Some(if is_good {
            event_names(event)
        } else {
            Vec::new()
        }),
        ..desk.scope.clone()
    };
    if let Some(node) = keys.get(notes, "if") {
        condition(notes, node, &scope);
    }
}

fn cases(notes: &mut Notes, desk: &mut Desk<'_>, place: &Place<'_, '_>, id: Option<&str>) {
    let value = expression(notes, place.value, &desk.scope, &Want::Anything);
    let words = value.and_then(|value| match value.ty {
        Type::Word(words) => Some(words),
        Type::Bool
        | Type::Number
        | Type::Percent
        | Type::Money
        | Type::Text
        | Type::Date
        | Type::Time
        | Type::Contact
        | Type::List(_) => {
            notes.error(
                "E301",
                place.value.span,
                "`match` needs a pick-list, a label or a category",
            );
            None
        }
    });
    pass(desk, place, id);
    let Some(cases) = place.keys.need(notes, "cases") else {
        return;
    };
    if !is_map(notes, cases, "`cases`") {
        return;
    }
    if let Some(words) = &words {
        check_cases(notes, place, cases, words);
    }
    for case in cases.entries() {
        block(notes, desk, &case.value, place);
    }
    if let Some(steps) = place.keys.get(notes, "otherwise") {
        block(notes, desk, steps, place);
    }
}

/// E304 for a case that is no word, E502 for words without a case.
fn check_cases(notes: &mut Notes, place: &Place<'_, '_>, cases: &Node, words: &PickList) {
    for case in cases.entries() {
        if words.words.contains(&case.key) {
            continue;
        }
        let all: Vec<&str> = words.words.iter().map(|word| &**word).collect();
        let help =
            nearest(&case.key, all.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let message = format!("`{}` is not one of: {}", short(&case.key), all.join(", "));
        notes.error_help("E304", case.key_span, message, help);
    }
    if place.keys.has("otherwise") {
        return;
    }
    let has = |word: &str| cases.entries().iter().any(|case| *case.key == *word);
    let missing: Vec<&str> = words
        .words
        .iter()
        .map(|word| &**word)
        .filter(|word| !has(word))
        .collect();
    if !missing.is_empty() {
        let message = format!("these cases are missing: {}", missing.join(", "));
        notes.error_help(
            "E502",
            place.value.span,
            message,
            "add them, or `otherwise: []`".to_owned(),
        );
    }
}

fn split(notes: &mut Notes, desk: &mut Desk<'_>, place: &Place<'_, '_>, id: Option<&str>) {
    pass(desk, place, id);
    if !is_map(notes, place.value, "`split`") {
        return;
    }
    let mut sum = Some(Decimal::ZERO);
    for arm in place.value.entries() {
        let share = read_arm(notes, desk, place, arm);
        sum = sum.zip(share).and_then(|(sum, share)| sum.add(share));
    }
    let hundred = Decimal::from_count(100);
    if let Some(sum) = sum.filter(|sum| *sum != Decimal::ONE)
        && let Some(percent) = sum.mul(hundred)
    {
        let first = place
            .value
            .entries()
            .first()
            .map_or(place.value.span, |arm| arm.key_span);
        notes.error(
            "E503",
            first,
            format!("the shares add up to {percent}%, not 100%"),
        );
    }
}

fn read_arm(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    place: &Place<'_, '_>,
    arm: &Entry,
) -> Option<Decimal> {
    super::value::check_name(notes, &arm.key, arm.key_span);
    let keys = Keys::of(
        notes,
        &arm.value,
        "an arm of a `split`",
        &["share", "steps"],
    )?;
    let share = keys
        .need(notes, "share")
        .and_then(|node| share(notes, node, "`share`"));
    if let Some(steps) = keys.need(notes, "steps") {
        block(notes, desk, steps, place);
    }
    share
}

fn set(notes: &mut Notes, desk: &Desk<'_>, node: &Node) {
    if !is_map(notes, node, "`set`") {
        return;
    }
    for entry in node.entries() {
        if let Some(kind) = settable(notes, desk, entry) {
            expression(notes, &entry.value, &desk.scope, &Want::Value(kind));
        }
    }
}

/// The type of a field that workflows may write; E201 and E210 otherwise.
fn settable(notes: &mut Notes, desk: &Desk<'_>, entry: &Entry) -> Option<Type> {
    let schema = &desk.scope.world.schema;
    let (entity, name) = entry.key.split_once('.').unwrap_or(("", &entry.key));
    let fields = match entity {
        "account" => &schema.account.fields,
        "contract" => &schema.contract.fields,
        _ => {
            let message = format!("`{}` is not a field that can be set", short(&entry.key));
            notes.error_help(
                "E201",
                entry.key_span,
                message,
                "for example `account.reference_status`".to_owned(),
            );
            return None;
        }
    };
    let Some(field) = fields.get(name) else {
        if !desk.scope.world.failed.contains(&entry.key) {
            let help = nearest(name, fields.keys().map(|name| &**name))
                .map(|near| format!("did you mean `{entity}.{near}`?"));
            notes.error_help(
                "E201",
                entry.key_span,
                format!("there is no `{}`", short(&entry.key)),
                help,
            );
        }
        return None;
    };
    if !field.is_written_by_workflows {
        let message = format!(
            "`{}` belongs to the source system; a workflow may not set it",
            entry.key
        );
        let help = "add `written_by: workflows` to the field in the schema";
        notes.error_help("E210", entry.key_span, message, help.to_owned());
    }
    Some(match &field.kind {
        FieldType::Number => Type::Number,
        FieldType::Percent => Type::Percent,
        FieldType::Money => Type::Money,
        FieldType::Date => Type::Date,
        FieldType::Time => Type::Time,
        FieldType::Boolean => Type::Bool,
        FieldType::Pick(words) => Type::Word(words.clone()),
        FieldType::Contact => Type::Contact,
        FieldType::Text
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Csm => Type::Text,
    })
}

fn webhook(notes: &mut Notes, desk: &Desk<'_>, place: &Place<'_, '_>) {
    if let Some(name) = scalar(notes, place.value, "a webhook") {
        let known = &desk.workspace.webhooks;
        if !known.contains(&name.text) {
            let help = nearest(&name.text, known.iter().map(|name| &**name))
                .map(|near| format!("did you mean `{near}`?"));
            let message = format!("there is no webhook `{}`", short(&name.text));
            notes.error_help("E207", place.value.span, message, help);
        }
    }
    let Some(body) = place.keys.get(notes, "body") else {
        return;
    };
    if is_map(notes, body, "`body`") {
        let scope = Scope {
            has_csm: true,
            ..desk.scope.clone()
        };
        for entry in body.entries() {
            expression(notes, &entry.value, &scope, &Want::Anything);
        }
    }
}
