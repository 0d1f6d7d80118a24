//! All steps of a workflow, and all expressions in it.

use super::expression::Expr;
use super::rule::{OncePer, Start, Step, Workflow};
use super::verb::{Until, Verb};

impl Workflow {
    /// Every step, those inside others and under the goal among them, in the order of the text.
    pub fn all_steps(&self) -> Vec<&Step> {
        let mut all = Vec::new();
        gather(&self.steps, &mut all);
        if let Some(goal) = &self.goal {
            gather(&goal.then, &mut all);
        }
        all
    }

    /// Every expression that stands by itself, those that templates read among them.
    pub fn expressions(&self) -> Vec<&Expr> {
        let mut all = Vec::new();
        match &self.start {
            Start::When {
                when, condition, ..
            } => {
                all.push(when);
                all.extend(condition);
            }
            Start::Event { condition, .. } | Start::Every { condition, .. } => {
                all.extend(condition);
            }
        }
        if let OncePer::Field(field) = &self.once_per {
            all.push(field);
        }
        all.extend(&self.while_true);
        all.extend(self.goal.iter().map(|goal| &goal.when));
        all.extend(self.with.iter().chain(&self.remember).map(|(_, it)| it));
        for step in self.all_steps() {
            all.extend(step.expressions());
        }
        all
    }
}

fn gather<'s>(steps: &'s [Step], all: &mut Vec<&'s Step>) {
    for step in steps {
        all.push(step);
        for block in step.blocks() {
            gather(block, all);
        }
    }
}

impl Step {
    /// Its own expressions, those that its template reads among them.
    pub fn expressions(&self) -> Vec<&Expr> {
        let mut all: Vec<&Expr> = self.condition.iter().collect();
        all.extend(self.at.iter().map(|at| &at.date));
        all.extend(self.reads.iter().map(|read| &read.value));
        match &self.verb {
            Verb::Send {
                to,
                cc,
                reply_to,
                with,
                ..
            } => {
                all.extend(to.iter().chain(cc).chain(reply_to));
                all.extend(with.iter().map(|(_, value)| value));
            }
            Verb::Match { value, .. } => all.push(value),
            Verb::Set { fields } => all.extend(fields.iter().map(|field| &field.value)),
            Verb::Webhook { body, .. } => all.extend(body.iter().map(|(_, value)| value)),
            Verb::WaitFor { until, .. } => match until {
                Until::Condition(condition) => all.push(condition),
                Until::Event { condition, .. } => all.extend(condition),
            },
            Verb::Branch { .. }
            | Verb::Split { .. }
            | Verb::Wait { .. }
            | Verb::Stop { .. }
            | Verb::Alert { .. }
            | Verb::Task { .. } => {}
        }
        all
    }
}
