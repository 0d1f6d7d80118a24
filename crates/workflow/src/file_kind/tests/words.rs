//! Words: where the reader takes one of some words, the schema lists the same.

use super::schema;
use crate::file_kind::FileKind;
use crate::reader::timeline;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A nonsense word in every place that takes one of some words, so that the check lists them.
const NONSENSE: &str = "\
workflow: a
status: zzz
for_each: zzz
priority: zzz
if_running: zzz
edits: zzz
start: {when: account.name is known, existing: zzz}
once_per: account
steps:
  - {id: a, wait: {until: account.name is known, at_most: 1d, otherwise: zzz}}
  - {id: b, send: b, to: champion, if_nobody: zzz, at_limit: zzz, hours: zzz, approval: {by: csm, at_most: 1d, otherwise: send}}
  - {id: c, alert: csm, text: d, deliver: zzz}
";
/// Where the `otherwise` of an approval is the nonsense.
const APPROVAL: &str = "\
workflow: b
start: {every: day 09:00}
steps:
  - {id: a, send: b, to: champion, approval: {by: csm, at_most: 1d, otherwise: zzz}}
";
const DEFINITIONS: &str = "\
entities:
  account: {name: text, score: {type: number, written_by: zzz}}
over_limit: zzz
calendar: {timezone: UTC, fiscal_year_starts: zzz}
topics: {a: {title: b, purpose: zzz, if_unknown: zzz}}
limits: [{at_most: 1, in: 1d, per: zzz, channel: zzz}]
health:
  outcome: {weight: 100%, measures: {a: {value: account.score, green: 1, yellow: 0, better: zzz, weight: 100%}}}
  experience: {weight: 0%, measures: {}}
  bands: {green: 2, yellow: 1}
";

/// The words that the check lists for each place, by what it calls it.
fn listed(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let file = "workflows/a.yaml".into();
    let definitions = ("workflows/definitions/a.yaml".into(), DEFINITIONS.into());
    let checked = crate::check(&[(file, text.into()), definitions].into());
    let mut found = BTreeMap::new();
    for diagnostic in checked.diagnostics {
        let Some((_, rest)) = diagnostic.message.split_once("`zzz` is not a word for `") else {
            continue;
        };
        let (what, words) = rest.split_once("`: ").expect("it lists the words");
        let words = words.split(", ").map(str::to_owned).collect();
        assert_eq!(found.insert(what.to_owned(), words), None, "{what}");
    }
    found
}

fn words(value: Option<&Value>) -> BTreeSet<String> {
    let words = value.and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Where the schema of workflows lists the words of each place.
const IN_WORKFLOWS: [(&str, &str); 11] = [
    ("status", "/properties/status"),
    ("for_each", "/properties/for_each"),
    ("priority", "/properties/priority"),
    ("if_running", "/properties/if_running"),
    ("edits", "/properties/edits"),
    ("existing", "/$defs/start/properties/existing"),
    (
        "otherwise",
        "/$defs/wait/anyOf/1/properties/otherwise/anyOf/0",
    ),
    ("if_nobody", "/$defs/step/properties/if_nobody"),
    ("at_limit", "/$defs/step/properties/at_limit"),
    ("hours", "/$defs/step/properties/hours"),
    ("deliver", "/$defs/step/properties/deliver"),
];
/// And that of definitions.
const IN_DEFINITIONS: [(&str, &str); 7] = [
    ("over_limit", "/properties/over_limit"),
    ("written_by", "/$defs/field/anyOf/1/properties/written_by"),
    ("purpose", "/$defs/topic/properties/purpose"),
    ("if_unknown", "/$defs/topic/properties/if_unknown"),
    ("per", "/$defs/limit/properties/per"),
    ("channel", "/$defs/limit/properties/channel"),
    ("better", "/$defs/measure/properties/better"),
];

#[test]
fn the_words_of_the_reader_are_those_of_the_schemas() {
    use FileKind::{Definitions, Workflow};
    let mut listed_words = listed(NONSENSE);
    let workflows = IN_WORKFLOWS.map(|(what, place)| (what, Workflow, place));
    let definitions = IN_DEFINITIONS.map(|(what, place)| (what, Definitions, place));
    for (what, kind, place) in workflows.into_iter().chain(definitions) {
        let known = listed_words.remove(what).unwrap_or_default();
        assert!(!known.is_empty(), "the check says nothing of `{what}`");
        let place = format!("{place}/enum");
        assert_eq!(words(schema(kind).pointer(&place)), known, "{what}");
    }
    assert_eq!(listed_words, BTreeMap::new(), "no schema was asked");
    let workflow = schema(Workflow);
    let place = "/$defs/approval/properties/otherwise/enum";
    assert_eq!(
        words(workflow.pointer(place)),
        listed(APPROVAL)["otherwise"]
    );
}

#[test]
fn the_words_of_tests_are_those_of_the_schema() {
    let schema = schema(FileKind::Test);
    for (place, known) in [
        ("why", timeline::WHY.as_slice()),
        ("end", timeline::HOW.as_slice()),
    ] {
        let place = format!("/$defs/expectation/properties/{place}/enum");
        let known = known.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(words(schema.pointer(&place)), known, "{place}");
    }
}
