//! `sottaku test --from`: a fixture made of a real account, names and addresses masked.

use crate::arguments::Test;
use crate::at::At;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::Printer;
use crate::why::{self, Seen};
use engine::entity::Fields;
use engine::{Context, Rules};
use model::{AccountId, Value};
use serde_json::{Map, Value as Json};
use workflow::Program;
use workflow::program::FieldType;

/// Prints the fixture, and a test to begin with.
pub(crate) fn print(arguments: &Test, program: &Program, account: &str) -> anyhow::Result<Exit> {
    let seen = wait(read(arguments, program, account))?;
    let today = jiff::Zoned::now().date();
    let day = arguments.at.unwrap_or(today);
    let mut printer = Printer::new();
    printer.text(fixture(program, &seen))?;
    printer.text(format!(
        "\ntests:\n  - test: what happens from {day} on\n    workflows: all\n    given: masked\n    start_at: {day} 09:00\n    timeline: []\n"
    ))?;
    printer.flush()?;
    Ok(Exit::Done)
}

/// The account as it stood when that day began, or as it stands.
async fn read(arguments: &Test, program: &Program, account: &str) -> anyhow::Result<Seen> {
    let store = arguments.place.existing().await?;
    let at = arguments.at.map(At::Day);
    let account = AccountId::new(account);
    why::seen_by(&store, program, (&arguments.place, &account), at).await
}

/// The account as `accounts:` of a test has it. What its events add up to is held fast: a test does not tell a year of them.
fn fixture(program: &Program, seen: &Seen) -> String {
    let schema = &program.schema;
    let account = &seen.account;
    let head = &account.head;
    let mut lines = vec!["accounts:".to_owned(), "  masked:".to_owned()];
    let own = fields(&head.account.fields, &schema.account.fields, "account");
    lines.push(format!("    account: {}", flow(&own)));
    let current = head.current_contract();
    if let Some(contract) = current.and_then(|id| head.contracts.get(id)) {
        let shown = fields(&contract.fields, &schema.contract.fields, "contract");
        lines.push(format!("    contract: {}", flow(&shown)));
    }
    let csm = head.account.value("csm").and_then(Value::text);
    if let Some(csm) = csm.and_then(|id| seen.csms.0.get(id)) {
        let shown = fields(&csm.fields, &schema.csm.fields, "csm");
        lines.push(format!("    csm: {}", flow(&shown)));
    }
    let mut contacts: Vec<_> = head.contacts.iter().collect();
    contacts.retain(|(_, contact)| contact.is_there);
    if !contacts.is_empty() {
        lines.push("    contacts:".to_owned());
    }
    for (number, (id, contact)) in contacts.into_iter().enumerate() {
        let mut all = contact.fields.clone();
        all.extend(account.parts.contact(id).cloned().unwrap_or_default());
        let who = format!("contact-{}", number + 1);
        lines.push(format!(
            "      - {}",
            flow(&fields(&all, &schema.contact.fields, &who))
        ));
    }
    let rules = Rules::of(program);
    let context = Context {
        program,
        rules: &rules,
        csms: &seen.csms,
        pins: None,
        clock: seen.clock,
    };
    let counted = engine::preview::counted(&context, account, seen.now).into_iter();
    let counted = counted.filter_map(|(name, value)| Some((name.into(), held(&value)?)));
    let counted: Map<String, Json> = counted.collect();
    if !counted.is_empty() {
        lines.push(format!("    metrics: {}", flow(&counted)));
    }
    lines.join("\n") + "\n"
}

/// A value as `metrics:` has it; text could be personal.
fn held(value: &Value) -> Option<Json> {
    match value {
        Value::Text(_) => None,
        Value::Percent(_) => Some(percent(value)),
        Value::Bool(_)
        | Value::Number(_)
        | Value::Money(_)
        | Value::Word(_)
        | Value::Date(_)
        | Value::Time(_) => Some(value.to_json()),
    }
}

/// The known fields, what is personal masked.
fn fields(
    known: &Fields,
    declared: &std::collections::BTreeMap<Box<str>, workflow::program::Field>,
    who: &str,
) -> Map<String, Json> {
    let mut shown = Map::new();
    for (name, stamped) in known {
        let (Some(value), Some(field)) = (&stamped.value, declared.get(name)) else {
            continue;
        };
        let masked = match &field.kind {
            FieldType::Email => Json::from(format!("{who}@masked.example")),
            FieldType::Csm => continue,
            FieldType::Text | FieldType::Contact => Json::from(who),
            FieldType::Percent => percent(value),
            FieldType::Number
            | FieldType::Money
            | FieldType::Date
            | FieldType::Time
            | FieldType::Boolean
            | FieldType::Locale
            | FieldType::Timezone
            | FieldType::Pick(_) => value.to_json(),
        };
        shown.insert(name.to_string(), masked);
    }
    shown
}

/// A share as tests write it: `60%`.
fn percent(value: &Value) -> Json {
    let hundred = model::Decimal::from_count(100);
    let shown = value.decimal().and_then(|share| share.mul(hundred));
    shown.map_or(Json::Null, |shown| Json::from(format!("{shown}%")))
}

/// A flow mapping; words, days and numbers stand plain.
fn flow(fields: &Map<String, Json>) -> String {
    let plain = |value: &Json| match value.as_str() {
        Some(text) if text.bytes().all(is_plain) && !text.is_empty() => text.to_owned(),
        Some(_) | None => value.to_string(),
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}: {}", plain(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.@/%+".contains(&byte)
}
