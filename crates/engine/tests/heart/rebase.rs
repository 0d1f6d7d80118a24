//! A new text takes over: every row of the manual's table of edits, each a sentence.

use crate::history::{begin, fact};
use crate::workspace::checked;
use engine::log_clock::{Moment, step};
use engine::plan::{Outlook, Plan};
use engine::rebase::StepEdit;
use engine::{Account, Change, Clock, Context, Csms, Input, Resting, Rules, decide};
use jiff::{SignedDuration, Timestamp};
use model::message::Content;
use model::{AccountId, Decision, Kind, Outgoing, Record};
use serde_json::{Value, json};
use workflow::{Files, Program};

const SCHEMA: &str = "\
entities:
  account:
    name: required text
    csm: csm
    arr: money
    csm_sentiment: bad | neutral | good
    flagship: boolean
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
  meeting.held: {kind: text}
complete_since:
  all: 2020-01-01
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

const METRICS: &str = "\
metrics:
  logins:
    count: user.logged_in
    over: 7d
segments:
  active: logins >= 2
";

/// An account that texts take over one after the other, under the log clock.
struct Bench {
    account: Account,
    text: Program,
    told: u64,
    records: Vec<Record>,
    outbox: Vec<Outgoing>,
}

/// A workspace with these files beside its schema and policies.
fn text(files: &[(&str, &str)]) -> Program {
    let mut all: Files = [
        ("workflows/definitions/schema.yaml", SCHEMA),
        ("workflows/definitions/policies.yaml", POLICIES),
        ("workflows/definitions/metrics.yaml", METRICS),
    ]
    .map(|(path, text)| (path.into(), text.into()))
    .into();
    for (path, text) in files {
        all.insert((*path).into(), (*text).into());
    }
    checked(&all).0
}

/// A workspace with one workflow: its head as given, then its steps.
fn one(head: &str, steps: &[&str]) -> Program {
    text(&[("workflows/care.yaml", &care(head, steps))])
}

fn care(head: &str, steps: &[&str]) -> String {
    let status = if head.contains("status:") {
        ""
    } else {
        "status: live\n"
    };
    let mut yaml = format!("workflow: care\ntitle: Care\n{status}{head}steps:\n");
    for step in steps {
        yaml.push_str(&format!("  - {step}\n"));
    }
    yaml
}

const FLAGSHIP: &str = "start: {when: account.flagship, existing: include}\nonce_per: account\n";

/// An alert that waits for its window before the renewal on 2026-05-10.
fn tell(id: &str, window: &str) -> String {
    format!(
        "{{id: {id}, alert: csm, text: {id}, hours: any, at: {window} days before contract.renewal_date}}"
    )
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

impl Bench {
    fn new(text: Program) -> Self {
        let mut bench = Self {
            account: Account::new(AccountId::new("acme")),
            text,
            told: 0,
            records: Vec::new(),
            outbox: Vec::new(),
        };
        bench.tell(
            "account.updated",
            begin(),
            json!({"name": "アクメ", "csm": "c7"}),
        );
        bench.tell(
            "contract.updated",
            begin(),
            json!({"contract": "k-1", "status": "active", "renewal_date": "2026-05-10"}),
        );
        bench
    }

    fn with_context<R>(&mut self, read: impl FnOnce(&Context<'_>, &mut Account) -> R) -> R {
        let rules = Rules::of(&self.text);
        let csms = Csms::default();
        let context = Context {
            program: &self.text,
            rules: &rules,
            csms: &csms,
            pins: None,
            clock: Clock::Log,
        };
        read(&context, &mut self.account)
    }

    fn keep(&mut self, decisions: Vec<(Timestamp, Decision)>) {
        for (_, decision) in decisions {
            self.records.extend(decision.records);
            self.outbox.extend(decision.outbox);
        }
    }

    fn tell(&mut self, kind: &str, at: Timestamp, data: Value) {
        self.told += 1;
        let logged = fact("acme", self.told, kind, at, data);
        let decisions = self
            .with_context(|context, account| step(context, account, Moment::Fact(&logged), None));
        self.keep(decisions);
    }

    fn set(&mut self, at: Timestamp, data: Value) {
        self.tell("account.updated", at, data);
    }

    fn tick(&mut self, to: Timestamp) {
        let decisions =
            self.with_context(|context, account| step(context, account, Moment::Tick, Some(to)));
        self.keep(decisions);
    }

    fn apply(&mut self, text: Program) -> Decision {
        self.apply_resting(text, Resting::Next)
    }

    /// The new text takes over at the account's own instant. What it decides is given, and kept with the rest.
    fn apply_resting(&mut self, text: Program, resting: Resting) -> Decision {
        let change = Change::between(Some(&self.text), &text, resting);
        self.text = text;
        let now = self.account.head.now.expect("it was decided before");
        let decision = self
            .with_context(|context, account| decide(context, account, Input::Rebase(&change), now));
        self.keep(vec![(now, decision.clone())]);
        decision
    }

    /// What a plan says of a text.
    fn plan(&self, text: &Program) -> Plan {
        let change = Change::between(Some(&self.text), text, Resting::Next);
        let (rules, rules_before) = (Rules::of(text), Rules::of(&self.text));
        let context = Context {
            program: text,
            rules: &rules,
            csms: &Csms::default(),
            pins: None,
            clock: Clock::Log,
        };
        let before = Context {
            program: &self.text,
            rules: &rules_before,
            ..context
        };
        let mut outlook = Outlook::new(context, Some(before), &change);
        let account = self.account.clone();
        let now = account.head.now.expect("it was decided before");
        outlook.look(account, &change, now);
        outlook.pause().without_quiet()
    }

    /// The steps that a plan calls removed, each with the one that it asks about.
    fn removed(&mut self, text: &Program) -> Vec<(Box<str>, Option<Box<str>>)> {
        let steps = self.plan(text).workflows.into_values();
        let removed = steps
            .flat_map(|one| one.steps)
            .filter(|step| step.change.edit == StepEdit::Removed);
        removed
            .map(|step| (step.change.step, step.change.probably))
            .collect()
    }

    /// Kind and step (or how, or why) of all that was recorded, in order.
    fn told(&self) -> Vec<String> {
        self.records.iter().map(said).collect()
    }

    fn clear(&mut self) {
        self.records.clear();
    }
}

fn said(record: &Record) -> String {
    let what = [&record.step, &record.how, &record.why, &record.name];
    let kind = serde_json::to_value(record.kind).unwrap_or_default();
    let mut words = vec![kind.as_str().unwrap_or_default().to_owned()];
    words.extend(what.into_iter().flatten().map(|word| word.to_string()));
    words.join(" ")
}

fn kinds(decision: &Decision) -> Vec<Kind> {
    decision.records.iter().map(|record| record.kind).collect()
}

/// A run that has done `first` and rests before `second` (which opens 90 days before the renewal).
fn resting(steps: &[&str]) -> Bench {
    let mut bench = Bench::new(one(FLAGSHIP, steps));
    bench.set(at("2026-01-20T00:00:00Z"), json!({"flagship": true}));
    bench.tick(at("2026-01-25T00:00:00Z"));
    bench
}

#[test]
fn a_workflow_that_goes_live_asks_existing() {
    for (existing, starts) in [("include", 1), ("skip", 0)] {
        let mut bench = Bench::new(text(&[]));
        bench.set(at("2026-01-06T00:00:00Z"), json!({"flagship": true}));
        let head =
            format!("start: {{when: account.flagship, existing: {existing}}}\nonce_per: account\n");
        let new = one(&head, &[&tell("first", "120..1")]);
        let decision = bench.apply(new);
        assert_eq!(kinds(&decision), vec![Kind::Start; starts], "{existing}");
        // Nothing acts in the turn itself; it does in the wake-up that follows at once.
        bench.tick(at("2026-02-01T00:00:00Z"));
        let alerts = bench
            .told()
            .iter()
            .filter(|told| *told == "alert first")
            .count();
        assert_eq!(alerts, starts, "{existing}");
        bench.set(at("2026-02-02T00:00:00Z"), json!({"flagship": false}));
        bench.clear();
        bench.set(at("2026-02-03T00:00:00Z"), json!({"flagship": true}));
        let later = if starts == 1 {
            "skip once_per"
        } else {
            "start"
        };
        assert_eq!(bench.told()[0], later, "a later edge is news");
    }
}

#[test]
fn a_condition_unknown_at_going_live_is_pending() {
    for (existing, starts) in [("include", 1), ("skip", 0)] {
        let mut bench = Bench::new(text(&[]));
        let head =
            format!("start: {{when: account.flagship, existing: {existing}}}\nonce_per: account\n");
        bench.apply(one(&head, &[&tell("first", "120..1")]));
        bench.set(at("2026-01-06T00:00:00Z"), json!({"flagship": true}));
        let told = bench.told().iter().filter(|told| *told == "start").count();
        assert_eq!(told, starts, "{existing}: it only became known");
    }
}

#[test]
fn a_condition_that_means_the_same_keeps_its_memory_and_hold() {
    let before = "start: {when: account.csm_sentiment == bad, for: 10d, existing: skip}\nonce_per: occurrence\n";
    let after = "start: {when: unhappy, for: 10d, existing: skip}\nonce_per: occurrence\n";
    let mut bench = Bench::new(one(before, &[&tell("first", "120..1")]));
    bench.set(at("2026-01-06T00:00:00Z"), json!({"csm_sentiment": "bad"}));
    bench.tick(at("2026-01-10T00:00:00Z"));
    let segments = "segments:\n  unhappy: account.csm_sentiment == bad\n";
    let moved = text(&[
        (
            "workflows/care.yaml",
            &care(after, &[&tell("first", "120..1")]),
        ),
        ("workflows/definitions/unhappy.yaml", segments),
    ]);
    assert!(bench.apply(moved).records.is_empty());
    bench.tick(at("2026-01-15T23:59:59Z"));
    assert!(bench.told().is_empty());
    bench.tick(at("2026-01-16T00:00:00Z"));
    assert_eq!(
        bench.told()[0],
        "start",
        "ten days after the fact, not after the new text"
    );
}

#[test]
fn an_edited_condition_asks_existing_for_all() {
    let head = |arr: &str, existing: &str| {
        format!(
            "start: {{when: account.arr >= {arr}, existing: {existing}}}\nonce_per: occurrence\n"
        )
    };
    let steps = [tell("first", "200..1")];
    let steps = [&*steps[0]];
    for (existing, starts) in [("include", 1), ("skip", 0)] {
        let mut bench = Bench::new(one(&head("5M", existing), &steps));
        bench.set(at("2026-01-06T00:00:00Z"), json!({"arr": 3_000_000}));
        let decision = bench.apply(one(&head("2M", existing), &steps));
        assert_eq!(decision.records.len(), starts, "{existing}");
        bench.clear();
        bench.set(at("2026-01-08T00:00:00Z"), json!({"arr": 4_000_000}));
        let told = bench.told();
        assert!(
            !told.iter().any(|told| told == "start"),
            "the memory is set for all"
        );
    }
}

#[test]
fn open_runs_are_untouched_by_an_edited_start() {
    let mut bench = resting(&[&tell("first", "120..100"), &tell("second", "90..80")]);
    let head = "start: {when: not account.flagship, existing: include}\nonce_per: account\n";
    bench.clear();
    bench.apply(one(
        head,
        &[&tell("first", "120..100"), &tell("second", "90..80")],
    ));
    assert!(bench.told().is_empty());
    bench.tick(at("2026-02-10T00:00:00Z"));
    assert_eq!(bench.told(), ["alert second", "end finished"]);
}

#[test]
fn another_length_of_for_lets_a_hold_run_on() {
    let head = |hold: &str, existing: &str| {
        format!(
            "start: {{when: account.csm_sentiment == bad, for: {hold}, existing: {existing}}}\nonce_per: account\n"
        )
    };
    let steps = [tell("first", "200..1")];
    let steps = [&*steps[0]];
    let begun = |existing: &str| {
        let mut bench = Bench::new(one(&head("20d", existing), &steps));
        bench.set(at("2026-01-06T00:00:00Z"), json!({"csm_sentiment": "bad"}));
        bench.tick(at("2026-01-12T00:00:00Z"));
        bench.set(at("2026-01-12T00:00:00Z"), json!({"name": "A"}));
        bench
    };
    let mut bench = begun("skip");
    assert!(
        bench
            .apply(one(&head("10d", "skip"), &steps))
            .records
            .is_empty()
    );
    bench.tick(at("2026-01-16T00:00:00Z"));
    assert_eq!(
        bench.told()[0],
        "start",
        "counted from where the hold began"
    );
    for (existing, starts) in [("include", 1), ("skip", 0)] {
        let mut bench = begun(existing);
        bench.apply(one(&head("3d", existing), &steps));
        bench.tick(at("2026-02-20T00:00:00Z"));
        let told = bench.told().iter().filter(|told| *told == "start").count();
        assert_eq!(
            told, starts,
            "{existing}: held long enough only by the new text"
        );
    }
}

#[test]
fn an_edge_made_by_a_redefinition_is_handled_by_existing() {
    let steps = [tell("first", "200..1")];
    let with = |threshold: &str, existing: &str| {
        let head = format!("start: {{when: big, existing: {existing}}}\nonce_per: occurrence\n");
        let segments = format!("segments:\n  big: account.arr >= {threshold}\n");
        text(&[
            ("workflows/care.yaml", &care(&head, &[&steps[0]])),
            ("workflows/definitions/big.yaml", &segments),
        ])
    };
    for (existing, starts) in [("include", 1), ("skip", 0)] {
        let mut bench = Bench::new(with("5M", existing));
        bench.set(at("2026-01-06T00:00:00Z"), json!({"arr": 3_000_000}));
        assert_eq!(
            bench.apply(with("2M", existing)).records.len(),
            starts,
            "{existing}"
        );
    }
    let mut bench = Bench::new(with("2M", "include"));
    bench.set(at("2026-01-06T00:00:00Z"), json!({"arr": 3_000_000}));
    bench.clear();
    assert!(
        bench.apply(with("1M", "include")).records.is_empty(),
        "who was in stays in, and starts nothing again"
    );
}

#[test]
fn a_new_metric_proves_nothing_before_it_is_covered() {
    let head = "start: {when: meetings == 0, existing: include}\nonce_per: account\n";
    let metrics = "metrics:\n  meetings:\n    count: meeting.held\n    over: 7d\n";
    let new = text(&[
        (
            "workflows/care.yaml",
            &care(head, &[&tell("first", "200..1")]),
        ),
        ("workflows/definitions/meetings.yaml", metrics),
    ]);
    let mut bench = Bench::new(text(&[]));
    bench.tell("meeting.held", begin(), json!({}));
    bench.tick(at("2026-01-20T00:00:00Z"));
    bench.set(at("2026-01-20T00:00:00Z"), json!({"name": "A"}));
    bench.apply(new);
    bench.tick(at("2026-01-26T14:59:59Z"));
    assert!(bench.told().is_empty(), "the window is not whole");
    // The civil day after the apply is the first whole one: 2026-01-21 in Tokyo; the 27th is the seventh.
    bench.tick(at("2026-01-26T15:00:00Z"));
    assert_eq!(
        bench.told()[0],
        "start",
        "what became known is handled by existing"
    );
}

#[test]
fn a_step_inserted_before_the_place_is_not_made_up() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    bench.apply(one(
        FLAGSHIP,
        &[
            &tell("zero", "200..1"),
            &first,
            &tell("middle", "200..1"),
            &second,
        ],
    ));
    bench.tick(at("2026-02-12T00:00:00Z"));
    assert_eq!(bench.told(), ["alert second", "end finished"]);
}

#[test]
fn a_step_inserted_after_the_place_is_reached() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    bench.apply(one(FLAGSHIP, &[&first, &second, &tell("third", "70..60")]));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(
        bench.told(),
        ["alert second", "alert third", "end finished"]
    );
}

#[test]
fn a_step_removed_under_a_run_is_followed_by_the_next_or_the_end() {
    let (first, second, third) = (
        tell("first", "120..100"),
        tell("second", "90..80"),
        tell("third", "70..60"),
    );
    let steps: [&str; 3] = [&first, &second, &third];
    let mut bench = resting(&steps);
    bench.clear();
    bench.apply(one(FLAGSHIP, &[&first, &third]));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["alert third", "end finished"]);
    let mut bench = resting(&steps);
    bench.clear();
    bench.apply_resting(one(FLAGSHIP, &[&first, &third]), Resting::End);
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["end stopped"]);
    // A run that rests elsewhere does not ask.
    let mut bench = resting(&steps);
    bench.clear();
    bench.apply_resting(one(FLAGSHIP, &[&first, &second]), Resting::End);
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["alert second", "end finished"]);
}

#[test]
fn what_stands_instead_of_a_removed_step_is_reached() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    bench.apply(one(
        FLAGSHIP,
        &[&tell("zero", "200..1"), &first, &tell("other", "85..80")],
    ));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["alert other", "end finished"]);
}

#[test]
fn a_step_moved_behind_the_place_stays_done() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    bench.apply(one(FLAGSHIP, &[&second, &tell("first", "70..60")]));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["alert second", "end finished"]);
}

#[test]
fn another_window_counts_from_now_on() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    bench.apply(one(FLAGSHIP, &[&first, &tell("second", "110..100")]));
    bench.tick(at("2026-01-26T00:00:00Z"));
    assert_eq!(bench.told(), ["alert second", "end finished"], "due now");
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    bench.apply(one(FLAGSHIP, &[&first, &tell("second", "119..118")]));
    bench.tick(at("2026-01-26T00:00:00Z"));
    assert_eq!(bench.told(), ["skip second window_passed", "end finished"]);
}

#[test]
fn a_while_that_is_false_by_the_new_text_leaves_at_the_apply() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    let head = format!("{FLAGSHIP}while: contract.status == trial\n");
    bench.apply(one(&head, &[&first, &second]));
    assert_eq!(bench.told(), ["end left"]);
}

#[test]
fn a_step_wrapped_into_a_branch_keeps_its_place() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    let branch = format!(
        "{{id: way, if: account.flagship, hours: any, then: [{}, {second}], else: [{}]}}",
        tell("zero", "200..1"),
        tell("other", "200..1")
    );
    bench.apply(one(FLAGSHIP, &[&first, &branch]));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(
        bench.told(),
        ["alert zero", "alert second", "end finished"],
        "the branch is still to be taken, and what it holds lies ahead"
    );
}

#[test]
fn later_starts_follow_another_once_per_and_old_keys_are_kept() {
    let steps = [tell("first", "200..1")];
    let head = |once: &str| {
        format!("start: {{when: account.flagship, existing: skip}}\nonce_per: {once}\n")
    };
    let again = |bench: &mut Bench, month: u32| {
        bench.set(
            at(&format!("2026-{month:02}-01T00:00:00Z")),
            json!({"flagship": false}),
        );
        bench.clear();
        bench.set(
            at(&format!("2026-{month:02}-02T00:00:00Z")),
            json!({"flagship": true}),
        );
        bench.told().first().cloned()
    };
    let mut bench = Bench::new(one(&head("occurrence"), &[&steps[0]]));
    bench.set(at("2026-01-20T00:00:00Z"), json!({"flagship": true}));
    bench.tick(at("2026-01-25T00:00:00Z"));
    bench.apply(one(&head("account"), &[&steps[0]]));
    assert_eq!(again(&mut bench, 2).as_deref(), Some("skip once_per"));
    bench.apply(one(&head("occurrence"), &[&steps[0]]));
    assert_eq!(again(&mut bench, 3).as_deref(), Some("start"));
}

#[test]
fn another_length_of_a_wait_counts_from_the_arrival() {
    let steps = |length: &str| {
        [
            tell("first", "120..100"),
            format!("{{id: pause, wait: {length}}}"),
            tell("second", "200..1"),
        ]
    };
    let one = |length: &str| {
        let steps = steps(length);
        one(FLAGSHIP, &steps.each_ref().map(|step| &**step))
    };
    // It arrives at the wait on 2026-01-20 and is looked at on the 25th.
    let begun = || {
        let mut bench = Bench::new(one("7d"));
        bench.set(at("2026-01-20T00:00:00Z"), json!({"flagship": true}));
        bench.set(at("2026-01-25T00:00:00Z"), json!({"name": "A"}));
        bench.clear();
        bench
    };
    for (length, due) in [
        ("10d", "2026-01-30T00:00:00Z"),
        ("3d", "2026-01-25T00:00:00Z"),
    ] {
        let mut bench = begun();
        bench.apply(one(length));
        let due = at(due);
        bench.tick(due - SignedDuration::from_secs(1));
        assert!(bench.told().is_empty(), "{length}");
        bench.tick(due);
        assert_eq!(bench.told(), ["alert second", "end finished"], "{length}");
    }
}

#[test]
fn a_renamed_step_is_the_same_step() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    let head = format!("{FLAGSHIP}moved: {{first: hello, second: again}}\n");
    bench.apply(one(
        &head,
        &[&tell("hello", "200..1"), &tell("again", "90..80")],
    ));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["alert again", "end finished"]);
}

#[test]
fn a_renamed_step_without_a_word_of_it_is_removed_and_inserted_and_the_plan_asks() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let hello = tell("first", "120..100").replace("id: first", "id: hello");
    let other = tell("first", "110..100").replace("id: first", "id: other");
    // What was renamed, and to what: the same words under another id, whatever was inserted beside it.
    for (steps, probably) in [
        (vec![&hello, &second], Some("hello")),
        (vec![&other, &hello, &second], Some("hello")),
        (vec![&other, &second], None),
        (vec![&second], None),
    ] {
        let steps: Vec<&str> = steps.into_iter().map(|step| &**step).collect();
        let mut bench = resting(&[&first, &second]);
        let removed = bench.removed(&one(FLAGSHIP, &steps));
        let probably = probably.map(Box::from);
        assert_eq!(removed, [("first".into(), probably)], "{steps:?}");
    }
    let mut bench = resting(&[&first, &second]);
    let moved = format!("{FLAGSHIP}moved: {{first: hello}}\n");
    assert_eq!(bench.removed(&one(&moved, &[&hello, &second])), []);
    // Without `moved` the step is not made up, and the run goes on where it rested.
    bench.clear();
    bench.apply(one(FLAGSHIP, &[&hello, &second]));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["alert second", "end finished"]);
}

#[test]
fn a_step_that_took_its_id_from_a_renamed_template_is_recognized() {
    let workspace = |name: &str, more: &str| {
        let steps = [
            format!("{{alert: csm, template: {name}{more}}}"),
            tell("second", "90..80"),
        ];
        let steps: Vec<&str> = steps.iter().map(|step| &**step).collect();
        let care = care(FLAGSHIP, &steps);
        let note = "---\nchannel: slack\n---\nHello\n";
        text(&[
            ("workflows/care.yaml", &*care),
            (&format!("templates/{name}.en.hbs"), note),
        ])
    };
    let mut bench = Bench::new(workspace("welcome", ""));
    let gone = |bench: &mut Bench, new: Program| bench.removed(&new);
    let same = gone(&mut bench, workspace("greeting", ""));
    assert_eq!(same, [("welcome".into(), Some("greeting".into()))]);
    let other = gone(&mut bench, workspace("greeting", ", hours: any"));
    assert_eq!(other, [("welcome".into(), None)]);
}

#[test]
fn who_was_drawn_keeps_the_arm() {
    let split = |share: u32| {
        format!(
            "{{id: draw, split: {{one: {{share: {share}%, steps: [{}]}}, two: {{share: {}%, steps: [{}]}}}}, hours: any}}",
            tell("first", "90..80"),
            100 - share,
            tell("second", "90..80")
        )
    };
    let mut bench = resting(&[&split(100)]);
    bench.clear();
    bench.apply(one(FLAGSHIP, &[&split(0)]));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["alert first", "end finished"]);
    let mut bench = Bench::new(one(FLAGSHIP, &[&split(100)]));
    bench.apply(one(FLAGSHIP, &[&split(0)]));
    bench.set(at("2026-01-20T00:00:00Z"), json!({"flagship": true}));
    bench.tick(at("2026-04-01T00:00:00Z"));
    assert_eq!(bench.told(), ["start", "alert second", "end finished"]);
}

#[test]
fn time_goes_on_while_paused() {
    let status = |status: &str| format!("status: {status}\n{FLAGSHIP}");
    let steps = [
        tell("first", "120..100"),
        "{id: pause, wait: 7d}".to_owned(),
        tell("second", "90..80"),
        tell("third", "70..60"),
    ];
    let steps = steps.each_ref().map(|step| &**step);
    let mut bench = resting(&steps);
    bench.apply(one(&status("paused"), &steps));
    bench.clear();
    bench.tick(at("2026-03-05T00:00:00Z"));
    assert!(bench.told().is_empty());
    bench.set(at("2026-03-05T00:00:00Z"), json!({"name": "A"}));
    bench.apply(one(&status("live"), &steps));
    bench.tick(at("2026-03-05T00:00:01Z"));
    assert_eq!(
        bench.told(),
        ["skip second window_passed", "alert third", "end finished"]
    );
}

#[test]
fn a_closing_workflow_finishes_its_runs_and_begins_none() {
    let head = "status: closing\nstart: {when: account.flagship, existing: include}\nonce_per: occurrence\n";
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    bench.apply(one(head, &[&first, &second]));
    bench.tick(at("2026-02-12T00:00:00Z"));
    assert_eq!(bench.told(), ["alert second", "end finished"]);
    bench.clear();
    bench.set(at("2026-02-13T00:00:00Z"), json!({"flagship": false}));
    bench.set(at("2026-02-14T00:00:00Z"), json!({"flagship": true}));
    assert!(bench.told().is_empty());
}

#[test]
fn the_runs_of_a_retired_or_removed_workflow_end() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let retired = one(&format!("status: retired\n{FLAGSHIP}"), &[&first, &second]);
    for new in [retired, text(&[])] {
        let mut bench = resting(&[&first, &second]);
        bench.clear();
        bench.apply(new);
        assert_eq!(bench.told(), ["end stopped"]);
        // Whoever went through has gone through, should it come back.
        bench.clear();
        bench.apply(one(FLAGSHIP, &[&first, &second]));
        bench.tick(at("2026-04-01T00:00:00Z"));
        assert!(bench.told().is_empty());
    }
}

#[test]
fn the_runs_of_a_draft_rest_until_it_is_live_again() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    bench.apply(one(
        &format!("status: draft\n{FLAGSHIP}"),
        &[&first, &second],
    ));
    bench.tick(at("2026-02-12T00:00:00Z"));
    assert!(bench.told().is_empty());
    bench.set(at("2026-02-12T00:00:00Z"), json!({"name": "A"}));
    bench.apply(one(FLAGSHIP, &[&first, &second]));
    bench.tick(at("2026-02-12T01:00:00Z"));
    assert_eq!(bench.told(), ["alert second", "end finished"]);
}

#[test]
fn who_was_tried_in_shadow_is_new_to_the_live_workflow() {
    for (once_per, existing, starts) in [
        ("account", "include", 1),
        ("account.csm", "include", 1),
        ("90d", "include", 1),
        ("occurrence", "include", 1),
        ("account", "skip", 0),
    ] {
        let head = |status: &str| {
            format!(
                "status: {status}\nstart: {{when: account.flagship, existing: {existing}}}\nonce_per: {once_per}\n"
            )
        };
        let steps = [&*tell("first", "120..1"), "{id: pause, wait: 200d}"];
        let mut bench = Bench::new(one(&head("shadow"), &steps));
        bench.set(at("2026-01-20T00:00:00Z"), json!({"flagship": true}));
        bench.tick(at("2026-01-25T00:00:00Z"));
        assert_eq!(bench.told(), ["start", "alert first"], "{once_per}");
        let tried = bench.records[0].run.clone();
        bench.clear();
        bench.apply(one(&head("live"), &steps));
        bench.tick(at("2026-01-26T00:00:00Z"));
        // Its messages are others, so its run is.
        let (of_tried, others): (Vec<_>, Vec<_>) =
            bench.records.iter().partition(|record| record.run == tried);
        let of_tried: Vec<String> = of_tried.into_iter().map(said).collect();
        assert_eq!(of_tried, ["end stopped"], "{once_per}");
        let others: Vec<String> = others.into_iter().map(said).collect();
        let expected = ["start", "alert first"].repeat(starts);
        assert_eq!(others, expected, "{once_per}");
    }
}

#[test]
fn who_was_tried_in_shadow_is_not_tried_twice_there() {
    let head = |status: &str| format!("status: {status}\n{FLAGSHIP}");
    let steps = [&*tell("first", "120..1")];
    let mut bench = Bench::new(one(&head("shadow"), &steps));
    for (day, is_flagship) in [(20, true), (22, false), (23, true)] {
        let day = at(&format!("2026-01-{day}T00:00:00Z"));
        bench.set(day, json!({"flagship": is_flagship}));
    }
    assert_eq!(
        bench.told(),
        ["start", "alert first", "end finished", "skip once_per"]
    );
}

#[test]
fn who_went_through_live_stays_through_though_it_was_in_shadow_since() {
    let head = |status: &str| format!("status: {status}\n{FLAGSHIP}");
    let steps = [&*tell("first", "120..1")];
    let mut bench = resting(&steps);
    for status in ["shadow", "live"] {
        bench.clear();
        bench.apply(one(&head(status), &steps));
        bench.tick(at("2026-02-12T00:00:00Z"));
        assert!(bench.told().is_empty(), "{status}: {:?}", bench.told());
    }
}

#[test]
fn a_draft_ends_what_was_tried_in_shadow() {
    let head = |status: &str| format!("status: {status}\n{FLAGSHIP}");
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let steps = [&*first, &*second];
    let mut bench = Bench::new(one(&head("shadow"), &steps));
    bench.set(at("2026-01-20T00:00:00Z"), json!({"flagship": true}));
    bench.clear();
    bench.apply(one(&head("draft"), &steps));
    assert_eq!(bench.told(), ["end stopped"]);
    bench.clear();
    bench.apply(one(&head("live"), &steps));
    assert_eq!(bench.told(), ["start"]);
}

#[test]
fn the_next_send_says_and_reaches_what_the_new_text_has() {
    let send = |to: &str| {
        let window = "at: 90..80 days before contract.renewal_date";
        format!(
            "{{id: second, send: hello, to: {to}, from: Us <us@vendor.example>, topic: care, hours: any, {window}}}"
        )
    };
    let world = |to: &str, said: &str| {
        let care = care(FLAGSHIP, &[&tell("first", "120..100"), &send(to)]);
        let hello = format!("---\nsubject: Hi\n---\n{said}\n");
        text(&[
            ("workflows/care.yaml", &care),
            ("templates/hello.en.hbs", &hello),
        ])
    };
    let mut bench = Bench::new(world("champion", "Old."));
    for role in ["champion", "admin"] {
        let email = format!("{role}@acme.example");
        let contact = json!({"contact": role, "name": "A", "email": email, "role": role});
        bench.tell("contact.updated", begin(), contact);
    }
    bench.set(at("2026-01-20T00:00:00Z"), json!({"flagship": true}));
    bench.tick(at("2026-01-25T00:00:00Z"));
    let new = world("admin", "New.");
    let hash = new.templates["hello"].texts["en"].hash.clone();
    assert_ne!(hash, bench.text.templates["hello"].texts["en"].hash);
    bench.apply(new);
    bench.clear();
    bench.tick(at("2026-02-10T00:00:00Z"));
    assert_eq!(bench.told(), ["send second", "end finished"]);
    assert_eq!(bench.records[0].to.as_deref(), Some("admin@acme.example"));
    let said: Vec<&Outgoing> = bench
        .outbox
        .iter()
        .filter(|message| &*message.step == "second")
        .collect();
    let [message] = said[..] else {
        panic!("one message: {said:?}");
    };
    let Content::Template { hash: said, .. } = &message.content else {
        panic!("{message:?}");
    };
    assert_eq!(*said, hash);
}

#[test]
fn a_guard_and_a_goal_are_those_of_the_new_text() {
    let (first, second) = (tell("first", "120..100"), tell("second", "90..80"));
    let mut bench = resting(&[&first, &second]);
    bench.clear();
    let guarded = second.replace("{id: second,", "{id: second, if: not account.flagship,");
    bench.apply(one(FLAGSHIP, &[&first, &guarded]));
    bench.tick(at("2026-02-10T00:00:00Z"));
    assert_eq!(bench.told(), ["skip second if", "end finished"]);

    let mut bench = resting(&[&first, &second]);
    bench.clear();
    let head = format!("{FLAGSHIP}goal: account.csm_sentiment == good\n");
    bench.apply(one(&head, &[&first, &second]));
    assert!(bench.told().is_empty());
    let good = json!({"csm_sentiment": "good"});
    bench.set(at("2026-01-26T00:00:00Z"), good);
    assert_eq!(bench.told(), ["end goal"]);
}

#[test]
fn a_plan_tells_what_the_text_brings_and_not_what_comes_anyway() {
    let wait = |length: &str| {
        let steps = [
            format!("{{id: rest, wait: {length}}}"),
            "{id: tell, alert: csm, text: tell, hours: any}".into(),
        ];
        one(FLAGSHIP, &steps.each_ref().map(|step| &**step))
    };
    let mut bench = Bench::new(wait("2d"));
    let flagship = json!({"flagship": true});
    bench.tell("account.updated", begin(), flagship);
    // A day and a half later half a day is left: the alert and the end come within three working days, by either text.
    bench.tick(begin() + SignedDuration::from_hours(36));
    assert_eq!(bench.plan(&wait("50h")).workflows["care"].messages, 0);
    // A workflow that the text leaves alone is not spoken of.
    let other = "workflow: other\ntitle: Other\nstatus: live\nstart: {when: account.arr >= 1M, existing: skip}\n\
                 once_per: account\nsteps:\n  - {id: look, alert: csm, text: Look}\n";
    let care = care(
        FLAGSHIP,
        &[
            "{id: rest, wait: 2d}",
            "{id: tell, alert: csm, text: tell, hours: any}",
        ],
    );
    bench.tick(begin() + SignedDuration::from_hours(47));
    let plan = bench.plan(&text(&[
        ("workflows/care.yaml", &care),
        ("workflows/other.yaml", other),
    ]));
    let names: Vec<&str> = plan.workflows.keys().map(|name| &**name).collect();
    assert_eq!(names, ["other"], "{plan:#?}");
    // What the text itself brings is told: the run ends at once.
    let plan = bench.plan(&wait("1h"));
    let care = &plan.workflows["care"];
    assert_eq!(care.steps[0].change.details, ["wait 2d → 1h"]);
    let stays = format!("{FLAGSHIP}while: contract.status == trial\n");
    let plan = bench.plan(&one(&stays, &["{id: rest, wait: 2d}"]));
    assert_eq!(plan.workflows["care"].ends["left"], 1, "{plan:#?}");
}

#[test]
fn a_plan_tells_of_other_words_and_of_another_end_of_a_wait() {
    let mail = |words: &str| format!("---\nsubject: {words}\n---\nDear {{{{contact.name}}}},\n");
    let written = |words: &str, at_most: &str| {
        let steps = [
            format!(
                "{{id: answer, wait: {{event: meeting.held, at_most: {at_most}, otherwise: continue}}}}"
            ),
            "{send: hello, to: champion, topic: care, from: a@vendor.example}".into(),
        ];
        let care = care(FLAGSHIP, &steps.each_ref().map(|step| &**step));
        text(&[
            ("workflows/care.yaml", &care),
            ("templates/hello.en.hbs", &mail(words)),
        ])
    };
    let bench = Bench::new(written("Hello", "3d"));
    let told = |text: &Program| {
        let plan = bench.plan(text);
        let steps = plan.workflows.into_values().flat_map(|one| one.steps);
        let told =
            steps.map(|step| format!("{}: {}", step.change.step, step.change.details.join("; ")));
        told.collect::<Vec<_>>()
    };
    assert_eq!(told(&written("Hello", "3d")), [""; 0]);
    assert_eq!(
        told(&written("Good day", "3d")),
        ["hello: other words in hello (en)"]
    );
    assert_eq!(
        told(&written("Hello", "5 business days")),
        ["answer: at_most 3d → 5 business days"]
    );
}
