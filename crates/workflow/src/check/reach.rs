//! Reach: steps, cases and starts that can never come about in their place (E501, E601).
//!
//! Only what holds at one and the same moment is put together: a step's own `if` and window with `while`; what leads
//! to a block with the first step in it, if no time passes between them; `when` with the start's own `if`.

use crate::diagnostic::Span;
use crate::expression::{Scope, Verdict, can_hold, verdict};
use crate::program::{
    AtWindow, Comparison, Expr, ExprKind, ForEach, Hours, Otherwise, Start, Step, Type, Verb,
    Workflow,
};
use crate::reader::Notes;
use crate::reader::survey::{default_id, verb};
use crate::yaml::{Node, NodeKind};
use model::{Decimal, Value};

/// Looks at a workflow that was read without a mistake; `around` is what every workflow may speak of.
pub(crate) fn reach(notes: &mut Notes, root: &Node, workflow: &Workflow, around: &Scope) {
    let scope = Scope {
        has_contract: workflow.for_each == ForEach::Contract,
        has_contact: workflow.for_each == ForEach::Contact,
        has_risk: workflow.for_each == ForEach::Risk,
        ..around.clone()
    };
    start(notes, root, workflow, &scope);
    let stay: Vec<&Expr> = workflow.while_true.iter().collect();
    let mut walk = Walk {
        notes,
        root,
        scope: &scope,
        stay: &stay,
    };
    walk.steps(&workflow.steps, &Here::nothing());
    if let Some(goal) = &workflow.goal {
        walk.stay = &[];
        walk.steps(&goal.then, &Here::nothing());
    }
}

/// What is asked at the moment of starting: `when`, `if` and `while` together.
fn start(notes: &mut Notes, root: &Node, workflow: &Workflow, scope: &Scope) {
    let (when, guard) = match &workflow.start {
        Start::When {
            when, condition, ..
        } => (Some(when), condition.as_ref()),
        Start::Event { condition, .. } | Start::Every { condition, .. } => {
            (None, condition.as_ref())
        }
    };
    let Some(guard) = guard else { return };
    let is_never = |expr: &Expr| verdict(expr, scope) == Verdict::Never;
    if when.is_some_and(is_never) || is_never(guard) {
        return;
    }
    let Some(node) = root.get("start").and_then(|start| start.get("if")) else {
        return;
    };
    let both: Vec<&Expr> = when.into_iter().chain([guard]).collect();
    if !can_hold(&both, &[], scope) {
        let message = "this can never be true together with `when`, so no run could begin";
        notes.error("E601", node.span, message);
        return;
    }
    let stay: Vec<&Expr> = workflow.while_true.iter().collect();
    let is_new = when.is_none_or(|when| can_hold(&[when], &stay, scope));
    if is_new && !stay.iter().any(|stay| is_never(stay)) && !can_hold(&both, &stay, scope) {
        let message = "`while` is never true together with this, so no run could begin";
        notes.error("E601", node.span, message);
    }
}

/// What holds at the moment a block is entered.
#[derive(Clone)]
struct Here {
    /// What is true.
    hold: Vec<Expr>,
    /// The hours in which it was found out.
    hours: Hours,
}

impl Here {
    fn nothing() -> Self {
        Self {
            hold: Vec::new(),
            hours: Hours::Any,
        }
    }
}

struct Walk<'a> {
    notes: &'a mut Notes,
    root: &'a Node,
    scope: &'a Scope,
    stay: &'a [&'a Expr],
}

impl Walk<'_> {
    fn steps(&mut self, steps: &[Step], here: &Here) {
        for (at, step) in steps.iter().enumerate() {
            match at == 0 && is_at_once(step, here.hours) {
                true => self.step(step, here),
                false => self.step(step, &Here::nothing()),
            }
        }
    }

    fn step(&mut self, step: &Step, here: &Here) {
        let mut hold = here.hold.clone();
        if !may_wait_for_an_answer(step) {
            hold.extend(step.at.as_ref().and_then(window));
        }
        if let Some(guard) = &step.condition {
            let can_be_before = self.can_be(&hold);
            hold.push(guard.clone());
            let is_told = verdict(guard, self.scope) == Verdict::Never;
            if !is_told && can_be_before && !self.can_be(&hold) {
                let message = "in its place this can never be true, so the step is never reached";
                self.tell(&step.id, "if", message);
            }
            if is_told || !self.can_be(&hold) {
                return;
            }
        }
        self.blocks(step, hold);
    }

    fn blocks(&mut self, step: &Step, hold: Vec<Expr>) {
        let hours = step.hours;
        let inside = |hold: Vec<Expr>| Here { hold, hours };
        match &step.verb {
            Verb::Branch { then, otherwise } => {
                let mut before = hold.clone();
                before.truncate(
                    hold.len()
                        .saturating_sub(usize::from(step.condition.is_some())),
                );
                self.steps(then, &inside(hold));
                self.steps(otherwise, &inside(before));
            }
            Verb::Match {
                value,
                cases,
                otherwise,
            } => {
                for (word, steps) in cases.iter().filter(|(_, steps)| !steps.is_empty()) {
                    let mut hold = hold.clone();
                    hold.push(is_word(value, word));
                    match self.can_be(&hold) {
                        true => self.steps(steps, &inside(hold)),
                        false => self.case(&step.id, word),
                    }
                }
                self.steps(otherwise, &inside(hold));
            }
            Verb::Split { arms } => {
                for arm in arms {
                    self.steps(&arm.steps, &inside(hold.clone()));
                }
            }
            Verb::WaitFor {
                otherwise: Otherwise::Steps(steps),
                ..
            } => self.steps(steps, &Here::nothing()),
            Verb::WaitFor { .. }
            | Verb::Wait { .. }
            | Verb::Send { .. }
            | Verb::Alert { .. }
            | Verb::Task { .. }
            | Verb::Set { .. }
            | Verb::Webhook { .. }
            | Verb::Stop { .. } => {}
        }
    }

    fn can_be(&self, hold: &[Expr]) -> bool {
        let hold: Vec<&Expr> = hold.iter().collect();
        can_hold(&hold, self.stay, self.scope)
    }

    fn case(&mut self, id: &str, word: &str) {
        let step = step_of(self.root, id);
        let cases = step.and_then(|step| step.get("cases"));
        let entries = cases.map_or(&[][..], Node::entries);
        if let Some(entry) = entries.iter().find(|entry| *entry.key == *word) {
            let message =
                format!("in its place `{word}` can never come, so its steps are never reached");
            let help = "leave it to `otherwise`";
            self.notes
                .error_help("E501", entry.key_span, message, help.to_owned());
        }
    }

    fn tell(&mut self, id: &str, key: &str, message: &str) {
        let place = step_of(self.root, id).map(|step| step.get(key).unwrap_or(step).span);
        let span = place.unwrap_or(Span { start: 0, end: 0 });
        self.notes.error("E501", span, message);
    }
}

/// Whether a step acts at the very moment at which its block is entered: it rests for nothing.
fn is_at_once(step: &Step, entered_in: Hours) -> bool {
    match &step.verb {
        Verb::Send { .. } | Verb::Alert { .. } | Verb::Task { .. } => false,
        Verb::Branch { .. } | Verb::Match { .. } | Verb::Split { .. } => {
            step.at.is_none() && (entered_in == Hours::Working || step.hours == Hours::Any)
        }
        Verb::Set { .. }
        | Verb::Webhook { .. }
        | Verb::Wait { .. }
        | Verb::WaitFor { .. }
        | Verb::Stop { .. } => step.at.is_none(),
    }
}

/// Whether its `if` may be asked again after the window: when somebody had to be asked first.
fn may_wait_for_an_answer(step: &Step) -> bool {
    matches!(
        step.verb,
        Verb::Send {
            approval: Some(_),
            ..
        }
    )
}

/// A window of days, as a condition.
fn window(at: &AtWindow) -> Option<Expr> {
    if at.is_business {
        return None;
    }
    let days = |days: i32| Decimal::from_int(-i64::from(days));
    let until = Expr {
        kind: ExprKind::DaysUntil(Box::new(at.date.clone())),
        ty: Type::Number,
    };
    Some(Expr {
        kind: ExprKind::Between {
            value: Box::new(until),
            low: days(at.closes)?,
            high: days(at.opens)?,
        },
        ty: Type::Bool,
    })
}

fn is_word(value: &Expr, word: &str) -> Expr {
    let word = Expr {
        kind: ExprKind::Const(Value::Word(word.into())),
        ty: value.ty.clone(),
    };
    Expr {
        kind: ExprKind::Compare {
            how: Comparison::Equal,
            left: Box::new(value.clone()),
            right: Box::new(word),
        },
        ty: Type::Bool,
    }
}

/// The step with this id, wherever it stands.
fn step_of<'n>(node: &'n Node, id: &str) -> Option<&'n Node> {
    if let NodeKind::List(items) = &node.kind {
        return items.iter().find_map(|item| step_of(item, id));
    }
    let is_it = verb(node).is_some_and(|verb| match node.get("id") {
        Some(written) => written.scalar().is_some_and(|scalar| *scalar.text == *id),
        None => default_id(node, verb).is_some_and(|(default, _)| *default == *id),
    });
    if is_it {
        return Some(node);
    }
    let mut entries = node.entries().iter();
    entries.find_map(|entry| step_of(&entry.value, id))
}
