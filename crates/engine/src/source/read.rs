//! Reading a value out of a record's JSON, as the type that is wanted.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{Decimal, Value};
use serde_json::Value as Json;
use workflow::program::Type;

/// A value out of JSON, as the type wants it. Other systems write numbers as texts, days as numbers and texts as
/// numbers: what is meant is clear, since the type is.
pub(super) fn read(json: &Json, ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::Bool => Value::Bool(truth(json)?),
        Type::Number => Value::Number(number(json)?),
        Type::Percent => Value::Percent(number(json)?),
        Type::Money => Value::Money(number(json)?),
        Type::Text | Type::Contact | Type::List(_) => Value::Text(text(json)?),
        Type::Word(list) => {
            let word = text(json)?;
            list.words.contains(&word).then_some(Value::Word(word))?
        }
        Type::Date => Value::Date(date(json)?),
        Type::Time => Value::Time(time(json)?),
    })
}

fn truth(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(yes) => Some(*yes),
        Json::Number(number) => match number.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Json::String(text) => text.parse().ok(),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn number(json: &Json) -> Option<Decimal> {
    match json {
        Json::Number(number) => Decimal::from_json(number),
        Json::String(text) => text.trim().parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn text(json: &Json) -> Option<Box<str>> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(text.as_str().into()),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            Some(json.to_string().into())
        }
    }
}

/// An instant: RFC 3339, or a number since 1970 whose size says whether it counts seconds, or thousandths, millionths or
/// billionths of them.
pub(super) fn time(json: &Json) -> Option<Timestamp> {
    match json {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => {
            let count = number.as_i64()?;
            let digits = count.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
            match digits {
                ..=11 => Timestamp::from_second(count).ok(),
                12..=14 => Timestamp::from_millisecond(count).ok(),
                15..=17 => Timestamp::from_microsecond(count).ok(),
                _ => Timestamp::from_nanosecond(i128::from(count)).ok(),
            }
        }
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A day: `YYYY-MM-DD`, that of an instant as it is written, or days since 1970.
fn date(json: &Json) -> Option<Date> {
    /// More days than lie in any year that is meant: then it is an instant.
    const DAYS_MAX: i64 = 1_000_000;
    match json {
        Json::String(text) => text.get(..10)?.parse().ok(),
        Json::Number(number) => match number.as_i64()? {
            days @ 0..DAYS_MAX => {
                let midnight = Timestamp::from_second(days * 86_400).ok()?;
                Some(midnight.to_zoned(TimeZone::UTC).date())
            }
            _ => Some(time(json)?.to_zoned(TimeZone::UTC).date()),
        },
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}
