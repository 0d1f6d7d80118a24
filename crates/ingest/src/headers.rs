//! Binary mode: attributes in `ce-` headers, `data` as the body.

use crate::canonical::Walk;
use crate::check::check;
use crate::envelope::{Attribute, Envelope};
use crate::refuse::{parked, words};
use crate::{NewFact, Refused, Rules, Unreadable};
use model::{ParkCode, Parked};
use serde::de::{DeserializeSeed, IgnoredAny};
use std::borrow::Cow;

/// Reads the one fact that `headers` and `body` make together.
pub(crate) fn decode_binary(
    headers: &[(&str, &[u8])],
    body: &str,
    rules: Rules,
) -> Result<Result<NewFact, Refused>, Unreadable> {
    let refuse = |parked: Parked| Refused {
        index: 0,
        parked,
        raw: raw(headers, body).into(),
        column: 1,
    };
    let mut envelope = match attributes(headers) {
        Ok(envelope) => envelope,
        Err(parked) => return Ok(Err(refuse(parked))),
    };
    if !body.trim_ascii().is_empty() {
        let mut parser = serde_json::Deserializer::from_str(body);
        let walked = Walk {
            data: &mut envelope.data,
            depth: 1,
        }
        .deserialize(&mut parser)
        .and_then(|()| parser.end());
        if let Err(error) = walked {
            serde_json::from_str::<IgnoredAny>(body)
                .map_err(|error| Unreadable::json(&error, 1))?;
            let parked = parked(ParkCode::BadData, Some("data"), words(&error));
            return Ok(Err(refuse(parked)));
        }
    }
    Ok(check(envelope, rules).map_err(refuse))
}

fn attributes<'a>(headers: &[(&str, &[u8])]) -> Result<Envelope<'a>, Parked> {
    let mut envelope = Envelope::default();
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        let Some(name) = lower.strip_prefix("ce-") else {
            continue;
        };
        let text = decoded(value).ok_or_else(|| {
            let message = format!("the header ce-{name} is not percent-encoded UTF-8");
            parked(ParkCode::BadEnvelope, Some(name), message)
        })?;
        let value = match (name, text.as_str()) {
            ("sottakuhistory", "true") => Attribute::Bool(true),
            ("sottakuhistory", "false") => Attribute::Bool(false),
            _ => Attribute::Text(Cow::Owned(text)),
        };
        envelope.set(name, value);
    }
    Ok(envelope)
}

/// A header's value: an outer pair of quotes is taken off, then `%xx` become bytes.
fn decoded(value: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = unquoted(value);
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
        if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).ok()
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => inner,
        _ => value,
    }
}

/// The fact as it came, in structured form, so that it can be kept and shown.
fn raw(headers: &[(&str, &[u8])], body: &str) -> String {
    let mut object = serde_json::Map::new();
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        if let Some(name) = lower.strip_prefix("ce-") {
            let text =
                decoded(value).unwrap_or_else(|| String::from_utf8_lossy(value).into_owned());
            object.insert(name.to_owned(), text.into());
        }
    }
    let data = serde_json::from_str(body).unwrap_or(serde_json::Value::Null);
    object.insert("data".to_owned(), data);
    serde_json::Value::Object(object).to_string()
}
