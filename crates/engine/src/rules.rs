//! What is worked out of a program once, so that no decision does it again.

use crate::metric::Plan;
use workflow::Program;
use workflow::program::{Expr, ExprKind, Type};

/// What is worked out of a program once.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What must be kept of events.
    pub plan: Plan,
    /// The label whose changes are told, if there is one: `stage`, with an expression that reads it.
    pub(crate) stage: Option<(usize, Expr)>,
}

impl Rules {
    /// Works a program out.
    pub fn of(program: &Program) -> Self {
        let stage = program
            .labels
            .iter()
            .enumerate()
            .find(|(_, label)| &*label.name == "stage");
        Self {
            plan: Plan::of(program),
            stage: stage.map(|(index, label)| {
                let read = Expr {
                    kind: ExprKind::Label(index),
                    ty: Type::Word(label.words.clone()),
                };
                (index, read)
            }),
        }
    }

    /// The place of `stage` among the labels.
    pub(crate) fn stage_index(&self) -> Option<usize> {
        self.stage.as_ref().map(|(index, _)| *index)
    }
}
