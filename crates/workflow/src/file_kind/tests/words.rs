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

#[test]
fn the_words_of_the_reader_are_those_of_the_schemas() {
    use FileKind::{Definitions, Workflow};
    let step = "/$defs/step/properties";
    let places = [
        ("status", Workflow, "/properties/status/enum".to_owned()),
        ("for_each", Workflow, "/properties/for_each/enum".to_owned()),
        ("priority", Workflow, "/properties/priority/enum".to_owned()),
        (
            "if_running",
            Workflow,
            "/properties/if_running/enum".to_owned(),
        ),
        ("edits", Workflow, "/properties/edits/enum".to_owned()),
        (
            "existing",
            Workflow,
            "/$defs/start/properties/existing/enum".to_owned(),
        ),
        (
            "otherwise",
            Workflow,
            "/$defs/wait/anyOf/1/properties/otherwise/anyOf/0/enum".to_owned(),
        ),
        ("if_nobody", Workflow, format!("{step}/if_nobody/enum")),
        ("at_limit", Workflow, format!("{step}/at_limit/enum")),
        ("hours", Workflow, format!("{step}/hours/enum")),
        ("deliver", Workflow, format!("{step}/deliver/enum")),
        (
            "over_limit",
            Definitions,
            "/properties/over_limit/enum".to_owned(),
        ),
        (
            "written_by",
            Definitions,
            "/$defs/field/anyOf/1/properties/written_by/enum".to_owned(),
        ),
        (
            "purpose",
            Definitions,
            "/$defs/topic/properties/purpose/enum".to_owned(),
        ),
        (
            "if_unknown",
            Definitions,
            "/$defs/topic/properties/if_unknown/enum".to_owned(),
        ),
        (
            "per",
            Definitions,
            "/$defs/limit/properties/per/enum".to_owned(),
        ),
        (
            "channel",
            Definitions,
            "/$defs/limit/properties/channel/enum".to_owned(),
        ),
        (
            "better",
            Definitions,
            "/$defs/measure/properties/better/enum".to_owned(),
        ),
    ];
    let mut listed_words = listed(NONSENSE);
    for (what, kind, place) in places {
        let known = listed_words.remove(what).unwrap_or_default();
        assert!(!known.is_empty(), "the check says nothing of `{what}`");
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
