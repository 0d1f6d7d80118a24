//! Metrics over the engine's own events that a later text brings: as if they had been counted from the beginning.

use crate::history::{begin, fact};
use crate::workspace::checked;
use engine::log_clock::{Moment, step};
use engine::{Account, Change, Clock, Context, Csms, Input, OwnRecord, Resting, Rules, decide};
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, Channel, Decision, Kind, Logged, MessageId};
use serde_json::json;
use std::collections::BTreeMap;
use workflow::{Files, Program};

const SCHEMA: &str = "\
entities:
  account: {name: required text, mood: bad | good, plan: trial | paid, asks: boolean, tips: boolean}
  contract: {status: required trial | active | cancelled | expired, renewal_date: date}
  contact: {name: required text, email: required email, role: champion | admin}
  csm: {name: required text, email: email}
events:
  user.logged_in: {user: required text}
";

const POLICIES: &str = "\
calendar: {timezone: Asia/Tokyo, business_days: Mon-Sun, sending_hours: 09:00-18:00}
topics:
  tips: {title: Tips, purpose: promotional}
  asks: {title: Asks, purpose: promotional}
defaults: {from: Us <us@vendor.example>, locale: en, currency: JPY}
sender: {name: Vendor, postal_address: Tokyo, contact: us@vendor.example}
routes:
  csm: {channel: '#cs'}
";

const DEFINITIONS: &str = "\
labels:
  stage:
    trial: account.plan == trial
    adoption: otherwise
risks:
  sentiment:
    title: Sentiment
    opens: account.mood == bad
    closes: account.mood == good
    severity: {high: account.plan == paid, normal: otherwise}
health:
  outcome:
    weight: 50%
    measures:
      mood: {value: account.mood, green: good, yellow: good, weight: 100%}
  experience:
    weight: 50%
    measures:
      feeling: {value: account.mood, green: good, yellow: good, weight: 100%}
  points: {green: 100, yellow: 50, red: 0}
  bands: {green: 70, yellow: 40}
";

const ASKS: &str = "\
workflow: asks
title: Asks
status: live
start: {when: account.asks, existing: include}
while: account.asks
once_per: occurrence
steps:
  - {id: ask, send: note, to: [champion, admin], topic: asks}
  - {id: told, alert: csm, text: Asked, hours: any}
  - {id: call, task: Call, assignee: csm, hours: any}
  - {id: rest, wait: 300d}
";

const TIPS: &str = "\
workflow: tips
title: Tips
status: live
start: {when: account.tips, existing: include}
once_per: occurrence
steps:
  - {id: tip, send: hint, to: champion, topic: tips}
";

/// Over each field of each event, all kinds of windows and ways to count.
const MORE: &str = "\
metrics:
  sent: {count: message.sent, over: 400d}
  sent_lately: {count: message.sent, where: event.channel == email, over: 7d}
  sent_now: {count: message.sent, where: event.step == \"tip\", over: 24h}
  asked: {count: message.sent, where: event.topic == asks, over: 400d}
  hinted: {latest: message.sent, where: event.template == hint}
  first_tip: {earliest: message.sent, where: event.workflow == tips and event.subject == \"acme\", over: 400d}
  people: {count_distinct: message.sent.contact, over: 400d}
  opened: {count: risk.opened, where: event.category == sentiment and event.severity == high, over: 400d}
  closed: {count: risk.closed, where: event.title == \"Sentiment\", over: 400d}
  reddened: {count: health.changed, where: event.to == red and event.from == green, over: 400d}
  adopted: {count: stage.changed, where: event.to == adoption and event.from == trial, over: 400d}
  started: {count: workflow.started, where: event.workflow == asks, over: 400d}
  done: {count: task.done, where: event.workflow == asks and event.step == \"call\" and event.title == \"Call\" and event.assignee == \"csm\", over: 400d}
  well: {count: task.done, where: event.outcome == \"good\", over: 30d}
  done_at: {latest: task.done}
  replies: {count: message.replied, where: event.topic == asks and event.template == note, over: 400d}
  who: {count_distinct: message.replied.contact, over: 400d}
  clicks: {count: message.clicked, where: event.step == \"tip\" and event.channel == email, over: 24h}
  left: {count: workflow.ended, where: event.workflow == asks and event.how == left, over: 400d}
";

fn text(metrics: &str) -> Program {
    let note =
        |subject: &str| format!("---\nsubject: {subject}\n---\nHello {{{{contact.name}}}}\n");
    let (note, hint) = (note("A note"), note("A hint"));
    let all: Files = [
        ("workflows/definitions/schema.yaml", SCHEMA),
        ("workflows/definitions/policies.yaml", POLICIES),
        ("workflows/definitions/definitions.yaml", DEFINITIONS),
        ("workflows/definitions/metrics.yaml", metrics),
        ("workflows/asks.yaml", ASKS),
        ("workflows/tips.yaml", TIPS),
        ("templates/note.en.hbs", note.as_str()),
        ("templates/hint.en.hbs", hint.as_str()),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .map(|(path, text)| (path.into(), text.into()))
    .collect();
    checked(&all).0
}

fn after(hours: i64) -> Timestamp {
    begin() + SignedDuration::from_hours(hours)
}

/// An account, all that it was told, and the records that the journal would keep.
struct Bench {
    account: Account,
    text: Program,
    log: Vec<Logged>,
    own: Vec<OwnRecord>,
}

impl Bench {
    fn new(text: Program) -> Self {
        Self {
            account: Account::new(AccountId::new("acme")),
            text,
            log: Vec::new(),
            own: Vec::new(),
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

    fn keep(&mut self, decision: Decision) {
        let contacts: BTreeMap<MessageId, Box<str>> = decision
            .outbox
            .iter()
            .filter_map(|one| match &one.channel {
                Channel::Email { contact, .. } => Some((one.message.clone(), contact.clone())),
                Channel::Route { .. } | Channel::Webhook { .. } => None,
            })
            .collect();
        let own = decision.records.into_iter().map(|record| OwnRecord {
            contact: record
                .message
                .as_ref()
                .and_then(|id| contacts.get(id).cloned()),
            record,
        });
        self.own.extend(own);
    }

    fn tell(&mut self, logged: Logged) {
        let decisions =
            self.with(|context, account| step(context, account, Moment::Fact(&logged), None));
        for (_, decision) in decisions {
            self.keep(decision);
        }
        self.log.push(logged);
    }

    fn say(&mut self, kind: &str, at: Timestamp, data: serde_json::Value) {
        let position = self.log.len() as u64 + 1;
        self.tell(fact("acme", position, kind, at, data));
    }

    /// The fate of the newest message of a step to somebody; none: there is no such message.
    fn settle(&mut self, (step, contact, state): (&str, &str, &str), at: Timestamp) {
        let mut own = self.own.iter().rev();
        let sent = own.find(|one| {
            let is_step = one.record.kind == Kind::Send && one.record.step.as_deref() == Some(step);
            is_step && one.contact.as_deref() == Some(contact)
        });
        let message = sent.and_then(|one| one.record.message.clone());
        let message = message.expect("it was sent");
        let position = self.log.len() as u64 + 1;
        let data = json!({"message": message.as_str(), "state": state, "attempt": 1});
        let mut settled = fact("acme", position, "message.settled", at, data);
        settled.fact.source = "sottaku".into();
        self.tell(settled);
    }

    /// What somebody says to the newest message of a step.
    fn answer(&mut self, kind: &str, (step, contact): (&str, &str), at: Timestamp) {
        let mut own = self.own.iter().rev();
        let sent = own.find(|one| {
            let is_step = one.record.kind == Kind::Send && one.record.step.as_deref() == Some(step);
            is_step && one.contact.as_deref() == Some(contact)
        });
        let message = sent.and_then(|one| one.record.message.clone());
        let message = message.expect("it was sent");
        self.say(kind, at, json!({"message": message.as_str()}));
    }

    /// Somebody answers by the message, somebody by the step, and the task is done.
    fn answers(&mut self, at: impl Fn(i64) -> Timestamp, outcome: &str) {
        self.answer("message.replied", ("ask", "p-2"), at(32));
        self.answer("message.clicked", ("tip", "p-1"), at(33));
        let names = json!({"workflow": "asks", "subject": "acme", "step": "ask"});
        self.say("message.replied", at(34), names);
        let done =
            json!({"workflow": "asks", "subject": "acme", "step": "call", "outcome": outcome});
        self.say("task.done", at(35), done);
    }

    fn decide(&mut self, input: Input<'_>) {
        let now = self.account.head.now.expect("it was decided before");
        let decision = self.with(|context, account| decide(context, account, input, now));
        self.keep(decision);
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

    fn end(&mut self, kept_from: Option<Timestamp>) {
        let own = self.own.clone();
        let input = Input::Backfilled {
            kept_from,
            own: &own,
        };
        self.decide(input);
    }

    /// What was cut off goes on from the stored form.
    fn cut(&mut self) {
        let stored = (self.account.encode_head(), self.account.parts.encode_all());
        let id = AccountId::new("acme");
        self.account = Account::decode(id, Some(&stored.0), stored.1).expect("it was just written");
    }

    fn metric(&mut self, name: &str) -> String {
        let all = self.with(|context, account| {
            let index = context
                .program
                .metrics
                .iter()
                .position(|one| &*one.name == name);
            let basis = index.and_then(|index| match &context.program.metrics[index].source {
                workflow::program::Source::Events(aggregate) => Some(aggregate.basis.clone()),
                workflow::program::Source::Formula(_) => None,
            });
            let tallies = &account.head.metrics.tallies;
            basis.and_then(|basis| tallies.get(&basis).cloned())
        });
        format!("{all:?}")
    }
}

/// Two months in which mails of every fate are sent, runs end and are forgotten, and all definitions change.
fn told() -> Vec<Logged> {
    let mut bench = Bench::new(text(MORE));
    bench.say(
        "account.updated",
        begin(),
        json!({"name": "A", "mood": "good", "plan": "trial"}),
    );
    for (id, role) in [("p-1", "champion"), ("p-2", "admin")] {
        let data =
            json!({"contact": id, "name": id, "role": role, "email": format!("{id}@acme.example")});
        bench.say("contact.updated", begin(), data);
    }
    let fates = [
        "sent",
        "expired",
        "suppressed",
        "refused",
        "unknown",
        "withdrawn",
    ];
    for (round, fate) in (0..).zip(fates.into_iter().chain(fates)) {
        let at = |hours: i64| after(24 + round * 6 * 24 + hours);
        let mood = if round % 2 == 0 { "bad" } else { "good" };
        let plan = if round % 3 == 0 { "trial" } else { "paid" };
        bench.say(
            "account.updated",
            at(0),
            json!({"asks": true, "mood": mood}),
        );
        bench.say(
            "account.updated",
            at(1),
            json!({"tips": true, "plan": plan}),
        );
        bench.say("user.logged_in", at(2), json!({"user": "u"}));
        bench.settle(("ask", "p-1", fate), at(3));
        bench.settle(("tip", "p-1", fate), at(4));
        // Whoever expired was written to again, and has another fate by that; of two fates the first stands.
        bench.settle(("ask", "p-1", "suppressed"), at(30));
        bench.settle(("ask", "p-2", "sent"), at(31));
        bench.answers(at, if round % 2 == 0 { "good" } else { "bad" });
        bench.say(
            "account.updated",
            at(50),
            json!({"asks": round % 4 == 3, "tips": false}),
        );
    }
    let at = |hours: i64| after(80 * 24 + hours);
    bench.say(
        "account.updated",
        at(0),
        json!({"asks": false, "mood": "bad"}),
    );
    // Last mails drop what no window reaches any more, from all alike.
    bench.say(
        "account.updated",
        at(1),
        json!({"asks": true, "tips": true, "mood": "good"}),
    );
    bench.say("user.logged_in", at(2), json!({"user": "u"}));
    for contact in ["p-1", "p-2"] {
        bench.answer("message.replied", ("ask", contact), at(3));
    }
    bench.answer("message.clicked", ("tip", "p-1"), at(3));
    let done = json!({"workflow": "asks", "subject": "acme", "step": "call", "outcome": "good"});
    bench.say("task.done", at(4), done);
    bench.log
}

fn kept(account: &Account) -> String {
    let metrics = &account.head.metrics;
    let sets = account.parts.sets();
    format!("{:#?} {:?} {sets:?}", metrics.tallies, metrics.coverage)
}

#[test]
fn our_own_events_are_counted_as_if_they_had_been_from_the_beginning() {
    let facts = told();
    for at in [3, 12, 13, 40, 41, 70, facts.len()] {
        for done in [at, (at + facts.len()) / 2, facts.len()] {
            let mut whole = Bench::new(text(MORE));
            let mut bench = Bench::new(text(""));
            for (index, logged) in (1..).zip(&facts) {
                whole.tell(logged.clone());
                bench.tell(logged.clone());
                if index == at {
                    bench.apply(text(MORE));
                }
                if index == done {
                    bench.read_again(at / 2);
                    bench.cut();
                    bench.read_again(at);
                    bench.cut();
                    bench.end(None);
                }
            }
            assert_eq!(kept(&bench.account), kept(&whole.account), "{at} {done}");
            assert!(!bench.account.head.metrics.is_backfilling());
            let parts = bench.account.parts.encode_all();
            let is_left = |name: &str| ["fates", "heard"].contains(&name);
            assert!(parts.iter().all(|(name, _)| !is_left(name)));
        }
    }
}

#[test]
fn every_kind_of_event_was_there_to_be_counted() {
    let mut whole = Bench::new(text(MORE));
    for logged in told() {
        whole.tell(logged);
    }
    let names: Vec<Box<str>> = whole
        .text
        .metrics
        .iter()
        .map(|one| one.name.clone())
        .collect();
    for name in names {
        assert_ne!(whole.metric(&name), "None", "{name} counted nothing");
    }
    let runs = whole
        .account
        .head
        .workflows
        .values()
        .map(|state| state.runs.len());
    assert!(runs.sum::<usize>() < 24, "some runs are forgotten by now");
}

#[test]
fn nothing_is_told_from_before_the_log_is_kept() {
    let mut bench = Bench::new(text(""));
    for logged in told() {
        bench.tell(logged);
    }
    bench.apply(text(MORE));
    bench.read_again(bench.log.len());
    bench.end(Some(after(75 * 24)));
    let sent = bench.metric("sent");
    let mails = bench.own.iter().filter(|one| one.record.kind == Kind::Send);
    assert!(mails.count() > 20);
    assert!(sent.contains("count: 3"), "{sent}");
}
