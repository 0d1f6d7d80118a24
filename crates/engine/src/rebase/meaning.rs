//! What a condition means: itself with all that it reads written out, so that two texts can be compared by it.
//!
//! Renaming a segment or moving a condition into one changes no meaning; another threshold inside a metric does.

use model::id::digest;
use serde_json::Value;
use std::collections::BTreeMap;
use workflow::Program;
use workflow::program::{Definition, Expr, Source, Start, Workflow};

/// How names of definitions are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// By their names.
    Name,
    /// By what they mean.
    Meaning,
}

/// The meanings of a program's definitions, each worked out once.
pub(super) struct Meanings<'p> {
    program: &'p Program,
    definitions: BTreeMap<Definition, Box<str>>,
}

/// Comparisons that ask for the order of a pick-list's words.
const ORDERED: [&str; 4] = ["Less", "AtMost", "Greater", "AtLeast"];

impl<'p> Meanings<'p> {
    pub(super) fn of(program: &'p Program) -> Self {
        Self {
            program,
            definitions: BTreeMap::new(),
        }
    }

    /// What the start of a workflow means; its `for` and `existing` are no part of that.
    pub(super) fn start(&mut self, workflow: &Workflow) -> Value {
        self.written_start(workflow, Naming::Meaning)
    }

    /// The same with the names of definitions left as they are.
    pub(super) fn start_by_name(&mut self, workflow: &Workflow) -> Value {
        self.written_start(workflow, Naming::Name)
    }

    /// What a step says, with the names of definitions left as they are.
    pub(super) fn step(&mut self, step: Value, with: &[(Box<str>, Expr)]) -> Value {
        self.written(step, (Naming::Name, with))
    }

    fn written_start(&mut self, workflow: &Workflow, naming: Naming) -> Value {
        let for_each = serialized(&workflow.for_each);
        match &workflow.start {
            Start::When { when, .. } => {
                let when = self.written(serialized(when), (naming, &workflow.with));
                Value::Array(vec![for_each, when])
            }
            Start::Event { events, .. } => {
                Value::Array(vec![for_each, "event".into(), serialized(events)])
            }
            Start::Every { schedule, .. } => {
                Value::Array(vec![for_each, "every".into(), serialized(schedule)])
            }
        }
    }

    /// What a definition means, in a hash; one that is only a name for an expression means what that does.
    pub(super) fn definition(&mut self, definition: Definition) -> Box<str> {
        if let Some(known) = self.definitions.get(&definition) {
            return known.clone();
        }
        // Definitions do not read each other in circles; should one, it means nothing further to itself.
        self.definitions.insert(definition, "".into());
        let whole = self.whole(definition).unwrap_or_default();
        let meant = match self.written(whole, (Naming::Meaning, &[])) {
            Value::String(hash) => hash.into(),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_)) => hash(&other),
        };
        self.definitions.insert(definition, meant);
        self.definitions
            .get(&definition)
            .cloned()
            .unwrap_or_default()
    }

    fn whole(&self, definition: Definition) -> Option<Value> {
        let program = self.program;
        Some(match definition {
            Definition::Metric(index) => match &program.metrics.get(index)?.source {
                Source::Events(aggregate) => serialized(aggregate),
                Source::Formula(formula) => serialized(formula),
            },
            Definition::Segment(index) => serialized(&program.segments.get(index)?.condition),
            Definition::Label(index) => serialized(&program.labels.get(index)?.lines),
            Definition::Health => serialized(&program.health),
            Definition::Risk(index) => {
                let risk = program.risks.get(index)?;
                Value::Array(vec![serialized(&risk.opens), serialized(&risk.closes)])
            }
        })
    }

    /// Writes out what names stand for, and leaves out what only the check needs.
    fn written(&mut self, value: Value, how: (Naming, &[(Box<str>, Expr)])) -> Value {
        match value {
            Value::Array(parts) => Value::Array(
                parts
                    .into_iter()
                    .map(|part| self.written(part, how))
                    .collect(),
            ),
            Value::Object(mut map) if map.contains_key("ty") && map.contains_key("kind") => {
                // An expression is the hash of what it does, so that a long chain of names stays short.
                let kind = map.remove("kind").unwrap_or_default();
                self.expression(kind, how)
            }
            Value::Object(map) => {
                let mut out = serde_json::Map::new();
                let is_ordered = map
                    .get("how")
                    .and_then(Value::as_str)
                    .is_some_and(|how| ORDERED.contains(&how));
                if is_ordered && let Some(words) = map.get("left").and_then(words) {
                    out.insert("words".into(), words);
                }
                for (key, value) in map {
                    let value = match &*key {
                        "ty" | "basis" => continue,
                        "Const" => value,
                        _ => match self.named(&key, &value, how.0) {
                            Some(named) => named,
                            None => self.written(value, how),
                        },
                    };
                    out.insert(key, value);
                }
                Value::Object(out)
            }
            Value::String(word) if word == "AnyOpenRisk" => self.risks(how.0),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
        }
    }

    fn expression(&mut self, kind: Value, how: (Naming, &[(Box<str>, Expr)])) -> Value {
        let index = |tag: &str| {
            let index = kind.as_object()?.get(tag)?.as_u64()?;
            usize::try_from(index).ok()
        };
        if let Some((_, expr)) = index("With").and_then(|index| how.1.get(index)) {
            return self.written(serialized(expr), how);
        }
        let named = index("Segment")
            .map(Definition::Segment)
            .or_else(|| index("Metric").map(Definition::Metric));
        if let Some(definition) = named.filter(|_| how.0 == Naming::Meaning) {
            return (&*self.definition(definition)).into();
        }
        let written = self.written(kind, how);
        (&*hash(&written)).into()
    }

    /// What a name under an expression's tag stands for.
    fn named(&mut self, tag: &str, value: &Value, naming: Naming) -> Option<Value> {
        let index = || value.as_u64().and_then(|index| usize::try_from(index).ok());
        let definition = match tag {
            "Metric" | "Previous" | "Change" => Definition::Metric(index()?),
            "Segment" => Definition::Segment(index()?),
            "Label" => Definition::Label(index()?),
            "RiskOpen" => Definition::Risk(index()?),
            "Health" if value.is_string() => {
                let meant = match naming {
                    Naming::Name => "".into(),
                    Naming::Meaning => self.definition(Definition::Health),
                };
                return Some(Value::Array(vec![value.clone(), (&*meant).into()]));
            }
            "List" if value.as_str() == Some("Risks") => return Some(self.risks(naming)),
            _ => return None,
        };
        Some(match naming {
            Naming::Name => (&*self.name(definition)).into(),
            Naming::Meaning => (&*self.definition(definition)).into(),
        })
    }

    fn risks(&mut self, naming: Naming) -> Value {
        let all = (0..self.program.risks.len()).map(Definition::Risk);
        let written = all.map(|risk| match naming {
            Naming::Name => (&*self.name(risk)).into(),
            Naming::Meaning => (&*self.definition(risk)).into(),
        });
        Value::Array(written.collect())
    }

    fn name(&self, definition: Definition) -> Box<str> {
        let program = self.program;
        let name = match definition {
            Definition::Metric(index) => program.metrics.get(index).map(|one| &one.name),
            Definition::Segment(index) => program.segments.get(index).map(|one| &one.name),
            Definition::Label(index) => program.labels.get(index).map(|one| &one.name),
            Definition::Risk(index) => program.risks.get(index).map(|one| &one.name),
            Definition::Health => None,
        };
        name.cloned().unwrap_or_default()
    }
}

/// The words of a pick-list under an expression's type.
fn words(expr: &Value) -> Option<Value> {
    expr.get("ty")?.get("Word")?.get("words").cloned()
}

fn serialized<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn hash(value: &Value) -> Box<str> {
    let digest = digest(&[&value.to_string()]);
    let short = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    short.collect::<String>().into()
}
