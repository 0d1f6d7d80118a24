//! A new text takes effect in a running server, whatever is cut off on the way.

use super::tests::{AT, PATIENCE, TAKEOVER, quiet, tell, told};
use super::*;
use crate::trial::{Place, example, noon, three_facts};
use crate::{Refused, activate, left};
use engine::Resting;
use engine::simulate::Simulation;
use jiff::SignedDuration;
use model::{Fact, Logged};
use store::ClockMode;
use workflow::Files;

/// The example with runs that leave by the new text, and a workflow that takes in whoever is there.
fn changed() -> Files {
    let mut files = example();
    let name = "workflows/renewal.yaml";
    let text = files[name].replace("in 0..150", "in 0..150 and account.arr >= 4M");
    files.insert(name.into(), text.into());
    let greet = "workflow: greet\ntitle: Greet\nstatus: live\nstart:\n  when: account.arr >= 1M\n  existing: include\nonce_per: account\nsteps:\n  - id: hello\n    alert: csm\n    text: Say hello\n    hours: any\n";
    files.insert("workflows/greet.yaml".into(), greet.into());
    files
}

async fn settle(store: &Store) {
    let done = async {
        while left(store).await.expect("the store reads") > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, done).await.expect("it takes effect");
}

/// What simulations of the shards' logs tell that change texts where the store did.
async fn simulated(store: &Store, texts: [&Files; 2]) -> Vec<String> {
    let programs = texts.map(|files| workflow::check(files).program.expect("it is right"));
    let activations = store.activations().await.expect("the store reads");
    let mut lines = Vec::new();
    for shard in 0..store.shards() {
        let of_shard = activations.iter().filter(|one| one.shard == shard);
        let from: Vec<u64> = of_shard.map(|one| one.position).collect();
        let mut simulation = Simulation::new(&programs[0]);
        let log = store.read_log(shard, 0, 100_000, usize::MAX).await;
        let mut has_changed = false;
        let mut facts: Vec<Logged> = Vec::new();
        for stored in log.expect("the log reads") {
            if stored.position > from[1] && !has_changed {
                has_changed = true;
                simulation.take_over(&programs[1], Resting::Next, &facts);
            }
            let fact: Fact = serde_json::from_str(&stored.json).expect("a fact");
            let logged = Logged {
                position: stored.position,
                arrived_at: stored.arrived_at,
                fact,
            };
            simulation.push(&logged);
            facts.push(logged);
        }
        let (records, _) = simulation.finish(None);
        let records = records.iter().map(serde_json::to_string);
        lines.extend(records.map(|record| record.expect("a record")));
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_text_that_is_cut_off_anywhere_takes_effect_once() {
    let place = Place::new(ClockMode::Log);
    let clock = Clock::by_hand(noon());
    let mut store = place.open().await;
    let taken = activate(&store, &example(), noon()).await;
    assert!(taken.expect("the example is taken").is_new);
    // Pages of one account, so that a cut may lie between any two.
    let start = async |store: &Store| {
        let mut config = place.config(&[]);
        config.limits.wakes_max = 1;
        let started = Server::start(config, store.clone(), clock.clone(), Roles::ALL).await;
        started.expect("the server starts")
    };
    let server = start(&store).await;
    for account in 0..12 {
        tell(&server, &three_facts(&format!("a-{account}"), AT)).await;
    }
    quiet(&store).await;
    server.stop().await;
    let taken = activate(&store, &changed(), noon()).await;
    assert!(
        taken
            .expect("accounts were decided, and it is taken")
            .is_new
    );
    assert_eq!(left(&store).await.expect("the store reads"), 12);
    let early = activate(&store, &example(), noon()).await;
    assert!(matches!(early, Err(Refused::Underway { accounts: 12 })));
    for _ in 0..4 {
        let server = start(&store).await;
        let mut records = server.records();
        timeout(PATIENCE, records.recv())
            .await
            .expect("records come in time")
            .expect("the server goes on");
        server.abandon();
        store = place.open().await;
        clock.turn(TAKEOVER);
    }
    let server = start(&store).await;
    settle(&store).await;
    let tick = r#"{"specversion":"1.0","id":"t","source":"test","type":"sottaku.tick","time":"2026-03-01T00:00:00Z"}"#;
    tell(&server, &[tick.into()]).await;
    quiet(&store).await;
    server.stop().await;
    let (mut lines, mut expected) = (
        told(&store).await,
        simulated(&store, [&example(), &changed()]).await,
    );
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    let hellos = lines.iter().filter(|line| line.contains("\"hello\""));
    assert_eq!(hellos.count(), 12);
    let ends = lines.iter().filter(|line| line.contains("\"left\""));
    assert_eq!(ends.count(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_of_an_account_brings_it_over_first() {
    let place = Place::new(ClockMode::Live);
    let clock = Clock::by_hand(noon());
    let store = place.open().await;
    let taken = activate(&store, &example(), noon()).await;
    assert!(taken.expect("the example is taken").is_new);
    let started = Server::start(place.config(&[]), store.clone(), clock.clone(), Roles::ALL).await;
    let server = started.expect("the server starts");
    tell(&server, &three_facts("acme", AT)).await;
    quiet(&store).await;
    let taken = activate(&store, &changed(), clock.now()).await;
    assert!(taken.expect("it is taken").is_new);
    let mut facts = three_facts("acme", AT);
    facts[0] = facts[0]
        .replace("acme-1", "acme-9")
        .replace("3000000", "2000000");
    tell(&server, &facts[..1]).await;
    settle(&store).await;
    quiet(&store).await;
    server.stop().await;
    let lines = told(&store).await;
    let starts = lines.iter().filter(|line| line.contains("\"greet\""));
    assert!(starts.count() >= 1, "{lines:#?}");
}

/// The changed text, with a metric over what was not counted before.
fn widened() -> Files {
    let mut files = changed();
    let metric = "metrics:\n  logins_of_old:\n    count: user.logged_in\n    where: event.user == \"u\"\n    over: 30d\n";
    files.insert("workflows/definitions/of-old.yaml".into(), metric.into());
    let own = "metrics:\n  mails_of_old:\n    count: message.sent\n    where: event.workflow == renewal and event.contact is known\n    over: 90d\n  runs_of_old:\n    count: workflow.started\n    over: 90d\n";
    files.insert("workflows/definitions/own-of-old.yaml".into(), own.into());
    let written = "workflow: written\ntitle: Written\nstatus: live\nstart:\n  when: mails_of_old == 1 and runs_of_old >= 1\n  existing: include\nonce_per: account\nsteps:\n  - id: mailed\n    alert: csm\n    text: A mail\n    hours: any\n";
    files.insert("workflows/written.yaml".into(), written.into());
    let seen = "workflow: seen\ntitle: Seen\nstatus: live\nstart:\n  when: logins_of_old == 3\n  existing: include\nonce_per: account\nsteps:\n  - id: found\n    alert: csm\n    text: Three logins\n    hours: any\n";
    files.insert("workflows/seen.yaml".into(), seen.into());
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_anew_from_the_log_counts_once_whatever_is_cut_off() {
    let place = Place::new(ClockMode::Log);
    let clock = Clock::by_hand(noon());
    let mut store = place.open().await;
    let taken = activate(&store, &example(), noon()).await;
    assert!(taken.expect("the example is taken").is_new);
    // Pages of one fact and one account, so that a cut may lie between any two.
    let start = async |store: &Store| {
        let mut config = place.config(&[]);
        config.limits.wakes_max = 1;
        config.limits.batch_facts_max = 1;
        let started = Server::start(config, store.clone(), clock.clone(), Roles::ALL).await;
        started.expect("the server starts")
    };
    let server = start(&store).await;
    for account in 0..6 {
        tell(&server, &three_facts(&format!("a-{account}"), AT)).await;
        // Three and one that is told twice.
        for login in [0, 1, 2, 2] {
            let fact = format!(
                r#"{{"specversion":"1.0","id":"l-{account}-{login}","source":"test","type":"user.logged_in","subject":"a-{account}","time":"2026-01-1{}T01:00:00Z","data":{{"user":"u"}}}}"#,
                4 + login
            );
            tell(&server, &[fact]).await;
        }
    }
    quiet(&store).await;
    server.stop().await;
    let taken = activate(&store, &widened(), noon()).await;
    assert!(taken.expect("it is taken").is_new);
    let mut is_cut = false;
    for _ in 0..12 {
        let before = commits(&store).await;
        let server = start(&store).await;
        let some = async {
            while commits(&store).await == before && left(&store).await.unwrap_or(1) > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, some).await.expect("it goes on");
        server.abandon();
        store = place.open().await;
        clock.turn(TAKEOVER);
        let states = store.shard_states().await.expect("the store reads");
        is_cut |= states.iter().any(|state| state.backfill.is_some());
    }
    assert!(is_cut, "one cut lies inside of the back-fill");
    let server = start(&store).await;
    settle(&store).await;
    let tick = r#"{"specversion":"1.0","id":"t","source":"test","type":"sottaku.tick","time":"2026-03-01T00:00:00Z"}"#;
    tell(&server, &[tick.into()]).await;
    quiet(&store).await;
    server.stop().await;
    let (mut lines, mut expected) = (
        told(&store).await,
        simulated(&store, [&example(), &widened()]).await,
    );
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    let found = lines.iter().filter(|line| line.contains("\"found\""));
    assert_eq!(found.count(), 6);
    let mailed = lines.iter().filter(|line| line.contains("\"mailed\""));
    assert_eq!(mailed.count(), 6);
}

async fn commits(store: &Store) -> u64 {
    let states = store.shard_states().await.expect("the store reads");
    states.iter().map(|state| state.mark.commits).sum()
}

/// The example with a workflow that takes in contracts with so many days left.
fn with_nearing() -> Files {
    let mut files = example();
    let text = "workflow: nearing\ntitle: Nearing\nstatus: live\nfor_each: contract\nstart:\n  when: days_until(contract.renewal_date) in 110..120\n  existing: include\nonce_per: contract\nsteps:\n  - id: hello\n    alert: csm\n    text: Say hello\n    hours: any\n";
    files.insert("workflows/nearing.yaml".into(), text.into());
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_log_clock_a_plan_goes_by_the_stores_own_time() {
    let place = Place::new(ClockMode::Log);
    let store = place.open().await;
    let taken = activate(&store, &example(), noon()).await;
    assert!(taken.expect("the example is taken").is_new);
    let clock = Clock::by_hand(noon());
    let started = Server::start(place.config(&[]), store.clone(), clock, Roles::ALL).await;
    let server = started.expect("the server starts");
    tell(&server, &three_facts("acme", AT)).await;
    quiet(&store).await;
    server.stop().await;
    for wall in [
        "1999-01-01T00:00:00Z",
        "2026-01-13T03:00:00Z",
        "2030-01-01T00:00:00Z",
    ] {
        let wall = wall.parse().expect("an instant");
        let planned = crate::plan(&store, &with_nearing(), wall, Resting::Next, |_, _| {}).await;
        let plan = planned.expect("it can be worked out").plan;
        let nearing = plan.workflows.get("nearing").expect("it is new");
        assert_eq!((nearing.starts, nearing.messages), (1, 1), "{wall}");
    }
}

/// The example with a metric over what was not counted before, and a workflow for those who have none of it.
fn with_dozing() -> Files {
    let mut files = example();
    let metric = "metrics:\n  logins_of_old:\n    count: user.logged_in\n    where: event.user == \"u\"\n    over: 30d\n";
    files.insert("workflows/definitions/of-old.yaml".into(), metric.into());
    let dozing = "workflow: dozing\ntitle: Dozing\nstatus: live\nstart:\n  when: logins_of_old == 0\n  existing: include\nonce_per: account\nsteps:\n  - id: asleep\n    alert: csm\n    text: Nobody logs in\n    hours: any\n";
    files.insert("workflows/dozing.yaml".into(), dozing.into());
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_pruned_proves_no_absence_before_it_begins() {
    let place = Place::new(ClockMode::Live);
    let store = place.open().await;
    let clock = Clock::by_hand(noon());
    let start = async |log_days: Option<u32>| {
        let mut config = place.config(&[]);
        config.retention.log_days = log_days;
        let started = Server::start(config, store.clone(), clock.clone(), Roles::ALL).await;
        started.expect("the server starts")
    };
    let login = |day: i64, user: &str| {
        let day = SignedDuration::from_hours(24 * day);
        let at = noon().checked_add(day).expect("in range");
        format!(
            r#"{{"specversion":"1.0","id":"l-{user}","source":"test","type":"user.logged_in","subject":"acme","time":"{at}","data":{{"user":"{user}"}}}}"#
        )
    };
    let taken = activate(&store, &example(), noon()).await;
    assert!(taken.expect("the example is taken").is_new);
    let server = start(None).await;
    tell(&server, &three_facts("acme", AT)).await;
    for (day, user) in [(40, "u"), (60, "other")] {
        quiet(&store).await;
        let now = noon().checked_add(SignedDuration::from_hours(24 * day));
        clock.turn(now.expect("in range").duration_since(clock.now()));
        server.nudge();
        tell(&server, &[login(day, user)]).await;
    }
    quiet(&store).await;
    server.stop().await;
    // The one login that counts is 20 days old by now, and no longer in the log.
    let server = start(Some(8)).await;
    let removed = async {
        let shard = store.shard_of("acme");
        loop {
            let oldest = store.read_back(shard, 0, 1, usize::MAX).await;
            if oldest.expect("the log reads")[0].position > 4 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, removed).await.expect("it is removed");
    let taken = activate(&store, &with_dozing(), clock.now()).await;
    assert!(taken.expect("it is taken").is_new);
    settle(&store).await;
    server.nudge();
    quiet(&store).await;
    let has_begun = |lines: &[String]| lines.iter().any(|line| line.contains("\"dozing\""));
    assert!(!has_begun(&told(&store).await), "nobody knows that yet");
    clock.turn(SignedDuration::from_hours(24 * 31));
    server.nudge();
    let begun = async {
        while !has_begun(&told(&store).await) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, begun).await.expect("now it is known");
    server.stop().await;
}
