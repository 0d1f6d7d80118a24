//! Taking a fact in: what counts changes the state, what does not is said by name.

use super::{Cause, Turn};
use crate::context::Clock;
use crate::fold::{self, Sort, Which};
use crate::head::History;
use jiff::{SignedDuration, Timestamp};
use model::decision::Rejected;
use model::{Fact, Logged, Parked};

/// A fact may be so far ahead of our clock before it is counted as such.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(10);

/// When a fact happened, when it was seen, and whether it is marked history.
#[derive(Clone, Copy)]
struct Times {
    at: Timestamp,
    seen_at: Timestamp,
    is_marked: bool,
}

impl Turn<'_, '_> {
    /// A fact of this account.
    pub(crate) fn fact(&mut self, logged: &Logged, is_marked: bool) {
        if fold::is_seen(self.account, logged) {
            self.out.is_duplicate = true;
            return;
        }
        let fact = &logged.fact;
        let seen_at = match self.context.clock {
            Clock::Live => logged.arrived_at.min(self.now),
            Clock::Log => self.now,
        };
        let said_at = fact.time.unwrap_or(seen_at);
        let times = Times {
            at: said_at.min(seen_at),
            seen_at,
            is_marked,
        };
        self.find_risen();
        let taken = self.take(fact, times);
        if let Err(parked) = taken {
            self.out = model::Decision {
                parked: Some(parked),
                ..model::Decision::default()
            };
            return;
        }
        if said_at.duration_since(seen_at) > AHEAD_MAX {
            self.reject("ahead", &fact.kind, &said_at.to_string());
        }
        fold::remember(self.account, logged);
        let before = (self.account.head.is_live, self.account.head.history);
        self.mark(times);
        let is_marked_now = before != (self.account.head.is_live, self.account.head.history);
        // What a fact left as it was is as true as before it; what time changes, the wake-up sees to.
        self.is_idle = !self.is_moved && !is_marked_now && self.offers.is_empty();
        if self.is_idle {
            return;
        }
        self.cause = Cause {
            occurred_at: Some(times.at),
            is_marked,
            ..Cause::default()
        };
        self.find_zone();
        self.settle();
    }

    /// Lets a fact change the state; nothing is changed where it is parked.
    fn take(&mut self, fact: &Fact, times: Times) -> Result<(), Parked> {
        let schema = &self.context.program.schema;
        match fold::sort(schema, fact) {
            Sort::Updated(which) => {
                let mut patch = fold::read_patch(which, schema, fact)?;
                self.out.rejected.append(&mut patch.rejected);
                self.note(fact, times);
                self.is_moved = true;
                let id = patch.id.clone();
                let contact = (which == Which::Contact).then_some(&*id);
                let before = contact.and_then(|contact| self.address_of(contact));
                let late = fold::apply(self.account, which, patch, (times.at, times.seen_at));
                if let Some(contact) = contact {
                    self.forget_stops(contact, before.as_deref());
                }
                self.reset_holds((which, &id), &late, times.at);
            }
            Sort::Deleted(Which::Account) => {
                self.note(fact, times);
                self.is_moved = true;
                fold::delete(self.account, Which::Account, "", times.at);
            }
            Sort::Deleted(which) => {
                let id = fold::read_patch_id(which, fact)?;
                self.note(fact, times);
                self.is_moved = true;
                fold::delete(self.account, which, &id, times.at);
            }
            Sort::Event(declared) => {
                let (event, mut rejected) =
                    fold::read_event(self.account, declared, fact, times.at)?;
                self.out.rejected.append(&mut rejected);
                self.note(fact, times);
                self.observe_late(&event);
            }
            Sort::Answer => self.answer(fact, times.at),
            Sort::Settled => self.settled(fact),
            Sort::Stop => self.stop_told(fact),
            Sort::Reserved => return Err(fold::reserved(&fact.kind)),
            Sort::Unknown => {
                let keys: Vec<&str> = fact.data.keys().map(String::as_str).collect();
                self.reject("unknown_event", &fact.kind, &keys.join(", "));
            }
            Sort::Elsewhere => {}
        }
        Ok(())
    }

    /// Counts a piece that was not taken.
    pub(super) fn reject(&mut self, code: &str, name: &str, sample: &str) {
        let sample = serde_json::Value::String(sample.to_owned());
        let rejected: Rejected = fold::rejected(code, name, &sample);
        self.out.rejected.push(rejected);
    }

    /// Notes since when the account, and facts of this type, are known.
    fn note(&mut self, fact: &Fact, times: Times) {
        let day = |at| crate::calendar::day_of(at, &self.zone);
        let (happened_on, seen_on) = (day(times.at), day(times.seen_at));
        let head = &mut self.account.head;
        head.first_at.get_or_insert(times.seen_at);
        let is_news = head
            .metrics
            .coverage
            .note(&fact.kind, happened_on, seen_on, times.is_marked);
        self.is_moved |= is_news;
    }

    /// Opens or keeps open the history of a marked fact; without one the account is live from now on.
    fn mark(&mut self, times: Times) {
        let head = &mut self.account.head;
        if times.is_marked {
            let before = head.history;
            head.history = Some(History {
                opened_at: before.map_or(times.seen_at, |history| history.opened_at),
                marked_at: times.seen_at,
                is_frozen: before.map_or(!head.is_live, |history| history.is_frozen),
            });
        } else if head.history.is_none() {
            head.is_live = true;
        }
    }
}
