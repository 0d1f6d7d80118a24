//! Offers: what happened is offered to the workflows that start on it, after the metrics have seen it (language.md, 5.2).

use super::Turn;
use super::begin::Beginning;
use crate::fold::Event;
use workflow::program::{Start, Workflow};

/// Something that happened, and the case of a risk that it is about.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) event: Event,
    pub(super) case: Option<Box<str>>,
}

impl<'a> Turn<'a, '_> {
    /// Keeps an event for the starts of this instant, if any workflow listens.
    pub(super) fn offer(&mut self, event: &Event, case: Option<&str>) {
        if self.context.rules.is_start(&event.kind) {
            self.offers.push(Offer {
                event: event.clone(),
                case: case.map(Box::from),
            });
        }
    }

    /// Takes what is offered now. History starts nothing: neither what is marked, nor what closes, nor what comes meanwhile.
    pub(super) fn take_offers(&mut self) -> Vec<Offer> {
        let offers = std::mem::take(&mut self.offers);
        let is_history =
            self.account.head.is_frozen() || self.cause.is_marked || self.cause.closes.is_some();
        if is_history { Vec::new() } else { offers }
    }

    /// Begins the runs that a workflow starts on what happened. Gives whether any began.
    pub(super) fn begin_on(&mut self, workflow: &'a Workflow, offers: &[Offer]) -> bool {
        let Start::Event {
            events,
            condition,
            max_age,
        } = &workflow.start
        else {
            return false;
        };
        let mut has_begun = false;
        for offer in offers
            .iter()
            .filter(|offer| events.contains(&offer.event.kind))
        {
            let beginning = Beginning {
                condition: condition.as_ref(),
                event: Some((&offer.event, *max_age)),
                says_if: false,
            };
            for subject in self.subjects_of(workflow.for_each, offer) {
                has_begun |= self.begin(workflow, &subject, beginning);
            }
        }
        has_begun
    }
}
