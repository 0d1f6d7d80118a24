//! Limits within an account, what a workflow holds back, and who goes first.

use crate::history::{begin, fact};
use crate::workspace::checked;
use engine::log_clock::{Moment, step};
use engine::{Account, Clock, Context, Csms, Rules};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{AccountId, Channel, Decision, Kind, Logged, Outgoing, Record};
use proptest::prelude::*;
use serde_json::{Value, json};
use workflow::{Files, Program};

const SCHEMA: &str = "entities:
  account: {name: required text, timezone: timezone, a: boolean, b: boolean, c: boolean, d: boolean, hot: boolean}
  contract: {status: required trial | active | cancelled | expired, renewal_date: date}
  contact: {name: required text, email: required email, role: champion | admin}
  csm: {name: required text, email: email}
events:
  user.logged_in: {user: required text}
";

const POLICIES: &str = "calendar: {timezone: Asia/Tokyo, business_days: Mon-Fri, sending_hours: 09:00-18:00, fiscal_year_starts: April}
topics:
  tips: {title: Tips, purpose: promotional}
  asks: {title: Asks, purpose: promotional}
  notices: {title: Notices, purpose: contractual}
defaults: {from: Us <us@vendor.example>, locale: en, currency: JPY}
sender: {name: Vendor, postal_address: Tokyo, contact: us@vendor.example}
routes:
  csm: {channel: '#cs'}
";

/// A workflow that starts each time the flag of its account rises; `keys` are written into it.
pub(crate) fn workflow(name: &str, flag: &str, keys: &str, steps: &str) -> (String, String) {
    let text = format!(
        "workflow: {name}\ntitle: {name}\nstatus: live\n{keys}start:\n  when: account.{flag}\n  existing: include\nonce_per: occurrence\nsteps:\n{steps}"
    );
    (format!("workflows/{name}.yaml"), text)
}

/// A step that sends to the champion, with further keys.
pub(crate) fn send(id: &str, keys: &str) -> String {
    format!("  - id: {id}\n    send: note\n    to: champion\n{keys}")
}

/// A workspace with these workflows; `limits` is written into its policies.
pub(crate) fn files(limits: &str, workflows: &[(String, String)]) -> Files {
    let mut files = Files::new();
    files.insert("workflows/definitions/schema.yaml".into(), SCHEMA.into());
    let policies = format!("{POLICIES}{limits}");
    files.insert(
        "workflows/definitions/policies.yaml".into(),
        policies.into(),
    );
    let note = "---\nsubject: A note\n---\nHello {{contact.name}}\n";
    files.insert("templates/note.en.hbs".into(), note.into());
    for (path, text) in workflows {
        files.insert(path.as_str().into(), text.as_str().into());
    }
    files
}

pub(crate) fn world(limits: &str, workflows: &[(String, String)]) -> Program {
    checked(&files(limits, workflows)).0
}

/// The instant of a wall clock time in Tokyo, `01-05 09:00`.
pub(crate) fn at(shown: &str) -> Timestamp {
    let (day, time) = shown.split_once(' ').expect("a day and a time");
    let text = format!("2026-{day}T{time}:00+09:00");
    text.parse().expect("a time")
}

/// An account of a world, and what was decided for it.
pub(crate) struct Play<'p> {
    program: &'p Program,
    rules: Rules,
    account: Account,
    told: u64,
    decisions: Vec<(Timestamp, Decision)>,
}

impl<'p> Play<'p> {
    /// With a champion, p-1, and an admin, p-2.
    pub(crate) fn new(program: &'p Program) -> Self {
        let mut play = Self {
            program,
            rules: Rules::of(program),
            account: Account::new(AccountId::new("acme")),
            told: 0,
            decisions: Vec::new(),
        };
        play.tell("account.updated", begin(), json!({"name": "アクメ"}));
        for (id, role) in [("p-1", "champion"), ("p-2", "admin")] {
            let data = json!({"contact": id, "name": id, "role": role, "email": format!("{id}@acme.example")});
            play.tell("contact.updated", begin(), data);
        }
        play
    }

    fn moment(&mut self, moment: Moment<'_>, now: Option<Timestamp>) {
        let csms = Csms::default();
        let context = Context {
            program: self.program,
            rules: &self.rules,
            csms: &csms,
            pins: None,
            clock: Clock::Log,
        };
        let decisions = step(&context, &mut self.account, moment, now);
        self.decisions.extend(decisions);
    }

    pub(crate) fn tell(&mut self, kind: &str, at: Timestamp, data: Value) {
        self.tell_from("test", (kind, at, data));
    }

    pub(crate) fn tell_from(&mut self, source: &str, (kind, at, data): (&str, Timestamp, Value)) {
        self.told += 1;
        let mut logged: Logged = fact("acme", self.told, kind, at, data);
        logged.fact.source = source.into();
        self.moment(Moment::Fact(&logged), None);
    }

    pub(crate) fn set(&mut self, shown: &str, data: Value) {
        self.tell("account.updated", at(shown), data);
    }

    fn tick(&mut self, to: Timestamp) {
        self.moment(Moment::Tick, Some(to));
    }

    pub(crate) fn settle(&mut self, message: &str, state: &str, at: Timestamp) {
        let data = json!({"message": message, "state": state, "attempt": 1});
        self.tell_from("sottaku", ("message.settled", at, data));
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        let all = self.decisions.iter();
        all.flat_map(|(_, decision)| &decision.records)
    }

    pub(crate) fn outbox(&self) -> impl Iterator<Item = &Outgoing> {
        let all = self.decisions.iter();
        all.flat_map(|(_, decision)| &decision.outbox)
    }

    /// What happened to mails until then, a line each: when, step, what, whom, why.
    pub(crate) fn lines(&mut self, until: &str) -> Vec<String> {
        self.tick(at(until));
        let is_told =
            |record: &&Record| matches!(record.kind, Kind::Send | Kind::Skip | Kind::Hold);
        self.records().filter(is_told).map(line).collect()
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller lets only these through"
)]
fn line(record: &Record) -> String {
    let kind = match record.kind {
        Kind::Send => "sent",
        Kind::Skip => "skipped",
        Kind::Hold => "held",
        other => panic!("{other:?} is not told"),
    };
    let shown = record.at[5..16].replace('T', " ");
    let step = record.step.as_deref().unwrap_or_default();
    let whom = record.to.as_deref().and_then(|to| to.split('@').next());
    let why = record.why.as_deref();
    let words = [Some(shown.as_str()), Some(step), Some(kind), whom, why];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

const WEEKLY: &str = "limits: [{at_most: 2, in: 7d, per: contact}]\n";
pub(crate) const TIPS: &str = "topic: tips\n";

/// Several such steps.
pub(crate) fn sends(ids: &[&str], keys: &str) -> String {
    ids.iter().map(|id| send(id, keys)).collect()
}

#[test]
fn two_a_week_leave_room_when_their_day_has_left_the_week() {
    let program = world(
        WEEKLY,
        &[workflow(
            "w",
            "a",
            TIPS,
            &sends(&["one", "two", "three", "four", "five"], ""),
        )],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-06 15:00 one sent p-1",
            "01-06 15:00 two sent p-1",
            "01-06 15:00 three held p-1 limit",
            "01-13 09:00 three sent p-1",
            "01-13 09:00 four sent p-1",
            "01-13 09:00 five held p-1 limit",
            "01-20 09:00 five sent p-1",
        ]
    );
}

#[test]
fn hours_are_exact_and_an_early_look_changes_nothing() {
    let limits = "limits: [{at_most: 1, in: 24h, per: contact}]\n";
    let program = world(
        limits,
        &[workflow(
            "w",
            "a",
            TIPS,
            &sends(
                &["one", "two"],
                "    hours: any\n    if: account.b is unknown\n",
            ),
        )],
    );
    let mut play = Play::new(&program);
    play.set("01-06 03:07", json!({"a": true}));
    // While it waits its `if` is nobody's business.
    play.set("01-06 12:00", json!({"b": true}));
    play.tick(at("01-06 13:00"));
    play.set("01-06 14:00", json!({"b": null}));
    play.tick(at("01-07 03:06"));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-06 03:07 one sent p-1",
            "01-06 03:07 two held p-1 limit",
            "01-07 03:07 two sent p-1",
        ]
    );
}

#[test]
fn a_delay_ends_in_a_skip_counted_from_when_it_was_first_held() {
    let limits = "limits: [{at_most: 1, in: 30d, per: contact}]\ndelay_at_most: 3d\n";
    let program = world(
        limits,
        &[workflow(
            "w",
            "a",
            TIPS,
            &sends(&["one", "two", "three"], ""),
        )],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-06 15:00 one sent p-1",
            "01-06 15:00 two held p-1 limit",
            "01-09 15:00 two skipped p-1 limit",
            "01-09 15:00 three held p-1 limit",
            "01-12 15:00 three skipped p-1 limit",
        ]
    );
}

#[test]
fn a_limit_that_frees_up_with_the_end_of_the_delay_is_used() {
    let limits = "limits: [{at_most: 1, in: 24h, per: contact}]\ndelay_at_most: 1d\n";
    let program = world(
        limits,
        &[workflow(
            "w",
            "a",
            TIPS,
            &sends(&["one", "two"], "    hours: any\n"),
        )],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    let lines = play.lines("02-01 00:00");
    assert_eq!(
        lines.last().map(String::as_str),
        Some("01-07 15:00 two sent p-1")
    );
}

#[test]
fn the_policy_may_skip_and_a_send_has_its_own_word() {
    let limits = "limits: [{at_most: 1, in: 7d, per: contact}]\nover_limit: skip\n";
    let steps = [
        send("one", ""),
        send("two", ""),
        send("three", "    at_limit: ignore\n"),
        send("four", "    at_limit: delay\n"),
    ];
    let program = world(limits, &[workflow("w", "a", TIPS, &steps.concat())]);
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-06 15:00 one sent p-1",
            "01-06 15:00 two skipped p-1 limit",
            "01-06 15:00 three sent p-1",
            "01-06 15:00 four held p-1 limit",
            "01-13 09:00 four sent p-1",
        ]
    );
}

#[test]
fn contractual_mails_count_and_are_never_held() {
    let limits = "limits: [{at_most: 1, in: 7d, per: account}]\n";
    let steps = [
        send("one", "    topic: notices\n"),
        send("two", "    topic: notices\n"),
        send("three", ""),
    ];
    let program = world(limits, &[workflow("w", "a", TIPS, &steps.concat())]);
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-06 15:00 one sent p-1",
            "01-06 15:00 two sent p-1",
            "01-06 15:00 three held p-1 limit",
            "01-13 09:00 three sent p-1",
        ]
    );
}

#[test]
fn a_limit_counts_only_its_topics_and_its_channel() {
    let limits = "limits: [{at_most: 1, in: 7d, per: contact, topics: [asks], channel: email}, {at_most: 1, in: 7d, per: contact, channel: slack}]\n";
    let steps = [
        send("one", ""),
        send("two", ""),
        send("three", "    topic: asks\n"),
        send("four", "    topic: asks\n"),
    ];
    let program = world(limits, &[workflow("w", "a", TIPS, &steps.concat())]);
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    let lines = play.lines("01-07 00:00");
    assert_eq!(
        lines[2..],
        [
            "01-06 15:00 three sent p-1",
            "01-06 15:00 four held p-1 limit"
        ]
    );
}

#[test]
fn each_recipient_is_decided_by_itself_and_the_step_waits_for_all() {
    let limits = "limits: [{at_most: 1, in: 7d, per: contact}]\n";
    let both = "  - id: both\n    send: note\n    to: [champion, admin]\n  - id: after\n    alert: csm\n    text: Both have it\n";
    let program = world(
        limits,
        &[workflow("w", "a", TIPS, &(send("one", "") + both))],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-06 15:00 one sent p-1",
            "01-06 15:00 both held p-1 limit",
            "01-06 15:00 both sent p-2",
            "01-13 09:00 both sent p-1",
        ]
    );
    let alerts: Vec<&str> = play
        .records()
        .filter(|record| record.kind == Kind::Alert)
        .map(|record| &record.at[5..16])
        .collect();
    assert_eq!(alerts, ["01-13T09:00"]);
}

#[test]
fn of_mails_that_go_at_one_instant_the_more_urgent_goes_first_then_the_older() {
    let limits = "limits: [{at_most: 1, in: 1d, per: contact}]\n";
    let keys = |priority: &str| format!("topic: tips\npriority: {priority}\n");
    let program = world(
        limits,
        &[
            workflow("a-low", "a", &keys("low"), &send("low", "")),
            workflow("b-young", "b", &keys("normal"), &send("young", "")),
            workflow("c-old", "c", &keys("normal"), &send("old", "")),
            workflow("d-high", "d", &keys("high"), &send("high", "")),
        ],
    );
    let mut play = Play::new(&program);
    play.set("01-05 19:00", json!({"a": true}));
    play.set("01-05 20:00", json!({"c": true}));
    play.set("01-05 21:00", json!({"b": true, "d": true}));
    let sent: Vec<String> = play
        .lines("01-20 00:00")
        .into_iter()
        .filter(|line| line.contains("sent"))
        .collect();
    assert_eq!(
        sent,
        [
            "01-06 09:00 high sent p-1",
            "01-07 09:00 old sent p-1",
            "01-08 09:00 young sent p-1",
            "01-09 09:00 low sent p-1",
        ]
    );
}

#[test]
fn a_mail_behind_another_of_its_run_does_not_overtake_an_urgent_one() {
    let limits = "limits: [{at_most: 2, in: 1d, per: contact}]\n";
    let low = sends(&["first", "second"], "");
    let program = world(
        limits,
        &[
            workflow("a-low", "a", "topic: tips\npriority: low\n", &low),
            workflow("b-normal", "a", TIPS, &send("normal", "")),
        ],
    );
    let mut play = Play::new(&program);
    play.set("01-06 09:00", json!({"a": true}));
    let lines = play.lines("01-06 10:00");
    assert_eq!(
        lines,
        [
            "01-06 09:00 first sent p-1",
            "01-06 09:00 second held p-1 limit",
            "01-06 09:00 normal sent p-1",
        ]
    );
}

#[test]
fn what_runs_in_shadow_counts_for_nobody() {
    let limits = "limits: [{at_most: 1, in: 7d, per: contact}]\n";
    let (path, text) = workflow("a-shadow", "a", TIPS, &send("seen", ""));
    let shadow = (path, text.replace("status: live", "status: shadow"));
    let program = world(
        limits,
        &[shadow, workflow("b-live", "a", TIPS, &send("real", ""))],
    );
    let mut play = Play::new(&program);
    play.set("01-06 09:00", json!({"a": true}));
    let lines = play.lines("01-06 10:00");
    assert_eq!(
        lines,
        ["01-06 09:00 seen sent p-1", "01-06 09:00 real sent p-1"]
    );
}

#[test]
fn a_complaint_is_told_to_the_csm_at_once() {
    let program = world("", &[workflow("w", "a", TIPS, &send("one", ""))]);
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    let one = play.outbox().next().expect("it was sent").message.clone();
    let data = json!({"message": one.as_str()});
    play.tell("message.complained", at("01-06 16:00"), data);
    let alerts = play.records().filter(|record| record.kind == Kind::Alert);
    let alerts: Vec<_> = alerts
        .map(|record| (record.route.as_deref(), record.why.as_deref()))
        .collect();
    assert_eq!(alerts, [(Some("csm"), Some("complained"))]);
    let told = play.outbox().last().expect("it is told");
    assert!(matches!(
        told.content,
        model::message::Content::Complained { .. }
    ));
}

#[test]
fn a_message_that_expired_or_was_suppressed_gives_its_place_back() {
    let limits = "limits: [{at_most: 1, in: 7d, per: contact}]\n";
    let program = world(
        limits,
        &[workflow("w", "a", TIPS, &sends(&["one", "two"], ""))],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    let one = play
        .outbox()
        .next()
        .map(|one| one.message.clone())
        .expect("one is sent");
    play.settle(one.as_str(), "suppressed", at("01-07 11:00"));
    let lines = play.lines("01-08 00:00");
    assert_eq!(
        lines.last().map(String::as_str),
        Some("01-07 11:00 two sent p-1")
    );
}

#[test]
fn a_message_that_expired_asks_the_limits_anew() {
    let limits = "limits: [{at_most: 1, in: 7d, per: contact}]\n";
    let program = world(
        limits,
        &[
            workflow("a", "a", TIPS, &send("one", "")),
            workflow("b", "b", "topic: asks\npriority: high\n", &send("two", "")),
        ],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    let one = play
        .outbox()
        .next()
        .map(|one| one.message.clone())
        .expect("one is sent");
    play.set("01-06 16:00", json!({"b": true}));
    play.settle(one.as_str(), "expired", at("01-06 19:00"));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-06 15:00 one sent p-1",
            "01-06 16:00 two held p-1 limit",
            "01-07 09:00 one held p-1 limit",
            "01-07 09:00 two sent p-1",
            "01-14 09:00 one sent p-1",
        ]
    );
}

const HOLDER: &str = "topic: tips\nholds_back: [asks]\nwhile: not account.hot\n";

/// A run that waits for the flag `hot`, which makes it leave.
fn holder(keys: &str) -> (String, String) {
    let steps = "  - id: later\n    alert: csm\n    text: Later\n    if: account.c\n    at: 300 days after contract.renewal_date\n";
    workflow("holder", "a", keys, steps)
}

#[test]
fn a_topic_held_back_goes_the_instant_the_run_ends() {
    let program = world(
        "",
        &[
            workflow("asker", "b", "topic: asks\n", &send("ask", "")),
            holder(HOLDER),
        ],
    );
    let mut play = Play::new(&program);
    play.set("01-06 10:00", json!({"a": true, "hot": false}));
    play.set("01-06 11:00", json!({"b": true}));
    play.set("01-08 14:23", json!({"hot": true}));
    assert_eq!(
        play.lines("02-01 00:00"),
        ["01-06 11:00 ask held held_back", "01-08 14:23 ask sent p-1"]
    );
}

#[test]
fn what_is_held_back_too_long_is_skipped() {
    let program = world(
        "delay_at_most: 3 business days\n",
        &[
            workflow("asker", "b", "topic: asks\n", &send("ask", "")),
            holder(HOLDER),
        ],
    );
    let mut play = Play::new(&program);
    play.set("01-08 10:00", json!({"a": true, "hot": false}));
    play.set("01-08 11:00", json!({"b": true}));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-08 11:00 ask held held_back",
            "01-13 11:00 ask skipped held_back"
        ]
    );
}

#[test]
fn another_topic_and_the_own_workflow_are_not_held_back() {
    let own = workflow(
        "own",
        "a",
        "topic: tips\nholds_back: [asks]\n",
        &(send("mine", "    topic: asks\n")),
    );
    let program = world("", &[workflow("other", "a", TIPS, &send("tip", "")), own]);
    let mut play = Play::new(&program);
    play.set("01-06 10:00", json!({"a": true}));
    let lines = play.lines("01-06 11:00");
    assert_eq!(
        lines,
        ["01-06 10:00 tip sent p-1", "01-06 10:00 mine sent p-1"]
    );
}

#[test]
fn a_run_that_only_watches_its_goal_holds_nothing_back() {
    let keys = "topic: tips\nholds_back: [asks]\ngoal: {when: account.hot, within: 60d}\n";
    let watcher = workflow(
        "watcher",
        "a",
        keys,
        "  - id: tell\n    alert: csm\n    text: Hello\n",
    );
    let program = world(
        "",
        &[
            workflow("asker", "b", "topic: asks\n", &send("ask", "")),
            watcher,
        ],
    );
    let mut play = Play::new(&program);
    play.set("01-06 10:00", json!({"a": true, "hot": false}));
    play.set("01-06 11:00", json!({"b": true}));
    assert_eq!(play.lines("01-10 00:00"), ["01-06 11:00 ask sent p-1"]);
}

#[test]
fn two_that_hold_each_other_back_go_on_when_the_delay_is_over() {
    let program = world(
        "delay_at_most: 2d\n",
        &[
            workflow(
                "one",
                "a",
                "topic: tips\nholds_back: [asks]\n",
                &sends(&["tip"], ""),
            ),
            workflow(
                "two",
                "a",
                "topic: asks\nholds_back: [tips]\n",
                &sends(&["ask"], ""),
            ),
        ],
    );
    let mut play = Play::new(&program);
    play.set("01-06 10:00", json!({"a": true}));
    assert_eq!(
        play.lines("02-01 00:00"),
        [
            "01-06 10:00 tip held held_back",
            "01-06 10:00 ask held held_back",
            "01-08 10:00 tip skipped held_back",
            "01-08 10:00 ask sent p-1",
        ]
    );
}

#[test]
fn what_is_held_is_stored_and_let_go_with_its_run() {
    let program = world(
        WEEKLY,
        &[workflow(
            "w",
            "a",
            "topic: tips\nwhile: account.a\n",
            &sends(&["one", "two", "three"], ""),
        )],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    let stored = play.account.parts.encode_all();
    let account = Account::decode(
        AccountId::new("acme"),
        Some(&play.account.encode_head()),
        stored.clone(),
    );
    assert_eq!(account.as_ref().ok(), Some(&play.account));
    let len = |parts: &[(Box<str>, Vec<u8>)]| {
        let sends = parts.iter().find(|(name, _)| &**name == "sends");
        sends.map_or(0, |(_, bytes)| bytes.len())
    };
    let held = len(&stored);
    assert!(held > 0 && held < 120, "{held} bytes");
    play.set("01-07 15:00", json!({"a": false}));
    assert!(len(&play.account.parts.encode_all()) < held);
}

#[test]
fn why_says_what_keeps_a_message_waiting_and_until_when() {
    let program = world(
        WEEKLY,
        &[
            workflow("asker", "b", "topic: asks\n", &send("ask", "")),
            workflow("w", "a", TIPS, &sends(&["one", "two", "three"], "")),
            holder(&HOLDER.replace("hot", "d")),
        ],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true, "b": true, "d": false}));
    let csms = Csms::default();
    let context = Context {
        program: &program,
        rules: &play.rules,
        csms: &csms,
        pins: None,
        clock: Clock::Log,
    };
    let now = at("01-07 10:00");
    let told = |name: &str| {
        let workflow = program.workflows.iter().find(|one| &*one.name == name)?;
        let why = engine::why::why(&context, &play.account, now, &workflow.name)?;
        let rest = why.subjects.first()?.runs.first()?.rests.clone()?;
        let held = rest.held.first()?.clone();
        Some((held.why, held.contact, held.since, held.until))
    };
    let (since, until) = (at("01-06 15:00"), Some(at("01-16 15:00")));
    assert_eq!(
        told("asker"),
        Some(("held_back".into(), None, since, until))
    );
    assert_eq!(
        told("w"),
        Some(("limit".into(), Some("p-1".into()), since, until))
    );
}

#[test]
fn an_alert_for_the_digest_is_decided_now_and_arrives_with_the_next() {
    let steps = "  - id: tell\n    alert: csm\n    text: Hello\n    deliver: digest\n    hours: any\n  - id: now\n    alert: csm\n    text: Now\n    hours: any\n";
    let program = world(
        "digest: business day 09:00\n",
        &[workflow("w", "a", "", steps)],
    );
    for (decided, arrives) in [
        ("01-09 08:59", "01-09 09:00"),
        ("01-09 09:00", "01-09 09:00"),
        ("01-09 09:01", "01-12 09:00"),
        ("01-10 03:00", "01-12 09:00"),
    ] {
        let mut play = Play::new(&program);
        play.set(decided, json!({"a": true}));
        let alerts = play.records().filter(|record| record.kind == Kind::Alert);
        let shown: Vec<String> = alerts
            .map(|record| record.at[5..16].replace('T', " "))
            .collect();
        assert_eq!(shown, [decided, decided]);
        let arrive: Vec<Timestamp> = play.outbox().map(|one| one.not_before).collect();
        assert_eq!(arrive, [at(arrives), at(decided)], "decided {decided}");
    }
}

/// Days, hours and working days, of one contact, of some topics, of the whole account.
const MANY: &str = "limits:
  - {at_most: 2, in: 7d, per: contact, topics: [tips, asks]}
  - {at_most: 1, in: 20h, per: contact, topics: [asks]}
  - {at_most: 4, in: 30d, per: account}
  - {at_most: 3, in: 6 business days, per: account, channel: email}
delay_at_most: 6d
";

/// Workflows of every kind that meet at limits; those of the topic `asks` may be written at any hour.
fn crowd() -> Program {
    let any = "    hours: any\n";
    let both = "  - id: both\n    send: note\n    to: [champion, admin]\n";
    world(
        MANY,
        &[
            workflow(
                "a-low",
                "a",
                "topic: tips\npriority: low\n",
                &sends(&["l1", "l2"], ""),
            ),
            workflow("b-both", "b", TIPS, &(both.to_owned() + &send("b2", any))),
            workflow(
                "c-asks",
                "c",
                "topic: asks\nholds_back: [tips]\nwhile: not account.hot\n",
                &sends(&["k1", "k2", "k3"], any),
            ),
            workflow(
                "d-bill",
                "d",
                "topic: notices\npriority: high\n",
                &sends(&["n1", "n2"], ""),
            ),
            workflow("e-skip", "a", TIPS, &send("e1", "    at_limit: skip\n")),
        ],
    )
}

/// What counts: contact, topic, instant, message.
type Sent = (String, String, Timestamp, String);

/// Messages that count towards each limit of `MANY` at an instant, counted apart from the engine: from what went out,
/// with all that is known of what never arrived.
fn counted(sent: &[Sent], contact: &str, now: Timestamp, zone: &TimeZone) -> [usize; 4] {
    let today = now.to_zoned(zone.clone()).date();
    let days = |at: Timestamp| {
        let day = at.to_zoned(zone.clone()).date();
        (today - day).get_days()
    };
    let working_days = |at: Timestamp| {
        let day = at.to_zoned(zone.clone()).date();
        let all = (0..=days(at)).filter_map(|ahead| day.checked_add(ahead.days()).ok());
        all.filter(|day| day.weekday().to_monday_zero_offset() < 5)
            .count()
    };
    let count = |holds: &dyn Fn(&Sent) -> bool| sent.iter().filter(|one| holds(one)).count();
    [
        count(&|(whom, topic, at, _)| whom == contact && topic != "notices" && days(*at) < 7),
        count(&|(whom, topic, at, _)| {
            whom == contact
                && topic == "asks"
                && now.duration_since(*at) < SignedDuration::from_hours(20)
        }),
        count(&|(_, _, at, _)| days(*at) < 30),
        count(&|(_, _, at, _)| working_days(*at) <= 6),
    ]
}

const CAPS: [usize; 4] = [2, 1, 4, 3];

/// Which limits of `MANY` one more message of a topic would break.
fn broken(
    sent: &[Sent],
    (contact, topic): (&str, &str),
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<usize> {
    let counts = counted(sent, contact, now, zone);
    let concerns = |limit: &usize| match limit {
        0 => topic != "notices",
        1 => topic == "asks",
        _ => true,
    };
    let over = |limit: &usize| counts[*limit] >= CAPS[*limit];
    (0..CAPS.len()).filter(concerns).filter(over).collect()
}

/// One thing that happens: so many minutes later, a flag is set, or a message is settled.
#[derive(Clone, Debug)]
enum Happens {
    Flag(&'static str, bool),
    Settled(prop::sample::Index, &'static str),
    Nothing,
}

fn happens() -> impl Strategy<Value = (i64, Happens)> {
    let flag = prop::sample::select(vec!["a", "b", "c", "d", "hot"]);
    let state = prop::sample::select(vec!["expired", "suppressed", "sent"]);
    let what = prop_oneof![
        6 => (flag, any::<bool>()).prop_map(|(flag, on)| Happens::Flag(flag, on)),
        2 => (any::<prop::sample::Index>(), state).prop_map(|(index, state)| Happens::Settled(index, state)),
        1 => Just(Happens::Nothing),
    ];
    (1..2_000i64, what)
}

/// Plays a history; with `looks`, time is also let pass in small pieces in between.
fn played<'p>(
    program: &'p Program,
    zone: &str,
    history: &[(i64, Happens)],
    looks: bool,
) -> (Play<'p>, Vec<(Timestamp, String)>) {
    let mut play = Play::new(program);
    play.tell(
        "account.updated",
        begin(),
        json!({"timezone": zone, "a": false, "b": false, "c": false, "d": false, "hot": false}),
    );
    let (mut now, mut gone) = (begin(), Vec::new());
    for (minutes, what) in history {
        let next = now + SignedDuration::from_mins(*minutes);
        while looks && now + SignedDuration::from_mins(47) < next {
            now += SignedDuration::from_mins(47);
            play.tick(now);
        }
        now = next;
        match what {
            Happens::Flag(flag, on) => play.tell("account.updated", now, json!({*flag: on})),
            Happens::Settled(index, state) => {
                // A fact goes before the wake-ups of its own instant, so only what was due before is decided first.
                play.tick(now - SignedDuration::from_secs(1));
                let all: Vec<String> = play
                    .outbox()
                    .filter(|one| one.topic.is_some())
                    .map(|one| one.message.as_str().to_owned())
                    .collect();
                if !all.is_empty() {
                    let message = index.get(&all).clone();
                    play.settle(&message, state, now);
                    gone.push((now, format!("{state} {message}")));
                }
            }
            Happens::Nothing => play.tick(now),
        }
    }
    play.tick(now + SignedDuration::from_hours(24 * 60));
    (play, gone)
}

/// Counts as the world outside would, and says at which message a limit was broken.
fn audit(play: &Play<'_>, gone: &[(Timestamp, String)], zone: &TimeZone) -> Result<usize, String> {
    let mut sent: Vec<Sent> = Vec::new();
    let mut settled: Vec<String> = Vec::new();
    let mut gone = gone.iter().peekable();
    let mut bound = 0;
    for (now, decision) in &play.decisions {
        // A fact goes before a wake-up of its own instant.
        while let Some((_, what)) = gone.next_if(|(at, _)| at <= now) {
            let (state, message) = what.split_once(' ').unwrap_or_default();
            if !settled.iter().any(|one| one == message) {
                settled.push(message.to_owned());
                sent.retain(|(_, _, _, id)| id != message || state == "sent");
            }
        }
        for outgoing in &decision.outbox {
            let Channel::Email { contact, .. } = &outgoing.channel else {
                continue;
            };
            let topic = outgoing.topic.as_deref().unwrap_or_default();
            let is_free = topic == "notices";
            let over = broken(&sent, (contact, topic), *now, zone);
            if !is_free && !over.is_empty() {
                return Err(format!(
                    "{} at {now} breaks the limits {over:?}",
                    outgoing.step
                ));
            }
            sent.push((
                contact.to_string(),
                topic.into(),
                *now,
                outgoing.message.as_str().into(),
            ));
        }
        for record in &decision.records {
            if record.why.as_deref() == Some("limit") {
                let whom = record.to.as_deref().and_then(|to| to.split('@').next());
                let topic = if record.workflow.as_deref() == Some("c-asks") {
                    "asks"
                } else {
                    "tips"
                };
                if broken(&sent, (whom.unwrap_or_default(), topic), *now, zone).is_empty() {
                    return Err(format!("{record:?} although no limit is reached"));
                }
                bound += 1;
            }
        }
    }
    Ok(bound)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_limit_is_ever_broken_and_none_binds_without_need(zone in prop::sample::select(vec!["Asia/Tokyo", "America/New_York", "Europe/Berlin"]), history in prop::collection::vec(happens(), 10..60)) {
        let program = crowd();
        let (play, gone) = played(&program, zone, &history, false);
        let tz = TimeZone::get(zone).expect("a zone");
        let outcome = audit(&play, &gone, &tz);
        prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }

    #[test]
    fn looking_more_often_changes_nothing(history in prop::collection::vec(happens(), 10..30)) {
        let program = crowd();
        let (seldom, _) = played(&program, "Asia/Tokyo", &history, false);
        let (often, _) = played(&program, "Asia/Tokyo", &history, true);
        let seldom: Vec<&Record> = seldom.records().collect();
        let often: Vec<&Record> = often.records().collect();
        prop_assert_eq!(seldom, often);
    }
}
