//! One run: where it stands, and what its step does at one moment.

use crate::ask::{Ask, Subject};
use crate::days;
use crate::deed::{Deed, What};
use crate::own::Task;
use crate::send::{Around, Letter, Letters};
use crate::told::{Known, Told, Written};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{MessageId, RunId, Value};
use std::collections::{BTreeMap, BTreeSet};
use workflow::program::{
    AtWindow, Expr, Hours, OncePer, Otherwise, SetOf, Setting, Step, Until, Verb, Workflow,
};

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Sent,
    Skipped,
    TimedOut,
    Passed,
}

/// What became of the steps of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    pub(crate) done: BTreeMap<String, Done>,
    pub(crate) tasks: BTreeMap<String, Task>,
    /// To whom a step has sent.
    pub(crate) mailed: BTreeMap<String, BTreeSet<String>>,
    /// Steps to which somebody has replied.
    pub(crate) replied: BTreeSet<String>,
    /// Calls by their message: the step, and whether it is known what became of them.
    pub(crate) calls: BTreeMap<String, (String, bool)>,
    /// Steps whose call was accepted.
    pub(crate) accepted: BTreeSet<String>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In its steps.
    Open,
    /// Through with its steps, watched for the goal.
    Watched,
    /// In the steps after the goal.
    After,
    Over,
}

/// One passage of a subject through a workflow.
#[derive(Clone, Debug)]
pub(crate) struct Run<'a> {
    pub(crate) workflow: &'a Workflow,
    pub(crate) subject: Subject,
    pub(crate) key: Option<Value>,
    pub(crate) started_at: Timestamp,
    pub(crate) phase: Phase,
    /// The blocks it stands in, the innermost last, and its place in each.
    pub(crate) place: Vec<(&'a [Step], usize)>,
    /// When the step before was completed.
    pub(crate) since: Timestamp,
    /// How many facts were in when the last acting step was completed.
    heard: usize,
    /// The same of what the engine itself told.
    pub(crate) heard_own: usize,
    /// When that was.
    heard_at: Timestamp,
    pub(crate) past: Past,
    /// How it ended.
    pub(crate) ended: Option<&'static str>,
    /// The present step, if it sends.
    pub(crate) letters: Letters,
    /// How many runs of this subject began before under the same key.
    pub(crate) number: usize,
    /// Whether its subject belongs to the share that gets no steps.
    pub(crate) is_held_out: bool,
    /// Whether the present step, a wait, has begun: then its `if` was true.
    is_waiting: bool,
    /// What it remembers of its start.
    pub(crate) remembered: Vec<Option<Value>>,
    /// The event that started it.
    pub(crate) started_by: Option<Told>,
}

/// What a look at a step gives.
pub(crate) enum Look<'a> {
    /// It rests.
    Rest,
    /// It was completed.
    Done(Done),
    /// It leads into a block.
    Into(&'a [Step]),
    /// Fields were written.
    Set(Vec<Written>),
    /// Something moved, and the step is asked again.
    Again,
    /// A mail went out, and others of the step may be told of it.
    More,
    /// The run ends.
    Stop,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        workflow: &'a Workflow,
        subject: Subject,
        key: Option<Value>,
        known: &Known<'_>,
    ) -> Self {
        Self {
            workflow,
            subject,
            key,
            started_at: known.now,
            phase: Phase::Open,
            place: vec![(&workflow.steps, 0)],
            since: known.now,
            heard: known.told.len(),
            heard_own: known.own.len(),
            heard_at: known.now,
            past: Past::default(),
            ended: None,
            letters: Letters::default(),
            number: 0,
            is_held_out: false,
            is_waiting: false,
            remembered: Vec::new(),
            started_by: None,
        }
    }

    /// The public rule by which a run has its id.
    pub(crate) fn id(&self) -> RunId {
        let key = self.key.as_ref().map_or(String::new(), |key| match key {
            Value::Text(text) | Value::Word(text) => text.to_string(),
            Value::Date(day) => day.to_string(),
            other @ (Value::Bool(_)
            | Value::Number(_)
            | Value::Percent(_)
            | Value::Money(_)
            | Value::Time(_)) => panic!("no key: {other:?}"),
        });
        let (name, number) = (&self.workflow.name, self.number.to_string());
        RunId::of(&["acme", name, self.subject.name(), &key, &number])
    }

    /// The public rule by which a call has its id.
    pub(crate) fn call(&self, step: &Step, name: &str) -> String {
        let id = self.id();
        let message = MessageId::of(&[id.as_str(), &step.id, "0", name, "webhook"]);
        message.as_str().to_owned()
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Watched)
    }

    /// Whether it ended before its steps were done: that has closed their tasks.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.ended.is_some_and(|how| how != "finished")
    }

    pub(crate) fn is_acting(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::After)
    }

    pub(crate) fn ask<'k>(&'k self, known: &'k Known<'k>) -> Ask<'k> {
        Ask {
            steps: Some(&self.past),
            remembered: Some(&self.remembered),
            started_by: self.started_by.as_ref(),
            ..Ask::new(known, &self.subject).of(self.workflow)
        }
    }

    /// The step it stands at, out of blocks that are done.
    pub(crate) fn step(&mut self) -> Option<&'a Step> {
        while let Some((block, index)) = self.place.last().copied() {
            if let Some(step) = block.get(index) {
                return Some(step);
            }
            self.place.pop();
        }
        None
    }

    /// Goes on behind its step.
    pub(crate) fn pass(&mut self, known: &Known<'_>, step: &Step, done: Done) {
        let is_acting = match step.verb {
            Verb::Send { .. }
            | Verb::Alert { .. }
            | Verb::Task { .. }
            | Verb::Set { .. }
            | Verb::Webhook { .. } => done != Done::Skipped,
            Verb::Branch { .. }
            | Verb::Match { .. }
            | Verb::Split { .. }
            | Verb::Wait { .. }
            | Verb::WaitFor { .. }
            | Verb::Stop { .. } => false,
        };
        if is_acting {
            self.heard = known.told.len();
            self.heard_own = usize::MAX;
            self.heard_at = known.now;
        }
        self.since = known.now;
        self.past.done.insert(step.id.to_string(), done);
        self.letters = Letters::default();
        self.is_waiting = false;
        if let Some((_, index)) = self.place.last_mut() {
            *index += 1;
        }
    }

    /// Looks at a step once.
    pub(crate) fn look(
        &mut self,
        known: &Known<'_>,
        step: &'a Step,
        around: &mut Around,
        deeds: &mut Vec<Deed>,
    ) -> Look<'a> {
        let deed = |what| self.deed(known, step, what);
        if let Some(at) = step.at.as_ref().filter(|_| self.letters.ask.is_none()) {
            match self.window(known, at) {
                Opens::Later => return Look::Rest,
                Opens::Now => {}
                Opens::Over => {
                    deeds.push(deed(What::Skip("window_passed")));
                    return Look::Done(self.letters.sum());
                }
            }
        }
        if let Some(letter) = Letter::of(known, step) {
            return self.send(known, letter, around, deeds);
        }
        if !acts_now(known, step) {
            return Look::Rest;
        }
        let ask = self.ask(known);
        let is_wanted = |expr: &Expr| ask.truth(expr) == Some(true);
        if !matches!(step.verb, Verb::Branch { .. })
            && !self.is_waiting
            && !step.condition.as_ref().is_none_or(is_wanted)
        {
            deeds.push(deed(What::Skip("if")));
            return Look::Done(Done::Skipped);
        }
        self.is_waiting = matches!(step.verb, Verb::Wait { .. } | Verb::WaitFor { .. });
        self.act(known, step, deeds)
    }

    /// Does what a step says, its `if` being true.
    fn act(&mut self, known: &Known<'_>, step: &'a Step, deeds: &mut Vec<Deed>) -> Look<'a> {
        match &step.verb {
            Verb::Send { .. } => panic!("not here"),
            Verb::Webhook { name, body } => {
                let ask = self.ask(known);
                let said = body.iter().map(|(key, value)| {
                    let value = ask.value(value);
                    let json = value
                        .as_ref()
                        .map_or(serde_json::Value::Null, Value::to_json);
                    (key.to_string(), json)
                });
                let said = serde_json::Value::Object(said.collect());
                let call = What::Webhook(name.to_string(), said.to_string());
                deeds.push(self.deed(known, step, call));
                let message = self.call(step, name);
                let call = (step.id.to_string(), false);
                self.past.calls.insert(message, call);
                Look::Done(Done::Passed)
            }
            Verb::Alert { routes, .. } => {
                let all = routes.iter();
                deeds.extend(
                    all.map(|route| self.deed(known, step, What::Alert(route.to_string()))),
                );
                Look::Done(Done::Sent)
            }
            Verb::Task { .. } => {
                deeds.push(self.deed(known, step, What::Task));
                self.give(known, step);
                Look::Done(Done::Passed)
            }
            Verb::Branch { .. } | Verb::Match { .. } | Verb::Split { .. } => {
                Look::Into(self.choose(known, step))
            }
            Verb::Set { fields } => Look::Set(self.set(known, step, fields, deeds)),
            Verb::Wait { length } => {
                let calendar = &known.program.calendar;
                if days::after(calendar, self.since, *length, &known.zone) <= known.now {
                    Look::Done(Done::Passed)
                } else {
                    Look::Rest
                }
            }
            Verb::WaitFor {
                until,
                at_most,
                otherwise,
            } => {
                let calendar = &known.program.calendar;
                let due = days::after(calendar, self.since, *at_most, &known.zone);
                match otherwise {
                    _ if self.has_come(known, until) => Look::Done(Done::Passed),
                    _ if known.now < due => Look::Rest,
                    Otherwise::Continue => Look::Done(Done::TimedOut),
                    Otherwise::Stop => Look::Stop,
                    Otherwise::Steps(steps) => Look::Into(steps),
                }
            }
            Verb::Stop { .. } => Look::Stop,
        }
    }

    pub(crate) fn deed(&self, known: &Known<'_>, step: &Step, what: What) -> Deed {
        Deed::new(known, self.workflow, &self.subject, Some(&step.id), what)
    }

    /// The block that a deciding step leads into.
    fn choose(&self, known: &Known<'_>, step: &'a Step) -> &'a [Step] {
        let ask = self.ask(known);
        match &step.verb {
            Verb::Branch { then, otherwise } => {
                let wanted = step.condition.as_ref();
                let is_true = wanted.is_none_or(|wanted| ask.truth(wanted) == Some(true));
                if is_true { then } else { otherwise }
            }
            Verb::Match {
                value,
                cases,
                otherwise,
            } => {
                let word = ask.value(value);
                let word = word.as_ref().and_then(Value::text);
                let case = cases.iter().find(|(case, _)| Some(&**case) == word);
                case.map_or(otherwise, |(_, steps)| steps)
            }
            Verb::Split { arms } => {
                let drawn = draw(&self.workflow.name, &step.id, self.subject.name());
                let mut edge = 0;
                for arm in arms {
                    edge += arm.share.millionths();
                    if drawn < edge {
                        return &arm.steps;
                    }
                }
                panic!("shares add up to one")
            }
            Verb::Send { .. }
            | Verb::Alert { .. }
            | Verb::Task { .. }
            | Verb::Set { .. }
            | Verb::Webhook { .. }
            | Verb::Wait { .. }
            | Verb::WaitFor { .. }
            | Verb::Stop { .. } => panic!("decides nothing"),
        }
    }

    fn set(
        &self,
        known: &Known<'_>,
        step: &Step,
        fields: &[Setting],
        deeds: &mut Vec<Deed>,
    ) -> Vec<Written> {
        let ask = self.ask(known);
        let mut all = Vec::new();
        for field in fields {
            let value = ask.value(&field.value);
            let json = value
                .as_ref()
                .map_or(serde_json::Value::Null, Value::to_json);
            let what = What::Set(field.field.to_string(), json.to_string());
            deeds.push(self.deed(known, step, what));
            all.push(Written {
                contract: match field.of {
                    SetOf::Account => None,
                    SetOf::Contract => panic!("not written here"),
                },
                field: field.field.to_string(),
                value,
            });
        }
        all
    }

    /// Whether what is waited for is there; of events, any since the last acting step.
    fn has_come(&self, known: &Known<'_>, until: &Until) -> bool {
        let ask = self.ask(known);
        match until {
            Until::Condition(wanted) => ask.truth(wanted) == Some(true),
            Until::Event { events, condition } => {
                let own = known.own.get(self.heard_own..).unwrap_or_default();
                let mut new = known.told[self.heard..].iter().chain(own);
                new.any(|told| {
                    let ask = Ask {
                        event: Some(told),
                        ..ask
                    };
                    let wanted = condition.as_ref();
                    told.is_one_of(events)
                        && self.heard_at <= told.at
                        && wanted.is_none_or(|wanted| ask.truth(wanted) == Some(true))
                })
            }
        }
    }

    fn window(&self, known: &Known<'_>, at: &AtWindow) -> Opens {
        assert!(!at.is_business, "windows of whole days only");
        let Some(date) = self.ask(known).day(&at.date) else {
            return Opens::Later;
        };
        let opens = days::later(date, i64::from(at.opens));
        let closes = days::later(date, i64::from(at.closes));
        let today = known.today();
        if today < opens {
            Opens::Later
        } else if today <= closes {
            Opens::Now
        } else {
            Opens::Over
        }
    }
}

/// Whether a step that writes to no contact may act now, as far as working hours go.
fn acts_now(known: &Known<'_>, step: &Step) -> bool {
    let home = match step.verb {
        Verb::Wait { .. }
        | Verb::WaitFor { .. }
        | Verb::Set { .. }
        | Verb::Webhook { .. }
        | Verb::Stop { .. } => return true,
        Verb::Alert { .. } | Verb::Task { .. } => {
            TimeZone::get(&known.program.calendar.timezone).expect("a zone")
        }
        Verb::Send { .. } | Verb::Branch { .. } | Verb::Match { .. } | Verb::Split { .. } => {
            known.zone.clone()
        }
    };
    step.hours == Hours::Any || days::is_open(&known.program.calendar, known.now, &home)
}

enum Opens {
    Later,
    Now,
    Over,
}

/// The key by which `once_per` knows a run; unknown starts nothing.
pub(crate) fn key(once_per: &OncePer, ask: &Ask<'_>) -> Result<Option<Value>, ()> {
    match once_per {
        OncePer::Field(field) => ask.value(field).map(Some).ok_or(()),
        OncePer::Subject | OncePer::Period(_) | OncePer::Occurrence => Ok(None),
    }
}

/// The public rule of draws: the first eight bytes of the hash of account, workflow, step and subject, in millionths.
pub(crate) fn draw(workflow: &str, step: &str, subject: &str) -> i64 {
    let digest = model::id::digest(&["acme", workflow, step, subject]);
    let mut number: u128 = 0;
    for byte in &digest[..8] {
        number = number * 256 + u128::from(*byte);
    }
    i64::try_from((number * 1_000_000) >> 64).expect("below a million")
}
