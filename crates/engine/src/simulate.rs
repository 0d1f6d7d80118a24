//! Simulation: a whole log decided in memory, its records in the public order (facts.md, 4).

use crate::account::Account;
use crate::context::{Clock, Context, Csms, Input, OwnRecord};
use crate::decide::decide;
use crate::log_clock::{self, Moment};
use crate::rebase::{Change, Resting};
use crate::rules::Rules;
use jiff::Timestamp;
use model::fact::{HISTORY_ENDED, TICK};
use model::{AccountId, Channel, Decision, Logged, MessageId, Outgoing, Record};
use std::collections::BTreeMap;
use workflow::Program;

/// A shard's log, decided as it is pushed, under the log clock.
///
/// Ticks and CSMs belong to a shard: the logs of several shards are simulated one by one, each from its own beginning.
#[derive(Debug)]
pub struct Simulation<'a> {
    program: &'a Program,
    rules: Rules,
    csms: Csms,
    accounts: BTreeMap<Box<str>, Account>,
    now: Option<Timestamp>,
    lines: Vec<Line>,
    report: Report,
}

/// A record with what orders it.
#[derive(Debug)]
struct Line {
    at: Timestamp,
    record: Record,
}

/// What a simulation counts beside its records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Facts of accounts, whatever became of them.
    pub facts: u64,
    /// Facts seen before.
    pub duplicates: u64,
    /// Facts put aside: position, code.
    pub parked: Vec<(u64, model::Parked)>,
    /// What was not taken, by code and name, how often.
    pub rejected: BTreeMap<(Box<str>, Box<str>), u64>,
    /// Wake-ups that changed nothing.
    pub quiet_wakes: u64,
    /// All wake-ups.
    pub wakes: u64,
    /// Messages, in the order decided.
    pub outbox: Vec<Outgoing>,
}

impl<'a> Simulation<'a> {
    /// Begins with nothing known.
    pub fn new(program: &'a Program) -> Self {
        Self {
            program,
            rules: Rules::of(program),
            csms: Csms::default(),
            accounts: BTreeMap::new(),
            now: None,
            lines: Vec::new(),
            report: Report::default(),
        }
    }

    /// Decides one fact of the log.
    pub fn push(&mut self, logged: &Logged) {
        match &*logged.fact.kind {
            TICK => self.tick(logged.fact.time),
            HISTORY_ENDED => self.each(Moment::CloseHistory),
            _ if logged.fact.is_csm() => {
                let rejected = crate::fold::csm(self.program, &mut self.csms, logged);
                self.count(
                    &Decision {
                        rejected,
                        ..Decision::default()
                    },
                    logged.position,
                );
            }
            _ => self.fact(logged, Moment::Fact(logged)),
        }
    }

    /// Decides one fact from before the first text took effect: it counts as marked history, which
    /// [`Simulation::close_history`] ends.
    pub fn push_history(&mut self, logged: &Logged) {
        if logged.fact.is_control() || logged.fact.is_csm() {
            self.push(logged);
        } else {
            self.fact(logged, Moment::History(logged));
        }
    }

    /// Another text decides from here on: every account is brought over at its own latest instant, and what the text counts
    /// anew is counted from the log so far, as the worker does.
    pub fn take_over(&mut self, program: &'a Program, resting: Resting, log: &[Logged]) {
        let change = Change::between(Some(self.program), program, resting);
        self.program = program;
        self.rules = Rules::of(program);
        let context = Context {
            program,
            rules: &self.rules,
            csms: &self.csms,
            pins: None,
            clock: Clock::Log,
        };
        let mut decisions = Vec::new();
        for account in self.accounts.values_mut() {
            if let Some(now) = account.head.now {
                let decision = decide(&context, account, Input::Rebase(&change), now);
                decisions.push((now, decision));
            }
        }
        for logged in log {
            let subject = logged.fact.subject.as_ref();
            let account = subject.and_then(|subject| self.accounts.get_mut(subject));
            if let Some((account, now)) = account.and_then(|it| it.head.now.map(|now| (it, now))) {
                decide(&context, account, Input::Backfill(logged), now);
            }
        }
        for account in self.accounts.values_mut() {
            if let Some(now) = account.head.now {
                let own = if self.rules.asks_records(account) {
                    own(&self.lines, &self.report.outbox, &account.id)
                } else {
                    Vec::new()
                };
                let input = Input::Backfilled {
                    kept_from: None,
                    own: &own,
                };
                decisions.push((now, decide(&context, account, input, now)));
            }
        }
        self.keep(decisions, 0);
    }

    /// Ends the history of every account, as the first apply does.
    pub fn close_history(&mut self) {
        self.each(Moment::CloseHistory);
    }

    /// Raises the time to `until`, if given, and hands over the records in the public order, with the counts.
    pub fn finish(mut self, until: Option<Timestamp>) -> (Vec<Record>, Report) {
        if until.is_some() {
            self.tick(until);
        }
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by(|a, b| order(a).cmp(&order(b)));
        let records = lines.into_iter().map(|line| line.record).collect();
        self.report.quiet_wakes = self
            .accounts
            .values()
            .map(|account| account.quiet_wakes)
            .sum();
        (records, self.report)
    }

    /// Raises the time, deciding what falls due until then.
    pub fn raise(&mut self, to: Timestamp) {
        self.tick(Some(to));
    }

    /// The CSMs as they stand.
    pub fn csms(&self) -> &Csms {
        &self.csms
    }

    /// The accounts as they stand.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    fn fact(&mut self, logged: &Logged, moment: Moment<'_>) {
        let Some(subject) = &logged.fact.subject else {
            self.report
                .parked
                .push((logged.position, crate::fold::bad_subject()));
            return;
        };
        let context = Context {
            program: self.program,
            rules: &self.rules,
            csms: &self.csms,
            pins: None,
            clock: Clock::Log,
        };
        if !self.accounts.contains_key(subject) {
            let account = Account::new(AccountId::new(subject.clone()));
            self.accounts.insert(subject.clone(), account);
        }
        let Some(account) = self.accounts.get_mut(subject) else {
            return;
        };
        let decisions = log_clock::step(&context, account, moment, self.now);
        self.report.facts += 1;
        self.report.wakes += decisions.len().saturating_sub(1) as u64;
        self.keep(decisions, logged.position);
    }

    fn tick(&mut self, to: Option<Timestamp>) {
        self.now = self.now.max(to);
        self.each(Moment::Tick);
    }

    fn each(&mut self, moment: Moment<'_>) {
        let context = Context {
            program: self.program,
            rules: &self.rules,
            csms: &self.csms,
            pins: None,
            clock: Clock::Log,
        };
        let mut decisions = Vec::new();
        for account in self.accounts.values_mut() {
            decisions.append(&mut log_clock::step(&context, account, moment, self.now));
        }
        self.report.wakes += decisions.len() as u64;
        self.keep(decisions, 0);
    }

    fn keep(&mut self, decisions: Vec<(Timestamp, Decision)>, position: u64) {
        for (at, mut decision) in decisions {
            let records = std::mem::take(&mut decision.records);
            self.lines
                .extend(records.into_iter().map(|record| Line { at, record }));
            self.report.outbox.append(&mut decision.outbox);
            self.count(&decision, position);
        }
    }

    fn count(&mut self, decision: &Decision, position: u64) {
        for rejected in &decision.rejected {
            let key = (rejected.code.clone(), rejected.name.clone());
            *self.report.rejected.entry(key).or_default() += 1;
        }
        if let Some(parked) = &decision.parked {
            self.report.parked.push((position, parked.clone()));
        }
        if decision.is_duplicate {
            self.report.duplicates += 1;
        }
    }
}

/// What was told of an account, as the journal keeps it.
fn own(lines: &[Line], outbox: &[Outgoing], account: &AccountId) -> Vec<OwnRecord> {
    let of_account = outbox.iter().filter(|one| one.account == *account);
    let contacts: BTreeMap<&MessageId, &str> = of_account
        .filter_map(|one| match &one.channel {
            Channel::Email { contact, .. } => Some((&one.message, &**contact)),
            Channel::Route { .. } | Channel::Webhook { .. } => None,
        })
        .collect();
    let lines = lines.iter().filter(|line| line.record.account == *account);
    let own = lines.map(|line| {
        let message = line.record.message.as_ref();
        OwnRecord {
            contact: message.and_then(|id| contacts.get(id).copied().map(Box::from)),
            record: line.record.clone(),
        }
    });
    own.collect()
}

/// Instant, account, workflow (none first), subject, run; what is equal stays in order of emission.
fn order(line: &Line) -> (Timestamp, &str, Option<&str>, Option<&str>, Option<&str>) {
    let record = &line.record;
    (
        line.at,
        record.account.as_str(),
        record.workflow.as_deref(),
        record.subject.as_deref(),
        record.run.as_ref().map(AsRef::as_ref),
    )
}
