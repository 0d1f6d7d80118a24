//! What was read ahead of one shard.

use super::{PageMax, SharedSlot};
use crate::StoredFact;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A shard's queue takes no more after so many facts …
const FACTS_MAX: usize = 4_000;
/// … or bytes.
const BYTES_MAX: usize = 8 << 20;

/// All shards' slots, made when they are first asked for.
#[derive(Default)]
pub(super) struct Slots(Mutex<BTreeMap<u32, SharedSlot>>);

impl Slots {
    pub(super) fn of(&self, shard: u32) -> SharedSlot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(shard).or_default())
    }

    pub(super) fn all(&self) -> Vec<(u32, SharedSlot)> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots
            .iter()
            .map(|(shard, slot)| (*shard, Arc::clone(slot)))
            .collect()
    }
}

/// One shard's queue.
#[derive(Default)]
pub(super) struct Slot {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    /// The position after which the next page begins; none while nobody reads.
    next: Option<u64>,
    /// The page that was handed out last: who decides often keeps only the beginning of it.
    handed: Vec<StoredFact>,
    ahead: VecDeque<StoredFact>,
    bytes: usize,
    /// The consumer reads from `next` on. What it brings before stems from where it stood: taken, it would leave a hole.
    is_flowing: bool,
    /// The end of the partition was met after the last fact that was read ahead.
    is_at_end: bool,
    is_paused: bool,
    /// Why it can't be read on.
    halt: Option<Box<str>>,
    /// The end the broker named last, and a position after which nothing but marks stood before it.
    end: u64,
    gap: Option<(u64, u64)>,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a page; whether the consumer has to be asked for it, since it stands elsewhere.
    pub(super) fn aim(&self, after: u64) -> bool {
        let mut state = self.state();
        if state.next == Some(after) || state.take_back(after) {
            return false;
        }
        state.start(after);
        true
    }

    /// Begins anew at a position.
    pub(super) fn restart(&self, after: u64) {
        self.state().start(after);
    }

    /// The consumer begins to read after a position.
    pub(super) fn flows(&self, after: u64) {
        let mut state = self.state();
        // Asked for another place since, it is told again.
        state.is_flowing = state.next == Some(after) && state.ahead.is_empty();
    }

    /// Nobody reads it any more.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.start(0);
        state.next = None;
    }

    /// Ends when something happens here after this call.
    pub(super) fn news(&self) -> impl Future<Output = ()> {
        let mut news = Box::pin(self.news.notified());
        news.as_mut().enable();
        news
    }

    /// The next facts that are there.
    pub(super) fn take(&self, max: PageMax) -> Vec<StoredFact> {
        let mut state = self.state();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while taken.len() < max.count as usize && bytes < max.bytes {
            let Some(fact) = state.ahead.pop_front() else {
                break;
            };
            bytes += fact.json.len();
            state.bytes = state.bytes.saturating_sub(fact.json.len());
            state.next = Some(fact.position);
            taken.push(fact);
        }
        if !taken.is_empty() {
            state.handed.clone_from(&taken);
        }
        taken
    }

    /// Whether it was paused and has room now; it counts as going on from here.
    pub(super) fn has_room_again(&self) -> bool {
        let mut state = self.state();
        let has_room = state.ahead.len() < FACTS_MAX / 2 && state.bytes < BYTES_MAX / 2;
        let resumes = state.is_paused && has_room;
        state.is_paused &= !resumes;
        resumes
    }

    pub(super) fn is_at_end(&self) -> bool {
        let state = self.state();
        state.is_at_end && state.ahead.is_empty()
    }

    pub(super) fn take_halt(&self) -> Option<Box<str>> {
        let mut state = self.state();
        let halt = state.halt.take();
        if halt.is_some() {
            // Who asks again asks the broker again.
            state.next = None;
        }
        halt
    }

    /// Up to the end that was named last stands nothing after this position.
    pub(super) fn nothing_follows(&self, after: u64) {
        let mut state = self.state();
        state.gap = Some((state.end, after));
    }

    /// The end the broker names, or where facts end before it.
    pub(super) fn end(&self, named: u64) -> u64 {
        let mut state = self.state();
        state.end = named;
        match state.gap {
            Some((end, after)) if end == named && state.next == Some(after) => after,
            Some(_) | None => named,
        }
    }

    /// Takes what the consumer brought; whether that is enough for now.
    pub(super) fn put(&self, fact: StoredFact) -> bool {
        let mut state = self.state();
        if !state.is_flowing || state.next.is_none_or(|next| fact.position <= next) {
            return false;
        }
        state.bytes += fact.json.len();
        state.is_at_end = false;
        state.ahead.push_back(fact);
        let is_full = state.ahead.len() >= FACTS_MAX || state.bytes >= BYTES_MAX;
        let pauses = is_full && !state.is_paused;
        state.is_paused |= is_full;
        drop(state);
        self.news.notify_waiters();
        pauses
    }

    /// The consumer met the end of the partition.
    pub(super) fn met_end(&self) {
        let mut state = self.state();
        state.is_at_end = state.is_flowing;
        drop(state);
        self.news.notify_waiters();
    }

    /// The consumer can't go on.
    pub(super) fn halt(&self, why: &str) {
        let mut state = self.state();
        state.start(0);
        state.next = None;
        state.halt = Some(why.into());
        drop(state);
        self.news.notify_waiters();
    }

    /// The position up to which it was read ahead, if anybody reads it.
    pub(super) fn reached(&self) -> Option<u64> {
        let state = self.state();
        let ahead = state.ahead.back().map(|fact| fact.position);
        state.next.map(|next| ahead.unwrap_or(next))
    }
}

impl State {
    /// Puts back what was handed out after a position, if that is in the last page.
    fn take_back(&mut self, after: u64) -> bool {
        let last = self.handed.last().map(|fact| fact.position);
        if last.is_none() || last != self.next {
            return false;
        }
        let Some(kept) = self.handed.iter().position(|fact| fact.position == after) else {
            return false;
        };
        for fact in self.handed.drain(kept + 1..).rev() {
            self.bytes += fact.json.len();
            self.ahead.push_front(fact);
        }
        self.next = Some(after);
        true
    }

    fn start(&mut self, after: u64) {
        self.next = Some(after);
        self.ahead.clear();
        self.handed.clear();
        self.bytes = 0;
        self.is_flowing = false;
        self.is_at_end = false;
        self.is_paused = false;
        self.halt = None;
        self.gap = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    const ALL: PageMax = PageMax {
        count: 100,
        bytes: usize::MAX,
    };

    fn bring(slot: &Slot, positions: std::ops::RangeInclusive<u64>) {
        for position in positions {
            slot.put(StoredFact {
                position,
                arrived_at: Timestamp::UNIX_EPOCH,
                json: "{}".into(),
            });
        }
    }

    fn take(slot: &Slot) -> Vec<u64> {
        let taken = slot.take(ALL);
        taken.iter().map(|fact| fact.position).collect()
    }

    #[test]
    fn what_the_consumer_brings_from_where_it_stood_leaves_no_hole() {
        let slot = Slot::default();
        assert!(slot.aim(0));
        slot.flows(0);
        bring(&slot, 1..=3);
        assert_eq!(take(&slot), [1, 2, 3]);
        bring(&slot, 4..=6);
        assert_eq!(take(&slot), [4, 5, 6]);
        // Nothing of both pages was committed; the consumer is still under way, and at its end.
        assert!(slot.aim(0));
        bring(&slot, 7..=9);
        slot.met_end();
        assert_eq!(take(&slot), [0; 0]);
        assert!(!slot.is_at_end());
        slot.flows(0);
        bring(&slot, 1..=9);
        slot.met_end();
        assert_eq!(take(&slot), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(slot.is_at_end());
    }

    #[test]
    fn what_was_begun_anew_twice_flows_from_the_second_place() {
        let slot = Slot::default();
        assert!(slot.aim(0));
        slot.restart(5);
        slot.flows(0);
        bring(&slot, 1..=9);
        assert_eq!(take(&slot), [0; 0]);
        slot.flows(5);
        bring(&slot, 6..=7);
        assert_eq!(take(&slot), [6, 7]);
        // Part of the last page again: it is at hand.
        assert!(!slot.aim(6));
        assert_eq!(take(&slot), [7]);
    }
}
