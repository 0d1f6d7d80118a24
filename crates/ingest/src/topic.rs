//! Records of somebody else's topic, opened: JSON, CloudEvents by the Kafka binding, row changes of Debezium.

use crate::refuse::{parked, words};
use jiff::Timestamp;
use model::topic::{RawRecord, RowChange, TopicFormat, TopicRecord};
use model::{ParkCode, Parked};
use serde_json::{Map, Value as Json};

/// The media type of a CloudEvent that is whole in itself.
const STRUCTURED: &str = "application/cloudevents+json";
/// The prefix of a CloudEvent's attributes among the headers.
const ATTRIBUTE: &str = "ce_";

/// A record whose parts can be asked for; none: it says nothing (a tombstone, a mark of the connector).
pub fn open(format: TopicFormat, raw: &RawRecord) -> Result<Option<TopicRecord>, Parked> {
    let Some(value) = raw.value.as_deref() else {
        // A CloudEvent without data has its attributes all the same.
        if format != TopicFormat::CloudEvents || header(raw, "ce_specversion").is_none() {
            return Ok(None);
        }
        return cloud_event(raw, &[]).map(|event| Some(opened(raw, event)));
    };
    match format {
        TopicFormat::Json => {
            let record = unwrapped(object(value)?);
            Ok(record.map(|record| opened(raw, record)))
        }
        TopicFormat::CloudEvents => cloud_event(raw, value).map(|event| Some(opened(raw, event))),
        TopicFormat::Debezium => row(raw, value),
    }
}

fn opened(raw: &RawRecord, record: Json) -> TopicRecord {
    let texts = raw.headers.iter().map(|(name, value)| {
        let text = String::from_utf8_lossy(value).into_owned();
        (name.to_string(), Json::String(text))
    });
    TopicRecord {
        topic: raw.topic.clone(),
        partition: raw.partition,
        offset: raw.offset,
        at: raw.at,
        key: key(raw.key.as_deref()),
        headers: texts.collect(),
        record,
        before: Json::Null,
        change: None,
        time: None,
    }
}

/// A key is JSON where it is an object, else text; what is neither is not there.
fn key(bytes: Option<&[u8]>) -> Json {
    let Some(text) = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        return Json::Null;
    };
    match serde_json::from_str(text) {
        Ok(Json::Object(object)) => unwrapped(Json::Object(object)).unwrap_or(Json::Null),
        // A converter for JSON writes a text with its quotes.
        Ok(Json::String(text)) => Json::String(text),
        Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_)) | Err(_) => {
            Json::String(text.to_owned())
        }
    }
}

fn json(value: &[u8]) -> Result<Json, Parked> {
    serde_json::from_slice(value).map_err(|error| {
        let message = format!("the record is not JSON: {}", words(&error));
        parked(ParkCode::BadData, None, message)
    })
}

fn object(value: &[u8]) -> Result<Json, Parked> {
    let value = json(value)?;
    if value.is_object() || value.is_null() {
        return Ok(value);
    }
    let message = "the record is JSON, but no object: there are no fields to read";
    Err(parked(ParkCode::BadData, None, message))
}

/// Takes the schema off that a converter put around it; none: it says null.
fn unwrapped(value: Json) -> Option<Json> {
    let Json::Object(mut object) = value else {
        return (!value.is_null()).then_some(value);
    };
    let is_wrapped =
        object.len() == 2 && object.contains_key("schema") && object.contains_key("payload");
    if !is_wrapped {
        return Some(Json::Object(object));
    }
    object
        .remove("payload")
        .filter(|payload| !payload.is_null())
}

fn header<'r>(raw: &'r RawRecord, name: &str) -> Option<&'r str> {
    let found = raw.headers.iter().rev();
    let mut found = found.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    std::str::from_utf8(&found.next()?.1).ok()
}

/// A CloudEvent in either mode, as one object.
fn cloud_event(raw: &RawRecord, value: &[u8]) -> Result<Json, Parked> {
    let media = header(raw, "content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    let is_binary = header(raw, "ce_specversion").is_some();
    if media.eq_ignore_ascii_case(STRUCTURED) || !is_binary {
        let event = json(value)?;
        if event.get("specversion").is_some() {
            return Ok(event);
        }
        let message =
            "the record is no CloudEvent: neither its headers nor its object have a `specversion`";
        return Err(parked(ParkCode::BadEnvelope, Some("specversion"), message));
    }
    let mut event = Map::new();
    for (name, value) in &raw.headers {
        let name = name.to_ascii_lowercase();
        let Some(name) = name.strip_prefix(ATTRIBUTE) else {
            continue;
        };
        let Ok(text) = std::str::from_utf8(value) else {
            let message = format!("the header ce_{name} is not UTF-8");
            return Err(parked(ParkCode::BadEnvelope, Some(name), message));
        };
        let value = match (name, text) {
            ("sottakuhistory", "true") => Json::Bool(true),
            ("sottakuhistory", "false") => Json::Bool(false),
            _ => Json::String(text.to_owned()),
        };
        event.insert(name.to_owned(), value);
    }
    let is_json = media.is_empty() || media.ends_with("/json") || media.ends_with("+json");
    if !value.is_empty() {
        if !is_json {
            let message = format!("the data are {media}, and only JSON is read");
            return Err(parked(ParkCode::BadData, Some("content-type"), message));
        }
        event.insert("data".to_owned(), json(value)?);
    }
    Ok(Json::Object(event))
}

/// A change of a row.
fn row(raw: &RawRecord, value: &[u8]) -> Result<Option<TopicRecord>, Parked> {
    let Some(Json::Object(mut envelope)) = unwrapped(object(value)?) else {
        return Ok(None);
    };
    let Some(op) = envelope.get("op").and_then(Json::as_str) else {
        let message = "the record has no `op`: it is no envelope of Debezium. Rows that a transform flattened are `format: json`";
        return Err(parked(ParkCode::BadEnvelope, Some("op"), message));
    };
    // Truncations and messages are about no row.
    let Some(change) = RowChange::parse(op) else {
        return Ok(None);
    };
    let source = envelope
        .get("source")
        .and_then(|source| source.get("ts_ms"));
    let millis = source
        .or_else(|| envelope.get("ts_ms"))
        .and_then(Json::as_i64);
    let time = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let before = envelope.remove("before").unwrap_or(Json::Null);
    let after = envelope.remove("after").unwrap_or(Json::Null);
    let mut record = opened(raw, Json::Null);
    record.record = match change {
        // A table may tell no more of a deleted row than its key.
        RowChange::Deleted if before.is_null() => record.key.clone(),
        RowChange::Deleted => before.clone(),
        RowChange::Read | RowChange::Created | RowChange::Updated => after,
    };
    if !record.record.is_object() {
        let message = "the change has no row: neither `after`, `before` nor the key is an object";
        return Err(parked(ParkCode::BadEnvelope, Some("after"), message));
    }
    record.before = before;
    record.change = Some(change);
    record.time = time;
    Ok(Some(record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn raw(key: Option<&str>, value: Option<Json>, headers: &[(&str, &str)]) -> RawRecord {
        let bytes = |text: String| text.into_bytes().into_boxed_slice();
        RawRecord {
            topic: "t".into(),
            partition: 1,
            offset: 7,
            at: Timestamp::UNIX_EPOCH,
            key: key.map(|key| bytes(key.to_owned())),
            value: value.map(|value| bytes(value.to_string())),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), bytes((*value).to_owned())))
                .collect(),
        }
    }

    fn record(format: TopicFormat, raw: &RawRecord) -> TopicRecord {
        open(format, raw)
            .expect("it is read")
            .expect("it says something")
    }

    #[test]
    fn a_tombstone_says_nothing_in_any_format() {
        for format in [
            TopicFormat::Json,
            TopicFormat::CloudEvents,
            TopicFormat::Debezium,
        ] {
            assert_eq!(open(format, &raw(Some("k"), None, &[])), Ok(None));
        }
        let wrapped = json!({"schema": {}, "payload": null});
        assert_eq!(
            open(TopicFormat::Debezium, &raw(None, Some(wrapped), &[])),
            Ok(None)
        );
    }

    #[test]
    fn keys_are_texts_or_objects_with_and_without_their_schema() {
        for (key, read) in [
            ("acme", json!("acme")),
            ("\"acme\"", json!("acme")),
            ("42", json!("42")),
            ("{\"id\":7}", json!({"id": 7})),
            ("{\"schema\":{},\"payload\":{\"id\":7}}", json!({"id": 7})),
        ] {
            let raw = raw(Some(key), Some(json!({})), &[]);
            assert_eq!(record(TopicFormat::Json, &raw).key, read, "{key}");
        }
    }

    #[test]
    fn both_modes_of_a_cloud_event_are_one_object() {
        let whole = json!({"specversion": "1.0", "id": "1", "source": "app", "type": "a.b", "data": {"x": 1}});
        let structured = [(
            "content-type",
            "application/cloudevents+json; charset=UTF-8",
        )];
        let binary = [
            ("ce_specversion", "1.0"),
            ("ce_id", "1"),
            ("ce_source", "app"),
            ("ce_type", "a.b"),
            ("content-type", "application/json"),
        ];
        for (value, headers) in [
            (whole.clone(), &structured[..]),
            (whole.clone(), &[][..]),
            (json!({"x": 1}), &binary[..]),
        ] {
            let raw = raw(None, Some(value), headers);
            assert_eq!(record(TopicFormat::CloudEvents, &raw).record, whole);
        }
        let refused = open(TopicFormat::CloudEvents, &raw(None, Some(json!({})), &[]));
        assert_eq!(refused.expect_err("no event").code, ParkCode::BadEnvelope);
        let avro = [
            ("ce_specversion", "1.0"),
            ("content-type", "application/avro"),
        ];
        let refused = open(TopicFormat::CloudEvents, &raw(None, Some(json!({})), &avro));
        assert_eq!(refused.expect_err("no JSON").code, ParkCode::BadData);
    }

    #[test]
    fn a_row_change_tells_its_row_with_and_without_its_schema() {
        let change = |op: &str, before: Json, after: Json| json!({"op": op, "before": before, "after": after, "source": {"ts_ms": 1000}, "ts_ms": 2000});
        let (old, new) = (json!({"id": 1, "name": "a"}), json!({"id": 1, "name": "b"}));
        for (op, before, after, row, what) in [
            ("r", json!(null), new.clone(), &new, RowChange::Read),
            ("c", json!(null), new.clone(), &new, RowChange::Created),
            ("u", old.clone(), new.clone(), &new, RowChange::Updated),
            ("d", old.clone(), json!(null), &old, RowChange::Deleted),
        ] {
            let bare = change(op, before, after);
            let wrapped = json!({"schema": {"type": "struct"}, "payload": bare.clone()});
            for value in [bare, wrapped] {
                let record = record(TopicFormat::Debezium, &raw(None, Some(value), &[]));
                assert_eq!((&record.record, record.change), (row, Some(what)));
                assert_eq!(record.time, Timestamp::from_second(1).ok());
            }
        }
        let gone = raw(
            Some("{\"id\":1}"),
            Some(change("d", json!(null), json!(null))),
            &[],
        );
        assert_eq!(
            record(TopicFormat::Debezium, &gone).record,
            json!({"id": 1})
        );
        let truncated = raw(None, Some(change("t", json!(null), json!(null))), &[]);
        assert_eq!(open(TopicFormat::Debezium, &truncated), Ok(None));
        let flat = open(TopicFormat::Debezium, &raw(None, Some(new), &[]));
        assert!(
            flat.expect_err("no envelope")
                .message
                .contains("format: json")
        );
    }

    #[test]
    fn what_is_no_object_is_refused_and_not_read_half() {
        for bytes in [&b"{\"a\":"[..], b"\xff\xfe", b"[1]", b"7"] {
            let mut raw = raw(None, None, &[]);
            raw.value = Some(bytes.into());
            for format in [
                TopicFormat::Json,
                TopicFormat::CloudEvents,
                TopicFormat::Debezium,
            ] {
                assert!(open(format, &raw).is_err(), "{bytes:?}");
            }
        }
    }
}
