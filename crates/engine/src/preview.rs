//! Preview: what a template would say to an account at one instant, and where each of its values comes from.

use crate::account::Account;
use crate::context::Context;
use crate::turn::Turn;
use crate::why::Tree;
use jiff::Timestamp;
use model::{Outgoing, Value};
use serde::Serialize;
use workflow::program::{Says, Step, Verb, Workflow};

/// What a template would say.
#[derive(Clone, Debug, Serialize)]
pub struct Preview {
    /// The workflow whose step uses it.
    pub workflow: Box<str>,
    /// The step.
    pub step: Box<str>,
    /// The contact it is for; none: nobody, or colleagues.
    pub contact: Option<Box<str>>,
    /// The message, ready to be rendered.
    pub outgoing: Outgoing,
    /// What it reads: the name in the template, and where the value comes from.
    pub reads: Vec<(Box<str>, Tree)>,
}

/// Where a template is used: workflow and step, in the order of the program.
pub fn uses<'p>(workflows: &'p [Workflow], template: &str) -> Vec<(&'p Workflow, &'p Step)> {
    let mut found = Vec::new();
    for workflow in workflows {
        let then = workflow.goal.as_ref().map_or(&[][..], |goal| &goal.then);
        for list in [&workflow.steps[..], then] {
            search(list, template, &mut |step| found.push((workflow, step)));
        }
    }
    found
}

fn search<'p>(steps: &'p [Step], template: &str, found: &mut dyn FnMut(&'p Step)) {
    for step in steps {
        if template_of(step) == Some(template) {
            found(step);
        }
        for block in step.blocks() {
            search(block, template, found);
        }
    }
}

/// The template that a step sends.
pub(crate) fn template_of(step: &Step) -> Option<&str> {
    match &step.verb {
        Verb::Send { template, .. }
        | Verb::Alert {
            says: Says::Template(template),
            ..
        } => Some(template),
        Verb::Task { template, .. } => template.as_deref(),
        Verb::Alert {
            says: Says::Text(_),
            ..
        }
        | Verb::Branch { .. }
        | Verb::Match { .. }
        | Verb::Split { .. }
        | Verb::Set { .. }
        | Verb::Webhook { .. }
        | Verb::Wait { .. }
        | Verb::WaitFor { .. }
        | Verb::Stop { .. } => None,
    }
}

/// What an account's events add up to at `now`: its metrics that read events, as far as they are known.
pub fn counted(context: &Context<'_>, account: &Account, now: Timestamp) -> Vec<(Box<str>, Value)> {
    let mut copy = account.clone();
    Turn::new(context, &mut copy, now).counted()
}

/// What a step's template would say to an account at `now`, in a locale or that of its reader. None if the step has no
/// template, or the account nothing that the workflow could run for. The account stays as it is.
pub fn preview(
    context: &Context<'_>,
    account: &Account,
    now: Timestamp,
    (workflow, step): (&Workflow, &Step),
    locale: Option<&str>,
) -> Option<Preview> {
    let mut copy = account.clone();
    let found = context
        .program
        .workflows
        .iter()
        .find(|known| known.name == workflow.name)?;
    Turn::new(context, &mut copy, now).preview(found, step, locale)
}
