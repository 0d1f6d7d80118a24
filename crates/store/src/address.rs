//! Addresses: known to the store only by a keyed hash.

/// The HMAC of a normalised address, made by whoever holds the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AddressKey(pub [u8; 32]);

impl AddressKey {
    /// As it stands in text.
    pub(crate) fn hex(self) -> String {
        use std::fmt::Write;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                write!(text, "{byte:02x}").expect("writing into a string can't fail");
                text
            })
    }
}
