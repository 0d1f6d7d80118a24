//! Definitions with a memory of their own: health's band, risks' cases, the label `stage`; each after all it reads.

use super::Turn;
use super::place::Place;
use crate::health;
use model::{Kind, Record, Value};
use workflow::program::{Band, Definition};

impl Turn<'_, '_> {
    /// Brings them up to this instant. Gives whether anything that others may read changed.
    pub(super) fn definitions(&mut self) -> bool {
        let program = self.context.program;
        let mut is_moving = false;
        for definition in &program.order {
            is_moving |= match definition {
                Definition::Health => self.health(),
                Definition::Risk(index) => self.risk(&program.risks[*index]),
                Definition::Label(index) if Some(*index) == self.context.rules.stage_index() => {
                    self.stage()
                }
                Definition::Label(_) | Definition::Metric(_) | Definition::Segment(_) => false,
            };
        }
        is_moving
    }

    fn health(&mut self) -> bool {
        let mut state = self.account.head.health;
        let update = self.look_again(Place::default(), |scene| health::update(scene, &mut state));
        self.account.head.health = state;
        self.is_moved |= update.is_changed;
        if update.is_changed {
            self.memo.forget();
        }
        let Some(from) = update.from else {
            return false;
        };
        if self.account.head.is_frozen()
            || self.cause.closes.is_some()
            || self.is_health_redefined()
        {
            return true;
        }
        let record = Record {
            from: Some(shown(from)),
            value: Some(shown(state.band)),
            ..self.own_record(Kind::HealthChanged)
        };
        self.push(record);
        let word = |band: Option<Band>| band.map(|band| Value::Word(band_word(band).into()));
        self.tell_own(
            "health.changed",
            &[("from", word(from)), ("to", word(state.band))],
        );
        true
    }

    /// A stage that becomes unknown is not a change: the last known one stands until another is known.
    fn stage(&mut self) -> bool {
        let Some(expr) = &self.context.rules.stage else {
            return false;
        };
        let value = self.look_again(Place::default(), |scene| scene.value(&expr.1));
        let Some(word) = value.as_ref().and_then(Value::text) else {
            return false;
        };
        let before = self.account.head.labels.get("stage");
        if before.is_some_and(|before| **before == *word) {
            return false;
        }
        let before = self.account.head.labels.insert("stage".into(), word.into());
        self.memo.forget();
        self.is_moved = true;
        if self.account.head.is_frozen() || self.cause.closes.is_some() || self.is_stage_redefined()
        {
            return true;
        }
        let json = |word: &str| serde_json::Value::String(word.to_owned());
        let record = Record {
            name: Some("stage".into()),
            from: Some(before.as_deref().map_or(serde_json::Value::Null, json)),
            value: Some(json(word)),
            ..self.own_record(Kind::StageChanged)
        };
        self.push(record);
        let fields = [
            ("from", before.map(Value::Word)),
            ("to", Some(Value::Word(word.into()))),
        ];
        self.tell_own("stage.changed", &fields);
        true
    }
}

/// The word of a band.
fn band_word(band: Band) -> &'static str {
    match band {
        Band::Red => "red",
        Band::Yellow => "yellow",
        Band::Green => "green",
    }
}

fn shown(band: Option<Band>) -> serde_json::Value {
    band.map_or(serde_json::Value::Null, |band| band_word(band).into())
}
