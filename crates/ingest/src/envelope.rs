//! The envelope of one CloudEvent: its attributes as they came, borrowed from the text.

use crate::canonical::{Data, Text, Walk};
use crate::refuse::parked;
use model::{ParkCode, Parked};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The attributes that Sottaku reads.
const ATTRIBUTES: [&str; 8] = [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "sottakuhistory",
    "datacontenttype",
];

/// One attribute's value.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Attribute<'a> {
    /// Not there, or null, which CloudEvents takes as not there.
    #[default]
    Absent,
    /// A string.
    Text(Cow<'a, str>),
    /// A boolean.
    Bool(bool),
    /// Anything else; no attribute that we read has such a type.
    Other,
}

/// A CloudEvent taken apart.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    values: [Attribute<'a>; 8],
    seen: [bool; 8],
    pub(crate) data: Data,
    has_data: bool,
    /// An attribute that stands twice, or a kind of data that is not taken.
    pub(crate) refusal: Option<Parked>,
}

impl<'a> Envelope<'a> {
    /// The value of one of the attributes that Sottaku reads.
    pub(crate) fn take(&mut self, name: &str) -> Attribute<'a> {
        ATTRIBUTES
            .iter()
            .position(|known| *known == name)
            .map(|index| std::mem::take(&mut self.values[index]))
            .unwrap_or_default()
    }

    /// Sets an attribute; names that Sottaku does not know are dropped.
    pub(crate) fn set(&mut self, name: &str, value: Attribute<'a>) {
        let Some(index) = ATTRIBUTES.iter().position(|known| *known == name) else {
            return;
        };
        if std::mem::replace(&mut self.seen[index], true) {
            self.twice(name);
        }
        self.values[index] = value;
    }

    fn twice(&mut self, name: &str) {
        let message = format!("the attribute {name} stands twice; leave one of them");
        self.refusal = Some(parked(ParkCode::BadEnvelope, Some(name), message));
    }
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudEvent, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(name) = map.next_key_seed(Text)? {
            match &*name {
                "data" => {
                    if std::mem::replace(&mut envelope.has_data, true) {
                        envelope.twice("data");
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        map.next_value_seed(Walk {
                            data: &mut envelope.data,
                            depth: 1,
                        })?;
                    }
                }
                "data_base64" => {
                    map.next_value::<IgnoredAny>()?;
                    let message = "binary data is not taken; send data as a JSON object";
                    envelope.refusal =
                        Some(parked(ParkCode::BadData, Some("data_base64"), message));
                }
                name if ATTRIBUTES.contains(&name) => {
                    let value = map.next_value::<Attribute<'de>>()?;
                    envelope.set(name, value);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(envelope)
    }
}

impl<'de> Deserialize<'de> for Attribute<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AttributeVisitor)
    }
}

struct AttributeVisitor;

impl<'de> Visitor<'de> for AttributeVisitor {
    type Value = Attribute<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute's value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Attribute::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Attribute::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Attribute::Bool(value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Attribute::Absent)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Attribute::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Attribute::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Attribute::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Attribute::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Attribute::Other)
    }
}
