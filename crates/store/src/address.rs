//! Addresses: known to the store only by a keyed hash.

/// The HMAC of a normalised address, made by whoever holds the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AddressKey(pub [u8; 32]);

impl AddressKey {
    /// As it stands in text.
    pub(crate) fn hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}
