//! Risks: a case opens once `opens` has held for `for`, and closes when `closes` is true and `opens` is not.

use crate::ask::{Ask, Subject};
use crate::deed::{Deed, What};
use crate::told::Known;
use crate::walk::{Memory, Walk};
use jiff::Timestamp;
use serde_json::json;

/// One opening of a risk.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    /// Which risk.
    pub(crate) risk: usize,
    pub(crate) opened_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    is_high: bool,
}

impl Case {
    pub(crate) fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    pub(crate) fn severity(&self) -> &'static str {
        if self.is_high { "high" } else { "normal" }
    }
}

impl Walk<'_> {
    /// Opens and closes cases.
    pub(crate) fn risks(&mut self, known: &Known<'_>) {
        for risk in 0..self.program.risks.len() {
            let own = |case: &Case| case.risk == risk && case.is_open();
            let open = self.cases.iter().position(own);
            let rule = &self.program.risks[risk];
            let ask = Ask::new(known, &Subject::Account);
            let opens = ask.truth(&rule.opens);
            if let Some(case) = open {
                if ask.truth(&rule.closes) == Some(true) && opens != Some(true) {
                    self.cases[case].closed_at = Some(self.now);
                    self.tell_case(known, case);
                }
                let memory = self.risk_memories.entry(risk).or_default();
                memory.follow_false(opens, self.cause);
                continue;
            }
            if !self.has_held(known, risk, opens) {
                continue;
            }
            let is_high = rule.high_if.as_ref();
            let is_high = is_high.is_some_and(|high| ask.truth(high) == Some(true));
            let earlier = self.cases.iter().filter(|case| case.risk == risk).count();
            self.cases.push(Case {
                id: format!("{}-{}", rule.name, earlier + 1),
                risk,
                opened_at: self.now,
                closed_at: None,
                is_high,
            });
            if is_high {
                self.sometimes.note("a severe case");
            }
            if earlier > 0 {
                self.sometimes.note("a case opens again");
            }
            self.tell_case(known, self.cases.len() - 1);
        }
    }

    /// Whether `opens` has been true for long enough.
    fn has_held(&mut self, known: &Known<'_>, risk: usize, opens: Option<bool>) -> bool {
        let hold = self.program.risks[risk].hold;
        let memory = self.risk_memories.entry(risk).or_default();
        match opens {
            None => {
                if memory.held_since.is_some() {
                    memory.paused_at.get_or_insert(known.now);
                }
                false
            }
            Some(false) => {
                if memory.held_since.take().is_some() {
                    self.sometimes.note("a risk's hold is reset");
                }
                memory.paused_at = None;
                memory.follow_false(opens, self.cause);
                false
            }
            Some(true) => {
                let since = memory.false_at.max(Some(self.cause));
                memory.last = Some(true);
                memory.held_since = memory.held_since.or(since);
                memory.resume(known.now);
                let is_due = hold.is_none_or(|hold| memory.is_full(known, hold));
                if is_due {
                    memory.held_since = None;
                    if hold.is_some() {
                        self.sometimes.note("a risk's hold ends in a case");
                    }
                }
                is_due
            }
        }
    }

    /// Says that a case opened or closed, to those who listen too.
    fn tell_case(&mut self, known: &Known<'_>, case: usize) {
        let case = &self.cases[case];
        let risk = &self.program.risks[case.risk];
        let (name, severity) = (risk.name.to_string(), case.severity().to_owned());
        let (kind, what) = if case.is_open() {
            ("risk.opened", What::Opened(name, severity))
        } else {
            ("risk.closed", What::Closed(name, severity))
        };
        self.sometimes.note(kind);
        self.deeds.push(Deed {
            at: known.now,
            workflow: String::new(),
            subject: String::new(),
            step: None,
            what,
        });
        let data =
            json!({"category": &*risk.name, "severity": case.severity(), "title": &*risk.title});
        let case = case.id.clone();
        self.tell_own(known, (kind, known.now, data), Some(case));
    }
}

impl Memory {
    /// Remembers when it was last seen to become false.
    pub(crate) fn follow_false(&mut self, value: Option<bool>, cause: Timestamp) {
        match value {
            Some(false) => {
                if self.last != Some(false) {
                    self.false_at = Some(cause);
                }
                self.last = Some(false);
            }
            Some(true) => self.last = Some(true),
            None => {}
        }
    }
}
