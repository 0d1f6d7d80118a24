//! Which steps a new text adds, takes out or changes.

use super::find;
use super::meaning::Meanings;
use crate::turn::flat;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use workflow::Program;
use workflow::program::{AtWindow, Period, Says, Step, Template, Verb, Workflow};

/// What happened to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepEdit {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another id (`moved`).
    Renamed,
    /// It does something else, or at another time.
    Changed,
}

/// A step that a new text adds, takes out or changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepChange {
    /// Its id, in the new text if it is there.
    pub step: Box<str>,
    /// What happened to it.
    pub edit: StepEdit,
    /// What is different, in words.
    pub details: Vec<String>,
    /// The added step that a removed one was probably renamed to.
    pub probably: Option<Box<str>>,
}

/// The steps of a workflow that differ between two texts.
pub(crate) fn changes(old: Option<&Program>, new: &Program, name: &str) -> Vec<StepChange> {
    let before = old.and_then(|old| Some((old, find(old, name)?)));
    let (Some((old, before)), Some(after)) = (before, find(new, name)) else {
        return Vec::new();
    };
    let (mut meant, mut means) = (Meanings::of(old), Meanings::of(new));
    let (old_steps, new_steps) = (all(before), all(after));
    let is_added = |now: &&&Step| {
        let mut before = old_steps.iter();
        before.all(|one| renamed(after, &one.id) != &*now.id)
    };
    let mut twins = Twins {
        left: new_steps.iter().filter(is_added).copied().collect(),
    };
    let mut changes = Vec::new();
    for step in &old_steps {
        let id = renamed(after, &step.id);
        let written = meant.step(own(step), &before.with);
        let Some(now) = new_steps.iter().find(|now| *now.id == *id) else {
            let twin = twins.take(|now| means.step(own(now), &after.with) == written);
            let twin = twin.or_else(|| {
                // The template was renamed, and the step without an id has its name.
                let reworded_before = meant.step(reworded(step), &before.with);
                twins.take(|now| {
                    let are_named = has_name_of_template(step) && has_name_of_template(now);
                    are_named && means.step(reworded(now), &after.with) == reworded_before
                })
            });
            changes.push(change(&step.id, StepEdit::Removed, Vec::new(), twin));
            continue;
        };
        let is_renamed = now.id != step.id;
        let words = words(old, new, (step, now));
        if means.step(own(now), &after.with) != written || words.is_some() && !is_renamed {
            let mut found = details(step, now);
            found.extend(words);
            changes.push(change(&now.id, StepEdit::Changed, found, None));
        } else if is_renamed {
            let from = vec![format!("from {}", step.id)];
            changes.push(change(&now.id, StepEdit::Renamed, from, None));
        }
    }
    for step in new_steps.iter().filter(is_added) {
        changes.push(change(&step.id, StepEdit::Added, Vec::new(), None));
    }
    changes
}

/// The added steps of which none is yet said to be a removed one.
struct Twins<'s> {
    left: Vec<&'s Step>,
}

impl Twins<'_> {
    fn take(&mut self, mut is_twin: impl FnMut(&Step) -> bool) -> Option<Box<str>> {
        let at = self.left.iter().position(|now| is_twin(now))?;
        Some(self.left.remove(at).id.clone())
    }
}

fn has_name_of_template(step: &Step) -> bool {
    template(step) == Some(&*step.id)
}

/// The template that a step says.
fn template(step: &Step) -> Option<&str> {
    match &step.verb {
        Verb::Send { template, .. } => Some(template),
        Verb::Alert { says, .. } => match says {
            Says::Template(template) => Some(template),
            Says::Text(_) => None,
        },
        Verb::Task { .. }
        | Verb::Branch { .. }
        | Verb::Match { .. }
        | Verb::Split { .. }
        | Verb::Set { .. }
        | Verb::Webhook { .. }
        | Verb::Wait { .. }
        | Verb::WaitFor { .. }
        | Verb::Stop { .. } => None,
    }
}

/// A step without what another template changes of it.
fn reworded(step: &Step) -> Value {
    let mut value = own(step);
    if let Value::Object(map) = &mut value {
        map.remove("reads");
        let verb = map.get_mut("verb").and_then(Value::as_object_mut);
        let keys = verb.and_then(|verb| verb.values_mut().next()?.as_object_mut());
        if let Some(keys) = keys {
            keys.remove("template");
            keys.remove("says");
        }
    }
    value
}

fn change(
    step: &str,
    edit: StepEdit,
    details: Vec<String>,
    probably: Option<Box<str>>,
) -> StepChange {
    StepChange {
        step: step.into(),
        edit,
        details,
        probably,
    }
}

fn all(workflow: &Workflow) -> Vec<&Step> {
    let mut steps = flat(&workflow.steps);
    steps.extend(workflow.goal.iter().flat_map(|goal| flat(&goal.then)));
    steps
}

fn renamed<'w>(new: &'w Workflow, id: &'w str) -> &'w str {
    let moved = new.moved.iter().find(|(old, _)| **old == *id);
    moved.map_or(id, |(_, new)| new)
}

/// A step without its id and the steps inside it.
fn own(step: &Step) -> Value {
    let mut value = serde_json::to_value(step).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        map.remove("id");
    }
    without_steps(value)
}

fn without_steps(value: Value) -> Value {
    match value {
        Value::Array(parts) => {
            let is_step = |part: &Value| part.get("verb").is_some() && part.get("id").is_some();
            let parts = parts.into_iter().filter(|part| !is_step(part));
            Value::Array(parts.map(without_steps).collect())
        }
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, without_steps(value)))
                .collect(),
        ),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

/// What is different, as far as it has few words.
fn details(before: &Step, after: &Step) -> Vec<String> {
    let mut found = Vec::new();
    let (was, is) = (window(before.at.as_ref()), window(after.at.as_ref()));
    if was != is {
        found.push(format!("window {was} → {is}"));
    }
    match (&before.verb, &after.verb) {
        (Verb::Wait { length: was }, Verb::Wait { length: is }) if was != is => {
            found.push(format!("wait {} → {}", period(*was), period(*is)));
        }
        (Verb::WaitFor { at_most: was, .. }, Verb::WaitFor { at_most: is, .. }) if was != is => {
            found.push(format!("at_most {} → {}", period(*was), period(*is)));
        }
        (Verb::Send { template: was, .. }, Verb::Send { template: is, .. }) if was != is => {
            found.push(format!("template {was} → {is}"));
        }
        (was, is) if std::mem::discriminant(was) != std::mem::discriminant(is) => {
            found.push("does something else".into());
        }
        (_, _) => {}
    }
    found
}

/// That the words of the template that a step says both times are others, and in which locales.
fn words(old: &Program, new: &Program, (before, after): (&Step, &Step)) -> Option<String> {
    let name = template(after).filter(|name| template(before) == Some(name))?;
    let (was, is) = (old.templates.get(name)?, new.templates.get(name)?);
    let hash = |of: &Template, locale: &str| of.texts.get(locale).map(|text| text.hash.clone());
    let locales: BTreeSet<&Box<str>> = was.texts.keys().chain(is.texts.keys()).collect();
    let others = locales.into_iter();
    let others = others.filter(|locale| hash(was, locale) != hash(is, locale));
    let others: Vec<&str> = others.map(|locale| &**locale).collect();
    (!others.is_empty()).then(|| format!("other words in {name} ({})", others.join(", ")))
}

fn window(at: Option<&AtWindow>) -> String {
    let Some(at) = at else {
        return "none".into();
    };
    let unit = if at.is_business {
        "business days"
    } else {
        "days"
    };
    if at.closes <= 0 {
        format!("{}..{} {unit} before", -at.opens, -at.closes)
    } else {
        format!("{}..{} {unit} after", at.opens, at.closes)
    }
}

fn period(period: Period) -> String {
    match period {
        Period::Seconds(seconds) if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        Period::Seconds(seconds) => format!("{}m", seconds / 60),
        Period::Days(days) => format!("{days}d"),
        Period::BusinessDays(days) => format!("{days} business days"),
    }
}
