//! A new text takes effect though server and `apply` are killed on the way: what comes of it is what comes of the
//! same commands where nobody is killed, line by line.
//!
//! What it says when something is broken on purpose, each tried once:
//!
//! | broken | said |
//! |---|---|
//! | a page commits its records before its heads | the journals differ: one account's `greet` has a second `start` |
//! | under the log clock accounts are brought over at the wall clock's instant | the journals differ in the `at` of the first `end` |
//! | the first page says that the pass is over, so a takeover forgets the rest | after 60 s not between 1 and 133 accounts are left: nobody brings them over |

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use end_to_end::{Failure, Peek, wait};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::process::Child;

use crate::office::{Office, fact, product};
use crate::texts;

const ACCOUNTS: i64 = 400;
/// Every fourth is small, and half of all are told `trial`.
const SMALL: i64 = ACCOUNTS / 4;
/// So many others are told `trial` when the new text decides.
const LATER: i64 = ACCOUNTS / 40;
const NDJSON: &str = "application/x-ndjson";
const TIME_MAX: Duration = Duration::from_secs(60);
/// Pages of one account, so that a blow may lie between any two.
const SETTINGS: &str = "store: sottaku.db\nclock: log\nshards: 2\nlimits: {wakes_max: 1}\n";
const TICK: &str = r#"{"specversion":"1.0","id":"tick","source":"test","type":"sottaku.tick","time":"2026-03-01T00:00:00Z"}"#;

/// An office and the text that is to take effect in it.
struct Stage {
    office: Office,
    text: PathBuf,
    peek: Peek,
}

/// What users see when all is done.
#[derive(Debug, PartialEq)]
struct Seen {
    journal: Vec<String>,
    messages: Vec<String>,
}

impl Stage {
    /// Accounts that the text before decided, and the next text written beside it.
    async fn set() -> Result<Stage, Failure> {
        let folder = tempfile::tempdir().map_err(Failure::io("making a folder"))?;
        texts::write(folder.path(), texts::BEFORE)?;
        let office = Office::open(SETTINGS, folder.path(), &[]).await?;
        let text = office.folder.path().join("next");
        texts::write(&text, &texts::after())?;
        texts::save(&text, "greet", texts::GREET)?;
        let peek = Peek::open(&office.folder.path().join("sottaku.db")).await?;
        let stage = Stage { office, text, peek };
        stage
            .tell((0..ACCOUNTS).flat_map(account).collect())
            .await?;
        Ok(stage)
    }

    fn next(&self) -> String {
        self.text.display().to_string()
    }

    /// Tells these facts, again if the answer was cut off, and waits until they are decided.
    async fn tell(&self, facts: Vec<String>) -> Result<(), Failure> {
        let body = facts.join("\n");
        wait::until("facts are taken", TIME_MAX, async || {
            let told = self.office.client().tell(NDJSON, body.as_bytes()).await;
            told.ok().filter(|answer| answer.status == 202)
        })
        .await?;
        wait::until("they are decided", TIME_MAX, async || {
            let reached = self.peek.logs().await.ok()?;
            let is_decided = reached.iter().all(|shard| shard.position == shard.end);
            is_decided.then_some(())
        })
        .await
    }

    /// Begins to apply the next text.
    fn apply(&self) -> Result<Child, Failure> {
        let mut command = self
            .office
            .product
            .command(&["apply", &*self.next(), "--yes"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().map_err(Failure::io("starting apply"))
    }

    /// Waits until the pass is under way with at most so many accounts left.
    async fn is_midway(&self, most: i64) -> Result<(), Failure> {
        let what = format!("between 1 and {most} accounts are left");
        wait::until(&what, TIME_MAX, async || {
            let stale = self.peek.stale().await.ok()?;
            (1..=most).contains(&stale).then_some(())
        })
        .await
    }

    /// What is told when the next text has taken effect and time has passed.
    async fn see(self) -> Result<Seen, Failure> {
        wait::until("all are brought over", TIME_MAX, async || {
            (self.peek.stale().await.ok()? == 0).then_some(())
        })
        .await?;
        self.tell((0..ACCOUNTS).filter_map(later).collect()).await?;
        self.tell(vec![TICK.to_owned()]).await?;
        self.is_over().await?;
        let product = &self.office.product;
        let verified = product.done(&["journal", "--verify"]).await?;
        assert_eq!(verified.out.lines().count(), 2, "{}", verified.out);
        let journal = product.done(&["journal", "--output", "json"]).await?;
        let arguments = ["mail", "list", "--limit", "10000", "--output", "json"];
        let mails = product.done(&arguments).await?.json_lines()?;
        let mut messages: Vec<String> = mails
            .iter()
            .map(|mail| mail["message"].to_string())
            .collect();
        messages.sort();
        Ok(Seen {
            journal: journal.out.lines().map(str::to_owned).collect(),
            messages,
        })
    }

    /// Every account is decided by the one text, and nobody says that anything is under way.
    async fn is_over(&self) -> Result<(), Failure> {
        wait::until("progress has ended", TIME_MAX, async || {
            let health = self.office.client().get("/healthz").await.ok()?;
            (health.status == 200 && health.json()["notes"] == json!([])).then_some(())
        })
        .await?;
        let decided_by = self.peek.decided_by().await?;
        assert_eq!(decided_by, [(2, ACCOUNTS)]);
        let plan = self.office.product.done(&["plan", &self.next()]).await?;
        assert!(plan.out.contains("decides already"), "{}", plan.out);
        Ok(())
    }
}

/// An account: a champion and a plan.
fn account(n: i64) -> [String; 2] {
    let id = format!("a-{n:03}");
    let mika = json!({"contact": "p-1", "name": "Mika", "role": "champion", "email": format!("mika@{id}.example")});
    let name = if n % 4 == 0 { "Small" } else { "Acme" };
    let plan = if n % 8 < 4 { "trial" } else { "paid" };
    [
        fact(&id, "contact.updated", mika),
        fact(&id, "account.updated", json!({"name": name, "plan": plan})),
    ]
}

/// Every tenth changes its plan while the new text decides.
fn later(n: i64) -> Option<String> {
    let changed = fact(
        &format!("a-{n:03}"),
        "account.updated",
        json!({"plan": "trial"}),
    );
    let changed = changed.replace("account.updated\",\"source", "later\",\"source");
    (n % 10 == 0).then(|| changed.replace("01-13T10", "01-14T10"))
}

/// What `plan` says of the next text, in words and as JSON.
async fn plan_tells(stage: &Stage) -> Result<(), Failure> {
    let product = &stage.office.product;
    let plan = product.done(&["plan", &stage.next()]).await?.out;
    let (trials, leave) = (ACCOUNTS / 2, SMALL / 2);
    for words in [
        format!("course  1 step changed, 1 step added, {trials} runs open"),
        format!("changed  pause: wait 3d → 5d  ({trials} runs before it"),
        "added    call".to_owned(),
        format!("ends     {leave} runs: left"),
        "greet  new, live".to_owned(),
        format!("existing: include → {ACCOUNTS} runs"),
    ] {
        assert!(plan.contains(&words), "{words:?} is missing in\n{plan}");
    }
    let json = product
        .done(&["plan", &stage.next(), "--output", "json"])
        .await?;
    let json: serde_json::Value =
        serde_json::from_str(&json.out).map_err(|error| Failure::Unreadable {
            what: "the plan".to_owned(),
            reason: error.to_string(),
        })?;
    assert_eq!(json["is_same"], false);
    let workflows = &json["plan"]["workflows"];
    assert_eq!(workflows["greet"]["starts"], ACCOUNTS);
    assert_eq!(workflows["course"]["ends"]["left"], leave);
    assert_eq!(stage.peek.stale().await?, 0, "a plan changes nothing");
    Ok(())
}

/// The next text is applied, and whoever works at it is killed again and again.
async fn disturbed() -> Result<Seen, Failure> {
    let mut stage = Stage::set().await?;
    plan_tells(&stage).await?;
    // Before it did anything, and when it has shown the plan and is about to write.
    let mut apply = stage.apply()?;
    apply.kill().await.map_err(Failure::io("killing apply"))?;
    let mut apply = stage.apply()?;
    if let Some(out) = &mut apply.stdout {
        let told = out.read_u8().await;
        told.map_err(Failure::io("waiting for the plan"))?;
    }
    apply.kill().await.map_err(Failure::io("killing apply"))?;
    // While it follows the pass, together with the server; then the server alone; then both again.
    for (most, is_applied) in [
        (ACCOUNTS, true),
        (ACCOUNTS * 2 / 3, false),
        (ACCOUNTS / 3, true),
    ] {
        let apply = is_applied.then(|| stage.apply()).transpose()?;
        stage.is_midway(most).await?;
        stage.office.server.kill_and_restart().await?;
        if let Some(mut apply) = apply {
            apply.kill().await.map_err(Failure::io("killing apply"))?;
        }
        let left = stage.peek.stale().await?;
        assert!(left > 0, "the blow came too late to hit the pass");
        println!("struck with {left} of {ACCOUNTS} accounts left");
    }
    stage.office.server.answers().await?;
    let product = &stage.office.product;
    let again = product.done(&["apply", &stage.next(), "--yes"]).await?;
    assert!(again.out.contains("was applied already"), "{}", again.out);
    stage.see().await
}

/// The same commands, and nobody is killed.
async fn undisturbed() -> Result<Seen, Failure> {
    let stage = Stage::set().await?;
    let product = &stage.office.product;
    product.done(&["apply", &stage.next(), "--yes"]).await?;
    stage.see().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_text_takes_effect_once_whatever_is_killed() {
    let (seen, expected) = tokio::join!(disturbed(), undisturbed());
    let (seen, expected) = (seen.expect("it goes on"), expected.expect("it goes on"));
    for (line, other) in seen.journal.iter().zip(&expected.journal) {
        assert_eq!(line, other);
    }
    assert_eq!(seen, expected);
    let count = |words: [&str; 2]| {
        let lines = seen.journal.iter();
        let lines = lines.filter(|line| words.iter().all(|word| line.contains(word)));
        i64::try_from(lines.count()).unwrap_or(i64::MAX)
    };
    assert_eq!(count(["\"start\"", "\"greet\""]), ACCOUNTS);
    assert_eq!(count(["\"left\"", "\"course\""]), SMALL / 2);
    let later_too = ACCOUNTS / 2 + LATER;
    assert!(count(["\"start\"", "\"course\""]) >= later_too);
}

#[tokio::test]
async fn the_plan_asks_whether_a_step_was_renamed() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let product = product(folder.path());
    let written = |name: &str, course: &str| {
        let text = folder.path().join(name);
        texts::write(&text, course).expect("the workspace is written");
    };
    written("first", texts::BEFORE);
    let renamed = texts::BEFORE.replace("id: pause", "id: patience");
    written("renamed", &renamed);
    let moved = renamed.replace("once_per:", "moved: {pause: patience}\nonce_per:");
    written("moved", &moved);
    let applied = product.done(&["apply", "first", "--yes"]).await;
    applied.expect("it is applied");
    let tells = |text: &'static str| {
        let product = &product;
        async move {
            let told = product.done(&["plan", text]).await;
            told.expect("plan tells").out
        }
    };
    let asks = "did you mean `moved: {pause: patience}`?";
    let told = tells("renamed").await;
    for words in ["1 step added, 1 step removed", "removed  pause", asks] {
        assert!(told.contains(words), "{words:?} is missing in\n{told}");
    }
    let told = tells("moved").await;
    assert!(told.contains("1 step renamed"), "{told}");
    assert!(!told.contains("did you mean"), "{told}");
    let json = product.done(&["plan", "renamed", "--output", "json"]).await;
    let json = json.expect("plan tells").json_lines().expect("it is JSON");
    let steps = &json[0]["plan"]["workflows"]["course"]["steps"];
    assert_eq!(steps[0]["probably"], "patience", "{steps}");
}

#[tokio::test]
async fn why_looks_back_by_the_text_that_decided_then() {
    let stage = Stage::set().await.expect("the office opens");
    let product = &stage.office.product;
    // The account's own time is a day later when the next text takes effect.
    let told = stage.tell(later(10).into_iter().collect()).await;
    told.expect("the fact is decided");
    let applied = product.done(&["apply", &stage.next(), "--yes"]).await;
    applied.expect("it is applied");
    let why = async |at: &str| {
        let told = product.done(&["why", "course", "a-010", "--at", at]).await;
        told.expect("why tells").out
    };
    // By the first text the letter goes three days after the 13th, by the second five.
    let then = why("2026-01-13T20:00:00Z").await;
    assert!(then.contains("It rests at `pause`"), "{then}");
    assert!(then.contains("until 2026-01-16T"), "{then}");
    assert!(!then.contains("account.name"), "{then}");
    let since = why("2026-01-17T10:00:00Z").await;
    assert!(since.contains("until 2026-01-18T"), "{since}");
    assert!(since.contains("account.name != \"Small\""), "{since}");
}
