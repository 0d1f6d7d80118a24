//! What a record comes to: opened, mapped, checked like any other fact; or why not.

use engine::source::{Origin, Said, map};
use ingest::{NewFact, Rules, decode_one, topic};
use jiff::Timestamp;
use model::topic::RawRecord;
use model::{ParkCode, Parked};
use serde_json::json;
use store::NewParked;
use workflow::Program;

/// The most bytes of a record that are put aside with it.
const PARKED_BYTES_MAX: usize = 256 * 1024;

/// What a record comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// A fact.
    Fact(NewFact),
    /// Nothing, and why.
    Nothing(&'static str),
    /// It can't be used; with what is kept of it.
    Refused(Parked, Box<str>),
}

/// What a record comes to by the mapping of its source.
pub(crate) fn turn(program: &Program, origin: &Origin<'_>, raw: &RawRecord) -> Outcome {
    let opened = match topic::open(origin.source.format, raw) {
        Ok(Some(opened)) => opened,
        Ok(None) => return Outcome::Nothing("it has no value: a tombstone, or a mark"),
        Err(why) => return Outcome::Refused(why, kept(origin, raw)),
    };
    let event = match map(program, origin, &opened) {
        Ok(Said::Fact(event)) => event.to_string(),
        Ok(Said::Nothing(why)) => return Outcome::Nothing(why),
        Err(why) => return Outcome::Refused(why, kept(origin, raw)),
    };
    // Control facts come from no topic, whichever clock decides.
    match decode_one(&event, Rules::default()) {
        Ok(Ok(fact)) => Outcome::Fact(fact),
        Ok(Err(refused)) => Outcome::Refused(refused.parked, refused.raw),
        Err(why) => {
            let parked = Parked {
                code: ParkCode::BadData,
                message: why.to_string().into(),
                field: None,
            };
            Outcome::Refused(parked, kept(origin, raw))
        }
    }
}

/// A record that could not be used, as it is put aside.
pub(super) fn parked(why: Parked, json: Box<str>, at: Timestamp) -> NewParked {
    NewParked {
        at,
        place: None,
        account: None,
        parked: why,
        json,
    }
}

/// What is kept of a record: where it stands, and what it said.
fn kept(origin: &Origin<'_>, raw: &RawRecord) -> Box<str> {
    let text = |bytes: &[u8]| {
        let bytes = &bytes[..bytes.len().min(PARKED_BYTES_MAX)];
        String::from_utf8_lossy(bytes).into_owned()
    };
    let headers = raw.headers.iter();
    let headers: serde_json::Map<_, _> = headers
        .map(|(name, value)| (name.to_string(), text(value).into()))
        .collect();
    json!({
        "source": origin.name, "topic": raw.topic, "partition": raw.partition, "offset": raw.offset, "at": raw.at,
        "key": raw.key.as_deref().map(text), "headers": headers, "value": raw.value.as_deref().map(text),
    })
    .to_string()
    .into()
}
