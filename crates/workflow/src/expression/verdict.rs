//! Verdicts: what can be said of conditions without any data, by one interval or word set per value.

use super::facts::{Claim, Facts};
use super::known::{is_always_known, known_when};
use super::scope::Scope;
use crate::program::{Expr, ExprKind};
use std::cell::Cell;

/// So many definitions are looked into for one verdict; past it they are taken as they are named.
const DEFINITIONS_MAX: usize = 64;

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
    let is_possible = |truth| {
        let scales = Scales::new(scope);
        scales.is_possible(&[], &[claim(condition, truth)], &[])
    };
    if !is_possible(true) {
        return Verdict::Never;
    }
    if is_always_known(condition, scope) && !is_possible(false) {
        return Verdict::Always;
    }
    Verdict::Open
}

/// Whether all of `hold` can be true at one moment at which none of `stay` is false. `stay` may be unknown, so what it
/// says counts only where `hold` says that all it reads is known.
pub fn can_hold(hold: &[&Expr], stay: &[&Expr], scope: &Scope) -> bool {
    let scales = Scales::new(scope);
    let claims: Vec<Claim<'_>> = hold.iter().map(|expr| claim(expr, true)).collect();
    let sorted = scales.sorted(&claims);
    let known: Vec<Expr> = sorted
        .atoms
        .iter()
        .filter(|atom| !atom.is_inner)
        .flat_map(|atom| known_when(atom.expr, atom.truth))
        .collect();
    let stays: Vec<Claim<'_>> = stay.iter().map(|expr| claim(expr, true)).collect();
    let stays = scales.sorted(&stays);
    let is_told = |claim: &&Claim<'_>| !claim.is_inner && is_known_by(claim.expr, &known, scope);
    let atoms: Vec<Claim<'_>> = stays.atoms.iter().filter(is_told).copied().collect();
    let mut all = claims;
    all.extend(stays.whole.iter().filter(is_told).copied());
    scales.is_possible(&atoms, &all, &[])
}

/// Whether an expression has a value wherever these have one.
fn is_known_by(expr: &Expr, known: &[Expr], scope: &Scope) -> bool {
    if is_always_known(expr, scope) || known.contains(expr) {
        return true;
    }
    let parts = expr.children();
    let is_strict = match &expr.kind {
        ExprKind::Known(_)
        | ExprKind::Arithmetic { .. }
        | ExprKind::Contains { .. }
        | ExprKind::Where { .. }
        | ExprKind::Else(..) => false,
        _ => !parts.is_empty(),
    };
    is_strict && parts.iter().all(|part| is_known_by(part, known, scope))
}

/// The date windows that bound a condition (E403, E405).
pub fn date_windows(condition: &Expr) -> Vec<DateWindow> {
    let scope = Scope::default();
    let sorted = Scales::new(&scope).sorted(&[claim(condition, true)]).atoms;
    let ranges = Facts::of(&sorted, &scope, &scope).ranges();
    ranges
        .filter_map(|(key, range)| match key.kind {
            ExprKind::DaysUntil(date) => Some(DateWindow {
                date: *date,
                low: range.low.map(|(low, _)| low.floor()),
                high: range.high.map(|(high, _)| high.floor()),
            }),
            _ => None,
        })
        .filter(|window| window.low.is_some() || window.high.is_some())
        .collect()
}

fn claim(expr: &Expr, truth: bool) -> Claim<'_> {
    Claim {
        expr,
        truth,
        is_inner: false,
    }
}

/// Claims that hold together, taken apart.
#[derive(Default)]
struct Sorted<'a> {
    /// Those that can't be taken apart.
    atoms: Vec<Claim<'a>>,
    /// Those of which one part is enough.
    choices: Vec<(&'a [Expr], bool, bool)>,
    /// The claims that hold choices, as they are.
    whole: Vec<Claim<'a>>,
}

/// Where claims are weighed against one another.
struct Scales<'a> {
    scope: &'a Scope,
    /// What names mean inside of definitions.
    inner: Scope,
    /// Definitions that may still be looked into.
    left: Cell<usize>,
}

impl<'a> Scales<'a> {
    fn new(scope: &'a Scope) -> Self {
        Self {
            scope,
            inner: Scope {
                has_contract: false,
                ..scope.clone()
            },
            left: Cell::new(DEFINITIONS_MAX),
        }
    }

    /// Whether all of these can hold together. `opened`: labels that were looked into.
    fn is_possible(&self, known: &[Claim<'a>], claims: &[Claim<'a>], opened: &[usize]) -> bool {
        let mut sorted = self.sorted(claims);
        sorted.atoms.extend_from_slice(known);
        let facts = Facts::of(&sorted.atoms, self.scope, &self.inner);
        if facts.is_contradictory() {
            return false;
        }
        let can_be = |part: &'a Expr, truth: bool, is_inner: bool, opened: &[usize]| {
            let claim = Claim {
                expr: part,
                truth,
                is_inner,
            };
            self.is_possible(&sorted.atoms, &[claim], opened)
        };
        let has_way = sorted.choices.iter().all(|(parts, truth, is_inner)| {
            parts
                .iter()
                .any(|part| can_be(part, *truth, *is_inner, opened))
        });
        has_way
            && facts.labels().all(|(index, words)| {
                let Some(lines) = self.lines(index, opened) else {
                    return true;
                };
                let opened = &[opened, &[index]].concat();
                lines.iter().any(|(word, condition)| {
                    let is_left = words.contains(word);
                    is_left
                        && condition.as_ref().is_none_or(|condition| {
                            can_be(condition, true, self.scope.has_contract, opened)
                        })
                })
            })
    }

    fn sorted(&self, claims: &[Claim<'a>]) -> Sorted<'a> {
        let mut sorted = Sorted::default();
        for claim in claims {
            self.sort(&mut sorted, *claim);
        }
        sorted
    }

    fn sort(&self, into: &mut Sorted<'a>, claim: Claim<'a>) {
        let Claim { truth, .. } = claim;
        let with = |expr, truth| Claim {
            expr,
            truth,
            ..claim
        };
        match &claim.expr.kind {
            ExprKind::Not(inner) => self.sort(into, with(inner, !truth)),
            ExprKind::And(parts) if truth => {
                parts
                    .iter()
                    .for_each(|part| self.sort(into, with(part, true)));
            }
            ExprKind::Or(parts) if !truth => {
                parts
                    .iter()
                    .for_each(|part| self.sort(into, with(part, false)));
            }
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                into.choices.push((parts, truth, claim.is_inner));
                into.whole.push(claim);
            }
            ExprKind::Segment(index) => {
                into.atoms.push(claim);
                let meant = self.scope.world.meanings.segments.get(*index);
                if let Some(Some(meant)) = meant.filter(|_| self.look()) {
                    let meant = Claim {
                        expr: meant,
                        truth,
                        is_inner: self.scope.has_contract,
                    };
                    self.sort(into, meant);
                }
            }
            _ => into.atoms.push(claim),
        }
    }

    fn lines(&self, label: usize, opened: &[usize]) -> Option<&'a [super::scope::Line]> {
        let lines = self.scope.world.meanings.labels.get(label)?;
        let is_new = !opened.contains(&label) && !lines.is_empty();
        (is_new && self.look()).then_some(lines)
    }

    /// Whether one more definition may be looked into.
    fn look(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}
