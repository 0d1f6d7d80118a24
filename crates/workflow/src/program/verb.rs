//! What steps do: one verb each, and its keys.

use super::expression::Expr;
use super::rule::{Period, Step};
use model::{Decimal, Mailbox};
use serde::Serialize;

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
