//! Reading a value of a declared type out of JSON.

use jiff::Timestamp;
use jiff::civil::Date;
use model::decision::Rejected;
use model::{Decimal, Value};
use serde_json::Value as Json;
use workflow::program::{Field, FieldType};

/// The longest text kept of a field, in characters.
pub const TEXT_CHARACTERS_MAX: usize = 4_096;
/// The longest e-mail address.
const EMAIL_BYTES_MAX: usize = 254;
/// The longest id of a contact, contract or CSM, in characters.
pub const ID_CHARACTERS_MAX: usize = 128;
/// The longest sample kept of what was rejected, in characters.
const SAMPLE_CHARACTERS_MAX: usize = 64;

/// Why a value was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Not of the field's type.
    Value,
    /// Not a word of the pick-list.
    Word,
    /// No contact has that id or address.
    NotFound,
}

impl Wrong {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Value => "wrong_value",
            Self::Word => "unknown_word",
            Self::NotFound => "not_found",
        }
    }
}

/// A rejected piece with one value seen, shortened.
pub(crate) fn rejected(code: &str, name: &str, sample: &Json) -> Rejected {
    let text = match sample {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => sample.to_string(),
    };
    Rejected {
        code: code.into(),
        name: short(name),
        sample: short(&text),
    }
}

/// The first characters of a text, control characters taken out.
fn short(text: &str) -> Box<str> {
    let shown: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(SAMPLE_CHARACTERS_MAX)
        .collect();
    shown.into()
}

/// The value of a field; `None` where it was said to be `null`.
pub(crate) fn typed(name: &str, field: &Field, json: &Json) -> Result<Option<Value>, Wrong> {
    if json.is_null() {
        return Ok(None);
    }
    let value = match &field.kind {
        FieldType::Number => Value::Number(number(json)?),
        FieldType::Percent => Value::Percent(number(json)?),
        FieldType::Money => Value::Money(number(json)?),
        FieldType::Boolean => Value::Bool(json.as_bool().ok_or(Wrong::Value)?),
        FieldType::Date => Value::Date(date(text(json)?)?),
        FieldType::Time => Value::Time(time(text(json)?)?),
        FieldType::Text => Value::Text(plain(name, text(json)?)?),
        FieldType::Email => Value::Text(email(text(json)?)?),
        FieldType::Locale => Value::Text(locale(text(json)?)?),
        FieldType::Timezone => Value::Text(timezone(text(json)?)?),
        FieldType::Contact | FieldType::Csm => Value::Text(id(text(json)?)?),
        FieldType::Pick(list) => {
            let word = text(json)?;
            if !list.words.iter().any(|known| **known == *word) {
                return Err(Wrong::Word);
            }
            Value::Word(word.into())
        }
    };
    Ok(Some(value))
}

/// An id: 1 to 128 characters, no control characters.
pub(crate) fn id(text: &str) -> Result<Box<str>, Wrong> {
    let is_id = !text.is_empty()
        && text.chars().count() <= ID_CHARACTERS_MAX
        && !text.chars().any(char::is_control);
    is_id.then(|| text.into()).ok_or(Wrong::Value)
}

fn text(json: &Json) -> Result<&str, Wrong> {
    json.as_str().ok_or(Wrong::Value)
}

fn number(json: &Json) -> Result<Decimal, Wrong> {
    match json {
        Json::Number(number) => Decimal::from_json(number).ok_or(Wrong::Value),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            Err(Wrong::Value)
        }
    }
}

/// Text; names take no control characters at all (a mail header would break on them), other text takes line breaks.
fn plain(name: &str, text: &str) -> Result<Box<str>, Wrong> {
    let is_name = name == "name";
    let is_bad =
        |letter: char| letter.is_control() && (is_name || !matches!(letter, '\n' | '\r' | '\t'));
    if text.chars().any(is_bad) || text.chars().count() > TEXT_CHARACTERS_MAX {
        return Err(Wrong::Value);
    }
    Ok(text.into())
}

fn email(text: &str) -> Result<Box<str>, Wrong> {
    let is_bad = |letter: char| {
        letter.is_control() || letter.is_whitespace() || matches!(letter, '<' | '>' | ',' | ';')
    };
    let (local, domain) = text.rsplit_once('@').ok_or(Wrong::Value)?;
    if local.is_empty()
        || domain.is_empty()
        || text.len() > EMAIL_BYTES_MAX
        || text.chars().any(is_bad)
    {
        return Err(Wrong::Value);
    }
    Ok(text.into())
}

fn locale(text: &str) -> Result<Box<str>, Wrong> {
    let is_tag = |tag: &str| {
        (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.split('-')
        .all(is_tag)
        .then(|| text.into())
        .ok_or(Wrong::Value)
}

fn timezone(text: &str) -> Result<Box<str>, Wrong> {
    crate::calendar::zone(text)
        .map(|_| text.into())
        .ok_or(Wrong::Value)
}

/// `YYYY-MM-DD`, between 1900 and 2200.
fn date(text: &str) -> Result<Date, Wrong> {
    if text.len() != 10 {
        return Err(Wrong::Value);
    }
    let date: Date = text.parse().map_err(|_| Wrong::Value)?;
    (1900..=2200)
        .contains(&date.year())
        .then_some(date)
        .ok_or(Wrong::Value)
}

/// RFC 3339 with an offset, between 1900 and 2200.
fn time(text: &str) -> Result<Timestamp, Wrong> {
    const FIRST: i64 = -2_208_988_800;
    const LAST: i64 = 7_289_654_400;
    let time: Timestamp = text.parse().map_err(|_| Wrong::Value)?;
    (FIRST..LAST)
        .contains(&time.as_second())
        .then_some(time)
        .ok_or(Wrong::Value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(kind: FieldType) -> Field {
        Field {
            kind,
            is_required: false,
            is_written_by_workflows: false,
            is_personal: false,
            title: None,
        }
    }

    fn check(kind: &FieldType, good: &[Json], bad: &[Json]) {
        let field = field(kind.clone());
        for value in good {
            assert!(
                typed("x", &field, value).is_ok(),
                "{kind:?} should take {value}"
            );
        }
        for value in bad {
            assert!(
                typed("x", &field, value).is_err(),
                "{kind:?} should refuse {value}"
            );
        }
    }

    #[test]
    fn each_type_takes_its_own_values_and_refuses_others() {
        check(
            &FieldType::Number,
            &[json!(1), json!(-0.5), json!(null)],
            &[json!("1"), json!(1e99), json!([])],
        );
        check(
            &FieldType::Boolean,
            &[json!(true)],
            &[json!("true"), json!(1)],
        );
        check(
            &FieldType::Date,
            &[json!("2026-02-28")],
            &[
                json!("2026-02-29"),
                json!("2026-2-1"),
                json!("2026-02-28T00:00:00Z"),
                json!("9999-01-01"),
            ],
        );
        check(
            &FieldType::Time,
            &[
                json!("2026-02-28T00:00:00+09:00"),
                json!("2026-02-28T00:00:00Z"),
            ],
            &[json!("2026-02-28"), json!("2026-02-28T00:00:00"), json!(1)],
        );
        check(
            &FieldType::Email,
            &[json!("tanaka@acme.example")],
            &[
                json!("tanaka"),
                json!("@acme"),
                json!("a b@c"),
                json!("a@b\r\nBcc: c@d"),
                json!("a@b,c@d"),
            ],
        );
        check(
            &FieldType::Timezone,
            &[json!("Asia/Tokyo")],
            &[json!("Asia/Tokio"), json!("")],
        );
        check(
            &FieldType::Locale,
            &[json!("ja"), json!("ja-JP")],
            &[json!("ja_JP"), json!(""), json!("ja-")],
        );
        check(
            &FieldType::Text,
            &[json!("a\nb")],
            &[json!("a\u{0}b"), json!("x".repeat(TEXT_CHARACTERS_MAX + 1))],
        );
    }

    #[test]
    fn a_name_takes_no_line_break() {
        assert_eq!(
            typed("name", &field(FieldType::Text), &json!("Eve\nX")),
            Err(Wrong::Value)
        );
    }
}
