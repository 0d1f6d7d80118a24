//! The walk through a parsed template: every variable, helper and block against the scope.

use super::HELPERS;
use super::file::Part;
use super::scan::tags;
use super::value::{Around, Level, Variable};
use crate::diagnostic::{Diagnostic, Severity, nearest};
use crate::expression::{Mistake, Scope, a_type};
use crate::program::{Expr, Read, Type};
use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use std::collections::BTreeMap;
use std::ops::Range;

/// The value of a parameter.
pub(super) struct Found {
    /// Its type; none: unknown to us, so anything.
    pub(super) ty: Option<Type>,
    /// The path that may be missing, and where it stands.
    pub(super) missing: Option<(String, Range<usize>)>,
}

/// What a walk gathers.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// What is read.
    pub(super) reads: Vec<Read>,
    /// What is wrong.
    pub(super) found: Vec<Diagnostic>,
}

/// A walk through one part of one file.
pub(super) struct Walk<'a> {
    file: &'a str,
    part: &'a Part,
    pub(super) around: Around,
    gathered: &'a mut Gathered,
    tags: Vec<Range<usize>>,
    /// From where on the next word is looked for: everything is met in the order in which it is written.
    pub(super) cursor: usize,
}

impl<'a> Walk<'a> {
    /// A walk that has not begun.
    pub(super) fn new(
        file: &'a str,
        part: &'a Part,
        around: Around,
        gathered: &'a mut Gathered,
    ) -> Self {
        Self {
            file,
            part,
            around,
            gathered,
            tags: tags(&part.source),
            cursor: 0,
        }
    }

    /// From the first element to the last.
    pub(super) fn run(mut self) {
        let part = self.part;
        self.template(&part.template);
    }

    pub(super) fn template(&mut self, template: &Template) {
        for element in &template.elements {
            // The scan has refused all but text, comments and these two.
            if let TemplateElement::Expression(call) = element {
                self.print(call);
            } else if let TemplateElement::HelperBlock(block) = element {
                self.block(block);
            }
        }
    }

    /// Where a word stands: its next occurrence inside a tag.
    pub(super) fn find(&mut self, word: &str) -> Range<usize> {
        let source = &self.part.source;
        let is_part =
            |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/');
        let first = self.tags.partition_point(|tag| tag.end <= self.cursor);
        for tag in &self.tags[first..] {
            let mut from = tag.start.max(self.cursor);
            while let Some(offset) = source[from..tag.end].find(word) {
                let at = from + offset..from + offset + word.len();
                let is_whole = !source[..at.start].ends_with(is_part)
                    && !source[at.end..].starts_with(is_part);
                if is_whole {
                    self.cursor = at.end;
                    return at;
                }
                from = at.end;
            }
        }
        self.cursor..self.cursor
    }

    pub(super) fn fail(
        &mut self,
        code: &'static str,
        at: &Range<usize>,
        message: String,
        help: Option<String>,
    ) {
        let (file, span) = self.part.place.locate(self.file, at);
        self.gathered.found.push(Diagnostic {
            code,
            severity: Severity::Error,
            message,
            help,
            file,
            span,
        });
    }

    pub(super) fn refuse(&mut self, mistake: Mistake, at: &Range<usize>) {
        self.fail(mistake.code, at, mistake.message, mistake.help);
    }

    /// `{{x}}` and `{{helper x}}`.
    fn print(&mut self, call: &HelperTemplate) {
        let is_name_only = call.params.is_empty() && call.hash.is_empty();
        let found = if is_name_only {
            self.value(&call.name)
        } else {
            self.call(call)
        };
        let Some(found) = found else { return };
        if let Some((path, at)) = &found.missing {
            let message =
                format!("`{path}` may be missing; a customer could read an empty space here");
            let help = match is_name_only {
                true => format!("write {{{{or {path} \"...\"}}}} or wrap it in {{{{#if {path}}}}}"),
                false => format!("wrap it in {{{{#if {path}}}}}"),
            };
            self.fail("E704", at, message, Some(help));
        }
    }

    /// A value that stands there to be printed or to be asked for.
    fn value(&mut self, parameter: &Parameter) -> Option<Found> {
        let (variable, at) = match self.parameter(parameter)? {
            Ok(found) => return Some(found),
            Err(variable) => variable,
        };
        let path = variable.path.join(".");
        let wrong = match &variable.ty {
            Some(Type::List(_)) => Some(format!(
                "`{path}` is a list; print its `count`, or go through it with `each`"
            )),
            Some(Type::Contact) => Some(format!(
                "`{path}` is a contact; name one of its fields, `{path}.name`"
            )),
            _ => None,
        };
        if let Some(message) = wrong {
            self.fail("E702", &at, message, None);
            return None;
        }
        Some(self.found(variable, at))
    }

    fn found(&self, variable: Variable, at: Range<usize>) -> Found {
        let is_known = self.around.is_known(&variable);
        Found {
            missing: (!is_known).then(|| (self.part.source[at.clone()].to_owned(), at)),
            ty: variable.ty,
        }
    }

    /// A parameter: a finished value, or a variable with its place. None: it is wrong, and that has been said.
    pub(super) fn parameter(
        &mut self,
        parameter: &Parameter,
    ) -> Option<Result<Found, (Variable, Range<usize>)>> {
        if let Parameter::Literal(json) = parameter {
            let ty = match json {
                serde_json::Value::String(_) => Some(Type::Text),
                serde_json::Value::Number(_) => Some(Type::Number),
                serde_json::Value::Bool(_) => Some(Type::Bool),
                serde_json::Value::Null
                | serde_json::Value::Array(_)
                | serde_json::Value::Object(_) => None,
            };
            return Some(Ok(Found { ty, missing: None }));
        }
        if let Parameter::Subexpression(inner) = parameter
            && let TemplateElement::Expression(call) = inner.as_element()
        {
            return self.call(call).map(Ok);
        }
        let raw = parameter.as_name().unwrap_or_default();
        self.variable(raw).map(Err)
    }

    pub(super) fn variable(&mut self, raw: &str) -> Option<(Variable, Range<usize>)> {
        let at = self.find(raw);
        match self.around.look_up(raw) {
            Ok(variable) => {
                self.note(&variable);
                Some((variable, at))
            }
            Err(mistake) => {
                self.refuse(mistake, &at);
                None
            }
        }
    }

    /// Notes what the view must hold; what belongs to an item stands with its list.
    fn note(&mut self, variable: &Variable) {
        let Some(value) = &variable.expr else { return };
        let reads = &mut self.gathered.reads;
        let reads = match self.around.lists.get(&variable.level) {
            None if variable.level == 0 => reads,
            None => return,
            Some(list) => match reads.iter_mut().find(|read| read.path == *list) {
                Some(read) => &mut read.items,
                None => return,
            },
        };
        if !reads.iter().any(|read| read.path == variable.path) {
            reads.push(Read {
                path: variable.path.clone(),
                value: value.clone(),
                items: Vec::new(),
            });
        }
    }

    /// `helper a b`.
    fn call(&mut self, call: &HelperTemplate) -> Option<Found> {
        let name = call.name.as_name().unwrap_or_default().to_owned();
        let at = self.find(&name);
        if !HELPERS.contains(&name.as_str()) {
            let help = match nearest(&name, HELPERS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", HELPERS.join(", ")),
            };
            self.fail(
                "E702",
                &at,
                format!("there is no helper `{name}`"),
                Some(help),
            );
            return None;
        }
        if !call.hash.is_empty() {
            self.fail("E702", &at, format!("`{name}` takes no named values"), None);
            return None;
        }
        if name == "or" {
            return self.either(call, &at);
        }
        let [only] = &call.params[..] else {
            let message = format!("`{name}` takes one value, not {}", call.params.len());
            self.fail("E702", &at, message, None);
            return None;
        };
        let found = match self.parameter(only)? {
            Ok(found) => found,
            Err((variable, at)) => self.found(variable, at),
        };
        self.fits(&name, &found, &at)?;
        let ty = match name.as_str() {
            "count" | "days_until" | "days_since" => Type::Number,
            _ => Type::Text,
        };
        Some(Found {
            ty: Some(ty),
            missing: found.missing,
        })
    }

    /// Whether a helper can take such a value.
    fn fits(&mut self, name: &str, found: &Found, at: &Range<usize>) -> Option<()> {
        let Some(ty) = &found.ty else { return Some(()) };
        let (takes, is_right) = match name {
            "date" | "days_until" | "days_since" => {
                ("a date or a time", matches!(ty, Type::Date | Type::Time))
            }
            "percent" => ("a percentage", *ty == Type::Percent),
            "money" => ("an amount of money", *ty == Type::Money),
            "number" => ("a number", *ty == Type::Number),
            "count" => ("a list", matches!(ty, Type::List(_))),
            _ => ("text", *ty == Type::Text),
        };
        if is_right {
            return Some(());
        }
        let help = match ty {
            Type::Percent => Some("write `percent`"),
            Type::Money => Some("write `money`"),
            Type::Date | Type::Time => Some("write `date`"),
            Type::Number => Some("write `number`"),
            Type::Bool | Type::Text | Type::Word(_) | Type::Contact => {
                Some("print it without a helper")
            }
            Type::List(_) => Some("write `count`"),
        };
        let message = format!("`{name}` takes {takes}, but this is {}", a_type(ty));
        self.fail("E702", at, message, help.map(str::to_owned));
        None
    }

    /// `or a b …`: the first that is known.
    fn either(&mut self, call: &HelperTemplate, at: &Range<usize>) -> Option<Found> {
        if call.params.len() < 2 {
            let message = "`or` takes a value that may be missing, and what to say instead";
            let help = "for example {{or csm.name \"...\"}}".to_owned();
            self.fail("E702", at, message.to_owned(), Some(help));
            return None;
        }
        let values: Vec<Option<Found>> = call.params.iter().map(|each| self.value(each)).collect();
        let values: Vec<Found> = values.into_iter().collect::<Option<_>>()?;
        let ty = values.first().and_then(|first| first.ty.clone());
        let is_known = values.iter().any(|value| value.missing.is_none());
        let missing = values.into_iter().next_back().and_then(|last| last.missing);
        Some(Found {
            ty,
            missing: missing.filter(|_| !is_known),
        })
    }
}

/// What surely is known at the outermost level.
pub(super) fn around(scope: &Scope, known: &[Expr]) -> Around {
    let mut scope = scope.clone();
    scope.has_csm = true;
    Around {
        levels: vec![Level::Names(Box::new(scope), false)],
        known: known.iter().map(|expr| (0, expr.clone())).collect(),
        lists: BTreeMap::new(),
    }
}
