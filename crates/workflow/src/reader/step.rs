//! Steps: one verb each, and what modifies it.

use super::branch::rests;
use super::cases::cases;
use super::desk::Desk;
use super::expression::{condition, window};
use super::guard::{check_window, look_at_guard};
use super::keys::items;
use super::set::set;
use super::split::split;
use super::survey::{Survey, VERBS, default_id, verb};
use super::value::{text, word};
use super::wait::wait;
use super::webhook::webhook;
use super::{Keys, Notes, act, branch};
use crate::diagnostic::nearest;
use crate::expression::{known_when_true, lasts};
use crate::program::{AtWindow, Expr, Hours, Step, Until, Verb};
use crate::yaml::{Node, NodeKind};

/// How deep blocks may nest.
pub(crate) const BLOCKS_MAX: usize = 4;
/// The most steps of one list.
pub(crate) const STEPS_MAX: usize = 500;

/// Keys of every step.
pub(crate) const MODIFIERS: [&str; 5] = ["id", "if", "at", "hours", "title"];

/// Reads a list of steps. `None` if one failed, or is still to come.
pub(crate) fn steps(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    node: &Node,
    survey: &Survey,
) -> Option<Vec<Step>> {
    let list = items(notes, node, "`steps`")?;
    if desk.depth > BLOCKS_MAX || list.len() > STEPS_MAX {
        let message =
            format!("steps nest at most {BLOCKS_MAX} deep, and a list has at most {STEPS_MAX}");
        notes.error("E103", node.span, message);
        return None;
    }
    desk.depth += 1;
    let known = desk.known.clone();
    let mut read = Vec::new();
    let mut guard_before: Option<Expr> = None;
    let mut is_stopped = false;
    for item in list {
        if is_stopped {
            notes.error(
                "E501",
                item.span,
                "this is never reached: the step above it ends the run",
            );
        }
        let guard = item.get("if").is_some();
        is_stopped = item.get("stop").is_some() && !guard && item.get("at").is_none();
        let step = step(notes, desk, item, survey, guard_before.as_ref());
        learn(desk, item, step.as_ref());
        guard_before = step.as_ref().and_then(|read| read.guard.clone());
        read.push(step.and_then(|read| read.step));
    }
    desk.depth -= 1;
    desk.known = known;
    read.into_iter().collect()
}

/// What is known behind a step: after a rest only what lasts, and what was waited for if nothing else leads on.
fn learn(desk: &mut Desk<'_>, node: &Node, read: Option<&Read>) {
    if rests(node) {
        desk.known.retain(lasts);
    }
    let Some(step) = read.and_then(|read| read.step.as_ref()) else {
        return;
    };
    if let (
        Verb::WaitFor {
            until: Until::Condition(until),
            otherwise,
            ..
        },
        None,
        None,
    ) = (&step.verb, &step.condition, &step.at)
        && otherwise.ends()
    {
        desk.known.extend(known_when_true(until));
    }
}

/// A step, and its `if` even where the rest failed.
struct Read {
    guard: Option<Expr>,
    step: Option<Step>,
}

/// What a verb needs to be read.
pub(crate) struct Place<'a, 'n> {
    /// The step's keys.
    pub(crate) keys: Keys<'n>,
    /// The value of the verb.
    pub(crate) value: &'n Node,
    /// All ids.
    pub(crate) survey: &'a Survey,
    /// What surely is known while the step acts.
    pub(crate) known: Vec<Expr>,
    /// What of it the step's own `if` and `at` say.
    pub(crate) learnt: Vec<Expr>,
}

fn step(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    node: &Node,
    survey: &Survey,
    before: Option<&Expr>,
) -> Option<Read> {
    if !super::keys::is_map(notes, node, "a step") {
        return None;
    }
    let Some(verb) = one_verb(notes, node) else {
        return Some(Read {
            guard: None,
            step: None,
        });
    };
    let keys = Keys::of(notes, node, what(verb), &known_keys(verb))?;
    let modifiers = modifiers(notes, desk, &keys, before);
    let id = id(node, verb);
    let mut read = None;
    if let Some(value) = keys.get(notes, verb) {
        let learnt = modifiers.known();
        let place = Place {
            keys,
            value,
            survey,
            known: [&desk.always[..], &desk.known, &learnt].concat(),
            learnt,
        };
        read = act(notes, desk, verb, &place, id.as_deref());
    }
    if let Some(id) = &id {
        desk.pass(survey, id);
    }
    let reads = desk.reads.take().unwrap_or_default();
    if let (Some(id), "send", Some(span)) = (&id, verb, node.get("send").map(|it| it.span)) {
        desk.sends.insert(id.clone(), span);
    }
    let step = read.filter(|_| modifiers.is_good()).and_then(|verb| {
        Some(Step {
            id: id.or_else(|| stop_id(desk, &verb, survey))?,
            title: modifiers.title,
            condition: modifiers.guard.clone().flatten(),
            at: modifiers.at.flatten(),
            hours: modifiers.hours,
            verb,
            reads,
        })
    });
    Some(Read {
        guard: modifiers.guard.flatten(),
        step,
    })
}

/// What modifies a step. `Some(None)`: written and wrong.
struct Modifiers {
    guard: Option<Option<Expr>>,
    at: Option<Option<AtWindow>>,
    hours: Hours,
    title: Option<Box<str>>,
}

impl Modifiers {
    fn is_good(&self) -> bool {
        let has_guard = self.guard.as_ref().is_none_or(Option::is_some);
        has_guard && self.at.as_ref().is_none_or(Option::is_some)
    }

    /// What surely is known while the step acts.
    fn known(&self) -> Vec<Expr> {
        let mut known = Vec::new();
        if let Some(Some(guard)) = &self.guard {
            known.extend(known_when_true(guard));
        }
        if let Some(Some(at)) = &self.at {
            known.push(at.date.clone());
        }
        known
    }
}

fn modifiers(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    keys: &Keys<'_>,
    before: Option<&Expr>,
) -> Modifiers {
    let guard_node = keys.get(notes, "if");
    let guard = guard_node.map(|node| condition(notes, node, &desk.scope));
    if let (Some(node), Some(Some(expr))) = (guard_node, &guard) {
        look_at_guard(notes, node, expr, before, &desk.scope);
    }
    let at_node = keys.get(notes, "at");
    let at = at_node.map(|node| window(notes, node, &desk.scope));
    if let (Some(node), Some(Some(at))) = (at_node, &at) {
        check_window(notes, desk, node, at);
    }
    let words = [("working", Hours::Working), ("any", Hours::Any)];
    let hours = keys
        .get(notes, "hours")
        .and_then(|node| word(notes, node, "`hours`", &words));
    let title = keys
        .get(notes, "title")
        .and_then(|node| text(notes, node, "a title"));
    Modifiers {
        guard,
        at,
        hours: hours.unwrap_or(Hours::Working),
        title,
    }
}

fn act(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    verb: &str,
    place: &Place<'_, '_>,
    id: Option<&str>,
) -> Option<Verb> {
    match verb {
        "send" => act::send(notes, desk, place),
        "alert" => act::alert(notes, desk, place),
        "task" => act::task(notes, desk, place),
        "then" => branch::then(notes, desk, place, id),
        "wait" => wait(notes, desk, place, id),
        "match" => cases(notes, desk, place, id),
        "split" => split(notes, desk, place, id),
        "set" => set(notes, desk, place.value),
        "webhook" => webhook(notes, desk, place),
        _ => {
            let reason = text(notes, place.value, "the reason of a `stop`")?;
            Some(Verb::Stop { reason })
        }
    }
}

/// E104 unless the step has exactly one verb.
fn one_verb(notes: &mut Notes, node: &Node) -> Option<&'static str> {
    let found = verb(node);
    if found.is_some() {
        return found;
    }
    let entries = node.entries();
    let first = entries.first().map_or(node.span, |entry| entry.key_span);
    let mut verbs = entries.iter().filter(|entry| VERBS.contains(&&*entry.key));
    if let (Some(one), Some(two)) = (verbs.next(), verbs.next()) {
        let message = format!(
            "a step does one thing, this one has `{}` and `{}`",
            one.key, two.key
        );
        notes.error_help(
            "E104",
            two.key_span,
            message,
            "make two steps of it".to_owned(),
        );
        return None;
    }
    let others = || {
        entries
            .iter()
            .filter(|entry| !MODIFIERS.contains(&&*entry.key))
    };
    let misspelt = others().find_map(|entry| Some((entry, nearest(&entry.key, VERBS)?)));
    if let Some((entry, near)) = misspelt {
        let message = format!("a step has no key `{}`", entry.key);
        notes.error_help(
            "E101",
            entry.key_span,
            message,
            format!("did you mean `{near}`?"),
        );
        return None;
    }
    if others().any(|entry| matches!(entry.value.kind, NodeKind::Broken)) {
        return None;
    }
    let help = format!("one of {}", VERBS.join(", "));
    notes.error_help(
        "E104",
        first,
        "this step does nothing: it has no verb",
        help,
    );
    None
}

fn what(verb: &str) -> &'static str {
    match verb {
        "send" => "a `send`",
        "alert" => "an `alert`",
        "task" => "a `task`",
        "webhook" => "a `webhook`",
        "set" => "a `set`",
        "wait" => "a `wait`",
        "then" => "an `if … then`",
        "match" => "a `match`",
        "split" => "a `split`",
        _ => "a `stop`",
    }
}

/// All keys of a step with this verb.
pub(crate) fn known_keys(verb: &'static str) -> Vec<&'static str> {
    let own: &[&'static str] = match verb {
        "send" => &[
            "to",
            "cc",
            "from",
            "reply_to",
            "topic",
            "if_nobody",
            "approval",
            "at_limit",
            "with",
        ],
        "alert" => &["template", "text", "deliver"],
        "task" => &["assignee", "due", "template"],
        "webhook" => &["body"],
        "then" => &["else"],
        "match" => &["cases", "otherwise"],
        _ => &[],
    };
    MODIFIERS
        .into_iter()
        .chain([verb])
        .chain(own.iter().copied())
        .collect()
}

fn id(node: &Node, verb: &str) -> Option<Box<str>> {
    match node.get("id") {
        Some(id) => id.scalar().map(|scalar| scalar.text.clone()),
        None => default_id(node, verb).map(|(id, _)| id),
    }
}

/// The id of a `stop` that was given none: `stop`, `stop-2` and so on, past those that are written.
fn stop_id(desk: &mut Desk<'_>, verb: &Verb, survey: &Survey) -> Option<Box<str>> {
    let Verb::Stop { .. } = verb else {
        return None;
    };
    let made = |number: usize| match number {
        1 => Box::from("stop"),
        more => format!("stop-{more}").into_boxed_str(),
    };
    let is_taken = |id: &str| {
        let written = survey.steps.iter().map(|(id, _)| id);
        desk.stops.iter().chain(written).any(|known| **known == *id)
    };
    let id = (1..).map(made).find(|id| !is_taken(id))?;
    desk.stops.push(id.clone());
    Some(id)
}
