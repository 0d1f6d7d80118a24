//! `sottaku test --from`: a fixture made of a real account, names and addresses masked.

use crate::arguments::Test;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::Printer;
use crate::why;
use engine::Account;
use engine::entity::Fields;
use model::AccountId;
use serde_json::{Map, Value};
use workflow::Program;
use workflow::program::FieldType;

/// Prints the fixture, and a test to begin with.
pub(crate) fn print(arguments: &Test, program: &Program, account: &str) -> anyhow::Result<Exit> {
    let account = wait(read(arguments, program, account))?;
    let today = jiff::Zoned::now().date();
    let day = arguments.at.unwrap_or(today);
    let mut printer = Printer::new();
    printer.text(fixture(program, &account))?;
    let workflow = program
        .workflows
        .first()
        .map_or("all", |workflow| &*workflow.name);
    printer.text(format!(
        "\ntests:\n  - test: what happens from {day} on\n    workflow: {workflow}\n    given: masked\n    start_at: {day} 09:00\n    timeline: []\n"
    ))?;
    printer.flush()?;
    Ok(Exit::Done)
}

/// The account as it stood when that day began, or as it stands.
async fn read(arguments: &Test, program: &Program, account: &str) -> anyhow::Result<Account> {
    let store = arguments.place.existing().await?;
    let zone = engine::calendar::zone(&program.calendar.timezone);
    let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
    let at = arguments
        .at
        .map(|day| engine::calendar::start_of(day, &zone));
    why::account(&store, program, (&AccountId::new(account), at)).await
}

/// The account as `accounts:` of a test has it.
fn fixture(program: &Program, account: &Account) -> String {
    let schema = &program.schema;
    let head = &account.head;
    let mut lines = vec!["accounts:".to_owned(), "  masked:".to_owned()];
    let own = fields(&head.account.fields, &schema.account.fields, "account");
    lines.push(format!("    account: {}", flow(&own)));
    let current = head.current_contract();
    if let Some(contract) = current.and_then(|id| head.contracts.get(id)) {
        let shown = fields(&contract.fields, &schema.contract.fields, "contract");
        lines.push(format!("    contract: {}", flow(&shown)));
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
    lines.join("\n") + "\n"
}

/// The known fields, what is personal masked.
fn fields(
    known: &Fields,
    declared: &std::collections::BTreeMap<Box<str>, workflow::program::Field>,
    who: &str,
) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, stamped) in known {
        let (Some(value), Some(field)) = (&stamped.value, declared.get(name)) else {
            continue;
        };
        let masked = match &field.kind {
            FieldType::Email => Value::from(format!("{who}@masked.example")),
            FieldType::Csm => continue,
            FieldType::Text | FieldType::Contact => Value::from(who),
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
fn percent(value: &model::Value) -> Value {
    let hundred = model::Decimal::from_count(100);
    let shown = value.decimal().and_then(|share| share.mul(hundred));
    shown.map_or(Value::Null, |shown| Value::from(format!("{shown}%")))
}

/// A flow mapping; words, days and numbers stand plain.
fn flow(fields: &Map<String, Value>) -> String {
    let plain = |value: &Value| match value.as_str() {
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
