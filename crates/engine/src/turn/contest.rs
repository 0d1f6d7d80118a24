//! Contests: mails that a limit counts and that could go at one instant go by priority, then age.
//!
//! Each stands back at its place while the other steps of the instant are done; then the first of them acts, and goes
//! on as far as it can, until none is left. What no limit counts is not touched.

use super::Turn;
use super::record::Spot;
use jiff::Timestamp;
use workflow::program::{Step, Verb, Workflow};

/// In one round so many mails are let go one after another; the rest follows in the next.
const CONTENDERS_MAX: usize = 10_000;

/// A mail that could go now.
#[derive(Clone, Debug)]
pub(super) struct Contender<'a> {
    workflow: &'a Workflow,
    run: usize,
    step: &'a Step,
    /// For one whose message expired: whose.
    contact: Option<Box<str>>,
    /// Since when the run is at the step.
    since: Timestamp,
}

impl Contender<'_> {
    fn is(&self, spot: Spot<'_>, contact: Option<&str>) -> bool {
        self.workflow.name == spot.workflow.name
            && self.run == spot.run
            && *self.step.id == *spot.step
            && self.contact.as_deref() == contact
    }
}

impl<'a> Turn<'a, '_> {
    /// Whether a mail has to stand back for now; it does so until it is let go.
    pub(super) fn stands_back(
        &mut self,
        spot: Spot<'a>,
        step: &'a Step,
        contact: Option<&str>,
    ) -> bool {
        let Verb::Send { topic, .. } = &step.verb else {
            return false;
        };
        if !self.has_limit(topic) {
            return false;
        }
        let is_it = |one: &Contender<'_>| one.is(spot, contact);
        if self.let_go.as_ref().is_some_and(is_it) {
            return false;
        }
        let run = self.run(spot.workflow, spot.run);
        let expired = contact.and_then(|contact| run.steps.get(spot.step)?.messages.get(contact));
        let since = expired.map_or(run.rests_since, |message| message.at);
        self.contenders.push(Contender {
            workflow: spot.workflow,
            run: spot.run,
            step,
            contact: contact.map(Box::from),
            since,
        });
        true
    }

    /// Lets those that stood back go, one after another.
    pub(super) fn settle_contest(&mut self) {
        for _ in 0..CONTENDERS_MAX {
            let Some(first) = self.first_contender() else {
                return;
            };
            let (workflow, run) = (first.workflow, first.run);
            let (step, contact) = (first.step, first.contact.clone());
            self.let_go = Some(first);
            let spot = Spot {
                workflow,
                run,
                step: &step.id,
            };
            let said = self.out.records.len();
            let has_moved = match contact {
                Some(contact) => self.send_again(spot, step, &contact),
                None => self.advance(workflow, run),
            };
            self.let_go = None;
            if has_moved || self.out.records.len() > said {
                self.acted.push((workflow, run));
                self.is_moved = true;
            }
        }
        self.contenders.clear();
    }

    /// The most urgent, then the one that has been there longest; the rest of the order only has to be the same always.
    fn first_contender(&mut self) -> Option<Contender<'a>> {
        let key = |one: &Contender<'_>| {
            let run = self.run(one.workflow, one.run);
            let place = (one.workflow.name.clone(), run.id.clone());
            (one.workflow.priority, one.since, place, one.contact.clone())
        };
        let contenders = self.contenders.iter().enumerate();
        let (first, _) = contenders.min_by_key(|(_, one)| key(one))?;
        Some(self.contenders.remove(first))
    }
}
