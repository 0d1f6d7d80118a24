//! Exact numbers: decimals of a millionth in 64 bits, rounded half to even; what does not fit is unknown.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A decimal number with six places. Arithmetic gives `None` on overflow and on division by zero.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Decimal(i64);

const UNIT: i64 = 1_000_000;

#[expect(
    clippy::should_implement_trait,
    reason = "the traits of the operators have no place for a result that does not fit"
)]
impl Decimal {
    /// Nought.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(UNIT);

    /// The number of millionths.
    pub const fn from_millionths(millionths: i64) -> Self {
        Self(millionths)
    }

    /// How many millionths this is.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// A whole number; `None` when it is too large.
    pub fn from_int(int: i64) -> Option<Self> {
        int.checked_mul(UNIT).map(Self)
    }

    /// A count of things, which always fits.
    pub fn from_count(count: u32) -> Self {
        Self(i64::from(count) * UNIT)
    }

    /// A JSON number, from its text, so that no binary fraction comes between.
    pub fn from_json(number: &serde_json::Number) -> Option<Self> {
        number.to_string().parse().ok()
    }

    /// Sum.
    pub fn add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Difference.
    pub fn sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Product, half to even.
    pub fn mul(self, other: Self) -> Option<Self> {
        divide(i128::from(self.0) * i128::from(other.0), i128::from(UNIT))
    }

    /// Quotient, half to even; `None` when `other` is nought.
    pub fn div(self, other: Self) -> Option<Self> {
        if other.0 == 0 {
            return None;
        }
        divide(i128::from(self.0) * i128::from(UNIT), i128::from(other.0))
    }

    /// The negative.
    pub fn neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// The nearest whole number, half to even.
    pub fn round(self) -> Option<Self> {
        divide(i128::from(self.0), i128::from(UNIT)).and_then(|whole| Self::from_int(whole.0))
    }

    /// The largest whole number that is not above this one.
    pub fn floor(self) -> i64 {
        self.0.div_euclid(UNIT)
    }
}

/// `numerator / denominator` in whole numbers, half to even.
fn divide(numerator: i128, denominator: i128) -> Option<Decimal> {
    let quotient = numerator.div_euclid(denominator);
    let remainder = numerator.rem_euclid(denominator);
    // `div_euclid` rounds so that the remainder is never negative: the step up is away from it.
    let step = if denominator > 0 { 1 } else { -1 };
    let rounded = match (remainder * 2).cmp(&denominator.abs()) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + step,
        std::cmp::Ordering::Equal if quotient % 2 == 0 => quotient,
        std::cmp::Ordering::Equal => quotient + step,
    };
    i64::try_from(rounded).ok().map(Decimal)
}

/// The text is not a number, or one too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

impl FromStr for Decimal {
    type Err = NotANumber;

    /// Reads `12`, `-0.5`, `1e3`, `2.5E-2`; digits past the sixth place are rounded half to even.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (
                &text[..at],
                text[at + 1..].parse::<i32>().map_err(|_| NotANumber)?,
            ),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(NotANumber);
        }
        if !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit())
        {
            return Err(NotANumber);
        }
        let fraction_len = i32::try_from(fraction.len()).map_err(|_| NotANumber)?;
        let mut all: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            all = all.checked_mul(10).ok_or(NotANumber)?;
            all = all
                .checked_add(i128::from(digit - b'0'))
                .ok_or(NotANumber)?;
        }
        let shift = exponent
            .checked_sub(fraction_len)
            .and_then(|places| places.checked_add(6));
        scale(if negative { -all } else { all }, shift.ok_or(NotANumber)?).ok_or(NotANumber)
    }
}

/// `digits` times ten to the power of `shift`, as millionths.
fn scale(digits: i128, shift: i32) -> Option<Decimal> {
    if digits == 0 {
        return Some(Decimal::ZERO);
    }
    let power = |places: u32| 10i128.checked_pow(places);
    if shift >= 0 {
        let scaled = digits.checked_mul(power(shift.unsigned_abs())?)?;
        return i64::try_from(scaled).ok().map(Decimal);
    }
    match power(shift.unsigned_abs()) {
        Some(divisor) => divide(digits, divisor),
        None => Some(Decimal::ZERO),
    }
}

impl fmt::Display for Decimal {
    /// The shortest text that reads back as the same number: `12`, `-0.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs() / UNIT.unsigned_abs();
        let fraction = self.0.unsigned_abs() % UNIT.unsigned_abs();
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let read: Decimal = text
            .parse()
            .unwrap_or_else(|_| panic!("{text} should be a number"));
        assert_eq!(read.to_string(), expected, "{text}");
    }

    #[test]
    fn numbers_are_read_and_printed_exactly() {
        for (text, expected) in [
            ("12", "12"),
            ("-0.5", "-0.5"),
            ("1e3", "1000"),
            ("2.5E-2", "0.025"),
            ("0.1234565", "0.123456"),
            ("0.1234575", "0.123458"),
            ("-0.1234565", "-0.123456"),
            ("1e-30", "0"),
            ("9223372036854", "9223372036854"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
        for text in [
            "",
            ".",
            "-",
            "1.2.3",
            "0x10",
            "9223372036855",
            "1e99",
            "NaN",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn products_and_quotients_round_half_to_even() {
        let parse = |text: &str| text.parse::<Decimal>().expect("a number");
        assert_eq!(
            parse("1").div(parse("3")).map(|d| d.to_string()).as_deref(),
            Some("0.333333")
        );
        assert_eq!(
            parse("-2")
                .div(parse("3"))
                .map(|d| d.to_string())
                .as_deref(),
            Some("-0.666667")
        );
        assert_eq!(
            parse("2")
                .div(parse("-3"))
                .map(|d| d.to_string())
                .as_deref(),
            Some("-0.666667")
        );
        assert_eq!(
            parse("0.000005")
                .mul(parse("0.1"))
                .map(|d| d.to_string())
                .as_deref(),
            Some("0")
        );
        assert_eq!(
            parse("0.000015")
                .mul(parse("0.1"))
                .map(|d| d.to_string())
                .as_deref(),
            Some("0.000002")
        );
        assert_eq!(parse("2.5").round(), Decimal::from_int(2));
        assert_eq!(parse("1").div(Decimal::ZERO), None);
        assert_eq!(Decimal::from_millionths(i64::MAX).mul(parse("2")), None);
    }
}
