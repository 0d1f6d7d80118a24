//! Ranges of numbers, as claims about a value narrow them.

use crate::program::Comparison;
use model::Decimal;

/// A range of numbers; each end with whether it belongs to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Range {
    /// The lower end.
    pub(super) low: Option<(Decimal, bool)>,
    /// The upper end.
    pub(super) high: Option<(Decimal, bool)>,
}

impl Range {
    /// The numbers for which the comparison holds; those that differ from one are no range.
    pub(super) fn new(how: Comparison, value: Decimal) -> Option<Self> {
        let (low, high) = match how {
            Comparison::Equal => (Some((value, true)), Some((value, true))),
            Comparison::NotEqual => return None,
            Comparison::Less => (None, Some((value, false))),
            Comparison::AtMost => (None, Some((value, true))),
            Comparison::Greater => (Some((value, false)), None),
            Comparison::AtLeast => (Some((value, true)), None),
        };
        Some(Self { low, high })
    }

    /// Both ends pulled in to whole numbers.
    pub(super) fn whole(self) -> Self {
        let one = Decimal::ONE;
        let low = self.low.and_then(|(low, is_inside)| {
            let floor = Decimal::from_int(low.floor())?;
            let fits = floor == low && is_inside;
            Some((if fits { floor } else { floor.add(one)? }, true))
        });
        let high = self.high.and_then(|(high, is_inside)| {
            let floor = Decimal::from_int(high.floor())?;
            let is_past = floor == high && !is_inside;
            Some((if is_past { floor.sub(one)? } else { floor }, true))
        });
        Self { low, high }
    }

    /// The same on the other side of nought.
    pub(super) fn negated(self) -> Self {
        let turn = |end: Option<(Decimal, bool)>| {
            end.and_then(|(value, is_inside)| Some((value.neg()?, is_inside)))
        };
        Self {
            low: turn(self.high),
            high: turn(self.low),
        }
    }

    /// What lies in both.
    pub(super) fn narrow(&mut self, other: &Self) {
        if let Some(low) = other.low
            && self
                .low
                .is_none_or(|mine| (low.0, !low.1) > (mine.0, !mine.1))
        {
            self.low = Some(low);
        }
        if let Some(high) = other.high
            && self
                .high
                .is_none_or(|mine| (high.0, high.1) < (mine.0, mine.1))
        {
            self.high = Some(high);
        }
    }

    /// Whether nothing lies in it.
    pub(super) fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Some((low, has_low)), Some((high, has_high))) => {
                low > high || (low == high && !(has_low && has_high))
            }
            (Some(_) | None, Some(_) | None) => false,
        }
    }

    /// From one number to another, both included.
    pub(super) fn closed(low: Decimal, high: Decimal) -> Self {
        Self {
            low: Some((low, true)),
            high: Some((high, true)),
        }
    }

    /// Each end moved by a function that keeps the order; an end that it loses is open.
    pub(super) fn map(self, move_end: impl Fn(Decimal) -> Option<Decimal>) -> Self {
        let moved = |end: Option<(Decimal, bool)>| {
            end.and_then(|(value, is_inside)| Some((move_end(value)?, is_inside)))
        };
        Self {
            low: moved(self.low),
            high: moved(self.high),
        }
    }

    /// So much wider at each end, both included.
    pub(super) fn wider(self, by: Decimal) -> Self {
        let low = self.low.and_then(|(low, _)| low.sub(by));
        let high = self.high.and_then(|(high, _)| high.add(by));
        Self {
            low: low.map(|low| (low, true)),
            high: high.map(|high| (high, true)),
        }
    }

    /// Without a hole that reaches over one of its ends.
    pub(super) fn cut(&mut self, hole: &Self) {
        let (Some(from), Some(to)) = (hole.low, hole.high) else {
            return;
        };
        if let Some(low) = self.low
            && (from.0, !from.1) <= (low.0, !low.1)
            && (low.0, !low.1) <= (to.0, !to.1)
        {
            self.low = Some((to.0, !to.1));
        }
        if let Some(high) = self.high
            && (from.0, !from.1) <= (high.0, !high.1)
            && (high.0, high.1) <= (to.0, to.1)
        {
            self.high = Some((from.0, !from.1));
        }
    }
}
