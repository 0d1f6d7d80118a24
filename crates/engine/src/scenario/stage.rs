//! The stage on which a scenario is played: one account, virtual time, what happened.

use super::compare::Happened;
use super::fixture;
use crate::account::Account;
use crate::calendar;
use crate::context::{Clock, Context, Csms, Input, Pins};
use crate::decide::decide;
use crate::rules::Rules;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::{AccountId, Decision, Fact, Logged};
use workflow::scenario::{Entry, Json};
use workflow::{Program, Scenario};

/// The stage.
pub(super) struct Stage<'a> {
    pub(super) program: &'a Program,
    pub(super) scenario: &'a Scenario,
    rules: Rules,
    csms: Csms,
    pub(super) pins: Pins,
    pub(super) account: Account,
    zone: TimeZone,
    /// How many facts were told; names them.
    told: u64,
    /// What happened, in order.
    pub(super) happened: Vec<Happened>,
    /// What the scenario asked for and can't be.
    pub(super) mistakes: Vec<String>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(program: &'a Program, scenario: &'a Scenario) -> Self {
        let own = scenario
            .fixture
            .account
            .get("timezone")
            .and_then(|zone| zone.as_str());
        let name = own.unwrap_or(&program.calendar.timezone);
        let mut account = Account::new(AccountId::new(scenario.account.clone()));
        account.head.metrics.coverage.is_whole = true;
        Self {
            program,
            scenario,
            rules: Rules::of(program),
            csms: Csms::default(),
            pins: Pins {
                values: scenario.fixture.pinned.clone(),
                arms: scenario.arms.clone(),
                is_held_out: scenario.is_held_out,
            },
            account,
            zone: calendar::zone(name).unwrap_or(TimeZone::UTC),
            told: 0,
            happened: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// The fixture arrives at `start_at`, whole before the first wake-up.
    pub(super) fn arrive(&mut self) {
        let now = self.instant(self.scenario.start_at);
        for (kind, data) in fixture::facts(&self.scenario.fixture) {
            self.tell(&kind, data, now);
        }
        if self.scenario.is_going_live {
            self.decide(Input::CloseHistory, now);
        }
        self.wake_until(now);
    }

    /// One entry of the timeline: what falls due before it, what it does, what falls due at it.
    pub(super) fn play(&mut self, entry: &Entry) {
        let now = self.instant(entry.at);
        self.wake_before(now);
        if let Some(action) = &entry.action {
            self.act(action, now);
        }
        self.wake_until(now);
    }

    /// Lets time pass.
    pub(super) fn go_on_until(&mut self, end_at: DateTime) {
        let end = self.instant(end_at);
        self.wake_until(end);
    }

    /// Tells a fact that happens now.
    pub(super) fn tell(&mut self, kind: &str, data: Json, now: Timestamp) {
        self.told += 1;
        let is_csm = kind.starts_with("csm.");
        let subject = if is_csm {
            fixture::csm_id(&self.scenario.fixture)
        } else {
            self.scenario.account.clone()
        };
        let logged = Logged {
            position: self.told,
            arrived_at: now,
            fact: Fact {
                specversion: "1.0".into(),
                id: format!("t-{}", self.told).into(),
                source: "test".into(),
                kind: kind.into(),
                subject: Some(subject),
                time: Some(now),
                is_history: false,
                arrived_at: None,
                data,
            },
        };
        if is_csm {
            crate::fold::csm(self.program, &mut self.csms, &logged);
            return;
        }
        let is_before = self.scenario.is_going_live
            && self.account.head.history.is_some() | (self.account.head.now.is_none());
        if is_before {
            self.decide(Input::History(&logged), now);
        } else {
            self.decide(Input::Fact(&logged), now);
        }
    }

    /// Values held fast changed.
    pub(super) fn repin(&mut self, now: Timestamp) {
        self.decide(Input::Repinned { at: now }, now);
    }

    fn wake_before(&mut self, now: Timestamp) {
        while let Some(due) = self.account.wake_at().filter(|due| *due < now) {
            self.decide(Input::Wake, due);
        }
    }

    fn wake_until(&mut self, now: Timestamp) {
        while let Some(due) = self.account.wake_at().filter(|due| *due <= now) {
            self.decide(Input::Wake, due);
        }
    }

    fn decide(&mut self, input: Input<'_>, now: Timestamp) {
        let context = Context {
            program: self.program,
            rules: &self.rules,
            csms: &self.csms,
            pins: Some(&self.pins),
            clock: Clock::Log,
        };
        let decision = decide(&context, &mut self.account, input, now);
        self.keep(decision, now);
    }

    fn keep(&mut self, decision: Decision, now: Timestamp) {
        let minute = self.minute(now);
        if let Some(parked) = &decision.parked {
            self.mistakes.push(format!(
                "{minute}: the fact can't be used: {}",
                parked.message
            ));
        }
        for rejected in &decision.rejected {
            let (code, name, sample) = (&rejected.code, &rejected.name, &rejected.sample);
            self.mistakes.push(format!(
                "{minute}: `{name}` was not taken ({code}): {sample}"
            ));
        }
        for record in decision.records {
            let outgoing = Happened::outgoing_of(&record, &decision.outbox);
            self.happened.push(Happened {
                minute,
                record,
                outgoing,
            });
        }
    }

    /// The instant of a civil time in the account's zone.
    pub(super) fn instant(&self, at: DateTime) -> Timestamp {
        calendar::at_time(at.date(), at.time(), &self.zone)
    }

    fn minute(&self, at: Timestamp) -> DateTime {
        let civil = self.zone.to_datetime(at);
        civil
            .with()
            .second(0)
            .subsec_nanosecond(0)
            .build()
            .unwrap_or(civil)
    }
}
