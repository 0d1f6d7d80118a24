//! Verdicts against brute force: every condition is evaluated in many small worlds.

use super::fixture;
use crate::expression::{Scope, Verdict, Want, can_hold, compile, verdict};
use crate::program::{Arithmetic, Comparison, Expr, ExprKind, Type};
use model::{Decimal, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A scope in which a segment and a label say something.
fn scope() -> Scope {
    let mut scope = fixture::contract();
    let account = Scope {
        has_contract: false,
        ..scope.clone()
    };
    let read = |text: &str| compile(text, &account, &Want::Condition).expect("a condition");
    let meanings = &mut Arc::make_mut(&mut scope.world).meanings;
    meanings.segments = vec![
        Some(read("csat < 2 or account.flagship")),
        Some(read("csat >= 3 and contract.status == active")),
    ];
    meanings.labels = vec![vec![
        ("high".into(), Some(read("account.arr >= 3"))),
        ("low".into(), Some(read("csat < 2 and not advocate_ready"))),
        ("tech".into(), None),
    ]];
    scope
}

/// What each leaf is in one world; leaves are named as they print, those of definitions apart.
type Worldly = BTreeMap<String, Option<Value>>;

struct Small<'a> {
    scope: &'a Scope,
    leaves: &'a Worldly,
    is_inner: bool,
}

impl Small<'_> {
    fn truth(&self, expr: &Expr) -> Option<bool> {
        match self.value(expr)? {
            Value::Bool(yes) => Some(yes),
            other => panic!("{other:?} is no truth"),
        }
    }

    fn number(&self, expr: &Expr) -> Option<Decimal> {
        self.value(expr)?.decimal()
    }

    fn inside(&self) -> Small<'_> {
        Small {
            is_inner: true,
            ..*self
        }
    }

    fn value(&self, expr: &Expr) -> Option<Value> {
        let yes = |truth: Option<bool>| truth.map(Value::Bool);
        let number = |number: Option<Decimal>| number.map(Value::Number);
        match &expr.kind {
            ExprKind::Const(value) => Some(value.clone()),
            ExprKind::Not(inner) => yes(self.truth(inner).map(|truth| !truth)),
            ExprKind::And(parts) => yes(self.joined(parts, false)),
            ExprKind::Or(parts) => yes(self.joined(parts, true)),
            ExprKind::Compare { how, left, right } => yes(self.compare(*how, left, right)),
            ExprKind::Between { value, low, high } => {
                yes(self.number(value).map(|it| *low <= it && it <= *high))
            }
            ExprKind::Among { value, list } => yes(self.value(value).map(|found| {
                let same = |item: &Expr| match (found.decimal(), self.number(item)) {
                    (Some(a), Some(b)) => a == b,
                    _ => self.value(item).as_ref() == Some(&found),
                };
                list.iter().any(same)
            })),
            ExprKind::Known(inner) => Some(Value::Bool(self.value(inner).is_some())),
            ExprKind::Else(a, b) => self.value(a).or_else(|| self.value(b)),
            ExprKind::Negate(a) => number(self.number(a).and_then(Decimal::neg)),
            ExprKind::Round(a) => number(self.number(a).and_then(Decimal::round)),
            ExprKind::Min(a, b) => number(self.both(a, b).map(|(a, b)| a.min(b))),
            ExprKind::Max(a, b) => number(self.both(a, b).map(|(a, b)| a.max(b))),
            ExprKind::Arithmetic { how, left, right } => {
                let (a, b) = self.both(left, right)?;
                number(match how {
                    Arithmetic::Add => a.add(b),
                    Arithmetic::Subtract => a.sub(b),
                    Arithmetic::Multiply => a.mul(b),
                    Arithmetic::Divide => a.div(b),
                })
            }
            ExprKind::DaysUntil(date) => self.leaf(date),
            ExprKind::DaysSince(date) => {
                number(self.leaf(date).and_then(|days| days.decimal()?.neg()))
            }
            ExprKind::Segment(index) => {
                let meant = &self.scope.world.meanings.segments[*index];
                self.inside().value(meant.as_ref().expect("a segment"))
            }
            ExprKind::Label(0) => {
                let lines = &self.scope.world.meanings.labels[0];
                let holds = |condition: &Expr| self.inside().truth(condition) == Some(true);
                let mut lines = lines.iter();
                let line = lines.find(|(_, condition)| condition.as_ref().is_none_or(holds));
                line.map(|(word, _)| Value::Word(word.clone()))
            }
            _ => self.leaf(expr),
        }
    }

    fn leaf(&self, expr: &Expr) -> Option<Value> {
        let name = leaf_name(expr, self.is_inner);
        self.leaves.get(&name).cloned().flatten()
    }

    fn both(&self, a: &Expr, b: &Expr) -> Option<(Decimal, Decimal)> {
        Some((self.number(a)?, self.number(b)?))
    }

    fn joined(&self, parts: &[Expr], decisive: bool) -> Option<bool> {
        let truths: Vec<Option<bool>> = parts.iter().map(|part| self.truth(part)).collect();
        match truths.contains(&Some(decisive)) {
            true => Some(decisive),
            false if truths.contains(&None) => None,
            false => Some(!decisive),
        }
    }

    fn compare(&self, how: Comparison, left: &Expr, right: &Expr) -> Option<bool> {
        let (a, b) = (self.value(left)?, self.value(right)?);
        let order = match (&a, &b, &left.ty) {
            (Value::Word(a), Value::Word(b), Type::Word(list)) => {
                let rank = |word: &str| list.words.iter().position(|known| &**known == word);
                rank(a).cmp(&rank(b))
            }
            _ => match (a.decimal(), b.decimal()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.text().cmp(&b.text()),
            },
        };
        Some(match how {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        })
    }
}

fn leaf_name(expr: &Expr, is_inner: bool) -> String {
    let is_apart = is_inner && matches!(expr.kind, ExprKind::Contract(_));
    format!("{}{:?}", if is_apart { "inner " } else { "" }, expr.kind)
}

/// The leaves of a condition with all they can be.
fn leaves(
    expr: &Expr,
    scope: &Scope,
    is_inner: bool,
    all: &mut BTreeMap<String, Vec<Option<Value>>>,
) {
    match &expr.kind {
        ExprKind::Segment(index) => {
            let meant = scope.world.meanings.segments[*index].as_ref();
            leaves(meant.expect("a segment"), scope, true, all);
        }
        ExprKind::Label(0) => {
            for (_, condition) in &scope.world.meanings.labels[0] {
                condition.iter().for_each(|it| leaves(it, scope, true, all));
            }
        }
        ExprKind::Const(_) => {}
        _ if expr.children().is_empty() => {
            all.insert(leaf_name(expr, is_inner), domain(expr, is_inner));
        }
        _ => {
            for part in expr.children() {
                leaves(part, scope, is_inner, all);
            }
        }
    }
}

fn domain(expr: &Expr, is_inner: bool) -> Vec<Option<Value>> {
    let halves = |from: i64, to: i64| {
        let halves = (from..=to).map(|half| Decimal::from_millionths(half * 500_000));
        halves.map(|it| Some(Value::Number(it)))
    };
    let whole = |from: i64, to: i64| halves(from * 2, to * 2).step_by(2);
    let (mut values, is_required): (Vec<Option<Value>>, bool) = match (&expr.kind, &expr.ty) {
        (ExprKind::Contract(field), Type::Word(list)) => {
            let words = list.words.iter();
            let words = words.map(|word| Some(Value::Word(word.clone())));
            (words.collect(), !is_inner && &**field == "status")
        }
        (_, Type::Word(list)) => {
            let words = list.words.iter();
            let words = words.map(|word| Some(Value::Word(word.clone())));
            (words.collect(), false)
        }
        (_, Type::Bool) => ([true, false].map(|it| Some(Value::Bool(it))).into(), false),
        (_, Type::Text) => {
            let texts = ["a", "b", "c"].map(|it| Some(Value::Text(it.into())));
            (texts.into(), true)
        }
        (_, Type::Date) => (whole(-4, 6).collect(), false),
        (ExprKind::Metric(7), _) => (whole(0, 6).collect(), false),
        _ => (halves(-6, 12).collect(), false),
    };
    if !is_required {
        values.push(None);
    }
    values
}

const WORLDS_MAX: usize = 1_500;

/// All worlds, or many of them where they are too many.
fn worlds(exprs: &[&Expr], scope: &Scope) -> Vec<Worldly> {
    let mut all = BTreeMap::new();
    exprs
        .iter()
        .for_each(|expr| leaves(expr, scope, false, &mut all));
    let count = all
        .values()
        .map(Vec::len)
        .fold(1_usize, usize::saturating_mul);
    let mut seed = 11_u64;
    (0..count.min(WORLDS_MAX))
        .map(|at| {
            let mut rest = at;
            let picked = all.iter().map(|(name, values)| {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let drawn = usize::try_from(seed >> 33).unwrap_or(0) % values.len();
                let in_turn = rest % values.len();
                rest /= values.len();
                let at = if count <= WORLDS_MAX { in_turn } else { drawn };
                (name.clone(), values[at].clone())
            });
            picked.collect()
        })
        .collect()
}

fn number() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "csat",
        "trainings_done",
        "account.arr",
        "days_until(contract.renewal_date)",
        "days_since(contract.renewal_date)",
        "csat + 1",
        "1 - csat",
        "csat * 2",
        "csat * -3",
        "csat / 2",
        "csat / -0.7",
        "-csat",
        "round(csat)",
        "min(csat, 2)",
        "max(trainings_done, 1)",
        "(csat else 1)",
        "(csat else trainings_done)",
        "csat + trainings_done",
    ])
    .prop_map(str::to_owned)
}

fn atom() -> impl Strategy<Value = String> {
    let sign = "==|!=|<|<=|>|>=";
    let constant = || prop::sample::select(vec!["-2", "0", "0.5", "1", "2", "3", "4"]);
    prop_oneof![
        6 => (number(), sign, constant()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        2 => (constant(), sign, number()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        2 => (number(), "in|not in", -3..3, 0..4)
            .prop_map(|(a, how, low, more)| format!("{a} {how} {low}..{}", low + more)),
        1 => (number(), "in|not in").prop_map(|(a, how)| format!("{a} {how} [0, 1, 2]")),
        2 => (sign, "trial|active|cancelled|expired")
            .prop_map(|(sign, word)| format!("contract.status {sign} {word}")),
        1 => "in|not in".prop_map(|how| format!("contract.status {how} [trial, active]")),
        1 => (sign, "bad|neutral|good").prop_map(|(sign, word)| format!("account.csm_sentiment {sign} {word}")),
        1 => ("==|!=", "a|b").prop_map(|(sign, text)| format!("account.name {sign} \"{text}\"")),
        1 => "in|not in".prop_map(|how| format!("account.name {how} [\"a\", \"b\"]")),
        1 => (number(), "known|unknown").prop_map(|(a, how)| format!("({a}) is {how}")),
        1 => Just("account.flagship".to_owned()),
        1 => Just("advocate_ready".to_owned()),
        1 => Just("onboarding_complete".to_owned()),
        1 => ("==|!=", "high|low|tech").prop_map(|(sign, word)| format!("touch {sign} {word}")),
        1 => Just("touch in [high, low]".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    atom().prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|all| format!("({})", all.join(") and ("))),
            2 => prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|all| format!("({})", all.join(") or ("))),
            1 => inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

fn truth(expr: &Expr, leaves: &Worldly, scope: &Scope) -> Option<bool> {
    let small = Small {
        scope,
        leaves,
        is_inner: false,
    };
    small.truth(expr)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn never_and_always_are_never_wrong(text in condition()) {
        let scope = scope();
        if let Ok(expr) = compile(&text, &scope, &Want::Condition) {
            let said = verdict(&expr, &scope);
            if said != Verdict::Open {
                for world in worlds(&[&expr], &scope) {
                    let found = truth(&expr, &world, &scope);
                    let fits = match said {
                        Verdict::Never => found != Some(true),
                        Verdict::Always => found == Some(true),
                        Verdict::Open => true,
                    };
                    prop_assert!(fits, "{text} is {said:?}, but {found:?} in {world:#?}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_hold_together_never_does(hold in condition(), also in atom(), stay in condition()) {
        let scope = scope();
        let read = |text: &str| compile(text, &scope, &Want::Condition).ok();
        if let (Some(hold), Some(also), Some(stay)) = (read(&hold), read(&also), read(&stay))
            && !can_hold(&[&hold, &also], &[&stay], &scope)
        {
            for world in worlds(&[&hold, &also, &stay], &scope) {
                let is_true = |expr: &Expr| truth(expr, &world, &scope) == Some(true);
                let together = is_true(&hold) && is_true(&also)
                    && truth(&stay, &world, &scope) != Some(false);
                prop_assert!(!together, "{world:#?}");
            }
        }
    }
}

#[test]
fn definitions_are_looked_into_and_another_contract_is_another() {
    let scope = scope();
    let account = Scope {
        has_contract: false,
        ..scope.clone()
    };
    for (text, here, around) in [
        (
            "advocate_ready and csat < 3",
            Verdict::Never,
            Verdict::Never,
        ),
        (
            "advocate_ready and contract.status == trial",
            Verdict::Open,
            Verdict::Never,
        ),
        (
            "touch == high and account.arr < 3",
            Verdict::Never,
            Verdict::Never,
        ),
        (
            "touch == tech and account.arr < 3",
            Verdict::Open,
            Verdict::Open,
        ),
        (
            "touch in [high, low] and account.arr < 3 and csat > 2",
            Verdict::Never,
            Verdict::Never,
        ),
    ] {
        for (scope, expected) in [(&scope, here), (&account, around)] {
            let expr = compile(text, scope, &Want::Condition).expect("a condition");
            assert_eq!(verdict(&expr, scope), expected, "{text}");
        }
    }
}
