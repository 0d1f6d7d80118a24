//! A task changes hands: it is put off, or given to another CSM.

use super::Turn;
use super::answer::spot;
use super::overdue::is_closed;
use crate::fold::Answer;
use crate::run::{Handed, Outcome, StepState};
use jiff::Timestamp;
use model::message::Content;
use model::{Fact, Target, TaskState};
use workflow::program::{ExprKind, RouteTarget, Verb, Workflow};

/// How a field's value is written to.
type Means = fn(Box<str>) -> Target;

/// A CSM's fields by which a message reaches them, in the order in which routes usually try them.
const MEANS: [(&str, Means); 2] = [("slack", Target::Slack), ("email", Target::Email)];

impl<'a> Turn<'a, '_> {
    /// A task is put off: it is due then, and overdue anew if it is not done by then.
    pub(super) fn snooze(&mut self, workflow: &'a Workflow, answer: &Answer, fact: &Fact) {
        let until = fact.data.get("until").and_then(serde_json::Value::as_str);
        let Some(until) = until.and_then(|until| until.parse::<Timestamp>().ok()) else {
            return self.reject("wrong_value", "task.snoozed.until", until.unwrap_or(""));
        };
        if !self.is_open_task(workflow, answer) {
            return self.reject("late", "task.snoozed", &answer.step);
        }
        let state = self.step_mut(workflow, answer.run, &answer.step);
        state.outcomes.remove(&Outcome::Overdue);
        state.handed.get_or_insert_with(Handed::default).until = Some(until);
        self.change_task(spot(workflow, answer), TaskState::Open);
    }

    /// A task goes to another CSM, who is told.
    pub(super) fn reassign(&mut self, workflow: &'a Workflow, answer: &Answer, fact: &Fact) {
        let to = fact.data.get("to").and_then(serde_json::Value::as_str);
        let Some(to) = to.filter(|to| self.is_csm(to)) else {
            return self.reject("not_found", "task.reassigned.to", to.unwrap_or(""));
        };
        if !self.is_open_task(workflow, answer) {
            return self.reject("late", "task.reassigned", &answer.step);
        }
        let state = self.step_mut(workflow, answer.run, &answer.step);
        state.handed.get_or_insert_with(Handed::default).to = Some(to.into());
        self.change_task(spot(workflow, answer), TaskState::Open);
        self.tell_new_hands(workflow, answer, to);
    }

    fn tell_new_hands(&mut self, workflow: &'a Workflow, answer: &Answer, to: &str) {
        let Some(task) = self.out.tasks.last() else {
            return;
        };
        let content = Content::Task {
            task: task.task.clone(),
            title: task.title.clone(),
            due_at: task.due_at,
        };
        let targets = self.means_of(to);
        let view = self.empty_view();
        let route = format!("csm:{to}");
        self.post_to(
            spot(workflow, answer),
            (&route, targets),
            "task",
            (content, view),
        );
    }

    fn is_csm(&self, id: &str) -> bool {
        let csm = self.context.csms.0.get(id);
        csm.is_some_and(|csm| csm.is_there)
    }

    fn means_of(&self, csm: &str) -> Vec<Target> {
        let fields = self.context.csms.0.get(csm).map(|csm| &csm.fields);
        let text = |name: &str| {
            let value = fields.and_then(|fields| fields.get(name))?.value.as_ref()?;
            value.text().map(Box::from)
        };
        MEANS
            .into_iter()
            .filter_map(|(name, target)| text(name).map(target))
            .collect()
    }

    /// Whether the step that is answered has a task that waits to be done.
    fn is_open_task(&self, workflow: &Workflow, answer: &Answer) -> bool {
        let run = self.run(workflow, answer.run);
        let step = self.find_step(workflow, &answer.step);
        let is_task = step.is_some_and(|step| matches!(step.verb, Verb::Task { .. }));
        let is_waiting =
            |state: &StepState| state.task.is_some() && !state.outcomes.contains(&Outcome::Done);
        is_task
            && run.steps.get(&answer.step).is_some_and(is_waiting)
            && !is_closed(workflow, run, &answer.step)
    }

    /// The CSM who has a task: to whom it was handed, else the account's, where the route leads to that one.
    pub(super) fn assigned_csm(&self, state: &StepState, route: &str) -> Option<Box<str>> {
        if let Some(to) = state.handed.as_ref().and_then(|handed| handed.to.clone()) {
            return Some(to);
        }
        let reads_csm = |target: &RouteTarget| match target {
            RouteTarget::Slack(expr) | RouteTarget::Email(expr) => {
                matches!(expr.kind, ExprKind::Csm(_))
            }
            RouteTarget::Channel(_) | RouteTarget::Teams(_) => false,
        };
        let route = self.context.program.routes.get(route)?;
        if !route.targets.iter().any(reads_csm) {
            return None;
        }
        let csm = self.account.head.account.value("csm")?;
        csm.text().map(Box::from)
    }
}
