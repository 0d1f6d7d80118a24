//! The facts of a fixture.

use serde_json::Value;
use workflow::scenario::{Fixture, Json};

/// The id of the fixture's contract.
pub(super) const CONTRACT: &str = "k-1";

/// The id of the fixture's CSM.
pub(super) fn csm_id(fixture: &Fixture) -> Box<str> {
    let own = fixture.account.get("csm").and_then(Value::as_str);
    own.unwrap_or("csm-1").into()
}

/// The id of a contact, counted from one.
pub(super) fn contact_id(number: usize) -> String {
    format!("p-{number}")
}

/// The facts, each with its type and data.
pub(super) fn facts(fixture: &Fixture) -> Vec<(String, Json)> {
    let mut facts = Vec::new();
    let mut account = fixture.account.clone();
    if let Some(csm) = &fixture.csm {
        account.insert("csm".to_owned(), csm_id(fixture).as_ref().into());
        facts.push(("csm.updated".to_owned(), csm.clone()));
    }
    facts.push(("account.updated".to_owned(), account));
    if let Some(contract) = &fixture.contract {
        facts.push((
            "contract.updated".to_owned(),
            with_id(contract, "contract", CONTRACT),
        ));
    }
    facts.extend(contacts(&fixture.contacts));
    facts
}

/// The facts of contacts, numbered in order.
pub(super) fn contacts(contacts: &[Json]) -> impl Iterator<Item = (String, Json)> {
    contacts.iter().enumerate().map(|(index, contact)| {
        let data = with_id(contact, "contact", &contact_id(index + 1));
        ("contact.updated".to_owned(), data)
    })
}

/// The data with the id of what it is about.
pub(super) fn with_id(data: &Json, name: &str, id: &str) -> Json {
    let mut data = data.clone();
    data.insert(name.to_owned(), id.into());
    data
}
