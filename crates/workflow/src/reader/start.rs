//! Starts: when a run begins, and how often.

use super::cron::cron;
use super::desk::{Desk, Subject};
use super::expression::{condition, expression};
use super::notation::{parse_period, period, schedule};
use super::survey::event_names;
use super::value::{scalar, short, word};
use super::wait::events;
use super::{Keys, Notes};
use crate::diagnostic::{Span, nearest_of};
use crate::expression::{
    Scope, Verdict, Want, changes_with_time, date_windows, verdict, wakes_daily,
};
use crate::program::{Existing, Expr, ForEach, OncePer, Period, Schedule, Start, Type};
use crate::yaml::Node;

/// Keys of `start`.
pub(crate) const KEYS: [&str; 8] = [
    "when", "event", "every", "cron", "for", "if", "existing", "max_age",
];
const KINDS: [&str; 4] = ["when", "event", "every", "cron"];

/// Older events than this are told as too late, if nothing else is said.
const MAX_AGE: Period = Period::Days(1);

/// Reads `start`. `None` if it failed.
pub(crate) fn start(notes: &mut Notes, desk: &mut Desk<'_>, node: &Node) -> Option<Start> {
    let keys = Keys::of(notes, node, "`start`", &KEYS)?;
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| keys.has(kind)).collect();
    let [kind] = kinds.as_slice() else {
        several(notes, &keys, kinds.len());
        return None;
    };
    let span = keys.span_of(kind).unwrap_or(node.span);
    for key in ["for", "existing"] {
        if let (true, Some(span)) = (*kind != "when", keys.span_of(key)) {
            notes.error(
                "E101",
                span,
                format!("`{key}` belongs to `when`, not to `{kind}`"),
            );
        }
    }
    if let (true, Some(span)) = (*kind != "event", keys.span_of("max_age")) {
        notes.error(
            "E101",
            span,
            format!("`max_age` belongs to `event`, not to `{kind}`"),
        );
    }
    match *kind {
        "when" => when(notes, desk, &keys, span),
        "event" => event(notes, desk, &keys),
        "every" => {
            let schedule = keys
                .get(notes, "every")
                .and_then(|node| schedule(notes, node));
            every(notes, desk, &keys, schedule)
        }
        _ => {
            let cron = keys.get(notes, "cron").and_then(|node| cron(notes, node));
            let schedule = cron.map(|cron| Schedule::Cron(Box::new(cron)));
            every(notes, desk, &keys, schedule)
        }
    }
}

/// The events that `started_by` is of; empty where one failed to check.
pub(crate) fn started_by(node: &Node, scope: &Scope) -> Option<Vec<Box<str>>> {
    let names = event_names(node.get("event")?);
    let is_good = names
        .iter()
        .all(|name| scope.world.schema.events.contains_key(name));
    Some(if is_good { names } else { Vec::new() })
}

fn several(notes: &mut Notes, keys: &Keys<'_>, count: usize) {
    let help = "one of `when`, `event`, `every` or `cron`".to_owned();
    if count == 0 {
        notes.error_help("E102", keys.place(), "this says not when to start", help);
    } else {
        notes.error_help("E104", keys.place(), "a workflow starts in one way", help);
    }
}

fn when(notes: &mut Notes, desk: &mut Desk<'_>, keys: &Keys<'_>, span: Span) -> Option<Start> {
    let node = keys.get(notes, "when")?;
    let when = condition(notes, node, &desk.scope);
    let hold_node = keys.get(notes, "for");
    let hold = hold_node.and_then(|node| period(notes, node, "`for`"));
    let guard = keys.get(notes, "if");
    let guarded = guard.map(|node| condition(notes, node, &desk.scope));
    if !keys.has("existing") && !keys.is_misspelt("existing") {
        let message = "say what happens to customers for whom this is already true: `existing: include` or `existing: skip`";
        notes.error("E102", span, message);
    }
    let words = [("include", Existing::Include), ("skip", Existing::Skip)];
    let existing = keys
        .get(notes, "existing")
        .and_then(|node| word(notes, node, "`existing`", &words));
    if let Some(when) = &when {
        say_verdict(notes, node, when, &desk.scope);
        if let (Some(Period::Days(days)), Some(node)) = (hold, hold_node) {
            check_hold(notes, node, when, days);
        }
    }
    if let (Some(Some(expr)), Some(node)) = (&guarded, guard)
        && changes_with_time(expr, &desk.scope)
    {
        let message = "this is looked at once; a later change will not start a run";
        notes.warn("W604", node.span, message, "move it into `when`".to_owned());
    }
    if hold_node.is_some() != hold.is_some() || guarded.as_ref().is_some_and(Option::is_none) {
        return None;
    }
    Some(Start::When {
        when: when?,
        hold,
        condition: guarded.flatten(),
        existing: existing?,
    })
}

/// E601 for a condition that can never be true, W602 for one that always is.
pub(crate) fn say_verdict(notes: &mut Notes, node: &Node, condition: &Expr, scope: &Scope) {
    if wakes_daily(condition) {
        let message = "this can change every day for every account, so all of them wake daily";
        notes.warn("W410", node.span, message, None);
    }
    match verdict(condition, scope) {
        Verdict::Never => notes.error("E601", node.span, "this can never be true"),
        Verdict::Always => notes.warn("W602", node.span, "this is always true", None),
        Verdict::Open => {}
    }
}

/// E405: what lasts shorter than `for` never holds long enough.
fn check_hold(notes: &mut Notes, node: &Node, when: &Expr, days: u32) {
    for window in date_windows(when) {
        let (Some(low), Some(high)) = (window.low, window.high) else {
            continue;
        };
        let length = high.saturating_sub(low).saturating_add(1);
        if i64::from(days) >= length {
            let message = format!("this can never be: the condition lasts {length} days at most");
            let help = format!("write at most `{}d`", length.saturating_sub(1).max(0));
            notes.error_help("E405", node.span, message, help);
            return;
        }
    }
}

fn event(notes: &mut Notes, desk: &Desk<'_>, keys: &Keys<'_>) -> Option<Start> {
    let node = keys.get(notes, "event");
    let events = node.and_then(|node| events(notes, node, &desk.scope));
    let scope = Scope {
        event: Some(events.clone().unwrap_or_default()),
        ..desk.scope.clone()
    };
    let guard = guard(notes, keys, &scope);
    let max_age = match keys.get(notes, "max_age") {
        Some(node) => period(notes, node, "`max_age`"),
        None => Some(MAX_AGE),
    };
    Some(Start::Event {
        events: events?,
        condition: guard?,
        max_age: max_age?,
    })
}

fn every(
    notes: &mut Notes,
    desk: &Desk<'_>,
    keys: &Keys<'_>,
    schedule: Option<Schedule>,
) -> Option<Start> {
    let guard = guard(notes, keys, &desk.scope);
    Some(Start::Every {
        schedule: schedule?,
        condition: guard?,
    })
}

/// The `if` of a start that is looked at once. `Some(None)`: not written.
fn guard(notes: &mut Notes, keys: &Keys<'_>, scope: &Scope) -> Option<Option<Expr>> {
    let Some(node) = keys.get(notes, "if") else {
        return Some(None);
    };
    let condition = condition(notes, node, scope)?;
    match verdict(&condition, scope) {
        Verdict::Never => notes.error("E601", node.span, "this can never be true"),
        Verdict::Always => notes.warn("W602", node.span, "this is always true", None),
        Verdict::Open => {}
    }
    Some(Some(condition))
}

/// Reads `once_per`.
pub(crate) fn once_per(
    notes: &mut Notes,
    desk: &Desk<'_>,
    node: &Node,
    subject: Subject,
) -> Option<OncePer> {
    let text = scalar(notes, node, "`once_per`")?;
    let own = match subject {
        Subject::Now(ForEach::Account) => "account",
        Subject::Now(ForEach::Contract) => "contract",
        Subject::Now(ForEach::Contact) => "contact",
        Subject::Now(ForEach::Risk) => "risk",
        Subject::Csm => "csm",
    };
    match &*text.text {
        "occurrence" => return Some(OncePer::Occurrence),
        word if word == own => return Some(OncePer::Subject),
        "account" | "contract" | "contact" | "risk" | "csm" => {
            let message = format!(
                "a run of this workflow belongs to one {own}, not to a {}",
                text.text
            );
            notes.error_help(
                "E103",
                node.span,
                message,
                format!("write `once_per: {own}`"),
            );
            return None;
        }
        _ => {}
    }
    if let Some(period) = parse_period(&text.text) {
        return Some(OncePer::Period(period));
    }
    if !text.text.contains('.') && !text.text.starts_with(|letter: char| letter.is_alphabetic()) {
        let message = format!("`{}` does not say how often", short(&text.text));
        let help = nearest_of(&text.text, &[own, "occurrence"]);
        notes.error_help("E103", node.span, message, help);
        return None;
    }
    let field = expression(notes, node, &desk.scope, &Want::Anything)?;
    if matches!(field.ty, Type::Contact | Type::List(_)) {
        notes.error("E103", node.span, "`once_per` is a field with one value");
        return None;
    }
    Some(OncePer::Field(field))
}
