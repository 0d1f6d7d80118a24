//! Keys: those that the reader knows and those of the schemas are the same.

use super::schema;
use crate::check::sort::DEFINITION_KEYS;
use crate::file_kind::FileKind;
use crate::reader::{
    act, calendar, case, definition, expression, goal, health, metric, policy, route, scenario,
    schema as fields, source, split, start, step, survey::VERBS, timeline, wait, workflow,
};
use crate::template;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A map whose keys the reader knows: the schema it is in, where, and its keys.
type Row = (FileKind, &'static str, Vec<&'static str>);

/// Every such map.
fn table() -> Vec<Row> {
    [
        in_workflows(),
        in_definitions(),
        of_health_and_policies(),
        in_tests(),
    ]
    .concat()
}

fn in_workflows() -> Vec<Row> {
    let steps = VERBS.into_iter().flat_map(step::known_keys).collect();
    [
        ("", workflow::KEYS.to_vec()),
        ("/$defs/start", start::KEYS.to_vec()),
        ("/$defs/goal/anyOf/1", goal::KEYS.to_vec()),
        ("/$defs/step", steps),
        ("/$defs/wait/anyOf/1", wait::KEYS.to_vec()),
        ("/$defs/arm", split::ARM_KEYS.to_vec()),
        ("/$defs/approval", act::APPROVAL_KEYS.to_vec()),
        (CONDITION, expression::CONDITION_KEYS.to_vec()),
    ]
    .map(|(place, keys)| (FileKind::Workflow, place, keys))
    .into()
}

fn in_definitions() -> Vec<Row> {
    [
        ("", DEFINITION_KEYS.to_vec()),
        ("/properties/entities", fields::ENTITIES.to_vec()),
        ("/$defs/field/anyOf/1", fields::FIELD_KEYS.to_vec()),
        ("/$defs/metric", metric::KEYS.to_vec()),
        ("/$defs/risk", definition::RISK_KEYS.to_vec()),
        (SEVERITY, definition::SEVERITY_KEYS.to_vec()),
        (CONDITION, expression::CONDITION_KEYS.to_vec()),
    ]
    .map(|(place, keys)| (FileKind::Definitions, place, keys))
    .into()
}

fn of_health_and_policies() -> Vec<Row> {
    [
        ("/$defs/health", health::KEYS.to_vec()),
        (
            "/$defs/health/properties/points",
            health::POINTS_KEYS.to_vec(),
        ),
        (
            "/$defs/health/properties/bands",
            health::BANDS_KEYS.to_vec(),
        ),
        ("/$defs/side", health::SIDE_KEYS.to_vec()),
        ("/$defs/measure", health::MEASURE_KEYS.to_vec()),
        ("/properties/defaults", policy::DEFAULTS_KEYS.to_vec()),
        ("/properties/sender", policy::SENDER_KEYS.to_vec()),
        ("/$defs/calendar", calendar::KEYS.to_vec()),
        ("/$defs/topic", policy::TOPIC_KEYS.to_vec()),
        ("/$defs/limit", policy::LIMIT_KEYS.to_vec()),
        ("/$defs/route", route::ROUTE_KEYS.to_vec()),
        ("/$defs/webhook", route::WEBHOOK_KEYS.to_vec()),
        ("/$defs/source", source::KEYS.to_vec()),
    ]
    .map(|(place, keys)| (FileKind::Definitions, place, keys))
    .into()
}

fn in_tests() -> Vec<Row> {
    let verbs = timeline::EXPECTED.iter().map(|(verb, _)| *verb);
    let details = timeline::DETAILS.into_iter().chain(timeline::DETAILS_MORE);
    let front = (FileKind::Template, "", template::file::KEYS.to_vec());
    let mut rows: Vec<Row> = [
        ("", scenario::FILE_KEYS.to_vec()),
        ("/$defs/account", scenario::FIXTURE_KEYS.to_vec()),
        ("/$defs/account/properties/risk", case::KEYS.to_vec()),
        ("/$defs/test", scenario::TEST_KEYS.to_vec()),
        ("/$defs/entry", timeline::KEYS.to_vec()),
        ("/$defs/expectation", verbs.chain(details).collect()),
    ]
    .map(|(place, keys)| (FileKind::Test, place, keys))
    .into();
    rows.push(front);
    rows
}

const SEVERITY: &str = "/$defs/risk/properties/severity";
const CONDITION: &str = "/$defs/condition/anyOf/1";

#[test]
fn every_key_that_the_reader_knows_is_in_the_schema_and_no_other() {
    for (kind, place, known) in table() {
        let schema = schema(kind);
        let map = schema.pointer(place);
        let properties = map.and_then(|map| map["properties"].as_object());
        let told: BTreeSet<&str> = properties
            .unwrap_or_else(|| panic!("{} has no map at {place}", kind.name()))
            .keys()
            .map(String::as_str)
            .collect();
        let known: BTreeSet<&str> = known.into_iter().collect();
        assert_eq!(told, known, "{}: {place}", kind.name());
    }
}

#[test]
fn every_map_with_keys_of_its_own_is_compared() {
    let table = table();
    for kind in FileKind::ALL {
        let mut closed = BTreeSet::new();
        closed_maps(&schema(kind), String::new(), &mut closed);
        let compared = table.iter().filter(|(of, ..)| *of == kind);
        let compared: BTreeSet<String> =
            compared.map(|(_, place, _)| (*place).to_owned()).collect();
        assert_eq!(closed, compared, "{}", kind.name());
    }
}

/// Where a map refuses keys that it does not name.
fn closed_maps(value: &Value, place: String, found: &mut BTreeSet<String>) {
    if value["additionalProperties"] == false {
        found.insert(place.clone());
    }
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(list) => {
            let numbered = list.iter().enumerate();
            numbered
                .map(|(at, value)| (at.to_string(), value))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, value) in inner {
        closed_maps(value, format!("{place}/{key}"), found);
    }
}

#[test]
fn the_verbs_of_a_step_are_those_of_the_reader_and_their_keys_belong_to_them() {
    let schema = schema(FileKind::Workflow);
    let step = &schema["$defs"]["step"];
    let verbs = step["oneOf"].as_array().into_iter().flatten();
    let verbs: Vec<&str> = verbs
        .filter_map(|one| one["required"][0].as_str())
        .collect();
    assert_eq!(verbs, VERBS);
    // A key that one verb alone has is refused beside all others.
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for verb in VERBS {
        for key in step::known_keys(verb) {
            owners.entry(key).or_default().push(verb);
        }
    }
    for (key, owners) in owners {
        let [owner] = owners.as_slice() else { continue };
        if key == *owner {
            continue;
        }
        let needed = step["dependentRequired"][key].as_array();
        let is_bound = needed.is_some_and(|needed| needed.iter().any(|verb| verb == owner));
        assert!(is_bound, "`{key}` belongs to `{owner}`");
    }
}
