//! `Retry-After` (RFC 9110, 10.2.3): seconds, or a date in one of the three forms that HTTP knows.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::time::Duration;

/// The longest pause that the other side may ask of us.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// The forms of a date, the present one first; all are in GMT.
const FORMS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// How long the other side asks us to wait. A date is read by the answer's own `Date`: its clock is the one that the date was
/// taken from, and where it tells none there is nothing to count from.
pub(super) fn read(asked: &str, date: Option<&str>) -> Option<Duration> {
    let asked = asked.trim();
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = asked.parse().map(Duration::from_secs);
        return Some(seconds.unwrap_or(RETRY_AFTER_MAX).min(RETRY_AFTER_MAX));
    }
    let (until, now) = (instant(asked)?, instant(date?.trim())?);
    // A date that is over asks for nothing.
    let pause = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    Some(pause.min(RETRY_AFTER_MAX))
}

fn instant(text: &str) -> Option<Timestamp> {
    let mut read = FORMS.iter().map(|form| DateTime::strptime(form, text));
    let civil = read.find_map(Result::ok)?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_by_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (asked, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("86401", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:50:37 1994", Some(60)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("Tue, 08 Nov 1994 08:49:37 GMT", Some(86_400)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(read(asked, date), expected, "{asked:?}");
        }
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT", None), None);
        assert_eq!(read("7", None), Some(Duration::from_secs(7)));
    }
}
