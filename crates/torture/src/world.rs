//! What is told: generated customers, with tickets and approvals added, cut to the number that is wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::{Dice, Failure};

/// Of ten accounts so many are told over HTTP, the others from files.
const OVER_HTTP: usize = 7;

/// What stands before an account's id in its name, so that whatever says the name tells whose it is.
pub const MARK: &str = "[account ";

/// One fact, as a line of JSON.
#[derive(Debug, Clone)]
pub struct Told {
    /// As it is told.
    pub line: Arc<str>,
    /// Whose it is.
    pub account: Arc<str>,
    /// Source and id.
    pub key: Arc<str>,
    /// Told once more, on purpose.
    pub is_twice: bool,
    time: Arc<str>,
    is_over_http: bool,
}

/// All facts, in order of their time.
#[derive(Debug, Clone)]
pub struct World {
    /// How many accounts there are.
    pub accounts: usize,
    /// The CSMs, who are told before all others.
    pub csms: Vec<Told>,
    all: Vec<Told>,
}

/// How many logins of each account the sample must have to come to so many facts: besides logins each has some sixteen,
/// and churned accounts log in no more; what is too many is cut off at the end.
pub fn logins(facts: usize, accounts: usize) -> usize {
    facts / accounts.max(1) * 3 / 2
}

impl World {
    /// The first `facts` of a sample's lines, and of what is added to them.
    ///
    /// # Errors
    /// When the sample holds too few, or what is no fact.
    pub fn of(
        sample: impl Iterator<Item = impl AsRef<str>>,
        (accounts, facts): (usize, usize),
        dice: &mut Dice,
    ) -> Result<World, Failure> {
        let mut all = Vec::new();
        for line in sample {
            all.push(told(line.as_ref(), dice)?);
        }
        let added = added(&all, dice)?;
        all.extend(added);
        let (csms, mut all): (Vec<Told>, Vec<Told>) =
            all.into_iter().partition(|told| told.key.contains("|csm-"));
        all.sort_by(|a, b| a.time.cmp(&b.time));
        if all.len() + csms.len() < facts {
            return Err(crate::broken(
                "the sample",
                &format!("has only {} facts", all.len()),
            ));
        }
        all.truncate(facts.saturating_sub(csms.len()));
        let mut keys = BTreeSet::new();
        if let Some(twice) = all.iter().find(|told| !keys.insert(&told.key)) {
            let reason = format!("two facts are named {}", twice.key);
            return Err(crate::broken("the sample", &reason));
        }
        Ok(World {
            accounts,
            csms,
            all,
        })
    }

    /// How many facts there are.
    pub fn count(&self) -> usize {
        self.all.len() + self.csms.len()
    }

    /// How many of them are told over HTTP.
    pub fn over_http(&self) -> usize {
        self.told_over_http().count()
    }

    /// How many of them are told from files.
    pub fn in_files(&self) -> usize {
        self.told_from_files().count()
    }

    /// What is told over HTTP, in order.
    pub fn told_over_http(&self) -> impl Iterator<Item = &Told> {
        self.all.iter().filter(|told| told.is_over_http)
    }

    /// What is told from files, in order.
    pub fn told_from_files(&self) -> impl Iterator<Item = &Told> {
        self.all.iter().filter(|told| !told.is_over_http)
    }

    /// The keys of each account's facts, in the order in which they are told.
    pub fn by_account(&self) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
        let mut by_account: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
        for told in &self.all {
            by_account
                .entry(told.account.clone())
                .or_default()
                .push(told.key.clone());
        }
        by_account
    }
}

fn told(line: &str, dice: &mut Dice) -> Result<Told, Failure> {
    let mut fact: Value =
        serde_json::from_str(line).map_err(|error| crate::broken("a fact", &error))?;
    mark(&mut fact);
    let text = |name: &str| fact[name].as_str().unwrap_or_default().to_owned();
    let account = text("subject");
    let number = account
        .trim_start_matches("a-")
        .parse::<usize>()
        .unwrap_or(0);
    let kind = text("type");
    Ok(Told {
        line: fact.to_string().into(),
        key: format!("{}|{}", text("source"), text("id")).into(),
        account: account.into(),
        time: text("time").into(),
        is_twice: kind == "ticket.opened" || dice.in_thousand(30),
        is_over_http: number % 10 < OVER_HTTP,
    })
}

/// Many accounts of the sample share a name: each gets its id into it.
fn mark(fact: &mut Value) {
    if fact["type"] != "account.updated" {
        return;
    }
    let id = fact["subject"].as_str().unwrap_or_default().to_owned();
    if let Some(name) = fact["data"].get_mut("name") {
        let plain = name.as_str().unwrap_or_default();
        *name = format!("{plain} {MARK}{id}]").into();
    }
}

/// For some terms of a contract two urgent tickets, which a third would turn into a risk: a fact that counts twice
/// is seen. And approvals, some in time, some too early.
fn added(sample: &[Told], dice: &mut Dice) -> Result<Vec<Told>, Failure> {
    let mut added = Vec::new();
    for told_before in sample {
        let is_contract = told_before.line.contains("\"contract.updated\"")
            && told_before.line.contains("start_date");
        if !is_contract {
            continue;
        }
        let account = &told_before.account;
        let fact_before: Value = serde_json::from_str(&told_before.line).unwrap_or_default();
        let renewal = fact_before["data"]["renewal_date"]
            .as_str()
            .unwrap_or_default();
        if dice.below(3) == 0 {
            let month = 2 + dice.below(10);
            for (n, day) in [(1, 3 + dice.below(5)), (2, 12 + dice.below(5))] {
                let time = format!("2026-{month:02}-{day:02}T03:{:02}:00Z", dice.below(60));
                let data = json!({"ticket": format!("t-{n}"), "severity": "high"});
                let fact = fact(
                    account,
                    &format!("{renewal}-ticket-{n}"),
                    "ticket.opened",
                    (&time, data),
                );
                added.push(told(&fact, dice)?);
            }
        }
        if let Some(day) = days_before(renewal, 94).filter(|day| day.starts_with("2026-")) {
            let time = format!("{day}T03:{:02}:00Z", dice.below(60));
            let data = json!({"workflow": "renewal", "subject": "k-1", "step": "sponsor"});
            let id = format!("{renewal}-approval");
            let fact = fact(account, &id, "task.approved", (&time, data));
            added.push(told(&fact, dice)?);
        }
    }
    Ok(added)
}

fn fact(account: &str, id: &str, kind: &str, (time, data): (&str, Value)) -> String {
    json!({
        "specversion": "1.0", "id": format!("{account}-{id}"), "source": "test", "type": kind,
        "subject": account, "time": time, "data": data,
    })
    .to_string()
}

/// The day `days` before a date, by counting: months are few and this needs no calendar of its own.
fn days_before(date: &str, days: u32) -> Option<String> {
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<u32>().ok());
    let (mut year, mut month, mut day) = (parts.next()??, parts.next()??, parts.next()??);
    for _ in 0..days {
        if day > 1 {
            day -= 1;
            continue;
        }
        (year, month) = if month == 1 {
            (year - 1, 12)
        } else {
            (year, month - 1)
        };
        day = match month {
            2 if year.is_multiple_of(4) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
    }
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

#[test]
fn a_day_before_is_counted_over_months_and_years() {
    assert_eq!(days_before("2026-05-10", 94).as_deref(), Some("2026-02-05"));
    assert_eq!(days_before("2027-01-01", 1).as_deref(), Some("2026-12-31"));
    assert_eq!(days_before("2028-03-01", 1).as_deref(), Some("2028-02-29"));
    assert_eq!(days_before("soon", 1), None);
}
