//! The facts of the bench, and the shipped workspace that decides them.

use std::path::Path;

use anyhow::{Context, bail};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use workflow::{Files, Program};

/// As many accounts as in the test of exactly once.
pub(crate) const ACCOUNTS: usize = 2_000;

/// One fact.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) account: String,
    pub(crate) json: String,
}

/// Three facts that introduce each account, then logins over a year.
pub(crate) fn generate(count: usize) -> Vec<Line> {
    generate_of(count, ACCOUNTS)
}

/// The same of so many accounts.
pub(crate) fn generate_of(count: usize, accounts: usize) -> Vec<Line> {
    let start: Timestamp = "2026-01-05T01:00:00Z"
        .parse()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let year = 365 * 24 * 60;
    (0..count)
        .map(|n| {
            let (number, turn) = (n % accounts, n / accounts);
            let minutes = i64::try_from(n * year / count.max(1)).unwrap_or(0);
            let at = start.checked_add(minutes.minutes()).unwrap_or(start);
            let (kind, data) = fact(number, turn);
            let account = format!("a-{number:05}");
            let json = json!({
                "specversion": "1.0", "id": format!("e-{n}"), "source": "bench", "type": kind,
                "subject": account, "time": at.to_string(), "data": data,
            });
            Line {
                account,
                json: json.to_string(),
            }
        })
        .collect()
}

fn fact(number: usize, turn: usize) -> (&'static str, Value) {
    let month = 1 + number % 12;
    match turn {
        0 => (
            "account.updated",
            json!({"name": "アクメ", "timezone": "Asia/Tokyo", "csm": "c1", "customer_since": "2025-05-11", "arr": 3_000_000}),
        ),
        1 => (
            "contact.updated",
            json!({"contact": "p-1", "name": "田中", "role": "champion", "email": format!("tanaka@a-{number}.example"), "locale": "ja"}),
        ),
        2 => (
            "contract.updated",
            json!({
                "contract": "k-1", "status": "active", "start_date": format!("2025-{month:02}-10"), "seats": 20,
                "renewal_date": format!("2026-{month:02}-10"), "renewal_status": "open",
            }),
        ),
        _ => (
            "user.logged_in",
            json!({"user": format!("u{}", turn * 7 % 25)}),
        ),
    }
}

/// The shipped workspace, checked.
pub(crate) fn program() -> anyhow::Result<Program> {
    let checked = workflow::check(&files()?);
    checked
        .program
        .context("the shipped workspace has mistakes")
}

/// Its texts.
pub(crate) fn files() -> anyhow::Result<Files> {
    files_of("", &["workflows", "templates"])
}

/// The texts of a workspace in this repository.
pub(crate) fn files_of(workspace: &str, folders: &[&str]) -> anyhow::Result<Files> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(workspace);
    let mut files = Files::new();
    let mut folders: Vec<_> = folders.iter().map(|name| top.join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&top)?.to_string_lossy().into_owned();
            let is_read = [".yaml", ".hbs"]
                .iter()
                .any(|ending| inside.ends_with(ending));
            if is_read {
                files.insert(inside.into(), std::fs::read_to_string(&path)?.into());
            }
        }
    }
    if files.is_empty() {
        bail!("there is no workspace at {}", top.display());
    }
    Ok(files)
}
