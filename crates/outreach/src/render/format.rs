//! How days, numbers, percent and money are written, per language.

use super::frame::Language;
use jiff::civil::Date;
use model::Decimal;

/// 2026年5月10日, 10 May 2026.
pub(super) fn date(language: Language, day: Date) -> String {
    match language {
        Language::Ja => format!("{}年{}月{}日", day.year(), day.month(), day.day()),
        Language::En => day.strftime("%-d %B %-Y").to_string(),
    }
}

/// 1,234.5
pub(super) fn number(value: Decimal) -> String {
    grouped(&value.to_string())
}

/// 0.6 is 60%, 0.605 is 60.5%.
pub(super) fn percent(value: Decimal) -> Option<String> {
    let thousandths = value.mul(Decimal::from_count(1_000))?.round()?;
    let percent = thousandths.div(Decimal::from_count(10))?;
    Some(format!("{}%", grouped(&percent.to_string())))
}

/// 3,000,000円, ¥3,000,000, $1,200.50.
pub(super) fn money(language: Language, currency: &str, value: Decimal) -> Option<String> {
    let whole_only = matches!(currency, "JPY" | "KRW");
    let rounded = if whole_only {
        value.round()?
    } else {
        let hundred = Decimal::from_count(100);
        value.mul(hundred)?.round()?.div(hundred)?
    };
    let plain = rounded.to_string();
    let (sign, digits) = plain
        .strip_prefix('-')
        .map_or(("", plain.as_str()), |rest| ("-", rest));
    let amount = cents(&grouped(digits));
    Some(match (currency, language) {
        ("JPY", Language::Ja) => format!("{sign}{amount}円"),
        ("JPY", Language::En) => format!("{sign}¥{amount}"),
        ("USD", Language::En) => format!("{sign}${amount}"),
        ("USD", Language::Ja) => format!("{sign}{amount}ドル"),
        ("EUR", Language::En) => format!("{sign}€{amount}"),
        ("EUR", Language::Ja) => format!("{sign}{amount}ユーロ"),
        ("GBP", _) => format!("{sign}£{amount}"),
        (other, _) => format!("{other} {sign}{amount}"),
    })
}

/// A fraction of money has two digits.
fn cents(amount: &str) -> String {
    match amount.split_once('.') {
        Some((whole, fraction)) => format!("{whole}.{fraction:0<2}"),
        None => amount.to_owned(),
    }
}

/// A comma every three digits before the point.
fn grouped(plain: &str) -> String {
    let (sign, digits) = plain
        .strip_prefix('-')
        .map_or(("", plain), |rest| ("-", rest));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(a, b)| (a, Some(b)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a number")
    }

    #[test]
    fn numbers_are_grouped() {
        for (from, to) in [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-1234567.25", "-1,234,567.25"),
        ] {
            assert_eq!(number(decimal(from)), to);
        }
    }

    #[test]
    fn percent_is_of_one() {
        for (from, to) in [
            ("0.6", "60%"),
            ("0.605", "60.5%"),
            ("1", "100%"),
            ("0.12345", "12.3%"),
        ] {
            assert_eq!(percent(decimal(from)).as_deref(), Some(to));
        }
    }

    #[test]
    fn money_follows_currency_and_language() {
        for (language, currency, from, to) in [
            (Language::Ja, "JPY", "3000000", "3,000,000円"),
            (Language::En, "JPY", "3000000.4", "¥3,000,000"),
            (Language::En, "USD", "1200.5", "$1,200.50"),
            (Language::En, "USD", "-1200", "-$1,200"),
            (Language::Ja, "USD", "0.999", "1ドル"),
            (Language::En, "CHF", "12.34", "CHF 12.34"),
        ] {
            assert_eq!(
                money(language, currency, decimal(from)).as_deref(),
                Some(to)
            );
        }
    }

    #[test]
    fn days_are_written_out() {
        let day = jiff::civil::date(2026, 5, 10);
        assert_eq!(date(Language::Ja, day), "2026年5月10日");
        assert_eq!(date(Language::En, day), "10 May 2026");
    }
}
