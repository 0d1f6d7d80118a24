//! Lists and their items.

use super::knowledge::RiskCase;

/// One thing of a list, or the subject or recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A contact, by id.
    Contact(&'a str),
    /// A contract, by id.
    Contract(&'a str),
    /// A case of a risk.
    Risk(RiskCase),
}
