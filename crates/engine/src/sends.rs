//! What was said to whom, as long as a limit may ask, and what is kept waiting: a part of its own.

use crate::stored::stored_struct;
use jiff::Timestamp;
use model::RunId;
use std::collections::BTreeMap;

/// The name of a step as a whole among those whom it keeps waiting.
pub(crate) const WHOLE: &str = "";

/// Since when messages wait, by step and contact.
type Steps = BTreeMap<Box<str>, BTreeMap<Box<str>, Timestamp>>;

/// Messages that count towards limits, and messages that are held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sends {
    /// When each message was decided, by contact and topic, oldest first.
    sent: BTreeMap<Box<str>, BTreeMap<Box<str>, Vec<Timestamp>>>,
    /// Since when a message waits, by run, step and contact.
    held: BTreeMap<RunId, Steps>,
}
stored_struct!(Sends { sent, held });

impl Sends {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.held.is_empty()
    }

    /// Counts a message.
    pub(crate) fn count(&mut self, contact: &str, topic: &str, at: Timestamp) {
        let topics = self.sent.entry(contact.into()).or_default();
        topics.entry(topic.into()).or_default().push(at);
    }

    /// Takes a message out again. Its topic may have another name by now: then it is found by its instant.
    pub(crate) fn uncount(&mut self, contact: &str, topic: Option<&str>, at: Timestamp) {
        let Some(topics) = self.sent.get_mut(contact) else {
            return;
        };
        let holds = |name: &str| topics.get(name).is_some_and(|all| all.contains(&at));
        let named = topic.filter(|name| holds(name)).map(Box::from);
        let found = named.or_else(|| {
            let mut all = topics.iter();
            all.find(|(_, all)| all.contains(&at))
                .map(|(name, _)| name.clone())
        });
        let Some(all) = found.and_then(|name| topics.get_mut(&name)) else {
            return;
        };
        if let Some(place) = all.iter().rposition(|one| *one == at) {
            all.remove(place);
        }
        self.tidy();
    }

    /// Forgets messages that no limit asks for any more.
    pub(crate) fn forget(&mut self, is_asked: impl Fn(Timestamp) -> bool) {
        for all in self.sent.values_mut().flat_map(BTreeMap::values_mut) {
            all.retain(|at| is_asked(*at));
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        for topics in self.sent.values_mut() {
            topics.retain(|_, all| !all.is_empty());
        }
        self.sent.retain(|_, topics| !topics.is_empty());
    }

    /// Every counted message: contact, topic, instant.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (&str, &str, Timestamp)> {
        self.sent.iter().flat_map(|(contact, topics)| {
            topics
                .iter()
                .flat_map(move |(topic, all)| all.iter().map(move |at| (&**contact, &**topic, *at)))
        })
    }

    /// Since when a message of a step waits.
    pub(crate) fn held(&self, run: &RunId, step: &str, whom: &str) -> Option<Timestamp> {
        self.held.get(run)?.get(step)?.get(whom).copied()
    }

    /// All that waits of a step: whom it is for, since when.
    pub(crate) fn held_all(
        &self,
        run: &RunId,
        step: &str,
    ) -> impl Iterator<Item = (&str, Timestamp)> {
        let all = self.held.get(run).and_then(|steps| steps.get(step));
        all.into_iter()
            .flatten()
            .map(|(whom, since)| (&**whom, *since))
    }

    /// Since when the first message of a step waits.
    pub(crate) fn held_first(&self, run: &RunId, step: &str) -> Option<Timestamp> {
        self.held_all(run, step).map(|(_, since)| since).min()
    }

    /// Keeps a message waiting.
    pub(crate) fn hold(&mut self, run: &RunId, step: &str, (whom, since): (&str, Timestamp)) {
        let steps = self.held.entry(run.clone()).or_default();
        let all = steps.entry(step.into()).or_default();
        all.insert(whom.into(), since);
    }

    /// Whether all that waits is still wanted.
    pub(crate) fn is_held_well(&self, is_wanted: impl Fn(&RunId, &str, &str) -> bool) -> bool {
        self.held.iter().all(|(run, steps)| {
            let mut steps = steps.iter();
            steps.all(|(step, all)| all.keys().all(|whom| is_wanted(run, step, whom)))
        })
    }

    /// Lets go of what is not wanted any more.
    pub(crate) fn release(&mut self, is_wanted: impl Fn(&RunId, &str, &str) -> bool) {
        for (run, steps) in &mut self.held {
            for (step, all) in steps.iter_mut() {
                all.retain(|whom, _| is_wanted(run, step, whom));
            }
            steps.retain(|_, all| !all.is_empty());
        }
        self.held.retain(|_, steps| !steps.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn hour(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    #[test]
    fn a_message_taken_out_leaves_its_twin_of_another_topic() {
        let mut sends = Sends::default();
        sends.count("p-1", "tips", hour(1));
        sends.count("p-1", "asks", hour(1));
        sends.uncount("p-1", Some("tips"), hour(1));
        let left: Vec<_> = sends.sent().collect();
        assert_eq!(left, [("p-1", "asks", hour(1))]);
    }

    #[test]
    fn a_message_whose_topic_was_renamed_is_found_by_its_instant() {
        let mut sends = Sends::default();
        sends.count("p-1", "tips", hour(1));
        sends.uncount("p-1", Some("hints"), hour(2));
        assert!(!sends.is_empty());
        sends.uncount("p-1", Some("hints"), hour(1));
        assert!(sends.is_empty());
    }

    #[test]
    fn what_is_let_go_leaves_nothing_behind() {
        let run = RunId::of(&["r"]);
        let mut sends = Sends::default();
        sends.hold(&run, "ask", ("p-1", hour(2)));
        sends.hold(&run, "ask", (WHOLE, hour(1)));
        assert_eq!(sends.held(&run, "ask", "p-1"), Some(hour(2)));
        assert_eq!(sends.held_first(&run, "ask"), Some(hour(1)));
        assert!(!sends.is_held_well(|_, _, whom| whom.is_empty()));
        sends.release(|_, _, _| false);
        assert!(sends.is_empty());
    }
}
