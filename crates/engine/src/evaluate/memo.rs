//! What was worked out at an instant while nothing changes, so that no decision does it twice.

use super::reading::Reading;
use crate::lookahead::Course;
use jiff::Timestamp;
use std::cell::RefCell;

/// How many answers of a kind are kept; a newer one takes the place of an older one with the same mark.
const ANSWERS_MAX: usize = 128;

/// What is asked by its place in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A metric.
    Metric(usize),
    /// A segment.
    Segment(usize),
    /// A label.
    Label(usize),
    /// The instant at which health may next change.
    Health,
}

/// What is asked, as of when, and whether counts are taken for what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// What.
    pub(crate) asked: Asked,
    /// As of when.
    pub(crate) at: Timestamp,
    /// Whether counts are taken for what was seen.
    pub(crate) is_as_seen: bool,
}

impl Question {
    /// The mark under which its answer lies: neighbours in time and in the program lie apart.
    fn mark(&self) -> usize {
        let (kind, index) = match self.asked {
            Asked::Metric(index) => (0, index),
            Asked::Segment(index) => (1, index),
            Asked::Label(index) => (2, index),
            Asked::Health => (3, 0),
        };
        let seconds = self.at.as_second().cast_unsigned();
        let mixed = seconds
            .wrapping_add(u64::from(self.at.subsec_nanosecond().cast_unsigned()))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            >> 40;
        let place = usize::try_from(mixed).unwrap_or(0);
        (place + index * 8 + kind * 2 + usize::from(self.is_as_seen)) % ANSWERS_MAX
    }
}

/// Answers of one kind.
#[derive(Debug)]
struct Answers<T>(RefCell<Vec<Option<(Question, T)>>>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(RefCell::new(Vec::new()))
    }
}

impl<T: Clone> Answers<T> {
    fn get(&self, question: Question) -> Option<T> {
        let kept = self.0.borrow();
        let (of, answer) = kept.get(question.mark())?.as_ref()?;
        (*of == question).then(|| answer.clone())
    }

    fn keep(&self, question: Question, answer: T) {
        let mut kept = self.0.borrow_mut();
        if kept.is_empty() {
            kept.resize_with(ANSWERS_MAX, || None);
        }
        kept[question.mark()] = Some((question, answer));
    }
}

/// What was worked out of one unchanged state. Whoever changes the state begins a new one.
#[derive(Debug, Default)]
pub struct Memo {
    readings: Answers<Reading>,
    courses: Answers<Course>,
    holds: Answers<Option<Timestamp>>,
}

impl Memo {
    /// Forgets everything: the state has changed.
    pub(crate) fn forget(&self) {
        self.readings.0.borrow_mut().clear();
        self.courses.0.borrow_mut().clear();
        self.holds.0.borrow_mut().clear();
    }

    /// The reading, as kept or as worked out now.
    pub(crate) fn reading(&self, of: Question, read: impl FnOnce() -> Reading) -> Reading {
        ask(&self.readings, of, read)
    }

    /// The course of a number, likewise.
    pub(crate) fn course(&self, of: Question, find: impl FnOnce() -> Course) -> Course {
        ask(&self.courses, of, find)
    }

    /// The instant up to which something holds, likewise.
    pub(crate) fn hold(
        &self,
        of: Question,
        find: impl FnOnce() -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        ask(&self.holds, of, find)
    }
}

fn ask<T: Clone>(answers: &Answers<T>, of: Question, find: impl FnOnce() -> T) -> T {
    if let Some(answer) = answers.get(of) {
        return answer;
    }
    let answer = find();
    answers.keep(of, answer.clone());
    answer
}
