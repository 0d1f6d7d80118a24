//! Expressions after the check: names are slots, types are known, nothing can fail.

use model::Value;
use serde::Serialize;
use std::sync::Arc;

/// A checked expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expr {
    /// What it does.
    pub kind: ExprKind,
    /// What it gives.
    pub ty: Type,
}

/// The words of a pick-list, low to high.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct PickList {
    /// The words.
    pub words: Vec<Box<str>>,
    /// Whether `<` and its like make sense (labels have no order).
    pub is_ordered: bool,
}

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Type {
    /// Yes or no: a condition.
    Bool,
    /// A plain number.
    Number,
    /// A share.
    Percent,
    /// An amount.
    Money,
    /// Text.
    Text,
    /// A word of a pick-list.
    Word(Arc<PickList>),
    /// A civil day.
    Date,
    /// An instant.
    Time,
    /// One contact, or the contacts that hold a role: the first stands for them in conditions.
    Contact,
    /// Several things.
    List(ListKind),
}

/// What a list holds; inside `where` the item's name (`contact`, `contract`, `risk`, `account`) means the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ListKind {
    /// Contacts of the account.
    Contacts,
    /// Open risk cases of the account.
    Risks,
    /// Contracts of a CSM's accounts.
    Contracts,
    /// Accounts of a CSM.
    Accounts,
}

/// What an expression does. `Option<Value>` semantics: unknown in, by the three-valued rules, unknown out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ExprKind {
    /// A literal.
    Const(Value),
    /// `account.x`.
    Account(Box<str>),
    /// `contract.x`: the subject's contract under `for_each: contract`, else the account's current one.
    Contract(Box<str>),
    /// `contact.x`: the item of the innermost `where`, the recipient in a template, or the subject.
    Contact(Box<str>),
    /// `contact` alone: the item of the innermost `where`, or the subject, as somebody to write to.
    ThisContact,
    /// `csm.x`.
    Csm(Box<str>),
    /// `risk.x` of the item or subject.
    Risk(RiskField),
    /// `event.x`; in the mapping of a topic the whole name and its type, as `record.x.y:text`.
    Event(Box<str>),
    /// `event.x.y`, x being a contact.
    EventContact {
        /// The event's field.
        field: Box<str>,
        /// The contact's field.
        of: Box<str>,
    },
    /// `started_by.x`: of the event that started the run.
    StartedBy(Box<str>),
    /// `started_by.x.y`, x being a contact.
    StartedByContact {
        /// The event's field.
        field: Box<str>,
        /// The contact's field.
        of: Box<str>,
    },
    /// `champion`: who holds the role, at most 5 in order of contact id.
    Role(Box<str>),
    /// `champion.name`: of the first who holds it.
    RoleField {
        /// The role.
        role: Box<str>,
        /// The contact's field.
        field: Box<str>,
    },
    /// A metric's present value.
    Metric(usize),
    /// `previous(m)`.
    Previous(usize),
    /// `change(m)`.
    Change(usize),
    /// A segment.
    Segment(usize),
    /// A label.
    Label(usize),
    /// `health.x`.
    Health(super::definition::HealthName),
    /// Whether a case of the risk is open.
    RiskOpen(usize),
    /// Whether any is.
    AnyOpenRisk,
    /// A name of the workflow's `with`, by index.
    With(usize),
    /// A name of the workflow's `remember`, by index.
    Remember(usize),
    /// `steps.id.result`.
    Step {
        /// The step.
        step: Box<str>,
        /// What about it.
        result: StepResult,
    },
    /// A whole list.
    List(ListKind),
    /// `list where condition sort by value`.
    Where {
        /// The list.
        list: Box<Expr>,
        /// Which items.
        condition: Box<Expr>,
        /// By what, and whether descending.
        sort: Option<(Box<Expr>, bool)>,
    },
    /// `count(list)`.
    Count(Box<Expr>),
    /// `not a`.
    Not(Box<Expr>),
    /// `a and b …`.
    And(Vec<Expr>),
    /// `a or b …`.
    Or(Vec<Expr>),
    /// `a < b` and its like.
    Compare {
        /// How.
        how: Comparison,
        /// Left.
        left: Box<Expr>,
        /// Right.
        right: Box<Expr>,
    },
    /// `a in low..high`, both ends included.
    Between {
        /// The value.
        value: Box<Expr>,
        /// The lower end.
        low: model::Decimal,
        /// The upper end.
        high: model::Decimal,
    },
    /// `a in [x, y]`.
    Among {
        /// The value.
        value: Box<Expr>,
        /// The candidates.
        list: Vec<Expr>,
    },
    /// `d in this quarter`.
    InPeriod {
        /// The day.
        date: Box<Expr>,
        /// This, next or last.
        which: PeriodWhich,
        /// Week, month, quarter or year; quarters and years are the fiscal year's.
        unit: PeriodUnit,
    },
    /// `a is known`; `is unknown` is its `Not`.
    Known(Box<Expr>),
    /// `text contains text`, `list contains item`.
    Contains {
        /// Where.
        whole: Box<Expr>,
        /// What.
        part: Box<Expr>,
    },
    /// `a + b` and its like.
    Arithmetic {
        /// How.
        how: Arithmetic,
        /// Left.
        left: Box<Expr>,
        /// Right.
        right: Box<Expr>,
    },
    /// `-a`.
    Negate(Box<Expr>),
    /// `a else b`.
    Else(Box<Expr>, Box<Expr>),
    /// `days_until(d)`; `days_since(d)` is its negative. A time counts by its civil day in the account's zone.
    DaysUntil(Box<Expr>),
    /// `days_since(d)`.
    DaysSince(Box<Expr>),
    /// `business_days_until(d)`.
    BusinessDaysUntil(Box<Expr>),
    /// `business_days_since(d)`.
    BusinessDaysSince(Box<Expr>),
    /// `hours_since(t)`: elapsed hours, from full minute to full minute.
    HoursSince(Box<Expr>),
    /// `min(a, b)`.
    Min(Box<Expr>, Box<Expr>),
    /// `max(a, b)`.
    Max(Box<Expr>, Box<Expr>),
    /// `round(a)`.
    Round(Box<Expr>),
}

/// A field of a risk case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RiskField {
    /// The risk's name.
    Category,
    /// Its severity.
    Severity,
    /// Whether it is open.
    Open,
    /// Since when.
    OpenedAt,
    /// Its title.
    Title,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum StepResult {
    /// It was put into the outbox.
    Sent,
    /// The receiving server confirmed it.
    Delivered,
    /// Somebody or something opened it.
    Opened,
    /// Somebody or something clicked.
    Clicked,
    /// Somebody answered.
    Replied,
    /// It came back.
    Bounced,
    /// It was skipped.
    Skipped,
    /// The task is done.
    Done,
    /// What came of the task.
    Outcome,
    /// The webhook was accepted.
    Ok,
    /// The wait ran out.
    TimedOut,
    /// A field of the event that was waited for.
    Event(Box<str>),
    /// The arm that was drawn.
    Chosen,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// An operation on numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// Which calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PeriodWhich {
    /// The present one.
    This,
    /// The one after.
    Next,
    /// The one before.
    Last,
}

/// What calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PeriodUnit {
    /// From Monday.
    Week,
    /// A calendar month.
    Month,
    /// A quarter of the fiscal year.
    Quarter,
    /// A fiscal year.
    Year,
}
