//! Hour by hour through a history: ends, starts and steps, in the order of one instant.

use crate::ask::{Ask, Subject};
use crate::days;
use crate::deed::{Deed, What};
use crate::health::State;
use crate::own::Own;
use crate::risk::Case;
use crate::run::{Phase, Run};
use crate::send::{Letters, Sent};
use crate::sometimes::Sometimes;
use crate::tell::Asked;
use crate::told::{Kept, Known, Metrics, There, Told, Written};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use workflow::Program;
use workflow::program::{Expr, ForEach, Period, Start, Workflow};

/// What a condition was when it was last asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) last: Option<bool>,
    pub(crate) held_since: Option<Timestamp>,
    /// When it was last seen to become false.
    pub(crate) false_at: Option<Timestamp>,
    pub(crate) paused_at: Option<Timestamp>,
}

impl Memory {
    /// It is known again: the pause does not count. Gives whether there was one.
    pub(crate) fn resume(&mut self, now: Timestamp) -> bool {
        let Some(paused_at) = self.paused_at.take() else {
            return false;
        };
        self.held_since = self.held_since.map(|at| at + (now - paused_at));
        true
    }

    /// Whether it has held for that long.
    pub(crate) fn is_full(&self, known: &Known<'_>, hold: Period) -> bool {
        let due = |at| days::after(&known.program.calendar, at, hold, &known.zone);
        self.held_since.is_some_and(|at| due(at) <= known.now)
    }
}

/// A moment, and how much had happened by then: facts, our own events, fields written, deeds.
type Stamp = (Timestamp, usize, usize, usize, usize);

/// All that has happened so far.
pub(crate) struct Walk<'a> {
    pub(crate) program: &'a Program,
    told: &'a [Told],
    /// How many facts are in.
    seen: usize,
    /// What there is after so many facts.
    there: Option<(usize, There<'a>)>,
    pub(crate) now: Timestamp,
    /// When what is looked at happened: the fact's own time, else now.
    pub(crate) cause: Timestamp,
    pub(crate) written: Vec<Written>,
    memories: BTreeMap<(&'a str, Subject), Memory>,
    pub(crate) risk_memories: BTreeMap<usize, Memory>,
    pub(crate) cases: Vec<Case>,
    /// What the engine itself tells, until starts have seen it.
    pub(crate) own: Vec<Own>,
    /// The same, all of it from the beginning.
    pub(crate) own_told: Rc<Vec<Told>>,
    /// Health's band, and what leads to another.
    pub(crate) health: State,
    /// The stage that was known last.
    pub(crate) last_stage: Option<String>,
    pub(crate) runs: Vec<Run<'a>>,
    /// All messages that went out.
    pub(crate) sent: Vec<Sent>,
    /// What may be answered.
    pub(crate) asked: Vec<Asked>,
    fired: BTreeSet<(&'a str, DateTime)>,
    /// What metrics gave when they were asked last, and when that was: the moment, and how much had happened.
    metrics: (Stamp, Metrics),
    /// The wall clock of the account as it was last looked at.
    clock: Option<DateTime>,
    pub(crate) deeds: Vec<Deed>,
    pub(crate) sometimes: Sometimes,
}

/// Walks from the first fact to the end.
pub(crate) fn walk<'a>(program: &'a Program, told: &'a [Told], end: Timestamp) -> Walk<'a> {
    let begin = told.first().map_or(end, |first| first.seen_at);
    let mut walk = Walk {
        program,
        told,
        seen: 0,
        there: None,
        now: begin,
        cause: begin,
        written: Vec::new(),
        memories: BTreeMap::new(),
        risk_memories: BTreeMap::new(),
        cases: Vec::new(),
        own: Vec::new(),
        own_told: Rc::default(),
        health: State::default(),
        last_stage: None,
        sent: Vec::new(),
        asked: Vec::new(),
        runs: Vec::new(),
        fired: BTreeSet::new(),
        metrics: Default::default(),
        clock: None,
        deeds: Vec::new(),
        sometimes: Sometimes::default(),
    };
    while walk.now <= end {
        let mut is_told = false;
        while told
            .get(walk.seen)
            .is_some_and(|next| next.seen_at == walk.now)
        {
            walk.seen += 1;
            walk.settle(Some(walk.seen - 1));
            walk.act();
            is_told = true;
        }
        if !is_told {
            walk.settle(None);
            walk.act();
        }
        walk.now += SignedDuration::from_hours(1);
    }
    walk
}

impl<'a> Walk<'a> {
    /// Ends, then starts, until nothing moves. Steps come after.
    fn settle(&mut self, fact: Option<usize>) {
        let mut fact = fact;
        self.cause = fact.map_or(self.now, |index| self.told[index].at.min(self.now));
        if self.cause < self.now {
            self.sometimes.note("a late fact");
            self.reset_holds();
        }
        if let Some(index) = fact {
            let told = &self.told[index];
            self.with_known(|walk, known| walk.answer(known, told));
        }
        loop {
            let before = self.deeds.len();
            let mut is_moving = self.with_known(Self::move_health);
            if self.with_known(Self::stage_or_risks) {
                self.with_known(Self::risks);
            }
            // An end is told at once, so whoever is looked at after it knows of it.
            let mut next = 0;
            while self.with_known(|walk, known| walk.one_end(known, &mut next)) {}
            self.with_known(|walk, known| walk.starts(known, fact.take()));
            is_moving |= self.deeds.len() > before || !self.own.is_empty();
            if !is_moving {
                return;
            }
        }
    }

    /// Does something with all that is known now.
    pub(crate) fn with_known<R>(&mut self, act: impl FnOnce(&mut Self, &Known<'_>) -> R) -> R {
        let (written, cases) = (self.written.clone(), self.cases.clone());
        let (all_told, own): (&'a [Told], _) = (self.told, Rc::clone(&self.own_told));
        let told = &all_told[..self.seen];
        let there = match &self.there {
            Some((seen, there)) if *seen == self.seen => there.clone(),
            Some(_) | None => There::of(self.program, told),
        };
        self.there = Some((self.seen, there.clone()));
        let kept = Kept {
            written: &written,
            cases: &cases,
            own: &own,
            band: self.health.shown(),
        };
        let mut known = Known::with(self.program, told, kept, self.now, there);
        let stamp = (
            self.now,
            self.seen,
            own.len(),
            written.len(),
            self.deeds.len(),
        );
        if self.metrics.0 == stamp {
            known.metrics = self.metrics.1.clone();
        } else {
            self.metrics = (stamp, known.metrics.clone());
        }
        act(self, &known)
    }

    /// Moments of the calendar, then steps; whatever moves, everything is asked anew after it.
    fn act(&mut self) {
        if self.with_known(Self::overdue_or_every) {
            self.settle(None);
            self.with_known(Self::every);
        }
        if !self.own.is_empty() {
            // That runs have begun is told to those who start on it.
            self.settle(None);
        }
        while self.round() {
            self.settle(None);
        }
    }

    pub(crate) fn subjects(known: &Known<'_>, workflow: &Workflow) -> Vec<Subject> {
        match workflow.for_each {
            ForEach::Account => vec![Subject::Account],
            ForEach::Contract => {
                let all = known.contracts().iter();
                all.map(|id| Subject::Contract((*id).to_owned())).collect()
            }
            ForEach::Contact => {
                let all = known.contacts().iter();
                all.map(|id| Subject::Contact((*id).to_owned())).collect()
            }
            ForEach::Risk => {
                let mut open: Vec<_> = known.cases.iter().filter(|case| case.is_open()).collect();
                open.sort_by_key(|case| case.risk);
                let all = open.iter();
                all.map(|case| Subject::Risk(case.id.clone())).collect()
            }
        }
    }

    /// Whether a subject is there; a case of a risk is, also when it is closed.
    pub(crate) fn is_there(known: &Known<'_>, run: &Run<'_>) -> bool {
        match &run.subject {
            Subject::Risk(id) => known.cases.iter().any(|case| case.id == *id),
            Subject::Account | Subject::Contract(_) | Subject::Contact(_) => {
                Self::subjects(known, run.workflow).contains(&run.subject)
            }
        }
    }

    /// Those whose condition is followed: beside the open cases of a risk, the one that closed last.
    fn followed(known: &Known<'_>, workflow: &Workflow) -> Vec<Subject> {
        let mut all = Self::subjects(known, workflow);
        if workflow.for_each == ForEach::Risk {
            for risk in 0..known.program.risks.len() {
                let mut closed = known.cases.iter().filter(|case| case.risk == risk);
                let last = closed.rfind(|case| !case.is_open());
                all.extend(last.map(|case| Subject::Risk(case.id.clone())));
            }
        }
        all
    }

    /// Looks at runs from there on until one ends; gives whether one did.
    fn one_end(&mut self, known: &Known<'_>, next: &mut usize) -> bool {
        let before = self.deeds.len();
        while *next < self.runs.len() && self.deeds.len() == before {
            self.check_end(known, *next);
            *next += 1;
        }
        self.deeds.len() > before
    }

    /// Whether the stage moved; if not, risks are looked at by what is known already.
    fn stage_or_risks(&mut self, known: &Known<'_>) -> bool {
        let has_moved = self.stage(known);
        if !has_moved {
            self.risks(known);
        }
        has_moved
    }

    /// Whether a task is overdue; if not, the calendar is looked at by what is known already.
    fn overdue_or_every(&mut self, known: &Known<'_>) -> bool {
        let is_any = self.overdue(known);
        if !is_any {
            self.every(known);
        }
        is_any
    }

    /// Goal, then `while`.
    pub(crate) fn check_end(&mut self, known: &Known<'_>, index: usize) {
        let run = &mut self.runs[index];
        let workflow = run.workflow;
        let is_gone = !Self::is_there(known, run);
        if run.phase == Phase::After && is_gone {
            // It has ended already; what is left of it goes with its subject.
            run.phase = Phase::Over;
        }
        if !run.is_open() {
            return;
        }
        let ask = run.ask(known);
        let end =
            |period| days::after(&known.program.calendar, run.started_at, period, &known.zone);
        let within = workflow.goal.as_ref().and_then(|goal| goal.within).map(end);
        let is_watched = within.is_none_or(|end| known.now < end);
        let has_goal = workflow
            .goal
            .as_ref()
            .is_some_and(|goal| ask.truth(&goal.when) == Some(true));
        let is_out = workflow
            .while_true
            .as_ref()
            .is_some_and(|stay| ask.truth(stay) == Some(false));
        let how = if is_gone {
            "left"
        } else if is_watched && has_goal {
            "goal"
        } else if is_out {
            "left"
        } else if run.phase == Phase::Watched && !is_watched {
            "finished"
        } else {
            return;
        };
        let end = What::End(how);
        self.deeds
            .push(Deed::new(known, workflow, &run.subject, None, end));
        self.sometimes.end(run, how);
        run.phase = Phase::Over;
        run.ended = Some(how);
        if how == "goal"
            && !run.is_held_out
            && let Some(goal) = &workflow.goal
            && !goal.then.is_empty()
        {
            run.phase = Phase::After;
            run.place = vec![(&goal.then, 0)];
            run.since = known.now;
            run.letters = Letters::default();
        }
        let subject = run.subject.clone();
        self.tell_run(known, (workflow, &subject), Some(how));
    }

    /// Conditions that become true, or were true for long enough, and events.
    fn starts(&mut self, known: &Known<'_>, fact: Option<usize>) {
        let program = self.program;
        let own = std::mem::take(&mut self.own);
        for workflow in &program.workflows {
            let event = fact.map(|index| &self.told[index]);
            match &workflow.start {
                Start::When { when, hold, .. } => {
                    for subject in Self::followed(known, workflow) {
                        let value = Ask::new(known, &subject).of(workflow).truth(when);
                        if self.rises(known, workflow, &subject, (value, *hold)) {
                            self.start(known, workflow, &subject, None);
                        }
                    }
                }
                Start::Event {
                    events, max_age, ..
                } => {
                    if let Some(event) = event.filter(|told| told.is_one_of(events)) {
                        let calendar = &program.calendar;
                        if days::after(calendar, event.at, *max_age, &known.zone) < self.now {
                            self.sometimes.note("an event comes too late");
                            continue;
                        }
                        for subject in Self::subjects(known, workflow) {
                            self.start(known, workflow, &subject, Some(event));
                        }
                    }
                    for own in own.iter().filter(|own| own.told.is_one_of(events)) {
                        let calendar = &program.calendar;
                        if days::after(calendar, own.told.at, *max_age, &known.zone) < self.now {
                            self.sometimes.note("an event comes too late");
                            continue;
                        }
                        let named = own.told.data.get("contact").and_then(|id| id.as_str());
                        let mut subjects = Self::subjects(known, workflow);
                        match (workflow.for_each, &own.case) {
                            (ForEach::Risk, Some(case)) => {
                                subjects = vec![Subject::Risk(case.clone())];
                            }
                            (ForEach::Contact, _) => {
                                let is_meant =
                                    |one: &Subject| named.is_none_or(|id| one.name() == id);
                                subjects.retain(is_meant);
                            }
                            (ForEach::Risk | ForEach::Account | ForEach::Contract, _) => {}
                        }
                        for subject in subjects {
                            self.sometimes.start_on(&own.told);
                            self.start(known, workflow, &subject, Some(&own.told));
                        }
                    }
                }
                Start::Every { .. } => {}
            }
        }
    }

    /// A late fact may show that a condition was false while it was held to be true: asked again, hour by hour, of
    /// what had happened by then.
    fn reset_holds(&mut self) {
        let (program, cause, now) = (self.program, self.cause, self.now);
        let past =
            |walk: &Self, since: Timestamp, when: &Expr, who: (&Subject, Option<&Workflow>)| {
                let mut held_since = since;
                let mut then = cause.max(since);
                while then < now {
                    let mut told = walk.told[..walk.seen].to_vec();
                    told.retain(|one| one.at <= then);
                    let mut cases = walk.cases.clone();
                    cases.retain(|case| case.opened_at <= then);
                    for case in &mut cases {
                        case.closed_at = case.closed_at.filter(|at| *at <= then);
                    }
                    let mut own = walk.own_told.to_vec();
                    own.retain(|one| one.at <= then);
                    let kept = Kept {
                        written: &walk.written,
                        cases: &cases,
                        own: &own,
                        band: walk.health.shown_at(then),
                    };
                    let known = Known::new(program, &told, kept, then);
                    then += SignedDuration::from_hours(1);
                    let (subject, workflow) = who;
                    let ask = Ask {
                        workflow,
                        ..Ask::new(&known, subject)
                    };
                    if ask.truth(when) == Some(false) {
                        held_since = then;
                    }
                }
                held_since
            };
        let mut memories = std::mem::take(&mut self.memories);
        for ((name, subject), memory) in &mut memories {
            let mut workflows = program.workflows.iter();
            let workflow = workflows.find(|one| *one.name == **name);
            let start = workflow.map(|one| &one.start);
            if let (Some(since), Some(Start::When { when, .. })) = (memory.held_since, start) {
                memory.held_since = Some(past(self, since, when, (subject, workflow)));
                if memory.held_since > Some(since) {
                    self.sometimes.note("a late fact resets a hold");
                }
            }
        }
        self.memories = memories;
        let mut memories = std::mem::take(&mut self.risk_memories);
        for (risk, memory) in &mut memories {
            if let Some(since) = memory.held_since {
                let opens = &program.risks[*risk].opens;
                memory.held_since = Some(past(self, since, opens, (&Subject::Account, None)));
                if memory.held_since > Some(since) {
                    self.sometimes.note("a late fact resets a risk's hold");
                }
            }
        }
        self.risk_memories = memories;
    }

    /// Whether a run is to start now.
    fn rises(
        &mut self,
        known: &Known<'_>,
        workflow: &'a Workflow,
        subject: &Subject,
        (value, hold): (Option<bool>, Option<Period>),
    ) -> bool {
        let memory = self
            .memories
            .entry((&workflow.name, subject.clone()))
            .or_default();
        match value {
            None => {
                if memory.held_since.is_some() {
                    memory.paused_at.get_or_insert(known.now);
                }
                false
            }
            Some(false) => {
                if memory.held_since.is_some() {
                    self.sometimes.note("a hold is reset");
                }
                *memory = Memory {
                    last: Some(false),
                    false_at: match memory.last {
                        Some(false) => memory.false_at,
                        Some(true) | None => Some(self.cause),
                    },
                    ..Memory::default()
                };
                false
            }
            Some(true) => {
                let is_edge = memory.last != Some(true);
                memory.last = Some(true);
                let Some(hold) = hold else {
                    return is_edge;
                };
                if is_edge {
                    memory.held_since = memory.false_at.max(Some(self.cause));
                }
                if memory.resume(known.now) {
                    self.sometimes.note("a hold was paused");
                }
                let is_due = memory.is_full(known, hold);
                if is_due {
                    memory.held_since = None;
                    self.sometimes.note("a hold ends in a start");
                }
                is_due
            }
        }
    }

    /// Moments of the calendar, each once.
    fn every(&mut self, known: &Known<'_>) {
        let program = self.program;
        let civil = known.zone.to_datetime(self.now);
        let before = self.clock.replace(civil).unwrap_or(civil - 1.hour());
        for workflow in &program.workflows {
            let Start::Every { schedule, .. } = &workflow.start else {
                continue;
            };
            // What the wall clock passes over (in spring, or where the account moves) happens when it goes on.
            let mut passed = Vec::new();
            let mut hour = civil;
            while before < hour {
                passed.push(hour);
                hour -= 1.hour();
            }
            passed.retain(|hour| days::names(&program.calendar, schedule, *hour));
            let latest = passed.first().copied();
            if latest.is_some_and(|civil| self.fired.insert((&workflow.name, civil))) {
                if latest != Some(civil) {
                    self.sometimes.note("an occurrence is passed over");
                }
                for subject in Self::subjects(known, workflow) {
                    self.start(known, workflow, &subject, None);
                }
            }
        }
    }
}
