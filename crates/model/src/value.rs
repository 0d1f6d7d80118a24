//! Values: what a field, a metric or an expression can be. Unknown is the absence of one.

use crate::Decimal;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// A known value. `Option<Value>` is a value that may be unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A plain number.
    Number(Decimal),
    /// A share: `0.6` is 60 %.
    Percent(Decimal),
    /// An amount in the workspace's currency.
    Money(Decimal),
    /// Text, also e-mail addresses, locales, zones and ids.
    Text(Box<str>),
    /// A word of a pick-list. Its rank is the list's, which the program knows.
    Word(Box<str>),
    /// A civil day.
    Date(Date),
    /// An instant.
    Time(Timestamp),
}

impl Value {
    /// The number inside, whatever its kind.
    pub fn decimal(&self) -> Option<Decimal> {
        match self {
            Self::Number(decimal) | Self::Percent(decimal) | Self::Money(decimal) => Some(*decimal),
            Self::Bool(_) | Self::Text(_) | Self::Word(_) | Self::Date(_) | Self::Time(_) => None,
        }
    }

    /// The text or word inside.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Word(text) => Some(text),
            Self::Bool(_)
            | Self::Number(_)
            | Self::Percent(_)
            | Self::Money(_)
            | Self::Date(_)
            | Self::Time(_) => None,
        }
    }

    /// The value as templates and public records show it.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Bool(yes) => serde_json::Value::Bool(*yes),
            Self::Number(decimal) | Self::Percent(decimal) | Self::Money(decimal) => {
                number(*decimal)
            }
            Self::Text(text) | Self::Word(text) => serde_json::Value::String(text.to_string()),
            Self::Date(date) => serde_json::Value::String(date.to_string()),
            Self::Time(time) => serde_json::Value::String(time.to_string()),
        }
    }
}

/// A JSON number: whole where it is whole.
fn number(decimal: Decimal) -> serde_json::Value {
    let text = decimal.to_string();
    match text.parse::<i64>() {
        Ok(whole) => serde_json::Value::from(whole),
        Err(_) => text
            .parse::<f64>()
            .map_or(serde_json::Value::Null, serde_json::Value::from),
    }
}
