//! One round of steps: each run goes as far as it can, mails that a limit counts after all others.

use crate::days;
use crate::deed::{Deed, What};
use crate::own::asked;
use crate::run::{Done, Look, Phase};
use crate::send::{Around, counts};
use crate::tell::Topic;
use crate::told::{About, Known, Told};
use crate::walk::Walk;
use std::collections::BTreeSet;
use workflow::program::{Step, Verb};

impl<'a> Walk<'a> {
    /// Takes all runs as far as they go now; whether anything moved.
    pub(crate) fn round(&mut self) -> bool {
        let mut has_moved = false;
        // Workflow by workflow, in each the oldest first: at one instant that decides whom another still holds back.
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        order.sort_by_key(|index| self.runs[*index].workflow.name.clone());
        for index in order {
            has_moved |= self.advance(index, false);
        }
        // Mails that a limit counts go by priority, then age, each as soon as those before it are settled.
        let mut tried = BTreeSet::new();
        loop {
            let all = 0..self.runs.len();
            let waiting: Vec<_> = all
                .filter_map(|index| {
                    let step = self.counted(index)?.id.to_string();
                    (!tried.contains(&(index, step.clone()))).then_some((index, step))
                })
                .collect();
            let waiting = waiting.into_iter();
            let Some((index, step)) = waiting.min_by_key(|(index, _)| self.urgency(*index)) else {
                return has_moved;
            };
            tried.insert((index, step));
            has_moved |= self.advance(index, true);
        }
    }

    /// The send at which a run stands, if a limit counts its topic.
    fn counted(&mut self, index: usize) -> Option<&'a Step> {
        let program = self.program;
        let run = &mut self.runs[index];
        let step = run.is_acting().then(|| run.step()).flatten()?;
        let Verb::Send { topic, .. } = &step.verb else {
            return None;
        };
        let is_counted = program.limits.iter().any(|limit| counts(limit, topic));
        is_counted.then_some(step)
    }

    /// What is to go first is least.
    fn urgency(&self, index: usize) -> impl Ord + use<> {
        let run = &self.runs[index];
        let name = run.workflow.name.clone();
        (run.workflow.priority, run.since, name, run.id())
    }

    /// The topics that open runs of other workflows hold back from this one.
    fn held_back(&self, index: usize) -> Vec<String> {
        let own = &self.runs[index].workflow.name;
        let others = self.runs.iter().filter(|other| {
            other.workflow.name != *own && other.phase == Phase::Open && !other.is_held_out
        });
        let topics = others.flat_map(|other| &other.workflow.holds_back);
        topics.map(ToString::to_string).collect()
    }

    /// Takes a run as far as it goes; at a mail that a limit counts it stands back, unless it may do that one now.
    fn advance(&mut self, index: usize, mut may_send: bool) -> bool {
        let mut has_moved = false;
        while self.runs[index].is_acting() {
            let before = self.deeds.len();
            self.with_known(|walk, known| walk.check_end(known, index));
            has_moved |= self.deeds.len() > before;
            if !self.runs[index].is_acting() {
                break;
            }
            let is_counted = self.counted(index).is_some();
            if is_counted && !may_send {
                break;
            }
            let look = self.with_known(|walk, known| walk.look(known, index));
            may_send &= look == Went::Again;
            has_moved |= look != Went::Nowhere;
            if matches!(look, Went::Nowhere | Went::Partly) {
                break;
            }
        }
        has_moved
    }

    /// Looks at the step of a run, and does what it gives.
    fn look(&mut self, known: &Known<'_>, index: usize) -> Went {
        let before = self.deeds.len();
        let Some(step) = self.runs[index].step() else {
            self.finish(known, index);
            return Went::On;
        };
        let look = self.look_once(known, index, step);
        self.sometimes.step(known, step, &look);
        let run = &mut self.runs[index];
        match look {
            Look::Rest if self.deeds.len() > before => return Went::Partly,
            Look::Rest => return Went::Nowhere,
            Look::More => {
                // The next recipient is asked about with this mail among what is known.
                let went = self.with_known(|walk, known| walk.look(known, index));
                return if went == Went::Nowhere {
                    Went::Partly
                } else {
                    went
                };
            }
            Look::Again => {
                let asked = asked(Topic::Question, known, run, step);
                self.asked.push(asked);
                return Went::Again;
            }
            Look::Done(done) => run.pass(known, step, done),
            Look::Into(block) => {
                let is_wait = matches!(step.verb, Verb::WaitFor { .. });
                let done = if is_wait {
                    Done::TimedOut
                } else {
                    Done::Passed
                };
                run.pass(known, step, done);
                run.place.push((block, 0));
            }
            Look::Set(all) => {
                run.pass(known, step, Done::Passed);
                self.written.extend(all);
            }
            Look::Stop => self.stop(known, index),
        }
        let run = &mut self.runs[index];
        // What was told until it acted is no answer to it.
        run.heard_own = run.heard_own.min(self.own_told.len());
        if matches!(step.verb, Verb::Task { .. }) && run.past.tasks.contains_key(&*step.id) {
            self.asked.push(asked(Topic::Task, known, run, step));
        }
        if let Verb::Webhook { name, .. } = &step.verb
            && run.past.done.get(&*step.id) != Some(&Done::Skipped)
        {
            let (topic, at, workflow, subject, _) = asked(Topic::Call, known, run, step);
            let call = run.call(step, name);
            self.asked.push((topic, at, workflow, subject, call));
        }
        Went::On
    }

    /// One look; mails that went out are told.
    fn look_once(&mut self, known: &Known<'_>, index: usize, step: &'a Step) -> Look<'a> {
        let mut around = Around {
            sent: std::mem::take(&mut self.sent),
            held_back: self.held_back(index),
            sometimes: std::mem::take(&mut self.sometimes),
        };
        let before = around.sent.len();
        let look = self.runs[index].look(known, step, &mut around, &mut self.deeds);
        self.sent = around.sent;
        self.sometimes = around.sometimes;
        self.tell_mails(known, index, step, before);
        look
    }

    /// A run is stopped by its step.
    fn stop(&mut self, known: &Known<'_>, index: usize) {
        let run = &mut self.runs[index];
        let is_open = run.phase == Phase::Open;
        run.phase = Phase::Over;
        if is_open {
            run.ended = Some("stopped");
            let end = What::End("stopped");
            let (workflow, subject) = (run.workflow, run.subject.clone());
            self.deeds
                .push(Deed::new(known, workflow, &subject, None, end));
            self.sometimes.end(run, "stopped");
            self.tell_run(known, (workflow, &subject), Some("stopped"));
        }
    }

    /// What people say to what was asked and sent.
    pub(crate) fn answer(&mut self, known: &Known<'_>, told: &Told) {
        let About::Answer(kind) = &told.about else {
            return;
        };
        match &**kind {
            "task.approved" => self.decided(told, true),
            "task.rejected" => self.decided(told, false),
            "task.done" => self.done(known, told),
            "message.settled" => self.called(told),
            _ => self.replied(known, told),
        }
    }

    /// An answer to a question: of the newest run that came to that step.
    fn decided(&mut self, told: &Told, yes: bool) {
        let text = |key: &str| {
            told.data
                .get(key)
                .and_then(|value| value.as_str())
                .unwrap_or("")
        };
        let (workflow, subject, id) = (text("workflow"), text("subject"), text("step"));
        for run in self.runs.iter_mut().rev() {
            if *run.workflow.name != *workflow || run.subject.name() != subject {
                continue;
            }
            let stands_there = run.step().is_some_and(|step| *step.id == *id);
            let is_asking = stands_there && run.letters.ask.is_some();
            if !is_asking && !run.past.done.contains_key(id) {
                continue;
            }
            if let Some(ask) = run.letters.ask.as_mut()
                && is_asking
                && ask.answer.is_none()
                && run.phase != Phase::Over
            {
                ask.answer = Some(yes);
                self.sometimes
                    .note(if yes { "approved" } else { "rejected" });
            }
            return;
        }
    }

    /// What became of a call; the first word on it stands.
    fn called(&mut self, told: &Told) {
        let text = |key: &str| told.data.get(key).and_then(|value| value.as_str());
        let (Some(message), Some(state)) = (text("message"), text("state")) else {
            return;
        };
        for run in &mut self.runs {
            if let Some((step, is_settled)) = run.past.calls.get_mut(message)
                && !*is_settled
            {
                *is_settled = true;
                if state == "sent" {
                    run.past.accepted.insert(step.clone());
                    self.sometimes.note("a call is accepted");
                }
            }
        }
    }

    fn finish(&mut self, known: &Known<'_>, index: usize) {
        let run = &mut self.runs[index];
        if run.phase == Phase::After {
            run.phase = Phase::Over;
            return;
        }
        let within = run.workflow.goal.as_ref().and_then(|goal| goal.within);
        let end = within.map(|period| {
            days::after(&known.program.calendar, run.started_at, period, &known.zone)
        });
        if end.is_some_and(|end| known.now < end) {
            run.phase = Phase::Watched;
            return;
        }
        run.phase = Phase::Over;
        run.ended = Some("finished");
        let end = What::End("finished");
        let (workflow, subject) = (run.workflow, run.subject.clone());
        self.deeds
            .push(Deed::new(known, workflow, &subject, None, end));
        self.sometimes.end(run, "finished");
        self.tell_run(known, (workflow, &subject), Some("finished"));
    }
}

/// How far a look took a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Went {
    Nowhere,
    /// It did something and rests at the same step.
    Partly,
    /// The step is asked again.
    Again,
    On,
}
