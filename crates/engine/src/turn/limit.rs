//! Limits within an account: how many messages went out, and when one more may.

use super::Turn;
use super::send::Send;
use crate::calendar;
use jiff::Timestamp;
use model::Purpose;
use workflow::program::{AtLimit, Limit, LimitPer, OverLimit, Period, Status, Workflow};

/// The channel of sends: alerts and tasks go to colleagues and concern no limit.
const CHANNEL: &str = "email";

/// A limit binds: this is when one more message may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frees {
    /// Then.
    At(Timestamp),
    /// Time alone never frees it.
    Never,
}

impl Frees {
    fn of(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Never, Self::At)
    }

    /// The later of two.
    fn max(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(one), Self::At(other)) => Self::At(one.max(other)),
            (Self::Never, _) | (_, Self::Never) => Self::Never,
        }
    }

    /// The instant, if there is one.
    pub(super) fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Never => None,
        }
    }
}

impl Turn<'_, '_> {
    /// What a send does at a limit: its own word, else the policy's.
    pub(super) fn at_limit(&self, send: Send<'_>) -> AtLimit {
        send.at_limit
            .unwrap_or(match self.context.program.over_limit {
                OverLimit::Delay => AtLimit::Delay,
                OverLimit::Skip => AtLimit::Skip,
            })
    }

    /// Whether a limit keeps a message from a contact, and if so, when it frees up. Nothing keeps contractual ones.
    pub(super) fn limited(&self, send: Send<'_>, contact: &str) -> Option<Frees> {
        let program = self.context.program;
        let purpose = program.topics.get(send.topic).map(|topic| topic.purpose);
        if purpose == Some(Purpose::Contractual) || self.at_limit(send) == AtLimit::Ignore {
            return None;
        }
        let binding = self
            .limits_of(send.topic)
            .filter_map(|limit| self.frees(limit, contact));
        binding.reduce(Frees::max)
    }

    /// The limits that count a topic's mails.
    fn limits_of<'t>(&'t self, topic: &'t str) -> impl Iterator<Item = &'t Limit> {
        let counts = move |limit: &&Limit| counts(limit, topic);
        self.context.program.limits.iter().filter(counts)
    }

    /// Whether any limit counts a topic's mails: then the order of those that go at one instant matters.
    pub(super) fn has_limit(&self, topic: &str) -> bool {
        self.limits_of(topic).next().is_some()
    }

    /// When a limit lets one more through; none: it does now.
    fn frees(&self, limit: &Limit, contact: &str) -> Option<Frees> {
        let concerns = |whom: &str, topic: &str| {
            let is_theirs = match limit.per {
                LimitPer::Account => true,
                LimitPer::Contact => whom == contact,
            };
            is_theirs && counts(limit, topic)
        };
        let sent = self.account.parts.sends().sent();
        let mut leaving: Vec<Timestamp> = sent
            .filter(|(whom, topic, _)| concerns(whom, topic))
            .map(|(_, _, at)| self.leaves(at, limit.window).unwrap_or(Timestamp::MAX))
            .filter(|leaves_at| *leaves_at > self.now)
            .collect();
        let at_most = usize::try_from(limit.at_most).unwrap_or(usize::MAX);
        let over = leaving.len().checked_sub(at_most)?;
        leaving.sort_unstable();
        // One more may go once so many have left that it is the last that may.
        let frees_at = leaving.get(over).copied();
        Some(Frees::of(frees_at.filter(|at| *at < Timestamp::MAX)))
    }

    fn leaves(&self, at: Timestamp, window: Period) -> Option<Timestamp> {
        calendar::leaves_window(&self.context.program.calendar, at, window, &self.zone)
    }

    /// Counts a message that was put into the outbox. One of a shadow workflow never leaves, so it counts for nobody.
    pub(super) fn count(&mut self, workflow: &Workflow, topic: &str, contact: &str) {
        let limits = &self.context.program.limits;
        if limits.is_empty() || workflow.status == Status::Shadow {
            return;
        }
        let (calendar, zone, now) = (&self.context.program.calendar, &self.zone, self.now);
        let is_asked = |at: Timestamp| {
            let leaves = |limit: &Limit| calendar::leaves_window(calendar, at, limit.window, zone);
            limits
                .iter()
                .any(|limit| leaves(limit).is_none_or(|leaves_at| leaves_at > now))
        };
        let sends = self.account.parts.sends_mut();
        sends.forget(is_asked);
        sends.count(contact, topic, now);
    }

    /// Takes a message out of its day's counts: it never arrived.
    pub(super) fn uncount(&mut self, workflow: &Workflow, step: &str, whom: (&str, Timestamp)) {
        let send = self.find_step(workflow, step).and_then(Send::of);
        let topic = send.map(|send| send.topic);
        let (contact, at) = whom;
        if topic.is_some() && workflow.status != Status::Shadow {
            self.account.parts.sends_mut().uncount(contact, topic, at);
        }
    }
}

fn counts(limit: &Limit, topic: &str) -> bool {
    let is_listed = limit.topics.is_empty() || limit.topics.iter().any(|one| **one == *topic);
    let is_here = limit.channel.as_deref().is_none_or(|name| name == CHANNEL);
    is_listed && is_here
}
