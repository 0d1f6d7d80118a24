//! Sends: one message to each recipient, at the first open minute of each.

use super::Turn;
use super::place::Place;
use super::ready::Ready;
use super::recipients::Recipient;
use super::record::Spot;
use super::steps::Progress;
use crate::calendar;
use crate::fold::Event;
use crate::run::{Fate, How, Message, StepPhase};
use jiff::Timestamp;
use model::message::Content;
use model::{Channel, Kind, Mailbox, MessageId, Outgoing, Record, Value};
use workflow::program::{AtLimit, Expr, Hours, IfNobody, Status, Step, Verb};

/// The keys of a `send`.
#[derive(Clone, Copy)]
pub(super) struct Send<'w> {
    pub(super) template: &'w str,
    to: &'w [Expr],
    cc: &'w [Expr],
    from: Option<&'w Mailbox>,
    reply_to: Option<&'w Expr>,
    pub(super) topic: &'w str,
    pub(super) at_limit: Option<AtLimit>,
    if_nobody: IfNobody,
    hours: Hours,
}

impl<'w> Send<'w> {
    /// The keys of a step that sends.
    pub(super) fn of(step: &'w Step) -> Option<Self> {
        let Verb::Send {
            template,
            to,
            cc,
            from,
            reply_to,
            topic,
            if_nobody,
            approval: _,
            at_limit,
            with: _,
        } = &step.verb
        else {
            return None;
        };
        Some(Self {
            template,
            to,
            cc,
            from: from.as_ref(),
            reply_to: reply_to.as_ref(),
            topic,
            at_limit: *at_limit,
            if_nobody: *if_nobody,
            hours: step.hours,
        })
    }
}

impl<'a> Turn<'a, '_> {
    /// A send at its acting moment: `if`, nobody, approval, what holds its topic back, then each recipient whose hours
    /// are open, as limits let them.
    pub(super) fn send_step(&mut self, spot: Spot<'a>, step: &'a Step) -> Progress {
        let Some(send) = Send::of(step) else {
            return Progress::Rests;
        };
        if let Some(progress) = self.refused(spot, step) {
            return progress;
        }
        if self.ready_at(spot, step) != Ready::Now {
            // Nobody answered in time, so it may go: but as any other, when hours are open.
            return Progress::Rests;
        }
        let everyone = self.recipients(spot.workflow, self.run(spot.workflow, spot.run), send.to);
        let state = self.run(spot.workflow, spot.run).steps.get(spot.step);
        let pending = Self::pending(&everyone, state);
        let has_sent = state.is_some_and(|state| !state.messages.is_empty());
        if !has_sent && !self.is_wanted(spot, step, None) {
            return self.pass_over(spot, "if");
        }
        if everyone.is_empty() && !has_sent {
            return self.nobody(spot, send);
        }
        if let Some(progress) = self.ask(spot, step, everyone.first()) {
            return progress;
        }
        if let Some(progress) = self.hold_back(spot, send) {
            return progress;
        }
        if !has_sent {
            self.say_crowds(send.to);
        }
        for recipient in &pending {
            let run = self.run(spot.workflow, spot.run);
            let due_at = self.due_at((spot.workflow, run), step, recipient);
            if due_at.is_none_or(|at| at > self.now) {
                continue;
            }
            if !self.is_wanted(spot, step, None) {
                self.skip_contact(spot, recipient, "if");
            } else if let Some(why) = self.stopped(send.topic, &recipient.contact) {
                self.skip_contact(spot, recipient, why);
            } else {
                self.send_or_hold(spot, send, (recipient, &everyone));
            }
        }
        self.send_is_complete(spot, &everyone)
    }

    /// The step is complete when each recipient has been decided.
    fn send_is_complete(&mut self, spot: Spot<'_>, everyone: &[Recipient]) -> Progress {
        let state = self.step_mut(spot.workflow, spot.run, spot.step);
        if !Self::pending(everyone, Some(state)).is_empty() {
            return Progress::Rests;
        }
        let has_sent = state.messages.values().any(|message| message.fate.counts());
        let phase = if has_sent {
            StepPhase::Acted
        } else {
            StepPhase::Skipped
        };
        self.complete(spot, phase)
    }

    /// There is nobody to write to.
    fn nobody(&mut self, spot: Spot<'a>, send: Send<'_>) -> Progress {
        let run = self.run(spot.workflow, spot.run);
        if self.settles_at(spot.workflow, run).is_some() {
            let state = self.step_mut(spot.workflow, spot.run, spot.step);
            if !std::mem::replace(&mut state.is_held, true) {
                let record = Record {
                    why: Some("nobody".into()),
                    ..self.step_record(Kind::Hold, spot)
                };
                self.push(record);
            }
            return Progress::Rests;
        }
        let progress = self.pass_over(spot, "nobody");
        match send.if_nobody {
            IfNobody::Skip => {}
            IfNobody::Alert => self.tell_nobody(spot),
            IfNobody::Stop => self.finish(spot.workflow, spot.run, How::Stopped),
        }
        progress
    }

    /// One recipient gets none.
    pub(super) fn skip_contact(&mut self, spot: Spot<'_>, recipient: &Recipient, why: &str) {
        let record = Record {
            to: Some(recipient.mailbox.address.clone()),
            why: Some(why.into()),
            ..self.step_record(Kind::Skip, spot)
        };
        self.push(record);
        self.keep_message(spot, &recipient.contact, Fate::Skipped, None);
    }

    /// Puts a message to one recipient into the outbox. At this moment the step counts as sent.
    pub(super) fn send_to(
        &mut self,
        spot: Spot<'a>,
        send: Send<'_>,
        to: &Recipient,
        everyone: &[Recipient],
    ) {
        let state = self.run(spot.workflow, spot.run).steps.get(spot.step);
        let earlier = state.and_then(|state| state.messages.get(&to.contact));
        let occurrence = earlier.map_or(0, |message| message.expired);
        let is_first = state.is_none_or(|state| {
            !state
                .messages
                .iter()
                .any(|(whom, message)| *whom != *to.contact && message.fate.counts())
        });
        let run = self.run(spot.workflow, spot.run);
        let message = MessageId::of(&[
            run.id.as_str(),
            spot.step,
            &occurrence.to_string(),
            &to.contact,
            "email",
        ]);
        let cc = if is_first {
            self.copies(spot, send, everyone)
        } else {
            Vec::new()
        };
        let outgoing = self.outgoing(spot, send, to, (message.clone(), cc));
        let record = self.send_record(spot, send, &outgoing);
        self.push(record);
        self.out.outbox.push(outgoing);
        self.count(spot.workflow, send.topic, &to.contact);
        self.keep_message(spot, &to.contact, Fate::Queued, Some(message));
        let fields = self.message_fields(spot, Some(&to.contact));
        self.observe(&Event {
            kind: "message.sent".into(),
            fields,
            at: self.now,
        });
    }

    /// Remembers what was decided for a recipient.
    pub(super) fn keep_message(
        &mut self,
        spot: Spot<'_>,
        whom: &str,
        fate: Fate,
        id: Option<MessageId>,
    ) {
        let now = self.now;
        let state = self.step_mut(spot.workflow, spot.run, spot.step);
        let before = state.messages.get(whom);
        let expired = before.map_or(0, |message| message.expired);
        let id = id.or_else(|| before.map(|message| message.id.clone()));
        let message = Message {
            id: id.unwrap_or_else(|| MessageId::new("")),
            expired,
            fate,
            at: now,
        };
        state.messages.insert(whom.into(), message);
    }

    /// Who gets a copy: who exists, has an address and is not written to anyway.
    fn copies(&self, spot: Spot<'_>, send: Send<'_>, everyone: &[Recipient]) -> Vec<Mailbox> {
        let run = self.run(spot.workflow, spot.run);
        let is_written_to = |copy: &Recipient| {
            let address = copy.mailbox.address.to_lowercase();
            everyone
                .iter()
                .any(|to| to.mailbox.address.to_lowercase() == address)
        };
        let copies = self.recipients(spot.workflow, run, send.cc);
        copies
            .into_iter()
            .filter(|copy| {
                !is_written_to(copy) && self.stopped(send.topic, &copy.contact).is_none()
            })
            .map(|copy| copy.mailbox)
            .collect()
    }

    fn outgoing(
        &self,
        spot: Spot<'_>,
        send: Send<'_>,
        to: &Recipient,
        (message, cc): (MessageId, Vec<Mailbox>),
    ) -> Outgoing {
        let program = self.context.program;
        let place = Place::run(spot.workflow, self.run(spot.workflow, spot.run)).to(&to.contact);
        let said = self.said(send.template, Some(&to.contact));
        let reply_to = send.reply_to.or(program.defaults.reply_to.as_ref());
        let topic = program.topics.get(send.topic);
        let from = send.from.or(program.defaults.from.as_ref()).cloned();
        Outgoing {
            message,
            account: self.account.id.clone(),
            workflow: spot.workflow.name.clone(),
            subject: self.run(spot.workflow, spot.run).subject.clone(),
            run: self.run(spot.workflow, spot.run).id.clone(),
            step: spot.step.into(),
            channel: Channel::Email {
                to: to.mailbox.clone(),
                contact: to.contact.clone(),
                cc,
                from: from.unwrap_or_else(|| self.nameless_sender()),
                reply_to: reply_to.and_then(|expr| self.address(place, expr)),
            },
            content: Content::Template {
                name: send.template.into(),
                locale: said.locale,
                hash: said.hash,
            },
            view: self.view(spot, place),
            topic: Some(send.topic.into()),
            purpose: topic.map(|topic| topic.purpose),
            resends_unknown: topic.is_some_and(|topic| topic.resends_unknown),
            not_before: self.now,
            expires_at: self.expires_at(send.hours, to),
            priority: spot.workflow.priority,
            is_shadow: spot.workflow.status == Status::Shadow,
        }
    }

    /// The end of the recipient's present sending window.
    fn expires_at(&self, hours: Hours, to: &Recipient) -> Option<Timestamp> {
        match hours {
            Hours::Any => None,
            Hours::Working => {
                calendar::window_end(&self.context.program.calendar, self.now, &to.zone)
            }
        }
    }

    /// Where no sender is set, the legal contact writes.
    fn nameless_sender(&self) -> Mailbox {
        let sender = self.context.program.sender.as_ref();
        Mailbox {
            name: sender.map(|sender| sender.name.clone()),
            address: sender.map_or_else(|| "".into(), |sender| sender.contact.clone()),
        }
    }

    fn address(&self, place: Place<'_>, expr: &Expr) -> Option<Mailbox> {
        match self.look(place, |scene| scene.value(expr)) {
            Some(Value::Text(address)) => Some(Mailbox {
                name: None,
                address,
            }),
            Some(_) | None => None,
        }
    }

    fn send_record(&self, spot: Spot<'_>, send: Send<'_>, outgoing: &Outgoing) -> Record {
        let (to, cc) = match &outgoing.channel {
            Channel::Email { to, cc, .. } => (
                Some(to.address.clone()),
                cc.iter().map(|copy| copy.address.clone()).collect(),
            ),
            Channel::Route { .. } | Channel::Webhook { .. } => (None, Vec::new()),
        };
        let locale = match &outgoing.content {
            Content::Template { locale, .. } => Some(locale.clone()),
            Content::Text(_)
            | Content::Nobody { .. }
            | Content::Complained { .. }
            | Content::Ask { .. }
            | Content::Task { .. }
            | Content::Webhook => None,
        };
        Record {
            template: Some(send.template.into()),
            to,
            cc: Some(cc),
            topic: Some(send.topic.into()),
            locale,
            message: Some(outgoing.message.clone()),
            ..self.step_record(Kind::Send, spot)
        }
    }
}
