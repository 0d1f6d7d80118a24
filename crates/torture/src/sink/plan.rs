//! Where the sink misbehaves: a list of rules, as a value or as a file of JSON.
//!
//! ```json
//! {"rules": [
//!   {"at": "greeting", "act": "cut", "times": 1},
//!   {"at": "rcpt", "act": {"reply": "450 4.2.0 later"}, "to": "mika@acme.example"},
//!   {"at": "dot", "act": "cut", "keeps": true, "every": 50}
//! ]}
//! ```

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Failure;

/// The rules; the first that applies is followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// In the order in which they are asked.
    pub rules: Vec<Rule>,
}

/// One misbehaviour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// When in the session.
    pub at: Phase,
    /// What the sink does there instead of the usual.
    pub act: Act,
    /// Only for messages with this recipient (from RCPT on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Only the first so many times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Only each n-th time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// At the dot: whether the message was taken (and written down) although the client is not told.
    #[serde(default)]
    pub keeps: bool,
}

/// A moment of the session, named by what the client did last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The connection is open, and not a byte was written.
    Connect,
    /// The greeting is due.
    Greeting,
    /// EHLO or HELO was said.
    Ehlo,
    /// STARTTLS was said.
    StartTls,
    /// MAIL was said.
    Mail,
    /// RCPT was said.
    Rcpt,
    /// DATA was said.
    Data,
    /// The first line of the message came, and not the last.
    Body,
    /// The final dot came.
    Dot,
}

/// What the sink does instead of the usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Closes the connection without a reply.
    Cut,
    /// Writes the first half of the usual reply, and closes.
    HalfReply,
    /// Says nothing more, and waits until the client goes.
    Silence,
    /// Waits so many milliseconds, then does the usual.
    SlowMs(u64),
    /// Replies this line instead, and does nothing else. `421` also closes.
    Reply(String),
}

impl Rule {
    /// Does `act` at `at`, each time.
    pub fn new(at: Phase, act: Act) -> Rule {
        Rule {
            at,
            act,
            to: None,
            times: None,
            every: None,
            keeps: false,
        }
    }

    /// Only for messages to `recipient`.
    #[must_use]
    pub fn to(mut self, recipient: &str) -> Rule {
        self.to = Some(recipient.to_owned());
        self
    }

    /// Only the first `times`.
    #[must_use]
    pub fn times(mut self, times: u32) -> Rule {
        self.times = Some(times);
        self
    }

    /// Only each `n`-th time.
    #[must_use]
    pub fn every(mut self, n: u32) -> Rule {
        self.every = Some(n);
        self
    }

    /// The message is taken, though the client is not told.
    #[must_use]
    pub fn keeping(mut self) -> Rule {
        self.keeps = true;
        self
    }

    fn reason_against(&self) -> Option<&'static str> {
        let has_no_reply = matches!(self.at, Phase::Connect | Phase::Body);
        let wants_reply = matches!(self.act, Act::HalfReply | Act::Reply(_));
        if has_no_reply && wants_reply {
            return Some("no reply is due at `connect` and in the `body`: cut, silence or slow_ms");
        }
        if self.to.is_some() && self.at < Phase::Rcpt {
            return Some("`to` is known only from `rcpt` on");
        }
        if self.keeps && (self.at != Phase::Dot || matches!(self.act, Act::Reply(_))) {
            return Some("`keeps` goes with a cut, half a reply or silence at the `dot`");
        }
        if self.every == Some(0) {
            return Some("`every` counts from 1");
        }
        None
    }
}

impl Plan {
    /// A plan of these rules.
    pub fn of(rules: impl IntoIterator<Item = Rule>) -> Plan {
        Plan {
            rules: rules.into_iter().collect(),
        }
    }

    /// Reads a plan from a file.
    ///
    /// # Errors
    /// When the file cannot be read or is no plan.
    pub fn read(path: &Path) -> Result<Plan, Failure> {
        let what = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(Failure::io(format!("reading {what}")))?;
        serde_json::from_str(&text).map_err(|error| Failure::Unreadable {
            what,
            reason: error.to_string(),
        })
    }
}

/// A plan in use: it counts how often each rule applied.
#[derive(Debug)]
pub(crate) struct Script {
    rules: Vec<Rule>,
    counts: Mutex<Vec<Count>>,
}

#[derive(Debug, Clone, Default)]
struct Count {
    met: u32,
    followed: u32,
}

impl Script {
    pub(crate) fn new(plan: Plan) -> Result<Script, Failure> {
        for (index, rule) in plan.rules.iter().enumerate() {
            if let Some(reason) = rule.reason_against() {
                return Err(Failure::Unreadable {
                    what: format!("rule {} of the plan", index + 1),
                    reason: reason.to_owned(),
                });
            }
        }
        let counts = Mutex::new(vec![Count::default(); plan.rules.len()]);
        Ok(Script {
            rules: plan.rules,
            counts,
        })
    }

    /// The rule to follow now, if any; being told counts as following it.
    pub(crate) fn next(&self, at: Phase, recipients: &[String]) -> Option<Rule> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (rule, count) in self.rules.iter().zip(counts.iter_mut()) {
            let is_for = |to: &String| recipients.iter().any(|r| r.eq_ignore_ascii_case(to));
            if rule.at != at || !rule.to.as_ref().is_none_or(is_for) {
                continue;
            }
            count.met += 1;
            let is_turn = rule.every.is_none_or(|n| count.met % n == 0);
            if is_turn && rule.times.is_none_or(|times| count.followed < times) {
                count.followed += 1;
                return Some(rule.clone());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(rule: Rule, times: usize) -> String {
        let script = Script::new(Plan::of([rule])).expect("the plan is right");
        let to = ["Mika@acme.example".to_owned()];
        (0..times)
            .map(|_| script.next(Phase::Dot, &to).map_or('-', |_| 'x'))
            .collect()
    }

    #[test]
    fn a_rule_is_followed_as_often_as_it_says() {
        let cut = || Rule::new(Phase::Dot, Act::Cut);
        assert_eq!(followed(cut(), 4), "xxxx");
        assert_eq!(followed(cut().times(2), 4), "xx--");
        assert_eq!(followed(cut().every(2), 4), "-x-x");
        assert_eq!(followed(cut().every(2).times(1), 4), "-x--");
        assert_eq!(followed(cut().to("mika@ACME.example"), 1), "x");
        assert_eq!(followed(cut().to("ken@acme.example"), 1), "-");
        assert_eq!(followed(Rule::new(Phase::Data, Act::Cut), 1), "-");
    }

    #[test]
    fn a_rule_that_cannot_be_followed_is_refused() {
        let reply = || Act::Reply("450 later".to_owned());
        for rule in [
            Rule::new(Phase::Body, reply()),
            Rule::new(Phase::Connect, Act::HalfReply),
            Rule::new(Phase::Mail, Act::Cut).to("mika@acme.example"),
            Rule::new(Phase::Data, Act::Cut).keeping(),
            Rule::new(Phase::Dot, reply()).keeping(),
            Rule::new(Phase::Dot, Act::Cut).every(0),
        ] {
            let shown = format!("{rule:?}");
            assert!(Script::new(Plan::of([rule])).is_err(), "{shown}");
        }
    }

    #[test]
    fn a_plan_reads_as_its_page_shows_it() {
        let text = r#"{"rules": [
            {"at": "rcpt", "act": {"reply": "450 4.2.0 later"}, "to": "mika@acme.example"},
            {"at": "dot", "act": "half_reply", "keeps": true, "times": 1}
        ]}"#;
        let plan: Plan = serde_json::from_str(text).expect("the text is a plan");
        let later = Act::Reply("450 4.2.0 later".to_owned());
        let expected = Plan::of([
            Rule::new(Phase::Rcpt, later).to("mika@acme.example"),
            Rule::new(Phase::Dot, Act::HalfReply).keeping().times(1),
        ]);
        assert_eq!(plan, expected);
    }
}
