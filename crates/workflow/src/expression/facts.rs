//! Facts: what claims that hold together say of each value, as one range, word set or text set per value.

use super::known::{is_always_known, known_when};
use super::part::{constant, counted, is_whole, parts};
use super::range::Range;
use super::scope::Scope;
use crate::program::{Comparison, Expr, ExprKind, Type};
use model::{Decimal, Value};
use std::collections::BTreeSet;

/// That an expression is true, or false.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    /// The expression.
    pub(super) expr: &'a Expr,
    /// Whether it is true; else it is false, not unknown.
    pub(super) truth: bool,
    /// Whether it stands in a definition, where `contract` may mean another one.
    pub(super) is_inner: bool,
}

/// A value, and whether it is read by a definition from another contract than the subject's.
type Key = (Expr, bool);

/// Words of a pick-list, or texts.
type Words = BTreeSet<Box<str>>;

/// What is known of a number.
struct Number {
    key: Key,
    range: Range,
    /// Ranges in which it does not lie.
    holes: Vec<Range>,
    is_whole: bool,
}

/// A text: those that it may be, if only some, and those that it is not.
type Text = (Key, Option<Words>, Words);

/// What is known of each value.
#[derive(Default)]
pub(super) struct Facts {
    numbers: Vec<Number>,
    words: Vec<(Key, Words)>,
    texts: Vec<Text>,
    known: Vec<Key>,
    unknown: Vec<Key>,
    is_contradictory: bool,
    is_inner: bool,
}

impl Facts {
    /// What the claims say together.
    pub(super) fn of(claims: &[Claim<'_>], scope: &Scope, inner: &Scope) -> Self {
        let mut facts = Self::default();
        for claim in claims {
            facts.is_inner = claim.is_inner;
            let scope = if claim.is_inner { inner } else { scope };
            facts.learn(claim.expr, claim.truth, scope);
        }
        facts.close();
        facts
    }

    /// Whether they can't hold together.
    pub(super) fn is_contradictory(&self) -> bool {
        self.is_contradictory
    }

    /// The range of every value that has one.
    pub(super) fn ranges(self) -> impl Iterator<Item = (Expr, Range)> {
        self.numbers
            .into_iter()
            .map(|number| (number.key.0, number.range))
    }

    /// Every label of which some words are left, with these words.
    pub(super) fn labels(&self) -> impl Iterator<Item = (usize, &BTreeSet<Box<str>>)> {
        self.words
            .iter()
            .filter_map(|((key, _), words)| match key.kind {
                ExprKind::Label(index) => Some((index, words)),
                _ => None,
            })
    }

    fn key(&self, expr: &Expr) -> Key {
        (expr.clone(), self.is_inner && reads_contract(expr))
    }

    fn learn(&mut self, expr: &Expr, truth: bool, scope: &Scope) {
        for known in known_when(expr, truth) {
            let key = self.key(&known);
            self.is_contradictory |= self.unknown.contains(&key);
            self.known.push(key);
        }
        match &expr.kind {
            ExprKind::Const(Value::Bool(yes)) => self.is_contradictory |= *yes != truth,
            ExprKind::Known(inner) if !truth => {
                let key = self.key(inner);
                self.is_contradictory |= is_always_known(inner, scope) || self.known.contains(&key);
                self.unknown.push(key);
            }
            ExprKind::Compare { how, left, right } => {
                let how = if truth { *how } else { negated(*how) };
                self.compare(how, left, right, scope);
            }
            ExprKind::Between { value, low, high } => {
                let range = Range::closed(*low, *high);
                match truth {
                    true => self.narrow(value, range, scope),
                    false => self.cut(value, range, scope),
                }
            }
            ExprKind::Among { value, list } => self.among(value, list, truth, scope),
            _ if expr.ty == Type::Bool => {
                let word: Box<str> = if truth { "true" } else { "false" }.into();
                self.limit(expr, BTreeSet::from([word]));
            }
            _ => {}
        }
    }

    fn compare(&mut self, how: Comparison, left: &Expr, right: &Expr, scope: &Scope) {
        match (constant(left), constant(right)) {
            (Some(one), Some(two)) => self.is_contradictory |= !holds(how, one, two),
            (None, Some(value)) => self.beside(how, left, value, scope),
            (Some(value), None) => self.beside(mirrored(how), right, value, scope),
            (None, None) => match (&left.kind, &right.kind) {
                (_, ExprKind::Const(Value::Word(word))) => self.word(how, left, word),
                (ExprKind::Const(Value::Word(word)), _) => self.word(mirrored(how), right, word),
                (_, ExprKind::Const(Value::Text(text))) => self.text(how, left, text),
                (ExprKind::Const(Value::Text(text)), _) => self.text(how, right, text),
                _ if left == right && !matches!(how, Comparison::Equal) => {
                    let can_be = matches!(how, Comparison::AtMost | Comparison::AtLeast);
                    self.is_contradictory |= !can_be;
                }
                _ => {}
            },
        }
    }

    fn beside(&mut self, how: Comparison, value: &Expr, number: Decimal, scope: &Scope) {
        match Range::new(how, number) {
            Some(range) => self.narrow(value, range, scope),
            None => self.cut(value, Range::closed(number, number), scope),
        }
    }

    fn word(&mut self, how: Comparison, value: &Expr, word: &str) {
        let Type::Word(list) = &value.ty else { return };
        let rank = |word: &str| list.words.iter().position(|known| &**known == word);
        let Some(pivot) = rank(word) else { return };
        let ranked = list.words.iter().enumerate();
        let fitting = ranked.filter(|(rank, _)| holds(how, *rank, pivot));
        self.limit(value, fitting.map(|(_, word)| word.clone()).collect());
    }

    fn text(&mut self, how: Comparison, value: &Expr, text: &str) {
        let texts = BTreeSet::from([text.into()]);
        match how {
            Comparison::Equal => self.texts(value, texts, true),
            Comparison::NotEqual => self.texts(value, texts, false),
            Comparison::Less | Comparison::AtMost | Comparison::Greater | Comparison::AtLeast => {}
        }
    }

    fn among(&mut self, value: &Expr, list: &[Expr], truth: bool, scope: &Scope) {
        let numbers: Option<Vec<Decimal>> = list.iter().map(constant).collect();
        if let Some(numbers) = numbers {
            if !truth {
                for number in numbers {
                    self.cut(value, Range::closed(number, number), scope);
                }
            } else if let (Some(low), Some(high)) = (numbers.iter().min(), numbers.iter().max()) {
                self.narrow(value, Range::closed(*low, *high), scope);
            }
            return;
        }
        let named: Option<BTreeSet<Box<str>>> = list
            .iter()
            .map(|item| match &item.kind {
                ExprKind::Const(value) => value.text().map(Into::into),
                _ => None,
            })
            .collect();
        match (&value.ty, named) {
            (Type::Word(all), Some(named)) => {
                let mut words: Words = all.words.iter().cloned().collect();
                words.retain(|word| named.contains(word) == truth);
                self.limit(value, words);
            }
            (Type::Text, Some(named)) => self.texts(value, named, truth),
            _ => {}
        }
    }

    fn limit(&mut self, value: &Expr, fitting: BTreeSet<Box<str>>) {
        let key = self.key(value);
        let known = self.words.iter_mut().find(|(known, _)| *known == key);
        let is_empty = match known {
            Some((_, words)) => {
                words.retain(|word| fitting.contains(word));
                words.is_empty()
            }
            None => {
                let is_empty = fitting.is_empty();
                self.words.push((key, fitting));
                is_empty
            }
        };
        self.is_contradictory |= is_empty;
    }

    /// That a text is one of these, or none of them.
    fn texts(&mut self, value: &Expr, texts: BTreeSet<Box<str>>, is_one: bool) {
        let key = self.key(value);
        let at = match self.texts.iter().position(|(known, _, _)| *known == key) {
            Some(at) => at,
            None => {
                self.texts.push((key, None, BTreeSet::new()));
                self.texts.len() - 1
            }
        };
        let (_, allowed, banned) = &mut self.texts[at];
        match (is_one, &mut *allowed) {
            (true, Some(allowed)) => allowed.retain(|text| texts.contains(text)),
            (true, None) => *allowed = Some(texts),
            (false, _) => banned.extend(texts),
        }
        let is_empty = allowed.as_ref().is_some_and(|all| all.is_subset(banned));
        self.is_contradictory |= is_empty;
    }

    /// A value lies in a range: so do its parts, as far as they can be told.
    fn narrow(&mut self, value: &Expr, range: Range, scope: &Scope) {
        if let Some(number) = constant(value) {
            let mut point = Range::closed(number, number);
            point.narrow(&range);
            self.is_contradictory |= point.is_empty();
            return;
        }
        for (part, range) in parts(value, &range) {
            self.narrow(part, range, scope);
        }
        let (expr, range) = counted(value, range, scope);
        self.number(&expr, scope).range.narrow(&range);
    }

    /// A value does not lie in a range.
    fn cut(&mut self, value: &Expr, hole: Range, scope: &Scope) {
        let (_, all) = counted(value, Range::default(), scope);
        let (expr, hole) = counted(value, hole, scope);
        let number = self.number(&expr, scope);
        number.holes.push(hole);
        number.range.narrow(&all);
    }

    fn number(&mut self, expr: &Expr, scope: &Scope) -> &mut Number {
        let key = self.key(expr);
        let known = self.numbers.iter().position(|number| number.key == key);
        let at = known.unwrap_or(self.numbers.len());
        if known.is_none() {
            self.numbers.push(Number {
                key,
                range: Range::default(),
                holes: Vec::new(),
                is_whole: is_whole(expr, scope),
            });
        }
        &mut self.numbers[at]
    }

    /// Draws the ranges in past their holes.
    fn close(&mut self) {
        for number in &mut self.numbers {
            for _ in 0..number.holes.len() {
                number.holes.iter().for_each(|hole| number.range.cut(hole));
                if number.is_whole {
                    number.range = number.range.clone().whole();
                }
            }
            self.is_contradictory |= number.range.is_empty();
        }
    }
}

fn reads_contract(expr: &Expr) -> bool {
    let mut does = false;
    expr.each(&mut |part| does |= matches!(part.kind, ExprKind::Contract(_)));
    does
}

fn holds<T: PartialOrd>(how: Comparison, one: T, two: T) -> bool {
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
