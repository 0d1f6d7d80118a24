//! Alerts and tasks: messages to colleagues, over routes.

use super::Turn;
use super::place::Place;
use super::record::Spot;
use super::steps::Progress;
use crate::calendar;
use crate::run::{Fate, Run, StepPhase};
use jiff::Timestamp;
use model::message::Content;
use model::{
    Channel, Kind, MessageId, Outgoing, Record, RunId, Target, TaskChange, TaskKind, TaskState,
    Value,
};
use workflow::program::{Deliver, RouteTarget, Says, Schedule, Status, Step, Verb};

/// A route leads to another at most so often.
const ROUTES_MAX: usize = 16;
/// The route of whom to tell that nobody was found.
const CSM_ROUTE: &str = "csm";

impl<'a> Turn<'a, '_> {
    /// An alert: one message for each route.
    pub(super) fn alert(&mut self, spot: Spot<'_>, step: &Step) -> Progress {
        let Verb::Alert {
            routes,
            says,
            deliver,
        } = &step.verb
        else {
            return Progress::Rests;
        };
        let not_before = self.arrives_at(*deliver);
        let place = Place::run(spot.workflow, self.run(spot.workflow, spot.run));
        let (content, view, template) = match says {
            Says::Template(name) => {
                let said = self.said(name, None);
                let content = Content::Template {
                    name: name.clone(),
                    locale: said.locale,
                    hash: said.hash,
                };
                (content, self.view(spot, place), Some(name.clone()))
            }
            Says::Text(text) => (Content::Text(text.clone()), self.empty_view(), None),
        };
        for route in routes {
            let record = Record {
                route: Some(route.clone()),
                template: template.clone(),
                ..self.step_record(Kind::Alert, spot)
            };
            self.push(record);
            self.post(spot, route, "route", (content.clone(), view.clone()));
            if let Some(outgoing) = self.out.outbox.last_mut() {
                outgoing.not_before = not_before;
            }
        }
        self.complete(
            Spot {
                step: &step.id,
                ..spot
            },
            StepPhase::Acted,
        )
    }

    /// When an alert may be handed over: now, or with the next digest. That of the present minute is still to come.
    fn arrives_at(&self, deliver: Deliver) -> Timestamp {
        let Some(schedule) = self.context.program.digest.as_ref() else {
            return self.now;
        };
        match deliver {
            Deliver::Now => self.now,
            Deliver::Digest => self
                .next_digest(schedule)
                .map_or(self.now, |at| at.max(self.now)),
        }
    }

    fn next_digest(&self, schedule: &Schedule) -> Option<Timestamp> {
        let zone = self.calendar_zone();
        let minute = self.now.as_second().div_euclid(60) * 60;
        let eve = Timestamp::from_second(minute - 1).ok()?;
        calendar::next_occurrence(&self.context.program.calendar, schedule, eve, &zone)
    }

    /// The CSM is told that a step found nobody to write to.
    pub(super) fn tell_nobody(&mut self, spot: Spot<'_>) {
        let record = Record {
            route: Some(CSM_ROUTE.into()),
            why: Some("nobody".into()),
            ..self.step_record(Kind::Alert, spot)
        };
        self.push(record);
        let content = Content::Nobody {
            step: spot.step.into(),
            workflow: spot.workflow.title.clone(),
        };
        let view = self.empty_view();
        self.post(spot, CSM_ROUTE, "nobody", (content, view));
    }

    /// The CSM is told that a reader calls what a step sent spam.
    pub(super) fn tell_complained(&mut self, spot: Spot<'_>, contact: Option<&str>) {
        let record = Record {
            route: Some(CSM_ROUTE.into()),
            why: Some("complained".into()),
            ..self.step_record(Kind::Alert, spot)
        };
        self.push(record);
        let content = Content::Complained {
            step: spot.step.into(),
            workflow: spot.workflow.title.clone(),
        };
        let view = self.empty_view();
        let kind = format!("complained {}", contact.unwrap_or_default());
        self.post(spot, CSM_ROUTE, &kind, (content, view));
    }

    /// A task for a colleague.
    pub(super) fn task(&mut self, spot: Spot<'_>, step: &Step) -> Progress {
        let Verb::Task {
            title,
            assignee,
            due,
            template,
        } = &step.verb
        else {
            return Progress::Rests;
        };
        let task = task_id(self.run(spot.workflow, spot.run), spot.step);
        let due_at = due.and_then(|due| self.after(self.now, due));
        let record = Record {
            task: Some(title.clone()),
            to: Some(assignee.clone()),
            template: template.clone(),
            ..self.step_record(Kind::Task, spot)
        };
        self.push(record);
        let progress = self.complete(spot, StepPhase::Acted);
        self.step_mut(spot.workflow, spot.run, spot.step).task = Some(task.clone());
        self.change_task(spot, TaskState::Open);
        let place = Place::run(spot.workflow, self.run(spot.workflow, spot.run));
        let view = match template {
            Some(_) => self.view(spot, place),
            None => self.empty_view(),
        };
        let content = Content::Task {
            task,
            title: title.clone(),
            due_at,
        };
        self.post(spot, assignee, "task", (content, view));
        progress
    }

    /// A task as it stands after this decision.
    pub(super) fn change_task(&mut self, spot: Spot<'_>, state: TaskState) {
        let run = self.run(spot.workflow, spot.run);
        let (Some(step), Some(kept)) = (
            self.find_step(spot.workflow, spot.step),
            run.steps.get(spot.step),
        ) else {
            return;
        };
        let (kind, title, assignee, opened_at, due_at) = match (&step.verb, &kept.ask) {
            (
                Verb::Send {
                    template,
                    approval: Some(approval),
                    ..
                },
                Some(ask),
            ) => {
                let title = step.title.clone().unwrap_or_else(|| template.clone());
                (
                    TaskKind::Approve,
                    title,
                    approval.by.clone(),
                    ask.asked_at,
                    Some(ask.due_at),
                )
            }
            (
                Verb::Task {
                    title, assignee, ..
                },
                _,
            ) => (
                TaskKind::Do,
                title.clone(),
                assignee.clone(),
                kept.at,
                self.task_due_at(step, kept),
            ),
            _ => return,
        };
        let change = TaskChange {
            task: task_id(run, spot.step),
            account: self.account.id.clone(),
            workflow: spot.workflow.name.clone(),
            subject: run.subject.clone(),
            run: run.id.clone(),
            step: spot.step.into(),
            kind,
            title,
            csm: self.assigned_csm(kept, &assignee),
            assignee,
            opened_at,
            due_at,
            state,
        };
        self.out.tasks.push(change);
    }

    /// Puts a message for a route into the outbox; `kind` keeps the ids of one step's messages apart.
    pub(super) fn post(
        &mut self,
        spot: Spot<'_>,
        route: &str,
        kind: &str,
        (content, view): (Content, serde_json::Value),
    ) {
        let targets = self.targets(spot, route);
        self.post_to(spot, (route, targets), kind, (content, view));
    }

    /// The same, to targets that are known already.
    pub(super) fn post_to(
        &mut self,
        spot: Spot<'_>,
        (route, targets): (&str, Vec<Target>),
        kind: &str,
        (content, view): (Content, serde_json::Value),
    ) {
        let view = self.named(view);
        let run = self.run(spot.workflow, spot.run);
        let message = MessageId::of(&[run.id.as_str(), spot.step, "0", route, kind]);
        let outgoing = Outgoing {
            message: message.clone(),
            account: self.account.id.clone(),
            workflow: spot.workflow.name.clone(),
            subject: run.subject.clone(),
            run: run.id.clone(),
            step: spot.step.into(),
            channel: Channel::Route {
                route: route.into(),
                targets,
            },
            content,
            view,
            topic: None,
            purpose: None,
            resends_unknown: false,
            not_before: self.now,
            expires_at: None,
            priority: spot.workflow.priority,
            is_shadow: spot.workflow.status == Status::Shadow,
        };
        self.out.outbox.push(outgoing);
        if kind == "route" {
            self.keep_message(spot, route, Fate::Queued, Some(message));
        }
    }

    /// The known targets of a route, then those of the routes it leads to.
    fn targets(&self, spot: Spot<'_>, route: &str) -> Vec<Target> {
        let place = Place::run(spot.workflow, self.run(spot.workflow, spot.run));
        let mut targets = Vec::new();
        let mut name: Option<&str> = Some(route);
        for _ in 0..ROUTES_MAX {
            let Some(route) = name.and_then(|name| self.context.program.routes.get(name)) else {
                break;
            };
            targets.extend(
                route
                    .targets
                    .iter()
                    .filter_map(|target| self.target(place, target)),
            );
            name = route.otherwise.as_deref();
        }
        targets
    }

    fn target(&self, place: Place<'_>, target: &RouteTarget) -> Option<Target> {
        let text = |expr| match self.look(place, |scene| scene.value(expr)) {
            Some(Value::Text(text)) => Some(text),
            Some(_) | None => None,
        };
        match target {
            RouteTarget::Slack(expr) => text(expr).map(Target::Slack),
            RouteTarget::Email(expr) => text(expr).map(Target::Email),
            RouteTarget::Channel(name) => Some(Target::Channel(name.clone())),
            RouteTarget::Teams(name) => Some(Target::Teams(name.clone())),
        }
    }
}

/// The id of the task of a step: the same however often it is decided.
pub(super) fn task_id(run: &Run, step: &str) -> Box<str> {
    task_of(&run.id, step)
}

/// The same where only the run's id is known.
pub(super) fn task_of(run: &RunId, step: &str) -> Box<str> {
    let hashed = MessageId::of(&[run.as_str(), step]);
    let letters = hashed.as_str().trim_start_matches("m_");
    format!("t_{letters}").into()
}
