//! The account's state as expressions see it.

use crate::context::Context;
use crate::entity::{Entity, Stamped};
use crate::evaluate::{Carrier, Knowledge, Memo, RiskCase, StepResults};
use crate::head::Head;
use crate::health;
use crate::metric::{Coverage, Tally};
use crate::parts::Parts;
use crate::run::{Outcome, Run, StepPhase};
use jiff::Timestamp;
use jiff::civil::Date;
use model::Value;
use std::cell::OnceCell;
use workflow::program::StepResult;

/// A role names at most so many.
pub(crate) const HOLDERS_MAX: usize = 5;

/// The account's state as expressions see it.
pub(crate) struct Known<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) head: &'a Head,
    pub(crate) parts: &'a Parts,
    /// The current contract, found at most once.
    pub(crate) current: OnceCell<Option<&'a str>>,
    /// What was worked out; none: it is not worth keeping.
    pub(crate) memo: Option<&'a Memo>,
}

impl<'a> Known<'a> {
    fn stamped(&self, of: Carrier<'_>, name: &str) -> Option<&'a Stamped> {
        let there = |entity: &'a Entity| entity.is_there.then_some(entity);
        match of {
            Carrier::Account => there(&self.head.account)?.fields.get(name),
            Carrier::Contract(id) => there(self.head.contracts.get(id)?)?.fields.get(name),
            Carrier::Contact(id) => {
                let contact = there(self.head.contacts.get(id)?)?;
                let personal = || self.parts.contact(id)?.get(name);
                contact.fields.get(name).or_else(personal)
            }
            Carrier::Csm => {
                let id = self
                    .stamped(Carrier::Account, "csm")?
                    .value
                    .as_ref()?
                    .text()?;
                there(self.context.csms.0.get(id)?)?.fields.get(name)
            }
        }
    }

    /// A case of a risk by its id, open or closed.
    pub(crate) fn case(&self, id: &str) -> Option<RiskCase> {
        let mut risks = self.context.program.risks.iter().enumerate();
        risks.find_map(|(risk, named)| {
            let state = self.head.risks.get(&named.name)?;
            let is_open = state.case.as_ref().is_some_and(|case| *case.id == *id);
            let mut all = state.case.iter().chain(&state.closed);
            let case = all.find(|case| *case.id == *id)?;
            Some(RiskCase {
                risk,
                is_open,
                is_high: case.is_high,
                opened_at: case.opened_at,
            })
        })
    }

    /// The ids of all who hold a role, in order.
    pub(crate) fn all_holders<'r>(
        &self,
        role: &'r str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'r> {
        self.head.contacts.iter().filter_map(move |(id, contact)| {
            (contact.value("role")?.text()? == role).then_some(&**id)
        })
    }
}

impl Knowledge for Known<'_> {
    fn field(&self, of: Carrier<'_>, name: &str) -> Option<&Value> {
        self.stamped(of, name)?.value.as_ref()
    }

    fn carried_at(&self, of: Carrier<'_>, name: &str) -> Option<Timestamp> {
        self.stamped(of, name).map(|stamped| stamped.at)
    }

    fn current_contract(&self) -> Option<&str> {
        *self.current.get_or_init(|| current_contract(self.head))
    }

    fn contacts(&self) -> Vec<&str> {
        let there = self
            .head
            .contacts
            .iter()
            .filter(|(_, contact)| contact.is_there);
        there.map(|(id, _)| &**id).collect()
    }

    fn holders(&self, role: &str) -> Vec<&str> {
        self.all_holders(role).take(HOLDERS_MAX).collect()
    }

    fn open_case(&self, risk: usize) -> Option<RiskCase> {
        let name = &self.context.program.risks.get(risk)?.name;
        let case = self.head.risks.get(name)?.case.as_ref()?;
        Some(RiskCase {
            risk,
            is_open: true,
            is_high: case.is_high,
            opened_at: case.opened_at,
        })
    }

    fn health(&self) -> &health::State {
        &self.head.health
    }

    fn tally(&self, basis: &str) -> Option<&Tally> {
        self.head.metrics.tallies.get(basis)
    }

    fn coverage(&self) -> &Coverage {
        &self.head.metrics.coverage
    }

    fn pin(&self, name: &str) -> Option<&Option<Value>> {
        self.context.pins?.values.get(name)
    }

    fn memo(&self) -> Option<&Memo> {
        self.memo
    }
}

/// The account's current contract: active with the earliest renewal date (unknown last), else trial, else the one that ended last; ties by id.
pub(crate) fn current_contract(head: &Head) -> Option<&str> {
    let rank = |contract: &Entity| {
        let status = contract.value("status").and_then(Value::text);
        let renewal = match contract.value("renewal_date") {
            Some(Value::Date(date)) => Some(*date),
            Some(_) | None => None,
        };
        match status {
            Some("active") => (0, renewal.unwrap_or(Date::MAX), Date::MIN),
            Some("trial") => (1, renewal.unwrap_or(Date::MAX), Date::MIN),
            Some(_) | None => (2, Date::MAX, renewal.unwrap_or(Date::MIN)),
        }
    };
    let there = head
        .contracts
        .iter()
        .filter(|(_, contract)| contract.is_there);
    there
        .min_by(|a, b| {
            let ((rank_a, next_a, last_a), (rank_b, next_b, last_b)) = (rank(a.1), rank(b.1));
            (rank_a, next_a)
                .cmp(&(rank_b, next_b))
                .then(last_b.cmp(&last_a))
                .then(a.0.cmp(b.0))
        })
        .map(|(id, _)| &**id)
}

impl StepResults for Run {
    fn result(&self, step: &str, result: &StepResult) -> Option<Value> {
        let state = self.steps.get(step);
        let came = |outcome: Outcome| state.is_some_and(|state| state.outcomes.contains(&outcome));
        let yes = match result {
            StepResult::Sent => state.is_some_and(|state| state.is_sent()),
            StepResult::Skipped => state.is_some_and(|state| state.phase == StepPhase::Skipped),
            StepResult::Delivered => came(Outcome::Delivered),
            StepResult::Opened => came(Outcome::Opened),
            StepResult::Clicked => came(Outcome::Clicked),
            StepResult::Replied => came(Outcome::Replied),
            StepResult::Bounced => came(Outcome::Bounced),
            StepResult::Done => came(Outcome::Done),
            StepResult::Ok => came(Outcome::Accepted) || came(Outcome::Delivered),
            StepResult::TimedOut => state.is_some_and(|state| state.phase == StepPhase::TimedOut),
            StepResult::Outcome => return state?.result.clone(),
            StepResult::Event(field) => return state?.event.get(field).cloned(),
            StepResult::Chosen => return state?.chosen.clone().map(Value::Word),
        };
        Some(Value::Bool(yes))
    }
}
