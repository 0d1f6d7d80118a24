//! The engine's own events, told again from the records that told them: a back-fill counts them anew for bases that a later
//! text brought (engine.md, 6).

use super::Turn;
use super::answered::is_answered;
use super::place::Place;
use super::tell::own_fields;
use crate::context::OwnRecord;
use crate::fold::Event;
use crate::metric::{Sets, tell};
use jiff::Timestamp;
use model::{Fact, Kind, Record, Value};

/// The one among them that may be taken back.
pub(crate) const SENT: &str = "message.sent";
/// Our own events that a record tells, each with every one of its fields.
const RECORDED: [&str; 7] = [
    SENT,
    "risk.opened",
    "risk.closed",
    "health.changed",
    "stage.changed",
    "workflow.started",
    "workflow.ended",
];

/// Whether records tell events of a type.
pub(crate) fn is_recorded(kind: &str) -> bool {
    RECORDED.contains(&kind)
}

/// The message that a fact settles, and whether that takes it out of its day's counts.
pub(super) fn fate(fact: &Fact) -> Option<(&str, bool)> {
    let text = |key: &str| fact.data.get(key).and_then(serde_json::Value::as_str);
    let is_out = matches!(text("state")?, "expired" | "suppressed");
    Some((text("message")?, is_out))
}

impl Turn<'_, '_> {
    /// Counts what the records tell for the bases that are counted again, all of it at once: whatever was counted of them
    /// since the text took effect is among it. Before `kept_from` nobody knows which messages were taken out again.
    pub(super) fn recount(&mut self, own: &[OwnRecord], kept_from: Option<Timestamp>) {
        let plan = &self.context.rules.plan;
        self.forget_own();
        for one in own {
            let Some(event) = self.own_event(one) else {
                continue;
            };
            let is_kept = kept_from.is_none_or(|from| from <= event.at);
            if !is_kept || !plan.by_event.contains_key(&event.kind) {
                continue;
            }
            let is_out = self.is_taken_out(&one.record);
            self.tell_again(&event, is_out);
        }
        if kept_from.is_some() {
            // Nobody knows what was answered of what the records do not have any more.
            return self.leave_answers();
        }
        for event in self.answered(own) {
            self.tell_again(&event, false);
        }
    }

    /// Counts an event for the bases that are counted again; a message that was taken out is counted and taken out.
    pub(super) fn tell_again(&mut self, event: &Event, is_out: bool) {
        let plan = &self.context.rules.plan;
        let told = self.look(Place::default(), |scene| {
            let scene = scene.with_event(&event.fields);
            tell(&scene, plan, &event.kind, event.at)
        });
        for one in told {
            let metrics = &mut self.account.head.metrics;
            if one.needs_sets {
                one.backfill(metrics, self.account.parts.sets_mut());
            } else {
                one.backfill(metrics, &mut Sets::default());
            }
            if is_out {
                one.retract_again(metrics);
            }
        }
    }

    /// Answers stay covered from where the text found them.
    fn leave_answers(&mut self) {
        let plan = &self.context.rules.plan;
        if let Some(backfill) = &mut self.account.head.metrics.backfill {
            backfill.tallies.retain(|basis, _| {
                let need = plan.bases.get(basis);
                need.is_none_or(|need| !is_answered(&need.event))
            });
        }
    }

    /// Begins anew with what is counted again of our own events.
    fn forget_own(&mut self) {
        let plan = &self.context.rules.plan;
        let of_own = |basis: &str| {
            let need = plan.bases.get(basis);
            need.is_some_and(|need| is_recorded(&need.event))
        };
        if let Some(backfill) = &mut self.account.head.metrics.backfill {
            for (basis, tally) in &mut backfill.tallies {
                if of_own(basis) {
                    *tally = crate::metric::Tally::default();
                }
            }
        }
        if !self.account.parts.sets().is_empty() {
            self.account.parts.sets_mut().forget_again_of(of_own);
        }
    }

    /// Whether a message was taken out of its day's counts: as its run says, or the log where the run is forgotten.
    pub(super) fn is_taken_out(&self, record: &Record) -> bool {
        let Some(message) = &record.message else {
            return false;
        };
        match self.fate_of(message.as_str()) {
            Some(fate) => !fate.counts(),
            None => self.account.parts.is_taken_out(message.as_str()),
        }
    }

    /// The event that a record told.
    fn own_event(&self, own: &OwnRecord) -> Option<Event> {
        let record = &own.record;
        let kind = event_of(record.kind)?;
        let text = |text: Option<&str>| text.map(|text| Value::Text(text.into()));
        let fields = match record.kind {
            Kind::Send => own_fields(&[
                ("workflow", text(record.workflow.as_deref())),
                ("subject", text(record.subject.as_deref())),
                ("step", text(record.step.as_deref())),
                ("template", text(record.template.as_deref())),
                ("topic", text(record.topic.as_deref())),
                ("contact", text(own.contact.as_deref())),
                ("channel", text(Some("email"))),
            ]),
            Kind::RiskOpened | Kind::RiskClosed => {
                let mut risks = self.context.program.risks.iter();
                let risk = risks.find(|risk| Some(&risk.name) == record.name.as_ref());
                own_fields(&[
                    ("category", record.name.clone().map(Value::Word)),
                    ("severity", word(record.value.as_ref())),
                    ("title", text(risk.map(|risk| &*risk.title))),
                ])
            }
            Kind::HealthChanged | Kind::StageChanged => own_fields(&[
                ("from", word(record.from.as_ref())),
                ("to", word(record.value.as_ref())),
            ]),
            Kind::Start
            | Kind::End
            | Kind::Alert
            | Kind::Task
            | Kind::Webhook
            | Kind::Set
            | Kind::Ask
            | Kind::Skip
            | Kind::Hold => own_fields(&[
                ("workflow", text(record.workflow.as_deref())),
                ("subject", text(record.subject.as_deref())),
                ("how", text(record.how.as_deref())),
            ]),
        };
        Some(Event {
            kind: kind.into(),
            fields,
            at: record.at.parse().ok()?,
        })
    }
}

/// The type of the event that records of a kind tell.
fn event_of(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Send => SENT,
        Kind::RiskOpened => "risk.opened",
        Kind::RiskClosed => "risk.closed",
        Kind::HealthChanged => "health.changed",
        Kind::StageChanged => "stage.changed",
        Kind::Start => "workflow.started",
        Kind::End => "workflow.ended",
        Kind::Alert
        | Kind::Task
        | Kind::Webhook
        | Kind::Set
        | Kind::Ask
        | Kind::Skip
        | Kind::Hold => return None,
    })
}

/// A word of a pick-list; null is unknown.
fn word(json: Option<&serde_json::Value>) -> Option<Value> {
    json?.as_str().map(|word| Value::Word(word.into()))
}
