//! Writing records: what a decision looks like from outside (facts.md, 4).

use super::Turn;
use crate::run::Run;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{Kind, Record};
use workflow::program::Workflow;

/// An instant with the offset of a zone, `2026-01-13T09:00:00+09:00`.
fn shown_at(at: Timestamp, zone: &TimeZone) -> Box<str> {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%.f%:z")
        .to_string()
        .into()
}

impl Turn<'_, '_> {
    /// An instant as records show it.
    pub(super) fn shown_at(&self, at: Timestamp) -> Box<str> {
        shown_at(at, &self.zone)
    }

    /// A record of the account itself.
    pub(super) fn own_record(&self, kind: Kind) -> Record {
        Record {
            at: self.shown_at(self.now),
            account: self.account.id.clone(),
            workflow: None,
            subject: None,
            run: None,
            kind,
            step: None,
            route: None,
            template: None,
            task: None,
            to: None,
            cc: None,
            topic: None,
            locale: None,
            message: None,
            by: None,
            why: None,
            how: None,
            name: None,
            from: None,
            value: None,
        }
    }

    /// A record of a subject of a workflow.
    pub(super) fn subject_record(&self, kind: Kind, workflow: &Workflow, subject: &str) -> Record {
        Record {
            workflow: Some(workflow.name.clone()),
            subject: Some(subject.into()),
            ..self.own_record(kind)
        }
    }

    /// A record of a run.
    pub(super) fn run_record(&self, kind: Kind, workflow: &Workflow, run: &Run) -> Record {
        Record {
            run: Some(run.id.clone()),
            ..self.subject_record(kind, workflow, &run.subject)
        }
    }

    /// A record of a step of a run.
    pub(super) fn step_record(&self, kind: Kind, at: Spot<'_>) -> Record {
        Record {
            step: Some(at.step.into()),
            ..self.run_record(kind, at.workflow, self.run(at.workflow, at.run))
        }
    }

    /// Tells a record.
    pub(super) fn push(&mut self, record: Record) {
        self.out.records.push(record);
    }
}

/// A step of a run.
#[derive(Clone, Copy)]
pub(super) struct Spot<'s> {
    /// The workflow.
    pub(super) workflow: &'s Workflow,
    /// The run, by its place among the workflow's.
    pub(super) run: usize,
    /// The step's id.
    pub(super) step: &'s str,
}
