//! What reaches people: `send`, `alert`, `task`.

use super::desk::Desk;
use super::expression::expression;
use super::given::step_names;
use super::keys::one_or_more;
use super::notation::{mailbox, period};
use super::policy::{address, check_topic};
use super::route::check_route;
use super::step::Place;
use super::value::{scalar, text, word};
use super::{Keys, Notes};
use crate::expression::{Scope, Want};
use crate::program::{
    Approval, ApprovalOtherwise, AtLimit, Deliver, Expr, ExprKind, IfNobody, Says, Verb,
};
use crate::yaml::Node;
use model::Purpose;

/// Keys of `approval`.
pub(crate) const APPROVAL_KEYS: [&str; 3] = ["by", "at_most", "otherwise"];

/// Reads a `send`.
pub(crate) fn send(notes: &mut Notes, desk: &mut Desk<'_>, place: &Place<'_, '_>) -> Option<Verb> {
    let keys = &place.keys;
    let to = keys
        .need(notes, "to")
        .and_then(|node| recipients(notes, desk, node));
    let cc = optional(keys.get(notes, "cc"), |node| recipients(notes, desk, node));
    let topic = topic(notes, desk, place);
    if let (Some(topic), Some(node)) = (&topic, keys.get(notes, "cc")) {
        check_copies(notes, desk, topic, node);
    }
    let from = optional(keys.get(notes, "from"), |node| {
        mailbox(notes, node, "`from`")
    });
    if !keys.has("from") && !desk.workspace.has_from {
        let message = "nobody writes this mail: there is neither `from` here nor in `defaults`";
        notes.error("E102", place.value.span, message);
    }
    let with_csm = Scope {
        has_csm: true,
        ..desk.scope.clone()
    };
    let reply_to = optional(keys.get(notes, "reply_to"), |node| {
        address(notes, node, &with_csm)
    });
    let words = [
        ("alert", IfNobody::Alert),
        ("skip", IfNobody::Skip),
        ("stop", IfNobody::Stop),
    ];
    let if_nobody = keys
        .get(notes, "if_nobody")
        .and_then(|node| word(notes, node, "`if_nobody`", &words));
    let approval = optional(keys.get(notes, "approval"), |node| {
        approval(notes, desk, node)
    });
    let at_limit = at_limit(notes, keys);
    let scope = Scope {
        has_contact: true,
        has_unsubscribe_url: true,
        ..with_csm
    };
    let (with, scope) = step_names(notes, desk, keys, scope);
    let known = known_to_recipients(&place.known, to.as_deref().unwrap_or_default());
    let own = [&desk.with[..], with.as_deref().unwrap_or_default()].concat();
    let known = desk.known_names(&scope, &own, known);
    let template = template(notes, desk, place.value, &scope, &known);
    if let (Some(node), Some(_)) = (keys.get(notes, "with"), &template) {
        say_unread(notes, desk, node);
    }
    desk.name_reads(with.as_deref().unwrap_or_default());
    Some(Verb::Send {
        template: template?,
        to: to?,
        cc: cc?.unwrap_or_default(),
        from: from?,
        reply_to: reply_to?,
        topic: topic?,
        if_nobody: if_nobody.unwrap_or(IfNobody::Alert),
        approval: approval?,
        at_limit: at_limit?,
        with: with?,
    })
}

/// W607: a name that was given to the template, which does not say it.
fn say_unread(notes: &mut Notes, desk: &Desk<'_>, with: &Node) {
    let Some(reads) = &desk.reads else { return };
    for entry in with.entries() {
        if !reads
            .iter()
            .any(|read| read.path.first() == Some(&entry.key))
        {
            notes.unused(&entry.key, entry.key_span);
        }
    }
}

/// `Some(None)`: not written. `None`: written and wrong.
fn optional<T>(node: Option<&Node>, read: impl FnOnce(&Node) -> Option<T>) -> Option<Option<T>> {
    match node {
        None => Some(None),
        Some(node) => read(node).map(Some),
    }
}

fn recipients(notes: &mut Notes, desk: &Desk<'_>, node: &Node) -> Option<Vec<Expr>> {
    let items = one_or_more(node);
    if items.is_empty() {
        notes.error("E102", node.span, "this list of recipients is empty");
        return None;
    }
    let all: Vec<Option<Expr>> = items
        .iter()
        .map(|item| expression(notes, item, &desk.scope, &Want::Contacts))
        .collect();
    all.into_iter().collect()
}

fn topic(notes: &mut Notes, desk: &Desk<'_>, place: &Place<'_, '_>) -> Option<Box<str>> {
    if let Some(node) = place.keys.get(notes, "topic") {
        let name = scalar(notes, node, "a topic")?;
        return check_topic(notes, &name.text, node.span, &desk.workspace.topic_names)
            .then(|| name.text.clone());
    }
    if desk.topic.is_none() {
        let message = "this mail has no topic: people must be able to leave it";
        notes.error_help(
            "E102",
            place.value.span,
            message,
            "write `topic:` here or for the whole workflow".to_owned(),
        );
    }
    desk.topic.clone()
}

/// Copies would go to people who cannot leave for themselves.
fn check_copies(notes: &mut Notes, desk: &Desk<'_>, topic: &str, node: &Node) {
    match desk.workspace.topics.get(topic) {
        Some(Purpose::Service | Purpose::Promotional) => {
            let message = format!("the topic `{topic}` can be left, so its mails have no `cc`");
            notes.error_help(
                "E212",
                node.span,
                message,
                "put these people into `to`".to_owned(),
            );
        }
        Some(Purpose::Contractual) | None => {}
    }
}

fn approval(notes: &mut Notes, desk: &Desk<'_>, node: &Node) -> Option<Approval> {
    let keys = Keys::of(notes, node, "`approval`", &APPROVAL_KEYS)?;
    let by = keys
        .need(notes, "by")
        .and_then(|node| one_route(notes, desk, node));
    let at_most = keys
        .need(notes, "at_most")
        .and_then(|node| period(notes, node, "`at_most`"));
    let words = [
        ("skip", ApprovalOtherwise::Skip),
        ("send", ApprovalOtherwise::Send),
        ("stop", ApprovalOtherwise::Stop),
    ];
    let otherwise = keys
        .need(notes, "otherwise")
        .and_then(|node| word(notes, node, "`otherwise`", &words));
    Some(Approval {
        by: by?,
        at_most: at_most?,
        otherwise: otherwise?,
    })
}

fn at_limit(notes: &mut Notes, keys: &Keys<'_>) -> Option<Option<AtLimit>> {
    let words = [
        ("delay", AtLimit::Delay),
        ("skip", AtLimit::Skip),
        ("ignore", AtLimit::Ignore),
    ];
    optional(keys.get(notes, "at_limit"), |node| {
        word(notes, node, "`at_limit`", &words)
    })
}

/// What is known of the subject says nothing of who reads the mail, unless that is the subject.
fn known_to_recipients(known: &[Expr], to: &[Expr]) -> Vec<Expr> {
    let is_subject = matches!(to, [only] if matches!(only.kind, ExprKind::ThisContact));
    let is_of_contact = |expr: &Expr| {
        let mut found = false;
        expr.each(&mut |part| found |= matches!(part.kind, ExprKind::Contact(_)));
        found
    };
    let stays = |expr: &&Expr| is_subject || !is_of_contact(expr);
    let mut known: Vec<Expr> = known.iter().filter(stays).cloned().collect();
    if let [only] = to
        && let ExprKind::Role(_) = only.kind
    {
        // Without a holder nothing is sent.
        known.push(only.clone());
    }
    known
}

fn template(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    node: &Node,
    scope: &Scope,
    known: &[Expr],
) -> Option<Box<str>> {
    let name = scalar(notes, node, "a template")?;
    let is_good = desk.template(notes, node, (&name.text, scope), known);
    is_good.then(|| name.text.clone())
}

/// A template that colleagues read.
fn inner_template(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    place: &Place<'_, '_>,
    node: &Node,
) -> Option<Box<str>> {
    let scope = Scope {
        has_csm: true,
        ..desk.scope.clone()
    };
    let own = desk.with.clone();
    let known = desk.known_names(&scope, &own, place.known.clone());
    template(notes, desk, node, &scope, &known)
}

fn one_route(notes: &mut Notes, desk: &Desk<'_>, node: &Node) -> Option<Box<str>> {
    let name = scalar(notes, node, "a route")?;
    check_route(notes, &name.text, node.span, &desk.workspace.routes).then(|| name.text.clone())
}

/// Reads an `alert`.
pub(crate) fn alert(notes: &mut Notes, desk: &mut Desk<'_>, place: &Place<'_, '_>) -> Option<Verb> {
    let keys = &place.keys;
    let listed: Vec<Option<Box<str>>> = one_or_more(place.value)
        .iter()
        .map(|node| one_route(notes, desk, node))
        .collect();
    let routes: Option<Vec<Box<str>>> = listed.into_iter().collect();
    let deliver = deliver(notes, desk, keys);
    let template = keys
        .get(notes, "template")
        .map(|node| inner_template(notes, desk, place, node));
    let plain = keys
        .get(notes, "text")
        .map(|node| text(notes, node, "`text`"));
    let says = match (template, plain) {
        (Some(name), None) => name.map(Says::Template),
        (None, Some(words)) => words.map(Says::Text),
        (Some(_), Some(_)) => {
            notes.error(
                "E104",
                place.value.span,
                "an `alert` has either `template` or `text`",
            );
            None
        }
        (None, None) if keys.has("template") || keys.has("text") => None,
        (None, None) => {
            let message = "this alert says nothing: it needs `template` or `text`";
            notes.error("E102", place.value.span, message);
            None
        }
    };
    Some(Verb::Alert {
        routes: routes.filter(|routes| !routes.is_empty())?,
        says: says?,
        deliver: deliver?,
    })
}

fn deliver(notes: &mut Notes, desk: &Desk<'_>, keys: &Keys<'_>) -> Option<Deliver> {
    let Some(node) = keys.get(notes, "deliver") else {
        return (!keys.has("deliver")).then_some(Deliver::Now);
    };
    let words = [("now", Deliver::Now), ("digest", Deliver::Digest)];
    let deliver = word(notes, node, "`deliver`", &words)?;
    if deliver == Deliver::Digest && !desk.workspace.has_digest {
        let message = "nobody knows when this arrives: there is no `digest` among the policies";
        let help = "for example `digest: business day 09:00`";
        notes.error_help("E102", node.span, message, help.to_owned());
    }
    Some(deliver)
}

/// Reads a `task`.
pub(crate) fn task(notes: &mut Notes, desk: &mut Desk<'_>, place: &Place<'_, '_>) -> Option<Verb> {
    let keys = &place.keys;
    let title = text(notes, place.value, "a task");
    let assignee = keys
        .need(notes, "assignee")
        .and_then(|node| one_route(notes, desk, node));
    let due = optional(keys.get(notes, "due"), |node| period(notes, node, "`due`"));
    let template = optional(keys.get(notes, "template"), |node| {
        inner_template(notes, desk, place, node)
    });
    Some(Verb::Task {
        title: title?,
        assignee: assignee?,
        due: due?,
        template: template?,
    })
}
