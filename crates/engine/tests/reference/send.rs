//! Sends: nobody, approval, what holds a topic back, limits; each recipient in their own working hours.

use crate::days;
use crate::deed::{Deed, What};
use crate::run::{Done, Look, Run};
use crate::sometimes::Sometimes;
use crate::told::Known;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{Purpose, Value};
use std::collections::BTreeMap;
use workflow::program::{
    Approval, ApprovalOtherwise, AtLimit, Expr, Hours, IfNobody, Limit, LimitPer, OverLimit,
    Period, Step, Verb,
};

/// A message that went out: when, to whom, of which topic.
pub(crate) type Sent = (Timestamp, String, String);

/// What a run sees of the others.
pub(crate) struct Around {
    /// All that went out to anybody of the account.
    pub(crate) sent: Vec<Sent>,
    /// The topics that open runs of other workflows hold back.
    pub(crate) held_back: Vec<String>,
    pub(crate) sometimes: Sometimes,
}

/// What became of the present step, which sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters {
    /// The recipients that were decided, and whether they were written to.
    decided: BTreeMap<String, bool>,
    /// Since when the message for a recipient waits.
    waits: BTreeMap<String, Timestamp>,
    /// Since when the whole step is held back.
    is_held_since: Option<Timestamp>,
    pub(crate) ask: Option<Question>,
}

/// What was asked of a colleague.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    due_at: Timestamp,
    pub(crate) answer: Option<bool>,
}

impl Letters {
    /// What the step comes to.
    pub(crate) fn sum(&self) -> Done {
        if self.decided.values().any(|is_sent| *is_sent) {
            Done::Sent
        } else {
            Done::Skipped
        }
    }

    /// Since when anything of the step waits.
    fn waits_first(&self) -> Option<Timestamp> {
        let all = self.waits.values().chain(&self.is_held_since);
        all.min().copied()
    }
}

/// The keys of a `send`.
#[derive(Clone, Copy)]
pub(crate) struct Letter<'a> {
    step: &'a Step,
    to: &'a [Expr],
    if_nobody: IfNobody,
    topic: &'a str,
    approval: Option<&'a Approval>,
    at_limit: AtLimit,
}

impl<'a> Letter<'a> {
    pub(crate) fn of(known: &Known<'_>, step: &'a Step) -> Option<Self> {
        let Verb::Send {
            to,
            if_nobody,
            topic,
            approval,
            at_limit,
            ..
        } = &step.verb
        else {
            return None;
        };
        let policy = match known.program.over_limit {
            OverLimit::Delay => AtLimit::Delay,
            OverLimit::Skip => AtLimit::Skip,
        };
        Some(Self {
            step,
            to,
            if_nobody: *if_nobody,
            topic,
            approval: approval.as_ref(),
            at_limit: at_limit.unwrap_or(policy),
        })
    }

    fn is_open(&self, known: &Known<'_>, zone: &TimeZone) -> bool {
        self.step.hours == Hours::Any || days::is_open(&known.program.calendar, known.now, zone)
    }

    /// Whether a limit keeps a message from a contact now.
    fn is_limited(&self, known: &Known<'_>, sent: &[Sent], contact: &str) -> bool {
        let topic = &known.program.topics[self.topic];
        if topic.purpose == Purpose::Contractual || self.at_limit == AtLimit::Ignore {
            return false;
        }
        let mut limits = known.program.limits.iter();
        limits.any(|limit| {
            let counted = sent.iter().filter(|(at, whom, topic)| {
                counts(limit, topic)
                    && (limit.per == LimitPer::Account || whom == contact)
                    && is_inside(known, *at, limit.window)
            });
            counts(limit, self.topic)
                && counted.count() >= usize::try_from(limit.at_most).expect("few")
        })
    }
}

/// Whether a limit counts mails of a topic.
pub(crate) fn counts(limit: &Limit, topic: &str) -> bool {
    limit.topics.is_empty() || limit.topics.iter().any(|one| **one == *topic)
}

/// Whether a window that ends now holds that instant: days are civil ones and end with today.
fn is_inside(known: &Known<'_>, at: Timestamp, window: Period) -> bool {
    let day = days::day(at, &known.zone);
    match window {
        Period::Seconds(seconds) => (known.now - at).get_seconds() < i64::from(seconds),
        Period::Days(days) => days::between(day, known.today()) < i64::from(days),
        Period::BusinessDays(days) => {
            let eve = days::later(day, -1);
            let calendar = &known.program.calendar;
            days::working_days_between(calendar, eve, known.today()) <= i64::from(days)
        }
    }
}

impl<'a> Run<'a> {
    /// One look at a step that sends.
    pub(crate) fn send(
        &mut self,
        known: &Known<'_>,
        letter: Letter<'a>,
        around: &mut Around,
        deeds: &mut Vec<Deed>,
    ) -> Look<'a> {
        if let Some(look) = self.is_refused(known, letter, around, deeds) {
            return look;
        }
        let people = self.addressees(known, letter.to);
        let has_decided = !self.letters.decided.is_empty();
        let left = self.left(&people);
        if left.is_empty() && has_decided {
            return Look::Done(self.letters.sum());
        }
        let is_nobody = people.is_empty() && !has_decided;
        let is_due = |(id, _): &(String, String)| self.is_due(known, letter, around, id);
        let may_say_nobody = is_nobody && letter.is_open(known, &known.zone);
        if !(may_say_nobody || left.iter().any(is_due)) {
            return Look::Rest;
        }
        let is_wanted = self.is_wanted(known, letter);
        if !is_wanted && !has_decided {
            deeds.push(self.deed(known, letter.step, What::Skip("if")));
            return Look::Done(Done::Skipped);
        }
        if is_nobody {
            return self.nobody(known, letter, deeds);
        }
        if let Some(approval) = letter.approval
            && self.letters.ask.is_none()
        {
            let by = What::Ask(approval.by.to_string());
            deeds.push(self.deed(known, letter.step, by));
            around.sometimes.note("an approval is asked for");
            let calendar = &known.program.calendar;
            self.letters.ask = Some(Question {
                due_at: days::after(calendar, known.now, approval.at_most, &known.zone),
                answer: None,
            });
            return Look::Again;
        }
        if around.held_back.iter().any(|held| held == letter.topic) {
            return self.hold_back(known, letter, around, deeds);
        }
        for (id, address) in left {
            if self.is_due(known, letter, around, &id)
                && self.decide(known, letter, (&id, &address), (around, deeds))
            {
                return Look::More;
            }
        }
        if self.left(&people).is_empty() {
            Look::Done(self.letters.sum())
        } else {
            Look::Rest
        }
    }

    fn addressees(&self, known: &Known<'_>, to: &[Expr]) -> Vec<(String, String)> {
        let ask = self.ask(known);
        let mut people: Vec<(String, String)> = Vec::new();
        for id in to.iter().flat_map(|expr| ask.people(expr)) {
            let address = known.contact(&id, "email");
            let address = address.as_ref().and_then(Value::text).expect("an address");
            if people.iter().all(|(_, other)| other != address) {
                people.push((id, address.to_owned()));
            }
        }
        people
    }

    /// Those who are not decided yet.
    fn left(&self, people: &[(String, String)]) -> Vec<(String, String)> {
        let all = people.iter();
        all.filter(|(id, _)| !self.letters.decided.contains_key(id))
            .cloned()
            .collect()
    }

    fn is_wanted(&self, known: &Known<'_>, letter: Letter<'_>) -> bool {
        let ask = self.ask(known);
        let condition = letter.step.condition.as_ref();
        condition.is_none_or(|wanted| ask.truth(wanted) == Some(true))
    }

    /// Whether what waits since then has waited for as long as it may.
    fn gives_up(known: &Known<'_>, since: Timestamp) -> bool {
        let (calendar, at_most) = (&known.program.calendar, known.program.delay_at_most);
        days::after(calendar, since, at_most, &known.zone) <= known.now
    }

    /// Whether a recipient may be decided now.
    fn is_due(&self, known: &Known<'_>, letter: Letter<'_>, around: &Around, id: &str) -> bool {
        let is_held_back = around.held_back.iter().any(|held| held == letter.topic);
        if is_held_back && let Some(first) = self.letters.waits_first() {
            return Self::gives_up(known, first);
        }
        let is_limited = letter.is_limited(known, &around.sent, id);
        match self.letters.waits.get(id) {
            Some(since) if is_limited => Self::gives_up(known, *since),
            Some(_) | None => letter.is_open(known, &known.zone_of(id)),
        }
    }

    /// What an answer, or none in time, makes of the step; none: it goes on.
    fn is_refused(
        &mut self,
        known: &Known<'_>,
        letter: Letter<'_>,
        around: &mut Around,
        deeds: &mut Vec<Deed>,
    ) -> Option<Look<'a>> {
        let (ask, approval) = (self.letters.ask?, letter.approval?);
        let skip = |why| self.deed(known, letter.step, What::Skip(why));
        match ask.answer {
            Some(true) => None,
            Some(false) => {
                around.sometimes.note("an approval is refused");
                deeds.push(skip("rejected"));
                Some(Look::Done(Done::Skipped))
            }
            None if known.now < ask.due_at => Some(Look::Rest),
            None => {
                around.sometimes.note(match approval.otherwise {
                    ApprovalOtherwise::Skip => "no answer: skip",
                    ApprovalOtherwise::Send => "no answer: send",
                    ApprovalOtherwise::Stop => "no answer: stop",
                });
                if approval.otherwise == ApprovalOtherwise::Send {
                    let given = self.letters.ask.as_mut().expect("it was asked");
                    given.answer = Some(true);
                    return None;
                }
                deeds.push(skip("no_approval"));
                Some(match approval.otherwise {
                    ApprovalOtherwise::Stop => Look::Stop,
                    ApprovalOtherwise::Skip | ApprovalOtherwise::Send => Look::Done(Done::Skipped),
                })
            }
        }
    }

    fn nobody(&self, known: &Known<'_>, letter: Letter<'_>, deeds: &mut Vec<Deed>) -> Look<'a> {
        let deed = |what| self.deed(known, letter.step, what);
        deeds.push(deed(What::Skip("nobody")));
        match letter.if_nobody {
            IfNobody::Stop => Look::Stop,
            IfNobody::Skip => Look::Done(Done::Skipped),
            IfNobody::Alert => {
                deeds.push(deed(What::Alert("csm".to_owned())));
                Look::Done(Done::Skipped)
            }
        }
    }

    /// A run of another workflow holds the topic back: the step waits, and is skipped at last.
    fn hold_back(
        &mut self,
        known: &Known<'_>,
        letter: Letter<'_>,
        around: &mut Around,
        deeds: &mut Vec<Deed>,
    ) -> Look<'a> {
        let since = self.letters.waits_first().unwrap_or(known.now);
        if Self::gives_up(known, since) {
            around.sometimes.note("held back for too long");
            deeds.push(self.deed(known, letter.step, What::Skip("held_back")));
            return Look::Done(self.letters.sum());
        }
        if self.letters.is_held_since.is_none() {
            around.sometimes.note("held back");
            self.letters.is_held_since = Some(since);
        }
        Look::Rest
    }

    /// Sends to one recipient, keeps it waiting, or gives it up. Gives whether it was sent.
    fn decide(
        &mut self,
        known: &Known<'_>,
        letter: Letter<'_>,
        (id, address): (&str, &str),
        (around, deeds): (&mut Around, &mut Vec<Deed>),
    ) -> bool {
        let deed = |what| self.deed(known, letter.step, what);
        let own = self.letters.waits.get(id).copied();
        let is_sent = if !self.is_wanted(known, letter) {
            deeds.push(deed(What::Skip("if")));
            false
        } else if letter.is_limited(known, &around.sent, id) {
            let since = own.or(self.letters.is_held_since).unwrap_or(known.now);
            if letter.at_limit == AtLimit::Delay && !Self::gives_up(known, since) {
                around.sometimes.note("delayed by a limit");
                self.letters.waits.insert(id.to_owned(), since);
                return false;
            }
            around.sometimes.note(match letter.at_limit {
                AtLimit::Delay => "delayed for too long",
                AtLimit::Skip | AtLimit::Ignore => "skipped by a limit",
            });
            deeds.push(deed(What::Skip("limit")));
            false
        } else {
            if own.is_some() {
                around.sometimes.note("sent after a delay");
            }
            if self.letters.is_held_since.is_some() {
                around.sometimes.note("sent after it was held back");
            }
            if self.letters.ask.is_some() {
                around.sometimes.note("sent after it was approved");
            }
            deeds.push(deed(What::Send(address.to_owned())));
            let sent = (known.now, id.to_owned(), letter.topic.to_owned());
            around.sent.push(sent);
            let mailed = self.past.mailed.entry(letter.step.id.to_string());
            mailed.or_default().insert(id.to_owned());
            true
        };
        self.letters.decided.insert(id.to_owned(), is_sent);
        is_sent
    }
}
