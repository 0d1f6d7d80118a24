//! The proof: what was answered, what the log holds, what was decided and what the mail server took must tell
//! the same. Nothing here reads the store but through the commands that users have.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::load::Accounted;
use crate::world::World;
use crate::{Failure, Product, Ran, Taken, broken};

/// As many differences of one kind are shown.
const SHOWN_MAX: usize = 5;

/// What the proof stands on.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The binary that says what is right.
    pub oracle: &'a Product,
    /// The folder of the workspace that decided.
    pub workspace: &'a str,
    /// What the mail server took.
    pub taken: Vec<Taken>,
}

/// What the proof came to.
#[derive(Debug, Default, Serialize)]
pub struct Found {
    /// Everything that contradicts the promise.
    pub violations: Vec<String>,
    /// Facts in the log, each once.
    pub facts: usize,
    /// How often one of them stands there again.
    pub repeats: usize,
    /// Answers of 2xx.
    pub accepted: usize,
    /// Records of the journal, line by line those of `simulate`.
    pub records: usize,
    /// Messages by their state.
    pub messages: BTreeMap<String, usize>,
    /// Mails that the mail server took.
    pub mails: usize,
    /// The messages, as `mail list` has them.
    #[serde(skip)]
    pub listed: Vec<Value>,
    /// Those that stand at the mail server.
    #[serde(skip)]
    pub mailed: BTreeSet<String>,
}

/// One message, as `mail list` has it.
#[derive(Debug)]
pub struct Listed<'v> {
    /// Its id.
    pub id: &'v str,
    /// What became of it.
    pub state: &'v str,
    /// Whose it is.
    pub account: &'v str,
    /// What it says.
    pub says: &'v str,
    /// How often it was tried.
    pub attempts: u64,
    /// Whether it is a call of a webhook.
    pub is_call: bool,
    /// Whether it goes by a route, and did not go by mail.
    pub is_post: bool,
}

impl<'v> Listed<'v> {
    /// One line of `mail list`; `mailed` are the messages that stand at the mail server.
    pub fn read(mail: &'v Value, mailed: &BTreeSet<String>) -> Listed<'v> {
        let text = |name: &str| mail[name].as_str().unwrap_or_default();
        let id = text("message");
        Listed {
            id,
            state: text("state"),
            account: text("account"),
            says: text("says"),
            attempts: mail["attempts"].as_u64().unwrap_or(0),
            is_call: text("to").starts_with("webhook "),
            is_post: text("to").starts_with("route ") && !mailed.contains(id),
        }
    }
}

/// What the proof needs of a line of the log.
#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    source: String,
    #[serde(default)]
    subject: String,
}

impl Line {
    fn key(&self) -> String {
        format!("{}|{}", self.source, self.id)
    }
}

/// Holds what there is against what was told; in the product's folder.
///
/// # Errors
/// When a command fails.
pub async fn prove(
    evidence: &Evidence<'_>,
    world: &World,
    told: &Accounted,
) -> Result<Found, Failure> {
    let oracle = evidence.oracle;
    let log = oracle.folder().join("log.ndjson");
    let once = oracle.folder().join("once.ndjson");
    let export = ["log", "export", "--out", &*log.display().to_string()];
    oracle.done(&export).await?;
    let mut found = Found {
        accepted: told.accepted.len(),
        ..Found::default()
    };
    let order = read_log(&log, &once, &mut found)?;
    found.violations.extend(log_holds(&order, world, told));
    drop(order);
    let (journal, whole, single) = tokio::join!(
        oracle.done(&["journal", "--output", "json"]),
        simulated(evidence, &log),
        simulated(evidence, &once),
    );
    let (journal, whole, single) = (journal?.out, whole?.out, single?.out);
    found.records = journal.lines().count();
    let over_all = same("simulate over the log", &whole, &journal);
    found.violations.extend(over_all);
    drop(whole);
    let over_each = same("simulate over the log without repeats", &single, &journal);
    found.violations.extend(over_each);
    drop(single);
    let mails = oracle.done(&["mail", "list", "--output", "json"]).await?;
    found.listed = mails.json_lines()?;
    messages(evidence, &journal, &mut found)?;
    Ok(found)
}

async fn simulated(evidence: &Evidence<'_>, log: &Path) -> Result<Ran, Failure> {
    let (workspace, log) = (evidence.workspace, log.display().to_string());
    let arguments = ["simulate", workspace, "--events", &log, "--output", "json"];
    let ran = evidence.oracle.run(&arguments).await?;
    match ran.code {
        Some(0 | 1) => Ok(ran),
        _ => Err(Failure::Program {
            program: "sottaku simulate".to_owned(),
            said: ran.err,
        }),
    }
}

/// The keys of each subject's facts, in the order of the log.
type Order = BTreeMap<String, Vec<String>>;

/// Reads the log, and writes it once more without its repeats.
fn read_log(log: &Path, once: &Path, found: &mut Found) -> Result<Order, Failure> {
    let reading = || Failure::io("reading the exported log");
    let writing = || Failure::io("writing the log without repeats");
    let lines = BufReader::new(File::open(log).map_err(reading())?).lines();
    let mut out = BufWriter::new(File::create(once).map_err(writing())?);
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut order = Order::new();
    for raw in lines {
        let raw = raw.map_err(reading())?;
        let line: Line =
            serde_json::from_str(&raw).map_err(|error| broken("a line of the log", &error))?;
        let key = line.key();
        let known = seen.entry(line.subject.clone()).or_default();
        if !known.insert(key.clone()) {
            found.repeats += 1;
            continue;
        }
        found.facts += 1;
        writeln!(out, "{raw}").map_err(writing())?;
        order.entry(line.subject).or_default().push(key);
    }
    out.flush().map_err(writing())?;
    Ok(order)
}

/// Every accepted fact stands in the log, each account's in the order they were told.
fn log_holds(order: &Order, world: &World, told: &Accounted) -> Vec<String> {
    let keys: BTreeSet<&str> = order.values().flatten().map(String::as_str).collect();
    let lost = told.accepted.iter().filter(|key| !keys.contains(&***key));
    let mut violations: Vec<String> = lost
        .map(|key| format!("{key} was accepted and is not in the log"))
        .collect();
    let lost = world
        .told_from_files()
        .filter(|told| !keys.contains(&*told.key));
    violations.extend(lost.map(|told| format!("{} was imported and is not in the log", told.key)));
    let is_all_there = violations.is_empty();
    let accepted: BTreeSet<&Arc<str>> = told.accepted.iter().collect();
    for (account, keys) in world.by_account() {
        let is_told = |key: &&Arc<str>| {
            accepted.contains(key) || !is_all_there || keys_of(order, &account).contains(&&***key)
        };
        let wanted: Vec<&str> = keys.iter().filter(is_told).map(|key| &**key).collect();
        let found = keys_of(order, &account);
        if wanted != found {
            let same = wanted.iter().zip(&found).take_while(|(a, b)| a == b);
            let from = same.count();
            violations.push(format!(
                "the facts of {account} stand in another order than they were told: after {from} comes {:?}, not {:?}",
                found.get(from),
                wanted.get(from)
            ));
        }
    }
    violations
}

fn keys_of<'o>(order: &'o Order, account: &str) -> Vec<&'o str> {
    let keys = order.get(account).into_iter().flatten();
    keys.map(String::as_str).collect()
}

/// Line by line.
fn same(what: &str, expected: &str, journal: &str) -> Vec<String> {
    if expected == journal {
        return Vec::new();
    }
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for line in expected.lines() {
        *counts.entry(line).or_default() += 1;
    }
    for line in journal.lines() {
        *counts.entry(line).or_default() -= 1;
    }
    let mut differences: Vec<String> = Vec::new();
    for (line, count) in counts {
        match count {
            0 => {}
            1.. => differences.push(format!("{what}: the journal lacks {count} times {line}")),
            _ => differences.push(format!(
                "{what}: the journal has {} times too often {line}",
                -count
            )),
        }
    }
    let number = differences.len();
    differences.sort();
    differences.truncate(SHOWN_MAX);
    differences.push(format!(
        "{what}: {number} lines differ of {} and {}",
        expected.lines().count(),
        journal.lines().count()
    ));
    differences
}

/// What a record of the journal says of a message.
#[derive(Debug, Deserialize)]
struct Decided {
    #[serde(default)]
    message: String,
}

/// Every message that was decided has its fate, and the mail server has each once, but for the unknown. What went to a
/// mail server is no post.
fn messages(evidence: &Evidence<'_>, journal: &str, found: &mut Found) -> Result<(), Failure> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for one in &evidence.taken {
        let local = one.message_id.trim_start_matches('<');
        let local = local.split('@').next().unwrap_or_default();
        *taken.entry(format!("m_{local}")).or_default() += 1;
    }
    found.mailed = taken.keys().cloned().collect();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for mail in &found.listed {
        let one = Listed::read(mail, &found.mailed);
        known.insert(one.id);
        *found.messages.entry(one.state.to_owned()).or_default() += 1;
        let times = taken.remove(one.id).unwrap_or(0);
        found.mails += times;
        let is_right = match one.state {
            "sent" => times == usize::from(!one.is_call && !one.is_post),
            "unknown" => times <= 1 && !one.is_call,
            "refused" | "suppressed" | "expired" => times == 0,
            _ => false,
        };
        if !is_right {
            found.violations.push(format!(
                "{} is {} and stands {times} times at the mail server: {one:?}",
                one.id, one.state
            ));
        }
    }
    let stray = taken
        .keys()
        .map(|id| format!("{id} stands at the mail server and nobody decided it"));
    found.violations.extend(stray);
    for line in journal.lines() {
        let record: Decided =
            serde_json::from_str(line).map_err(|error| broken("a record", &error))?;
        if !record.message.is_empty() && !known.contains(record.message.as_str()) {
            let what = format!("{} was decided and has no fate", record.message);
            found.violations.push(what);
        }
    }
    Ok(())
}
