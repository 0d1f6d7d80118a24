//! What is known of an account: the face that its state shows to expressions.

use super::memo::Memo;
use crate::health;
use crate::metric::{Coverage, Tally};
use jiff::Timestamp;
use model::Value;
use workflow::program::StepResult;

/// Whose field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier<'a> {
    /// The account's.
    Account,
    /// That of the contract with this id.
    Contract(&'a str),
    /// That of the contact with this id.
    Contact(&'a str),
    /// That of the account's CSM.
    Csm,
}

/// A case of a risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskCase {
    /// The risk, by its place in the program.
    pub risk: usize,
    /// Whether it is open.
    pub is_open: bool,
    /// Whether it is grave.
    pub is_high: bool,
    /// Since when.
    pub opened_at: Timestamp,
}

/// What is known of one account. Nothing here depends on the time: expressions ask the same state at several instants.
pub trait Knowledge {
    /// The value of a field; none: unknown.
    fn field(&self, of: Carrier<'_>, name: &str) -> Option<&Value>;
    /// When the newest fact happened that carried the field, even unchanged.
    fn carried_at(&self, of: Carrier<'_>, name: &str) -> Option<Timestamp>;
    /// The id of the account's current contract.
    fn current_contract(&self) -> Option<&str>;
    /// The ids of all contacts, in order.
    fn contacts(&self) -> Vec<&str>;
    /// The ids of those who hold a role, in order, at most five.
    fn holders(&self, role: &str) -> Vec<&str>;
    /// The open case of a risk.
    fn open_case(&self, risk: usize) -> Option<RiskCase>;
    /// The bands of health with their margin and hold.
    fn health(&self) -> &health::State;
    /// What is kept of the events of a basis.
    fn tally(&self, basis: &str) -> Option<&Tally>;
    /// Since when absence proves something.
    fn coverage(&self) -> &Coverage;
    /// The value at which a metric, segment, label or `health.x` is held; the inner `None` is unknown.
    fn pin(&self, name: &str) -> Option<&Option<Value>>;
    /// Where what was worked out may be kept while nothing changes; none: nothing is kept.
    fn memo(&self) -> Option<&Memo> {
        None
    }
}

/// What became of the steps of a run.
pub trait StepResults {
    /// The result; yes/no results are false until they happen.
    fn result(&self, step: &str, result: &StepResult) -> Option<Value>;
}
