//! The slow evaluator: it asks the raw events each time.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use crate::world::{Raw, World, whole};
use engine::calendar::{add, day_of, is_business_day, start_of};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{Decimal, Value};
use std::sync::OnceLock;
use workflow::program::{
    Aggregate, Arithmetic, Band, Comparison, Expr, ExprKind, HealthName, Measure, PeriodUnit,
    PeriodWhich, Reduce, Source, Window,
};

/// What a number or an instant is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Is<T> {
    Known(T),
    AtLeast(T),
    Unseen,
    Unknown,
}

impl<T> Is<T> {
    fn of(value: Option<T>) -> Self {
        value.map_or(Is::Unknown, Is::Known)
    }
}

/// The world at an instant.
#[derive(Clone, Copy)]
pub(crate) struct Slow<'a> {
    pub(crate) world: &'a World,
    pub(crate) now: Timestamp,
    /// The band as the slow watcher has it.
    pub(crate) band: Option<Band>,
    as_seen: bool,
    today: Date,
    now_hour: i64,
}

/// Working days up to each day from 1970 on, counted one by one.
static WORKED: OnceLock<Vec<i64>> = OnceLock::new();

pub(crate) fn serial(day: Date) -> i64 {
    let epoch = Date::constant(1970, 1, 1);
    i64::from(epoch.until(day).expect("days of this age").get_days())
}

/// The second with which an hour of the wall clock begins.
pub(crate) fn hour(at: Timestamp, zone: &TimeZone) -> i64 {
    let civil = zone.to_datetime(at);
    at.as_second() - i64::from(civil.minute()) * 60 - i64::from(civil.second())
}

impl<'a> Slow<'a> {
    pub(crate) fn new(world: &'a World, now: Timestamp, band: Option<Band>) -> Self {
        Self {
            world,
            now,
            band,
            as_seen: false,
            today: day_of(now, &world.zone),
            now_hour: hour(now, &world.zone),
        }
    }

    pub(crate) fn truth(&self, expr: &Expr) -> Option<bool> {
        match &expr.kind {
            ExprKind::Not(one) => self.truth(one).map(|yes| !yes),
            ExprKind::And(all) => all_of(all.iter().map(|one| self.truth(one))),
            ExprKind::Or(all) => any_of(all.iter().map(|one| self.truth(one))),
            ExprKind::Segment(index) => self.truth(&self.world.program.segments[*index].condition),
            ExprKind::Compare { how, left, right } => self.comparison(*how, left, right),
            ExprKind::Between { value, low, high } => {
                let value = self.number(value);
                let above = compare(Comparison::AtLeast, value, Is::Known(*low));
                let below = compare(Comparison::AtMost, value, Is::Known(*high));
                match (above, below) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                }
            }
            ExprKind::Among { value, list } => {
                let same = |one| compare(Comparison::Equal, self.number(value), self.number(one));
                any_of(list.iter().map(same))
            }
            ExprKind::InPeriod { date, which, unit } => match self.time(date) {
                Is::Known(day) => Some(self.in_period(day.0, *which, *unit)),
                _ => None,
            },
            ExprKind::Known(one) if one.ty == workflow::program::Type::Number => {
                known(self.number(one))
            }
            ExprKind::Known(one) => known(self.time(one)),
            other => panic!("no condition: {other:?}"),
        }
    }

    fn comparison(&self, how: Comparison, left: &Expr, right: &Expr) -> Option<bool> {
        match (&left.kind, &right.kind) {
            (ExprKind::Label(label), ExprKind::Const(word)) => {
                let own = self.label(*label)?;
                Some(word.text() == Some(own))
            }
            (ExprKind::Health(HealthName::Band), ExprKind::Const(word)) => {
                let rank = |word: &str| {
                    ["red", "yellow", "green"]
                        .iter()
                        .position(|one| *one == word)
                };
                let own = rank(engine::health::word(self.band?))?;
                let other = rank(word.text()?)?;
                Some(if how == Comparison::Equal {
                    own == other
                } else {
                    own >= other
                })
            }
            _ => compare(how, self.number(left), self.number(right)),
        }
    }

    fn label(&self, index: usize) -> Option<&'a str> {
        for (word, condition) in &self.world.program.labels[index].lines {
            match condition {
                None => return Some(word),
                Some(condition) if self.truth(condition) == Some(true) => return Some(word),
                Some(_) => {}
            }
        }
        None
    }

    /// Walks month by month, so that no arithmetic of months is shared.
    fn in_period(&self, day: Date, which: PeriodWhich, unit: PeriodUnit) -> bool {
        let key = |day: Date| -> i64 {
            let month = i64::from(day.year()) * 12 + i64::from(day.month()) - 1;
            match unit {
                // 1970-01-05 was a Monday.
                PeriodUnit::Week => (serial(day) - 4).div_euclid(7),
                PeriodUnit::Month => month,
                // The fiscal year starts in April, as a quarter of the calendar does.
                PeriodUnit::Quarter => month.div_euclid(3),
                PeriodUnit::Year => (month - 3).div_euclid(12),
            }
        };
        let distance = key(day) - key(self.today);
        match which {
            PeriodWhich::This => distance == 0,
            PeriodWhich::Next => distance == 1,
            PeriodWhich::Last => distance == -1,
        }
    }

    /// The day and the instant of a date or time.
    fn time(&self, expr: &Expr) -> Is<(Date, Timestamp)> {
        let value = match &expr.kind {
            ExprKind::Account(name) => self.world.account.get(name),
            ExprKind::Contract(name) => self.world.contract.get(name),
            ExprKind::Metric(index) => {
                let Source::Events(aggregate) = &self.world.program.metrics[*index].source else {
                    panic!("a time is made of events");
                };
                return self.moment(aggregate);
            }
            other => panic!("no date: {other:?}"),
        };
        match value {
            Some((Value::Date(day), _)) => Is::Known((*day, start_of(*day, &self.world.zone))),
            Some((Value::Time(at), _)) => Is::Known((day_of(*at, &self.world.zone), *at)),
            _ => Is::Unknown,
        }
    }

    fn meant(&self, aggregate: &Aggregate) -> Vec<&'a Raw> {
        let kind = &*aggregate.event;
        let all = self.world.raw.iter().filter(|raw| raw.kind == kind);
        all.filter(|raw| {
            aggregate.condition.is_none() || raw.fields.get("good") == Some(&Value::Bool(true))
        })
        .collect()
    }

    /// The events of a window; none: there is no such window.
    fn window(&self, aggregate: &Aggregate, before: bool) -> Option<(Vec<&'a Raw>, bool)> {
        let today = serial(self.today);
        let mut events = self.meant(aggregate);
        let coverage = &self.world.program.complete_since;
        let told = coverage
            .events
            .get(&aggregate.event)
            .or(coverage.all.as_ref())
            .map(|day| serial(*day));
        let first_seen = self
            .world
            .raw
            .iter()
            .find(|raw| *raw.kind == *aggregate.event);
        let from = told.or(first_seen.map(|raw| raw.arrived_day));
        let begins = match (&aggregate.window, before) {
            (Window::Days(days), false) => {
                let begins = today - i64::from(*days) + 1;
                events.retain(|raw| raw.day >= begins);
                begins
            }
            (Window::Days(days), true) => {
                let days = i64::from(*days);
                events.retain(|raw| (today - 2 * days + 1..=today - days).contains(&raw.day));
                today - 2 * days + 1
            }
            (Window::Hours(hours), _) => {
                let hour = self.now_hour;
                let length = i64::from(*hours) * 3_600;
                let end = if before { hour - length } else { hour };
                events.retain(|raw| raw.hour > end - length && (!before || raw.hour <= end));
                let start = from.map(|day| {
                    let day = Date::constant(1970, 1, 1) + jiff::Span::new().days(day);
                    start_of(day, &self.world.zone).as_second()
                });
                let covered = start.is_some_and(|start| start <= end - length + 3_600);
                return Some((events, covered));
            }
            (Window::Since(_), false) => {
                let Some((Value::Date(day), _)) = self.world.account.get("since") else {
                    return None;
                };
                events.retain(|raw| raw.day >= serial(*day));
                serial(*day)
            }
            (Window::Ever, false) => {
                let first = self.world.raw.iter().map(|raw| raw.day).min();
                let covered = !self.world.began_in_history
                    && first.zip(from).is_some_and(|(first, from)| from <= first);
                return Some((events, covered));
            }
            (Window::Since(_) | Window::Ever, true) => return None,
        };
        Some((events, from.is_some_and(|from| from <= begins)))
    }

    /// How many windows are covered, and how much of the measures' weight is known.
    pub(crate) fn known_parts(&self) -> (usize, Decimal) {
        let metrics = self.world.program.metrics.iter();
        let covered = metrics.filter(|metric| match &metric.source {
            Source::Events(aggregate) => self
                .window(aggregate, false)
                .is_some_and(|(_, covered)| covered),
            Source::Formula(_) => false,
        });
        let health = self.world.program.health.as_ref();
        let known = health.map_or(Decimal::ZERO, |_| self.score().1);
        (covered.count(), known)
    }

    fn moment(&self, aggregate: &Aggregate) -> Is<(Date, Timestamp)> {
        let Some((events, covered)) = self.window(aggregate, false) else {
            return Is::Unknown;
        };
        let times = events.iter().map(|raw| raw.at);
        let at = if aggregate.how == Reduce::Latest {
            times.max()
        } else {
            times.min()
        };
        match at {
            Some(at) => Is::Known((day_of(at, &self.world.zone), at)),
            None if covered => Is::Unknown,
            None => Is::Unseen,
        }
    }

    fn aggregate(&self, aggregate: &Aggregate, before: bool) -> Is<Decimal> {
        let Some((events, covered)) = self.window(aggregate, before) else {
            return Is::Unknown;
        };
        let counted = |count: usize| {
            let count = Decimal::from_count(u32::try_from(count).expect("few"));
            if covered || self.as_seen {
                Is::Known(count)
            } else {
                Is::AtLeast(count)
            }
        };
        let amounts: Vec<i64> = events
            .iter()
            .filter_map(|raw| Some(raw.fields.get("amount")?.decimal()?.millionths()))
            .collect();
        let number = |millionths: i64| Is::Known(Decimal::from_millionths(millionths));
        match &aggregate.how {
            Reduce::Count => counted(events.len()),
            Reduce::CountDistinct(_) => {
                if before && matches!(aggregate.window, Window::Hours(_)) {
                    return Is::Unknown;
                }
                let mut users: Vec<_> = events
                    .iter()
                    .filter_map(|raw| raw.fields.get("user")?.text())
                    .collect();
                users.sort_unstable();
                users.dedup();
                counted(users.len())
            }
            Reduce::Sum(_) if covered => number(amounts.iter().sum()),
            Reduce::Sum(_) => Is::Unknown,
            Reduce::Average(_) if !amounts.is_empty() => {
                let sum = Decimal::from_millionths(amounts.iter().sum());
                let count = Decimal::from_count(u32::try_from(amounts.len()).expect("few"));
                Is::of(sum.div(count))
            }
            Reduce::Min(_) => amounts.iter().min().map_or(Is::Unknown, |one| number(*one)),
            Reduce::Max(_) => amounts.iter().max().map_or(Is::Unknown, |one| number(*one)),
            Reduce::Average(_) | Reduce::Latest | Reduce::Earliest => Is::Unknown,
        }
    }

    fn metric(&self, index: usize) -> Is<Decimal> {
        match &self.world.program.metrics[index].source {
            Source::Formula(formula) => self.number(formula),
            Source::Events(aggregate) => self.aggregate(aggregate, false),
        }
    }

    fn change(&self, index: usize) -> Is<Decimal> {
        let Source::Events(aggregate) = &self.world.program.metrics[index].source else {
            return Is::Unknown;
        };
        let Some((_, true)) = self.window(aggregate, true) else {
            return Is::Unknown;
        };
        let first = self.world.raw.iter().min_by_key(|raw| raw.day);
        let is_young = first.is_none_or(|first| match &aggregate.window {
            Window::Days(days) => first.day > serial(self.today) - 2 * i64::from(*days) + 1,
            Window::Hours(hours) => {
                let begins = self.now_hour - (2 * i64::from(*hours) - 1) * 3_600;
                let day = Date::constant(1970, 1, 1) + jiff::Span::new().days(first.day);
                start_of(day, &self.world.zone).as_second() > begins
            }
            Window::Since(_) | Window::Ever => true,
        });
        match (
            self.aggregate(aggregate, false),
            self.aggregate(aggregate, true),
        ) {
            (Is::Known(now), Is::Known(then)) if !is_young => {
                Is::of(now.sub(then).and_then(|more| more.div(then)))
            }
            _ => Is::Unknown,
        }
    }

    /// What is counted, if an expression is made only of counts of one event over one window.
    fn counted(&self, expr: &Expr) -> Result<Vec<&'a Aggregate>, ()> {
        match &expr.kind {
            ExprKind::Const(_) => Ok(Vec::new()),
            ExprKind::Metric(index) => match &self.world.program.metrics[*index].source {
                Source::Formula(formula) => self.counted(formula),
                Source::Events(one)
                    if matches!(one.how, Reduce::Count | Reduce::CountDistinct(_)) =>
                {
                    Ok(vec![one])
                }
                Source::Events(_) => Err(()),
            },
            ExprKind::Arithmetic { left, right, .. } => {
                let mut all = self.counted(left)?;
                all.extend(self.counted(right)?);
                Ok(all)
            }
            ExprKind::Negate(one) | ExprKind::Round(one) => self.counted(one),
            _ => Err(()),
        }
    }

    fn quotient_of_counts(&self, left: &Expr, right: &Expr) -> bool {
        let (Ok(above), Ok(below)) = (self.counted(left), self.counted(right)) else {
            return false;
        };
        let all: Vec<_> = above
            .iter()
            .chain(&below)
            .map(|one| (&one.event, &one.window))
            .collect();
        !above.is_empty() && !below.is_empty() && all.iter().all(|one| *one == all[0])
    }

    fn number(&self, expr: &Expr) -> Is<Decimal> {
        let int = |days: i64| Is::of(Decimal::from_int(days));
        let today = self.today;
        match &expr.kind {
            ExprKind::Const(value) => Is::of(value.decimal()),
            ExprKind::Account(name) => Is::of(
                self.world
                    .account
                    .get(name)
                    .and_then(|(value, _)| value.decimal()),
            ),
            ExprKind::Contract(name) => Is::of(
                self.world
                    .contract
                    .get(name)
                    .and_then(|(value, _)| value.decimal()),
            ),
            ExprKind::Metric(index) => self.metric(*index),
            ExprKind::Previous(index) => match &self.world.program.metrics[*index].source {
                Source::Events(aggregate) => self.aggregate(aggregate, true),
                Source::Formula(_) => Is::Unknown,
            },
            ExprKind::Change(index) => self.change(*index),
            ExprKind::Health(_) => Is::of(self.score().0),
            ExprKind::DaysUntil(date) => self.clocked(date, |day| int(serial(day) - serial(today))),
            ExprKind::DaysSince(date) => self.clocked(date, |day| int(serial(today) - serial(day))),
            ExprKind::BusinessDaysUntil(date) => {
                self.clocked(date, |day| int(self.working(today, day)))
            }
            ExprKind::BusinessDaysSince(date) => {
                self.clocked(date, |day| int(-self.working(today, day)))
            }
            ExprKind::HoursSince(time) => match self.time(time) {
                Is::Known((_, at)) => {
                    // Full minutes since the epoch, each as hours rounded to a millionth.
                    let shown = |at: Timestamp| {
                        let minutes = Decimal::from_int(at.as_second().div_euclid(60));
                        minutes.and_then(|minutes| minutes.div(whole(60)))
                    };
                    Is::of(
                        shown(self.now)
                            .zip(shown(at))
                            .and_then(|(now, at)| now.sub(at)),
                    )
                }
                Is::Unseen => Is::Unseen,
                Is::AtLeast(_) | Is::Unknown => Is::Unknown,
            },
            ExprKind::Negate(one) => self.map(one, Decimal::neg),
            ExprKind::Round(one) => self.map(one, Decimal::round),
            ExprKind::Min(left, right) => {
                both(self.number(left), self.number(right), |l, r| Some(l.min(r)))
            }
            ExprKind::Max(left, right) => {
                both(self.number(left), self.number(right), |l, r| Some(l.max(r)))
            }
            ExprKind::Else(first, second) => match self.number(first) {
                found @ (Is::Known(_) | Is::AtLeast(_)) => found,
                Is::Unseen | Is::Unknown => self.number(second),
            },
            ExprKind::Arithmetic { how, left, right } => {
                let mut slow = *self;
                slow.as_seen |= *how == Arithmetic::Divide && self.quotient_of_counts(left, right);
                operate(*how, slow.number(left), slow.number(right))
            }
            other => panic!("no number: {other:?}"),
        }
    }

    fn clocked(&self, date: &Expr, of: impl Fn(Date) -> Is<Decimal>) -> Is<Decimal> {
        match self.time(date) {
            Is::Known((day, _)) => of(day),
            Is::Unseen => Is::Unseen,
            Is::AtLeast(_) | Is::Unknown => Is::Unknown,
        }
    }

    fn map(&self, one: &Expr, of: impl Fn(Decimal) -> Option<Decimal>) -> Is<Decimal> {
        match self.number(one) {
            Is::Known(value) => Is::of(of(value)),
            Is::Unseen => Is::Unseen,
            Is::AtLeast(_) | Is::Unknown => Is::Unknown,
        }
    }

    /// Working days from one day to another.
    fn working(&self, from: Date, until: Date) -> i64 {
        let worked = WORKED.get_or_init(|| {
            let mut day = Date::constant(1970, 1, 1);
            let mut count = 0;
            let mut all = Vec::new();
            while day.year() < 2036 {
                count += i64::from(is_business_day(&self.world.program.calendar, day));
                all.push(count);
                day = day.tomorrow().expect("days of this age");
            }
            all
        });
        let up_to = |day| worked[usize::try_from(serial(day)).expect("after 1970")];
        up_to(until) - up_to(from)
    }

    /// The score and the share of the weight that is known.
    pub(crate) fn score(&self) -> (Option<Decimal>, Decimal) {
        let health = self.world.program.health.as_ref().expect("there is health");
        let mut sides = Vec::new();
        let mut known = Decimal::ZERO;
        for side in [&health.outcome, &health.experience] {
            let points: Vec<Decimal> = side
                .measures
                .iter()
                .filter_map(|one| self.points(one))
                .collect();
            // All weights are halves.
            let quarter = Decimal::from_millionths(250_000);
            for _ in &points {
                known = known.add(quarter).expect("small");
            }
            sides.extend(mean(&points));
        }
        (mean(&sides), known)
    }

    fn points(&self, measure: &Measure) -> Option<Decimal> {
        let health = self.world.program.health.as_ref()?;
        if let Some((after, newest)) = measure.stale_after.zip(self.newest(&measure.value)) {
            let stale = add(
                &self.world.program.calendar,
                newest,
                after,
                &self.world.zone,
            )?;
            if stale <= self.now {
                return None;
            }
        }
        let Is::Known(value) = self.number(&measure.value) else {
            return None;
        };
        let (Is::Known(green), Is::Known(yellow)) =
            (self.number(&measure.green), self.number(&measure.yellow))
        else {
            return None;
        };
        let good = |bound| {
            if measure.lower_is_better {
                value <= bound
            } else {
                value >= bound
            }
        };
        Some(
            health.points[if good(green) {
                0
            } else if good(yellow) {
                1
            } else {
                2
            }],
        )
    }

    /// When an expression last had news.
    pub(crate) fn newest(&self, expr: &Expr) -> Option<Timestamp> {
        match &expr.kind {
            ExprKind::Account(name) => self.world.account.get(name).map(|(_, at)| *at),
            ExprKind::Contract(name) => self.world.contract.get(name).map(|(_, at)| *at),
            ExprKind::Metric(index) | ExprKind::Previous(index) | ExprKind::Change(index) => {
                match &self.world.program.metrics[*index].source {
                    Source::Formula(formula) => self.newest(formula),
                    Source::Events(aggregate) => {
                        self.meant(aggregate).iter().map(|raw| raw.at).max()
                    }
                }
            }
            ExprKind::Negate(one)
            | ExprKind::Round(one)
            | ExprKind::DaysUntil(one)
            | ExprKind::DaysSince(one)
            | ExprKind::BusinessDaysUntil(one)
            | ExprKind::BusinessDaysSince(one)
            | ExprKind::HoursSince(one) => self.newest(one),
            ExprKind::Min(left, right)
            | ExprKind::Max(left, right)
            | ExprKind::Else(left, right)
            | ExprKind::Arithmetic { left, right, .. } => self.newest(left).max(self.newest(right)),
            _ => None,
        }
    }
}

fn mean(all: &[Decimal]) -> Option<Decimal> {
    let sum: i64 = all.iter().map(|one| one.millionths()).sum();
    Decimal::from_millionths(sum).div(Decimal::from_count(u32::try_from(all.len()).ok()?))
}

fn known<T>(is: Is<T>) -> Option<bool> {
    match is {
        Is::Known(_) => Some(true),
        Is::AtLeast(_) | Is::Unknown => Some(false),
        Is::Unseen => None,
    }
}

fn both(
    left: Is<Decimal>,
    right: Is<Decimal>,
    of: impl Fn(Decimal, Decimal) -> Option<Decimal>,
) -> Is<Decimal> {
    match (left, right) {
        (Is::Known(left), Is::Known(right)) => Is::of(of(left, right)),
        (Is::Unseen, Is::Known(_) | Is::Unseen) | (Is::Known(_), Is::Unseen) => Is::Unseen,
        _ => Is::Unknown,
    }
}

fn operate(how: Arithmetic, left: Is<Decimal>, right: Is<Decimal>) -> Is<Decimal> {
    let least = |value: Option<Decimal>| value.map_or(Is::Unknown, Is::AtLeast);
    match (how, left, right) {
        (Arithmetic::Add, Is::AtLeast(l), Is::AtLeast(r) | Is::Known(r)) => least(l.add(r)),
        (Arithmetic::Add, Is::Known(l), Is::AtLeast(r)) => least(l.add(r)),
        (Arithmetic::Multiply, Is::AtLeast(l), Is::Known(r)) if r > Decimal::ZERO => {
            least(l.mul(r))
        }
        (Arithmetic::Multiply, Is::Known(l), Is::AtLeast(r)) if l > Decimal::ZERO => {
            least(l.mul(r))
        }
        (Arithmetic::Divide, Is::AtLeast(l), Is::Known(r)) if r > Decimal::ZERO => least(l.div(r)),
        _ => both(left, right, |l, r| match how {
            Arithmetic::Add => l.add(r),
            Arithmetic::Subtract => l.sub(r),
            Arithmetic::Multiply => l.mul(r),
            Arithmetic::Divide => l.div(r),
        }),
    }
}

fn compare(how: Comparison, left: Is<Decimal>, right: Is<Decimal>) -> Option<bool> {
    match (left, right) {
        (Is::Known(l), Is::Known(r)) => Some(match how {
            Comparison::Equal => l == r,
            Comparison::NotEqual => l != r,
            Comparison::Less => l < r,
            Comparison::AtMost => l <= r,
            Comparison::Greater => l > r,
            Comparison::AtLeast => l >= r,
        }),
        (Is::AtLeast(x), Is::Known(n)) => match how {
            Comparison::AtLeast if x >= n => Some(true),
            Comparison::Greater | Comparison::NotEqual if x > n => Some(true),
            Comparison::Less if x >= n => Some(false),
            Comparison::AtMost | Comparison::Equal if x > n => Some(false),
            _ => None,
        },
        (Is::Known(n), Is::AtLeast(x)) => match how {
            Comparison::AtMost if n <= x => Some(true),
            Comparison::Less | Comparison::NotEqual if n < x => Some(true),
            Comparison::Greater if n <= x => Some(false),
            Comparison::AtLeast | Comparison::Equal if n < x => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// True if all are; unknown if none is false but one unknown.
fn all_of(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any_of(each.map(|one| one.map(|yes| !yes))).map(|yes| !yes)
}

/// True if one is; unknown if none is true but one unknown.
fn any_of(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let all: Vec<_> = each.collect();
    if all.contains(&Some(true)) {
        Some(true)
    } else if all.contains(&None) {
        None
    } else {
        Some(false)
    }
}
