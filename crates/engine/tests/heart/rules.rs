//! The rules of one instant, each in a sentence.

use crate::history::{begin, begun, fact};
use crate::workspace::{checked, shipped_files};
use engine::log_clock::{Moment, step};
use engine::simulate::Simulation;
use engine::{Account, Clock, Context, Csms, Input, Rules, decide};
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, Decision, Kind, Logged, ParkCode, Record};
use serde_json::{Value, json};
use std::sync::LazyLock;
use workflow::Program;

/// The shipped workspace with one workflow of its own: `watch`, for each account, alerts while logins are scarce.
static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let mut files = shipped_files();
    let watch = "workflow: watch\ntitle: Watch\nstatus: live\nstart:\n  when: account.csm_sentiment == bad\n  for: 3d\n  existing: include\nonce_per: occurrence\nsteps:\n  - id: tell\n    alert: csm\n    text: Look after them\n    hours: any\n";
    let skip = "workflow: newcomers\ntitle: Newcomers\nstatus: live\nstart:\n  when: account.arr >= 5M\n  existing: skip\nonce_per: account\nsteps:\n  - id: greet\n    alert: csm\n    text: A big one\n    hours: any\n";
    let both = "workflow: both\ntitle: Both\nstatus: live\ntopic: renewal\nstart:\n  when: account.flagship\n  existing: include\nonce_per: account\nsteps:\n  - id: hello\n    send: renewal-thanks\n    to: [champion, admin]\n  - id: after\n    alert: csm\n    text: Both have it\n    hours: any\n";
    files.insert("workflows/both.yaml".into(), both.into());
    files.insert("workflows/watch.yaml".into(), watch.into());
    files.insert("workflows/newcomers.yaml".into(), skip.into());
    checked(&files).0
});
static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::of(&PROGRAM));
static CSMS: LazyLock<Csms> = LazyLock::new(Csms::default);

fn context(clock: Clock) -> Context<'static> {
    Context {
        program: &PROGRAM,
        rules: &RULES,
        csms: &CSMS,
        pins: None,
        clock,
    }
}

/// So many hours after the histories begin.
fn hour(hours: i64) -> Timestamp {
    begin() + SignedDuration::from_hours(hours)
}

fn day(days: i64) -> Timestamp {
    hour(24 * days)
}

/// An account under one clock, and all that was decided for it.
struct Bench {
    account: Account,
    clock: Clock,
    told: u64,
    decisions: Vec<(Timestamp, Decision)>,
}

impl Bench {
    fn new(clock: Clock) -> Self {
        Self {
            account: Account::new(AccountId::new("acme")),
            clock,
            told: 0,
            decisions: Vec::new(),
        }
    }

    /// Under the log clock, with the account, contact and contract of most histories.
    fn begun() -> Self {
        let mut bench = Self::new(Clock::Log);
        for logged in begun("acme") {
            bench.take(&logged);
        }
        bench
    }

    fn take(&mut self, logged: &Logged) {
        self.told = self.told.max(logged.position);
        let decisions = step(
            &context(self.clock),
            &mut self.account,
            Moment::Fact(logged),
            None,
        );
        self.decisions.extend(decisions);
    }

    fn tell(&mut self, kind: &str, at: Timestamp, data: Value) -> Decision {
        let logged = fact("acme", self.told + 1, kind, at, data);
        self.take(&logged);
        let own = self.decisions.iter().rev().find(|(now, _)| *now >= at);
        own.map(|(_, decision)| decision.clone())
            .unwrap_or_default()
    }

    /// A fact marked as history.
    fn mark(&mut self, kind: &str, at: Timestamp, data: Value) {
        let mut logged = fact("acme", self.told + 1, kind, at, data);
        logged.fact.is_history = true;
        self.take(&logged);
    }

    fn tick(&mut self, to: Timestamp) {
        let decisions = step(
            &context(self.clock),
            &mut self.account,
            Moment::Tick,
            Some(to),
        );
        self.decisions.extend(decisions);
    }

    fn close_history(&mut self) {
        let decisions = step(
            &context(self.clock),
            &mut self.account,
            Moment::CloseHistory,
            None,
        );
        self.decisions.extend(decisions);
    }

    /// One input under the live clock.
    fn live(&mut self, input: Input<'_>, now: Timestamp) -> Decision {
        let decision = decide(&context(Clock::Live), &mut self.account, input, now);
        self.decisions.push((now, decision.clone()));
        decision
    }

    /// Every wake-up due until then, live.
    fn live_until(&mut self, until: Timestamp) {
        while let Some(due) = self.account.wake_at().filter(|due| *due <= until) {
            self.live(Input::Wake, due);
        }
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        self.decisions
            .iter()
            .flat_map(|(_, decision)| &decision.records)
    }

    /// How often a workflow's runs did this.
    fn count(&self, workflow: &str, kind: Kind) -> usize {
        self.records()
            .filter(|record| record.kind == kind && record.workflow.as_deref() == Some(workflow))
            .count()
    }

    fn whys(&self, workflow: &str) -> Vec<String> {
        let of = self
            .records()
            .filter(|record| record.workflow.as_deref() == Some(workflow));
        of.filter_map(|record| record.why.as_deref().map(str::to_owned))
            .collect()
    }
}

fn live_fact(id: u64, kind: &str, at: Timestamp, data: Value) -> Logged {
    let mut logged = fact("acme", id, kind, at, data);
    logged.arrived_at = at;
    logged
}

#[test]
fn an_unknown_between_two_trues_starts_nothing_again() {
    let mut bench = Bench::begun();
    bench.tell("account.updated", hour(1), json!({"csm_sentiment": "bad"}));
    bench.tick(day(4));
    assert_eq!(bench.count("watch", Kind::Start), 1);
    bench.tell("account.updated", day(5), json!({"csm_sentiment": null}));
    bench.tell("account.updated", day(6), json!({"csm_sentiment": "bad"}));
    bench.tick(day(12));
    assert_eq!(bench.count("watch", Kind::Start), 1);
    bench.tell("account.updated", day(13), json!({"csm_sentiment": "good"}));
    bench.tell("account.updated", day(14), json!({"csm_sentiment": "bad"}));
    bench.tick(day(20));
    assert_eq!(bench.count("watch", Kind::Start), 2);
}

#[test]
fn a_hold_is_paused_by_unknown_and_reset_by_false() {
    let mut bench = Bench::begun();
    bench.tell("account.updated", day(1), json!({"csm_sentiment": "bad"}));
    bench.tell("account.updated", day(2), json!({"csm_sentiment": null}));
    bench.tell("account.updated", day(7), json!({"csm_sentiment": "bad"}));
    bench.tick(day(9) - SignedDuration::from_secs(1));
    assert_eq!(
        bench.count("watch", Kind::Start),
        0,
        "one day before the pause, and less than two after it"
    );
    bench.tick(day(9));
    assert_eq!(bench.count("watch", Kind::Start), 1);

    let mut bench = Bench::begun();
    bench.tell("account.updated", day(1), json!({"csm_sentiment": "bad"}));
    bench.tell("account.updated", day(2), json!({"csm_sentiment": "good"}));
    bench.tell("account.updated", day(3), json!({"csm_sentiment": "bad"}));
    bench.tick(day(6) - SignedDuration::from_secs(1));
    assert_eq!(bench.count("watch", Kind::Start), 0);
    bench.tick(day(6));
    assert_eq!(bench.count("watch", Kind::Start), 1);
}

#[test]
fn a_hold_begins_when_the_late_fact_happened() {
    let mut bench = Bench::begun();
    bench.tell("user.logged_in", day(5), json!({"user": "u1"}));
    bench.tell("account.updated", day(2), json!({"csm_sentiment": "bad"}));
    assert_eq!(
        bench.count("watch", Kind::Start),
        1,
        "three days have passed since it happened"
    );
}

#[test]
fn a_late_fact_that_shows_it_false_in_between_resets_a_hold() {
    let mut bench = Bench::begun();
    bench.tell("account.updated", day(1), json!({"csm_sentiment": "bad"}));
    bench.tell("account.updated", day(3), json!({"csm_sentiment": "bad"}));
    bench.tell("account.updated", day(2), json!({"csm_sentiment": "good"}));
    bench.tick(day(6) - SignedDuration::from_secs(1));
    assert_eq!(bench.count("watch", Kind::Start), 0);
    bench.tick(day(6));
    assert_eq!(bench.count("watch", Kind::Start), 1);
}

#[test]
fn each_recipient_is_written_to_in_hours_of_their_own() {
    let mut bench = Bench::begun();
    bench.tell("contact.updated", hour(1), json!({"contact": "p-2", "name": "Smith", "role": "admin", "email": "smith@acme.example", "timezone": "America/New_York", "locale": "en-GB"}));
    bench.tell("account.updated", hour(2), json!({"flagship": true}));
    bench.tick(hour(3));
    let sent = |bench: &Bench| -> Vec<String> {
        let sent = bench
            .records()
            .filter(|record| record.workflow.as_deref() == Some("both"));
        sent.map(|record| {
            format!(
                "{} {:?} {} {}",
                record.at,
                record.kind,
                record.to.as_deref().unwrap_or_default(),
                record.locale.as_deref().unwrap_or_default()
            )
        })
        .collect()
    };
    let first = [
        "2026-01-05T11:00:00+09:00 Start  ",
        "2026-01-05T11:00:00+09:00 Send tanaka@acme.example ja",
    ];
    assert_eq!(sent(&bench), first);
    bench.tick(day(1));
    let then = [
        "2026-01-05T23:00:00+09:00 Send smith@acme.example en",
        "2026-01-05T23:00:00+09:00 Alert  ",
        "2026-01-05T23:00:00+09:00 End  ",
    ];
    assert_eq!(sent(&bench)[2..], then);
}

#[test]
fn a_fact_moves_no_step_and_the_wake_up_that_follows_does() {
    let mut bench = Bench::new(Clock::Live);
    for (id, logged) in begun("acme").iter().enumerate() {
        let mut logged = logged.clone();
        logged.arrived_at = begin();
        logged.position = id as u64 + 1;
        bench.live(Input::Fact(&logged), begin());
    }
    let big = live_fact(9, "account.updated", hour(1), json!({"arr": 9_000_000}));
    let decision = bench.live(Input::Fact(&big), hour(1));
    assert!(decision.outbox.is_empty());
    assert_eq!(bench.account.wake_at(), Some(hour(1)));
    let decision = bench.live(Input::Wake, hour(1));
    assert_eq!(decision.outbox.len(), 1);
    assert!(bench.account.wake_at() > Some(hour(1)));
}

#[test]
fn a_contract_that_is_deleted_ends_its_run_and_starts_none_when_it_comes_back() {
    let mut bench = Bench::begun();
    bench.tick(day(10));
    assert_eq!(bench.count("renewal", Kind::Start), 1);
    bench.tell("contract.deleted", day(11), json!({"contract": "k-1"}));
    let last = bench
        .records()
        .filter(|record| record.kind == Kind::End)
        .last();
    assert_eq!(last.and_then(|record| record.how.as_deref()), Some("left"));
    bench.tell("contract.updated", day(12), json!({"contract": "k-1", "status": "active", "start_date": "2025-05-11", "renewal_date": "2026-05-10", "seats": 100, "renewal_status": "open"}));
    bench.tick(day(13));
    assert_eq!(bench.count("renewal", Kind::Start), 1);
}

#[test]
fn an_older_patch_does_not_win_and_a_null_is_unknown() {
    let mut bench = Bench::begun();
    let arr = |bench: &Bench| bench.account.head.account.value("arr").cloned();
    bench.tell("account.updated", day(2), json!({"arr": 2}));
    bench.tell("account.updated", day(1), json!({"arr": 1}));
    assert_eq!(
        arr(&bench)
            .and_then(|value| value.decimal())
            .map(|arr| arr.floor()),
        Some(2)
    );
    bench.tell("account.updated", day(3), json!({"arr": null}));
    assert_eq!(arr(&bench), None);
}

#[test]
fn a_wrong_value_costs_its_field_and_a_wrong_required_one_the_fact() {
    let mut bench = Bench::begun();
    let decision = bench.tell(
        "account.updated",
        day(1),
        json!({"arr": "much", "industry": "it", "mood": 1}),
    );
    let codes: Vec<&str> = decision
        .rejected
        .iter()
        .map(|rejected| &*rejected.code)
        .collect();
    assert_eq!(codes, ["wrong_value", "unknown_field"]);
    assert!(bench.account.head.account.value("industry").is_some());
    let parked = bench
        .tell(
            "contract.updated",
            day(2),
            json!({"contract": "k-1", "seats": "many"}),
        )
        .parked;
    assert_eq!(parked.map(|parked| parked.code), Some(ParkCode::BadData));
    let parked = bench.tell("user.logged_in", day(3), json!({})).parked;
    assert_eq!(parked.map(|parked| parked.code), Some(ParkCode::BadData));
}

#[test]
fn our_own_facts_are_refused_but_for_answers() {
    let mut bench = Bench::begun();
    for kind in [
        "message.sent",
        "risk.opened",
        "health.changed",
        "stage.changed",
        "workflow.ended",
        "task.overdue",
        "message.settled",
    ] {
        let parked = bench.tell(kind, day(1), json!({})).parked;
        assert_eq!(
            parked.map(|parked| parked.code),
            Some(ParkCode::ReservedType),
            "{kind}"
        );
    }
    let decision = bench.tell("message.replied", day(1), json!({"message": "m_x"}));
    assert!(decision.parked.is_none());
    assert_eq!(decision.rejected.len(), 1);
}

#[test]
fn a_fact_without_any_time_is_parked_under_the_log_clock() {
    let mut bench = Bench::new(Clock::Log);
    let mut logged = fact("acme", 1, "account.updated", begin(), json!({"name": "x"}));
    logged.fact.time = None;
    bench.take(&logged);
    let parked = bench.decisions[0]
        .1
        .parked
        .as_ref()
        .map(|parked| parked.code);
    assert_eq!(parked, Some(ParkCode::NoTime));
    assert_eq!(bench.account, Account::new(AccountId::new("acme")));
}

#[test]
fn a_fact_id_is_known_for_seven_days_of_arrival() {
    let mut bench = Bench::new(Clock::Log);
    let mut logged = fact("acme", 1, "account.updated", begin(), json!({"name": "x"}));
    bench.take(&logged);
    for (days, is_duplicate) in [(0, true), (7, true), (8, false)] {
        let mut account = bench.account.clone();
        logged.arrived_at = day(days);
        let decisions = step(
            &context(Clock::Log),
            &mut account,
            Moment::Fact(&logged),
            None,
        );
        assert_eq!(
            decisions[0].1.is_duplicate, is_duplicate,
            "after {days} days"
        );
    }
}

#[test]
fn history_starts_nothing_until_it_ends_and_existing_decides_then() {
    let mut bench = Bench::new(Clock::Log);
    bench.mark(
        "account.updated",
        day(-300),
        json!({"name": "x", "arr": 9_000_000, "csm_sentiment": "bad"}),
    );
    bench.mark("contract.updated", day(-200), json!({"contract": "k-1", "status": "active", "start_date": "2025-05-11", "renewal_date": "2026-05-10", "seats": 1, "renewal_status": "open"}));
    bench.tell("user.logged_in", day(10), json!({"user": "u1"}));
    bench.tick(day(12));
    assert_eq!(
        bench.records().count(),
        0,
        "nothing is told while the history is open"
    );
    bench.close_history();
    assert_eq!(bench.count("renewal", Kind::Start), 1, "include");
    assert_eq!(bench.count("newcomers", Kind::Start), 0, "skip");
    assert_eq!(
        bench.count("watch", Kind::Start),
        1,
        "held since long before the close"
    );
}

#[test]
fn what_was_unknown_when_history_ended_is_handled_by_existing_when_it_is_known() {
    let mut bench = Bench::new(Clock::Log);
    bench.mark("account.updated", day(-300), json!({"name": "x"}));
    bench.close_history();
    bench.tell("account.updated", day(1), json!({"arr": 9_000_000}));
    assert_eq!(bench.count("newcomers", Kind::Start), 0);
    bench.tell("account.updated", day(2), json!({"arr": 1}));
    bench.tell("account.updated", day(3), json!({"arr": 9_000_000}));
    assert_eq!(
        bench.count("newcomers", Kind::Start),
        1,
        "an edge after that is an edge"
    );
}

#[test]
fn a_marked_fact_of_a_live_account_waits_at_most_a_day() {
    let mut bench = Bench::new(Clock::Live);
    let first = live_fact(1, "account.updated", begin(), json!({"name": "x"}));
    bench.live(Input::Fact(&first), begin());
    let mut marked = live_fact(
        2,
        "contract.updated",
        hour(1),
        json!({"contract": "k-1", "status": "active", "start_date": "2025-05-11", "renewal_date": "2026-04-20", "seats": 1, "renewal_status": "open"}),
    );
    marked.fact.is_history = true;
    bench.live(Input::Fact(&marked), hour(1));
    assert_eq!(bench.count("renewal", Kind::Start), 0);
    bench.live_until(hour(25) - SignedDuration::from_secs(1));
    assert_eq!(bench.count("renewal", Kind::Start), 0);
    bench.live_until(hour(25));
    assert_eq!(bench.count("renewal", Kind::Start), 1);
}

#[test]
fn a_send_that_finds_nobody_waits_an_hour_for_facts_on_their_way() {
    let contract = json!({"contract": "k-1", "status": "active", "start_date": "2025-05-11", "renewal_date": "2026-04-25", "seats": 1, "renewal_status": "open"});
    let mut bench = Bench::new(Clock::Live);
    bench.live(
        Input::Fact(&live_fact(
            1,
            "account.updated",
            begin(),
            json!({"name": "x"}),
        )),
        begin(),
    );
    bench.live(
        Input::Fact(&live_fact(2, "contract.updated", begin(), contract)),
        begin(),
    );
    bench.live_until(begin());
    assert_eq!(bench.count("renewal", Kind::Hold), 1);
    let late = live_fact(
        3,
        "contact.updated",
        hour(0) + SignedDuration::from_mins(30),
        json!({"contact": "p-1", "name": "田中", "role": "champion", "email": "tanaka@acme.example"}),
    );
    let mut alone = Bench {
        account: bench.account.clone(),
        decisions: Vec::new(),
        ..Bench::new(Clock::Live)
    };
    bench.live(Input::Fact(&late), hour(0) + SignedDuration::from_mins(30));
    bench.live_until(hour(0) + SignedDuration::from_mins(30));
    assert_eq!(
        bench.count("renewal", Kind::Send),
        1,
        "somebody was found in time"
    );
    alone.live_until(hour(1));
    assert_eq!(
        alone.whys("renewal"),
        ["nobody", "nobody"],
        "skipped, and the CSM is told"
    );
}

#[test]
fn a_message_that_expired_is_decided_again_for_that_contact_alone() {
    let mut bench = Bench::new(Clock::Live);
    for logged in begun("acme") {
        let mut logged = logged;
        logged.arrived_at = begin();
        bench.live(Input::Fact(&logged), begin());
    }
    bench.live_until(day(9));
    let sent: Vec<_> = bench
        .decisions
        .iter()
        .flat_map(|(_, decision)| &decision.outbox)
        .filter(|outgoing| &*outgoing.step == "intro")
        .cloned()
        .collect();
    assert_eq!(sent.len(), 1);
    let mut settled = live_fact(
        9,
        "message.settled",
        day(9),
        json!({"message": sent[0].message.as_str(), "state": "expired", "attempt": 1}),
    );
    settled.fact.source = "sottaku".into();
    bench.live(Input::Fact(&settled), day(9));
    bench.live_until(day(10));
    let again: Vec<_> = bench
        .decisions
        .iter()
        .flat_map(|(_, decision)| &decision.outbox)
        .filter(|outgoing| &*outgoing.step == "intro")
        .cloned()
        .collect();
    assert_eq!(again.len(), 2);
    assert_ne!(again[0].message, again[1].message);
    bench.live(
        Input::Fact(&live_fact(
            10,
            "contract.updated",
            day(11),
            json!({"contract": "k-1", "status": "cancelled"}),
        )),
        day(11),
    );
    let withdrawn = &bench.decisions.last().expect("there is one").1.withdrawn;
    assert!(
        withdrawn.contains(&again[1].message),
        "a run that ends takes back what is still queued"
    );
}

#[test]
fn an_unknown_once_per_value_starts_nothing() {
    let mut bench = Bench::begun();
    bench.tell("account.updated", day(1), json!({"arr": 9_000_000}));
    bench.tell("account.updated", day(2), json!({"arr": 1}));
    bench.tell("account.updated", day(3), json!({"arr": 9_000_000}));
    assert_eq!(bench.count("newcomers", Kind::Start), 1);
    assert_eq!(bench.whys("newcomers"), ["once_per"]);
}

#[test]
fn simulation_tells_the_accounts_own_records_first() {
    let mut simulation = Simulation::new(&PROGRAM);
    for account in ["zeta", "acme"] {
        for logged in begun(account) {
            simulation.push(&logged);
        }
    }
    let (records, report) = simulation.finish(Some(day(30)));
    assert_eq!(report.facts, 6);
    let keys: Vec<_> = records
        .iter()
        .map(|record| {
            let at: Timestamp = record.at.parse().expect("a time");
            (
                at,
                record.account.clone(),
                record.workflow.clone(),
                record.subject.clone(),
            )
        })
        .collect();
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(keys, sorted);
}
