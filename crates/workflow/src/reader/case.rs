//! The risk case of a fixture: held open or closed, whatever the definitions say.

use super::keys::is_map;
use super::scenario::Bench;
use super::value::{flag, near, scalar, short};
use super::{Keys, Notes};
use crate::scenario::Fixture;
use crate::yaml::Node;
use model::Value;

/// Keys of a risk of a test.
pub(crate) const KEYS: [&str; 3] = ["open", "category", "severity"];
const SEVERITIES: [&str; 2] = ["normal", "high"];

/// Reads `risk: {open, category, severity}`.
pub(crate) fn case(notes: &mut Notes, node: &Node, bench: &Bench<'_>, fixture: &mut Fixture) {
    let Some(keys) = Keys::of(notes, node, "a risk of a test", &KEYS) else {
        return;
    };
    keys.need(notes, "category");
    if !is_map(notes, node, "`risk`") {
        return;
    }
    for entry in node.entries() {
        let name = format!("risk.{}", entry.key);
        if let Some(value) = held(notes, (&name, &entry.value), bench) {
            fixture.pinned.insert(name.into(), Some(value));
        }
    }
}

/// The value at which `risk.open`, `risk.category` or `risk.severity` is held.
pub(crate) fn held(
    notes: &mut Notes,
    (name, node): (&str, &Node),
    bench: &Bench<'_>,
) -> Option<Value> {
    if name == "risk.open" {
        return flag(notes, node, "`open`").map(Value::Bool);
    }
    let word = scalar(notes, node, "a word")?.text.clone();
    let risks = &bench.workspace.scope.world.risks;
    let words: Vec<&str> = if name == "risk.category" {
        risks.keys().map(|risk| &**risk).collect()
    } else {
        SEVERITIES.to_vec()
    };
    if !words.contains(&&*word) {
        let message = format!("`{}` is not one of: {}", short(&word), words.join(", "));
        notes.error_help("E304", node.span, message, near(&word, &words));
        return None;
    }
    Some(Value::Word(word))
}

/// Whether a name is one of a risk case's that can be held.
pub(crate) fn is_held(name: &str) -> bool {
    name.strip_prefix("risk.")
        .is_some_and(|field| KEYS.contains(&field))
}
