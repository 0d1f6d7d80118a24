//! What a rendering knows beside its values: the language, the instant, the zone and the currency. All of it is frozen in the view.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// The reserved key of a view.
pub(super) const RESERVED: &str = "_";

/// The key of a view under which its reader's way to leave stands.
const LINK: &str = "unsubscribe_url";

/// In which language formats are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Japanese.
    Ja,
    /// English, and every language that has no formats of its own yet.
    En,
}

impl Language {
    /// The language of a locale such as `ja-JP`.
    pub(super) fn of(locale: &str) -> Self {
        match locale.split(['-', '_']).next() {
            Some("ja") => Self::Ja,
            _ => Self::En,
        }
    }
}

/// A view together with the locale it is rendered in.
pub(super) struct Frame {
    pub(super) context: handlebars::Context,
}

impl Frame {
    /// Sets `view` into the locale, with the link by which its reader may leave.
    pub(super) fn new(view: &Value, locale: &str, link: Option<&str>) -> Self {
        let mut view = view.clone();
        if let Some(values) = view.as_object_mut() {
            if let Some(link) = link {
                values.insert(LINK.to_owned(), link.into());
            }
            let reserved = values.entry(RESERVED).or_insert_with(|| json!({}));
            if let Some(reserved) = reserved.as_object_mut() {
                reserved.insert("locale".to_owned(), json!(locale));
            }
        }
        Self {
            context: handlebars::Context::from(view),
        }
    }
}

/// What the reserved key says, read anew by each helper that needs it.
pub(super) struct Around {
    pub(super) language: Language,
    pub(super) zone: TimeZone,
    pub(super) today: Option<Date>,
    pub(super) currency: String,
}

impl Around {
    /// Reads the reserved key of `view`; what it does not say is UTC, no day and yen.
    pub(super) fn of(view: &Value) -> Self {
        let word = |key| {
            view.get(RESERVED)
                .and_then(|it| it.get(key))
                .and_then(Value::as_str)
        };
        let zone = word("timezone")
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or(TimeZone::UTC);
        let at = word("at").and_then(|at| at.parse::<Timestamp>().ok());
        Self {
            language: Language::of(word("locale").unwrap_or("en")),
            today: at.map(|at| at.to_zoned(zone.clone()).date()),
            zone,
            currency: word("currency").unwrap_or("JPY").to_owned(),
        }
    }

    /// The civil day that `text` names: a day as such, an instant by the zone.
    pub(super) fn day(&self, text: &str) -> Option<Date> {
        if text.len() == 10 {
            return text.parse().ok();
        }
        let instant: Timestamp = text.parse().ok()?;
        Some(instant.to_zoned(self.zone.clone()).date())
    }
}
