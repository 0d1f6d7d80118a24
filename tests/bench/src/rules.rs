//! Rules per fact with few and with many workflows loaded, beside closures written by hand; and how long it takes to
//! check and compile a thousand workflows.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, bail};
use engine::Account;
use engine::simulate::Simulation;
use jiff::{Timestamp, ToSpan};
use model::{Fact, Logged};
use serde_json::json;
use workflow::{Files, Severity};

use crate::cpu::{Meter, resident};
use crate::told::Turns;

const WORKFLOWS: [usize; 4] = [1, 10, 100, 1_000];
const ACCOUNTS: usize = 50;
const FACTS: usize = 4_000;
/// So many accounts are held to see what one takes.
const HELD: usize = 500;

/// What accounts, contracts and events of the bench's own workspaces have.
pub(crate) const SCHEMA: &str = "entities:
  account: {name: required text, plan: free | paid, arr: money, seats: number}
  contact: {name: text, email: email, role: champion | admin}
  contract: {status: active | cancelled, renewal_date: date}
  csm: {name: text}
events:
  user.logged_in: {user: required text}
  ticket.opened: {severity: low | high}
";
pub(crate) const METRICS: &str = "complete_since: {all: 2020-01-01}
metrics:
  logins_7d: {count: user.logged_in, over: 7d}
  logins_28d: {count: user.logged_in, over: 28d}
  tickets_30d: {count: ticket.opened, over: 30d}
";
pub(crate) const POLICIES: &str =
    "calendar: {timezone: Asia/Tokyo, business_days: Mon-Fri, sending_hours: 09:00-18:00}
defaults: {locale: en, currency: JPY}
routes: {desk: {channel: \"#desk\"}}
";

/// The condition of workflow number `n`: three to five terms, some on fields, some on windows.
fn condition(n: usize) -> String {
    let (few, many) = (3 + n % 40, 20 + n % 200);
    match n % 4 {
        0 => format!("account.plan == paid and account.arr >= {n}000 and logins_7d >= {few}"),
        1 => format!(
            "account.plan == paid and account.seats > {few} and logins_7d < {few} and tickets_30d == 0"
        ),
        2 => format!(
            "tickets_30d >= {few} and account.arr > {n}000 and logins_28d >= {many} and account.plan != free"
        ),
        _ => format!(
            "account.plan == free and account.seats >= {few} and (logins_28d > {many} or tickets_30d > {few})"
        ),
    }
}

/// A workspace of so many workflows.
pub(crate) fn workspace(workflows: usize) -> Files {
    let mut files = Files::new();
    files.insert("workflows/definitions/schema.yaml".into(), SCHEMA.into());
    files.insert("workflows/definitions/metrics.yaml".into(), METRICS.into());
    files.insert(
        "workflows/definitions/policies.yaml".into(),
        POLICIES.into(),
    );
    for n in 0..workflows {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let written = write!(
            text,
            "workflow: rule-{n}\nstatus: live\nstart:\n  when: {}\n  existing: skip\nonce_per: account\nsteps:\n  - id: tell\n    alert: desk\n    text: Look\n",
            condition(n)
        );
        debug_assert!(written.is_ok());
        files.insert(format!("workflows/rule-{n}.yaml").into(), text.into());
    }
    files
}

/// An account's facts over a year: one that introduces it, then nine logins for each ticket.
fn facts() -> Vec<Logged> {
    let start: Timestamp = "2026-01-05T01:00:00Z"
        .parse()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let year = 365 * 24 * 60;
    let one = |n: usize| {
        let minutes = i64::try_from(n * year / FACTS).unwrap_or(0);
        let at = start.checked_add(minutes.minutes()).unwrap_or(start);
        let account = n % ACCOUNTS;
        let (kind, data) = match n / ACCOUNTS {
            0 => (
                "account.updated",
                json!({"name": "Acme", "plan": plan(account), "arr": account * 20_000, "seats": account}),
            ),
            turn if turn % 10 == 0 => ("ticket.opened", json!({"severity": "low"})),
            turn => ("user.logged_in", json!({"user": format!("u{}", turn % 25)})),
        };
        let fact = json!({
            "specversion": "1.0", "id": format!("e-{n}"), "source": "bench", "type": kind,
            "subject": format!("a-{account}"), "time": at.to_string(), "data": data,
        });
        let fact: Fact = serde_json::from_value(fact)?;
        Ok::<Logged, serde_json::Error>(Logged {
            position: n as u64 + 1,
            arrived_at: at,
            fact,
        })
    };
    (0..FACTS).filter_map(|n| one(n).ok()).collect()
}

fn plan(account: usize) -> &'static str {
    if account.is_multiple_of(3) {
        "free"
    } else {
        "paid"
    }
}

/// What a program written by hand would keep of an account.
#[derive(Default)]
struct ByHand {
    is_paid: bool,
    arr: i64,
    seats: i64,
    logins: VecDeque<i64>,
    tickets: VecDeque<i64>,
}

impl ByHand {
    fn within(days: &VecDeque<i64>, today: i64, over: i64) -> i64 {
        let inside = days.iter().rev().take_while(|day| **day > today - over);
        i64::try_from(inside.count()).unwrap_or(i64::MAX)
    }
}

/// The counts that a fact may change.
struct Counts {
    logins_7d: i64,
    logins_28d: i64,
    tickets_30d: i64,
}

type Rule = Box<dyn Fn(&ByHand, &Counts) -> bool>;

/// The same conditions as closures.
fn closures(workflows: usize) -> Vec<Rule> {
    let rule = |n: usize| -> Rule {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (few, many, arr) = (whole(3 + n % 40), whole(20 + n % 200), whole(n * 1_000));
        match n % 4 {
            0 => Box::new(move |a, c| a.is_paid && a.arr >= arr && c.logins_7d >= few),
            1 => Box::new(move |a, c| {
                a.is_paid && a.seats > few && c.logins_7d < few && c.tickets_30d == 0
            }),
            2 => Box::new(move |a, c| {
                c.tickets_30d >= few && a.arr > arr && c.logins_28d >= many && a.is_paid
            }),
            _ => Box::new(move |a, c| {
                !a.is_paid && a.seats >= few && (c.logins_28d > many || c.tickets_30d > few)
            }),
        }
    };
    (0..workflows).map(rule).collect()
}

/// Runs the facts through the closures with a memory for each; gives how often one rose.
fn by_hand(facts: &[Logged], rules: &[Rule]) -> usize {
    let mut accounts: Vec<(ByHand, Vec<bool>)> = (0..ACCOUNTS)
        .map(|_| (ByHand::default(), vec![false; rules.len()]))
        .collect();
    let mut rises = 0;
    for (n, logged) in facts.iter().enumerate() {
        let number = n % ACCOUNTS;
        let Some((account, memory)) = accounts.get_mut(number) else {
            continue;
        };
        let today = logged.arrived_at.as_second().div_euclid(86_400);
        match &*logged.fact.kind {
            "account.updated" => {
                account.is_paid = plan(number) == "paid";
                account.arr = i64::try_from(number * 20_000).unwrap_or(0);
                account.seats = i64::try_from(number).unwrap_or(0);
            }
            "ticket.opened" => account.tickets.push_back(today),
            _ => account.logins.push_back(today),
        }
        let counts = Counts {
            logins_7d: ByHand::within(&account.logins, today, 7),
            logins_28d: ByHand::within(&account.logins, today, 28),
            tickets_30d: ByHand::within(&account.tickets, today, 30),
        };
        for (rule, was) in rules.iter().zip(memory) {
            let is = rule(account, &counts);
            rises += usize::from(is && !*was);
            *was = is;
        }
    }
    rises
}

pub(crate) fn measure(rounds: usize) -> anyhow::Result<()> {
    let facts = facts();
    for workflows in WORKFLOWS {
        let files = workspace(workflows);
        let began = Instant::now();
        let checked = workflow::check(&files);
        let compiled = began.elapsed();
        let wrong = checked.diagnostics.iter();
        let mut wrong = wrong.filter(|found| found.severity == Severity::Error);
        if let Some(found) = wrong.next() {
            bail!("the bench's own workspace is wrong: {found:?}");
        }
        let program = checked.program.context("a checked program")?;
        let rules = closures(workflows);
        let mut turns = Turns::default();
        for _ in 0..rounds {
            let meter = Meter::start();
            let mut simulation = Simulation::new(&program);
            for logged in &facts {
                simulation.push(logged);
            }
            black_box(simulation.finish(None));
            turns.ours(meter.stop());
            let meter = Meter::start();
            // Often enough to be measured at all.
            for _ in 0..100 {
                black_box(by_hand(&facts, &rules));
            }
            turns.floor(meter.stop().hundredth());
        }
        println!(
            "decide with {workflows} workflows (checked and compiled in {:.0} ms)",
            compiled.as_secs_f64() * 1_000.0
        );
        turns.print(("decide", "closures by hand, all of them"), facts.len());
        let mut simulation = Simulation::new(&program);
        for logged in &facts {
            simulation.push(logged);
        }
        let accounts: Vec<Account> = simulation.accounts().cloned().collect();
        print_held(&accounts)?;
    }
    Ok(())
}

/// What an account takes in memory, as a worker holds it, and in the store.
fn print_held(accounts: &[Account]) -> anyhow::Result<()> {
    let before = resident();
    let (mut held, mut stored, mut thought) = (Vec::with_capacity(HELD), 0, 0);
    for account in accounts.iter().cycle().take(HELD) {
        let head = account.encode_head();
        stored += head.len();
        let mut read = Account::decode(account.id.clone(), Some(&head), Vec::new())?;
        read.parts = account.parts.clone();
        thought += read.weight();
        held.push(read);
    }
    let taken = (resident() - before) * 1_024.0 * 1_024.0;
    #[expect(clippy::cast_precision_loss, reason = "they are few")]
    let each = [taken, thought as f64, stored as f64].map(|all| all / HELD as f64);
    let [taken, thought, stored] = each.map(f64::round);
    println!(
        "  an account takes {taken} bytes in memory (thought: {thought}), its head {stored} in the store"
    );
    drop(black_box(held));
    Ok(())
}
