//! Why: what a workflow makes of an account at one instant, and what would change it.

use crate::account::Account;
use crate::context::Context;
use crate::run::{How, Phase, StepPhase};
use crate::turn::Turn;
use jiff::Timestamp;
use model::{Fact, RunId};
use serde::Serialize;
use workflow::program::Status;

/// What a workflow makes of an account at one instant.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// The workflow.
    pub workflow: Box<str>,
    /// Its title.
    pub title: Box<str>,
    /// Whether it acts.
    pub status: Status,
    /// The instant.
    pub at: Timestamp,
    /// The account's time zone.
    pub zone: Box<str>,
    /// Its subjects in this account.
    pub subjects: Vec<Standing>,
}

/// How one subject stands to a workflow.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// The subject.
    pub subject: Box<str>,
    /// What starts a run here, taken apart.
    pub start: Option<Tree>,
    /// The `if` beside a `when`, looked at once as a run begins, taken apart.
    pub guard: Option<Tree>,
    /// The events one of which starts a run; none: something else does.
    pub events: Vec<Box<str>>,
    /// The next moment at which a run may begin, where the calendar says when.
    pub next_at: Option<Timestamp>,
    /// What `start` was when it was last known: never, false, true or pending.
    pub memory: &'static str,
    /// Since when `start` holds, where it has to hold for a while.
    pub held_since: Option<Timestamp>,
    /// When it will have held long enough, if nothing changes.
    pub held_at: Option<Timestamp>,
    /// Why no run would begin now, in the words of records; none: nothing speaks against it.
    pub against: Option<Box<str>>,
    /// The first part of `start` that is not true; of what an event will tell nothing is to blame.
    pub blame: Option<Blame>,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// Its runs that are still kept, oldest first.
    pub runs: Vec<Passage>,
}

/// What a workflow that starts on an event made of one.
#[derive(Clone, Debug, Serialize)]
pub struct Offered {
    /// The event's type.
    pub event: Box<str>,
    /// When it happened.
    pub at: Timestamp,
    /// What the start asked for each subject, taken apart.
    pub subjects: Vec<Asked>,
}

/// What a start asked when an event came.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// The subject.
    pub subject: Box<str>,
    /// Its condition, with what the event told; none: it asks nothing.
    pub start: Option<Tree>,
    /// The first part of it that was not true.
    pub blame: Option<Blame>,
}

/// An expression with what it gives, and its parts.
#[derive(Clone, Debug, Serialize)]
pub struct Tree {
    /// The text.
    pub text: Box<str>,
    /// What it gives: `true`, `false`, a value, `unknown`, or `at least n`.
    pub gives: Box<str>,
    /// Whether it is a condition that is true; none: unknown, or no condition.
    pub truth: Option<bool>,
    /// When what it reads was last said, if it is a name.
    pub said_at: Option<Timestamp>,
    /// Its parts.
    pub parts: Vec<Tree>,
}

/// The first part of a condition that keeps it from being true.
#[derive(Clone, Debug, Serialize)]
pub struct Blame {
    /// The part that is not as it would have to be: a leaf of the condition, or of a segment in it.
    pub leaf: Tree,
    /// What would make it true, in words.
    pub needs: Box<str>,
    /// When time alone makes the whole condition true, if it does.
    pub true_at: Option<Timestamp>,
}

/// How a run stands.
#[derive(Clone, Debug, Serialize)]
pub struct Passage {
    /// Its id.
    pub run: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// How far it is.
    pub phase: Phase,
    /// How and when it ended.
    pub ended: Option<(How, Timestamp)>,
    /// Where it rests.
    pub rests: Option<Rest>,
    /// What `while` gives, taken apart.
    pub keeps: Option<Tree>,
    /// What the goal gives, taken apart.
    pub goal: Option<Tree>,
    /// The steps that are done or under way.
    pub steps: Vec<Deed>,
}

/// Where a run rests.
#[derive(Clone, Debug, Serialize)]
pub struct Rest {
    /// Before or in which step.
    pub step: Box<str>,
    /// Since when.
    pub since: Timestamp,
    /// Until when at most, if time alone will go on; none: until a fact says something.
    pub until: Option<Timestamp>,
    /// What the step's `if`, or what it waits for, gives now.
    pub condition: Option<Tree>,
    /// Messages that a limit or another workflow keeps waiting.
    pub held: Vec<Held>,
}

/// A message that is kept waiting.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// Whom it is for; none: the step as a whole waits.
    pub contact: Option<Box<str>>,
    /// By what, in the words of records: `limit` or `held_back`.
    pub why: Box<str>,
    /// Since when.
    pub since: Timestamp,
    /// When it is given up.
    pub until: Option<Timestamp>,
}

/// A step that is done or under way.
#[derive(Clone, Debug, Serialize)]
pub struct Deed {
    /// The step.
    pub step: Box<str>,
    /// How it stands.
    pub phase: StepPhase,
    /// The case or arm that was taken.
    pub chosen: Option<Box<str>>,
    /// Since when.
    pub at: Timestamp,
}

/// What a workflow makes of an account at `now`; none if the program has no such workflow. The account stays as it is.
pub fn why(
    context: &Context<'_>,
    account: &Account,
    now: Timestamp,
    workflow: &str,
) -> Option<Why> {
    let mut copy = account.clone();
    let found = context
        .program
        .workflows
        .iter()
        .find(|known| *known.name == *workflow)?;
    Some(Turn::new(context, &mut copy, now).explain(found))
}

/// What a workflow made of an event of the account, which stands as it stood when the event was decided; none if no run of
/// it starts on events of this type.
pub fn offered(
    context: &Context<'_>,
    account: &Account,
    workflow: &str,
    fact: &Fact,
) -> Option<Offered> {
    let mut copy = account.clone();
    let now = copy.head.now?;
    let mut workflows = context.program.workflows.iter();
    let found = workflows.find(|known| *known.name == *workflow)?;
    Turn::new(context, &mut copy, now).explain_event(found, fact)
}
