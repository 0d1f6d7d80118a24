//! What is known of an account where a record is mapped: nothing, beyond the record.

use crate::evaluate::{Carrier, Knowledge, RiskCase};
use crate::health;
use crate::metric::{Coverage, Tally};
use jiff::Timestamp;
use model::Value;

/// Nobody.
#[derive(Default)]
pub(super) struct Nobody {
    health: health::State,
    coverage: Coverage,
}

impl Knowledge for Nobody {
    fn field(&self, _: Carrier<'_>, _: &str) -> Option<&Value> {
        None
    }

    fn carried_at(&self, _: Carrier<'_>, _: &str) -> Option<Timestamp> {
        None
    }

    fn current_contract(&self) -> Option<&str> {
        None
    }

    fn contacts(&self) -> Vec<&str> {
        Vec::new()
    }

    fn holders(&self, _: &str) -> Vec<&str> {
        Vec::new()
    }

    fn open_case(&self, _: usize) -> Option<RiskCase> {
        None
    }

    fn health(&self) -> &health::State {
        &self.health
    }

    fn tally(&self, _: &str) -> Option<&Tally> {
        None
    }

    fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    fn pin(&self, _: &str) -> Option<&Option<Value>> {
        None
    }
}
