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

/// A customer under construction.
pub(crate) struct Customer {
    id: String,
    dice: Dice,
    zone: TimeZone,
    span: Span,
    renewal: Date,
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
    let renewal = day(span.from, dice.between(40, span.days + 60));
    let mut customer = Customer {
        id,
        dice,
        zone,
        span,
        renewal,
        told: Vec::new(),
    };
    customer.introduce(number, is_japanese, zone_name);
    customer.use_product();
    customer.hold_meetings();
    customer.decide_renewal();
    customer.lose_champion(is_japanese);
    customer.told
}

impl Customer {
    fn introduce(&mut self, number: usize, is_japanese: bool, zone: &str) {
        let since = day(self.renewal, -365 * self.dice.between(1, 3));
        let name = if is_japanese {
            let (first, kind) = (
                self.dice.pick(&names::COMPANY_JA),
                self.dice.pick(&names::COMPANY_JA_KIND),
            );
            format!("{first}{kind}")
        } else {
            let (first, kind) = (
                self.dice.pick(&names::COMPANY_EN),
                self.dice.pick(&names::COMPANY_EN_KIND),
            );
            format!("{first} {kind}")
        };
        let csm = names::CSM[number % names::CSM.len()].0;
        let arr = self.dice.pick(&[
            600_000, 1_200_000, 3_000_000, 6_000_000, 12_000_000, 24_000_000,
        ]);
        let sentiment = self.dice.pick(&["good", "good", "neutral", "bad"]);
        let mut data = json!({
            "name": name, "timezone": zone, "locale": if is_japanese { "ja" } else { "en" }, "csm": csm,
            "customer_since": since.to_string(), "arr": arr, "csm_sentiment": sentiment,
        });
        if self.dice.chance(10) {
            data["flagship"] = json!(true);
        }
        self.say(self.span.from, 9, "account.updated", data);
        let seats = self.dice.between(5, 60);
        let start = day(self.renewal, -365);
        let renews = self.dice.chance(40);
        self.say(self.span.from, 9, "contract.updated", json!({
            "contract": "k-1", "status": "active", "start_date": start.to_string(), "seats": seats,
            "renewal_date": self.renewal.to_string(), "renewal_status": "open", "auto_renews": renews,
        }));
        for (index, role) in ["champion", "admin", "executive_sponsor", "billing"]
            .into_iter()
            .enumerate()
        {
            if index == 0 || self.dice.chance(70) {
                self.meet(index + 1, role, is_japanese);
            }
        }
    }

    fn meet(&mut self, number: usize, role: &str, is_japanese: bool) {
        let people = if is_japanese {
            &names::PERSON_JA
        } else {
            &names::PERSON_EN
        };
        let (name, local) = *self.dice.pick(people);
        let email = format!("{local}.{number}@{}.example", self.id);
        self.say(
            self.span.from,
            9,
            "contact.updated",
            json!({
                "contact": format!("p-{number}"), "name": name, "role": role, "email": email,
                "locale": if is_japanese { "ja" } else { "en" },
            }),
        );
    }

    fn use_product(&mut self) {
        let fades_after = if self.dice.chance(20) {
            self.dice.between(30, self.span.days)
        } else {
            self.span.days
        };
        for _ in 0..self.span.logins {
            let offset = self.dice.between(1, self.span.days - 1);
            let on = day(self.span.from, offset);
            if offset > fades_after
                || (on.weekday().to_monday_zero_offset() >= 5 && self.dice.chance(80))
            {
                continue;
            }
            let user = format!("u{}", self.dice.between(1, 25));
            if self.dice.chance(85) {
                self.say(on, 8, "user.logged_in", json!({"user": user}));
            } else {
                let feature = *self.dice.pick(&["reports", "alerts", "api"]);
                self.say(
                    on,
                    8,
                    "feature.used",
                    json!({"user": user, "feature": feature}),
                );
            }
        }
    }

    fn hold_meetings(&mut self) {
        for _ in 0..self.span.days / 75 {
            let on = day(self.span.from, self.dice.between(2, self.span.days - 1));
            let kind = *self.dice.pick(&["checkin", "checkin", "ebr"]);
            self.say(
                on,
                13,
                "meeting.held",
                json!({"kind": kind, "executive": kind == "ebr"}),
            );
            if self.dice.chance(50) {
                let score = self.dice.between(0, 10);
                self.say(
                    on,
                    15,
                    "nps.responded",
                    json!({"contact": "p-1", "score": score}),
                );
            }
        }
    }

    /// Most customers commit some time before the date; some move it, some go, some say nothing.
    fn decide_renewal(&mut self) {
        let before = self.dice.between(20, 118);
        let decided = day(self.renewal, -before);
        match self.dice.between(1, 100) {
            1..=55 => self.change_contract(decided, json!({"renewal_status": "committed"})),
            56..=65 => {
                let later = day(self.renewal, *self.dice.pick(&[7, 10, 14, 30, 365]));
                self.change_contract(decided, json!({"renewal_date": later.to_string()}));
            }
            66..=75 => self.change_contract(
                decided,
                json!({"status": "cancelled", "renewal_status": "churned"}),
            ),
            _ => {}
        }
    }

    fn change_contract(&mut self, on: Date, mut change: serde_json::Value) {
        change["contract"] = json!("k-1");
        self.say(on, 11, "contract.updated", change);
    }

    fn lose_champion(&mut self, is_japanese: bool) {
        if !self.dice.chance(15) {
            return;
        }
        let on = day(self.span.from, self.dice.between(10, self.span.days - 20));
        self.say(on, 10, "contact.left", json!({"contact": "p-1"}));
        self.say(day(on, 1), 11, "contact.deleted", json!({"contact": "p-1"}));
        if self.dice.chance(60) {
            let people = if is_japanese {
                &names::PERSON_JA
            } else {
                &names::PERSON_EN
            };
            let (name, local) = *self.dice.pick(people);
            let email = format!("{local}.9@{}.example", self.id);
            let joined = day(on, 12);
            self.say(
                joined,
                10,
                "contact.updated",
                json!({
                    "contact": "p-9", "name": name, "role": "champion", "email": email,
                    "locale": if is_japanese { "ja" } else { "en" },
                }),
            );
        }
    }

    /// Tells a fact some minutes after `hour` on `on`, if that is inside the span.
    fn say(&mut self, on: Date, hour: i8, kind: &str, data: serde_json::Value) {
        let last = day(self.span.from, self.span.days - 1);
        if on < self.span.from || on > last {
            return;
        }
        let minutes = if kind.ends_with(".updated") && on == self.span.from {
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
