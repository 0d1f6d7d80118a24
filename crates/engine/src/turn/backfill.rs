//! Back-fill: what the log tells of bases that a later text brought, counted beside what is read, then put in its place
//! as a redefinition is: without news (engine.md, 6).

use super::Turn;
use super::answered::Heard;
use super::recount::fate;
use crate::calendar::day_of;
use crate::context::{Clock, OwnRecord};
use crate::fold::{self, Event, Sort};
use crate::metric::Sets;
use jiff::Timestamp;
use model::Logged;

impl Turn<'_, '_> {
    /// A fact of the log from before the present text, each once and in order: nothing but the count goes on.
    pub(crate) fn backfill(&mut self, logged: &Logged) {
        self.is_idle = true;
        let backfill = self.account.head.metrics.backfill.as_ref();
        let is_next = backfill.is_some_and(|backfill| backfill.reached < logged.position);
        if !is_next || !self.context.rules.is_read_again(&logged.fact.kind) {
            self.is_untouched = true;
            return;
        }
        let Some(event) = self.again(logged) else {
            return;
        };
        self.tell_again(&event, false);
    }

    /// The event of a fact that was not read again before. One that could not be taken then is passed over now.
    fn again(&mut self, logged: &Logged) -> Option<Event> {
        let fact = &logged.fact;
        let sort = fold::sort(&self.context.program.schema, fact);
        if let (Sort::Settled, Some((message, is_out))) = (sort, fate(fact)) {
            self.account.parts.keep_fate(message, is_out);
        }
        if !matches!(sort, Sort::Event(_) | Sort::Answer) {
            return None;
        }
        let backfill = self.account.head.metrics.backfill.as_mut()?;
        backfill.reached = logged.position;
        backfill.told_at = backfill.told_at.max(fact.time);
        let seen_at = match self.context.clock {
            Clock::Live => logged.arrived_at.min(self.now),
            Clock::Log => backfill.told_at.max(self.account.head.first_at)?,
        };
        let at = fact.time.unwrap_or(seen_at).min(seen_at);
        let Sort::Event(declared) = sort else {
            // What it answers is known once the records are at hand.
            let heard = Heard::of(logged, (at, seen_at))?;
            if fold::is_first_read(self.account, logged) {
                self.account.parts.keep_heard(logged.position, heard);
            }
            return None;
        };
        let (event, _) = fold::read_event(self.account, declared, fact, at).ok()?;
        if !fold::is_first_read(self.account, logged) {
            return None;
        }
        let (happened_on, seen_on) = (day_of(at, &self.zone), day_of(seen_at, &self.zone));
        let coverage = &mut self.account.head.metrics.coverage;
        coverage.note(&fact.kind, happened_on, seen_on, fact.is_history);
        // A text that declares a type later finds its first fact here; another one may have come in meanwhile.
        let known = coverage.seen_on.get_mut(&fact.kind);
        let known = known.filter(|known| seen_on < **known);
        if let (Some(known), Clock::Live) = (known, self.context.clock) {
            *known = seen_on;
        }
        Some(event)
    }

    /// The log was read: what it told takes its place. What becomes known or other by that happened long ago, so it is
    /// handled like a redefinition.
    pub(crate) fn end_backfill(&mut self, kept_from: Option<Timestamp>, own: &[OwnRecord]) {
        if !self.account.head.metrics.is_backfilling() {
            self.is_untouched = true;
            return;
        }
        // What time alone changed since is news, and comes first.
        self.settle();
        self.is_moved = true;
        self.recount(own, kept_from);
        let before = self.start_truths();
        let account = &mut *self.account;
        let metrics = &mut account.head.metrics;
        if account.parts.sets().is_empty() {
            metrics.end_backfill(&mut Sets::default(), (kept_from, &self.zone));
        } else {
            metrics.end_backfill(account.parts.sets_mut(), (kept_from, &self.zone));
        }
        account.parts.forget_backfill();
        self.memo.forget();
        self.is_backfilled = true;
        self.definitions();
        if !self.account.head.is_frozen() {
            self.ends();
        }
        self.revise_truths(before);
        self.is_backfilled = false;
        self.offers.clear();
        self.settle();
    }
}
