//! The head of a workflow: what it is, before what it does.

use super::desk::{Desk, Subject};
use super::keys::is_map;
use super::policy::{check_topic, topics};
use super::value::{scalar, short, text, word};
use super::{Keys, Notes};
use crate::diagnostic::nearest;
use crate::program::{ForEach, Status};
use crate::yaml::Node;

/// The parts that say what the workflow is, before what it does.
pub(crate) struct Head {
    pub(crate) status: Option<Status>,
    pub(crate) subject: Subject,
    pub(crate) priority: u8,
    pub(crate) title: Option<Box<str>>,
    pub(crate) owner: Option<Box<str>>,
    pub(crate) holds_back: Vec<Box<str>>,
}

/// Reads them.
pub(crate) fn head(notes: &mut Notes, desk: &mut Desk<'_>, keys: &Keys<'_>) -> Head {
    let mut read = |key| {
        keys.get(notes, key)
            .and_then(|node| text(notes, node, "a text for people"))
    };
    let (title, owner) = (read("title"), read("owner"));
    read("description");
    let subjects = [
        ("account", Subject::Now(ForEach::Account)),
        ("contract", Subject::Now(ForEach::Contract)),
        ("contact", Subject::Now(ForEach::Contact)),
        ("risk", Subject::Now(ForEach::Risk)),
        ("csm", Subject::Csm),
    ];
    let node = keys.get(notes, "for_each");
    let subject = node.and_then(|node| word(notes, node, "`for_each`", &subjects));
    let subject = subject.unwrap_or(Subject::Now(ForEach::Account));
    match subject {
        Subject::Now(ForEach::Account | ForEach::Contract) => {}
        Subject::Now(ForEach::Contact) => desk.later(
            keys.span_of("for_each").unwrap_or(keys.place()),
            "`for_each: contact`",
        ),
        Subject::Now(ForEach::Risk) => desk.later(
            keys.span_of("for_each").unwrap_or(keys.place()),
            "`for_each: risk`",
        ),
        Subject::Csm => desk.later(
            keys.span_of("for_each").unwrap_or(keys.place()),
            "`for_each: csm`",
        ),
    }
    desk.topic = keys
        .get(notes, "topic")
        .and_then(|node| topic(notes, desk, node));
    let priorities = [("high", 0), ("normal", 1), ("low", 2)];
    let priority = keys
        .get(notes, "priority")
        .and_then(|node| word(notes, node, "`priority`", &priorities));
    let held = keys.get(notes, "holds_back");
    let holds_back = held.map_or_else(Vec::new, |node| {
        topics(notes, node, &desk.workspace.topic_names)
    });
    if let (Some(topic), Some(node)) = (&desk.topic, held)
        && holds_back.contains(topic)
    {
        notes.error(
            "E103",
            node.span,
            format!("a workflow cannot hold back its own topic `{topic}`"),
        );
    }
    Head {
        status: status(notes, desk, keys),
        subject,
        priority: priority.unwrap_or(1),
        title,
        owner,
        holds_back,
    }
}

fn topic(notes: &mut Notes, desk: &Desk<'_>, node: &Node) -> Option<Box<str>> {
    let name = scalar(notes, node, "a topic")?;
    check_topic(notes, &name.text, node.span, &desk.workspace.topic_names);
    Some(name.text.clone())
}

fn status(notes: &mut Notes, desk: &mut Desk<'_>, keys: &Keys<'_>) -> Option<Status> {
    let words = [
        ("draft", Status::Draft),
        ("shadow", Status::Shadow),
        ("live", Status::Live),
        ("paused", Status::Paused),
        ("closing", Status::Closing),
        ("retired", Status::Retired),
    ];
    if !keys.has("status") {
        return Some(Status::Draft);
    }
    let node = keys.get(notes, "status")?;
    let status = word(notes, node, "`status`", &words)?;
    match status {
        Status::Draft | Status::Shadow | Status::Live => {}
        Status::Paused => desk.later(node.span, "`status: paused`"),
        Status::Closing => desk.later(node.span, "`status: closing`"),
        Status::Retired => desk.later(node.span, "`status: retired`"),
    }
    Some(status)
}

/// Keys that are still to come, whatever else there is.
pub(crate) fn later_keys(notes: &mut Notes, desk: &mut Desk<'_>, keys: &Keys<'_>) {
    let running = [("ignore", false), ("restart", true)];
    if let Some(node) = keys.get(notes, "if_running")
        && word(notes, node, "`if_running`", &running) == Some(true)
    {
        desk.later(node.span, "`if_running: restart`");
    }
    let edits = [("follow", false), ("pin", true)];
    if let Some(node) = keys.get(notes, "edits")
        && word(notes, node, "`edits`", &edits) == Some(true)
    {
        desk.later(node.span, "`edits: pin`");
    }
    if let Some(node) = keys.get(notes, "moved") {
        desk.later(keys.span_of("moved").unwrap_or(node.span), "`moved`");
        is_map(notes, node, "`moved`");
        check_moved(notes, desk, node);
    }
}

fn check_moved(notes: &mut Notes, desk: &Desk<'_>, node: &Node) {
    for entry in node.entries() {
        let Some(id) = scalar(notes, &entry.value, "an id") else {
            continue;
        };
        let steps = &desk.scope.steps;
        if !steps.contains_key(&id.text) {
            let help = nearest(&id.text, steps.keys().map(|id| &**id))
                .map(|near| format!("did you mean `{near}`?"));
            let message = format!("there is no step `{}`", short(&id.text));
            notes.error_help("E208", entry.value.span, message, help);
        }
    }
}
