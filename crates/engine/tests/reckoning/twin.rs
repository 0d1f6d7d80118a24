//! Twins: an account that sleeps from wake-up to wake-up, and one that is woken all the time, decide the same.

use crate::dice::Dice;
use crate::journey::{DAYS, Seen, began_at, journey};
use crate::workspace::workspace;
use engine::calendar::{at_time, start_of, zone};
use engine::head::Head;
use engine::{Account, Clock, Context, Csms, Input, Rules, decide};
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, Decision, Kind, Record};
use std::collections::{BTreeMap, BTreeSet};
use workflow::Program;

/// How many workspaces and journeys are tried.
const SEEDS: u64 = 24;
/// What must have been decided somewhere, or the twins prove little.
const SOMETIMES: [Kind; 11] = [
    Kind::RiskOpened,
    Kind::RiskClosed,
    Kind::HealthChanged,
    Kind::StageChanged,
    Kind::Start,
    Kind::Send,
    Kind::Alert,
    Kind::Task,
    Kind::Ask,
    Kind::Skip,
    Kind::End,
];
/// How runs must have ended somewhere.
const ENDS: [&str; 3] = ["finished", "goal", "left"];
/// No account is woken more often than this in its days.
const WAKES_MAX: u64 = 4_000;

/// What one of the twins has done.
#[derive(Default)]
struct Life {
    records: Vec<Record>,
    outbox: Vec<String>,
    head: Head,
    wakes: u64,
    quiet: u64,
}

impl Life {
    fn keep(&mut self, decision: Decision) {
        self.records.extend(decision.records);
        let sent = decision.outbox.iter();
        self.outbox
            .extend(sent.map(|out| format!("{} {} {}", out.not_before, out.workflow, out.step)));
    }
}

/// One passage through all facts; `calls` are instants at which it is woken though it sleeps.
fn live(
    context: &Context<'_>,
    facts: &[Seen],
    calls: &BTreeSet<Timestamp>,
    end: Timestamp,
) -> Life {
    let mut life = Life::default();
    let mut account = Account::new(AccountId::new("acme"));
    let mut calls = calls.iter().copied().peekable();
    let mut facts = facts.iter().peekable();
    loop {
        let wake = [account.wake_at(), calls.peek().copied()];
        let wake = wake.into_iter().flatten().min();
        let told = facts.peek().map_or(end, |(seen_at, _)| *seen_at);
        // A fact goes before a wake-up of its own instant.
        if let Some(due) = wake.filter(|due| *due < told) {
            while calls.next_if(|at| *at <= due).is_some() {}
            let now = account.head.now.map_or(due, |now| now.max(due));
            life.keep(decide(context, &mut account, Input::Wake, now));
            life.wakes += 1;
            assert!(
                account.wake_at().is_none_or(|next| next > due),
                "a wake-up lies ahead"
            );
            continue;
        }
        let Some((seen_at, logged)) = facts.next() else {
            break;
        };
        life.keep(decide(context, &mut account, Input::Fact(logged), *seen_at));
    }
    life.quiet = account.quiet_wakes;
    life.head = account.head;
    // What moves with each look: the clock, and which old runs are forgotten already.
    life.head.now = None;
    life.head.wake_at = None;
    for state in life.head.workflows.values_mut() {
        state.runs.retain(|run| run.ended.is_none());
    }
    life
}

/// Instants at which something may happen that the account slept through.
fn calls(
    dice: &mut Dice,
    facts: &[Seen],
    began_at: Timestamp,
    end: Timestamp,
) -> BTreeSet<Timestamp> {
    let mut all = BTreeSet::new();
    let told = facts
        .iter()
        .filter_map(|(_, logged)| logged.fact.data.get("timezone")?.as_str());
    let named: BTreeSet<&str> = told.chain(["Asia/Tokyo"]).collect();
    let zones: Vec<_> = named.into_iter().filter_map(zone).collect();
    let mut at = began_at;
    while at < end {
        for zone in &zones {
            let day = zone.to_datetime(at).date();
            all.insert(start_of(day, zone));
            all.insert(at_time(day, Time::constant(9, 0, 0, 0), zone));
        }
        for _ in 0..2 {
            all.insert(at + SignedDuration::from_mins(dice.between(0, 1_439)));
        }
        if dice.chance(3) {
            all.extend((0..96).map(|quarter| at + SignedDuration::from_mins(quarter * 15)));
        }
        at += SignedDuration::from_hours(24);
    }
    for (seen_at, logged) in facts {
        let happened_at = logged.fact.time.unwrap_or(*seen_at);
        let hours = [1, 2, 12, 13, 24, 30, 37, 48, 72, 100].map(|hours| hours * 60);
        for minutes in hours.into_iter().chain([1, 90, 750]) {
            all.insert(*seen_at + SignedDuration::from_mins(minutes));
            all.insert(happened_at + SignedDuration::from_mins(minutes));
        }
    }
    all.retain(|at| began_at < *at && *at < end && dice.chance(25));
    all
}

/// What all lives together came to.
#[derive(Debug, Default)]
struct Sum {
    wakes: u64,
    quiet: u64,
    calls: u64,
    written: u64,
    kinds: BTreeMap<Kind, u64>,
    ends: BTreeMap<Box<str>, u64>,
    frozen: u64,
}

fn case(seed: u64, sum: &mut Sum) {
    let mut dice = Dice::new(seed);
    let (program, files) = workspace(&mut dice);
    let begins = began_at(&mut dice);
    let end = begins + SignedDuration::from_hours(24 * DAYS);
    let facts = journey(&mut dice, begins);
    let calls = calls(&mut dice, &facts, begins, end);
    let clock = *dice.pick(&[Clock::Log, Clock::Live]);
    let (one, other) = twins(&program, clock, &facts, (&calls, end));
    let written = || {
        let all = files.iter().filter(|(path, _)| path.contains("written"));
        all.map(|(_, text)| &**text).collect::<Vec<_>>().join("\n")
    };
    for (sleeper, watcher) in one.records.iter().zip(&other.records) {
        assert_eq!(
            sleeper,
            watcher,
            "seed {seed}, {clock:?}: the sleeper and the watcher part\n{}",
            written()
        );
    }
    let parted = one.records.len().min(other.records.len());
    assert_eq!(
        one.records.get(parted),
        other.records.get(parted),
        "seed {seed}, {clock:?}: one of them does more\n{}",
        written()
    );
    assert_eq!(one.outbox, other.outbox, "seed {seed}");
    let (head, other_head) = (&one.head, &other.head);
    assert_eq!(head.health, other_head.health, "seed {seed}");
    assert_eq!(head.risks, other_head.risks, "seed {seed}");
    assert_eq!(
        head.workflows,
        other_head.workflows,
        "seed {seed}\n{}",
        written()
    );
    assert_eq!(head, other_head, "seed {seed}");
    assert!(
        one.wakes < WAKES_MAX,
        "seed {seed}: a storm of wake-ups, {}\n{}",
        one.wakes,
        written()
    );
    sum.wakes += one.wakes;
    sum.quiet += one.quiet;
    sum.calls += other.wakes;
    sum.frozen += u64::from(facts[0].1.fact.is_history);
    let texts = files.keys().filter(|path| path.contains("written"));
    sum.written += u64::try_from(texts.count()).expect("few");
    for record in &one.records {
        *sum.kinds.entry(record.kind).or_default() += 1;
        if let Some(how) = &record.how {
            *sum.ends.entry(how.clone()).or_default() += 1;
        }
    }
}

fn twins(
    program: &Program,
    clock: Clock,
    facts: &[Seen],
    (calls, end): (&BTreeSet<Timestamp>, Timestamp),
) -> (Life, Life) {
    let rules = Rules::of(program);
    let csms = Csms::default();
    let context = Context {
        program,
        rules: &rules,
        csms: &csms,
        pins: None,
        clock,
    };
    (
        live(&context, facts, &BTreeSet::new(), end),
        live(&context, facts, calls, end),
    )
}

#[test]
fn who_sleeps_decides_what_who_is_woken_all_the_time_decides() {
    let mut sum = Sum::default();
    for seed in 0..SEEDS {
        case(seed, &mut sum);
    }
    println!("{sum:?}");
    for kind in SOMETIMES {
        assert!(sum.kinds.contains_key(&kind), "never {kind:?}: {sum:#?}");
    }
    for how in ENDS {
        assert!(sum.ends.contains_key(how), "never {how}: {sum:#?}");
    }
    assert!(sum.frozen > 0, "some begin with imported history: {sum:#?}");
}
