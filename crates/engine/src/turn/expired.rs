//! Messages that expired: their contact alone is decided again, beside the run's place (engine.md, 5).

use super::Turn;
use super::place::Place;
use super::record::Spot;
use super::send::Send;
use crate::run::{Fate, How, Run, StepPhase};
use jiff::Timestamp;
use workflow::program::{Step, Workflow};

impl<'a> Turn<'a, '_> {
    /// Decides the run's expired messages that may go now. Gives whether there were any.
    pub(super) fn send_expired(&mut self, workflow: &'a Workflow, index: usize) -> bool {
        let mut has_moved = false;
        for (id, contact) in expired(self.run(workflow, index)) {
            let Some(step) = self.find_step(workflow, &id) else {
                continue;
            };
            let spot = Spot {
                workflow,
                run: index,
                step: &step.id,
            };
            has_moved |= self.send_again(spot, step, &contact);
        }
        has_moved
    }

    pub(super) fn send_again(&mut self, spot: Spot<'a>, step: &'a Step, contact: &str) -> bool {
        let Some(send) = Send::of(step) else {
            return false;
        };
        let Some(recipient) = self
            .recipient(contact)
            .filter(|_| self.has_contact(contact))
        else {
            self.keep_message(spot, contact, Fate::Skipped, None);
            return true;
        };
        let run = self.run(spot.workflow, spot.run);
        let due_at = self.due_at((spot.workflow, run), step, &recipient);
        if !is_expired(run, spot.step, contact)
            || due_at.is_none_or(|at| at > self.now)
            || self.stands_back(spot, step, Some(contact))
        {
            return false;
        }
        if let Some(why) = self.why_not_again(spot, step) {
            self.skip_contact(spot, &recipient, why);
        } else {
            let alone = std::slice::from_ref(&recipient);
            self.send_or_hold(spot, send, (&recipient, alone));
        }
        !is_expired(self.run(spot.workflow, spot.run), spot.step, contact)
    }

    /// Goal, `while`, `at` and `if`, asked anew.
    fn why_not_again(&self, spot: Spot<'_>, step: &Step) -> Option<&'static str> {
        let run = self.run(spot.workflow, spot.run);
        let place = Place::run(spot.workflow, run);
        let is_ordinary = !matches!(run.ended, Some((How::Goal, _)));
        if is_ordinary {
            let is_reached = |when| self.look(place, |scene| scene.is_true(when));
            if spot
                .workflow
                .goal
                .as_ref()
                .is_some_and(|goal| is_reached(&goal.when))
            {
                return Some("goal");
            }
            let is_false = |keeps| self.look(place, |scene| scene.truth(keeps)) == Some(false);
            if spot.workflow.while_true.as_ref().is_some_and(is_false) {
                return Some("while");
            }
        }
        if self.is_window_over(spot.workflow, run, step) {
            return Some("window_passed");
        }
        (!self.is_wanted(spot, step, None)).then_some("if")
    }

    fn has_contact(&self, contact: &str) -> bool {
        self.account
            .head
            .contacts
            .get(contact)
            .is_some_and(|entity| entity.is_there)
    }

    /// When the first of the run's expired messages may be decided again.
    pub(super) fn expired_at(&self, workflow: &Workflow, run: &Run) -> Option<Timestamp> {
        let at = |(step, contact): (Box<str>, Box<str>)| {
            let step = self.find_step(workflow, &step)?;
            match self.recipient(&contact) {
                Some(recipient) => self.due_at((workflow, run), step, &recipient),
                None => Some(self.now),
            }
        };
        expired(run).into_iter().filter_map(at).min()
    }
}

/// Whether the contact's message of a step has expired.
fn is_expired(run: &Run, step: &str, contact: &str) -> bool {
    let message = run
        .steps
        .get(step)
        .and_then(|state| state.messages.get(contact));
    message.is_some_and(|message| message.fate == Fate::Expired)
}

/// Steps that are over and the contacts whose message expired.
fn expired(run: &Run) -> Vec<(Box<str>, Box<str>)> {
    let over = run
        .steps
        .iter()
        .filter(|(_, state)| state.phase == StepPhase::Acted);
    over.flat_map(|(step, state)| {
        let gone = state
            .messages
            .iter()
            .filter(|(_, message)| message.fate == Fate::Expired);
        gone.map(move |(contact, _)| (step.into(), contact.into()))
    })
    .collect()
}
