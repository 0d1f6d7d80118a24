//! Draws: chance as a hash, so that whoever draws again draws the same (engine.md, 4).

use model::Decimal;
use model::id::digest;

/// A share from 0 to below 1, even over all that can be named: account, workflow, step, subject.
pub(crate) fn draw(parts: &[&str; 4]) -> Decimal {
    let bytes = digest(parts);
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    let millionths = (u128::from(u64::from_be_bytes(first)) * 1_000_000) >> 64;
    Decimal::from_millionths(i64::try_from(millionths).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_even_and_always_the_same() {
        let one = |number: u32| draw(&["acme", "campaign", "pitch", &number.to_string()]);
        let half = Decimal::from_millionths(500_000);
        let below = (0..10_000).filter(|number| one(*number) < half).count();
        assert!((4_800..5_200).contains(&below), "{below} of 10,000");
        assert_eq!(one(7), one(7));
        assert!((0..10_000).all(|number| one(number) < Decimal::from_millionths(1_000_000)));
    }
}
