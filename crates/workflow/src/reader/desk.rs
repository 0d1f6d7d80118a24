//! The desk at which one workflow is read: what surrounds it, and what was seen of it so far.

use super::Notes;
use super::survey::Survey;
use super::value::short;
use crate::diagnostic::{Span, nearest};
use crate::expression::{DateWindow, Scope, is_known_beside, surely};
use crate::program::{AtWindow, Expr, ExprKind, ForEach, Limit, Read, Setting, Template};
use crate::template::{self, Parsed};
use crate::yaml::Node;
use model::Purpose;
use std::collections::{BTreeMap, BTreeSet};

/// What every workflow of a workspace may speak of.
pub(crate) struct Workspace {
    /// An account's names.
    pub(crate) scope: Scope,
    /// Topics that were read.
    pub(crate) topics: BTreeMap<Box<str>, Purpose>,
    /// Topics, whether or not they were read.
    pub(crate) topic_names: BTreeSet<Box<str>>,
    /// Routes.
    pub(crate) routes: BTreeSet<Box<str>>,
    /// Webhooks.
    pub(crate) webhooks: BTreeSet<Box<str>>,
    /// Templates by name; a name whose files failed has none.
    pub(crate) templates: BTreeMap<Box<str>, Vec<Parsed>>,
    /// The locale of last resort.
    pub(crate) locale: Box<str>,
    /// Whether `defaults.from` is written.
    pub(crate) has_from: bool,
    /// The limits of sends.
    pub(crate) limits: Vec<Limit>,
    /// Whether `digest` is.
    pub(crate) has_digest: bool,
}

/// What one run belongs to, the language's whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// What can run.
    Now(ForEach),
    /// A CSM, which is still to come.
    Csm,
}

/// The desk.
pub(crate) struct Desk<'w> {
    /// What surrounds the workflow.
    pub(crate) workspace: &'w Workspace,
    /// What names mean at the place being read.
    pub(crate) scope: Scope,
    /// The workflow's topic.
    pub(crate) topic: Option<Box<str>>,
    /// The date windows of `while`.
    pub(crate) while_windows: Vec<DateWindow>,
    /// Windows of the steps above.
    pub(crate) windows_above: Vec<AtWindow>,
    /// The templates it uses.
    pub(crate) templates: Vec<(Box<str>, Template)>,
    /// What surely is known wherever a step acts: what `while` says is looked at again each time.
    pub(crate) always: Vec<Expr>,
    /// What surely is known here, by the blocks around it, the steps above and the start.
    pub(crate) known: Vec<Expr>,
    /// The workflow's `with`, by index; empty where an entry failed.
    pub(crate) with: Vec<(Box<str>, Expr)>,
    /// What the template of the step being read reads; none without one, or when it failed.
    pub(crate) reads: Option<Vec<Read>>,
    /// How deep in blocks.
    pub(crate) depth: usize,
    /// What is set, with the place of each field.
    pub(crate) sets: Vec<(Setting, Span)>,
    /// Where each send stands.
    pub(crate) sends: BTreeMap<Box<str>, Span>,
    /// The ids made for steps that say `stop`.
    pub(crate) stops: Vec<Box<str>>,
    later: Option<(Span, String)>,
}

impl<'w> Desk<'w> {
    /// A clean desk.
    pub(crate) fn new(workspace: &'w Workspace) -> Self {
        Self {
            workspace,
            scope: workspace.scope.clone(),
            topic: None,
            while_windows: Vec::new(),
            windows_above: Vec::new(),
            templates: Vec::new(),
            always: Vec::new(),
            known: Vec::new(),
            with: Vec::new(),
            reads: None,
            depth: 0,
            sets: Vec::new(),
            sends: BTreeMap::new(),
            stops: Vec::new(),
            later: None,
        }
    }

    /// Something that is still to come; the first by place sets the workflow aside.
    pub(crate) fn later(&mut self, span: Span, what: impl Into<String>) {
        if self.later.as_ref().is_none_or(|(first, _)| span < *first) {
            self.later = Some((span, what.into()));
        }
    }

    /// Says what is still to come, if anything is.
    pub(crate) fn tell_later(&self, notes: &mut Notes) -> bool {
        if let Some((span, what)) = &self.later {
            notes.not_yet(*span, what);
        }
        self.later.is_some()
    }

    /// From here on the steps of `survey` come later, in their order.
    pub(crate) fn expect(&mut self, survey: &Survey) {
        let ids = survey.steps.iter().map(|(id, _)| id.clone());
        self.scope.later_steps = ids.collect();
    }

    /// A step's head was read: what follows may ask about it.
    pub(crate) fn pass(&mut self, survey: &Survey, id: &str) {
        let found = survey.steps.iter().find(|(known, _)| **known == *id);
        if let (true, Some((id, kind))) = (self.scope.later_steps.remove(id), found) {
            self.scope.steps.insert(id.clone(), kind.clone());
        }
    }

    /// Checks a template where it is used, and keeps it.
    pub(crate) fn template(
        &mut self,
        notes: &mut Notes,
        node: &Node,
        (name, scope): (&str, &Scope),
        known: &[Expr],
    ) -> bool {
        let templates = &self.workspace.templates;
        let Some(locales) = templates.get(name) else {
            let near = nearest(name, templates.keys().map(|name| &**name));
            let help = near.map_or_else(
                || {
                    format!(
                        "write `templates/{}.{}.hbs`",
                        short(name),
                        self.workspace.locale
                    )
                },
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("there is no template `{}`", short(name));
            notes.error_help("E203", node.span, message, help);
            return false;
        };
        let locales: Vec<&Parsed> = locales.iter().collect();
        let (checked, diagnostics) =
            template::check(&locales, scope, known, &self.workspace.locale);
        for diagnostic in diagnostics {
            notes.take(diagnostic);
        }
        // What is wrong with it has been said; without a word said, it speaks of a name that failed elsewhere.
        if let Some((template, reads)) = checked {
            self.templates.push((name.into(), template));
            self.reads = Some(reads);
        }
        true
    }

    /// What is known, and what that says of the names of `with`: by the values they stand for, and the other way round.
    pub(crate) fn known_names(
        &self,
        scope: &Scope,
        own: &[(Box<str>, Expr)],
        mut known: Vec<Expr>,
    ) -> Vec<Expr> {
        if own.len() != scope.with.len() {
            return known;
        }
        let names = own.iter().enumerate().map(|(at, (_, value))| {
            let name = Expr {
                kind: ExprKind::With(at),
                ty: value.ty.clone(),
            };
            (name, value)
        });
        for (name, value) in names {
            if known.contains(&name) {
                known.extend(surely(value));
            } else if is_known_beside(value, scope, &known) {
                known.push(name);
            }
        }
        known
    }

    /// Names of the step's own `with` stand behind those of the workflow: what they are is read in their place.
    pub(crate) fn name_reads(&mut self, own: &[(Box<str>, Expr)]) {
        let first = self.scope.with.len();
        for read in self.reads.iter_mut().flatten() {
            if let ExprKind::With(index) = read.value.kind
                && let Some((_, value)) = index.checked_sub(first).and_then(|at| own.get(at))
            {
                read.value = value.clone();
            }
        }
    }
}
