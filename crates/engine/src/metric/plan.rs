//! What must be kept, by basis: the union of what all metrics over it need.

use std::collections::BTreeMap;
use workflow::Program;
use workflow::program::Expr;

/// What must be kept of the events of one basis.
#[derive(Clone, Debug)]
pub struct Need {
    /// The event type.
    pub event: Box<str>,
    /// Which of them.
    pub condition: Option<Expr>,
    /// How.
    pub keep: Keep,
}

/// How events are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The field whose values are added up or compared.
    pub amount: Option<Box<str>>,
    /// The field whose different values are counted.
    pub distinct: Option<Box<str>>,
}

/// All bases of a program.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// By name.
    pub bases: BTreeMap<Box<str>, Need>,
    /// Their names by event type.
    pub by_event: BTreeMap<Box<str>, Vec<Box<str>>>,
}

impl Plan {
    /// The bases of a program. Made once per program.
    pub fn of(_program: &Program) -> Self {
        Self::default()
    }
}
