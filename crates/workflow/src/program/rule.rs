//! Workflows after the check: start, ends and steps.

use super::Read;
use super::expression::Expr;
use super::policy::Schedule;
use super::verb::Verb;
use model::Decimal;
use serde::Serialize;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub enum Period {
    /// Elapsed seconds (`m`, `h`).
    Seconds(u32),
    /// Civil days (`d`, `w`): the same wall clock time.
    Days(u32),
    /// Working days.
    BusinessDays(u32),
}

/// Whether a workflow acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    /// Checked only.
    Draft,
    /// Runs, but everything is kept back.
    Shadow,
    /// Runs.
    Live,
    /// Nothing acts, time goes on.
    Paused,
    /// No new runs.
    Closing,
    /// Open runs end.
    Retired,
}

/// What one run belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ForEach {
    /// The account.
    Account,
    /// One contract.
    Contract,
    /// One contact.
    Contact,
    /// One risk case.
    Risk,
}

/// A checked workflow.
#[derive(Clone, Debug, Serialize)]
pub struct Workflow {
    /// Its name, for ever.
    pub name: Box<str>,
    /// For people.
    pub title: Box<str>,
    /// Who gets failures.
    pub owner: Option<Box<str>>,
    /// Whether it acts.
    pub status: Status,
    /// What one run belongs to.
    pub for_each: ForEach,
    /// The topic of its sends.
    pub topic: Option<Box<str>>,
    /// 0 high, 1 normal, 2 low.
    pub priority: u8,
    /// When a run starts.
    pub start: Start,
    /// How often.
    pub once_per: OncePer,
    /// What a start does while a run of the subject is open.
    pub if_running: IfRunning,
    /// Must stay true.
    pub while_true: Option<Expr>,
    /// Success.
    pub goal: Option<Goal>,
    /// The share of subjects that get no steps and are watched for the goal; 0: none.
    pub holdout: Decimal,
    /// Topics whose sends to the same account wait while a run is open.
    pub holds_back: Vec<Box<str>>,
    /// Live named values.
    pub with: Vec<(Box<str>, Expr)>,
    /// Named values frozen at the start.
    pub remember: Vec<(Box<str>, Expr)>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Renamed steps: old id, new id.
    pub moved: Vec<(Box<str>, Box<str>)>,
}

/// What starts a run.
#[derive(Clone, Debug, Serialize)]
pub enum Start {
    /// A condition that becomes true.
    When {
        /// The condition.
        when: Expr,
        /// How long it must have held.
        hold: Option<Period>,
        /// Looked at once, at the moment of starting.
        condition: Option<Expr>,
        /// For whom it is true at go-live.
        existing: Existing,
    },
    /// An event that arrives.
    Event {
        /// Its types.
        events: Vec<Box<str>>,
        /// Looked at once; the event is `event` in it.
        condition: Option<Expr>,
        /// Older events are recorded as too late.
        max_age: Period,
    },
    /// A moment of the calendar: one run for each subject for which the condition holds then.
    Every {
        /// When, civil, in the account's zone.
        schedule: Schedule,
        /// Looked at at that moment.
        condition: Option<Expr>,
    },
}

/// What a start does while a run of the subject is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum IfRunning {
    /// Nothing.
    Ignore,
    /// It ends that run and begins another.
    Restart,
}

/// What happens to subjects for which `when` is already true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Existing {
    /// They start.
    Include,
    /// They don't.
    Skip,
}

/// How often a subject may go through.
#[derive(Clone, Debug, Serialize)]
pub enum OncePer {
    /// Once for ever per subject.
    Subject,
    /// Once for each value of a field.
    Field(Expr),
    /// Once in so long, from start to start.
    Period(Period),
    /// Each time.
    Occurrence,
}

/// Success.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    /// The condition.
    pub when: Expr,
    /// Watched so long after the start.
    pub within: Option<Period>,
    /// Done on success.
    pub then: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its stable id.
    pub id: Box<str>,
    /// For people.
    pub title: Option<Box<str>>,
    /// Skipped unless true now.
    pub condition: Option<Expr>,
    /// Waits until this opens; skipped if it is over.
    pub at: Option<AtWindow>,
    /// When it may act.
    pub hours: Hours,
    /// What it does.
    pub verb: Verb,
    /// What its template reads here, in all locales; without a template nothing.
    pub reads: Vec<Read>,
}

/// A window around a date.
#[derive(Clone, Debug, Serialize)]
pub struct AtWindow {
    /// The date.
    pub date: Expr,
    /// First day, counted from the date: before it is negative.
    pub opens: i32,
    /// Last day, likewise.
    pub closes: i32,
    /// Whether these are working days.
    pub is_business: bool,
}

/// When a step may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Hours {
    /// In working hours.
    Working,
    /// At any time.
    Any,
}
