//! The log without a person: what it says of them is gathered, then each fact is written again without it.

use super::EraseError;
use model::{AccountId, Fact};
use serde_json::{Map, Value};
use store::{Scrub, Store, StoredFact};
use workflow::Program;
use workflow::program::{Field, FieldType};

/// Facts, and bytes of them, read at once.
const PAGE: u32 = 2_000;
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Who is erased.
pub(super) struct Who<'w> {
    pub(super) account: &'w AccountId,
    pub(super) contact: &'w str,
    pub(super) program: Option<&'w Program>,
}

/// Notes a text of theirs; addresses apart too.
pub(super) fn note(scrub: &mut Scrub, addresses: &mut Vec<Box<str>>, text: &str) {
    scrub.add(text);
    let is_address = text.contains('@') && !text.contains(char::is_whitespace);
    if is_address
        && !addresses
            .iter()
            .any(|known| known.eq_ignore_ascii_case(text))
    {
        addresses.push(text.into());
    }
}

/// Gathers what the log says of them; whether it says anything.
pub(super) async fn gather(
    store: &Store,
    shard: u32,
    who: &Who<'_>,
    (scrub, addresses): (&mut Scrub, &mut Vec<Box<str>>),
) -> Result<bool, EraseError> {
    let mut is_told = false;
    // Their address is known only after the facts about them, and events may name it before: hence twice.
    for _ in 0..2 {
        let mut after = 0;
        while let Some(page) = page(store, shard, &mut after).await? {
            for stored in &page {
                let Some(fact) = of_account(store, stored, who)? else {
                    continue;
                };
                if !who.is_about(&fact, addresses) {
                    continue;
                }
                is_told = true;
                for text in who.free_texts(&fact) {
                    if fact.kind.starts_with("contact.") {
                        note(scrub, addresses, text);
                    } else {
                        scrub.add(text);
                    }
                }
            }
        }
    }
    Ok(is_told)
}

/// The facts that say something of them, by position, as they read from now on.
pub(super) async fn redacted(
    store: &Store,
    shard: u32,
    who: &Who<'_>,
    scrub: &Scrub,
) -> Result<Vec<(u64, Box<str>)>, EraseError> {
    let addresses: Vec<Box<str>> = Vec::new();
    let mut redacted = Vec::new();
    let mut after = 0;
    while let Some(page) = page(store, shard, &mut after).await? {
        for stored in &page {
            let Some(mut fact) = of_account(store, stored, who)? else {
                continue;
            };
            let before = fact.clone();
            if who.is_about(&fact, &addresses) {
                who.bare(&mut fact);
            }
            let mut data = Value::Object(std::mem::take(&mut fact.data));
            scrub.clean(&mut data);
            if let Value::Object(data) = data {
                fact.data = data;
            }
            if scrub.is_theirs(&fact.id) {
                fact.id = format!("erased-{}", stored.position).into();
            }
            if fact != before {
                let json = serde_json::to_string(&fact);
                let json = json.map_err(|why| EraseError::Fact(why.to_string().into()))?;
                redacted.push((stored.position, json.into()));
            }
        }
    }
    Ok(redacted)
}

async fn page(
    store: &Store,
    shard: u32,
    after: &mut u64,
) -> Result<Option<Vec<StoredFact>>, EraseError> {
    let page = store.read_back(shard, *after, PAGE, PAGE_BYTES).await?;
    Ok(page.last().map(|last| last.position).map(|last| {
        *after = last;
        page
    }))
}

fn of_account(
    store: &Store,
    stored: &StoredFact,
    who: &Who<'_>,
) -> Result<Option<Fact>, EraseError> {
    let fact: Fact = match serde_json::from_str(&stored.json) {
        Ok(fact) => fact,
        // Somebody else wrote it into a topic, which can't be written anew.
        Err(_) if !store.rewrites_log() => return Ok(None),
        Err(why) => return Err(EraseError::Fact(why.to_string().into())),
    };
    let is_theirs = !fact.is_csm() && fact.subject.as_deref() == Some(who.account.as_str());
    Ok(is_theirs.then_some(fact))
}

impl Who<'_> {
    /// Whether a fact is about them: it patches them, or names them by id or address.
    fn is_about(&self, fact: &Fact, addresses: &[Box<str>]) -> bool {
        let names_them = |value: &Value| {
            value.as_str().is_some_and(|text| {
                text == self.contact || addresses.iter().any(|one| one.eq_ignore_ascii_case(text))
            })
        };
        if fact.kind.starts_with("contact.") {
            return fact.data.get("contact").is_some_and(names_them);
        }
        let is_entity = fact.kind.starts_with("account.") || fact.kind.starts_with("contract.");
        !is_entity && fact.data.values().any(names_them)
    }

    /// The texts of a fact that people wrote or are called by.
    fn free_texts<'f>(&self, fact: &'f Fact) -> Vec<&'f str> {
        let mut texts = Vec::new();
        for (name, value) in &fact.data {
            if self.is_free(fact, name) {
                leaves(value, &mut texts);
            }
        }
        texts.retain(|text| *text != self.contact);
        texts
    }

    /// Leaves numbers, days, words of lists and ids: what is counted stays, what was written goes.
    fn bare(&self, fact: &mut Fact) {
        let names: Vec<String> = fact.data.keys().cloned().collect();
        let mut kept = Map::new();
        for name in names {
            let is_free = self.is_free(fact, &name);
            let value = fact.data.remove(&name).unwrap_or_default();
            let is_them = value.as_str() == Some(self.contact);
            if !is_free || is_them || value.is_number() || value.is_boolean() {
                kept.insert(name, value);
            }
        }
        fact.data = kept;
    }

    /// Whether a field holds what people wrote: text, an address, or what nobody declared.
    fn is_free(&self, fact: &Fact, name: &str) -> bool {
        let Some(program) = self.program else {
            return true;
        };
        let fields = if fact.kind.starts_with("contact.") {
            &program.schema.contact.fields
        } else {
            match program.schema.events.get(&fact.kind) {
                Some(event) => &event.fields,
                None => return true,
            }
        };
        fields.get(name).is_none_or(is_text)
    }
}

fn is_text(field: &Field) -> bool {
    match field.kind {
        FieldType::Text | FieldType::Email | FieldType::Contact => true,
        FieldType::Number
        | FieldType::Percent
        | FieldType::Money
        | FieldType::Date
        | FieldType::Time
        | FieldType::Boolean
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Csm
        | FieldType::Pick(_) => false,
    }
}

fn leaves<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| leaves(field, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
