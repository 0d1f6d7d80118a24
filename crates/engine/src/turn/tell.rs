//! Telling events to the metrics: those that came in, and the engine's own.

use super::Turn;
use super::place::Place;
use crate::fold::Event;
use crate::metric::tell;
use model::Value;
use std::collections::BTreeMap;

impl Turn<'_, '_> {
    /// Takes an event in: the metrics see it first, then it is offered to starts.
    pub(super) fn observe(&mut self, event: &Event) {
        self.measure(event);
        self.offer(event, None);
    }

    /// Folds an event into the metrics, and gives it to those who wait for it.
    fn measure(&mut self, event: &Event) {
        self.hear(event);
        if !self.context.rules.plan.by_event.contains_key(&event.kind) {
            return;
        }
        let plan = &self.context.rules.plan;
        let told = self.look(Place::default(), |scene| {
            tell(
                &scene.with_event(&event.fields),
                plan,
                &event.kind,
                event.at,
            )
        });
        self.memo.forget();
        for one in told {
            let account = &mut *self.account;
            self.is_moved |= if one.needs_sets {
                one.fold(&mut account.head.metrics, account.parts.sets_mut())
            } else {
                one.fold(
                    &mut account.head.metrics,
                    &mut crate::metric::Sets::default(),
                )
            };
        }
    }

    /// Takes an event out again: a message that was not sent after all.
    pub(super) fn retract(&mut self, event: &Event) {
        let plan = &self.context.rules.plan;
        let told = self.look(Place::default(), |scene| {
            tell(
                &scene.with_event(&event.fields),
                plan,
                &event.kind,
                event.at,
            )
        });
        for one in told {
            self.is_moved |= one.retract(&mut self.account.head.metrics);
        }
    }

    /// Tells one of the engine's own events, which happens now.
    pub(super) fn tell_own(&mut self, kind: &str, fields: &[(&str, Option<Value>)]) {
        self.tell_of(None, kind, fields);
    }

    /// The same about a case of a risk.
    pub(super) fn tell_of(
        &mut self,
        case: Option<&str>,
        kind: &str,
        fields: &[(&str, Option<Value>)],
    ) {
        if !self.hears(kind) {
            return;
        }
        let event = Event {
            kind: kind.into(),
            fields: own_fields(fields),
            at: self.now,
        };
        self.measure(&event);
        self.offer(&event, case);
    }

    /// Tells one that starts nothing.
    pub(super) fn measure_own(&mut self, kind: &str, fields: &[(&str, Option<Value>)]) {
        self.measure(&Event {
            kind: kind.into(),
            fields: own_fields(fields),
            at: self.now,
        });
    }

    /// Whether a metric, a start or a wait listens to events of a type.
    pub(super) fn hears(&self, kind: &str) -> bool {
        let rules = self.context.rules;
        rules.plan.by_event.contains_key(kind)
            || rules.listeners.contains_key(kind)
            || rules.is_start(kind)
    }
}

/// The known ones among fields.
pub(super) fn own_fields(fields: &[(&str, Option<Value>)]) -> BTreeMap<Box<str>, Value> {
    let known = fields
        .iter()
        .filter_map(|(name, value)| Some(((*name).into(), value.clone()?)));
    known.collect()
}
