//! Sets: fields that workflows may write.

use super::Notes;
use super::desk::Desk;
use super::expression::expression;
use super::keys::is_map;
use super::value::short;
use crate::diagnostic::nearest;
use crate::expression::{Want, type_of};
use crate::program::{SetOf, Setting, Type, Verb};
use crate::yaml::{Entry, Node};

/// Reads a `set`.
pub(crate) fn set(notes: &mut Notes, desk: &mut Desk<'_>, node: &Node) -> Option<Verb> {
    if !is_map(notes, node, "`set`") {
        return None;
    }
    let read: Vec<Option<Setting>> = node
        .entries()
        .iter()
        .map(|entry| setting(notes, desk, entry))
        .collect();
    let fields: Vec<Setting> = read.into_iter().collect::<Option<_>>()?;
    if fields.is_empty() {
        notes.error("E102", node.span, "this sets nothing: name a field");
        return None;
    }
    Some(Verb::Set { fields })
}

fn setting(notes: &mut Notes, desk: &mut Desk<'_>, entry: &Entry) -> Option<Setting> {
    let (of, field, ty) = settable(notes, desk, entry)?;
    let value = expression(notes, &entry.value, &desk.scope, &Want::Value(ty))?;
    let setting = Setting { of, field, value };
    desk.sets.push((setting.clone(), entry.key_span));
    Some(setting)
}

/// Whose field it is, its name and type, if workflows may write it; E201 and E210 otherwise.
fn settable(notes: &mut Notes, desk: &Desk<'_>, entry: &Entry) -> Option<(SetOf, Box<str>, Type)> {
    let schema = &desk.scope.world.schema;
    let (entity, name) = entry.key.split_once('.').unwrap_or(("", &entry.key));
    let (of, fields) = match entity {
        "account" => (SetOf::Account, &schema.account.fields),
        "contract" => (SetOf::Contract, &schema.contract.fields),
        _ => {
            let message = format!("`{}` is not a field that can be set", short(&entry.key));
            let help = "for example `account.reference_status`";
            notes.error_help("E201", entry.key_span, message, help.to_owned());
            return None;
        }
    };
    let failed = &desk.scope.world.failed;
    let Some(field) = fields.get(name) else {
        if !failed.contains(&entry.key) && !failed.contains(entity) {
            let help = nearest(name, fields.keys().map(|name| &**name))
                .map(|near| format!("did you mean `{entity}.{near}`?"));
            let message = format!("there is no `{}`", short(&entry.key));
            notes.error_help("E201", entry.key_span, message, help);
        }
        return None;
    };
    if !field.is_written_by_workflows {
        let message = format!(
            "`{}` belongs to the source system; a workflow may not set it",
            entry.key
        );
        let help = "add `written_by: workflows` to the field in the schema";
        notes.error_help("E210", entry.key_span, message, help.to_owned());
    }
    Some((of, name.into(), type_of(&field.kind)))
}
