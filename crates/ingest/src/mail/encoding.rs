//! Transfer encodings undone: never longer than what came.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Undoes base64 and quoted-printable; what is neither, or broken, stays as it is.
pub(super) fn decode(bytes: &[u8], encoding: &str) -> Vec<u8> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => {
            let letters: Vec<u8> = bytes
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            BASE64.decode(letters).unwrap_or_else(|_| bytes.to_vec())
        }
        "quoted-printable" => quoted_printable(bytes),
        _ => bytes.to_vec(),
    }
}

fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = (bytes.get(at + 1), bytes.get(at + 2));
        match (byte, pair) {
            (b'=', (Some(b'\r'), Some(b'\n'))) => at += 3,
            (b'=', (Some(b'\n'), _)) => at += 2,
            (b'=', (Some(high), Some(low)))
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                plain.push(hex(*high) << 4 | hex(*low));
                at += 3;
            }
            (byte, _) => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    plain
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}
