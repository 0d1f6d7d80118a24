//! Bodies of `POST /v1/events` in their four forms.

use crate::headers::decode_binary;
use crate::{NewFact, Refused, Rules, Unreadable, decode_one};
use serde_json::value::RawValue;

/// How facts lie in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/cloudevents+json`: one.
    Structured,
    /// `application/cloudevents-batch+json`: an array.
    Batch,
    /// `application/json` with `ce-` headers: the body is `data`.
    Binary,
    /// `application/x-ndjson`: one a line.
    Lines,
}

impl Form {
    /// The form of a content type; none: it is not taken.
    pub fn of(content_type: &str, has_attributes: bool) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let is_utf8 = parts
            .filter_map(|part| part.split_once('='))
            .filter(|(key, _)| key.trim().eq_ignore_ascii_case("charset"))
            .all(|(_, charset)| {
                matches!(
                    charset
                        .trim()
                        .trim_matches('"')
                        .to_ascii_lowercase()
                        .as_str(),
                    "utf-8" | "utf8" | "us-ascii"
                )
            });
        match media.as_str() {
            _ if !is_utf8 => None,
            "application/cloudevents+json" => Some(Self::Structured),
            "application/cloudevents-batch+json" => Some(Self::Batch),
            "application/json" if has_attributes => Some(Self::Binary),
            "application/x-ndjson" => Some(Self::Lines),
            _ => None,
        }
    }
}

/// Reads a body: each fact, or its refusal, in order. `headers` matter in binary mode only.
pub fn decode(
    form: Form,
    headers: &[(&str, &[u8])],
    body: &[u8],
    rules: Rules,
) -> Result<Vec<Result<NewFact, Refused>>, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|error| Unreadable::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match form {
        Form::Structured => structured(text, rules),
        Form::Batch => batch(text, rules),
        Form::Binary => decode_binary(headers, text, rules).map(|item| vec![item]),
        Form::Lines => lines(text, rules),
    }
}

fn structured(text: &str, rules: Rules) -> Result<Vec<Result<NewFact, Refused>>, Unreadable> {
    let item = decode_one(text, rules)?;
    if !text.trim_start().starts_with('{') {
        let expected = "one CloudEvent, which is an object";
        return Err(Unreadable::WrongShape { expected });
    }
    Ok(vec![item])
}

fn batch(text: &str, rules: Rules) -> Result<Vec<Result<NewFact, Refused>>, Unreadable> {
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            Unreadable::WrongShape {
                expected: "an array of CloudEvents",
            }
        } else {
            Unreadable::json(&error, 1)
        }
    })?;
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| decode_one(item.get(), rules).map(|item| numbered(item, index)))
        .collect()
}

fn lines(text: &str, rules: Rules) -> Result<Vec<Result<NewFact, Refused>>, Unreadable> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .enumerate()
        .map(|(index, (number, line))| {
            let item =
                decode_one(line, rules).map_err(|unreadable| unreadable.on_line(number + 1))?;
            Ok(numbered(item, index))
        })
        .collect()
}

fn numbered(item: Result<NewFact, Refused>, index: usize) -> Result<NewFact, Refused> {
    item.map_err(|refused| Refused { index, ..refused })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"specversion":"1.0","id":"e-1","source":"app","type":"user.logged_in","subject":"acme","data":{"user":"u1"}}"#;

    fn told(form: Form, headers: &[(&str, &[u8])], body: &[u8]) -> String {
        match decode(form, headers, body, Rules::default()) {
            Err(unreadable) => unreadable.to_string(),
            Ok(items) => items
                .iter()
                .map(|item| match item {
                    Ok(fact) => {
                        "taken".to_owned()
                            + fact.account.as_ref().map_or("", |account| account.as_str())
                    }
                    Err(refused) => format!("{}:{}", refused.index, refused.parked.code.as_str()),
                })
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    #[test]
    fn content_types_name_their_form() {
        for (content_type, has_attributes, form) in [
            (
                "application/cloudevents+json",
                false,
                Some(Form::Structured),
            ),
            (
                "Application/CloudEvents+JSON; charset=UTF-8",
                false,
                Some(Form::Structured),
            ),
            (
                "application/cloudevents+json; charset=shift_jis",
                false,
                None,
            ),
            (
                "application/cloudevents-batch+json",
                false,
                Some(Form::Batch),
            ),
            ("application/json", true, Some(Form::Binary)),
            ("application/json", false, None),
            ("application/x-ndjson", false, Some(Form::Lines)),
            ("text/plain", false, None),
            ("", false, None),
        ] {
            assert_eq!(
                Form::of(content_type, has_attributes),
                form,
                "{content_type}"
            );
        }
    }

    #[test]
    fn one_bad_fact_does_not_stop_the_others() {
        let bad = ONE.replace("acme", "");
        let batch = format!("[{ONE},{bad},{ONE}, 7]");
        assert_eq!(
            told(Form::Batch, &[], batch.as_bytes()),
            "takenacme 1:bad_subject takenacme 3:bad_envelope"
        );
        let lines = format!("\u{feff}{ONE}\r\n\n{bad}\n{ONE}");
        assert_eq!(
            told(Form::Lines, &[], lines.as_bytes()),
            "takenacme 1:bad_subject takenacme"
        );
        assert_eq!(told(Form::Structured, &[], bad.as_bytes()), "0:bad_subject");
        assert_eq!(told(Form::Batch, &[], b"[]"), "");
    }

    #[test]
    fn a_body_that_is_not_readable_is_refused_whole() {
        let cut = format!("{ONE}\n{}", &ONE[..20]);
        for (form, body, expected) in [
            (
                Form::Structured,
                b"\xff".as_slice(),
                "the body is not UTF-8 from byte 0 on",
            ),
            (
                Form::Structured,
                b"",
                "line 1, column 0: not JSON: EOF while parsing a value",
            ),
            (
                Form::Structured,
                b"[]",
                "the body is not one CloudEvent, which is an object",
            ),
            (
                Form::Batch,
                ONE.as_bytes(),
                "the body is not an array of CloudEvents",
            ),
            (
                Form::Batch,
                b"[1,",
                "line 1, column 3: not JSON: EOF while parsing a value",
            ),
            (
                Form::Lines,
                cut.as_bytes(),
                "line 2, column 20: not JSON: EOF while parsing an object",
            ),
            (
                Form::Binary,
                b"{",
                "line 1, column 1: not JSON: EOF while parsing an object",
            ),
        ] {
            assert_eq!(told(form, &[], body), expected, "{form:?}");
        }
    }

    #[test]
    fn binary_mode_reads_its_attributes_from_headers() {
        let headers: Vec<(&str, &[u8])> = vec![
            ("CE-specversion", b"1.0"),
            ("ce-id", b"e-1"),
            ("ce-source", b"\"app\""),
            ("ce-type", b"user.logged_in"),
            ("ce-subject", b"%E3%82%A2%E3%82%AF%E3%83%A1"),
            ("ce-sottakuhistory", b"true"),
            ("ce-unknown", b"x"),
            ("host", b"x"),
        ];
        let items = decode(
            Form::Binary,
            &headers,
            br#"{"user": "u1"}"#,
            Rules::default(),
        )
        .expect("readable");
        let fact = items[0].as_ref().expect("a fact");
        assert_eq!(
            &*fact.json,
            r#"{"specversion":"1.0","id":"e-1","source":"app","type":"user.logged_in","subject":"アクメ","sottakuhistory":true,"data":{"user":"u1"}}"#
        );
        let mut twice = headers.clone();
        twice.push(("ce-id", b"e-2"));
        assert_eq!(told(Form::Binary, &twice, b""), "0:bad_envelope");
        let mut broken = headers.clone();
        broken[4].1 = b"%E3%8";
        assert_eq!(told(Form::Binary, &broken, b""), "0:bad_envelope");
        assert_eq!(told(Form::Binary, &headers, b"7"), "0:bad_data");
    }
}
