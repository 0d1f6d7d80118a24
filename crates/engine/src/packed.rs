//! What is stored is packed where it is long (LZ4's block format), since each write of an account costs what its bytes do.
//!
//! An account with a hundred workflows repeats itself: what each of them remembers differs by a few bytes.

use crate::stored::{Bytes, DecodeError, Stored};
use std::borrow::Cow;

/// The first byte of what is packed: the version with this bit.
const PACKED: u8 = 0x80;
/// Less is not worth it.
const PACKED_MIN: usize = 256;
/// More is nothing of ours.
const UNPACKED_MAX: usize = 256 << 20;

/// Packs a stored form, whose first byte is its version, if that makes it shorter.
pub(crate) fn pack(stored: Vec<u8>) -> Vec<u8> {
    let [version, rest @ ..] = &stored[..] else {
        return stored;
    };
    if stored.len() < PACKED_MIN {
        return stored;
    }
    let block = lz4_flex::block::compress(rest);
    let mut out = Vec::with_capacity(16 + block.len());
    out.push(version | PACKED);
    (rest.len() as u64).write(&mut out);
    out.extend(block);
    if out.len() < stored.len() {
        out
    } else {
        stored
    }
}

/// The stored form as it was before it was packed.
pub(crate) fn unpack(stored: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let Some(version) = stored.first().filter(|first| *first & PACKED != 0) else {
        return Ok(Cow::Borrowed(stored));
    };
    let mut bytes = Bytes::new(&stored[1..]);
    let len = usize::try_from(u64::read(&mut bytes)?).map_err(|_| DecodeError::Value)?;
    if len > UNPACKED_MAX {
        return Err(DecodeError::Value);
    }
    let mut out = vec![0; len + 1];
    out[0] = version & !PACKED;
    let unpacked = lz4_flex::block::decompress_into(bytes.rest(), &mut out[1..]);
    match unpacked {
        Ok(found) if found == len => Ok(Cow::Owned(out)),
        Ok(_) | Err(_) => Err(DecodeError::Value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            word in prop::collection::vec(any::<u8>(), 0..40), times in 0_usize..200, version in 1_u8..0x80
        ) {
            let mut stored = vec![version];
            stored.extend(word.repeat(times));
            let packed = pack(stored.clone());
            prop_assert!(packed.len() <= stored.len());
            let unpacked = unpack(&packed);
            prop_assert_eq!(unpacked.as_deref(), Ok(&stored[..]));
        }

        #[test]
        fn what_was_cut_is_refused(times in 100_usize..200, cut in 1_usize..20) {
            let packed = pack([6].into_iter().chain(b"rule-".repeat(times)).collect());
            let cut = packed.len().saturating_sub(cut).max(1);
            prop_assert_eq!(unpack(&packed[..cut]).err().is_some(), true);
        }

        #[test]
        fn what_is_no_packing_makes_nothing_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let bytes: Vec<u8> = [6 | PACKED, 40].into_iter().chain(bytes).collect();
            if let Ok(unpacked) = unpack(&bytes) {
                prop_assert_eq!(unpacked.len(), 41);
            }
        }
    }

    #[test]
    fn what_repeats_itself_is_stored_in_a_fraction() {
        let mut stored = vec![6];
        for n in 0..100 {
            stored.extend(format!("rule-{n:02}a-0001234").bytes());
        }
        assert!(pack(stored.clone()).len() * 2 < stored.len());
    }
}
