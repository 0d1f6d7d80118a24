//! The rules of one fact that need no schema, and its canonical form.

use crate::envelope::{Attribute, Envelope};
use crate::refuse::{parked, words};
use crate::{
    ID_CHARS_MAX, Refused, SOURCE_CHARS_MAX, SUBJECT_CHARS_MAX, TYPE_CHARS_MAX, Unreadable,
};
use jiff::Timestamp;
use model::fact::{CONTROL_PREFIX, HISTORY_ENDED, SUPPRESSED, TICK, UNSUPPRESSED};
use model::{AccountId, ParkCode, Parked};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What depends on where facts come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Under the log clock control facts may come from outside.
    pub is_log_clock: bool,
    /// Every fact tells how things stood before Sottaku watched (`import` without `--as news`).
    pub marks_history: bool,
}

/// A fact that may enter the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFact {
    /// Its canonical CloudEvent.
    pub json: Box<str>,
    /// The account it is about; none: it goes to every shard.
    pub account: Option<AccountId>,
    /// Its type.
    pub kind: Box<str>,
}

/// Answers to what the engine said, which may come from outside.
const ANSWERS: [&str; 11] = [
    "task.approved",
    "task.rejected",
    "task.done",
    "task.snoozed",
    "task.reassigned",
    "message.delivered",
    "message.bounced",
    "message.complained",
    "message.replied",
    "message.clicked",
    "message.opened",
];
const RESERVED: [&str; 5] = ["message.", "task.", "risk.", "health.", "workflow."];

/// From 1970 to the end of 2199.
const SECONDS: std::ops::Range<i64> = 0..7_258_118_400;

/// Reads one fact from its JSON text. The outer error: not JSON at all.
pub fn decode_one(text: &str, rules: Rules) -> Result<Result<NewFact, Refused>, Unreadable> {
    let refuse = |parked: Parked| {
        let column = column(text, parked.field.as_deref());
        Refused {
            index: 0,
            parked,
            raw: text.into(),
            column,
        }
    };
    match serde_json::from_str::<Envelope<'_>>(text) {
        Ok(envelope) => Ok(check(envelope, rules).map_err(refuse)),
        Err(error) => {
            // Sound JSON that can't be a fact is parked; what is not JSON is not readable.
            serde_json::from_str::<IgnoredAny>(text)
                .map_err(|error| Unreadable::json(&error, 1))?;
            let code = if text.trim_start().starts_with('{') {
                ParkCode::BadData
            } else {
                ParkCode::BadEnvelope
            };
            Ok(Err(Refused {
                column: text
                    .get(..error.column())
                    .map_or(1, |before| before.chars().count().max(1)),
                ..refuse(parked(code, None, words(&error)))
            }))
        }
    }
}

/// Where the attribute or key `field` stands, in characters from 1.
fn column(text: &str, field: Option<&str>) -> usize {
    field
        .and_then(|field| text.find(&format!("\"{field}\"")))
        .map_or(1, |at| text[..at].chars().count() + 1)
}

#[derive(Serialize)]
struct Canonical<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sottakuhistory: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

/// Checks an envelope and writes its canonical form.
pub(crate) fn check(mut envelope: Envelope<'_>, rules: Rules) -> Result<NewFact, Parked> {
    if let Some(refusal) = envelope.refusal.take() {
        return Err(refusal);
    }
    match envelope.take("specversion") {
        Attribute::Text(text) if text == "1.0" => {}
        Attribute::Absent | Attribute::Text(_) | Attribute::Bool(_) | Attribute::Other => {
            let message = "specversion must be \"1.0\"";
            return Err(parked(ParkCode::BadEnvelope, Some("specversion"), message));
        }
    }
    let id = name(&mut envelope, "id", ID_CHARS_MAX)?;
    let source = name(&mut envelope, "source", SOURCE_CHARS_MAX)?;
    let kind = name(&mut envelope, "type", TYPE_CHARS_MAX)?;
    kind_allowed(&kind, rules)?;
    content_type(&mut envelope)?;
    let time = time(&mut envelope)?;
    let is_history = history(&mut envelope)? || rules.marks_history;
    let subject = subject(&mut envelope, &kind)?;
    if let Some(refusal) = envelope.data.refusal.take() {
        return Err(refusal);
    }
    let data = raw(envelope.data.text)?;
    let canonical = Canonical {
        specversion: "1.0",
        id: &id,
        source: &source,
        kind: &kind,
        subject: subject.as_deref(),
        time,
        sottakuhistory: is_history && !kind.starts_with(CONTROL_PREFIX),
        data: data.as_deref(),
    };
    let json = serde_json::to_string(&canonical)
        .map_err(|error| parked(ParkCode::BadData, None, words(&error)))?;
    let is_everywhere = matches!(&*kind, "csm.updated" | "csm.deleted");
    Ok(NewFact {
        json: json.into(),
        account: subject.filter(|_| !is_everywhere).map(AccountId::new),
        kind: kind.into(),
    })
}

fn raw(text: Vec<u8>) -> Result<Option<Box<RawValue>>, Parked> {
    if text.is_empty() {
        return Ok(None);
    }
    let bad = |what: &str| parked(ParkCode::BadData, Some("data"), what);
    let text = String::from_utf8(text).map_err(|_| bad("data is not UTF-8"))?;
    RawValue::from_string(text)
        .map(Some)
        .map_err(|error| bad(&words(&error)))
}

/// A required attribute of 1 to `chars_max` characters without control characters.
fn name(envelope: &mut Envelope<'_>, attribute: &str, chars_max: usize) -> Result<String, Parked> {
    let bad = |what: String| parked(ParkCode::BadEnvelope, Some(attribute), what);
    let text = match envelope.take(attribute) {
        Attribute::Text(text) => text,
        Attribute::Absent => return Err(bad(format!("the attribute {attribute} is missing"))),
        Attribute::Bool(_) | Attribute::Other => {
            return Err(bad(format!("{attribute} must be a string")));
        }
    };
    if text.is_empty() || text.chars().count() > chars_max {
        return Err(bad(format!(
            "{attribute} must have 1 to {chars_max} characters"
        )));
    }
    let is_bad = |c: char| c.is_control() || (attribute == "type" && c.is_whitespace());
    if text.contains(is_bad) {
        return Err(bad(format!(
            "{attribute} holds a control character or white space"
        )));
    }
    Ok(text.into_owned())
}

fn kind_allowed(kind: &str, rules: Rules) -> Result<(), Parked> {
    let bad = |message: String| Err(parked(ParkCode::ReservedType, Some("type"), message));
    if kind.starts_with(CONTROL_PREFIX) {
        if !rules.is_log_clock {
            return bad(format!(
                "{kind} is told by Sottaku itself; from outside only under --clock log"
            ));
        }
        if kind != TICK && kind != HISTORY_ENDED {
            return bad(format!(
                "there is no control fact {kind}; there are {TICK} and {HISTORY_ENDED}"
            ));
        }
        return Ok(());
    }
    if matches!(kind, SUPPRESSED | UNSUPPRESSED) {
        if !rules.is_log_clock {
            return bad(format!(
                "{kind} is told by Sottaku itself: `sottaku suppress` and `unsuppress` do it"
            ));
        }
        return Ok(());
    }
    let is_reserved =
        kind == "stage.changed" || RESERVED.iter().any(|prefix| kind.starts_with(prefix));
    if is_reserved && !ANSWERS.contains(&kind) {
        return bad(format!(
            "{kind} is the engine's own; from outside come only {}",
            ANSWERS.join(", ")
        ));
    }
    Ok(())
}

fn content_type(envelope: &mut Envelope<'_>) -> Result<(), Parked> {
    match envelope.take("datacontenttype") {
        Attribute::Absent => Ok(()),
        Attribute::Text(text) if is_json(&text) => Ok(()),
        Attribute::Text(_) | Attribute::Bool(_) | Attribute::Other => Err(parked(
            ParkCode::BadData,
            Some("datacontenttype"),
            "data must be JSON: leave datacontenttype out, or say application/json",
        )),
    }
}

fn is_json(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    let media = media.to_ascii_lowercase();
    media == "application/json" || media == "text/json" || media.ends_with("+json")
}

fn time(envelope: &mut Envelope<'_>) -> Result<Option<Timestamp>, Parked> {
    let bad = |message: &str| parked(ParkCode::BadTime, Some("time"), message);
    let text = match envelope.take("time") {
        Attribute::Absent => return Ok(None),
        Attribute::Text(text) => text,
        Attribute::Bool(_) | Attribute::Other => return Err(bad("time must be a string")),
    };
    let time = rfc3339(&text)
        .ok_or_else(|| bad("time must be RFC 3339 with an offset, as 2026-01-13T09:00:00+09:00"))?;
    if SECONDS.contains(&time.as_second()) {
        Ok(Some(time))
    } else {
        Err(bad("time must lie between 1970 and 2200"))
    }
}

/// RFC 3339 and no more: the parser beneath also takes zone names, week dates and shorter forms.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let has_shape = bytes.len() >= 20
        && bytes.len() <= 35
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[13] == b':'
        && bytes[16] == b':'
        && !bytes.contains(&b'[');
    let tail = bytes.last()?;
    let has_offset = matches!(tail, b'Z' | b'z')
        || (bytes.len() >= 25
            && bytes[bytes.len() - 3] == b':'
            && matches!(bytes[bytes.len() - 6], b'+' | b'-'));
    if has_shape && has_offset {
        text.parse().ok()
    } else {
        None
    }
}

fn history(envelope: &mut Envelope<'_>) -> Result<bool, Parked> {
    match envelope.take("sottakuhistory") {
        Attribute::Absent => Ok(false),
        Attribute::Bool(is_history) => Ok(is_history),
        Attribute::Text(_) | Attribute::Other => Err(parked(
            ParkCode::BadEnvelope,
            Some("sottakuhistory"),
            "sottakuhistory must be true or false",
        )),
    }
}

/// The subject, which control facts do without.
fn subject<'a>(envelope: &mut Envelope<'a>, kind: &str) -> Result<Option<Cow<'a, str>>, Parked> {
    let bad = |message: String| Err(parked(ParkCode::BadSubject, Some("subject"), message));
    let is_control = kind.starts_with(CONTROL_PREFIX);
    let text = match envelope.take("subject") {
        Attribute::Absent if is_control => return Ok(None),
        Attribute::Text(_) | Attribute::Bool(_) | Attribute::Other if is_control => {
            return bad(format!("{kind} goes to every shard and has no subject"));
        }
        Attribute::Text(text) => text,
        Attribute::Absent => return bad("subject is missing: it names the account".into()),
        Attribute::Bool(_) | Attribute::Other => return bad("subject must be a string".into()),
    };
    if text.is_empty() || text.chars().count() > SUBJECT_CHARS_MAX {
        return bad(format!(
            "subject must have 1 to {SUBJECT_CHARS_MAX} characters"
        ));
    }
    if text.contains(char::is_control) {
        return bad("subject holds a control character".into());
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DATA_BYTES_MAX, DATA_DEPTH_MAX, DATA_KEYS_MAX};
    use model::Fact;

    const LOG: Rules = Rules {
        is_log_clock: true,
        marks_history: false,
    };

    /// A fact with some attributes replaced (`null` takes one away).
    fn fact(changes: &str) -> String {
        let mut fact: serde_json::Value = serde_json::from_str(
            r#"{"specversion":"1.0","id":"e-1","source":"app","type":"user.logged_in","subject":"acme","time":"2026-01-13T09:00:00+09:00","data":{"user":"u1"}}"#,
        )
        .expect("the sample is JSON");
        let changes: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(changes).expect("the changes are JSON");
        for (key, value) in changes {
            fact[key] = value;
        }
        fact.to_string()
    }

    fn check_text(text: &str, rules: Rules) -> String {
        match decode_one(text, rules) {
            Ok(Ok(fact)) => format!("taken {} {:?}", fact.kind, fact.account),
            Ok(Err(refused)) => format!(
                "{} {}",
                refused.parked.code.as_str(),
                refused.parked.field.as_deref().unwrap_or("-")
            ),
            Err(unreadable) => format!("unreadable: {unreadable}"),
        }
    }

    const TAKEN: &str = r#"taken user.logged_in Some("acme")"#;

    /// Attributes changed, and what becomes of the fact.
    const CASES: &[(&str, &str)] = &[
        ("{}", TAKEN),
        (r#"{"data":null}"#, TAKEN),
        (r#"{"time":null}"#, TAKEN),
        (r#"{"time":"1970-01-01T00:00:00Z"}"#, TAKEN),
        (r#"{"time":"2199-12-31T23:59:59Z"}"#, TAKEN),
        (r#"{"sottakuhistory":true}"#, TAKEN),
        (
            r#"{"datacontenttype":"application/json; charset=utf-8"}"#,
            TAKEN,
        ),
        (
            r#"{"type":"csm.updated","subject":"c7"}"#,
            "taken csm.updated None",
        ),
        (
            r#"{"type":"task.approved"}"#,
            r#"taken task.approved Some("acme")"#,
        ),
        (r#"{"subject":""}"#, "bad_subject subject"),
        (r#"{"subject":"a\u007fb"}"#, "bad_subject subject"),
        (r#"{"subject":"a\nb"}"#, "bad_subject subject"),
        (r#"{"subject":null}"#, "bad_subject subject"),
        (r#"{"subject":7}"#, "bad_subject subject"),
        (r#"{"specversion":"0.3"}"#, "bad_envelope specversion"),
        (r#"{"specversion":null}"#, "bad_envelope specversion"),
        (r#"{"id":null}"#, "bad_envelope id"),
        (r#"{"id":""}"#, "bad_envelope id"),
        (r#"{"id":12}"#, "bad_envelope id"),
        (r#"{"source":null}"#, "bad_envelope source"),
        (r#"{"type":null}"#, "bad_envelope type"),
        (r#"{"type":"a b"}"#, "bad_envelope type"),
        (r#"{"type":"message.sent"}"#, "reserved_type type"),
        (r#"{"type":"message.settled"}"#, "reserved_type type"),
        (r#"{"type":"risk.opened"}"#, "reserved_type type"),
        (r#"{"type":"health.changed"}"#, "reserved_type type"),
        (r#"{"type":"stage.changed"}"#, "reserved_type type"),
        (r#"{"type":"workflow.ended"}"#, "reserved_type type"),
        (r#"{"type":"task.opened"}"#, "reserved_type type"),
        (
            r#"{"type":"sottaku.tick","subject":null}"#,
            "reserved_type type",
        ),
        (r#"{"time":"2026-01-13T09:00:00"}"#, "bad_time time"),
        (r#"{"time":"2026-01-13"}"#, "bad_time time"),
        (
            r#"{"time":"2026-01-13T09:00:00+09:00[Asia/Tokyo]"}"#,
            "bad_time time",
        ),
        (r#"{"time":"2026-02-30T09:00:00Z"}"#, "bad_time time"),
        (r#"{"time":1768262400}"#, "bad_time time"),
        (r#"{"time":"1969-12-31T23:59:59Z"}"#, "bad_time time"),
        (r#"{"time":"2200-01-01T00:00:00Z"}"#, "bad_time time"),
        (r#"{"time":"9999-12-31T23:59:59Z"}"#, "bad_time time"),
        (
            r#"{"sottakuhistory":"true"}"#,
            "bad_envelope sottakuhistory",
        ),
        (r#"{"data":[1]}"#, "bad_data data"),
        (r#"{"data":"x"}"#, "bad_data data"),
        (r#"{"data_base64":"eA=="}"#, "bad_data data_base64"),
        (
            r#"{"datacontenttype":"text/xml"}"#,
            "bad_data datacontenttype",
        ),
    ];

    #[test]
    fn every_kind_of_bad_fact_has_its_named_refusal() {
        for (changes, expected) in CASES {
            assert_eq!(
                check_text(&fact(changes), Rules::default()),
                *expected,
                "{changes}"
            );
        }
    }

    #[test]
    fn names_are_bounded_at_their_edges() {
        for (attribute, chars_max, refusal) in [
            ("subject", SUBJECT_CHARS_MAX, "bad_subject subject"),
            ("id", ID_CHARS_MAX, "bad_envelope id"),
            ("source", SOURCE_CHARS_MAX, "bad_envelope source"),
            ("type", TYPE_CHARS_MAX, "bad_envelope type"),
        ] {
            let of = |chars: usize| {
                let changes = format!(r#"{{"{attribute}":"{}"}}"#, "あ".repeat(chars));
                check_text(&fact(&changes), Rules::default())
            };
            assert!(of(chars_max).starts_with("taken "), "{attribute}");
            assert_eq!(of(chars_max + 1), refusal);
        }
    }

    #[test]
    fn what_is_not_an_object_or_says_a_thing_twice_is_named() {
        let doubled = fact("{}").replace(r#""id":"e-1""#, r#""id":"e-1","id":"e-2""#);
        let twice = fact("{}").replace(r#"{"user":"u1"}"#, r#"{"user":"u1","user":"u2"}"#);
        let deep_twice = fact("{}").replace(r#"{"user":"u1"}"#, r#"{"a":[{"k":1,"b":2,"k":3}]}"#);
        let huge = fact("{}").replace(r#""u1""#, "1e400");
        let lone = fact("{}").replace(r#""u1""#, r#""\ud800""#);
        for (text, expected) in [
            (doubled.as_str(), "bad_envelope id"),
            (&twice, "bad_data user"),
            (&deep_twice, "bad_data k"),
            (&huge, "bad_data -"),
            (&lone, "bad_data -"),
            ("[1]", "bad_envelope -"),
            (
                "{\"id\":",
                "unreadable: line 1, column 6: not JSON: EOF while parsing a value",
            ),
        ] {
            assert_eq!(check_text(text, Rules::default()), expected, "{text}");
        }
    }

    #[test]
    fn under_the_log_clock_the_two_control_facts_come_in() {
        for (changes, expected) in [
            (
                r#"{"type":"sottaku.tick","subject":null}"#,
                "taken sottaku.tick None",
            ),
            (
                r#"{"type":"sottaku.history_ended","subject":null}"#,
                "taken sottaku.history_ended None",
            ),
            (r#"{"type":"sottaku.tick"}"#, "bad_subject subject"),
            (
                r#"{"type":"sottaku.other","subject":null}"#,
                "reserved_type type",
            ),
        ] {
            assert_eq!(check_text(&fact(changes), LOG), expected, "{changes}");
        }
    }

    #[test]
    fn data_is_bounded_at_its_edges() {
        let nested = |levels: usize| {
            format!(
                r#"{{"data":{}1{}}}"#,
                r#"{"a":"#.repeat(levels),
                "}".repeat(levels)
            )
        };
        let keys = |count: usize| {
            let keys: Vec<_> = (0..count).map(|key| format!(r#""k{key}":1"#)).collect();
            format!(r#"{{"data":{{{}}}}}"#, keys.join(","))
        };
        let bytes = |count: usize| {
            format!(
                r#"{{"data":{{"a":"{}"}}}}"#,
                "x".repeat(count - r#"{"a":""}"#.len())
            )
        };
        let taken = r#"taken user.logged_in Some("acme")"#;
        for (changes, expected) in [
            (nested(DATA_DEPTH_MAX), taken),
            (nested(DATA_DEPTH_MAX + 1), "too_large data"),
            (keys(DATA_KEYS_MAX), taken),
            (keys(DATA_KEYS_MAX + 1), "too_large data"),
            (bytes(DATA_BYTES_MAX), taken),
            (bytes(DATA_BYTES_MAX + 1), "too_large data"),
        ] {
            assert_eq!(check_text(&fact(&changes), Rules::default()), expected);
        }
        let abyss = format!(
            r#"{{"x":{}{},"data":{}{}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000),
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(
            check_text(&abyss, Rules::default()),
            "bad_envelope specversion"
        );
    }

    #[test]
    fn the_canonical_form_is_read_back_as_the_fact() {
        let text = r#" {"data": {"b": [1, 2.50, -3, true, null, "\u30a2\n"], "a": {}}, "traceparent": {"x": 1},
            "type": "user.logged_in", "id": "e\"1", "source": "app", "subject": "ac\u006de", "specversion": "1.0",
            "sottakuhistory": true, "sottakuarrived": "2026-01-01T00:00:00Z", "time": "2026-01-13T09:00:00.5+09:00"} "#;
        let fact = decode_one(text, Rules::default())
            .expect("it is JSON")
            .expect("it is a fact");
        assert_eq!(
            &*fact.json,
            r#"{"specversion":"1.0","id":"e\"1","source":"app","type":"user.logged_in","subject":"acme","time":"2026-01-13T00:00:00.5Z","sottakuhistory":true,"data":{"b":[1,2.5,-3,true,null,"ア\n"],"a":{}}}"#
        );
        let read: Fact = serde_json::from_str(&fact.json).expect("the engine reads it");
        assert_eq!(
            serde_json::to_string(&read).expect("it is written"),
            *fact.json
        );
    }

    #[test]
    fn import_marks_facts_as_history() {
        let rules = Rules {
            marks_history: true,
            ..Rules::default()
        };
        let fact = decode_one(&fact("{}"), rules)
            .expect("it is JSON")
            .expect("it is a fact");
        assert!(fact.json.contains(r#""sottakuhistory":true"#));
    }
}
