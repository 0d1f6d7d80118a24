//! Recipients: who a step writes to, and in which zone they work.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::Turn;
use super::place::Place;
use crate::calendar;
use crate::evaluate::{Carrier, Knowledge};
use crate::known::HOLDERS_MAX;
use crate::run::{Fate, Run, StepState};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{Mailbox, Value};
use workflow::program::{Expr, ExprKind, Hours, Workflow};

/// Somebody with an address.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    pub(super) contact: Box<str>,
    pub(super) mailbox: Mailbox,
    pub(super) zone: TimeZone,
}

impl Turn<'_, '_> {
    /// Those whom expressions name, in order, each address once; who has none is left out.
    pub(super) fn recipients(&self, workflow: &Workflow, run: &Run, to: &[Expr]) -> Vec<Recipient> {
        let mut found: Vec<Recipient> = Vec::new();
        let place = Place::run(workflow, run);
        let contacts: Vec<Box<str>> = self.look(place, |scene| {
            let each = to.iter().flat_map(|expr| scene.contacts(expr));
            each.map(Box::from).collect()
        });
        for contact in contacts {
            let Some(recipient) = self.recipient(&contact) else {
                continue;
            };
            let address = recipient.mailbox.address.to_lowercase();
            if !found
                .iter()
                .any(|other| other.mailbox.address.to_lowercase() == address)
            {
                found.push(recipient);
            }
        }
        found
    }

    /// Says where a role has more holders than are written to: the rest gets nothing.
    pub(super) fn say_crowds(&mut self, to: &[Expr]) {
        let crowds: Vec<(&str, usize)> = to.iter().filter_map(|expr| self.crowd(expr)).collect();
        for (role, holders) in crowds {
            self.reject("crowded_role", role, &holders.to_string());
        }
    }

    /// The role that an expression names, where it has too many holders.
    fn crowd<'e>(&self, expr: &'e Expr) -> Option<(&'e str, usize)> {
        let holders = |role: &str| self.known().all_holders(role).count();
        match &expr.kind {
            ExprKind::Role(role) => {
                Some((&**role, holders(role))).filter(|(_, count)| *count > HOLDERS_MAX)
            }
            ExprKind::Else(first, second) => match &first.kind {
                ExprKind::Role(role) if holders(role) == 0 => self.crowd(second),
                _ => self.crowd(first),
            },
            _ => None,
        }
    }

    /// One contact as a recipient.
    pub(super) fn recipient(&self, contact: &str) -> Option<Recipient> {
        let known = self.known();
        let text = |name: &str| {
            known
                .field(Carrier::Contact(contact), name)
                .and_then(Value::text)
        };
        let mailbox = Mailbox {
            address: text("email")?.into(),
            name: text("name").map(Box::from),
        };
        let zone = text("timezone").and_then(calendar::zone);
        Some(Recipient {
            contact: contact.into(),
            mailbox,
            zone: zone.unwrap_or_else(|| self.zone.clone()),
        })
    }

    /// Those of `everyone` for whom the step has not decided yet.
    pub(super) fn pending(everyone: &[Recipient], state: Option<&StepState>) -> Vec<Recipient> {
        let is_decided = |recipient: &&Recipient| {
            let message = state.and_then(|state| state.messages.get(&recipient.contact));
            message.is_none_or(|message| message.fate == Fate::Expired)
        };
        everyone.iter().filter(is_decided).cloned().collect()
    }

    /// When somebody in this zone may next be written to: now, later, or never.
    pub(super) fn opens_at(&self, hours: Hours, zone: &TimeZone) -> Option<Timestamp> {
        match hours {
            Hours::Any => Some(self.now),
            Hours::Working => calendar::next_open(&self.context.program.calendar, self.now, zone),
        }
    }
}
