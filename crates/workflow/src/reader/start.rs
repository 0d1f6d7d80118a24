//! Starts: when a run begins, and how often.

use super::desk::{Desk, Subject};
use super::expression::{condition, expression};
use super::metric::check_event;
use super::notation::{is_cron, parse_period, period, schedule};
use super::survey::event_names;
use super::value::{scalar, short, word};
use super::{Keys, Notes, keys::one_or_more};
use crate::diagnostic::{Span, nearest_of};
use crate::expression::{
    Scope, Verdict, Want, changes_with_time, date_windows, verdict, wakes_daily,
};
use crate::program::{Existing, Expr, ForEach, OncePer, Period, Start, Type};
use crate::yaml::Node;

const KEYS: [&str; 8] = [
    "when", "event", "every", "cron", "for", "if", "existing", "max_age",
];
const KINDS: [&str; 4] = ["when", "event", "every", "cron"];

/// Reads `start`. `None` if it failed, or is still to come.
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
        "when" => return when(notes, desk, &keys, span),
        "event" => {
            desk.later(span, "a workflow that starts on an event");
            event(notes, desk, &keys);
        }
        "every" => {
            desk.later(span, "a workflow that starts by the calendar (`every`)");
            keys.get(notes, "every").map(|node| schedule(notes, node));
        }
        _ => {
            desk.later(span, "a workflow that starts by the calendar (`cron`)");
            cron(notes, &keys);
        }
    }
    let scope = Scope {
        event: desk.scope.started_by.clone(),
        ..desk.scope.clone()
    };
    if let Some(node) = keys.get(notes, "if") {
        condition(notes, node, &scope);
    }
    None
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

fn event(notes: &mut Notes, desk: &mut Desk<'_>, keys: &Keys<'_>) {
    let Some(node) = keys.get(notes, "event") else {
        return;
    };
    let mut is_good = true;
    for item in one_or_more(node) {
        if let Some(name) = scalar(notes, item, "an event") {
            is_good &= check_event(notes, &name.text, item.span, &desk.scope).is_some();
        }
    }
    desk.scope.started_by = Some(if is_good {
        event_names(node)
    } else {
        Vec::new()
    });
    if let Some(node) = keys.get(notes, "max_age") {
        period(notes, node, "`max_age`");
    }
}

fn cron(notes: &mut Notes, keys: &Keys<'_>) {
    if let Some(node) = keys.get(notes, "cron")
        && let Some(text) = scalar(notes, node, "`cron`")
        && !is_cron(&text.text)
    {
        let message = format!("`{}` is not five cron fields", short(&text.text));
        notes.error_help(
            "E406",
            node.span,
            message,
            "for example `0 9 * * 1`".to_owned(),
        );
    }
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
