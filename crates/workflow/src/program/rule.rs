//! Workflows after the check: start, ends and steps.

use super::Read;
use super::expression::Expr;
use super::policy::Schedule;
use model::{Decimal, Mailbox};
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

/// What a step does.
#[derive(Clone, Debug, Serialize)]
pub enum Verb {
    /// A mail to contacts.
    Send {
        /// The template.
        template: Box<str>,
        /// Each gives one or several contacts.
        to: Vec<Expr>,
        /// Each gives contacts who get a copy.
        cc: Vec<Expr>,
        /// The sender, if not the default.
        from: Option<Mailbox>,
        /// Where answers go, if not the default.
        reply_to: Option<Expr>,
        /// The topic.
        topic: Box<str>,
        /// If there is nobody.
        if_nobody: IfNobody,
        /// Asked for before.
        approval: Option<Approval>,
        /// What it does at a limit, if not what the policy says.
        at_limit: Option<AtLimit>,
        /// Names that only its template knows; they stand in the step's `reads` too.
        with: Vec<(Box<str>, Expr)>,
    },
    /// A message to colleagues.
    Alert {
        /// Routes.
        routes: Vec<Box<str>>,
        /// What it says.
        says: Says,
        /// When it arrives.
        deliver: Deliver,
    },
    /// A task for a colleague.
    Task {
        /// What is to be done.
        title: Box<str>,
        /// The route of who does it.
        assignee: Box<str>,
        /// Until when.
        due: Option<Period>,
        /// More words.
        template: Option<Box<str>>,
    },
    /// A decision between two ways.
    Branch {
        /// When the step's `if` is true.
        then: Vec<Step>,
        /// Otherwise, unknown included.
        otherwise: Vec<Step>,
    },
    /// A decision by the word of a pick-list.
    Match {
        /// The word.
        value: Expr,
        /// Steps by word, as written.
        cases: Vec<(Box<str>, Vec<Step>)>,
        /// For words without a case, and unknown.
        otherwise: Vec<Step>,
    },
    /// A draw, once per subject, kept.
    Split {
        /// The arms; their shares add up to one.
        arms: Vec<Arm>,
    },
    /// Fields that workflows may write.
    Set {
        /// What is set, in order.
        fields: Vec<Setting>,
    },
    /// A call of somebody else's server.
    Webhook {
        /// Its name among the policies.
        name: Box<str>,
        /// What it says: key and value.
        body: Vec<(Box<str>, Expr)>,
    },
    /// Time that passes.
    Wait {
        /// How long, from the moment the step before was completed.
        length: Period,
    },
    /// Something that is waited for.
    WaitFor {
        /// What.
        until: Until,
        /// How long at most.
        at_most: Period,
        /// What happens if it did not come.
        otherwise: Otherwise,
    },
    /// The end of the run.
    Stop {
        /// Why.
        reason: Box<str>,
    },
}

/// One arm of a split.
#[derive(Clone, Debug, Serialize)]
pub struct Arm {
    /// Its name.
    pub name: Box<str>,
    /// Its share of all subjects.
    pub share: Decimal,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// One field that a `set` writes.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Whose.
    pub of: SetOf,
    /// The field's name.
    pub field: Box<str>,
    /// Its new value; unknown makes the field unknown.
    pub value: Expr,
}

/// Whose field a `set` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum SetOf {
    /// The account's.
    Account,
    /// The contract's: the subject's under `for_each: contract`, else the account's current one.
    Contract,
}

/// What a step waits for.
#[derive(Clone, Debug, Serialize)]
pub enum Until {
    /// A condition.
    Condition(Expr),
    /// An event.
    Event {
        /// Its types.
        events: Vec<Box<str>>,
        /// Which of them: the event is `event` in it.
        condition: Option<Expr>,
    },
}

/// What happens when nothing happened.
#[derive(Clone, Debug, Serialize)]
pub enum Otherwise {
    /// The run goes on.
    Continue,
    /// It ends (`stopped`).
    Stop,
    /// These steps first.
    Steps(Vec<Step>),
}

/// What a send does at a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AtLimit {
    /// Waits.
    Delay,
    /// Skips.
    Skip,
    /// Sends nevertheless.
    Ignore,
}

/// When an alert arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Deliver {
    /// At once.
    Now,
    /// With the next digest.
    Digest,
}

/// What an alert says.
#[derive(Clone, Debug, Serialize)]
pub enum Says {
    /// A template.
    Template(Box<str>),
    /// Plain text.
    Text(Box<str>),
}

/// What a send does that finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum IfNobody {
    /// Skips and tells the CSM.
    Alert,
    /// Skips.
    Skip,
    /// Ends the run.
    Stop,
}

/// An approval asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Approval {
    /// The route of who answers.
    pub by: Box<str>,
    /// How long it waits.
    pub at_most: Period,
    /// And then.
    pub otherwise: ApprovalOtherwise,
}

/// What an unanswered approval means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ApprovalOtherwise {
    /// Skip the step.
    Skip,
    /// Send.
    Send,
    /// End the run.
    Stop,
}
