//! Hour by hour through a history: ends, starts and steps, in the order of one instant.

use crate::ask::{Ask, Subject};
use crate::days;
use crate::deed::{Deed, What};
use crate::run::{Done, Look, Phase, Run, key};
use crate::sometimes::Sometimes;
use crate::told::{Known, Told, Written};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::Value;
use std::collections::{BTreeMap, BTreeSet};
use workflow::Program;
use workflow::program::{ForEach, IfRunning, OncePer, Period, Start, Workflow};

/// What a condition was when it was last asked.
#[derive(Clone, Debug, Default)]
struct Memory {
    last: Option<bool>,
    held_since: Option<Timestamp>,
    /// When it was last seen to become false.
    false_at: Option<Timestamp>,
    paused_at: Option<Timestamp>,
}

/// All that has happened so far.
pub(crate) struct Walk<'a> {
    program: &'a Program,
    told: &'a [Told],
    /// How many facts are in.
    seen: usize,
    now: Timestamp,
    /// When what is looked at happened: the fact's own time, else now.
    cause: Timestamp,
    written: Vec<Written>,
    memories: BTreeMap<(&'a str, Subject), Memory>,
    runs: Vec<Run<'a>>,
    fired: BTreeSet<(&'a str, DateTime)>,
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
        now: begin,
        cause: begin,
        written: Vec::new(),
        memories: BTreeMap::new(),
        runs: Vec::new(),
        fired: BTreeSet::new(),
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
        let written = self.written.clone();
        let known = Known::new(self.program, &self.told[..self.seen], &written, self.now);
        loop {
            let before = self.deeds.len();
            self.ends(&known);
            self.starts(&known, fact.take());
            if self.deeds.len() == before {
                return;
            }
        }
    }

    /// Moments of the calendar, then steps; after a field was written everything is asked anew.
    fn act(&mut self) {
        let mut is_first = true;
        loop {
            let written = self.written.clone();
            let known = Known::new(self.program, &self.told[..self.seen], &written, self.now);
            if std::mem::take(&mut is_first) {
                self.every(&known);
            }
            let mut all = 0..self.runs.len();
            if !all.any(|index| self.steps(&known, index)) {
                return;
            }
            self.settle(None);
        }
    }

    fn subjects(known: &Known<'_>, workflow: &Workflow) -> Vec<Subject> {
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
            ForEach::Risk => panic!("no risks here"),
        }
    }

    fn ends(&mut self, known: &Known<'_>) {
        for run in &mut self.runs {
            let workflow = run.workflow;
            let is_gone = !Self::subjects(known, workflow).contains(&run.subject);
            if run.phase == Phase::After && is_gone {
                // It has ended already; what is left of it goes with its subject.
                run.phase = Phase::Over;
            }
            if !run.is_open() {
                continue;
            }
            let ask = run.ask(known);
            let end =
                |period| days::after(&self.program.calendar, run.started_at, period, &known.zone);
            let within = workflow.goal.as_ref().and_then(|goal| goal.within).map(end);
            let is_watched = within.is_none_or(|end| self.now < end);
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
                continue;
            };
            self.deeds.push(Deed::new(
                known,
                workflow,
                &run.subject,
                None,
                What::End(how),
            ));
            self.sometimes.end(run, how);
            run.phase = Phase::Over;
            if how == "goal"
                && let Some(goal) = &workflow.goal
                && !goal.then.is_empty()
            {
                run.phase = Phase::After;
                run.place = vec![(&goal.then, 0)];
            }
        }
    }

    /// Conditions that become true, or were true for long enough, and events.
    fn starts(&mut self, known: &Known<'_>, fact: Option<usize>) {
        let program = self.program;
        for workflow in &program.workflows {
            let event = fact.map(|index| &self.told[index]);
            match &workflow.start {
                Start::When { when, hold, .. } => {
                    for subject in Self::subjects(known, workflow) {
                        let value = Ask::new(known, &subject).truth(when);
                        if self.rises(known, workflow, &subject, (value, *hold)) {
                            self.start(known, workflow, &subject, None);
                        }
                    }
                }
                Start::Event {
                    events, max_age, ..
                } => {
                    let Some(event) = event.filter(|told| told.is_one_of(events)) else {
                        continue;
                    };
                    let calendar = &program.calendar;
                    if days::after(calendar, event.at, *max_age, &known.zone) < self.now {
                        self.sometimes.note("an event comes too late");
                    } else {
                        self.start(known, workflow, &Subject::Account, Some(event));
                    }
                }
                Start::Every { .. } => {}
            }
        }
    }

    /// A late fact may show that a condition was false while it was held to be true: asked again, hour by hour, of
    /// what had happened by then.
    fn reset_holds(&mut self) {
        let program = self.program;
        for ((name, subject), memory) in &mut self.memories {
            let Some(since) = memory.held_since else {
                continue;
            };
            let mut workflows = program.workflows.iter();
            let start = workflows
                .find(|one| *one.name == **name)
                .map(|one| &one.start);
            let Some(Start::When { when, .. }) = start else {
                continue;
            };
            let mut then = self.cause.max(since);
            while then < self.now {
                let mut told = self.told[..self.seen].to_vec();
                told.retain(|one| one.at <= then);
                let known = Known::new(program, &told, &self.written, then);
                then += SignedDuration::from_hours(1);
                if Ask::new(&known, subject).truth(when) == Some(false) {
                    self.sometimes.note("a late fact resets a hold");
                    memory.held_since = Some(then);
                }
            }
        }
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
                if let Some(paused_at) = memory.paused_at.take() {
                    self.sometimes.note("a hold was paused");
                    memory.held_since = memory.held_since.map(|at| at + (known.now - paused_at));
                }
                let due = |at| days::after(&known.program.calendar, at, hold, &known.zone);
                let is_due = memory.held_since.is_some_and(|at| due(at) <= known.now);
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

    /// Starts a run if nothing speaks against it.
    fn start(
        &mut self,
        known: &Known<'_>,
        workflow: &'a Workflow,
        subject: &Subject,
        event: Option<&Told>,
    ) {
        let ask = Ask {
            event,
            ..Ask::new(known, subject)
        };
        let condition = match &workflow.start {
            Start::When { condition, .. }
            | Start::Event { condition, .. }
            | Start::Every { condition, .. } => condition,
        };
        let is_wanted = |wanted| ask.truth(wanted) == Some(true);
        if !condition.as_ref().is_none_or(is_wanted) {
            self.sometimes.note("start.if is not true");
            return;
        }
        let Ok(key) = key(&workflow.once_per, &ask) else {
            self.sometimes.note("the key is unknown");
            return;
        };
        if !self.may_again(known, workflow, subject, key.as_ref()) {
            self.sometimes.note("once_per refuses");
            return;
        }
        let has_goal = |goal: &workflow::program::Goal| ask.truth(&goal.when) == Some(true);
        let is_out = |stay| ask.truth(stay) == Some(false);
        if workflow.goal.as_ref().is_some_and(has_goal) {
            self.sometimes.note("the goal is reached already");
            return;
        }
        if workflow.while_true.as_ref().is_some_and(is_out) {
            self.sometimes.note("while is false already");
            return;
        }
        let open = self.runs.iter_mut().find(|run| {
            run.is_open() && run.workflow.name == workflow.name && run.subject == *subject
        });
        if let Some(open) = open {
            if workflow.if_running == IfRunning::Ignore {
                self.sometimes.note("one is running already");
                return;
            }
            self.sometimes.note("a run is started anew");
            open.phase = Phase::Over;
            self.deeds.push(Deed::new(
                known,
                workflow,
                subject,
                None,
                What::End("stopped"),
            ));
        }
        self.deeds
            .push(Deed::new(known, workflow, subject, None, What::Start));
        self.sometimes.start(workflow);
        self.runs
            .push(Run::new(workflow, subject.clone(), key, known));
    }

    fn may_again(
        &self,
        known: &Known<'_>,
        workflow: &Workflow,
        subject: &Subject,
        key: Option<&Value>,
    ) -> bool {
        let mut earlier = self
            .runs
            .iter()
            .filter(|run| run.workflow.name == workflow.name && run.subject == *subject);
        match &workflow.once_per {
            OncePer::Occurrence => true,
            OncePer::Subject => earlier.next().is_none(),
            OncePer::Field(_) => earlier.all(|run| run.key.as_ref() != key),
            OncePer::Period(period) => earlier.all(|run| {
                let calendar = &known.program.calendar;
                days::after(calendar, run.started_at, *period, &known.zone) <= known.now
            }),
        }
    }

    /// Takes a run as far as it goes now; whether it wrote a field, after which everything is asked anew.
    fn steps(&mut self, known: &Known<'_>, index: usize) -> bool {
        if !self.runs[index].is_acting() {
            return false;
        }
        let run = &mut self.runs[index];
        while run.is_acting() {
            let Some(step) = run.step() else {
                Self::finish(known, run, &mut self.deeds, &mut self.sometimes);
                break;
            };
            let look = run.look(known, step, &mut self.deeds);
            self.sometimes.step(known, step, &look);
            match look {
                Look::Rest => break,
                Look::Done(done) => run.pass(known, step, done),
                Look::Into(block) => {
                    let is_wait = matches!(step.verb, workflow::program::Verb::WaitFor { .. });
                    let done = if is_wait {
                        Done::TimedOut
                    } else {
                        Done::Passed
                    };
                    run.pass(known, step, done);
                    run.place.push((block, 0));
                }
                Look::Set(all) => {
                    run.pass(known, step, Done::Passed);
                    self.written.extend(all);
                    return true;
                }
                Look::Stop => {
                    if run.phase == Phase::Open {
                        let end = What::End("stopped");
                        self.deeds
                            .push(Deed::new(known, run.workflow, &run.subject, None, end));
                        self.sometimes.end(run, "stopped");
                    }
                    run.phase = Phase::Over;
                }
            }
        }
        false
    }

    fn finish(
        known: &Known<'_>,
        run: &mut Run<'a>,
        deeds: &mut Vec<Deed>,
        sometimes: &mut Sometimes,
    ) {
        if run.phase == Phase::After {
            run.phase = Phase::Over;
            return;
        }
        let within = run.workflow.goal.as_ref().and_then(|goal| goal.within);
        let end = within.map(|period| {
            days::after(&known.program.calendar, run.started_at, period, &known.zone)
        });
        if end.is_some_and(|end| known.now < end) {
            run.phase = Phase::Watched;
            return;
        }
        run.phase = Phase::Over;
        let end = What::End("finished");
        deeds.push(Deed::new(known, run.workflow, &run.subject, None, end));
        sometimes.end(run, "finished");
    }
}
