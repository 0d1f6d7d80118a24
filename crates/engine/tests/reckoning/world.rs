//! An account for the tests: what the engine keeps of it, and beside that every raw event.

use crate::slow::{hour, serial};
use engine::calendar::{Stretches, day_of, zone};
use engine::evaluate::{Carrier, Knowledge, Memo, RiskCase, Scene};
use engine::health::State;
use engine::metric::{Coverage, Metrics, Plan, Sets, Tally, tell};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use model::{Decimal, Value};
use std::collections::BTreeMap;
use workflow::Program;
use workflow::program::{Calendar, CompleteSince, Defaults, EventType, OverLimit, Period, Schema};

/// Fields with the moment each was said.
pub(crate) type Fields = BTreeMap<Box<str>, (Value, Timestamp)>;

/// One raw event.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    /// When it happened.
    pub(crate) at: Timestamp,
    /// When it came in.
    pub(crate) arrived_at: Timestamp,
    /// The days of both, and the hour in which it happened.
    pub(crate) day: i64,
    pub(crate) arrived_day: i64,
    pub(crate) hour: i64,
    /// Its type.
    pub(crate) kind: &'static str,
    /// Its fields.
    pub(crate) fields: BTreeMap<Box<str>, Value>,
}

/// An account.
pub(crate) struct World {
    pub(crate) program: Program,
    pub(crate) plan: Plan,
    pub(crate) zone: TimeZone,
    pub(crate) account: Fields,
    pub(crate) contract: Fields,
    pub(crate) metrics: Metrics,
    pub(crate) sets: Sets,
    pub(crate) health: State,
    pub(crate) raw: Vec<Raw>,
    pub(crate) began_in_history: bool,
    /// What production has at hand in each decision; none: everything is worked out each time.
    pub(crate) at_hand: Option<AtHand>,
}

/// What production has at hand in each decision.
pub(crate) struct AtHand {
    pub(crate) stretches: Stretches,
    pub(crate) memo: Memo,
}

impl Knowledge for World {
    fn field(&self, of: Carrier<'_>, name: &str) -> Option<&Value> {
        Some(&self.fields(of)?.get(name)?.0)
    }

    fn carried_at(&self, of: Carrier<'_>, name: &str) -> Option<Timestamp> {
        Some(self.fields(of)?.get(name)?.1)
    }

    fn current_contract(&self) -> Option<&str> {
        Some("k-1")
    }

    fn contacts(&self) -> Vec<&str> {
        Vec::new()
    }

    fn holders(&self, _role: &str) -> Vec<&str> {
        Vec::new()
    }

    fn open_case(&self, _risk: usize) -> Option<RiskCase> {
        None
    }

    fn health(&self) -> &State {
        &self.health
    }

    fn tally(&self, basis: &str) -> Option<&Tally> {
        self.metrics.tallies.get(basis)
    }

    fn coverage(&self) -> &Coverage {
        &self.metrics.coverage
    }

    fn pin(&self, _name: &str) -> Option<&Option<Value>> {
        None
    }

    fn memo(&self) -> Option<&Memo> {
        self.at_hand.as_ref().map(|at_hand| &at_hand.memo)
    }
}

impl World {
    /// An account of which nothing is known yet.
    pub(crate) fn new(program: Program, zone_name: &str) -> Self {
        Self {
            plan: Plan::of(&program),
            program,
            zone: zone(zone_name).expect("a zone that exists"),
            account: BTreeMap::new(),
            contract: BTreeMap::new(),
            metrics: Metrics::default(),
            sets: Sets::default(),
            health: State::default(),
            raw: Vec::new(),
            began_in_history: false,
            at_hand: None,
        }
    }

    /// A decision begins: the stretches are those around now, and nothing is worked out yet.
    pub(crate) fn decide_at(&mut self, now: Timestamp) {
        if let Some(at_hand) = &mut self.at_hand {
            at_hand.stretches = Stretches::from(now, &self.zone);
        }
        self.forget();
    }

    /// The state has changed: what was worked out holds no longer.
    pub(crate) fn forget(&mut self) {
        if let Some(at_hand) = &mut self.at_hand {
            at_hand.memo = Memo::default();
        }
    }

    fn fields(&self, of: Carrier<'_>) -> Option<&Fields> {
        match of {
            Carrier::Account => Some(&self.account),
            Carrier::Contract("k-1") => Some(&self.contract),
            Carrier::Contract(_) | Carrier::Contact(_) | Carrier::Csm => None,
        }
    }

    /// The scene at an instant.
    pub(crate) fn scene(&self, now: Timestamp) -> Scene<'_> {
        match &self.at_hand {
            Some(at_hand) => {
                let known = (&self.program, self as &dyn Knowledge);
                Scene::within(&at_hand.stretches, known, &self.zone, now)
            }
            None => Scene::new(&self.program, self, &self.zone, now),
        }
    }

    /// Folds a raw event in, as of its arrival and in the zone of that moment. Gives whether that changed anything.
    pub(crate) fn fold(&mut self, mut raw: Raw) -> bool {
        let happened_on = day_of(raw.at, &self.zone);
        let seen_on = day_of(raw.arrived_at, &self.zone);
        (raw.day, raw.arrived_day) = (serial(happened_on), serial(seen_on));
        raw.hour = hour(raw.at, &self.zone);
        let is_history = self.raw.is_empty() && self.began_in_history;
        let coverage = &mut self.metrics.coverage;
        let mut is_news = coverage.note(raw.kind, happened_on, seen_on, is_history);
        let told = tell(
            &self.scene(raw.arrived_at).with_event(&raw.fields),
            &self.plan,
            raw.kind,
            raw.at,
        );
        for one in told {
            is_news |= one.fold(&mut self.metrics, &mut self.sets);
        }
        self.raw.push(raw);
        is_news
    }
}

/// A whole number.
pub(crate) fn whole(number: i64) -> Decimal {
    Decimal::from_int(number).expect("a small number")
}

/// A program with nothing in it.
pub(crate) fn empty() -> Program {
    let events = ["login", "answer", "noise"].map(|name| (name.into(), EventType::default()));
    Program {
        revision: "test".into(),
        schema: Schema {
            events: BTreeMap::from(events),
            ..Schema::default()
        },
        metrics: Vec::new(),
        segments: Vec::new(),
        labels: Vec::new(),
        health: None,
        risks: Vec::new(),
        order: Vec::new(),
        complete_since: CompleteSince::default(),
        calendar: calendar(),
        topics: BTreeMap::new(),
        limits: Vec::new(),
        over_limit: OverLimit::Delay,
        delay_at_most: Period::Days(10),
        spread: Period::Seconds(0),
        digest: None,
        holdout: Decimal::ZERO,
        defaults: Defaults {
            from: None,
            reply_to: None,
            locale: "ja".into(),
            currency: "JPY".into(),
        },
        sender: None,
        routes: BTreeMap::new(),
        webhooks: BTreeMap::new(),
        sources: BTreeMap::new(),
        workflows: Vec::new(),
        templates: BTreeMap::new(),
    }
}

/// Monday to Friday, nine to six, some holidays in each year.
pub(crate) fn calendar() -> Calendar {
    let days = [
        (1, 1),
        (1, 12),
        (4, 29),
        (5, 3),
        (5, 4),
        (5, 5),
        (8, 11),
        (12, 31),
    ];
    let holidays = (1970..2040).flat_map(|year| {
        days.into_iter().map(move |(month, day)| {
            let date = Date::new(year, month, day).expect("a day that exists");
            (date, Box::from("holiday"))
        })
    });
    Calendar {
        timezone: "Asia/Tokyo".into(),
        business_days: [true, true, true, true, true, false, false],
        holidays: holidays.collect(),
        opens_at: Time::constant(9, 0, 0, 0),
        closes_at: Time::constant(18, 0, 0, 0),
        fiscal_year_starts: 4,
    }
}
