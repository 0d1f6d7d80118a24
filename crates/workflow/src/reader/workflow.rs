//! Workflows: from a file to what can run.

use super::crowd::Crowd;
use super::desk::{Desk, Subject, Workspace};
use super::expression::condition;
use super::given::given;
use super::goal::{goal_condition, goal_steps, holdout, whole_goal};
use super::head::{edits, head};
use super::moved::moved;
use super::scenario::Steps;
use super::start::{once_per, say_verdict, start, started_by};
use super::step::steps;
use super::survey::Survey;
use super::value::{scalar, short};
use super::{Keys, Notes};
use crate::diagnostic::Span;
use crate::expression::{
    Scope, StepKind, Verdict, can_hold, date_windows, is_known_beside, known_unless_false,
    known_when_true, lasts, verdict,
};
use crate::program::{Expr, ExprKind, ForEach, OncePer, Setting, Start, Step, Template, Workflow};
use crate::yaml::Node;
use std::collections::BTreeSet;

/// Keys of a workflow.
pub(crate) const KEYS: [&str; 20] = [
    "workflow",
    "title",
    "description",
    "owner",
    "status",
    "for_each",
    "topic",
    "priority",
    "start",
    "once_per",
    "if_running",
    "while",
    "goal",
    "holdout",
    "holds_back",
    "with",
    "remember",
    "steps",
    "edits",
    "moved",
];

/// What reading a workflow gives.
pub(crate) struct Read {
    /// Its name, if that is one.
    pub(crate) name: Option<Box<str>>,
    /// The workflow, if it is right and can run.
    pub(crate) workflow: Option<Workflow>,
    /// The templates it uses.
    pub(crate) templates: Vec<(Box<str>, Template)>,
    /// Its steps.
    pub(crate) steps: Steps,
    /// The workflow, if it is right and is not run yet; its `for_each` is not its own.
    pub(crate) aside: Option<Workflow>,
    /// What it sets, with the place of each field.
    pub(crate) sets: Vec<(Setting, Span)>,
    /// Whether it uses what is not run yet.
    pub(crate) is_later: bool,
}

/// Reads a workflow's file.
pub(crate) fn workflow(notes: &mut Notes, root: &Node, workspace: &Workspace) -> Read {
    let mut desk = Desk::new(workspace);
    let before = notes.errors();
    let keys = Keys::of(notes, root, "a workflow", &KEYS);
    let keys = keys.as_ref();
    let name = keys.and_then(|keys| name(notes, keys));
    let survey = keys.map_or_else(Survey::default, |keys| survey(notes, keys));
    let read = keys.and_then(|keys| whole(notes, &mut desk, keys, &survey, name.clone()));
    let is_later = desk.tell_later(notes);
    let read = read.filter(|_| notes.errors() == before);
    if let Some(workflow) = &read {
        say_unused(notes, root, workflow);
        let crowd = Crowd {
            limits: &workspace.limits,
            topics: &workspace.topics,
            places: &desk.sends,
        };
        crowd.look(notes, &workflow.steps);
    }
    let (workflow, aside) = match is_later {
        true => (None, read),
        false => (read, None),
    };
    Read {
        name,
        workflow,
        aside,
        sets: desk.sets,
        templates: desk.templates,
        steps: survey
            .steps
            .into_iter()
            .chain(desk.stops.into_iter().map(|id| (id, StepKind::Silent)))
            .collect(),
        is_later,
    }
}

/// W607: names of `with` and `remember` that nobody asks for.
fn say_unused(notes: &mut Notes, root: &Node, workflow: &Workflow) {
    let mut used: BTreeSet<(bool, usize)> = BTreeSet::new();
    for expr in workflow.expressions() {
        expr.each(&mut |part| {
            if let ExprKind::With(at) = part.kind {
                used.insert((true, at));
            }
            if let ExprKind::Remember(at) = part.kind {
                used.insert((false, at));
            }
        });
    }
    for (key, is_live, names) in [
        ("with", true, &workflow.with),
        ("remember", false, &workflow.remember),
    ] {
        for (at, (name, _)) in names.iter().enumerate() {
            let entries = root.get(key).map_or(&[][..], Node::entries);
            let entry = entries.iter().find(|entry| entry.key == *name);
            if let Some(entry) = entry.filter(|_| !used.contains(&(is_live, at))) {
                notes.unused(name, entry.key_span);
            }
        }
    }
}

fn name(notes: &mut Notes, keys: &Keys<'_>) -> Option<Box<str>> {
    let node = keys.need(notes, "workflow")?;
    let name = scalar(notes, node, "the name of a workflow")?;
    let is_good = (1..=64).contains(&name.text.len())
        && name
            .text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_good && &*name.text != "all" {
        return Some(name.text.clone());
    }
    let message = format!("`{}` is not a name for a workflow", short(&name.text));
    let help = "small letters, digits and `-`, at most 64, and not `all`";
    notes.error_help("E103", node.span, message, help.to_owned());
    None
}

fn whole(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    keys: &Keys<'_>,
    survey: &Survey,
    name: Option<Box<str>>,
) -> Option<Workflow> {
    let head = head(notes, desk, keys);
    set_scope(desk, head.subject);
    let start_node = keys.need(notes, "start");
    desk.scope.started_by = start_node.and_then(|node| started_by(node, &desk.scope));
    let with = given(notes, desk, keys, "with");
    desk.with = with.clone().unwrap_or_default();
    let remember = given(notes, desk, keys, "remember");
    // A start can't ask what is kept of it only once it has come about.
    let kept = std::mem::take(&mut desk.scope.remember);
    let start = start_node.and_then(|node| start(notes, desk, node));
    desk.scope.remember = kept;
    remember_start(desk, start.as_ref(), remember.as_deref());
    let once = once(notes, desk, keys, start_node, head.subject);
    let watched = watch_scope(desk, survey);
    let while_true = keys
        .get(notes, "while")
        .map(|node| while_condition(notes, desk, node, &watched, start.as_ref()));
    if let Some(Some(expr)) = &while_true {
        desk.always = known_unless_false(expr, &watched);
    }
    let goal_node = keys.get(notes, "goal");
    let goal = goal_node.map(|node| goal_condition(notes, node, &watched));
    let holdout = holdout(notes, keys);
    let list = keys.need(notes, "steps");
    let done = list.and_then(|node| main_steps(notes, desk, node, survey));
    let then = goal_steps(notes, desk, goal_node, &goal, survey);
    let moved = moved(notes, desk, keys);
    edits(notes, desk, keys);
    let name = name?;
    Some(Workflow {
        title: head.title.unwrap_or_else(|| name.clone()),
        name,
        owner: head.owner,
        status: head.status?,
        for_each: match head.subject {
            Subject::Now(for_each) => for_each,
            // Such a workflow is set aside.
            Subject::Csm => ForEach::Account,
        },
        topic: desk.topic.clone(),
        priority: head.priority,
        start: start?,
        once_per: once?,
        if_running: head.if_running?,
        while_true: match while_true {
            Some(condition) => Some(condition?),
            None => None,
        },
        goal: match goal {
            Some(goal) => Some(whole_goal(goal?, then?)),
            None => None,
        },
        holdout: holdout?,
        holds_back: head.holds_back,
        with: with?,
        remember: remember?,
        steps: done?,
        moved: moved?,
    })
}

fn set_scope(desk: &mut Desk<'_>, subject: Subject) {
    let scope = &mut desk.scope;
    match subject {
        Subject::Now(ForEach::Account) => {}
        Subject::Now(ForEach::Contract) => scope.has_contract = true,
        Subject::Now(ForEach::Contact) => scope.has_contact = true,
        Subject::Now(ForEach::Risk) => scope.has_risk = true,
        Subject::Csm => {
            scope.has_account = false;
            scope.has_csm = true;
            scope.has_portfolio = true;
        }
    }
}

fn once(
    notes: &mut Notes,
    desk: &Desk<'_>,
    keys: &Keys<'_>,
    start: Option<&Node>,
    subject: Subject,
) -> Option<OncePer> {
    if let Some(node) = keys.get(notes, "once_per") {
        return once_per(notes, desk, node, subject);
    }
    let has = |key| start.is_some_and(|start| start.get(key).is_some());
    if has("every") || has("cron") {
        return (!keys.has("once_per")).then_some(OncePer::Occurrence);
    }
    let is_needed = has("when") || has("event");
    if is_needed && !keys.has("once_per") && !keys.is_misspelt("once_per") {
        let message = "`once_per` is missing: how often may the same customer go through this?";
        let help = "for example `account`, `contract.renewal_date`, `180d` or `occurrence`";
        notes.error_help("E102", keys.place(), message, help.to_owned());
    }
    None
}

/// What was true at the start is remembered: the event's fields stay as they were, and so does what `remember` made
/// of what was known then.
fn remember_start(
    desk: &mut Desk<'_>,
    start: Option<&Start>,
    remember: Option<&[(Box<str>, Expr)]>,
) {
    let Some(start) = start else { return };
    let (when, condition) = match start {
        Start::When {
            when, condition, ..
        } => (Some(when), condition.as_ref()),
        Start::Event { condition, .. } | Start::Every { condition, .. } => {
            (None, condition.as_ref())
        }
    };
    let said = when.into_iter().chain(condition);
    let mut known: Vec<Expr> = said.flat_map(known_when_true).collect();
    for expr in &mut known {
        if let ExprKind::Event(field) = &expr.kind {
            expr.kind = ExprKind::StartedBy(field.clone());
        }
    }
    for (at, (_, expr)) in remember.unwrap_or_default().iter().enumerate() {
        let is_known = is_known_beside(expr, &desk.scope, &known);
        if let Some(given) = desk.scope.remember.get_mut(at) {
            given.is_known |= is_known;
        }
    }
    known.retain(lasts);
    desk.known = known;
}

/// Ids of the steps, then of those under `goal.then`.
fn survey(notes: &mut Notes, keys: &Keys<'_>) -> Survey {
    let mut survey = Survey::default();
    let mut quiet = Notes::default();
    if let Some(node) = keys.get(&mut quiet, "steps") {
        survey.list(notes, node);
    }
    if let Some(node) = keys
        .get(&mut quiet, "goal")
        .and_then(|goal| goal.get("then"))
    {
        survey.list(notes, node);
    }
    survey
}

/// `while` and `goal` are watched all along, so they may ask about every step.
fn watch_scope(desk: &Desk<'_>, survey: &Survey) -> Scope {
    Scope {
        steps: survey.steps.iter().cloned().collect(),
        ..desk.scope.clone()
    }
}

fn while_condition(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    node: &Node,
    scope: &Scope,
    start: Option<&Start>,
) -> Option<Expr> {
    let expr = condition(notes, node, scope)?;
    say_verdict(notes, node, &expr, scope);
    desk.while_windows = date_windows(&expr);
    if let Some(Start::When { when, .. }) = start {
        let is_new =
            verdict(when, scope) != Verdict::Never && verdict(&expr, scope) != Verdict::Never;
        if is_new && !can_hold(&[when], &[&expr], scope) {
            let message = "this can never be true together with `start`, so no run could begin";
            notes.error("E601", node.span, message);
        }
    }
    Some(expr)
}

fn main_steps(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    node: &Node,
    survey: &Survey,
) -> Option<Vec<Step>> {
    desk.expect(survey);
    let read = steps(notes, desk, node, survey);
    if read.as_ref().is_some_and(Vec::is_empty) {
        notes.error("E102", node.span, "a workflow needs a step");
        return None;
    }
    read
}
