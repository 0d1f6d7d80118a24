//! Renamed steps: old id, new id.

use super::desk::Desk;
use super::keys::is_map;
use super::value::{scalar, short};
use super::{Keys, Notes};
use crate::diagnostic::nearest;
use crate::yaml::Entry;

/// Reads `moved`, once all steps were read. `None` if an entry failed.
pub(crate) fn moved(
    notes: &mut Notes,
    desk: &Desk<'_>,
    keys: &Keys<'_>,
) -> Option<Vec<(Box<str>, Box<str>)>> {
    let Some(node) = keys.get(notes, "moved") else {
        return (!keys.has("moved")).then(Vec::new);
    };
    if !is_map(notes, node, "`moved`") {
        return None;
    }
    // The order of keys means nothing, so it must not show in the revision.
    let mut entries: Vec<_> = node.entries().iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    let read: Vec<Option<(Box<str>, Box<str>)>> = entries
        .into_iter()
        .map(|entry| renamed(notes, desk, entry))
        .collect();
    read.into_iter().collect()
}

fn renamed(notes: &mut Notes, desk: &Desk<'_>, entry: &Entry) -> Option<(Box<str>, Box<str>)> {
    let steps = &desk.scope.steps;
    if steps.contains_key(&entry.key) {
        let message = format!(
            "the step `{}` is still there, so it was not renamed",
            entry.key
        );
        let help = "write the old id first: `moved: {old: new}`";
        notes.error_help("E103", entry.key_span, message, help.to_owned());
        return None;
    }
    let id = scalar(notes, &entry.value, "an id")?;
    if steps.contains_key(&id.text) {
        return Some((entry.key.clone(), id.text.clone()));
    }
    let help = nearest(&id.text, steps.keys().map(|id| &**id))
        .map(|near| format!("did you mean `{near}`?"));
    let message = format!("there is no step `{}`", short(&id.text));
    notes.error_help("E208", entry.value.span, message, help);
    None
}
