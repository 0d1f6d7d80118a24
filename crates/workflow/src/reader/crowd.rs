//! Sends that come too close upon one another for a limit (W605).
//!
//! Every way through the steps is gone with the least time it can take. Sends that hang on an `if` of their own are
//! left out: whether they happen is nobody's knowledge.

use super::Notes;
use crate::diagnostic::Span;
use crate::program::{
    AtLimit, AtWindow, Expr, ExprKind, Limit, LimitPer, Otherwise, Period, Step, Verb,
};
use model::Purpose;
use std::collections::{BTreeMap, BTreeSet};

/// The most ways through one workflow that are looked at.
const WAYS_MAX: usize = 64;
/// The most limits that are looked at.
const LIMITS_MAX: usize = 20;

/// A send on one way.
#[derive(Clone)]
struct Sent<'s> {
    id: &'s str,
    /// Who surely is written to, or may be.
    to: Vec<&'s Expr>,
    topic: &'s str,
    /// Seconds since the way began, at least.
    after: i64,
    at: Option<&'s AtWindow>,
    ignores: bool,
}

/// One way: how long it takes at least, what it sends, and whether it ended.
#[derive(Clone, Default)]
struct Way<'s> {
    takes: i64,
    sent: Vec<Sent<'s>>,
    is_over: bool,
}

/// What is needed to judge a workflow's sends.
pub(crate) struct Crowd<'a> {
    /// The limits.
    pub(crate) limits: &'a [Limit],
    /// The topics.
    pub(crate) topics: &'a BTreeMap<Box<str>, Purpose>,
    /// Where each send stands.
    pub(crate) places: &'a BTreeMap<Box<str>, Span>,
}

impl Crowd<'_> {
    /// W605 for each send that some way through the steps brings too soon after others.
    pub(crate) fn look(&self, notes: &mut Notes, steps: &[Step]) {
        if self.limits.is_empty() {
            return;
        }
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for way in ways(vec![Way::default()], steps) {
            for (at, late) in way.sent.iter().enumerate() {
                let limit = self.limits.iter().take(LIMITS_MAX).find(|limit| {
                    let before = way.sent[..at].iter();
                    let close = before.filter(|early| self.is_close(limit, early, late));
                    let at_most = usize::try_from(limit.at_most).unwrap_or(usize::MAX);
                    self.binds(limit, late) && close.count() >= at_most
                });
                if let Some(limit) = limit
                    && told.insert(late.id)
                {
                    self.say(notes, limit, late);
                }
            }
        }
    }

    fn say(&self, notes: &mut Notes, limit: &Limit, late: &Sent<'_>) {
        let Some(span) = self.places.get(late.id) else {
            return;
        };
        let whom = match limit.per {
            LimitPer::Contact => "one contact",
            LimitPer::Account => "one account",
        };
        let message = format!(
            "this can come too soon: a limit lets {} through to {whom} in {}",
            limit.at_most,
            length(limit.window)
        );
        let help = "wait longer before it, or raise the limit";
        notes.warn("W605", *span, message, help.to_owned());
    }

    /// Whether a limit can hold this send up.
    fn binds(&self, limit: &Limit, sent: &Sent<'_>) -> bool {
        let is_contractual = self.topics.get(sent.topic) == Some(&Purpose::Contractual);
        counts(limit, sent) && !is_contractual && !sent.ignores
    }

    /// Whether two sends count together: to the same people, and inside the limit's time.
    fn is_close(&self, limit: &Limit, early: &Sent<'_>, late: &Sent<'_>) -> bool {
        let is_same = match limit.per {
            LimitPer::Account => true,
            LimitPer::Contact => early.to.iter().any(|one| late.to.contains(one)),
        };
        counts(limit, early) && is_same && gap(early, late) < seconds(limit.window)
    }
}

fn counts(limit: &Limit, sent: &Sent<'_>) -> bool {
    let has_topic =
        limit.topics.is_empty() || limit.topics.iter().any(|topic| **topic == *sent.topic);
    has_topic && limit.channel.as_deref().is_none_or(|it| it == "email")
}

/// The least time between two sends.
fn gap(early: &Sent<'_>, late: &Sent<'_>) -> i64 {
    let waited = late.after - early.after;
    match (early.at, late.at) {
        (Some(one), Some(two)) if one.date == two.date => {
            let days = i64::from(two.opens) - i64::from(one.closes);
            waited.max(days * DAY)
        }
        // Nobody knows how far windows of different dates, or the start and a window, lie apart.
        (None, Some(_)) | (Some(_), Some(_)) => i64::MAX,
        (_, None) => waited,
    }
}

const DAY: i64 = 86_400;

fn seconds(period: Period) -> i64 {
    match period {
        Period::Seconds(seconds) => i64::from(seconds),
        // Working days take at least as long as days.
        Period::Days(days) | Period::BusinessDays(days) => i64::from(days) * DAY,
    }
}

fn length(period: Period) -> String {
    match period {
        Period::Seconds(seconds) if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        Period::Seconds(seconds) => format!("{} min", seconds / 60),
        Period::Days(1) => "1 day".to_owned(),
        Period::Days(days) => format!("{days} days"),
        Period::BusinessDays(days) => format!("{days} business days"),
    }
}

/// All ways through some steps behind each of those before.
fn ways<'s>(mut before: Vec<Way<'s>>, steps: &'s [Step]) -> Vec<Way<'s>> {
    for step in steps {
        let (over, open): (Vec<_>, Vec<_>) = before.into_iter().partition(|way| way.is_over);
        let mut after = through(open, step);
        after.extend(over);
        after.truncate(WAYS_MAX);
        before = after;
    }
    before
}

fn through<'s>(open: Vec<Way<'s>>, step: &'s Step) -> Vec<Way<'s>> {
    match &step.verb {
        Verb::Wait { length } if step.condition.is_none() => {
            let takes = seconds(*length);
            let wait = |mut way: Way<'s>| {
                way.takes += takes;
                way
            };
            open.into_iter().map(wait).collect()
        }
        Verb::WaitFor {
            at_most, otherwise, ..
        } if step.condition.is_none() => waited(open, *at_most, otherwise),
        Verb::Stop { .. } if step.condition.is_none() && step.at.is_none() => {
            let end = |mut way: Way<'s>| {
                way.is_over = true;
                way
            };
            open.into_iter().map(end).collect()
        }
        Verb::Branch { then, otherwise } => {
            let mut all = ways(open.clone(), then);
            all.extend(ways(open, otherwise));
            all
        }
        Verb::Match {
            cases, otherwise, ..
        } => {
            let lists = cases.iter().map(|(_, steps)| steps).chain([otherwise]);
            lists
                .flat_map(|steps| ways(open.clone(), steps))
                .take(WAYS_MAX)
                .collect()
        }
        Verb::Split { arms } => {
            let lists = arms.iter().map(|arm| &arm.steps);
            lists
                .flat_map(|steps| ways(open.clone(), steps))
                .take(WAYS_MAX)
                .collect()
        }
        Verb::Send {
            to,
            topic,
            at_limit,
            ..
        } if step.condition.is_none() => {
            let send = |mut way: Way<'s>| {
                way.sent.push(Sent {
                    id: &step.id,
                    to: to.iter().map(first).collect(),
                    topic,
                    after: way.takes,
                    at: step.at.as_ref(),
                    ignores: *at_limit == Some(AtLimit::Ignore),
                });
                way
            };
            open.into_iter().map(send).collect()
        }
        Verb::Wait { .. }
        | Verb::WaitFor { .. }
        | Verb::Stop { .. }
        | Verb::Send { .. }
        | Verb::Alert { .. }
        | Verb::Task { .. }
        | Verb::Set { .. }
        | Verb::Webhook { .. } => open,
    }
}

/// What is waited for comes at once, or never.
fn waited<'s>(open: Vec<Way<'s>>, at_most: Period, otherwise: &'s Otherwise) -> Vec<Way<'s>> {
    let Otherwise::Steps(steps) = otherwise else {
        return open;
    };
    let mut late = open.clone();
    for way in &mut late {
        way.takes += seconds(at_most);
    }
    let mut all = open;
    all.extend(ways(late, steps));
    all
}

/// Who is meant first: the others stand in.
fn first(to: &Expr) -> &Expr {
    if let ExprKind::Else(left, _) = &to.kind {
        return first(left);
    }
    to
}
