//! What an expression gives at one moment, worked out from the raw facts.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some fifty kinds: each reader names those that it is about"
)]

use crate::days;
use crate::risk::Case;
use crate::run::{Done, Past};
use crate::told::{About, Known, Told, value};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{Decimal, Value};
use workflow::program::{
    Aggregate, Arithmetic, Comparison, Expr, ExprKind, ListKind, PeriodUnit, PeriodWhich, Reduce,
    RiskField, Source, StepResult, Type, Window, Workflow,
};

/// Whom a run belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Account,
    Contract(String),
    Contact(String),
    /// A case of a risk.
    Risk(String),
}

impl Subject {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Account => "acme",
            Self::Contract(id) | Self::Contact(id) | Self::Risk(id) => id,
        }
    }
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) known: &'a Known<'a>,
    pub(crate) subject: &'a Subject,
    pub(crate) event: Option<&'a Told>,
    pub(crate) steps: Option<&'a Past>,
    /// Whose named values are meant.
    pub(crate) workflow: Option<&'a Workflow>,
    /// What the run remembers of its start.
    pub(crate) remembered: Option<&'a [Option<Value>]>,
    /// The event that started the run, or would.
    pub(crate) started_by: Option<&'a Told>,
    /// The item of the innermost `where`.
    pub(crate) item: Option<&'a str>,
    /// The same where the items are cases of risks.
    pub(crate) case: Option<&'a Case>,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(known: &'a Known<'a>, subject: &'a Subject) -> Self {
        Self {
            known,
            subject,
            event: None,
            steps: None,
            workflow: None,
            remembered: None,
            started_by: None,
            item: None,
            case: None,
        }
    }

    /// The same with the named values of a workflow.
    pub(crate) fn of(self, workflow: &'a Workflow) -> Self {
        Self {
            workflow: Some(workflow),
            ..self
        }
    }

    /// What a name of `with` stands for.
    fn named(&self, index: usize) -> &'a Expr {
        let workflow = self.workflow.expect("a workflow asks");
        &workflow.with[index].1
    }

    pub(crate) fn truth(&self, expr: &Expr) -> Option<bool> {
        match &expr.kind {
            ExprKind::Not(one) => self.truth(one).map(|yes| !yes),
            ExprKind::And(all) => {
                let all: Vec<_> = all.iter().map(|one| self.truth(one)).collect();
                if all.contains(&Some(false)) {
                    Some(false)
                } else if all.contains(&None) {
                    None
                } else {
                    Some(true)
                }
            }
            ExprKind::Or(all) => {
                let all: Vec<_> = all.iter().map(|one| self.truth(one)).collect();
                if all.contains(&Some(true)) {
                    Some(true)
                } else if all.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
            ExprKind::Compare { how, left, right } => self.compare(*how, left, right),
            ExprKind::Between { value, low, high } => {
                let own = self.value(value)?.decimal()?;
                Some(*low <= own && own <= *high)
            }
            ExprKind::Among { value, list } => {
                let own = self.value(value)?;
                let mut is_unsure = false;
                for one in list {
                    match self.value(one) {
                        Some(one) if same(&own, &one) => return Some(true),
                        Some(_) => {}
                        None => is_unsure = true,
                    }
                }
                (!is_unsure).then_some(false)
            }
            ExprKind::InPeriod { date, which, unit } => {
                let day = self.day(date)?;
                Some(self.in_period(day, *which, *unit))
            }
            ExprKind::Known(one) if matches!(one.ty, Type::Contact) => {
                Some(!self.people(one).is_empty())
            }
            ExprKind::Known(one) => Some(self.value(one).is_some()),
            ExprKind::Segment(index) => self
                .definition()
                .truth(&self.known.program.segments[*index].condition),
            ExprKind::RiskOpen(index) => {
                let mut cases = self.known.cases.iter();
                Some(cases.any(|case| case.risk == *index && case.is_open()))
            }
            ExprKind::AnyOpenRisk => Some(self.known.cases.iter().any(Case::is_open)),
            ExprKind::With(index) => self.truth(self.named(*index)),
            ExprKind::Else(one, other) => self.truth(one).or_else(|| self.truth(other)),
            _ => match self.value(expr)? {
                Value::Bool(yes) => Some(yes),
                other => panic!("no condition: {other:?}"),
            },
        }
    }

    /// Inside definitions `contract` is always the account's current one.
    pub(crate) fn definition(&self) -> Ask<'a> {
        Ask::new(self.known, &Subject::Account)
    }

    fn contract_id(&self) -> Option<&'a str> {
        match self.subject {
            Subject::Contract(id) => Some(id),
            Subject::Account | Subject::Contact(_) | Subject::Risk(_) => {
                self.known.current_contract()
            }
        }
    }

    fn contact_id(&self) -> Option<&'a str> {
        match (self.item, self.subject) {
            (Some(item), _) => Some(item),
            (None, Subject::Contact(id)) => Some(id),
            (None, Subject::Account | Subject::Contract(_) | Subject::Risk(_)) => None,
        }
    }

    pub(crate) fn value(&self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Const(value) => Some(value.clone()),
            ExprKind::Account(field) => self.known.account(field),
            ExprKind::Contract(field) => self.known.contract(self.contract_id()?, field),
            ExprKind::Contact(field) => self.known.contact(self.contact_id()?, field),
            ExprKind::RoleField { role, field } => {
                self.known.contact(self.known.role(role).first()?, field)
            }
            ExprKind::Event(field) => event_field(self.known, self.event?, field),
            ExprKind::StartedBy(field) => event_field(self.known, self.started_by?, field),
            ExprKind::With(index) => self.value(self.named(*index)),
            ExprKind::Remember(index) => self.remembered?.get(*index)?.clone(),
            ExprKind::Role(role) => {
                let holders = self.known.role(role);
                holders.first().map(|id| Value::Text(id.as_str().into()))
            }
            ExprKind::Health(name) => self.health(*name),
            ExprKind::Metric(index) => self.metric(*index, 0),
            ExprKind::Previous(index) => self.metric(*index, 1),
            ExprKind::Label(index) => self.label(*index),
            ExprKind::Step { step, result } => self.result(step, result),
            ExprKind::Risk(field) => self.risk(*field),
            ExprKind::Count(list) if list.ty == Type::List(ListKind::Risks) => {
                number(i64::try_from(self.open_cases(list).len()).expect("few"))
            }
            ExprKind::Count(list) => {
                let count = u32::try_from(self.people(list).len()).expect("few");
                Some(Value::Number(Decimal::from_count(count)))
            }
            ExprKind::Else(one, other) => self.value(one).or_else(|| self.value(other)),
            _ => self.number(expr),
        }
    }

    /// A metric at this moment; `before` is 1 for the window just before the present one.
    fn metric(&self, index: usize, before: i64) -> Option<Value> {
        let key = (index, before);
        if let Some(found) = self.known.metrics.borrow().get(&key) {
            return found.clone();
        }
        let value = match (&self.known.program.metrics[index].source, before) {
            (Source::Events(aggregate), _) => self.aggregate(index, aggregate, before),
            (Source::Formula(formula), 0) => self.definition().value(formula),
            (Source::Formula(_), _) => panic!("no window before"),
        };
        self.known.metrics.borrow_mut().insert(key, value.clone());
        value
    }

    /// The word of a label: that of the first line that is true.
    pub(crate) fn label(&self, index: usize) -> Option<Value> {
        let ask = self.definition();
        let mut lines = self.known.program.labels[index].lines.iter();
        let first = lines.find(|(_, line)| {
            line.as_ref()
                .is_none_or(|line| ask.truth(line) == Some(true))
        });
        first.map(|(word, _)| Value::Word(word.clone()))
    }

    fn number(&self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Arithmetic { how, left, right } => {
                let (left, right) = (self.value(left)?.decimal()?, self.value(right)?.decimal()?);
                let number = match how {
                    Arithmetic::Add => left.add(right),
                    Arithmetic::Subtract => left.sub(right),
                    Arithmetic::Multiply => left.mul(right),
                    Arithmetic::Divide => left.div(right),
                };
                number.map(Value::Number)
            }
            ExprKind::Negate(one) => self.value(one)?.decimal()?.neg().map(Value::Number),
            ExprKind::Round(one) => self.value(one)?.decimal()?.round().map(Value::Number),
            ExprKind::Min(one, other) => {
                let (one, other) = (self.value(one)?.decimal()?, self.value(other)?.decimal()?);
                Some(Value::Number(one.min(other)))
            }
            ExprKind::Max(one, other) => {
                let (one, other) = (self.value(one)?.decimal()?, self.value(other)?.decimal()?);
                Some(Value::Number(one.max(other)))
            }
            ExprKind::DaysUntil(date) => number(days::between(self.known.today(), self.day(date)?)),
            ExprKind::DaysSince(date) => number(days::between(self.day(date)?, self.known.today())),
            ExprKind::BusinessDaysUntil(date) => {
                let calendar = &self.known.program.calendar;
                let day = self.day(date)?;
                number(days::working_days_between(
                    calendar,
                    self.known.today(),
                    day,
                ))
            }
            ExprKind::BusinessDaysSince(date) => {
                let calendar = &self.known.program.calendar;
                let day = self.day(date)?;
                number(days::working_days_between(
                    calendar,
                    day,
                    self.known.today(),
                ))
            }
            ExprKind::HoursSince(time) => {
                let at = self.time(time)?;
                number((self.known.now - at).get_seconds().div_euclid(3_600))
            }
            _ => self.truth_value(expr),
        }
    }

    fn truth_value(&self, expr: &Expr) -> Option<Value> {
        assert_eq!(expr.ty, Type::Bool, "no value: {expr:?}");
        self.truth(expr).map(Value::Bool)
    }

    fn result(&self, step: &str, result: &StepResult) -> Option<Value> {
        let past = self.steps?;
        let (done, task) = (past.done.get(step), past.tasks.get(step));
        let is = |yes: fn(&Done) -> bool| Some(Value::Bool(done.is_some_and(yes)));
        match result {
            StepResult::Sent => is(|done| *done == Done::Sent),
            StepResult::Skipped => is(|done| *done == Done::Skipped),
            StepResult::TimedOut => is(|done| *done == Done::TimedOut),
            StepResult::Done => Some(Value::Bool(task.is_some_and(|task| task.is_done))),
            StepResult::Outcome => {
                let outcome = task.and_then(|task| task.outcome.as_deref());
                outcome.map(|word| Value::Text(word.into()))
            }
            StepResult::Ok => Some(Value::Bool(past.accepted.contains(step))),
            StepResult::Replied => Some(Value::Bool(past.replied.contains(step))),
            other => panic!("not asked for here: {other:?}"),
        }
    }

    /// A field of the case that is asked about, or that a run belongs to.
    fn risk(&self, field: RiskField) -> Option<Value> {
        let own = |case: &&Case| matches!(self.subject, Subject::Risk(id) if *id == case.id);
        let case = self.case.or_else(|| self.known.cases.iter().find(own))?;
        let risk = &self.known.program.risks[case.risk];
        Some(match field {
            RiskField::Category => Value::Word(risk.name.clone()),
            RiskField::Severity => Value::Word(case.severity().into()),
            RiskField::Open => Value::Bool(case.is_open()),
            RiskField::OpenedAt => Value::Time(case.opened_at),
            RiskField::Title => Value::Text(risk.title.clone()),
        })
    }

    /// Open cases.
    fn open_cases(&self, expr: &Expr) -> Vec<&'a Case> {
        match &expr.kind {
            ExprKind::List(ListKind::Risks) => {
                let all = self.known.cases.iter();
                all.filter(|case| case.is_open()).collect()
            }
            ExprKind::Where {
                list, condition, ..
            } => {
                let mut all = self.open_cases(list);
                all.retain(|case| {
                    let ask = Ask {
                        case: Some(case),
                        ..*self
                    };
                    ask.truth(condition) == Some(true)
                });
                all
            }
            other => panic!("no cases: {other:?}"),
        }
    }

    /// Contacts, in order.
    pub(crate) fn people(&self, expr: &Expr) -> Vec<String> {
        match &expr.kind {
            ExprKind::Role(role) => self.known.role(role),
            ExprKind::With(index) => self.people(self.named(*index)),
            ExprKind::Remember(_) => {
                let id = self.value(expr);
                let is_there = |id: &String| self.known.contacts().contains(&id.as_str());
                let id = id.as_ref().and_then(Value::text).map(str::to_owned);
                id.into_iter().filter(is_there).collect()
            }
            ExprKind::ThisContact => self.contact_id().map(str::to_owned).into_iter().collect(),
            ExprKind::List(_) => self
                .known
                .contacts()
                .iter()
                .map(|id| (*id).to_owned())
                .collect(),
            ExprKind::Where {
                list, condition, ..
            } => {
                let all = self.people(list).into_iter();
                all.filter(|one| {
                    let ask = Ask {
                        item: Some(one),
                        ..*self
                    };
                    ask.truth(condition) == Some(true)
                })
                .collect()
            }
            ExprKind::Else(one, other) => {
                let people = self.people(one);
                if people.is_empty() {
                    self.people(other)
                } else {
                    people
                }
            }
            other => panic!("nobody: {other:?}"),
        }
    }

    pub(crate) fn compare(&self, how: Comparison, left: &Expr, right: &Expr) -> Option<bool> {
        let (one, other) = (self.value(left)?, self.value(right)?);
        let order = match (&left.ty, &right.ty) {
            (Type::Word(list), _) | (_, Type::Word(list)) => {
                let rank = |value: &Value| {
                    let word = value.text()?;
                    list.words.iter().position(|one| **one == *word)
                };
                rank(&one)?.cmp(&rank(&other)?)
            }
            _ => match (&one, &other) {
                (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
                (Value::Text(one), Value::Text(other)) => one.cmp(other),
                (Value::Date(one), Value::Date(other)) => one.cmp(other),
                _ => one.decimal()?.cmp(&other.decimal()?),
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

    /// A date, or the civil day of a time.
    pub(crate) fn day(&self, expr: &Expr) -> Option<Date> {
        match self.value(expr)? {
            Value::Date(day) => Some(day),
            Value::Time(at) => Some(days::day(at, &self.known.zone)),
            other => panic!("no date: {other:?}"),
        }
    }

    fn time(&self, expr: &Expr) -> Option<Timestamp> {
        match self.value(expr)? {
            Value::Date(day) => Some(days::midnight(day, &self.known.zone)),
            Value::Time(at) => Some(at),
            other => panic!("no time: {other:?}"),
        }
    }

    fn in_period(&self, day: Date, which: PeriodWhich, unit: PeriodUnit) -> bool {
        let starts = i64::from(self.known.program.calendar.fiscal_year_starts);
        let number = |day: Date| {
            let months = i64::from(day.year()) * 12 + i64::from(day.month());
            match unit {
                PeriodUnit::Week => {
                    days::between(Date::constant(2001, 1, 1), days::monday(day)).div_euclid(7)
                }
                PeriodUnit::Month => months,
                PeriodUnit::Quarter => (months - starts).div_euclid(3),
                PeriodUnit::Year => (months - starts).div_euclid(12),
            }
        };
        let distance = number(day) - number(self.known.today());
        match which {
            PeriodWhich::Last => distance == -1,
            PeriodWhich::This => distance == 0,
            PeriodWhich::Next => distance == 1,
        }
    }

    /// All events that a metric is about, whenever they happened.
    pub(crate) fn told_of(&self, metric: usize, aggregate: &Aggregate) -> Vec<&'a Told> {
        let meant = |told: &'a Told| {
            let ask = Ask {
                event: Some(told),
                ..self.definition()
            };
            matches!(&told.about, About::Event(kind) if **kind == *aggregate.event)
                && aggregate
                    .condition
                    .as_ref()
                    .is_none_or(|wanted| ask.truth(wanted) == Some(true))
        };
        self.known.events(metric, meant)
    }

    /// The events of a window; `before` is 1 for the window just before the present one.
    fn events(&self, metric: usize, aggregate: &Aggregate, before: i64) -> Option<Vec<&'a Told>> {
        let mut all = self.told_of(metric, aggregate);
        match &aggregate.window {
            Window::Days(length) => {
                let length = i64::from(*length);
                let last = days::later(self.known.today(), -length * before);
                let first = days::later(last, 1 - length);
                all.retain(|told| first <= told.day && (told.day <= last || before == 0));
            }
            Window::Hours(length) => {
                let length = i64::from(*length);
                let last = self.known.now.as_second().div_euclid(3_600) - length * before;
                all.retain(|told| last - length < told.hour && told.hour <= last);
            }
            Window::Since(date) => {
                let first = self.definition().day(date)?;
                all.retain(|told| first <= told.day);
            }
            Window::Ever => {}
        }
        Some(all)
    }

    fn aggregate(&self, metric: usize, aggregate: &Aggregate, before: i64) -> Option<Value> {
        let events = self.events(metric, aggregate, before)?;
        let field = |name: &str| -> Vec<Value> {
            let fields = &self.known.program.schema.events[&aggregate.event].fields;
            let kind = &fields[name].kind;
            let all = events.iter().filter_map(|told| told.data.get(name));
            all.filter_map(|json| value(kind, json)).collect()
        };
        let numbers = |name: &str| -> Vec<i64> {
            let all = field(name).into_iter();
            all.filter_map(|one| Some(one.decimal()?.millionths()))
                .collect()
        };
        let whole = |count: usize| number(i64::try_from(count).expect("few"));
        let millionths = |all: i64| Some(Value::Number(Decimal::from_millionths(all)));
        match &aggregate.how {
            Reduce::Count => whole(events.len()),
            Reduce::CountDistinct(name) => {
                let all = field(name);
                let mut texts: Vec<&str> = all.iter().filter_map(Value::text).collect();
                texts.sort_unstable();
                texts.dedup();
                whole(texts.len())
            }
            Reduce::Sum(name) => millionths(numbers(name).iter().sum()),
            Reduce::Average(name) => {
                let all = numbers(name);
                let sum = Decimal::from_millionths(all.iter().sum());
                let count = Decimal::from_count(u32::try_from(all.len()).expect("few"));
                sum.div(count).map(Value::Number)
            }
            Reduce::Min(name) => numbers(name).into_iter().min().and_then(millionths),
            Reduce::Max(name) => numbers(name).into_iter().max().and_then(millionths),
            Reduce::Latest => events.iter().map(|told| told.at).max().map(Value::Time),
            Reduce::Earliest => events.iter().map(|told| told.at).min().map(Value::Time),
        }
    }
}

fn event_field(known: &Known<'_>, event: &Told, field: &str) -> Option<Value> {
    let About::Event(kind) = &event.about else {
        return None;
    };
    let kind = &known.program.schema.events.get(&**kind)?.fields;
    value(&kind.get(field)?.kind, event.data.get(field)?)
}

fn number(whole: i64) -> Option<Value> {
    Decimal::from_int(whole).map(Value::Number)
}

/// Whether two values are the same, whatever kind of number they are.
fn same(one: &Value, other: &Value) -> bool {
    match (one.decimal(), other.decimal()) {
        (Some(one), Some(other)) => one == other,
        _ => match (one.text(), other.text()) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
    }
}
