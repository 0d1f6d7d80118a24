//! What happened: fields of events, and results of steps.

use super::check::{Checker, Expect, Typed};
use super::mistake::Mistake;
use super::scope::StepKind;
use super::words::{step_result, step_results, type_of};
use crate::diagnostic::nearest;
use crate::program::{Expr, ExprKind, StepResult, Type};
use std::ops::Range;

impl Checker<'_> {
    /// `event.field`, `event.field.of`, and the same of `started_by`.
    pub(super) fn event(&mut self, parts: &[Box<str>], at: &Range<usize>) -> Typed {
        let is_now = &*parts[0] == "event";
        let kinds = if is_now {
            self.scope.event.clone()
        } else {
            self.scope.started_by.clone()
        };
        let found = self.event_field(&kinds.unwrap_or_default(), &parts[1], at)?;
        let (field, ty) = found;
        match (&parts[2..], &ty) {
            ([], _) => Some(Expr {
                kind: if is_now {
                    ExprKind::Event(field)
                } else {
                    ExprKind::StartedBy(field)
                },
                ty,
            }),
            ([of], Type::Contact) => {
                let fields = &self.scope.world.schema.contact.fields;
                let Some(ty) = fields.get(of).map(|field| type_of(&field.kind)) else {
                    let names: Vec<&str> = fields.keys().map(|name| &**name).collect();
                    return self.no_such_field("a contact", of, &names, at);
                };
                let of = of.clone();
                Some(Expr {
                    kind: if is_now {
                        ExprKind::EventContact { field, of }
                    } else {
                        ExprKind::StartedByContact { field, of }
                    },
                    ty,
                })
            }
            _ => {
                let message = format!("`{}` has no fields of its own", parts[..2].join("."));
                self.fail(Mistake::new("E201", at, message))
            }
        }
    }

    /// A field that all of these events have, with one type; none without a message when the events failed.
    fn event_field(
        &mut self,
        kinds: &[Box<str>],
        field: &str,
        at: &Range<usize>,
    ) -> Option<(Box<str>, Type)> {
        let scope = self.scope;
        let mut common: Option<Type> = None;
        for kind in kinds {
            let event = scope.world.schema.events.get(kind)?;
            let Some(found) = event.fields.get(field) else {
                let names: Vec<&str> = event.fields.keys().map(|name| &**name).collect();
                self.no_such_field(&format!("the event `{kind}`"), field, &names, at);
                return None;
            };
            let ty = type_of(&found.kind);
            if common.as_ref().is_some_and(|common| *common != ty) {
                let message = format!("`{field}` is not of one type in all of these events");
                self.fail(Mistake::new("E301", at, message));
                return None;
            }
            common = Some(ty);
        }
        Some((field.into(), common?))
    }

    fn no_such_field(
        &mut self,
        whose: &str,
        field: &str,
        names: &[&str],
        at: &Range<usize>,
    ) -> Typed {
        let mistake = Mistake::new("E201", at, format!("{whose} has no field `{field}`"));
        match nearest(field, names.iter().copied()) {
            Some(near) => self.fail(mistake.help(format!("did you mean `{near}`?"))),
            None if names.is_empty() => self.fail(mistake),
            None => self.fail(mistake.help(format!("it has {}", names.join(", ")))),
        }
    }

    /// `steps.id.result`.
    pub(super) fn step(&mut self, parts: &[Box<str>], at: &Range<usize>, expect: &Expect) -> Typed {
        let scope = self.scope;
        let id = &*parts[1];
        let Some(kind) = scope.steps.get(id) else {
            return self.no_such_step(id, at);
        };
        if *kind == StepKind::Failed {
            return None;
        }
        let results = step_results(kind);
        let word = parts.get(2).map_or("", |word| &**word);
        if !results.contains(&word) {
            let mistake = match word {
                "" => Mistake::new(
                    "E201",
                    at,
                    format!("`steps.{id}` alone is nothing; ask for a result"),
                ),
                _ => Mistake::new(
                    "E201",
                    at,
                    format!("the step `{id}` has no result `{word}`"),
                ),
            };
            let help = match nearest(word, results.iter().copied()) {
                Some(near) => format!("did you mean `steps.{id}.{near}`?"),
                None if results.is_empty() => "its verb gives no results".to_owned(),
                None => format!("it has {}", results.join(", ")),
            };
            return self.fail(mistake.help(help));
        }
        match (word, kind, &parts[3..]) {
            ("event", StepKind::Wait(Some(kinds)), [field]) => {
                let (field, ty) = self.event_field(kinds, field, at)?;
                let result = StepResult::Event(field);
                Some(step_expr(id, result, ty))
            }
            ("event", StepKind::Wait(Some(_)), _) => {
                let message = format!("name one field of `steps.{id}.event`");
                self.fail(Mistake::new("E201", at, message))
            }
            (_, StepKind::Split(arms), []) => {
                Some(step_expr(id, StepResult::Chosen, Type::Word(arms.clone())))
            }
            ("outcome", _, []) => Some(step_expr(id, StepResult::Outcome, Type::Text)),
            (_, _, []) => step_result(word).map(|result| step_expr(id, result, Type::Bool)),
            _ => self.no_field(parts, at, expect),
        }
    }

    fn no_such_step(&mut self, id: &str, at: &Range<usize>) -> Typed {
        let scope = self.scope;
        if scope.later_steps.contains(id) {
            let message = format!("`{id}` comes later; a step may ask only about steps above it");
            return self.fail(Mistake::new("E504", at, message));
        }
        let mistake = Mistake::new("E208", at, format!("there is no step `{id}` above"));
        match nearest(id, scope.steps.keys().map(|id| &**id)) {
            Some(near) => self.fail(mistake.help(format!("did you mean `{near}`?"))),
            None => self.fail(mistake),
        }
    }
}

fn step_expr(step: &str, result: StepResult, ty: Type) -> Expr {
    Expr {
        kind: ExprKind::Step {
            step: step.into(),
            result,
        },
        ty,
    }
}
