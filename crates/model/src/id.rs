//! Ids: newtypes made only where a thing comes in, or by hashing what names it.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes a name that was checked where it came in.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    AccountId,
    "A customer company, as the source systems name it."
);
id!(
    RunId,
    "One passage of one subject through a workflow: `r_` and a hash of what makes it one."
);
id!(
    MessageId,
    "One message to one recipient: `m_` and a hash of what makes it one."
);

impl RunId {
    /// The run that `parts` name: account, workflow, subject, `once_per` value, number of earlier runs.
    pub fn of(parts: &[&str]) -> Self {
        Self::new(hashed("r_", parts))
    }
}

impl MessageId {
    /// The message that `parts` name: run, step, occurrence, whom, channel.
    pub fn of(parts: &[&str]) -> Self {
        Self::new(hashed("m_", parts))
    }
}

/// `prefix` and 26 letters of base32 over the first 130 bits of a hash of the length-prefixed parts.
fn hashed(prefix: &str, parts: &[&str]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = digest(parts);
    let mut text = String::with_capacity(prefix.len() + 26);
    text.push_str(prefix);
    for letter in 0..26 {
        let bit = letter * 5;
        let pair = u16::from_be_bytes([digest[bit / 8], digest[bit / 8 + 1]]);
        let index = (pair >> (11 - bit % 8)) & 31;
        text.push(char::from(LETTERS[usize::from(index)]));
    }
    text
}

/// The hash of `parts`; no two different lists give the same input, since each part carries its length.
pub fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_where_its_parts_are_cut() {
        assert_ne!(RunId::of(&["ab", "c"]), RunId::of(&["a", "bc"]));
        assert_eq!(RunId::of(&["ab", "c"]), RunId::of(&["ab", "c"]));
    }

    #[test]
    fn an_id_has_its_prefix_and_26_letters() {
        let id = MessageId::of(&["r_x", "intro", "0", "p-1", "email"]);
        assert_eq!(id.as_str().len(), 28);
        assert!(id.as_str().starts_with("m_"));
    }
}
