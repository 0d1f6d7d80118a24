//! Policies: calendar, topics, limits, routes and the like.

use super::expression::Expr;
use super::rule::Period;
use jiff::civil::{Date, Time};
use model::{Mailbox, Purpose};
use serde::Serialize;
use std::collections::BTreeMap;

/// Working time, civil, in the zone of whom it concerns.
#[derive(Clone, Debug, Serialize)]
pub struct Calendar {
    /// IANA zone of accounts without one, and of CSMs.
    pub timezone: Box<str>,
    /// Monday first.
    pub business_days: [bool; 7],
    /// Days off, with their names.
    pub holidays: BTreeMap<Date, Box<str>>,
    /// From, on business days.
    pub opens_at: Time,
    /// Until, exclusive.
    pub closes_at: Time,
    /// Month in which the fiscal year starts, from 1.
    pub fiscal_year_starts: i8,
}

/// What a contact can unsubscribe from.
#[derive(Clone, Debug, Serialize)]
pub struct Topic {
    /// For people.
    pub title: Title,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether a mail whose fate is unknown is sent again.
    pub resends_unknown: bool,
}

/// A text for people: the same for all, or one for each locale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Title {
    /// The same for all.
    Same(Box<str>),
    /// By locale; the default one, or its language, is among them.
    Each(BTreeMap<Box<str>, Box<str>>),
}

impl Title {
    /// The text for a locale: its own, its language's, or that of the default locale, as with templates.
    pub fn told_in(&self, locale: &str, default: &str) -> &str {
        let texts = match self {
            Self::Same(text) => return text,
            Self::Each(texts) => texts,
        };
        let found = [locale, default].into_iter().find_map(|wanted| {
            let language = wanted.split(['-', '_']).next().unwrap_or(wanted);
            texts.get(wanted).or_else(|| texts.get(language))
        });
        found.or(texts.values().next()).map_or("", |text| text)
    }
}

/// At most so many in so long.
#[derive(Clone, Debug, Serialize)]
pub struct Limit {
    /// How many.
    pub at_most: u32,
    /// In how long.
    pub window: Period,
    /// For whom.
    pub per: LimitPer,
    /// Of which topics; empty: all.
    pub topics: Vec<Box<str>>,
    /// On which channel; none: all.
    pub channel: Option<Box<str>>,
}

/// For whom a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum LimitPer {
    /// Each contact.
    Contact,
    /// The whole account.
    Account,
}

/// What happens over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum OverLimit {
    /// Wait.
    Delay,
    /// Skip.
    Skip,
}

/// When something recurs, civil.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Schedule {
    /// Some days at a time of day.
    Days {
        /// Which days.
        days: Days,
        /// When on them.
        at: Time,
    },
    /// The minutes that five cron fields name.
    Cron(Box<Cron>),
}

/// Five cron fields: every minute of the calendar that fits all of them. Lists are in order, hold each number once,
/// and are never empty; some day of the calendar fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cron {
    /// Minutes of the hour, 0 to 59.
    pub minutes: Vec<u8>,
    /// Hours of the day, 0 to 23.
    pub hours: Vec<u8>,
    /// Days of the month, 1 to 31.
    pub days: Vec<u8>,
    /// Months, 1 to 12.
    pub months: Vec<u8>,
    /// Days of the week, Monday first.
    pub weekdays: [bool; 7],
    /// Whether both day fields are restricted: then a day fits that fits either. Else it must fit both.
    pub is_either_day: bool,
}

/// Some days of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Days {
    /// All.
    Every,
    /// Working days.
    Business,
    /// Days of the week, Monday first.
    Week([bool; 7]),
    /// One day of each month.
    Month(DayOf),
    /// One day of each quarter of the fiscal year.
    Quarter(DayOf),
}

/// One day of a month or quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum DayOf {
    /// By number, from 1; a month that has no such day is passed over.
    Number(u8),
    /// The last.
    Last,
    /// The first.
    First,
    /// The first working day.
    FirstBusiness,
    /// The last working day.
    LastBusiness,
}

/// Defaults of sends.
#[derive(Clone, Debug, Serialize)]
pub struct Defaults {
    /// The sender.
    pub from: Option<Mailbox>,
    /// Where answers go: an expression giving an address; unknown: the sender.
    pub reply_to: Option<Expr>,
    /// The locale of last resort.
    pub locale: Box<str>,
    /// The one currency.
    pub currency: Box<str>,
}

/// Who writes, as the law wants it.
#[derive(Clone, Debug, Serialize)]
pub struct Sender {
    /// Legal name.
    pub name: Box<str>,
    /// Postal address.
    pub postal_address: Box<str>,
    /// Where to complain.
    pub contact: Box<str>,
}

/// Where alerts go: the first target that is known, then the next route's.
#[derive(Clone, Debug, Serialize)]
pub struct Route {
    /// Targets in order.
    pub targets: Vec<RouteTarget>,
    /// Another route, if none is known.
    pub otherwise: Option<Box<str>>,
}

/// One target.
#[derive(Clone, Debug, Serialize)]
pub enum RouteTarget {
    /// A Slack user or channel: an expression giving text.
    Slack(Expr),
    /// A channel by name.
    Channel(Box<str>),
    /// A mail address: an expression giving one.
    Email(Expr),
    /// A channel of Microsoft Teams by name.
    Teams(Box<str>),
}

/// Where webhooks go.
#[derive(Clone, Debug, Serialize)]
pub struct Webhook {
    /// The address.
    pub url: Box<str>,
    /// The name of the secret.
    pub secret: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_told_in_the_readers_language_or_in_the_default_one() {
        let texts = [("ja", "ヒント"), ("en", "Tips"), ("en-GB", "Hints")];
        let texts = texts.map(|(locale, text)| (locale.into(), text.into()));
        let title = Title::Each(texts.into());
        for (locale, default, text) in [
            ("ja", "en", "ヒント"),
            ("ja-JP", "en", "ヒント"),
            ("en-GB", "ja", "Hints"),
            ("en_US", "ja", "Tips"),
            ("fr", "ja-JP", "ヒント"),
            ("fr", "en", "Tips"),
        ] {
            assert_eq!(title.told_in(locale, default), text, "{locale} {default}");
        }
        let same = Title::Same("Tips".into());
        assert_eq!(same.told_in("ja", "ja"), "Tips");
        assert_eq!(serde_json::json!(same), serde_json::json!("Tips"));
    }
}
