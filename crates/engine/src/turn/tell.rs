//! Telling events to the metrics: those that came in, and the engine's own.

use super::Turn;
use super::place::Place;
use crate::fold::Event;
use crate::metric::tell;
use model::Value;
use std::collections::BTreeMap;

impl Turn<'_, '_> {
    /// Folds an event into the metrics.
    pub(super) fn observe(&mut self, event: &Event) {
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
        let rules = self.context.rules;
        if !rules.plan.by_event.contains_key(kind) && !rules.listeners.contains_key(kind) {
            return;
        }
        let event = Event {
            kind: kind.into(),
            fields: own_fields(fields),
            at: self.now,
        };
        self.observe(&event);
    }
}

/// The known ones among fields.
pub(super) fn own_fields(fields: &[(&str, Option<Value>)]) -> BTreeMap<Box<str>, Value> {
    let known = fields
        .iter()
        .filter_map(|(name, value)| Some(((*name).into(), value.clone()?)));
    known.collect()
}
