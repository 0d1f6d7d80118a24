//! What happens to a generated customer: use, meetings, answers, tickets, and how it ends.

use super::customer::{Customer, Mood, day};
use jiff::civil::Date;
use serde_json::json;

/// Of a hundred customers so many use less and less from some day on.
const FADING: i64 = 15;

impl Customer {
    /// The first weeks of a newcomer: who is invited, the first report, the training. Some get no further.
    pub(super) fn settle_in(&mut self) {
        let pace = match self.mood {
            Mood::Happy => 1,
            Mood::Content => 2,
            Mood::Unhappy => 5,
        };
        for user in 1..=self.users {
            let on = day(self.first, self.dice.between(1, 6 * pace));
            self.say(on, 9, "user.invited", json!({"user": format!("u{user}")}));
        }
        if self.mood != Mood::Unhappy || self.dice.chance(30) {
            let on = day(self.first, self.dice.between(5, 14 * pace));
            self.say(
                on,
                10,
                "feature.used",
                json!({"user": "u1", "feature": "reports"}),
            );
        }
        if self.dice.chance(65) {
            let on = day(self.first, self.dice.between(14, 25 * pace));
            let data = json!({"contact": "p-1", "course": "admin"});
            self.say(on, 13, "training.completed", data);
        }
        let kickoff = day(self.first, self.dice.between(4, 12));
        self.say(kickoff, 13, "meeting.held", json!({"kind": "kickoff"}));
    }

    /// So many users come each week; some customers fade, and a newcomer begins slowly.
    pub(super) fn use_product(&mut self) {
        let fades_after = if self.dice.chance(FADING) {
            self.dice.between(60, self.span.days)
        } else {
            self.span.days
        };
        let is_growing = self.mood == Mood::Happy && self.dice.chance(25);
        for week in 0..=self.span.days / 7 {
            let grown = is_growing && week * 14 > self.span.days;
            let comers = if grown { self.seats } else { self.users };
            for user in 1..=comers {
                let offset = week * 7 + self.dice.between(0, 4);
                let is_away = offset > fades_after && self.dice.chance(75);
                if is_away || self.dice.chance(8) {
                    continue;
                }
                let user = format!("u{user}");
                let on = day(self.span.from, offset);
                self.say(on, 8, "user.logged_in", json!({"user": user}));
            }
        }
    }

    /// Half of all customers use the reports each fortnight; the others are left to the campaign.
    pub(super) fn use_reports(&mut self) {
        let feature = *self.dice.pick(&["reports", "reports", "alerts", "api"]);
        for fortnight in 1..=self.span.days / 14 {
            let offset = fortnight * 14 + self.dice.between(0, 11);
            let data = json!({"user": "u1", "feature": feature});
            self.say(day(self.span.from, offset), 8, "feature.used", data);
        }
    }

    /// Meetings, about each second month; some end with a word about us.
    pub(super) fn hold_meetings(&mut self) {
        for season in 0..self.span.days / 60 {
            let offset = season * 60 + self.dice.between(2, 58);
            let on = day(self.span.from, offset);
            let kind = *self.dice.pick(&["checkin", "checkin", "ebr"]);
            let data = json!({"kind": kind, "executive": kind == "ebr"});
            self.say(on, 13, "meeting.held", data);
            if self.dice.chance(25) {
                let score = self.mood.nps(&mut self.dice);
                let data = json!({"contact": "p-1", "score": score});
                self.say(on, 15, "nps.responded", data);
            }
        }
    }

    /// Tickets, most of them solved in some days; the unhappy have more of them, and worse.
    pub(super) fn open_tickets(&mut self) {
        let (count, urgent) = match self.mood {
            Mood::Happy => (1, 5),
            Mood::Content => (2, 15),
            Mood::Unhappy => (6, 60),
        };
        for number in 1..=count {
            let on = day(self.span.from, self.dice.between(5, self.span.days - 10));
            let severity = if self.dice.chance(urgent) {
                *self.dice.pick(&["high", "critical"])
            } else {
                *self.dice.pick(&["low", "normal"])
            };
            let ticket = format!("{}-t{number}", self.id);
            let contact = *self.dice.pick(&["p-1", "p-2"]);
            let data = json!({"ticket": ticket, "severity": severity, "contact": contact});
            self.say(on, 9, "ticket.opened", data);
            let solved = day(on, self.dice.between(1, 6));
            let data = json!({"ticket": ticket, "contact": contact});
            self.say(solved, 13, "ticket.closed", data);
        }
    }

    /// Most customers commit some time before the date; some move it, some go, some say nothing.
    pub(super) fn decide_renewal(&mut self) {
        let before = self.dice.between(20, 118);
        let decided = day(self.renewal, -before);
        match self.dice.between(1, 100) {
            1..=55 => {
                self.change_contract(decided, json!({"renewal_status": "committed"}));
                self.begin_next_term();
            }
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

    fn begin_next_term(&mut self) {
        let next = json!({
            "start_date": self.renewal.to_string(), "renewal_date": day(self.renewal, 365).to_string(),
            "renewal_status": "open",
        });
        self.change_contract(self.renewal, next);
    }

    fn change_contract(&mut self, on: Date, mut change: serde_json::Value) {
        change["contract"] = json!("k-1");
        self.say(on, 11, "contract.updated", change);
    }

    /// Some champions leave; most are followed by another.
    pub(super) fn lose_champion(&mut self) {
        if !self.dice.chance(12) {
            return;
        }
        let on = day(self.span.from, self.dice.between(10, self.span.days - 20));
        self.say(on, 10, "contact.left", json!({"contact": "p-1"}));
        self.say(day(on, 1), 11, "contact.deleted", json!({"contact": "p-1"}));
        if self.dice.chance(60) {
            self.meet(9, "champion", day(on, 12));
        }
    }

    /// Now and then something stands in the newspaper.
    pub(super) fn make_news(&mut self) {
        if !self.dice.chance(4) {
            return;
        }
        let on = day(self.span.from, self.dice.between(10, self.span.days - 20));
        let kind = *self
            .dice
            .pick(&["layoffs", "insolvency", "acquisition", "ipo"]);
        self.say(on, 7, "company.news", json!({"kind": kind}));
    }
}
