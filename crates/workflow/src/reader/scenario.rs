//! Scenarios: the tests that stand beside the workflows.

use super::case::{case, held, is_held};
use super::desk::Workspace;
use super::fixture::{Fields, json, pinned};
use super::keys::{is_map, items};
use super::notation::civil;
use super::value::{flag, near, scalar, short, text, word};
use super::{Keys, Notes, timeline};
use crate::diagnostic::nearest;
use crate::expression::StepKind;
use crate::scenario::{Fixture, Scenario};
use crate::yaml::{Entry, Node};
use jiff::Span as Length;
use jiff::civil::DateTime;
use std::collections::BTreeMap;

/// The steps of one workflow by id.
pub(crate) type Steps = BTreeMap<Box<str>, StepKind>;
/// The steps of each workflow.
pub(crate) type StepIds = BTreeMap<Box<str>, Steps>;

/// Keys of a file of tests.
pub(crate) const FILE_KEYS: [&str; 2] = ["accounts", "tests"];
/// Keys of an account of a test.
pub(crate) const FIXTURE_KEYS: [&str; 6] =
    ["account", "contract", "contacts", "csm", "risk", "metrics"];
/// Keys of a test.
pub(crate) const TEST_KEYS: [&str; 11] = [
    "test",
    "workflow",
    "workflows",
    "given",
    "but",
    "start_at",
    "end_at",
    "going_live",
    "split",
    "holdout",
    "timeline",
];

/// The most accounts, and tests, of one file.
pub(crate) const TESTS_MAX: usize = 1_000;

/// What tests are read with.
#[derive(Clone, Copy)]
pub(crate) struct Bench<'a> {
    /// What there is.
    pub(crate) workspace: &'a Workspace,
    /// Which steps each workflow has.
    pub(crate) steps: &'a StepIds,
    /// The steps of the workflow under test, or of all; none: it failed.
    pub(crate) tested: Option<&'a Steps>,
    /// Whether all workflows run.
    pub(crate) is_all: bool,
}

/// Reads a file of tests.
pub(crate) fn scenarios(notes: &mut Notes, root: &Node, bench: &Bench<'_>) -> Vec<Scenario> {
    let Some(keys) = Keys::of(notes, root, "a file of tests", &FILE_KEYS) else {
        return Vec::new();
    };
    let mut fixtures = BTreeMap::new();
    if let Some(accounts) = keys.get(notes, "accounts")
        && is_map(notes, accounts, "`accounts`")
    {
        for entry in accounts.entries() {
            fixtures.insert(entry.key.clone(), fixture(notes, &entry.value, bench));
        }
    }
    let Some(tests) = keys
        .get(notes, "tests")
        .and_then(|node| items(notes, node, "`tests`"))
    else {
        return Vec::new();
    };
    if tests.len() > TESTS_MAX {
        notes.error(
            "E103",
            root.span,
            format!("a file has at most {TESTS_MAX} tests"),
        );
        return Vec::new();
    }
    tests
        .iter()
        .filter_map(|node| scenario(notes, node, &fixtures, bench))
        .collect()
}

fn fixture(notes: &mut Notes, node: &Node, bench: &Bench<'_>) -> Fixture {
    let mut fixture = Fixture::default();
    let Some(keys) = Keys::of(notes, node, "an account of a test", &FIXTURE_KEYS) else {
        return fixture;
    };
    if let Some(node) = keys.get(notes, "account") {
        fixture.account = bench.fields("account").object(notes, node);
    }
    if let Some(node) = keys.get(notes, "contract") {
        fixture.contract = Some(bench.fields("contract").object(notes, node));
    }
    if let Some(node) = keys.get(notes, "contacts") {
        contacts(notes, node, bench, &mut fixture);
    }
    if let Some(node) = keys.get(notes, "csm") {
        fixture.csm = Some(bench.fields("csm").object(notes, node));
    }
    if let Some(node) = keys.get(notes, "risk") {
        case(notes, node, bench, &mut fixture);
    }
    if let Some(node) = keys.get(notes, "metrics")
        && is_map(notes, node, "`metrics`")
    {
        for entry in node.entries() {
            pin(notes, entry, bench, &mut fixture);
        }
    }
    fixture
}

fn contacts(notes: &mut Notes, node: &Node, bench: &Bench<'_>, fixture: &mut Fixture) {
    let list = items(notes, node, "`contacts`").unwrap_or_default();
    let fields = bench.fields("contact");
    fixture.contacts = list.iter().map(|node| fields.object(notes, node)).collect();
}

fn pin(notes: &mut Notes, entry: &Entry, bench: &Bench<'_>, fixture: &mut Fixture) {
    if let Some(value) = pinned(notes, entry, &bench.workspace.scope) {
        fixture.pinned.insert(entry.key.clone(), value);
    }
}

impl<'a> Bench<'a> {
    /// The fields of an entity.
    pub(crate) fn fields(&self, entity: &'static str) -> Fields<'a> {
        let scope = &self.workspace.scope;
        let schema = &scope.world.schema;
        let fields = match entity {
            "account" => &schema.account.fields,
            "contract" => &schema.contract.fields,
            "contact" => &schema.contact.fields,
            _ => &schema.csm.fields,
        };
        Fields {
            name: entity,
            fields,
            scope,
        }
    }

    /// The steps of all workflows together.
    fn all_steps(&self) -> Steps {
        let steps = self.steps.values().flatten();
        steps.map(|(id, kind)| (id.clone(), kind.clone())).collect()
    }

    /// The entity of a dotted name, and the field's own name; `None`: it is no field, so it may be a pinned name.
    pub(crate) fn dotted<'k>(&self, key: &'k str) -> Option<(Fields<'a>, &'k str)> {
        let (entity, field) = key.split_once('.')?;
        let known = ["account", "contract", "csm"]
            .into_iter()
            .find(|known| *known == entity)?;
        Some((self.fields(known), field))
    }
}

/// Lays `but` over a fixture.
fn overlay(notes: &mut Notes, node: &Node, bench: &Bench<'_>, fixture: &mut Fixture) {
    if !is_map(notes, node, "`but`") {
        return;
    }
    for entry in node.entries() {
        if &*entry.key == "contacts" {
            contacts(notes, &entry.value, bench, fixture);
            continue;
        }
        if is_held(&entry.key) {
            let value = held(notes, (&entry.key, &entry.value), bench);
            fixture
                .pinned
                .extend(value.map(|value| (entry.key.clone(), Some(value))));
            continue;
        }
        let Some((fields, name)) = bench.dotted(&entry.key) else {
            pin(notes, entry, bench, fixture);
            continue;
        };
        let Some(field) = fields.field(notes, name, entry.key_span) else {
            continue;
        };
        if let Some(value) = json(notes, &entry.value, &field.kind) {
            let target = match fields.name {
                "account" => &mut fixture.account,
                "contract" => fixture.contract.get_or_insert_default(),
                _ => fixture.csm.get_or_insert_default(),
            };
            target.insert(name.to_owned(), value);
        }
    }
}

fn scenario(
    notes: &mut Notes,
    node: &Node,
    fixtures: &BTreeMap<Box<str>, Fixture>,
    bench: &Bench<'_>,
) -> Option<Scenario> {
    let keys = Keys::of(notes, node, "a test", &TEST_KEYS)?;
    let before = notes.errors();
    let sentence = keys.need(notes, "test");
    let name = sentence.and_then(|node| text(notes, node, "`test`"));
    let workflow = tested(notes, &keys, bench);
    let given_node = keys.need(notes, "given");
    let account = given_node.and_then(|node| given(notes, node, fixtures));
    let start_node = keys.need(notes, "start_at");
    let start_at = start_node.and_then(|node| civil(notes, node, "`start_at`"));
    let end_node = keys.get(notes, "end_at");
    let end_at = end_node.and_then(|node| civil(notes, node, "`end_at`"));
    let is_going_live = is_set(notes, &keys, "going_live");
    let is_held_out = is_set(notes, &keys, "holdout");
    let all;
    let bench = &match &workflow {
        Some(Some(name)) => Bench {
            tested: bench.steps.get(name),
            ..*bench
        },
        Some(None) => {
            all = bench.all_steps();
            Bench {
                tested: Some(&all),
                is_all: true,
                ..*bench
            }
        }
        None => *bench,
    };
    let arms = match keys.get(notes, "split") {
        Some(node) => drawn(notes, node, bench),
        None => BTreeMap::new(),
    };
    let timeline_node = keys.get(notes, "timeline");
    let timeline =
        timeline_node.map_or_else(Vec::new, |node| timeline::timeline(notes, node, bench));
    let mut fixture = fixtures.get(account.as_deref()?)?.clone();
    if let Some(node) = keys.get(notes, "but") {
        overlay(notes, node, bench, &mut fixture);
    }
    let start_at = start_at?;
    let last = timeline.last().map_or(start_at, |entry| entry.at);
    let end_at = end_at.or_else(|| day_after(last))?;
    check_order(notes, &keys, start_at, end_at, &timeline);
    if notes.errors() > before {
        return None;
    }
    Some(Scenario {
        file: notes.file.clone(),
        span: sentence?.span,
        name: name?,
        workflow: workflow?,
        account: account?,
        fixture,
        start_at,
        end_at,
        is_going_live,
        arms,
        is_held_out,
        timeline,
        whole: node.span,
        timeline_span: timeline_node.map(|node| node.span),
    })
}

/// A flag that is off unless it is written.
fn is_set(notes: &mut Notes, keys: &Keys<'_>, key: &str) -> bool {
    let node = keys.get(notes, key);
    node.and_then(|node| flag(notes, node, &format!("`{key}`"))) == Some(true)
}

fn day_after(time: DateTime) -> Option<DateTime> {
    time.checked_add(Length::new().days(1)).ok()
}

/// Time runs forward, from `start_at` to `end_at`.
fn check_order(
    notes: &mut Notes,
    keys: &Keys<'_>,
    start_at: DateTime,
    end_at: DateTime,
    timeline: &[crate::scenario::Entry],
) {
    let mut before = start_at;
    for entry in timeline {
        if entry.at < before {
            let message = format!(
                "this is before {}: a timeline runs forward",
                before.strftime("%Y-%m-%d %H:%M")
            );
            notes.error("E103", entry.span, message);
        }
        before = before.max(entry.at);
    }
    if let (true, Some(span)) = (end_at < before, keys.span_of("end_at")) {
        notes.error("E103", span, "the test ends before its last entry");
    }
}

/// `workflow: its-name`, or `workflows: all` (`Some(None)`).
fn tested(notes: &mut Notes, keys: &Keys<'_>, bench: &Bench<'_>) -> Option<Option<Box<str>>> {
    if keys.has("workflows") {
        if let Some(span) = keys.span_of("workflow") {
            let message = "a test is about one `workflow` or about all `workflows`";
            notes.error("E104", span, message);
        }
        let node = keys.get(notes, "workflows")?;
        word(notes, node, "`workflows`", &[("all", ())])?;
        return Some(None);
    }
    let node = keys.need(notes, "workflow")?;
    let name = scalar(notes, node, "a workflow")?;
    if bench.steps.contains_key(&name.text) {
        return Some(Some(name.text.clone()));
    }
    let near = nearest(&name.text, bench.steps.keys().map(|name| &**name));
    let help = match &*name.text {
        "all" => Some("write `workflows: all`".to_owned()),
        _ => near.map(|near| format!("did you mean `{near}`?")),
    };
    let message = format!("there is no workflow `{}`", short(&name.text));
    notes.error_help("E103", node.span, message, help);
    None
}

/// `split`: which arm each draw gives.
fn drawn(notes: &mut Notes, node: &Node, bench: &Bench<'_>) -> BTreeMap<Box<str>, Box<str>> {
    let mut drawn = BTreeMap::new();
    if !is_map(notes, node, "`split`") {
        return drawn;
    }
    for entry in node.entries() {
        let Some(arm) = scalar(notes, &entry.value, "an arm") else {
            continue;
        };
        let Some(steps) = bench.tested else { continue };
        let arms = match steps.get(&entry.key) {
            Some(StepKind::Split(arms)) => arms,
            Some(StepKind::Failed) => continue,
            Some(_) => {
                let message = format!("the step `{}` draws nothing", short(&entry.key));
                notes.error("E208", entry.key_span, message);
                continue;
            }
            None => {
                timeline::no_step(notes, &entry.key, entry.key_span, steps);
                continue;
            }
        };
        let words: Vec<&str> = arms.words.iter().map(|word| &**word).collect();
        if words.contains(&&*arm.text) {
            drawn.insert(entry.key.clone(), arm.text.clone());
            continue;
        }
        let message = format!("`{}` is not one of: {}", short(&arm.text), words.join(", "));
        notes.error_help("E304", entry.value.span, message, near(&arm.text, &words));
    }
    drawn
}

fn given(
    notes: &mut Notes,
    node: &Node,
    fixtures: &BTreeMap<Box<str>, Fixture>,
) -> Option<Box<str>> {
    let name = scalar(notes, node, "`given`")?;
    if fixtures.contains_key(&name.text) {
        return Some(name.text.clone());
    }
    let near = nearest(&name.text, fixtures.keys().map(|name| &**name));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    notes.error_help(
        "E103",
        node.span,
        format!("there is no account `{}` in this file", short(&name.text)),
        help,
    );
    None
}
