//! What is right is accepted: every file of the example and of the shipped workspace.

use super::{Judge, files, kind_of, schema};
use crate::file_kind::FileKind;
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn every_file_of_the_example_and_of_the_shipped_workspace_is_accepted() {
    let judges: BTreeMap<&str, Judge> = FileKind::ALL
        .map(|kind| (kind.name(), Judge::of(kind)))
        .into();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let folders = ["tests/data/example/workflows", "workflows"];
    for (file, text) in folders.iter().flat_map(|folder| files(folder, ".yaml")) {
        let kind = kind_of(&file, &text).name();
        *seen.entry(kind).or_default() += 1;
        let said = judges[kind].refuses(&text);
        assert!(said.is_none(), "{file}: {}", said.unwrap_or_default());
    }
    let least = [
        ("definitions", 12),
        ("holidays", 2),
        ("test", 12),
        ("workflow", 16),
    ];
    for (kind, least) in least {
        assert!(seen[kind] >= least, "{kind}: {seen:?}");
    }
}

#[test]
fn the_front_matter_of_every_template_is_accepted() {
    let judge = Judge::of(FileKind::Template);
    for folder in ["tests/data/example/templates", "templates"] {
        let files = files(folder, ".hbs");
        assert!(files.len() > 20, "{folder}");
        for (file, text) in files {
            let front = text
                .strip_prefix("---\n")
                .and_then(|text| text.split_once("\n---"))
                .map_or("{}", |(front, _)| front);
            let said = judge.refuses(front);
            assert!(said.is_none(), "{file}: {}", said.unwrap_or_default());
        }
    }
}

#[test]
fn every_notation_of_the_language_is_accepted() {
    let workflow =
        "workflow: a\nstart: {when: b, existing: skip}\nonce_per: account\nsteps: [{stop: c}]\n";
    let step = |step: &str| format!("workflow: a\nstart: {{every: day 09:00}}\nsteps: [{step}]\n");
    let start = |start: &str| {
        format!("workflow: a\nstart: {{{start}}}\nonce_per: 7d\nsteps: [{{stop: c}}]\n")
    };
    let judge = Judge::of(FileKind::Workflow);
    let mut texts = vec![
        workflow.to_owned(),
        workflow.replace("when: b", "when: {all: [b, {any: [c, not d]}]}"),
        workflow.replace(
            "when: b",
            r#"when: 'account.name == "a & b = \"c\"; d" and e <= -40%'"#,
        ),
        format!("{workflow}goal: {{any: [x, y]}}\n"),
        format!("{workflow}goal: {{when: x, within: 30d}}\nholdout: 10%\n"),
        format!("{workflow}holdout: 0%\nholds_back: advocacy\ntitle: 2026\nmoved: {{old: new}}\n"),
        start("event: [user.invited, contact.left], if: event.score >= 9, max_age: 2d"),
        start("cron: '30 8 1,15 * mon-fri'"),
        step("{id: a, wait: 3 business days}"),
        step(
            "{id: a, wait: {event: a.b, if: event.c, at_most: 1 business day, otherwise: continue}}",
        ),
        step("{id: a, match: touch, cases: {high: [], low: []}, otherwise: []}"),
        step("{id: a, if: b, then: [], else: [{stop: c}]}"),
        step("{id: a, at: 3 business days after contract.start_date, task: b, assignee: csm}"),
        step("{send: a, to: [champion, admin], from: A <a@b.example>, reply_to: csm.email}"),
        step("{alert: [csm, manager], template: a}"),
        step("{id: 'a', alert: csm, text: はい, hours: any}"),
        step("{id: a, split: {x: {share: 33.5%, steps: []}, y: {share: 66.5%, steps: []}}}"),
    ];
    let schedules = "day 09:00|business day 23:59|Mon,Thu 00:00|month 1 09:00|month 31 09:00|month last 09:00|month first business day 09:00|quarter last 09:00|quarter first business day 09:00";
    texts.extend(
        schedules
            .split('|')
            .map(|when| start(&format!("every: '{when}'"))),
    );
    for text in texts {
        let said = judge.refuses(&text);
        assert!(said.is_none(), "{text}\n{}", said.unwrap_or_default());
    }
}

#[test]
fn every_key_has_its_text_and_every_schema_names_its_draft() {
    for kind in FileKind::ALL {
        let schema = schema(kind);
        let draft = "https://json-schema.org/draft/2020-12/schema";
        assert_eq!(schema["$schema"], draft, "{}", kind.name());
        for key in ["title", "description"] {
            assert!(schema[key].is_string(), "{}: {key}", kind.name());
        }
        told(kind, &schema, &mut 0);
    }
}

/// Every property that a map can have says what it is. Where keys are only asked for, they were told before.
fn told(kind: FileKind, value: &Value, depth: &mut usize) {
    assert!(*depth < 64, "it has an end");
    *depth += 1;
    if let Value::Object(map) = value {
        let is_closed = map.contains_key("additionalProperties");
        let properties = map.get("properties").and_then(Value::as_object);
        for (key, property) in properties.into_iter().flatten().filter(|_| is_closed) {
            let text = property["description"].as_str().unwrap_or_default();
            assert!(text.ends_with('.'), "{}: `{key}` has no text", kind.name());
        }
        map.values().for_each(|value| told(kind, value, depth));
    }
    if let Value::Array(list) = value {
        list.iter().for_each(|value| told(kind, value, depth));
    }
    *depth -= 1;
}

#[test]
fn what_has_one_name_in_several_schemas_is_one_thing() {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    let shared = [
        "text",
        "name",
        "names",
        "event_name",
        "expression",
        "condition",
        "mailbox",
        "address",
        "duration",
        "share",
        "schedule",
        "template",
        "step_id",
    ];
    for kind in FileKind::ALL {
        let schema = schema(kind);
        for (name, value) in schema["$defs"].as_object().into_iter().flatten() {
            if !shared.contains(&&**name) {
                continue;
            }
            let first = known.entry(name.clone()).or_insert_with(|| value.clone());
            assert_eq!(first, value, "{}: {name}", kind.name());
        }
    }
    assert_eq!(known.len(), shared.len());
}
