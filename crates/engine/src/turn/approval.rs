//! Approval: asked once for all recipients; given once it stands.

use super::Turn;
use super::alert::task_id;
use super::recipients::Recipient;
use super::record::Spot;
use super::steps::Progress;
use crate::run::{Ask, How};
use model::message::Content;
use model::{Kind, Record, TaskState};
use workflow::program::{Approval, ApprovalOtherwise, Step, Verb};

impl<'a> Turn<'a, '_> {
    /// What an approval that was refused, or not answered in time, makes of the step; none: go on.
    pub(super) fn refused(&mut self, spot: Spot<'a>, step: &Step) -> Option<Progress> {
        let approval = approval(step)?;
        let state = self.run(spot.workflow, spot.run).steps.get(spot.step)?;
        let ask = state.ask.as_ref()?;
        match ask.answer {
            Some(true) => None,
            Some(false) => Some(self.pass_over(spot, "rejected")),
            None if self.now < ask.due_at => Some(Progress::Rests),
            None => self.unanswered(spot, approval),
        }
    }

    fn unanswered(&mut self, spot: Spot<'a>, approval: &Approval) -> Option<Progress> {
        match approval.otherwise {
            ApprovalOtherwise::Skip => Some(self.pass_over(spot, "no_approval")),
            ApprovalOtherwise::Stop => {
                let progress = self.pass_over(spot, "no_approval");
                self.finish(spot.workflow, spot.run, How::Stopped);
                Some(progress)
            }
            ApprovalOtherwise::Send => {
                self.change_task(spot, TaskState::Closed);
                let state = self.step_mut(spot.workflow, spot.run, spot.step);
                if let Some(ask) = state.ask.as_mut() {
                    ask.answer = Some(true);
                }
                None
            }
        }
    }

    /// Asks, where an approval is wanted and was not asked for; none: go on.
    pub(super) fn ask(
        &mut self,
        spot: Spot<'a>,
        step: &Step,
        first: Option<&Recipient>,
    ) -> Option<Progress> {
        let approval = approval(step)?;
        let state = self.run(spot.workflow, spot.run).steps.get(spot.step);
        if state.is_some_and(|state| state.ask.is_some()) {
            return None;
        }
        let run = self.run(spot.workflow, spot.run);
        let task = task_id(run, spot.step);
        let due_at = self.after(self.now, approval.at_most).unwrap_or(self.now);
        let now = self.now;
        self.step_mut(spot.workflow, spot.run, spot.step).ask = Some(Ask {
            task: task.clone(),
            asked_at: now,
            due_at,
            answer: None,
        });
        let record = Record {
            by: Some(approval.by.clone()),
            ..self.step_record(Kind::Ask, spot)
        };
        self.push(record);
        self.change_task(spot, TaskState::Open);
        self.post_question(spot, step, (&approval.by, task), first);
        Some(Progress::Moved)
    }

    /// Shows the question, with a preview for the first recipient, to who answers.
    fn post_question(
        &mut self,
        spot: Spot<'_>,
        step: &Step,
        (by, task): (&str, Box<str>),
        first: Option<&Recipient>,
    ) {
        let Some(send) = super::send::Send::of(step) else {
            return;
        };
        let contact = first.map(|recipient| &*recipient.contact);
        let said = self.said(send.template, contact);
        let content = Content::Ask {
            task,
            name: send.template.into(),
            locale: said.locale,
            hash: said.hash,
        };
        let place = super::place::Place::run(spot.workflow, self.run(spot.workflow, spot.run));
        let place = contact.map_or(place, |contact| place.to(contact));
        let view = self.view(spot, place);
        self.post(spot, by, "ask", (content, view));
    }
}

/// The approval that a step wants.
pub(super) fn approval(step: &Step) -> Option<&Approval> {
    if let Verb::Send { approval, .. } = &step.verb {
        approval.as_ref()
    } else {
        None
    }
}
