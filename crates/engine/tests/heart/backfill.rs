//! What a new text counts anew is counted again from the log: as if it had been counted from the beginning.

use crate::history::{begin, fact};
use crate::workspace::checked;
use engine::log_clock::{Moment, step};
use engine::{Account, Change, Clock, Context, Csms, Input, Resting, Rules, decide};
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, Logged, Record};
use serde_json::json;
use workflow::{Files, Program};

const SCHEMA: &str = "\
entities:
  account:
    name: required text
    csm: csm
    arr: money
    csm_sentiment: bad | neutral | good
  contract:
    status: required trial | active | cancelled | expired
    renewal_date: date
  contact:
    name: required text
    email: required email
    role: champion | admin | user
  csm:
    name: required text
    email: email
events:
  user.logged_in: {user: required text}
  meeting.held: {kind: text, minutes: number}
";

const POLICIES: &str = "\
calendar:
  timezone: Asia/Tokyo
  business_days: Mon-Fri
  sending_hours: 09:00-18:00
topics:
  care: {title: Care, purpose: service}
routes:
  csm: {email: csm.email}
defaults:
  locale: en
  currency: JPY
";

const COUNTED: &str = "\
metrics:
  logins:
    count: user.logged_in
    over: 7d
";

const MORE: &str = "\
metrics:
  logins:
    count: user.logged_in
    over: 30d
  users:
    count_distinct: user.logged_in.user
    over: 30d
  reviews:
    count: meeting.held
    where: event.kind == \"review\"
    over: 20d
  longest:
    max: meeting.held.minutes
    over: 60d
";

const CARE: &str = "\
workflow: care
title: Care
status: live
start: {when: reviews >= 2, existing: EXISTING}
once_per: account
steps:
  - {id: hello, alert: csm, text: Hello, hours: any}
";

fn text(metrics: &str, existing: &str) -> Program {
    let mut all: Files = [
        ("workflows/definitions/schema.yaml", SCHEMA),
        ("workflows/definitions/policies.yaml", POLICIES),
        ("workflows/definitions/metrics.yaml", metrics),
    ]
    .map(|(path, text)| (path.into(), text.into()))
    .into();
    if !existing.is_empty() {
        let care = CARE.replace("EXISTING", existing);
        all.insert("workflows/care.yaml".into(), care.into());
    }
    checked(&all).0
}

fn after(hours: i64) -> Timestamp {
    begin() + SignedDuration::from_hours(hours)
}

/// An account, and all that it was told.
struct Bench {
    account: Account,
    text: Program,
    log: Vec<Logged>,
    records: Vec<Record>,
}

impl Bench {
    fn new(text: Program) -> Self {
        let account = Account::new(AccountId::new("acme"));
        Self {
            account,
            text,
            log: Vec::new(),
            records: Vec::new(),
        }
    }

    fn with<R>(&mut self, read: impl FnOnce(&Context<'_>, &mut Account) -> R) -> R {
        let rules = Rules::of(&self.text);
        let context = Context {
            program: &self.text,
            rules: &rules,
            csms: &Csms::default(),
            pins: None,
            clock: Clock::Log,
        };
        read(&context, &mut self.account)
    }

    fn tell(&mut self, logged: Logged) {
        let decisions =
            self.with(|context, account| step(context, account, Moment::Fact(&logged), None));
        let records = decisions.into_iter().flat_map(|(_, one)| one.records);
        self.records.extend(records);
        self.log.push(logged);
    }

    fn tick(&mut self, to: Timestamp) {
        let decisions =
            self.with(|context, account| step(context, account, Moment::Tick, Some(to)));
        let records = decisions.into_iter().flat_map(|(_, one)| one.records);
        self.records.extend(records);
    }

    fn decide(&mut self, input: Input<'_>) {
        let now = self.account.head.now.expect("it was decided before");
        let decision = self.with(|context, account| decide(context, account, input, now));
        self.records.extend(decision.records);
    }

    fn apply(&mut self, text: Program) {
        let change = Change::between(Some(&self.text), &text, Resting::Next);
        self.text = text;
        self.decide(Input::Rebase(&change));
    }

    fn read_again(&mut self, count: usize) {
        for at in 0..count {
            let logged = self.log[at].clone();
            self.decide(Input::Backfill(&logged));
        }
    }

    fn backfill(&mut self, count: usize) {
        self.read_again(count);
        self.decide(Input::Backfilled {
            kept_from: None,
            own: &[],
        });
    }

    fn starts(&self) -> usize {
        let starts = self.records.iter();
        starts
            .filter(|record| record.kind == model::Kind::Start)
            .count()
    }
}

/// Two months of facts: some late, one told twice inside the days in which that is found out, one beyond them.
fn told() -> Vec<Logged> {
    let mut facts = vec![fact(
        "acme",
        1,
        "account.updated",
        begin(),
        json!({"name": "A", "csm": "c7"}),
    )];
    for day in 0..40_i64 {
        let user = format!("u{}", day % 7);
        let id = u64::try_from(day).expect("small") * 2 + 2;
        let late = if day % 5 == 0 { 50 } else { 0 };
        let at = after(day * 24 + 3 - late);
        facts.push(fact(
            "acme",
            id,
            "user.logged_in",
            at,
            json!({"user": user}),
        ));
        let kind = if day % 4 == 0 { "review" } else { "chat" };
        let data = json!({"kind": kind, "minutes": day});
        facts.push(fact(
            "acme",
            id + 1,
            "meeting.held",
            after(day * 24 + 4),
            data,
        ));
    }
    let mut twice = facts[60].clone();
    twice.position = 0;
    facts.insert(64, twice);
    for (position, logged) in (1..).zip(&mut facts) {
        logged.position = position;
        // Under the log clock only duplicates ask when a fact came in.
        logged.arrived_at = after(i64::try_from(position).expect("small") * 12);
    }
    facts
}

fn kept(account: &Account) -> String {
    let metrics = &account.head.metrics;
    let sets = account.parts.sets();
    format!("{:?} {:?} {sets:?}", metrics.tallies, metrics.coverage)
}

/// Last facts drop what no window reaches any more, from all alike.
fn prune(benches: [&mut Bench; 2]) {
    for bench in benches {
        let login = json!({"user": "u1"});
        bench.tell(fact("acme", 900, "user.logged_in", after(41 * 24), login));
        let review = json!({"kind": "review", "minutes": 7});
        bench.tell(fact("acme", 901, "meeting.held", after(41 * 24), review));
    }
}

#[test]
fn counts_are_those_of_an_account_that_was_counted_from_the_beginning() {
    let facts = told();
    for at in [2, 30, 63, 66, facts.len()] {
        for done in [at, (at + facts.len()) / 2, facts.len()] {
            let mut whole = Bench::new(text(MORE, ""));
            let mut bench = Bench::new(text(COUNTED, ""));
            for (index, logged) in (1..).zip(&facts) {
                whole.tell(logged.clone());
                bench.tell(logged.clone());
                if index == at {
                    bench.apply(text(MORE, ""));
                }
                if index == done {
                    bench.backfill(at);
                }
            }
            prune([&mut whole, &mut bench]);
            assert_eq!(kept(&bench.account), kept(&whole.account), "{at} {done}");
        }
    }
}

#[test]
fn a_page_that_is_read_twice_counts_once() {
    let facts = told();
    let (mut once, mut twice) = (Bench::new(text(COUNTED, "")), Bench::new(text(COUNTED, "")));
    for logged in &facts {
        once.tell(logged.clone());
        twice.tell(logged.clone());
    }
    once.apply(text(MORE, ""));
    once.backfill(facts.len());
    twice.apply(text(MORE, ""));
    twice.read_again(40);
    // What was cut off goes on from the stored form.
    let stored = (
        twice.account.encode_head(),
        twice.account.parts.encode_all(),
    );
    let id = AccountId::new("acme");
    twice.account = Account::decode(id, Some(&stored.0), stored.1).expect("it was just written");
    twice.read_again(40);
    twice.backfill(facts.len());
    assert_eq!(twice.account, once.account);
    assert!(!twice.account.head.metrics.is_backfilling());
    let parts = twice.account.parts.encode_all();
    assert!(parts.iter().all(|(name, _)| !name.starts_with("read/")));
}

#[test]
fn a_text_that_comes_before_the_end_begins_again() {
    let facts = told();
    let mut whole = Bench::new(text(MORE, ""));
    let mut bench = Bench::new(text(COUNTED, ""));
    for (index, logged) in (1..).zip(&facts) {
        whole.tell(logged.clone());
        bench.tell(logged.clone());
        if index == 30 {
            bench.apply(text(MORE, ""));
            bench.read_again(20);
        }
    }
    bench.apply(text(MORE, "skip"));
    bench.backfill(facts.len());
    prune([&mut whole, &mut bench]);
    assert_eq!(kept(&bench.account), kept(&whole.account));
}

#[test]
fn what_becomes_known_by_it_is_handled_by_existing() {
    for (existing, starts) in [("include", 1), ("skip", 0)] {
        let mut bench = Bench::new(text(COUNTED, ""));
        for logged in told() {
            bench.tell(logged);
        }
        bench.apply(text(MORE, existing));
        assert_eq!(bench.starts(), 0, "nothing is known yet");
        let count = bench.log.len();
        bench.read_again(count);
        bench.tick(after(41 * 24));
        assert_eq!(bench.starts(), 0, "half a count is not looked at");
        bench.backfill(count);
        assert_eq!(bench.starts(), starts, "{existing}");
        bench.tick(after(42 * 24));
        assert_eq!(bench.starts(), starts, "{existing}");
    }
}

#[test]
fn what_was_not_kept_is_not_covered() {
    let mut bench = Bench::new(text(COUNTED, ""));
    for logged in told() {
        bench.tell(logged);
    }
    bench.apply(text(MORE, ""));
    bench.read_again(81);
    bench.decide(Input::Backfilled {
        kept_from: Some(after(10 * 24)),
        own: &[],
    });
    let days = &bench.account.head.metrics.coverage.covered_from;
    // The civil day after the one from whose middle on the log is kept.
    assert!(
        days.values().any(|day| day.to_string() == "2026-01-16"),
        "{days:?}"
    );
}
