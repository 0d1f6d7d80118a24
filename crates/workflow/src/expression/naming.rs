//! Naming: from the numbers in an expression back to names.

use super::directory::Directory;
use super::scope::Scope;
use crate::Program;

/// Gives back the names that expressions hold as numbers.
pub trait Naming {
    /// The name of a metric.
    fn metric(&self, index: usize) -> &str;
    /// The name of a segment.
    fn segment(&self, index: usize) -> &str;
    /// The name of a label.
    fn label(&self, index: usize) -> &str;
    /// The name of a risk.
    fn risk(&self, index: usize) -> &str;
    /// A name of `with`; a program alone knows none.
    fn with(&self, index: usize) -> &str;
    /// A name of `remember`, likewise.
    fn remember(&self, index: usize) -> &str;
}

const NAMELESS: &str = "?";

impl Naming for Program {
    fn metric(&self, index: usize) -> &str {
        self.metrics
            .get(index)
            .map_or(NAMELESS, |found| &found.name)
    }
    fn segment(&self, index: usize) -> &str {
        self.segments
            .get(index)
            .map_or(NAMELESS, |found| &found.name)
    }
    fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or(NAMELESS, |found| &found.name)
    }
    fn risk(&self, index: usize) -> &str {
        self.risks.get(index).map_or(NAMELESS, |found| &found.name)
    }
    fn with(&self, _: usize) -> &str {
        NAMELESS
    }
    fn remember(&self, _: usize) -> &str {
        NAMELESS
    }
}

impl Naming for Scope {
    fn metric(&self, index: usize) -> &str {
        defined(&self.world.metrics, index)
    }
    fn segment(&self, index: usize) -> &str {
        defined(&self.world.segments, index)
    }
    fn label(&self, index: usize) -> &str {
        defined(&self.world.labels, index)
    }
    fn risk(&self, index: usize) -> &str {
        defined(&self.world.risks, index)
    }
    fn with(&self, index: usize) -> &str {
        self.with.get(index).map_or(NAMELESS, |given| &given.name)
    }
    fn remember(&self, index: usize) -> &str {
        self.remember
            .get(index)
            .map_or(NAMELESS, |given| &given.name)
    }
}

fn defined(names: &Directory, index: usize) -> &str {
    names.at(index).map_or(NAMELESS, |(name, _)| name)
}
