//! The head of a workflow: what it is, before what it does.

use super::desk::{Desk, Subject};
use super::policy::{check_topic, topics};
use super::value::{scalar, text, word};
use super::{Keys, Notes};
use crate::program::{ForEach, IfRunning, Status};
use crate::yaml::Node;

/// The parts that say what the workflow is, before what it does.
pub(crate) struct Head {
    pub(crate) status: Option<Status>,
    pub(crate) subject: Subject,
    pub(crate) priority: u8,
    pub(crate) title: Option<Box<str>>,
    pub(crate) owner: Option<Box<str>>,
    pub(crate) holds_back: Vec<Box<str>>,
    pub(crate) if_running: Option<IfRunning>,
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
    if subject == Subject::Csm {
        let span = keys.span_of("for_each").unwrap_or(keys.place());
        desk.later(span, "`for_each: csm`");
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
        status: status(notes, keys),
        if_running: if_running(notes, keys),
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

fn status(notes: &mut Notes, keys: &Keys<'_>) -> Option<Status> {
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
    word(notes, node, "`status`", &words)
}

fn if_running(notes: &mut Notes, keys: &Keys<'_>) -> Option<IfRunning> {
    let words = [
        ("ignore", IfRunning::Ignore),
        ("restart", IfRunning::Restart),
    ];
    if !keys.has("if_running") {
        return Some(IfRunning::Ignore);
    }
    let node = keys.get(notes, "if_running")?;
    word(notes, node, "`if_running`", &words)
}

/// Reads `edits`.
pub(crate) fn edits(notes: &mut Notes, desk: &mut Desk<'_>, keys: &Keys<'_>) {
    let words = [("follow", false), ("pin", true)];
    if let Some(node) = keys.get(notes, "edits")
        && word(notes, node, "`edits`", &words) == Some(true)
    {
        desk.later(node.span, "`edits: pin`");
    }
}
