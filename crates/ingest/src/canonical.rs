//! Canonical `data`: one walk over the JSON that checks its limits and writes it again without white space.

use crate::refuse::parked;
use crate::{DATA_BYTES_MAX, DATA_DEPTH_MAX, DATA_KEYS_MAX};
use model::{ParkCode, Parked};
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The canonical text of `data`, and the first limit that it breaks.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) text: Vec<u8>,
    pub(crate) refusal: Option<Parked>,
    keys: usize,
}

impl Data {
    fn refuse(&mut self, code: ParkCode, field: Option<&str>, message: String) {
        if self.refusal.is_none() {
            self.refusal = Some(parked(code, field, message));
        }
    }

    /// Writes a scalar, unless something was refused already: then the rest is only walked.
    fn write(&mut self, value: &impl Serialize) {
        if self.refusal.is_some() {
            return;
        }
        if serde_json::to_writer(&mut self.text, value).is_err() {
            self.refuse(
                ParkCode::BadData,
                Some("data"),
                "a value of data can't be written".into(),
            );
        }
        self.bound();
    }

    fn push(&mut self, byte: u8) {
        if self.refusal.is_none() {
            self.text.push(byte);
        }
    }

    fn bound(&mut self) {
        if self.text.len() > DATA_BYTES_MAX {
            let message =
                format!("data is larger than {DATA_BYTES_MAX} bytes; send a smaller fact");
            self.refuse(ParkCode::TooLarge, Some("data"), message);
        }
    }

    fn count_key(&mut self) {
        self.keys += 1;
        if self.keys > DATA_KEYS_MAX {
            let message =
                format!("data has more than {DATA_KEYS_MAX} keys; send only what is declared");
            self.refuse(ParkCode::TooLarge, Some("data"), message);
        }
    }

    fn unique(&mut self, keys: &mut [Cow<'_, str>]) {
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            let key = pair[0].chars().take(64).collect::<String>();
            let message = format!("the key {key:?} stands twice in one object; leave one of them");
            self.refuse(ParkCode::BadData, Some(&key), message);
        }
    }
}

/// Walks a value at `depth`, the `data` object itself being at 1.
pub(crate) struct Walk<'w> {
    pub(crate) data: &'w mut Data,
    pub(crate) depth: usize,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Walk<'_> {
    fn scalar(self, value: &impl Serialize) {
        if self.depth == 1 {
            let message = "data must be an object".to_owned();
            self.data.refuse(ParkCode::BadData, Some("data"), message);
        }
        self.data.write(value);
    }

    fn is_too_deep(&mut self) -> bool {
        let is_too_deep = self.depth > DATA_DEPTH_MAX;
        if is_too_deep {
            let message = format!("data nests deeper than {DATA_DEPTH_MAX} levels");
            self.data.refuse(ParkCode::TooLarge, Some("data"), message);
        }
        is_too_deep
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(&value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(&value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(&value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(&value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.scalar(&value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        // `"data": null` is a fact without data.
        if self.depth > 1 {
            self.data.write(&());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        if self.is_too_deep() {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        if self.depth == 1 {
            let message = "data must be an object".to_owned();
            self.data.refuse(ParkCode::BadData, Some("data"), message);
        }
        self.data.push(b'[');
        let mut is_first = true;
        loop {
            // The comma is taken back where no element follows.
            let before = self.data.text.len();
            if !is_first {
                self.data.push(b',');
            }
            let element = Walk {
                data: self.data,
                depth: self.depth + 1,
            };
            if seq.next_element_seed(element)?.is_none() {
                self.data.text.truncate(before);
                break;
            }
            is_first = false;
        }
        self.data.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.is_too_deep() {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut keys = Vec::new();
        self.data.push(b'{');
        while let Some(key) = map.next_key_seed(Text)? {
            self.data.count_key();
            if !keys.is_empty() {
                self.data.push(b',');
            }
            self.data.write(&key);
            self.data.push(b':');
            if self.data.refusal.is_none() {
                keys.push(key);
            }
            map.next_value_seed(Walk {
                data: self.data,
                depth: self.depth + 1,
            })?;
        }
        self.data.push(b'}');
        self.data.unique(&mut keys);
        self.data.bound();
        Ok(())
    }
}

/// A string, borrowed where it has no escapes.
pub(crate) struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
