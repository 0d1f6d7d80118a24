//! The plan: what a new text would do to the accounts there are, worked out on copies by the same code that decides
//! (engine.md, 7).

use crate::account::Account;
use crate::calendar;
use crate::context::{Clock, Context, Input};
use crate::decide::decide;
use crate::memory::Memory;
use crate::rebase::{Change, Edge, StepChange, StepEdit, find, is_in_force, step_changes};
use crate::run::{Phase, Run};
use jiff::Timestamp;
use model::{Decision, Kind, Record};
use serde::Serialize;
use std::collections::BTreeMap;
use workflow::program::{Existing, Period, Start, Status, Workflow};

/// So far ahead messages are counted.
const AHEAD: Period = Period::BusinessDays(3);
/// A copy is woken at most so often.
const WAKES_MAX: usize = 100;

/// What a new text would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    /// How many accounts were looked at.
    pub accounts: u64,
    /// Workflows that the text changes, or of which anything would happen, by name.
    pub workflows: BTreeMap<Box<str>, WorkflowPlan>,
    /// Risks that mean something else: what opens by that is no news.
    pub risks: Vec<Box<str>>,
    /// Whether health means something else: the bands it gives are no news.
    pub is_health_redefined: bool,
}

/// What it would do to one workflow.
#[derive(Clone, Debug, Default, Serialize)]
pub struct WorkflowPlan {
    /// Its status before; none: it is new.
    pub status_before: Option<&'static str>,
    /// Its status after; none: it is gone.
    pub status: Option<&'static str>,
    /// How its start stands to the one before: `kept`, `redefined`, `edited`.
    pub start: &'static str,
    /// What the text says of those already in.
    pub existing: Option<&'static str>,
    /// Steps that come, go or change.
    pub steps: Vec<StepPlan>,
    /// Runs that are open now.
    pub open: u64,
    /// Runs that begin.
    pub starts: u64,
    /// Subjects for which a start was refused, by why.
    pub refused: BTreeMap<Box<str>, u64>,
    /// Runs that end, by how.
    pub ends: BTreeMap<Box<str>, u64>,
    /// Subjects for which nobody knows yet whether they are in.
    pub unknown: u64,
    /// Messages of it within the next three working days.
    pub messages: u64,
}

/// A step that changes, with the runs it concerns.
#[derive(Clone, Debug, Serialize)]
pub struct StepPlan {
    /// The change.
    #[serde(flatten)]
    pub change: StepChange,
    /// Runs that have not done it.
    pub before: u64,
    /// Runs that rest at it.
    pub resting: u64,
    /// Runs for which it acts at once, in working hours.
    pub due: u64,
    /// Runs that have missed it.
    pub skipped: u64,
}

/// Looks at accounts one by one.
#[derive(Debug)]
pub struct Outlook<'a> {
    context: Context<'a>,
    /// The text that decides now: what happens by it anyway is no effect of the new one.
    before: Option<Context<'a>>,
    plan: Plan,
}

/// What would happen to one account without the new text: workflow, kind, how or why, and the step of messages.
type Anyway = BTreeMap<(Box<str>, Kind, Box<str>), u64>;

impl<'a> Outlook<'a> {
    /// For going from the text of one context to that of another.
    pub fn new(context: Context<'a>, before: Option<Context<'a>>, change: &Change) -> Self {
        let new = context.program;
        let old = before.map(|before| before.program);
        let mut plan = Plan {
            risks: change.risks.iter().cloned().collect(),
            is_health_redefined: change.is_health_redefined,
            ..Plan::default()
        };
        for workflow in &new.workflows {
            let before = old.and_then(|old| find(old, &workflow.name));
            let changes = step_changes(old, new, &workflow.name);
            let entry = WorkflowPlan {
                status_before: before.map(|before| word(before.status)),
                status: Some(word(workflow.status)),
                start: match change.edge(&workflow.name) {
                    Edge::Kept => "kept",
                    Edge::Redefined => "redefined",
                    Edge::New => "edited",
                },
                existing: existing(workflow),
                steps: changes.into_iter().map(step_plan).collect(),
                ..WorkflowPlan::default()
            };
            plan.workflows.insert(workflow.name.clone(), entry);
        }
        for workflow in &change.removed {
            let before = old.and_then(|old| find(old, &workflow.name));
            let entry = WorkflowPlan {
                status_before: before.map(|before| word(before.status)),
                start: "kept",
                ..WorkflowPlan::default()
            };
            plan.workflows.insert(workflow.name.clone(), entry);
        }
        Self {
            context,
            before,
            plan,
        }
    }

    /// Looks at a copy of an account that the text before the change decided last. `now`: the wall clock, or under the log
    /// clock the shard's own; there the account is brought over at its own latest instant, as `apply` does.
    pub fn look(&mut self, mut account: Account, change: &Change, now: Timestamp) {
        self.plan.accounts += 1;
        self.count_runs(&account);
        let own = account.head.now;
        let now = own.map_or(now, |own| own.max(now));
        let brought_over_at = match self.context.clock {
            Clock::Live => now,
            Clock::Log => own.unwrap_or(Timestamp::UNIX_EPOCH),
        };
        let calendar = &self.context.program.calendar;
        let zone = calendar::zone(&calendar.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        let open_at = calendar::next_open(calendar, now, &zone).unwrap_or(now);
        let until = calendar::add(calendar, now, AHEAD, &zone).unwrap_or(now);
        let until = until.max(open_at);
        let mut anyway = Anyway::new();
        if let Some(before) = &self.before {
            wake(
                before,
                account.clone(),
                (brought_over_at, until),
                |decision, at| {
                    for record in &decision.records {
                        if let Some(key) =
                            key(record).filter(|_| at <= open_at || is_message(record))
                        {
                            *anyway.entry(key).or_default() += 1;
                        }
                    }
                },
            );
        }
        let input = Input::Rebase(change);
        let decision = decide(&self.context, &mut account, input, brought_over_at);
        self.count(&decision, true, &mut anyway);
        self.count_unknown(&account, change);
        let context = self.context;
        wake(
            &context,
            account,
            (brought_over_at, until),
            |decision, at| {
                self.count(decision, at <= open_at, &mut anyway);
            },
        );
    }

    /// Goes on with what was found so far, with another shard's CSMs.
    pub fn go_on(context: Context<'a>, before: Option<Context<'a>>, plan: Plan) -> Self {
        Self {
            context,
            before,
            plan,
        }
    }

    /// What was found so far.
    pub fn pause(self) -> Plan {
        self.plan
    }

    /// Open runs, and where they are.
    fn count_runs(&mut self, account: &Account) {
        for (name, state) in account.head.workflows.iter() {
            let Some(plan) = self.plan.workflows.get_mut(name) else {
                continue;
            };
            for run in state.runs.iter().filter(|run| run.is_open()) {
                plan.open += 1;
                for step in &mut plan.steps {
                    let id = match step.change.edit {
                        StepEdit::Renamed => None,
                        StepEdit::Added | StepEdit::Removed | StepEdit::Changed => {
                            Some(&step.change.step)
                        }
                    };
                    let Some(id) = id else { continue };
                    step.before += u64::from(is_ahead(run, id));
                    step.resting +=
                        u64::from(run.rests_at.as_ref() == Some(id) && is_ahead(run, id));
                }
            }
        }
    }

    /// Counts what the new text brings; of what comes anyway, each is left out once.
    fn count(&mut self, decision: &Decision, is_now: bool, anyway: &mut Anyway) {
        for record in &decision.records {
            let workflow = record.workflow.as_ref();
            let Some(plan) = workflow.and_then(|name| self.plan.workflows.get_mut(name)) else {
                continue;
            };
            let left = key(record).and_then(|key| anyway.get_mut(&key));
            let comes_anyway = left.is_some_and(|left| {
                let is_one = *left > 0;
                *left = left.saturating_sub(1);
                is_one
            });
            if is_message(record) && !comes_anyway {
                plan.messages += 1;
            }
            if is_now && (record.step.is_some() || !comes_anyway) {
                count_record(plan, record);
            }
        }
    }

    fn count_unknown(&mut self, account: &Account, change: &Change) {
        for workflow in &self.context.program.workflows {
            if change.edge(&workflow.name) == Edge::Kept || !is_in_force(workflow.status) {
                continue;
            }
            let subjects = account.head.workflows.get(&workflow.name);
            let subjects = subjects
                .into_iter()
                .flat_map(|state| state.subjects.values());
            let unknown = subjects.filter(|subject| subject.memory == Memory::Pending);
            if let Some(plan) = self.plan.workflows.get_mut(&workflow.name) {
                plan.unknown += unknown.count() as u64;
            }
        }
    }
}

impl Plan {
    /// Without the workflows of which nothing is to be told.
    pub fn without_quiet(mut self) -> Self {
        self.workflows.retain(|_, workflow| {
            let is_quiet = workflow.status_before == workflow.status
                && workflow.start == "kept"
                && workflow.steps.is_empty()
                && workflow.ends.is_empty()
                && workflow.starts == 0;
            !is_quiet
        });
        self
    }
}

fn step_plan(change: StepChange) -> StepPlan {
    StepPlan {
        change,
        before: 0,
        resting: 0,
        due: 0,
        skipped: 0,
    }
}

/// Wakes a copy whenever it is due.
fn wake(
    context: &Context<'_>,
    mut account: Account,
    (from, until): (Timestamp, Timestamp),
    mut told: impl FnMut(&Decision, Timestamp),
) {
    for _ in 0..WAKES_MAX {
        let Some(due) = account.wake_at().filter(|due| *due <= until) else {
            return;
        };
        let at = due.max(from);
        told(&decide(context, &mut account, Input::Wake, at), at);
    }
}

/// What a record is told apart by; none: it is the account's.
fn key(record: &Record) -> Option<(Box<str>, Kind, Box<str>)> {
    let what = record.step.as_ref().or(record.how.as_ref());
    let what = what.or(record.why.as_ref()).cloned().unwrap_or_default();
    Some((record.workflow.clone()?, record.kind, what))
}

/// Whether a run in its steps has a step before it.
fn is_ahead(run: &Run, step: &str) -> bool {
    let is_over = run.steps.get(step).is_some_and(|state| state.is_over());
    run.phase == Phase::Steps && !is_over
}

fn is_message(record: &Record) -> bool {
    match record.kind {
        Kind::Send | Kind::Alert | Kind::Webhook => true,
        Kind::Start
        | Kind::Task
        | Kind::Set
        | Kind::Ask
        | Kind::Skip
        | Kind::Hold
        | Kind::End
        | Kind::RiskOpened
        | Kind::RiskClosed
        | Kind::HealthChanged
        | Kind::StageChanged => false,
    }
}

fn count_record(plan: &mut WorkflowPlan, record: &Record) {
    match (record.kind, &record.step) {
        (Kind::Start, _) => plan.starts += 1,
        (Kind::End, _) => {
            *plan
                .ends
                .entry(record.how.clone().unwrap_or_default())
                .or_default() += 1;
        }
        (Kind::Skip, None) => {
            *plan
                .refused
                .entry(record.why.clone().unwrap_or_default())
                .or_default() += 1;
        }
        (kind, Some(id)) => {
            let Some(step) = plan.steps.iter_mut().find(|step| step.change.step == *id) else {
                return;
            };
            if kind == Kind::Skip {
                step.skipped += 1;
            } else {
                step.due += 1;
            }
        }
        (_, None) => {}
    }
}

fn existing(workflow: &Workflow) -> Option<&'static str> {
    match &workflow.start {
        Start::When { existing, .. } => Some(match existing {
            Existing::Include => "include",
            Existing::Skip => "skip",
        }),
        Start::Event { .. } | Start::Every { .. } => None,
    }
}

/// The word of a status.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Shadow => "shadow",
        Status::Live => "live",
        Status::Paused => "paused",
        Status::Closing => "closing",
        Status::Retired => "retired",
    }
}
