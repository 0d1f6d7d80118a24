//! What is told of a contact's address: the copy in the head follows, and sends ask it.

use super::Turn;
use crate::stop::Stop;
use model::fact::SUPPRESSED;
use model::{Fact, Reason, Scope};

impl Turn<'_, '_> {
    /// `contact.suppressed` and `contact.unsuppressed`.
    pub(super) fn stop_told(&mut self, fact: &Fact) {
        let contact = fact.data.get("contact").and_then(serde_json::Value::as_str);
        let (Some(contact), Some(stop)) = (contact, read(fact)) else {
            return self.reject("wrong_value", &fact.kind, "");
        };
        if *fact.kind == *SUPPRESSED {
            self.remember_stop(contact, stop);
        } else {
            self.forget_stop(contact, &stop);
        }
    }

    /// What the gate said when it ended a message, if it did.
    pub(super) fn stop_settled(&mut self, contact: &str, fact: &Fact) {
        if let Some(stop) = read(fact) {
            self.remember_stop(contact, stop);
        }
    }

    /// Remembers what may not be sent to a contact; the same again takes the place of what was known of it.
    fn remember_stop(&mut self, contact: &str, stop: Stop) {
        self.forget_stop(contact, &stop);
        let stops = self.account.head.stops.entry(contact.into()).or_default();
        stops.push(stop);
        self.is_moved = true;
    }

    fn forget_stop(&mut self, contact: &str, lifted: &Stop) {
        let Some(stops) = self.account.head.stops.get_mut(contact) else {
            return;
        };
        stops.retain(|stop| stop.scope != lifted.scope || stop.reason != lifted.reason);
        if stops.is_empty() {
            self.account.head.stops.remove(contact);
        }
        self.is_moved = true;
    }

    /// Why a message of a topic may not be sent to a contact, if so.
    pub(super) fn stopped(&self, topic: &str, contact: &str) -> Option<&'static str> {
        let purpose = self.context.program.topics.get(topic);
        let purpose = purpose.map(|topic| topic.purpose);
        let stops = self.account.head.stops.get(contact)?;
        let stop = stops
            .iter()
            .find(|stop| stop.stops(topic, purpose, self.now))?;
        Some(stop.why())
    }

    /// A contact with another address is somebody whom nobody asked yet.
    pub(super) fn forget_stops(&mut self, contact: &str, before: Option<&str>) {
        if self.address_of(contact).as_deref() != before {
            self.account.head.stops.remove(contact);
        }
    }

    /// A contact's address as it is compared.
    pub(super) fn address_of(&self, contact: &str) -> Option<String> {
        let recipient = self.recipient(contact)?;
        Some(recipient.mailbox.address.to_lowercase())
    }
}

/// What a fact says may not be sent.
fn read(fact: &Fact) -> Option<Stop> {
    let text = |key: &str| fact.data.get(key).and_then(serde_json::Value::as_str);
    let (scope, reason) = (text("scope")?, text("reason")?);
    if Scope::parse(scope).is_none() || Reason::parse(reason).is_none() {
        return None;
    }
    Some(Stop {
        scope: scope.into(),
        reason: reason.into(),
        until: text("until").and_then(|until| until.parse().ok()),
    })
}
