//! What the people of the demo do about what reaches them: CSMs answer, customers reply, try things out and buy.

use crate::sample::{Dice, Mood, Told, fact};
use jiff::{Timestamp, ToSpan};
use model::{Kind, Record};
use serde_json::{Value, json};

/// Of a hundred questions CSMs approve so many.
const APPROVED: i64 = 70;
/// Of a hundred tasks so many are done.
const DONE: i64 = 75;
/// Of a hundred people so many answer a survey.
const ANSWERED: i64 = 55;
/// Of a hundred customers so many try a feature when they are shown it.
const TRIED: i64 = 40;
/// Seats after an expansion: more than any generated customer has.
const SEATS: i64 = 60;

/// One record, and how those whom it reaches feel.
struct Reaction<'a> {
    record: &'a Record,
    at: Timestamp,
    mood: Mood,
    dice: Dice,
    told: Vec<Told>,
}

/// What follows from one record.
pub(super) fn to(record: &Record, seed: u64) -> anyhow::Result<Vec<Told>> {
    let offset = record.at.len().saturating_sub(6);
    let zoned: jiff::Zoned = format!("{}[{}]", record.at, &record.at[offset..]).parse()?;
    let account = record.account.as_str();
    let name = format!("{account} {} {:?} {:?}", record.at, record.step, record.to);
    let mut reaction = Reaction {
        record,
        at: zoned.timestamp(),
        mood: Mood::of(seed, account),
        dice: Dice::new(seed, &name),
        told: Vec::new(),
    };
    match record.kind {
        Kind::Ask => reaction.approve(),
        Kind::Task => reaction.work(),
        Kind::Send => reaction.read(),
        Kind::Start
        | Kind::Alert
        | Kind::Webhook
        | Kind::Set
        | Kind::Skip
        | Kind::Hold
        | Kind::End
        | Kind::RiskOpened
        | Kind::RiskClosed
        | Kind::HealthChanged
        | Kind::StageChanged => {}
    }
    Ok(reaction.told)
}

impl Reaction<'_> {
    fn tell(&mut self, hours: i64, kind: &str, data: Value) {
        let at = self.at + hours.hours();
        let account = self.record.account.as_str();
        let id = format!("{kind}-{account}-{at}-{}", self.told.len());
        self.told.push(fact(at, &id, kind, account, data));
    }

    fn step(&self) -> Value {
        json!({"workflow": self.record.workflow, "subject": self.record.subject, "step": self.record.step})
    }

    fn approve(&mut self) {
        if self.dice.chance(APPROVED) {
            let hours = self.dice.between(2, 6);
            self.tell(hours, "task.approved", self.step());
        }
    }

    fn work(&mut self) {
        if !self.dice.chance(DONE) {
            return;
        }
        let hours = self.dice.between(3, 50);
        if self.record.workflow.as_deref() == Some("sentiment-check") {
            let sentiment = self.mood.sentiment(&mut self.dice);
            self.tell(
                hours,
                "account.updated",
                json!({"csm_sentiment": sentiment}),
            );
        }
        self.tell(hours, "task.done", self.step());
    }

    fn read(&mut self) {
        let contact = json!(self.record.to);
        let hours = self.dice.between(1, 90);
        match self.record.template.as_deref() {
            Some("survey-nps") if self.dice.chance(ANSWERED) => {
                let score = self.mood.nps(&mut self.dice);
                self.tell(
                    hours,
                    "nps.responded",
                    json!({"contact": contact, "score": score}),
                );
            }
            Some("survey-csat") if self.dice.chance(ANSWERED) => {
                let score = self.mood.csat(&mut self.dice);
                self.tell(
                    hours,
                    "csat.responded",
                    json!({"contact": contact, "score": score}),
                );
            }
            Some("reference-request" | "reference-reminder") if self.dice.chance(ANSWERED) => {
                let answer = *self.dice.pick(&["accepted", "accepted", "declined"]);
                self.tell(
                    hours,
                    "reference.answered",
                    json!({"contact": contact, "answer": answer}),
                );
            }
            Some("reports-customer-story" | "reports-how-to" | "reports-webinar")
                if self.dice.chance(TRIED) =>
            {
                for user in 1..=3 {
                    let data = json!({"user": format!("u{user}"), "feature": "reports"});
                    self.tell(hours + user * 20, "feature.used", data);
                }
            }
            Some("expansion-seats") if self.dice.chance(TRIED) => {
                let data = json!({"contract": "k-1", "seats": SEATS});
                self.tell(hours + 48, "contract.updated", data);
            }
            _ => {}
        }
    }
}
