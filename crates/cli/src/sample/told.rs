//! A generated fact, on its way to a line of NDJSON.

use jiff::Timestamp;
use model::Fact;

/// A fact with the instant by which it is sorted.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// When it happened.
    pub(crate) at: Timestamp,
    /// The fact.
    pub(crate) fact: Fact,
}

/// A fact of the generated world.
pub(crate) fn fact(
    at: Timestamp,
    id: &str,
    kind: &str,
    subject: &str,
    data: serde_json::Value,
) -> Told {
    let data = match data {
        serde_json::Value::Object(map) => map,
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_)
        | serde_json::Value::Array(_) => serde_json::Map::new(),
    };
    let fact = Fact {
        specversion: "1.0".into(),
        id: id.into(),
        source: "sample".into(),
        kind: kind.into(),
        subject: Some(subject.into()),
        time: Some(at),
        is_history: false,
        arrived_at: None,
        data,
    };
    Told { at, fact }
}
