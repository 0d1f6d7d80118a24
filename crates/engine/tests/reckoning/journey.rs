//! Random journeys of a customer: facts of an account, some late, some that change nothing, some answers.

use crate::dice::Dice;
use engine::calendar::{day_of, zone};
use jiff::{SignedDuration, Timestamp};
use model::{Fact, Logged};
use serde_json::{Value, json};

/// For how many days a customer is followed.
pub(crate) const DAYS: i64 = 300;
/// Where customers may live.
pub(crate) const ZONES: [&str; 7] = [
    "Asia/Tokyo",
    "America/New_York",
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/St_Johns",
];

/// A fact, with the instant at which it is decided.
pub(crate) type Seen = (Timestamp, Logged);

/// Tells facts in order.
struct Teller<'d> {
    dice: &'d mut Dice,
    began_at: Timestamp,
    facts: Vec<Seen>,
}

/// When the journey of a seed begins: somewhere in the week before some year's end, or in summer.
pub(crate) fn began_at(dice: &mut Dice) -> Timestamp {
    let year = dice.between(0, 2) * 365;
    let day = *dice.pick(&[0, 60, 150, 300]);
    let first: Timestamp = "2026-01-04T22:10:00Z".parse().expect("a time");
    first + SignedDuration::from_hours(24 * (year + day))
}

/// All that becomes known of one customer.
pub(crate) fn journey(dice: &mut Dice, began_at: Timestamp) -> Vec<Seen> {
    let mut teller = Teller {
        dice,
        began_at,
        facts: Vec::new(),
    };
    teller.introduce();
    for _ in 0..teller.dice.between(2, 9) {
        teller.burst();
    }
    teller.facts.sort_by_key(|(seen_at, _)| *seen_at);
    // Positions and ids in the order of the log.
    for (number, (_, logged)) in teller.facts.iter_mut().enumerate() {
        logged.position = u64::try_from(number).expect("few facts") + 1;
        logged.fact.id = format!("e-{number}").into();
    }
    teller.again();
    teller.facts
}

impl Teller<'_> {
    fn day(&mut self, low: i64, high: i64) -> String {
        let days = self.dice.between(low, high);
        let at = self.began_at + SignedDuration::from_hours(24 * days);
        day_of(at, &zone("Asia/Tokyo").expect("a zone")).to_string()
    }

    fn tell(&mut self, seen_at: Timestamp, late: SignedDuration, (kind, data): (&str, Value)) {
        let fact = Fact {
            specversion: "1.0".into(),
            id: "".into(),
            source: "journey".into(),
            kind: kind.into(),
            subject: Some("acme".into()),
            time: Some(seen_at - late),
            is_history: false,
            arrived_at: None,
            data: data.as_object().cloned().unwrap_or_default(),
        };
        let logged = Logged {
            position: 0,
            arrived_at: seen_at,
            fact,
        };
        self.facts.push((seen_at, logged));
    }

    /// What is known at the beginning.
    fn introduce(&mut self) {
        let since = self.day(-200, 30);
        let start = self.day(-200, 10);
        let renewal = self.day(20, 330);
        let zone = *self.dice.pick(&ZONES);
        let facts = [
            (
                "account.updated",
                json!({"name": "Acme", "csm": "c-1", "timezone": zone, "customer_since": since, "arr": self.dice.between(0, 30) * 1_000_000}),
            ),
            (
                "contact.updated",
                json!({"contact": "p-1", "name": "A", "role": "champion", "email": "a@acme.example"}),
            ),
            (
                "contact.updated",
                json!({"contact": "p-2", "name": "B", "role": "admin", "email": "b@acme.example", "timezone": "Europe/Paris"}),
            ),
            (
                "contract.updated",
                json!({"contract": "k-1", "status": "active", "start_date": start, "renewal_date": renewal, "seats": 4, "renewal_status": "open"}),
            ),
        ];
        let is_history = self.dice.chance(25);
        for said in facts {
            if self.dice.chance(92) {
                self.tell(self.began_at, SignedDuration::ZERO, said);
            }
        }
        for (_, logged) in &mut self.facts {
            logged.fact.is_history = is_history;
        }
    }

    /// Some facts near each other.
    fn burst(&mut self) {
        let from = self.dice.between(0, DAYS * 1_440 - 30_000);
        for _ in 0..self.dice.between(1, 8) {
            let minutes = from + self.dice.between(0, 28_000);
            // Some facts come at full hours, as those of nightly exports do.
            let minutes = if self.dice.chance(20) {
                minutes / 60 * 60 + 50
            } else {
                minutes
            };
            let seconds = if self.dice.chance(30) {
                self.dice.between(0, 59)
            } else {
                0
            };
            let at = self.began_at + SignedDuration::from_secs(minutes * 60 + seconds);
            let late = if self.dice.chance(15) {
                self.dice.between(1, 700)
            } else {
                0
            };
            let said = self.said();
            self.tell(at, SignedDuration::from_hours(late), said);
        }
    }

    fn said(&mut self) -> (&'static str, Value) {
        let user = format!("u{}", self.dice.between(0, 4));
        match self.dice.between(0, 21) {
            0..=6 => ("user.logged_in", json!({ "user": user })),
            7 => (
                "feature.used",
                json!({"user": user, "feature": self.dice.pick(&["reports", "api"])}),
            ),
            8 => (
                "nps.responded",
                json!({"contact": "p-1", "score": self.dice.between(0, 10)}),
            ),
            9 => (
                "csat.responded",
                json!({"contact": "p-1", "score": self.dice.between(1, 5)}),
            ),
            10 => (
                "ticket.opened",
                json!({"ticket": user, "severity": self.dice.pick(&["low", "critical"])}),
            ),
            11 => (
                "meeting.held",
                json!({"kind": "checkin", "executive": self.dice.chance(30)}),
            ),
            12 => (
                "account.updated",
                json!({"timezone": self.dice.pick(&ZONES)}),
            ),
            13 => (
                "account.updated",
                json!({"csm_sentiment": self.dice.pick(&["bad", "neutral", "good"])}),
            ),
            14 => (
                "account.updated",
                json!({"goal_progress": self.dice.between(0, 100)}),
            ),
            15 => {
                let renewal = self.day(20, 330);
                (
                    "contract.updated",
                    json!({"contract": "k-1", "renewal_date": renewal}),
                )
            }
            16 => (
                "contract.updated",
                json!({"contract": "k-1", "renewal_status": self.dice.pick(&["open", "committed"])}),
            ),
            17 => (
                "contract.updated",
                json!({"contract": "k-1", "status": self.dice.pick(&["active", "active", "cancelled"])}),
            ),
            18 => (
                "contact.updated",
                json!({"contact": "p-1", "role": self.dice.pick(&["champion", "user"])}),
            ),
            19 => ("training.completed", json!({"contact": "p-2"})),
            20 => self.answer(),
            // What nothing reads.
            _ => ("ticket.closed", json!({ "ticket": user })),
        }
    }

    fn answer(&mut self) -> (&'static str, Value) {
        let kind = *self.dice.pick(&[
            "task.approved",
            "task.rejected",
            "task.done",
            "message.replied",
            "message.clicked",
        ]);
        let workflow = format!("written-{}", self.dice.between(0, 3));
        let step = format!("s{}", self.dice.between(1, 5));
        (
            kind,
            json!({"workflow": workflow, "subject": self.dice.pick(&["acme", "k-1"]), "step": step}),
        )
    }

    /// Some facts come twice.
    fn again(&mut self) {
        let last = i64::try_from(self.facts.len()).expect("few facts") - 1;
        for _ in 0..self.dice.between(0, 3) {
            let which = usize::try_from(self.dice.between(0, last)).expect("not negative");
            let copy = self.facts[which].clone();
            self.facts.insert(which + 1, copy);
        }
    }
}
