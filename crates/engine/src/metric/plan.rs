//! What must be kept, by basis: the union of what all metrics over it need.

use super::uses::{read_before, watched};
use std::collections::{BTreeMap, BTreeSet};
use workflow::Program;
use workflow::program::{Aggregate, Expr, Reduce, Source, Window};

/// What must be kept of the events of one basis.
#[derive(Clone, Debug)]
pub struct Need {
    /// The event type.
    pub event: Box<str>,
    /// Which of them.
    pub condition: Option<Expr>,
    /// The field whose values are added up or compared.
    pub amount: Option<Box<str>>,
    /// The field whose different values are counted.
    pub distinct: Option<Box<str>>,
    /// For how long.
    pub(crate) keep: Keep,
    /// Which changes a condition may notice.
    pub(crate) watch: Watch,
}

/// Which changes of a tally a condition may notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    /// Every event.
    pub(crate) each: bool,
    /// A newer one than any before.
    pub(crate) newest: bool,
    /// An earlier one than any before, or than any of its day.
    pub(crate) first: bool,
    /// A different value, or a new day of one.
    pub(crate) distinct: bool,
}

impl Watch {
    fn add(&mut self, aggregate: &Aggregate) {
        match &aggregate.how {
            Reduce::CountDistinct(_) => self.distinct = true,
            Reduce::Latest => self.newest = true,
            Reduce::Earliest => {
                self.first = true;
                self.newest |= matches!(aggregate.window, Window::Hours(_));
            }
            Reduce::Count
            | Reduce::Sum(_)
            | Reduce::Average(_)
            | Reduce::Min(_)
            | Reduce::Max(_) => self.each = true,
        }
    }
}

/// What is kept of events, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keep {
    /// So many days.
    pub(crate) days: i32,
    /// So many hours.
    pub(crate) hours: i64,
    /// Every day: a window begins at the day of a field, or never.
    pub(crate) is_since: bool,
    /// The first moment of each day.
    pub(crate) has_firsts: bool,
    /// The window before the present one of so many days, of different values.
    pub(crate) before: BTreeSet<u16>,
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
    pub fn of(program: &Program) -> Self {
        let before = read_before(program);
        let (noticed, fresh) = watched(program);
        let mut plan = Self::default();
        for (index, metric) in program.metrics.iter().enumerate() {
            match &metric.source {
                Source::Events(aggregate) => {
                    let need = plan.add(aggregate, before.contains(&index));
                    need.watch.newest |= fresh.contains(&index);
                    if noticed.contains(&index) {
                        need.watch.add(aggregate);
                    }
                }
                Source::Formula(_) => {}
            }
        }
        plan
    }

    /// The union with what one metric needs.
    fn add(&mut self, aggregate: &Aggregate, is_read_before: bool) -> &mut Need {
        let need = self
            .bases
            .entry(aggregate.basis.clone())
            .or_insert_with(|| {
                let names = self.by_event.entry(aggregate.event.clone()).or_default();
                names.push(aggregate.basis.clone());
                Need {
                    event: aggregate.event.clone(),
                    condition: aggregate.condition.clone(),
                    amount: None,
                    distinct: None,
                    keep: Keep::default(),
                    watch: Watch::default(),
                }
            });
        match &aggregate.how {
            Reduce::Count | Reduce::Latest => {}
            Reduce::Earliest => need.keep.has_firsts = true,
            Reduce::CountDistinct(field) => need.distinct = Some(field.clone()),
            Reduce::Sum(field)
            | Reduce::Average(field)
            | Reduce::Min(field)
            | Reduce::Max(field) => need.amount = Some(field.clone()),
        }
        let times: u16 = if is_read_before { 2 } else { 1 };
        match &aggregate.window {
            Window::Days(days) => {
                need.keep.days = need.keep.days.max(i32::from(*days) * i32::from(times));
                if is_read_before && matches!(aggregate.how, Reduce::CountDistinct(_)) {
                    need.keep.before.insert(*days);
                }
            }
            Window::Hours(hours) => {
                need.keep.hours = need.keep.hours.max(i64::from(*hours) * i64::from(times));
            }
            Window::Since(_) | Window::Ever => need.keep.is_since = true,
        }
        need
    }
}
