//! What must have happened somewhere, or the test proves little.

use crate::slow::Slow;
use jiff::SignedDuration;
use jiff::ToSpan;
use std::collections::{BTreeMap, BTreeSet};
use workflow::Program;
use workflow::program::{Expr, ExprKind, HealthName, Reduce, Source, Window};

/// All that must have happened. Where time alone flips a condition, what stands in it counts.
const MUST: [&str; 36] = [
    "a fact changes nothing",
    "the account moves to another zone",
    "time moves the band",
    "flip: days",
    "flip: working days",
    "flip: hours",
    "flip: several hours",
    "flip: window of days",
    "flip: window of hours",
    "flip: window since a date",
    "flip: ever",
    "flip: count",
    "flip: distinct",
    "flip: sum",
    "flip: average",
    "flip: least or greatest",
    "flip: latest",
    "flip: earliest",
    "flip: trend",
    "flip: formula",
    "flip: segment",
    "flip: label",
    "flip: band",
    "flip: score",
    "flip: period",
    "flip: known",
    "flip: else",
    "flip: product",
    "flip: becomes known",
    "flip: becomes unknown",
    "flip: read with what is at hand",
    "flip: read without",
    "flip: near a turn of the clocks",
    "flip: at a year's end",
    "a window becomes covered",
    "a measure becomes stale",
];

/// How often what happened.
#[derive(Debug, Default)]
pub(crate) struct Sometimes {
    counts: BTreeMap<&'static str, u64>,
    idle: BTreeMap<&'static str, u64>,
}

impl Sometimes {
    /// It happened.
    pub(crate) fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Time alone flipped a condition.
    pub(crate) fn flip(
        &mut self,
        slow: &Slow<'_>,
        condition: &Expr,
        (before, after): (Option<bool>, Option<bool>),
    ) {
        let mut found = Found::default();
        found.walk(&slow.world.program, condition);
        if found.hours > 1 {
            found.names.insert("flip: several hours");
        }
        if before.is_none() {
            found.names.insert("flip: becomes known");
        }
        if after.is_none() {
            found.names.insert("flip: becomes unknown");
        }
        found.names.insert(match slow.world.at_hand {
            Some(_) => "flip: read with what is at hand",
            None => "flip: read without",
        });
        let near = slow.now - SignedDuration::from_hours(30);
        let mut turns = slow.world.zone.following(near);
        let far = slow.now + SignedDuration::from_hours(30);
        if turns.next().is_some_and(|turn| turn.timestamp() < far) {
            found.names.insert("flip: near a turn of the clocks");
        }
        let today = slow.world.zone.to_datetime(slow.now).date();
        let ends = [
            today.saturating_sub(2.days()),
            today.saturating_add(2.days()),
        ];
        if ends[0].year() != ends[1].year() {
            found.names.insert("flip: at a year's end");
        }
        for name in found.names {
            self.note(name);
        }
    }

    /// A wake-up changed nothing.
    pub(crate) fn idle(&mut self, program: &Program, condition: &Expr) {
        let mut found = Found::default();
        found.walk(program, condition);
        for name in found.names {
            *self.idle.entry(name).or_default() += 1;
        }
    }

    /// All of it happened.
    pub(crate) fn check(&self) {
        for what in MUST {
            assert!(
                self.counts.contains_key(what),
                "never \"{what}\": {self:#?}"
            );
        }
    }
}

/// What stands in a condition, names followed.
#[derive(Default)]
struct Found {
    names: BTreeSet<&'static str>,
    hours: u32,
}

impl Found {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only what flips by time has a name"
    )]
    fn walk(&mut self, program: &Program, expr: &Expr) {
        let name = match &expr.kind {
            ExprKind::DaysUntil(_) | ExprKind::DaysSince(_) => Some("flip: days"),
            ExprKind::BusinessDaysUntil(_) | ExprKind::BusinessDaysSince(_) => {
                Some("flip: working days")
            }
            ExprKind::HoursSince(_) => {
                self.hours += 1;
                Some("flip: hours")
            }
            ExprKind::Metric(index) => {
                self.metric(program, *index);
                None
            }
            ExprKind::Previous(_) | ExprKind::Change(_) => Some("flip: trend"),
            ExprKind::Segment(index) => {
                self.walk(program, &program.segments[*index].condition);
                Some("flip: segment")
            }
            ExprKind::Label(index) => {
                let lines = &program.labels[*index].lines;
                for line in lines.iter().filter_map(|(_, line)| line.as_ref()) {
                    self.walk(program, line);
                }
                Some("flip: label")
            }
            ExprKind::Health(HealthName::Band) => Some("flip: band"),
            ExprKind::Health(_) => Some("flip: score"),
            ExprKind::InPeriod { .. } => Some("flip: period"),
            ExprKind::Known(_) => Some("flip: known"),
            ExprKind::Else(..) => Some("flip: else"),
            ExprKind::Arithmetic {
                how: workflow::program::Arithmetic::Multiply | workflow::program::Arithmetic::Divide,
                ..
            } => Some("flip: product"),
            _ => None,
        };
        self.names.extend(name);
        for child in expr.children() {
            self.walk(program, child);
        }
    }

    fn metric(&mut self, program: &Program, index: usize) {
        let aggregate = match &program.metrics[index].source {
            Source::Formula(formula) => {
                self.names.insert("flip: formula");
                return self.walk(program, formula);
            }
            Source::Events(aggregate) => aggregate,
        };
        self.names.insert(match aggregate.window {
            Window::Days(_) => "flip: window of days",
            Window::Hours(_) => "flip: window of hours",
            Window::Since(_) => "flip: window since a date",
            Window::Ever => "flip: ever",
        });
        self.names.insert(match aggregate.how {
            Reduce::Count => "flip: count",
            Reduce::CountDistinct(_) => "flip: distinct",
            Reduce::Sum(_) => "flip: sum",
            Reduce::Average(_) => "flip: average",
            Reduce::Min(_) | Reduce::Max(_) => "flip: least or greatest",
            Reduce::Latest => "flip: latest",
            Reduce::Earliest => "flip: earliest",
        });
    }
}
