//! `set`: a field that workflows may write, written as a change of our own at this instant.

use super::Turn;
use super::place::Place;
use super::record::Spot;
use super::steps::Progress;
use crate::evaluate::Knowledge;
use crate::fold::{self, Patch, Which};
use crate::run::StepPhase;
use model::{Decimal, Kind, Record, Value};
use workflow::program::{FieldType, ForEach, SetOf, Setting};

impl Turn<'_, '_> {
    /// Writes the fields in order; each value is read after the one before it was written.
    pub(super) fn set(&mut self, spot: Spot<'_>, fields: &[Setting]) -> Progress {
        for setting in fields {
            self.set_one(spot, setting);
        }
        self.find_zone();
        self.complete(spot, StepPhase::Acted)
    }

    fn set_one(&mut self, spot: Spot<'_>, setting: &Setting) {
        let schema = &self.context.program.schema;
        let (which, entity, declared) = match setting.of {
            SetOf::Account => (Which::Account, "account", &schema.account),
            SetOf::Contract => (Which::Contract, "contract", &schema.contract),
        };
        let name = format!("{entity}.{}", setting.field);
        let (Some(id), Some(field)) = (
            self.set_id(spot, setting.of),
            declared.fields.get(&setting.field),
        ) else {
            self.reject("not_found", &name, "");
            return;
        };
        let place = Place::run(spot.workflow, self.run(spot.workflow, spot.run));
        let value = self.look(place, |scene| scene.value(&setting.value));
        let value = value.and_then(|value| fitted(value, &field.kind));
        let record = Record {
            name: Some(name.into()),
            value: Some(
                value
                    .as_ref()
                    .map_or(serde_json::Value::Null, Value::to_json),
            ),
            ..self.step_record(Kind::Set, spot)
        };
        self.push(record);
        let patch = Patch::of(id, &setting.field, value, field.is_personal);
        // Nothing is newer than now, so nothing comes too late.
        drop(fold::apply(
            self.account,
            which,
            patch,
            (self.now, self.now),
        ));
        self.is_moved = true;
        self.memo.forget();
    }

    /// The id of the entity that is written: the subject's contract, or the account's current one.
    fn set_id(&self, spot: Spot<'_>, of: SetOf) -> Option<Box<str>> {
        match (of, spot.workflow.for_each) {
            (SetOf::Account, _) => Some("".into()),
            (SetOf::Contract, ForEach::Contract) => {
                Some(self.run(spot.workflow, spot.run).subject.clone())
            }
            (SetOf::Contract, ForEach::Account | ForEach::Contact | ForEach::Risk) => {
                self.known().current_contract().map(Box::from)
            }
        }
    }
}

/// A value as the field's type has it; none where it can't be.
fn fitted(value: Value, kind: &FieldType) -> Option<Value> {
    let number = |of: fn(Decimal) -> Value| value.decimal().map(of);
    match kind {
        FieldType::Number => number(Value::Number),
        FieldType::Percent => number(Value::Percent),
        FieldType::Money => number(Value::Money),
        FieldType::Text
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Contact
        | FieldType::Csm => value.text().map(|text| Value::Text(text.into())),
        FieldType::Pick(list) => {
            let word = value.text()?;
            let is_known = list.words.iter().any(|known| **known == *word);
            is_known.then(|| Value::Word(word.into()))
        }
        FieldType::Boolean => matches!(value, Value::Bool(_)).then_some(value),
        FieldType::Date => matches!(value, Value::Date(_)).then_some(value),
        FieldType::Time => matches!(value, Value::Time(_)).then_some(value),
    }
}
