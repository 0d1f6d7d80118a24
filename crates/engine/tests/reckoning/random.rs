//! Random programs, conditions and histories.

use crate::dice::Dice;
use crate::slow::{hour, serial};
use crate::world::{Raw, empty, whole};
use engine::calendar::{at_time, day_of, from_number};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{Decimal, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use workflow::Program;
use workflow::program::{
    Aggregate, Arithmetic, Bands, Comparison, Expr, ExprKind, Health, HealthName, Label, Measure,
    Metric, Period, PeriodUnit, PeriodWhich, PickList, Reduce, Segment, Side, Source, Type, Window,
};

/// How many metrics of events there are; formulas come after them.
const EVENT_METRICS: usize = 12;
/// With the formulas.
const METRICS: usize = EVENT_METRICS + 4;
/// The segments that hold the conditions of the test.
pub(crate) const TESTED: std::ops::Range<usize> = 2..12;

/// How fast the time of a world goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Days change things: followed for months.
    Days,
    /// Hours too: followed for weeks.
    Hours,
    /// Most conditions ask for hours: followed minute by minute.
    Minutes,
}

impl Pace {
    /// Seconds before and after now in which dates lie.
    fn span(self) -> (i64, i64) {
        match self {
            Self::Days | Self::Hours => (-150 * 86_400, 400 * 86_400),
            Self::Minutes => (-60 * 3_600, 30 * 3_600),
        }
    }
}

/// Makes expressions.
pub(crate) struct Maker<'d> {
    pub(crate) dice: &'d mut Dice,
    /// Which of hours and days are asked for.
    pub(crate) pace: Pace,
    /// How many metrics, segments and labels may be named.
    names: (usize, usize, usize),
    has_health: bool,
    metrics: Vec<Type>,
}

/// A whole program and its tested condition as segment [`TESTED`].
pub(crate) fn program(dice: &mut Dice, pace: Pace) -> Program {
    let mut program = empty();
    if dice.chance(70) {
        let day = from_number(i32::try_from(dice.between(16_000, 21_000)).expect("small"));
        program.complete_since.all = day.filter(|_| dice.chance(60));
        if dice.chance(30) {
            let day = from_number(i32::try_from(dice.between(16_000, 21_000)).expect("small"));
            program
                .complete_since
                .events
                .extend(day.map(|day| ("login".into(), day)));
        }
    }
    let mut maker = Maker {
        dice,
        pace,
        names: (0, 0, 0),
        has_health: false,
        metrics: Vec::new(),
    };
    for index in 0..METRICS {
        let metric = maker.metric(index);
        maker.metrics.push(metric.ty.clone());
        program.metrics.push(metric);
        maker.names.0 = index + 1;
    }
    maker.pace = Pace::Days;
    let has_health = maker.dice.chance(35);
    program.health = has_health.then(|| maker.health());
    maker.pace = pace;
    for index in 0..2 {
        program.segments.push(Segment {
            name: format!("s{index}").into(),
            condition: maker.truth(2),
        });
        maker.names.1 = index + 1;
        program.labels.push(maker.label(index));
        maker.names.2 = index + 1;
        maker.has_health = has_health;
    }
    for index in TESTED {
        program.segments.push(Segment {
            name: format!("tested{index}").into(),
            condition: maker.truth(4),
        });
    }
    program
}

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty }
}

fn boxed(kind: ExprKind, ty: Type) -> Box<Expr> {
    Box::new(expr(kind, ty))
}

fn words() -> Arc<PickList> {
    Arc::new(PickList {
        words: ["a", "b", "c"].map(Box::from).to_vec(),
        is_ordered: false,
    })
}

impl Maker<'_> {
    fn window(&mut self) -> Window {
        match self.dice.between(0, 9) {
            0 if self.pace != Pace::Days => Window::Hours(*self.dice.pick(&[1, 6, 24])),
            0..=5 => Window::Days(*self.dice.pick(&[1, 2, 7, 14, 28, 33, 70])),
            6 | 7 => Window::Since(expr(ExprKind::Account("since".into()), Type::Date)),
            _ => Window::Ever,
        }
    }

    fn metric(&mut self, index: usize) -> Metric {
        let name = format!("m{index}").into();
        if index >= EVENT_METRICS {
            let formula = self.formula(index);
            return Metric {
                name,
                source: Source::Formula(formula),
                ty: Type::Number,
            };
        }
        let how = match self.dice.between(0, 9) {
            0..=3 => Reduce::Count,
            4 | 5 => Reduce::CountDistinct("user".into()),
            6 => Reduce::Sum("amount".into()),
            7 => self
                .dice
                .pick(&[
                    Reduce::Average("amount".into()),
                    Reduce::Min("amount".into()),
                    Reduce::Max("amount".into()),
                ])
                .clone(),
            8 => Reduce::Latest,
            _ => Reduce::Earliest,
        };
        let mut window = self.window();
        if matches!((&how, &window), (Reduce::Earliest, Window::Hours(_))) {
            window = Window::Days(7);
        }
        let ty = match how {
            Reduce::Latest | Reduce::Earliest => Type::Time,
            Reduce::Count
            | Reduce::CountDistinct(_)
            | Reduce::Sum(_)
            | Reduce::Average(_)
            | Reduce::Min(_)
            | Reduce::Max(_) => Type::Number,
        };
        let condition = self
            .dice
            .chance(30)
            .then(|| expr(ExprKind::Event("good".into()), Type::Bool));
        let event = *self.dice.pick(&["login", "login", "answer"]);
        let field = match &how {
            Reduce::Count | Reduce::Latest | Reduce::Earliest => "",
            Reduce::CountDistinct(field)
            | Reduce::Sum(field)
            | Reduce::Average(field)
            | Reduce::Min(field)
            | Reduce::Max(field) => field,
        };
        let basis = format!("{event}.{field}?{}", condition.is_some()).into();
        Metric {
            name,
            source: Source::Events(Box::new(Aggregate {
                how,
                event: event.into(),
                condition,
                basis,
                window,
            })),
            ty,
        }
    }

    /// The first formula is one event's counts over one window, like `nps`; the second a share of the seats.
    fn formula(&mut self, index: usize) -> Expr {
        let divide = |left, right| {
            expr(
                ExprKind::Arithmetic {
                    how: Arithmetic::Divide,
                    left,
                    right,
                },
                Type::Number,
            )
        };
        let seats = || boxed(ExprKind::Contract("seats".into()), Type::Number);
        if index == EVENT_METRICS {
            let (left, right) = (self.metric_name(), self.metric_name());
            return divide(Box::new(left), Box::new(right));
        }
        if index == EVENT_METRICS + 1 {
            let count = self.metric_name();
            return divide(Box::new(count), seats());
        }
        self.number(2)
    }

    /// A metric that is a number.
    fn metric_name(&mut self) -> Expr {
        for _ in 0..30 {
            if self.names.0 == 0 {
                break;
            }
            let last = i64::try_from(self.names.0).expect("few") - 1;
            let index = usize::try_from(self.dice.between(0, last)).expect("few");
            if self.metrics[index] == Type::Number {
                let kind = match self.dice.between(0, 9) {
                    0 => ExprKind::Previous(index),
                    1 => ExprKind::Change(index),
                    _ => ExprKind::Metric(index),
                };
                return expr(kind, Type::Number);
            }
        }
        self.constant()
    }

    fn constant(&mut self) -> Expr {
        let halves = self.dice.between(-10, 80);
        let number =
            Decimal::from_millionths(halves * *self.dice.pick(&[500_000, 1_000_000, 1_000_000]));
        expr(ExprKind::Const(Value::Number(number)), Type::Number)
    }

    fn date(&mut self) -> Expr {
        if self.dice.chance(30) && self.names.0 > 0 {
            let times: Vec<usize> = (0..self.names.0)
                .filter(|at| self.metrics[*at] == Type::Time)
                .collect();
            if !times.is_empty() {
                return expr(ExprKind::Metric(*self.dice.pick(&times)), Type::Time);
            }
        }
        match self.dice.between(0, 3) {
            0 => expr(ExprKind::Account("since".into()), Type::Date),
            1 => expr(ExprKind::Account("met_at".into()), Type::Time),
            _ => expr(ExprKind::Contract("renewal".into()), Type::Date),
        }
    }

    fn clock(&mut self) -> Expr {
        let date = Box::new(self.date());
        let kind = match self.dice.between(0, 5) {
            0..=3 if self.pace == Pace::Minutes => ExprKind::HoursSince(date),
            0 | 1 => ExprKind::DaysUntil(date),
            2 => ExprKind::DaysSince(date),
            3 => ExprKind::BusinessDaysUntil(date),
            4 => ExprKind::BusinessDaysSince(date),
            _ if self.pace == Pace::Hours => ExprKind::HoursSince(date),
            _ => ExprKind::DaysSince(date),
        };
        expr(kind, Type::Number)
    }

    pub(crate) fn number(&mut self, depth: u8) -> Expr {
        if depth == 0 || self.dice.chance(30) {
            return match self.dice.between(0, 9) {
                0 => self.constant(),
                1 => expr(ExprKind::Contract("seats".into()), Type::Number),
                2 if self.has_health => expr(ExprKind::Health(HealthName::Score), Type::Number),
                2..=5 => self.clock(),
                6..=8 if self.pace == Pace::Minutes => self.clock(),
                _ => self.metric_name(),
            };
        }
        let one = Box::new(self.number(depth - 1));
        let kind = match self.dice.between(0, 9) {
            0 => ExprKind::Negate(one),
            1 => ExprKind::Round(one),
            2 => ExprKind::Min(one, Box::new(self.number(depth - 1))),
            3 => ExprKind::Max(one, Box::new(self.number(depth - 1))),
            4 | 5 => ExprKind::Else(one, Box::new(self.number(depth - 1))),
            _ => ExprKind::Arithmetic {
                how: *self.dice.pick(&[
                    Arithmetic::Add,
                    Arithmetic::Subtract,
                    Arithmetic::Multiply,
                    Arithmetic::Divide,
                ]),
                left: one,
                right: if self.dice.chance(50) {
                    Box::new(self.constant())
                } else {
                    Box::new(self.number(depth - 1))
                },
            },
        };
        expr(kind, Type::Number)
    }

    fn named_truth(&mut self) -> Option<ExprKind> {
        let pick = |dice: &mut Dice, len: usize| {
            (len > 0).then(|| {
                usize::try_from(dice.between(0, i64::try_from(len).expect("few") - 1)).expect("few")
            })
        };
        match self.dice.between(0, 2) {
            0 => Some(ExprKind::Segment(pick(self.dice, self.names.1)?)),
            1 => {
                let label = pick(self.dice, self.names.2)?;
                let word = Value::Word((*self.dice.pick(&["a", "b", "c"])).into());
                let left = boxed(ExprKind::Label(label), Type::Word(words()));
                let right = boxed(ExprKind::Const(word), Type::Word(words()));
                Some(ExprKind::Compare {
                    how: Comparison::Equal,
                    left,
                    right,
                })
            }
            _ if self.has_health => {
                let word = Value::Word((*self.dice.pick(&["red", "yellow", "green"])).into());
                let bands = Type::Word(Arc::new(PickList {
                    words: ["red", "yellow", "green"].map(Box::from).to_vec(),
                    is_ordered: true,
                }));
                let left = boxed(ExprKind::Health(HealthName::Band), bands.clone());
                let right = boxed(ExprKind::Const(word), bands);
                Some(ExprKind::Compare {
                    how: *self.dice.pick(&[Comparison::Equal, Comparison::AtLeast]),
                    left,
                    right,
                })
            }
            _ => None,
        }
    }

    pub(crate) fn truth(&mut self, depth: u8) -> Expr {
        let kind = if depth > 0 && self.dice.chance(55) {
            match self.dice.between(0, 4) {
                0 => ExprKind::Not(Box::new(self.truth(depth - 1))),
                1 | 2 => ExprKind::And(vec![self.truth(depth - 1), self.truth(depth - 1)]),
                _ => ExprKind::Or(vec![self.truth(depth - 1), self.truth(depth - 1)]),
            }
        } else {
            self.comparison(depth)
        };
        expr(kind, Type::Bool)
    }

    fn comparison(&mut self, depth: u8) -> ExprKind {
        if self.dice.chance(20)
            && let Some(kind) = self.named_truth()
        {
            return kind;
        }
        let depth = depth.min(2);
        match self.dice.between(0, 9) {
            0 => ExprKind::InPeriod {
                date: Box::new(self.date()),
                which: *self
                    .dice
                    .pick(&[PeriodWhich::This, PeriodWhich::Next, PeriodWhich::Last]),
                unit: *self.dice.pick(&[
                    PeriodUnit::Week,
                    PeriodUnit::Month,
                    PeriodUnit::Quarter,
                    PeriodUnit::Year,
                ]),
            },
            1 => ExprKind::Known(Box::new(self.number(depth.min(1)))),
            2 => ExprKind::Known(Box::new(self.date())),
            3 => {
                let low = self.dice.between(-20, 60);
                ExprKind::Between {
                    value: Box::new(self.number(depth)),
                    low: whole(low),
                    high: whole(low + self.dice.between(0, 30)),
                }
            }
            4 => ExprKind::Among {
                value: Box::new(self.number(depth)),
                list: vec![self.constant(), self.constant()],
            },
            _ => {
                let how = *self.dice.pick(&[
                    Comparison::Equal,
                    Comparison::NotEqual,
                    Comparison::Less,
                    Comparison::AtMost,
                    Comparison::Greater,
                    Comparison::AtLeast,
                ]);
                let left = Box::new(self.number(depth));
                let right = if self.dice.chance(80) {
                    self.constant()
                } else {
                    self.number(depth.min(1))
                };
                ExprKind::Compare {
                    how,
                    left,
                    right: Box::new(right),
                }
            }
        }
    }

    fn label(&mut self, index: usize) -> Label {
        let mut lines: Vec<(Box<str>, Option<Expr>)> = ["a", "b"]
            .map(|word| (Box::from(word), Some(self.truth(1))))
            .to_vec();
        if self.dice.chance(60) {
            lines.push(("c".into(), None));
        }
        Label {
            name: format!("l{index}").into(),
            lines,
            words: words(),
        }
    }

    fn health(&mut self) -> Health {
        let half = Decimal::from_millionths(500_000);
        let side = |maker: &mut Self| Side {
            weight: half,
            measures: (0..2).map(|at| maker.measure(at, half)).collect(),
        };
        let (outcome, experience) = (side(self), side(self));
        Health {
            outcome,
            experience,
            points: [whole(100), whole(50), whole(0)],
            bands: Bands {
                green: whole(70),
                yellow: whole(40),
            },
            margin: whole(*self.dice.pick(&[0, 5, 12])),
            hold: *self.dice.pick(&[
                Period::Days(0),
                Period::Days(2),
                Period::Days(9),
                Period::Seconds(5_000),
                Period::BusinessDays(2),
            ]),
            needs: Decimal::from_millionths(*self.dice.pick(&[0, 400_000, 800_000])),
            red_if: self.dice.chance(30).then(|| self.truth(1)),
        }
    }

    fn measure(&mut self, at: usize, weight: Decimal) -> Measure {
        let lower_is_better = self.dice.chance(30);
        let (low, high) = (self.dice.between(0, 10), self.dice.between(10, 40));
        let (green, yellow) = if lower_is_better {
            (low, high)
        } else {
            (high, low)
        };
        let constant = |number| expr(ExprKind::Const(Value::Number(whole(number))), Type::Number);
        Measure {
            name: format!("measure{at}").into(),
            value: if self.dice.chance(20) {
                expr(ExprKind::Account("score".into()), Type::Number)
            } else {
                self.number(1)
            },
            green: constant(green),
            yellow: constant(yellow),
            lower_is_better,
            weight,
            stale_after: self.dice.chance(40).then(|| {
                *self
                    .dice
                    .pick(&[Period::Days(20), Period::Days(3), Period::Seconds(9_000)])
            }),
        }
    }
}

/// What happens, in order of arrival: bursts of events, some of them late.
pub(crate) fn history(dice: &mut Dice, first: Date, zone: &TimeZone, days: i64) -> Vec<Raw> {
    let mut raw = Vec::new();
    for _ in 0..dice.between(0, 5) {
        let from = dice.between(0, days - 1);
        let span = dice.between(0, 20);
        for _ in 0..dice.between(1, 9) {
            let day = first.saturating_add(
                jiff::Span::new().days((from + dice.between(0, span)).min(days - 1)),
            );
            let time =
                Time::constant(0, 0, 0, 0) + SignedDuration::from_mins(dice.between(0, 1_439));
            let arrived_at = at_time(day, time, zone);
            let late = if dice.chance(15) {
                dice.between(1, 40 * 24)
            } else {
                0
            };
            let at = arrived_at - SignedDuration::from_hours(late);
            raw.push(Raw {
                at,
                day: serial(day_of(at, zone)),
                arrived_day: serial(day_of(arrived_at, zone)),
                hour: hour(at, zone),
                arrived_at,
                kind: dice.pick::<&str>(&["login", "login", "login", "answer", "answer", "noise"]),
                fields: BTreeMap::from([
                    (
                        "user".into(),
                        Value::Text(format!("u{}", dice.between(0, 5)).into()),
                    ),
                    ("amount".into(), Value::Number(whole(dice.between(-3, 30)))),
                    ("good".into(), Value::Bool(dice.chance(50))),
                ]),
            });
        }
    }
    raw.sort_by_key(|one| one.arrived_at);
    raw
}

/// A day or instant some way from another.
pub(crate) fn around(dice: &mut Dice, at: Timestamp, pace: Pace) -> Timestamp {
    let (before, after) = pace.span();
    at + SignedDuration::from_secs(dice.between(before, after))
}
