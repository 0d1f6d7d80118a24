//! The engine's own events: ordinary events that only the engine tells.

use crate::program::{EventType, Field, FieldType, PickList};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The names that engine events speak of: each is a word of a pick-list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Workflows.
    pub(crate) workflows: Vec<Box<str>>,
    /// Topics.
    pub(crate) topics: Vec<Box<str>>,
    /// Templates.
    pub(crate) templates: Vec<Box<str>>,
    /// Risks.
    pub(crate) risks: Vec<Box<str>>,
    /// Words of the label `stage`.
    pub(crate) stages: Vec<Box<str>>,
}

/// All engine events by type.
pub(crate) fn all(names: &Names) -> BTreeMap<Box<str>, EventType> {
    let text = || (FieldType::Text, true);
    let of = |list: &[Box<str>]| (words(list), true);
    let maybe = |list: &[Box<str>]| (words(list), false);
    let fixed =
        |list: &[&str]| words(&list.iter().map(|word| Box::from(*word)).collect::<Vec<_>>());
    let bands = fixed(&["red", "yellow", "green"]);
    let mut events = BTreeMap::new();
    for name in [
        "sent",
        "delivered",
        "opened",
        "clicked",
        "replied",
        "bounced",
    ] {
        let message = event([
            ("workflow", of(&names.workflows)),
            ("subject", text()),
            ("step", text()),
            ("template", maybe(&names.templates)),
            ("topic", maybe(&names.topics)),
            ("contact", (FieldType::Contact, false)),
            ("channel", (fixed(&["email", "slack"]), true)),
        ]);
        events.insert(format!("message.{name}").into(), message);
    }
    for name in ["done", "overdue"] {
        let task = event([
            ("workflow", of(&names.workflows)),
            ("step", text()),
            ("title", text()),
            ("assignee", text()),
            ("outcome", (FieldType::Text, false)),
        ]);
        events.insert(format!("task.{name}").into(), task);
    }
    for name in ["opened", "closed"] {
        let risk = event([
            ("category", of(&names.risks)),
            ("severity", (fixed(&["normal", "high"]), true)),
            ("title", text()),
        ]);
        events.insert(format!("risk.{name}").into(), risk);
    }
    let health = event([("from", (bands.clone(), false)), ("to", (bands, false))]);
    events.insert("health.changed".into(), health);
    let stage = event([("from", maybe(&names.stages)), ("to", maybe(&names.stages))]);
    events.insert("stage.changed".into(), stage);
    let how = fixed(&["finished", "left", "goal", "stopped", "stuck"]);
    let workflow = [("workflow", of(&names.workflows)), ("subject", text())];
    events.insert("workflow.started".into(), event(workflow.clone()));
    let ended = workflow.into_iter().chain([("how", (how, true))]);
    events.insert("workflow.ended".into(), event(ended));
    events
}

fn event(fields: impl IntoIterator<Item = (&'static str, (FieldType, bool))>) -> EventType {
    let fields = fields.into_iter().map(|(name, (kind, is_required))| {
        let field = Field {
            kind,
            is_required,
            is_written_by_workflows: false,
            is_personal: false,
            title: None,
        };
        (Box::from(name), field)
    });
    EventType {
        fields: fields.collect(),
        is_engine: true,
    }
}

/// Without any word there is nothing to pick from: text.
fn words(words: &[Box<str>]) -> FieldType {
    if words.is_empty() {
        return FieldType::Text;
    }
    FieldType::Pick(Arc::new(PickList {
        words: words.to_vec(),
        is_ordered: true,
    }))
}
