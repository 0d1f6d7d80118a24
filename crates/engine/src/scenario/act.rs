//! What happens in a scenario: events, changes, replies, approvals.

use super::fixture::{CONTRACT, contact_id, contacts, with_id};
use super::stage::Stage;
use jiff::Timestamp;
use model::{Decimal, Value};
use serde_json::Value as JsonValue;
use workflow::program::{FieldType, Type};
use workflow::scenario::{Action, Json};

impl Stage<'_> {
    /// Lets something happen now.
    pub(super) fn act(&mut self, action: &Action, now: Timestamp) {
        match action {
            Action::Event { kind, data } => {
                let data = self.with_contacts(kind, data);
                self.tell(kind, data, now);
            }
            Action::Change(changes) => self.change(changes, now),
            Action::Reply(step) => self.answer("message.replied", (step, None), now),
            Action::Click(step) => self.answer("message.clicked", (step, None), now),
            Action::Done { step, outcome, set } => {
                // Whoever says that it is done says what they know now, first.
                self.change(set, now);
                self.answer("task.done", (step, outcome.as_deref()), now);
            }
            Action::Approve(step) => self.answer("task.approved", (step, None), now),
            Action::Reject(step) => self.answer("task.rejected", (step, None), now),
        }
    }

    /// In an event's data a role may stand for a contact.
    fn with_contacts(&self, kind: &str, data: &Json) -> Json {
        let mut data = data.clone();
        let Some(declared) = self.program.schema.events.get(kind) else {
            return data;
        };
        for (name, value) in &mut data {
            let is_contact = declared
                .fields
                .get(name.as_str())
                .is_some_and(|field| field.kind == FieldType::Contact);
            let holder = value
                .as_str()
                .filter(|_| is_contact)
                .and_then(|role| self.holder(role));
            if let Some(holder) = holder {
                *value = JsonValue::String(holder);
            }
        }
        data
    }

    fn holder(&self, role: &str) -> Option<String> {
        let holds = |contact: &crate::entity::Entity| {
            contact.value("role").and_then(Value::text) == Some(role)
        };
        let contacts = self.account.head.contacts.iter();
        contacts
            .into_iter()
            .find(|(_, contact)| holds(contact))
            .map(|(id, _)| id.to_string())
    }

    fn change(&mut self, changes: &[(Box<str>, JsonValue)], now: Timestamp) {
        let mut account = Json::new();
        let mut contract = Json::new();
        let mut has_pins = false;
        for (name, value) in changes {
            if let Some(field) = name.strip_prefix("account.") {
                account.insert(field.to_owned(), value.clone());
            } else if let Some(field) = name.strip_prefix("contract.") {
                contract.insert(field.to_owned(), value.clone());
            } else if &**name == "contacts" {
                self.change_contacts(value, now);
            } else {
                let pinned = self.pin_value(name, value);
                self.pins.values.insert(name.clone(), pinned);
                has_pins = true;
            }
        }
        if !account.is_empty() {
            self.tell("account.updated", account, now);
        }
        if !contract.is_empty() {
            self.tell(
                "contract.updated",
                with_id(&contract, "contract", CONTRACT),
                now,
            );
        }
        if has_pins {
            self.repin(now);
        }
    }

    /// The contacts are now these, whole.
    fn change_contacts(&mut self, value: &JsonValue, now: Timestamp) {
        let list: Vec<Json> = value
            .as_array()
            .map(|list| {
                list.iter()
                    .filter_map(|contact| contact.as_object().cloned())
                    .collect()
            })
            .unwrap_or_default();
        let before = self.account.head.contacts.len();
        for number in (list.len() + 1)..=before {
            let gone = with_id(&Json::new(), "contact", &contact_id(number));
            self.tell("contact.deleted", gone, now);
        }
        for (kind, data) in contacts(&list) {
            self.tell(&kind, data, now);
        }
    }

    /// A value to be held fast, of the type that its name has.
    fn pin_value(&self, name: &str, value: &JsonValue) -> Option<Value> {
        match value {
            JsonValue::Bool(yes) => Some(Value::Bool(*yes)),
            JsonValue::String(word) => match self.metric_type(name) {
                Some(Type::Date) => word.parse().ok().map(Value::Date),
                Some(Type::Time) => word.parse().ok().map(Value::Time),
                Some(_) | None => Some(Value::Word(word.as_str().into())),
            },
            JsonValue::Number(number) => {
                let decimal = Decimal::from_json(number)?;
                Some(match self.metric_type(name) {
                    Some(Type::Percent) => Value::Percent(decimal),
                    Some(Type::Money) => Value::Money(decimal),
                    Some(_) | None => Value::Number(decimal),
                })
            }
            JsonValue::Null | JsonValue::Array(_) | JsonValue::Object(_) => None,
        }
    }

    fn metric_type(&self, name: &str) -> Option<&Type> {
        let mut metrics = self.program.metrics.iter();
        metrics
            .find(|metric| &*metric.name == name)
            .map(|metric| &metric.ty)
    }

    /// An answer to what the step said last.
    fn answer(&mut self, kind: &str, (step, outcome): (&str, Option<&str>), now: Timestamp) {
        let found = self
            .account
            .head
            .workflows
            .iter()
            .find_map(|(workflow, state)| {
                let run = state
                    .runs
                    .iter()
                    .rev()
                    .find(|run| run.steps.contains_key(step))?;
                Some((workflow, run.subject.clone()))
            });
        let Some((workflow, subject)) = found else {
            self.mistakes.push(format!(
                "`{step}` has not been reached, so it can't be answered"
            ));
            return;
        };
        let mut data = Json::new();
        data.insert("workflow".to_owned(), workflow.into());
        data.insert("subject".to_owned(), (&*subject).into());
        data.insert("step".to_owned(), step.into());
        if let Some(outcome) = outcome {
            data.insert("outcome".to_owned(), outcome.into());
        }
        self.tell(kind, data, now);
    }
}
