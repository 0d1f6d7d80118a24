//! Verdicts: what can be said of a condition without any data, by one interval or word set per value.

use super::known::{is_always_known, known_when_true};
use super::scope::Scope;
use crate::program::{Comparison, Expr, ExprKind, Type};
use model::{Decimal, Value};
use std::collections::BTreeSet;

/// What can be said of a condition without any data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can never be true (E601).
    Never,
    /// It is always true (W602).
    Always,
    /// Neither can be shown.
    Open,
}

/// A range of days until a date outside of which a condition surely is not true.
#[derive(Clone, Debug, PartialEq)]
pub struct DateWindow {
    /// The date.
    pub date: Expr,
    /// The fewest days until it, if bounded.
    pub low: Option<i64>,
    /// The most days until it, if bounded.
    pub high: Option<i64>,
}

/// Whether a condition contradicts itself, or can't be anything but true. What it cannot decide is `Open`.
pub fn verdict(condition: &Expr, scope: &Scope) -> Verdict {
    if !is_possible(&[], &[(condition, true)], scope) {
        return Verdict::Never;
    }
    if is_always_known(condition, scope) && !is_possible(&[], &[(condition, false)], scope) {
        return Verdict::Always;
    }
    Verdict::Open
}

/// The date windows that bound a condition (E403, E405).
pub fn date_windows(condition: &Expr) -> Vec<DateWindow> {
    let mut sorted = Sorted::default();
    sorted.sort(condition, true);
    let mut facts = Facts::default();
    let scope = Scope::default();
    for (expr, truth) in &sorted.atoms {
        facts.learn(expr, *truth, &scope);
    }
    facts
        .numbers
        .into_iter()
        .filter_map(|(key, range)| match key.kind {
            ExprKind::DaysUntil(date) => Some(DateWindow {
                date: *date,
                low: range.low.map(|(low, _)| low.floor()),
                high: range.high.map(|(high, _)| high.floor()),
            }),
            _ => None,
        })
        .collect()
}

/// Whether all of these can hold together.
fn is_possible(known: &[(&Expr, bool)], claims: &[(&Expr, bool)], scope: &Scope) -> bool {
    let mut sorted = Sorted::default();
    for (expr, truth) in claims {
        sorted.sort(expr, *truth);
    }
    sorted.atoms.extend_from_slice(known);
    let mut facts = Facts::default();
    for (expr, truth) in &sorted.atoms {
        facts.learn(expr, *truth, scope);
    }
    if facts.is_contradictory {
        return false;
    }
    sorted.choices.iter().all(|(parts, truth)| {
        parts
            .iter()
            .any(|part| is_possible(&sorted.atoms, &[(part, *truth)], scope))
    })
}

/// Claims that hold together, taken apart.
#[derive(Default)]
struct Sorted<'a> {
    atoms: Vec<(&'a Expr, bool)>,
    choices: Vec<(&'a [Expr], bool)>,
}

impl<'a> Sorted<'a> {
    fn sort(&mut self, expr: &'a Expr, truth: bool) {
        match &expr.kind {
            ExprKind::Not(inner) => self.sort(inner, !truth),
            ExprKind::And(parts) if truth => parts.iter().for_each(|part| self.sort(part, true)),
            ExprKind::Or(parts) if !truth => parts.iter().for_each(|part| self.sort(part, false)),
            ExprKind::And(parts) | ExprKind::Or(parts) => self.choices.push((parts, truth)),
            _ => self.atoms.push((expr, truth)),
        }
    }
}

/// A range of numbers; each end with whether it belongs to it.
#[derive(Clone, Debug, Default)]
struct Range {
    low: Option<(Decimal, bool)>,
    high: Option<(Decimal, bool)>,
}

impl Range {
    fn new(how: Comparison, value: Decimal) -> Option<Self> {
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
    fn whole(self) -> Self {
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

    fn negated(self) -> Self {
        let turn = |end: Option<(Decimal, bool)>| {
            end.and_then(|(value, is_inside)| Some((value.neg()?, is_inside)))
        };
        Self {
            low: turn(self.high),
            high: turn(self.low),
        }
    }

    fn narrow(&mut self, other: &Self) {
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

    fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Some((low, has_low)), Some((high, has_high))) => {
                low > high || (low == high && !(has_low && has_high))
            }
            (Some(_) | None, Some(_) | None) => false,
        }
    }
}

/// What is known of each value.
#[derive(Default)]
struct Facts {
    numbers: Vec<(Expr, Range)>,
    words: Vec<(Expr, BTreeSet<Box<str>>)>,
    known: Vec<Expr>,
    unknown: Vec<Expr>,
    is_contradictory: bool,
}

impl Facts {
    fn learn(&mut self, expr: &Expr, truth: bool, scope: &Scope) {
        for known in known_when_true(expr).into_iter().filter(|_| truth) {
            self.know(known);
        }
        match &expr.kind {
            ExprKind::Const(Value::Bool(yes)) => self.is_contradictory |= *yes != truth,
            ExprKind::Known(inner) if !truth => {
                self.is_contradictory |= is_always_known(inner, scope);
                if self.known.contains(inner) {
                    self.is_contradictory = true;
                }
                self.unknown.push((**inner).clone());
            }
            ExprKind::Compare { how, left, right } => {
                let how = if truth { *how } else { negated(*how) };
                self.compare(how, left, right, scope);
            }
            ExprKind::Between { value, low, high } if truth => {
                let range = Range {
                    low: Some((*low, true)),
                    high: Some((*high, true)),
                };
                self.narrow(value, range, scope);
            }
            ExprKind::Among { value, list } => self.among(value, list, truth),
            _ if expr.ty == Type::Bool => {
                let word: Box<str> = if truth { "true" } else { "false" }.into();
                self.limit(expr, BTreeSet::from([word]));
            }
            _ => {}
        }
    }

    fn know(&mut self, expr: Expr) {
        self.is_contradictory |= self.unknown.contains(&expr);
        self.known.push(expr);
    }

    fn compare(&mut self, how: Comparison, left: &Expr, right: &Expr, scope: &Scope) {
        match (constant(left), constant(right)) {
            (Some(one), Some(two)) => self.is_contradictory |= !holds(how, one, two),
            (None, Some(value)) => {
                if let Some(range) = Range::new(how, value) {
                    self.narrow(left, range, scope);
                }
            }
            (Some(value), None) => {
                if let Some(range) = Range::new(mirrored(how), value) {
                    self.narrow(right, range, scope);
                }
            }
            (None, None) => match (&left.kind, &right.kind) {
                (_, ExprKind::Const(Value::Word(word))) => self.word(how, left, word),
                (ExprKind::Const(Value::Word(word)), _) => self.word(mirrored(how), right, word),
                _ => {}
            },
        }
    }

    fn word(&mut self, how: Comparison, value: &Expr, word: &str) {
        let Type::Word(list) = &value.ty else { return };
        let rank = |word: &str| list.words.iter().position(|known| &**known == word);
        let Some(pivot) = rank(word) else { return };
        let fits = |rank: usize| match how {
            Comparison::Equal => rank == pivot,
            Comparison::NotEqual => rank != pivot,
            Comparison::Less => rank < pivot,
            Comparison::AtMost => rank <= pivot,
            Comparison::Greater => rank > pivot,
            Comparison::AtLeast => rank >= pivot,
        };
        let fitting = list
            .words
            .iter()
            .enumerate()
            .filter(|(rank, _)| fits(*rank));
        self.limit(value, fitting.map(|(_, word)| word.clone()).collect());
    }

    fn among(&mut self, value: &Expr, list: &[Expr], truth: bool) {
        let Type::Word(all) = &value.ty else { return };
        let named: Option<BTreeSet<&str>> = list
            .iter()
            .map(|item| match &item.kind {
                ExprKind::Const(value) => value.text(),
                _ => None,
            })
            .collect();
        let Some(named) = named else { return };
        let fitting = all
            .words
            .iter()
            .filter(|word| named.contains(&***word) == truth);
        self.limit(value, fitting.cloned().collect());
    }

    fn limit(&mut self, value: &Expr, fitting: BTreeSet<Box<str>>) {
        let known = self.words.iter_mut().find(|(key, _)| key == value);
        let left = match known {
            Some((_, words)) => {
                words.retain(|word| fitting.contains(word));
                words.is_empty()
            }
            None => {
                let is_empty = fitting.is_empty();
                self.words.push((value.clone(), fitting));
                is_empty
            }
        };
        self.is_contradictory |= left;
    }

    fn narrow(&mut self, value: &Expr, range: Range, scope: &Scope) {
        let (key, range) = counted(value, range, scope);
        let known = self.numbers.iter_mut().find(|(known, _)| *known == key);
        let is_empty = match known {
            Some((_, all)) => {
                all.narrow(&range);
                all.is_empty()
            }
            None => {
                let is_empty = range.is_empty();
                self.numbers.push((key, range));
                is_empty
            }
        };
        self.is_contradictory |= is_empty;
    }
}

/// Days since are days until, turned round; what is counted is whole, and things are never fewer than none.
fn counted(value: &Expr, range: Range, scope: &Scope) -> (Expr, Range) {
    let turned = |kind: ExprKind| Expr {
        kind,
        ty: value.ty.clone(),
    };
    match &value.kind {
        ExprKind::DaysSince(date) => (
            turned(ExprKind::DaysUntil(date.clone())),
            range.negated().whole(),
        ),
        ExprKind::BusinessDaysSince(date) => (
            turned(ExprKind::BusinessDaysUntil(date.clone())),
            range.negated().whole(),
        ),
        ExprKind::DaysUntil(_) | ExprKind::BusinessDaysUntil(_) => (value.clone(), range.whole()),
        ExprKind::Count(_) => (value.clone(), from_nought(range)),
        ExprKind::Metric(index) if is_count(*index, scope) => (value.clone(), from_nought(range)),
        _ => (value.clone(), range),
    }
}

fn from_nought(range: Range) -> Range {
    let mut range = range.whole();
    range.narrow(&Range {
        low: Some((Decimal::ZERO, true)),
        high: None,
    });
    range
}

fn is_count(index: usize, scope: &Scope) -> bool {
    let mut metrics = scope.world.metrics.values();
    metrics.any(|metric| metric.index == index && metric.is_count)
}

fn constant(expr: &Expr) -> Option<Decimal> {
    match &expr.kind {
        ExprKind::Const(value) => value.decimal(),
        _ => None,
    }
}

fn holds(how: Comparison, one: Decimal, two: Decimal) -> bool {
    match how {
        Comparison::Equal => one == two,
        Comparison::NotEqual => one != two,
        Comparison::Less => one < two,
        Comparison::AtMost => one <= two,
        Comparison::Greater => one > two,
        Comparison::AtLeast => one >= two,
    }
}

fn negated(how: Comparison) -> Comparison {
    match how {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::AtLeast,
        Comparison::AtMost => Comparison::Greater,
        Comparison::Greater => Comparison::AtMost,
        Comparison::AtLeast => Comparison::Less,
    }
}

fn mirrored(how: Comparison) -> Comparison {
    match how {
        Comparison::Equal | Comparison::NotEqual => how,
        Comparison::Less => Comparison::Greater,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Greater => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
    }
}
