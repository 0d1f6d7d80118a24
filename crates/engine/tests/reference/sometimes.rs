//! What must have happened somewhere, or the test proves little.

use crate::run::{Look, Run};
use crate::told::{About, Known, Told};
use std::collections::BTreeMap;
use workflow::program::{Expr, ExprKind, ForEach, Start, Step, StepResult, Until, Verb, Workflow};

/// All that must have happened.
const MUST: &[&str] = &[
    "start: when",
    "start: held",
    "start: event",
    "start: every",
    "of an account",
    "of a contract",
    "of a contact",
    "a hold is reset",
    "a hold was paused",
    "a late fact",
    "a late fact resets a hold",
    "a hold ends in a start",
    "start.if is not true",
    "the key is unknown",
    "once_per refuses",
    "the goal is reached already",
    "while is false already",
    "one is running already",
    "a run is started anew",
    "end: finished",
    "end: goal",
    "end: left",
    "end: stopped",
    "end: after being watched",
    "send",
    "send: somebody lives elsewhere",
    "alert",
    "task",
    "set",
    "webhook",
    "wait",
    "until",
    "event waited for",
    "timed out",
    "then",
    "match",
    "split",
    "stop",
    "skip",
    "an occurrence is passed over",
    "a step in summer time",
    "a step in winter time",
];

/// What must have happened so often, since chance meets it often.
const OFTEN: &[(&str, u64)] = &[
    ("of a risk", 500),
    ("risk.opened", 1_000),
    ("risk.closed", 400),
    ("a case opens again", 150),
    ("a severe case", 200),
    ("a risk's hold ends in a case", 500),
    ("a risk's hold is reset", 80),
    ("a late fact resets a hold", 1),
    ("a late fact resets a risk's hold", 1),
    ("start: on a risk", 100),
    ("skipped by a limit", 50),
    ("delayed by a limit", 100),
    ("delayed for too long", 60),
    ("sent after a delay", 30),
    ("held out", 70),
    ("an approval is asked for", 100),
    ("approved", 40),
    ("rejected", 20),
    ("sent after it was approved", 50),
    ("no answer: skip", 15),
    ("no answer: send", 15),
    ("no answer: stop", 15),
    ("held back", 20),
    ("held back for too long", 12),
    ("sent after it was held back", 2),
    ("a task is waited for", 50),
    ("a task is done", 150),
    ("a task is done after its run", 250),
    ("task.overdue", 200),
    ("a reply", 150),
    ("stage.changed", 1_000),
    ("start: on task.done", 15),
    ("start: on task.overdue", 5),
    ("start: on message.sent", 8),
    ("start: on message.replied", 2),
    ("start: on stage.changed", 90),
    ("start: on workflow.started", 30),
    ("start: on workflow.ended", 35),
    ("health.changed", 1_000),
    ("start: on health.changed", 20),
    ("a band's hold is over", 100),
    ("a band's hold is reset", 50),
    ("within the margin of a band", 100),
    ("too little is known for a band", 100),
    ("red at once", 100),
    ("webhook", 150),
    ("a call is accepted", 40),
    ("with: asked", 200),
    ("with: asked at a start", 100),
    ("with: written to", 50),
    ("remember: asked", 200),
    ("remember: written to", 20),
    ("a start is remembered", 300),
];

/// Whether a condition asks what came of a task.
fn asks_task(expr: &Expr) -> bool {
    let is_own = matches!(
        &expr.kind,
        ExprKind::Step {
            result: StepResult::Done | StepResult::Outcome,
            ..
        }
    );
    is_own || expr.children().into_iter().any(asks_task)
}

/// How often what happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sometimes {
    counts: BTreeMap<&'static str, u64>,
}

impl Sometimes {
    /// It happened.
    pub(crate) fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A run started.
    pub(crate) fn start(&mut self, workflow: &Workflow) {
        self.note(match &workflow.start {
            Start::When { hold: None, .. } => "start: when",
            Start::When { .. } => "start: held",
            Start::Event { .. } => "start: event",
            Start::Every { .. } => "start: every",
        });
        self.note(match workflow.for_each {
            ForEach::Account => "of an account",
            ForEach::Contract => "of a contract",
            ForEach::Contact => "of a contact",
            ForEach::Risk => "of a risk",
        });
    }

    /// Something that the engine told is offered to a start.
    pub(crate) fn start_on(&mut self, own: &Told) {
        if let About::Event(kind) = &own.about {
            self.note(match &**kind {
                "risk.opened" | "risk.closed" => "start: on a risk",
                "task.done" => "start: on task.done",
                "task.overdue" => "start: on task.overdue",
                "message.sent" => "start: on message.sent",
                "message.replied" => "start: on message.replied",
                "stage.changed" => "start: on stage.changed",
                "health.changed" => "start: on health.changed",
                "workflow.started" => "start: on workflow.started",
                _ => "start: on workflow.ended",
            });
        }
    }

    /// A run ended.
    pub(crate) fn end(&mut self, run: &Run<'_>, how: &'static str) {
        self.note(match how {
            "finished" => "end: finished",
            "goal" => "end: goal",
            "left" => "end: left",
            _ => "end: stopped",
        });
        if run.phase == crate::run::Phase::Watched {
            self.note("end: after being watched");
        }
    }

    /// A step was looked at.
    pub(crate) fn step(&mut self, known: &Known<'_>, step: &Step, look: &Look<'_>) {
        match look {
            Look::Rest | Look::Again | Look::More => return,
            Look::Done(crate::run::Done::Skipped) => return self.note("skip"),
            Look::Done(crate::run::Done::TimedOut) => self.note("timed out"),
            Look::Done(_) | Look::Into(_) | Look::Set(_) | Look::Stop => {}
        }
        if let Verb::WaitFor {
            until: Until::Condition(wanted),
            ..
        } = &step.verb
        {
            if asks_task(wanted) {
                self.note("a task is waited for");
            }
            self.named("until", wanted);
        }
        if let Verb::Send { to, .. } = &step.verb {
            to.iter().for_each(|to| self.named("to", to));
        }
        if let Some(condition) = &step.condition {
            self.named("if", condition);
        }
        let lives_elsewhere = |id: &&str| known.zone_of(id) != known.zone;
        if matches!(step.verb, Verb::Send { .. }) && known.contacts().iter().any(lives_elsewhere) {
            self.note("send: somebody lives elsewhere");
        }
        self.note(match &step.verb {
            Verb::Send { .. } => "send",
            Verb::Alert { .. } => "alert",
            Verb::Task { .. } => "task",
            Verb::Branch { .. } => "then",
            Verb::Match { .. } => "match",
            Verb::Split { .. } => "split",
            Verb::Set { .. } => "set",
            Verb::Webhook { .. } => "webhook",
            Verb::Wait { .. } => "wait",
            Verb::WaitFor {
                until: Until::Condition(_),
                ..
            } => "until",
            Verb::WaitFor { .. } => "event waited for",
            Verb::Stop { .. } => "stop",
        });
        let is_summer = known.zone.to_offset_info(known.now).dst().is_dst();
        if known.zone.iana_name() == Some("America/New_York") {
            self.note(if is_summer {
                "a step in summer time"
            } else {
                "a step in winter time"
            });
        }
    }

    /// Names of `with` and `remember` that something was asked of.
    pub(crate) fn named(&mut self, place: &str, expr: &Expr) {
        let name = match (&expr.kind, place) {
            (ExprKind::With(_), "to") => "with: written to",
            (ExprKind::With(_), "start") => "with: asked at a start",
            (ExprKind::With(_), _) => "with: asked",
            (ExprKind::Remember(_), "to") => "remember: written to",
            (ExprKind::Remember(_), _) => "remember: asked",
            _ => {
                return expr
                    .children()
                    .into_iter()
                    .for_each(|one| self.named(place, one));
            }
        };
        self.note(name);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    /// All of it happened.
    pub(crate) fn check(&self) {
        let never: Vec<_> = MUST
            .iter()
            .filter(|what| !self.counts.contains_key(*what))
            .collect();
        assert!(never.is_empty(), "never {never:?}: {self:#?}");
        for (what, least) in OFTEN {
            let count = self.counts.get(what).copied().unwrap_or_default();
            assert!(count >= *least, "{what}: {count} times, wanted {least}");
        }
    }
}
