//! One generated customer: what is known of it from the start, and what happens to it in the span.

use super::dice::Dice;
use super::names;
use super::told::{Told, fact};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::json;

/// How much is generated, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// The first day.
    pub(crate) from: Date,
    /// How many days.
    pub(crate) days: i64,
    /// How many logins a customer has in the span, about.
    pub(crate) logins: i64,
}

/// How a customer takes to the product: what it does and says follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Uses it, likes it.
    Happy,
    /// Uses some of it.
    Content,
    /// Uses little, complains much.
    Unhappy,
}

impl Mood {
    /// The mood of one customer.
    pub(crate) fn of(seed: u64, account: &str) -> Self {
        match Dice::new(seed, &format!("mood {account}")).between(1, 100) {
            1..=50 => Self::Happy,
            51..=78 => Self::Content,
            _ => Self::Unhappy,
        }
    }

    /// A score from 0 to 10.
    pub(crate) fn nps(self, dice: &mut Dice) -> i64 {
        match self {
            Self::Happy => dice.between(8, 10),
            Self::Content => dice.between(6, 9),
            Self::Unhappy => dice.between(1, 7),
        }
    }

    /// A score from 1 to 5.
    pub(crate) fn csat(self, dice: &mut Dice) -> i64 {
        match self {
            Self::Happy => dice.between(4, 5),
            Self::Content => dice.between(3, 5),
            Self::Unhappy => dice.between(1, 4),
        }
    }

    /// What the CSM feels.
    pub(crate) fn sentiment(self, dice: &mut Dice) -> &'static str {
        match self {
            Self::Happy => "good",
            Self::Content => dice.pick::<&str>(&["good", "neutral", "neutral"]),
            Self::Unhappy => dice.pick::<&str>(&["neutral", "neutral", "bad"]),
        }
    }
}

/// A customer under construction.
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) dice: Dice,
    pub(super) zone: TimeZone,
    pub(super) span: Span,
    pub(super) mood: Mood,
    pub(super) is_japanese: bool,
    /// The first day on which anything is told: the span's, or the day on which a newcomer signed.
    pub(super) first: Date,
    pub(super) renewal: Date,
    pub(super) seats: i64,
    /// Of these seats so many are used in a good week.
    pub(super) users: i64,
    told: Vec<Told>,
}

/// All that is told of customer number `number`.
pub(crate) fn customer(seed: u64, number: usize, span: Span) -> Vec<Told> {
    let id = format!("a-{number:04}");
    let mut dice = Dice::new(seed, &id);
    let is_japanese = dice.chance(65);
    let zone_name = if is_japanese {
        "Asia/Tokyo"
    } else {
        dice.pick(&[
            "America/New_York",
            "Europe/London",
            "America/Los_Angeles",
            "Asia/Singapore",
        ])
    };
    let zone = TimeZone::get(zone_name).unwrap_or(TimeZone::UTC);
    let mood = Mood::of(seed, &id);
    let is_new = dice.chance(15);
    let (first, renewal) = if is_new {
        let signed = day(span.from, dice.between(3, span.days - 30));
        (signed, day(signed, 365))
    } else {
        (span.from, day(span.from, dice.between(40, span.days + 60)))
    };
    let users = (span.logins * 7 / span.days).max(1);
    let unused = match mood {
        Mood::Happy => dice.between(0, users / 2),
        Mood::Content => dice.between(users / 3, users),
        Mood::Unhappy => dice.between(users, users * 3),
    };
    let mut customer = Customer {
        id,
        dice,
        zone,
        span,
        mood,
        is_japanese,
        first,
        renewal,
        seats: users + unused,
        users,
        told: Vec::new(),
    };
    customer.introduce(number, is_new, zone_name);
    if is_new {
        customer.settle_in();
    }
    customer.use_product();
    customer.use_reports();
    customer.hold_meetings();
    customer.open_tickets();
    customer.decide_renewal();
    customer.lose_champion();
    customer.make_news();
    customer.told
}

impl Customer {
    fn introduce(&mut self, number: usize, is_new: bool, zone: &str) {
        let years = if is_new { 1 } else { self.dice.between(1, 3) };
        let since = day(self.renewal, -365 * years);
        let (first, kind) = if self.is_japanese {
            (
                self.dice.pick(&names::COMPANY_JA),
                self.dice.pick(&names::COMPANY_JA_KIND),
            )
        } else {
            (
                self.dice.pick(&names::COMPANY_EN),
                self.dice.pick(&names::COMPANY_EN_KIND),
            )
        };
        let gap = if self.is_japanese { "" } else { " " };
        let csm = names::CSM[number % names::CSM.len()].0;
        let arr = self.dice.pick(&[
            600_000, 900_000, 1_200_000, 1_800_000, 3_000_000, 6_000_000, 12_000_000, 24_000_000,
        ]);
        let sentiment = self.mood.sentiment(&mut self.dice);
        let mut data = json!({
            "name": format!("{first}{gap}{kind}"), "timezone": zone, "locale": self.locale(), "csm": csm,
            "customer_since": since.to_string(), "arr": arr,
        });
        if !is_new {
            data["csm_sentiment"] = json!(sentiment);
            data["goal_progress"] = json!(self.progress());
        }
        if self.dice.chance(10) {
            data["flagship"] = json!(true);
        }
        self.say(self.first, 9, "account.updated", data);
        for (index, role) in ["champion", "admin", "executive_sponsor", "billing"]
            .into_iter()
            .enumerate()
        {
            if index == 0 || self.dice.chance(70) {
                self.meet(index + 1, role, self.first);
            }
        }
        let start = day(self.renewal, -365);
        let renews = self.dice.chance(40);
        self.say(self.first, 9, "contract.updated", json!({
            "contract": "k-1", "status": "active", "start_date": start.to_string(), "seats": self.seats,
            "renewal_date": self.renewal.to_string(), "renewal_status": "open", "auto_renews": renews,
        }));
    }

    /// How far the outcome agreed on is reached.
    fn progress(&mut self) -> f64 {
        let percent = match self.mood {
            Mood::Happy => self.dice.between(70, 95),
            Mood::Content => self.dice.between(40, 75),
            Mood::Unhappy => self.dice.between(5, 45),
        };
        f64::from(u32::try_from(percent).unwrap_or(0)) / 100.0
    }

    pub(super) fn locale(&self) -> &'static str {
        if self.is_japanese { "ja" } else { "en" }
    }

    /// Somebody is there from `on`.
    pub(super) fn meet(&mut self, number: usize, role: &str, on: Date) {
        let people = if self.is_japanese {
            &names::PERSON_JA
        } else {
            &names::PERSON_EN
        };
        let (name, local) = *self.dice.pick(people);
        let email = format!("{local}.{number}@{}.example", self.id);
        let data = json!({
            "contact": format!("p-{number}"), "name": name, "role": role, "email": email,
            "locale": self.locale(),
        });
        self.say(on, 9, "contact.updated", data);
    }

    /// Tells a fact some minutes after `hour` on `on`, if that is inside the span.
    pub(super) fn say(&mut self, on: Date, hour: i8, kind: &str, data: serde_json::Value) {
        let last = day(self.span.from, self.span.days - 1);
        if on < self.first || on > last {
            return;
        }
        let minutes = if kind.ends_with(".updated") && on == self.first {
            0
        } else {
            self.dice.between(0, 500)
        };
        let at = instant(on, hour, &self.zone) + minutes.minutes();
        let number = self.told.len();
        self.told.push(fact(
            at,
            &format!("{}-{number}", self.id),
            kind,
            &self.id,
            data,
        ));
    }
}

/// The day `offset` days after `date`; the last day there is, if that is none.
pub(crate) fn day(date: Date, offset: i64) -> Date {
    date.checked_add(offset.days()).unwrap_or(date)
}

/// `hour` o'clock on `date` in `zone`.
pub(crate) fn instant(date: Date, hour: i8, zone: &TimeZone) -> Timestamp {
    zone.to_zoned(date.at(hour, 0, 0, 0))
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}
