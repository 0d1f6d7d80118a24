//! The proof: what was answered, what the log holds, what was decided and what the mail server took must tell
//! the same. Nothing here reads the store but through the commands that users have.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use end_to_end::{Failure, Ran};
use serde::Deserialize;
use serde_json::Value;

use super::facts::World;
use super::heard::{self, Listed};
use super::load::Accounted;
use super::stage::Stage;

/// As many differences of one kind are shown.
const SHOWN_MAX: usize = 5;

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

/// Everything that contradicts the promise.
pub(super) async fn prove(
    stage: &Stage,
    world: &World,
    told: &Accounted,
) -> Result<Vec<String>, Failure> {
    let folder = stage.folder.path();
    let oracle = &stage.oracle;
    let log = folder.join("log.ndjson");
    oracle
        .done(&["log", "export", "--out", &log.display().to_string()])
        .await?;
    let text = std::fs::read_to_string(&log).map_err(Failure::io("reading the exported log"))?;
    let (mut violations, once) = log_holds(&text, world, told)?;
    let deduped = folder.join("once.ndjson");
    std::fs::write(&deduped, once).map_err(Failure::io("writing the log without repeats"))?;
    let (journal, whole, single) = tokio::join!(
        oracle.done(&["journal", "--output", "json"]),
        simulated(stage, &log),
        simulated(stage, &deduped),
    );
    let (journal, whole, single) = (journal?, whole?, single?);
    println!(
        "simulate over the log: {}",
        whole.err.lines().next().unwrap_or_default()
    );
    violations.extend(same("simulate over the log", &whole.out, &journal.out));
    violations.extend(same(
        "simulate over the log without repeats",
        &single.out,
        &journal.out,
    ));
    let mails = oracle.done(&["mail", "list", "--output", "json"]).await?;
    let (journal, mails) = (journal.json_lines()?, mails.json_lines()?);
    let mut listed: Vec<Listed> = mails.iter().map(Listed::read).collect();
    violations.extend(messages(stage, &journal, &mut listed)?);
    violations.extend(heard::judge(stage, &listed).await?);
    Ok(violations)
}

async fn simulated(stage: &Stage, log: &Path) -> Result<Ran, Failure> {
    let (workspace, log) = (&*stage.workspace, log.display().to_string());
    let ran = stage
        .oracle
        .run(&["simulate", workspace, "--events", &log, "--output", "json"])
        .await?;
    match ran.code {
        Some(0 | 1) => Ok(ran),
        _ => Err(Failure::Program {
            program: "sottaku simulate".to_owned(),
            said: ran.err,
        }),
    }
}

/// Every accepted fact stands in the log, each account's in the order they were told; and the log without repeats.
fn log_holds(
    text: &str,
    world: &World,
    told: &Accounted,
) -> Result<(Vec<String>, String), Failure> {
    let mut seen = BTreeSet::new();
    let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut once = String::with_capacity(text.len());
    let mut repeats = 0;
    for raw in text.lines() {
        let line: Line = serde_json::from_str(raw)
            .map_err(|error| super::broken("a line of the log", &error))?;
        if !seen.insert((line.subject.clone(), line.key())) {
            repeats += 1;
            continue;
        }
        once.push_str(raw);
        once.push('\n');
        let key = line.key();
        order.entry(line.subject).or_default().push(key);
    }
    let keys: BTreeSet<&str> = seen.iter().map(|(_, key)| key.as_str()).collect();
    let lost = told.accepted.iter().filter(|key| !keys.contains(&***key));
    let mut violations: Vec<String> = lost
        .map(|key| format!("{key} was accepted and is not in the log"))
        .collect();
    let lost = world
        .told_from_files()
        .filter(|told| !keys.contains(&*told.key));
    violations.extend(lost.map(|told| format!("{} was imported and is not in the log", told.key)));
    let accepted: BTreeSet<&Arc<str>> = told.accepted.iter().collect();
    for (account, keys) in world.by_account() {
        let is_told = |key: &Arc<str>| {
            accepted.contains(key)
                || !violations.is_empty()
                || order
                    .get(&*account)
                    .is_some_and(|found| found.contains(&key.to_string()))
        };
        let wanted: Vec<&str> = keys
            .iter()
            .filter(|key| is_told(key))
            .map(|key| &**key)
            .collect();
        let found: Vec<&str> = order
            .get(&*account)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
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
    println!(
        "log: {} facts and {repeats} repeats of them; {} answers of 2xx",
        seen.len(),
        told.accepted.len()
    );
    Ok((violations, once))
}

/// Line by line.
fn same(what: &str, expected: &str, journal: &str) -> Vec<String> {
    if expected == journal {
        println!(
            "{what}: {} records, line by line those of the journal",
            journal.lines().count()
        );
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

/// Every message that was decided has its fate, and the mail server has each once, but for the unknown. What went to a
/// mail server is no post.
fn messages(
    stage: &Stage,
    journal: &[Value],
    listed: &mut [Listed<'_>],
) -> Result<Vec<String>, Failure> {
    let mut violations = Vec::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for one in stage.sink.taken()? {
        let local = one.message_id.trim_start_matches('<');
        let local = local.split('@').next().unwrap_or_default().to_owned();
        *taken.entry(local).or_default() += 1;
    }
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    let mut mails = 0;
    for one in listed.iter_mut() {
        *states.entry(one.state).or_default() += 1;
        let times = taken.remove(one.id.trim_start_matches("m_")).unwrap_or(0);
        mails += times;
        one.is_post = one.is_post && times == 0;
        let is_right = match one.state {
            "sent" => times == usize::from(!one.is_call && !one.is_post),
            "unknown" => times <= 1 && !one.is_call,
            "refused" | "suppressed" | "expired" => times == 0,
            _ => false,
        };
        if !is_right {
            violations.push(format!(
                "{} is {} and stands {times} times at the mail server: {one:?}",
                one.id, one.state
            ));
        }
    }
    violations.extend(
        taken
            .keys()
            .map(|id| format!("{id} stands at the mail server and nobody decided it")),
    );
    let known: BTreeSet<&str> = listed.iter().map(|one| one.id).collect();
    let decided = journal.iter().map(|record| text(record, "message"));
    let decided: BTreeSet<&str> = decided.filter(|id| !id.is_empty()).collect();
    violations.extend(
        decided
            .difference(&known)
            .map(|id| format!("{id} was decided and has no fate")),
    );
    println!("messages {}: {states:?}, mails {mails}", listed.len());
    Ok(violations)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
