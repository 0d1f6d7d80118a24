//! A bench for workflows written in a test: one account, one program, all that was decided.

use crate::history::{begun, fact};
use crate::workspace::{checked, shipped_files};
use engine::log_clock::{Moment, step};
use engine::{Account, Clock, Context, Csms, Input, Rules, decide};
use jiff::Timestamp;
use model::{AccountId, Decision, Kind, Logged, Record};
use serde_json::Value;
use workflow::{Checked, Program};

/// The shipped definitions with these workflows in place of the shipped ones, and these further definitions.
pub(crate) fn program(workflows: &[&str], definitions: &[&str]) -> Program {
    let named: Vec<String> = (0..definitions.len())
        .map(|number| format!("workflows/definitions/own-{number}.yaml"))
        .collect();
    let files: Vec<(&str, &str)> = named
        .iter()
        .map(String::as_str)
        .zip(definitions.iter().copied())
        .collect();
    checked_with(workflows, &files).0
}

/// The same with these further files, and what else the check gave.
pub(crate) fn checked_with(workflows: &[&str], more: &[(&str, &str)]) -> (Program, Checked) {
    let mut files = shipped_files();
    files.retain(|path, _| {
        let is_kept = [
            "workflows/definitions/",
            "workflows/holidays/",
            "templates/",
        ];
        is_kept.iter().any(|folder| path.starts_with(folder))
    });
    for (number, text) in workflows.iter().enumerate() {
        files.insert(
            format!("workflows/own-{number}.yaml").into(),
            (*text).into(),
        );
    }
    for (path, text) in more {
        files.insert((*path).into(), (*text).into());
    }
    checked(&files)
}

/// One account under one clock, and all that was decided for it.
pub(crate) struct Bench<'p> {
    program: &'p Program,
    rules: Rules,
    csms: Csms,
    clock: Clock,
    told: u64,
    now: Option<Timestamp>,
    pub(crate) account: Account,
    pub(crate) decisions: Vec<(Timestamp, Decision)>,
}

impl<'p> Bench<'p> {
    /// Nothing is known yet.
    pub(crate) fn new(program: &'p Program, clock: Clock) -> Self {
        Self {
            program,
            rules: Rules::of(program),
            csms: Csms::default(),
            clock,
            told: 0,
            now: None,
            account: Account::new(AccountId::new("acme")),
            decisions: Vec::new(),
        }
    }

    /// Under the log clock, with the account, contact and contract of most histories.
    pub(crate) fn begun(program: &'p Program) -> Self {
        let mut bench = Self::new(program, Clock::Log);
        for logged in begun("acme") {
            bench.take(&logged);
        }
        bench
    }

    /// A CSM is known.
    pub(crate) fn csm(&mut self, id: &str, data: Value) {
        let mut logged = fact("acme", 0, "csm.updated", crate::history::begin(), data);
        logged.fact.subject = Some(id.into());
        engine::fold::csm(self.program, &mut self.csms, &logged);
    }

    fn context<'c>(&'c self) -> Context<'c>
    where
        'p: 'c,
    {
        Context {
            program: self.program,
            rules: &self.rules,
            csms: &self.csms,
            pins: None,
            clock: self.clock,
        }
    }

    /// Takes one fact of the log, with the wake-ups around it.
    pub(crate) fn take(&mut self, logged: &Logged) {
        self.told = self.told.max(logged.position);
        self.moment(Moment::Fact(logged));
    }

    fn moment(&mut self, moment: Moment<'_>) {
        let mut account = std::mem::replace(&mut self.account, Account::new(AccountId::new("")));
        let decisions = step(&self.context(), &mut account, moment, self.now);
        self.account = account;
        self.decisions.extend(decisions);
    }

    /// Tells a fact.
    pub(crate) fn tell(&mut self, kind: &str, at: Timestamp, data: Value) {
        let logged = fact("acme", self.told + 1, kind, at, data);
        self.take(&logged);
    }

    /// Tells a fact that is marked as history.
    pub(crate) fn mark(&mut self, kind: &str, at: Timestamp, data: Value) {
        let mut logged = fact("acme", self.told + 1, kind, at, data);
        logged.fact.is_history = true;
        self.take(&logged);
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, to: Timestamp) {
        self.now = Some(to);
        self.moment(Moment::Tick);
    }

    /// Ends the imported history.
    pub(crate) fn close_history(&mut self) {
        self.moment(Moment::CloseHistory);
    }

    /// One input under the live clock.
    pub(crate) fn live(&mut self, input: Input<'_>, now: Timestamp) {
        let mut account = std::mem::replace(&mut self.account, Account::new(AccountId::new("")));
        let decision = decide(&self.context(), &mut account, input, now);
        self.account = account;
        self.decisions.push((now, decision));
    }

    /// A fact under the live clock.
    pub(crate) fn live_fact(&mut self, kind: &str, at: Timestamp, now: Timestamp, data: Value) {
        self.told += 1;
        let mut logged = fact("acme", self.told, kind, at, data);
        logged.arrived_at = now;
        self.live(Input::Fact(&logged), now);
    }

    /// What was recorded.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        let records = self.decisions.iter().map(|(_, decision)| &decision.records);
        records.flatten()
    }

    /// Those of a workflow and a kind.
    pub(crate) fn of(&self, workflow: &str, kind: Kind) -> Vec<&Record> {
        let is_it =
            |record: &&Record| record.kind == kind && record.workflow.as_deref() == Some(workflow);
        self.records().filter(is_it).collect()
    }

    /// When a workflow's runs did this, with the account's offset.
    pub(crate) fn times(&self, workflow: &str, kind: Kind) -> Vec<&str> {
        let of = self.of(workflow, kind).into_iter();
        of.map(|record| &*record.at).collect()
    }

    /// Why a workflow did not do something.
    pub(crate) fn whys(&self, workflow: &str) -> Vec<&str> {
        let of = self.records();
        of.filter(|record| record.workflow.as_deref() == Some(workflow))
            .filter_map(|record| record.why.as_deref())
            .collect()
    }

    /// The subjects of the runs that a workflow has begun.
    pub(crate) fn subjects(&self, workflow: &str) -> Vec<&str> {
        let of = self.of(workflow, Kind::Start).into_iter();
        of.filter_map(|record| record.subject.as_deref()).collect()
    }
}
