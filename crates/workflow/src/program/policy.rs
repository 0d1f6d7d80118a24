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
    pub title: Box<str>,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether a mail whose fate is unknown is sent again.
    pub resends_unknown: bool,
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
