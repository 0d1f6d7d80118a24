//! Blocks of a template: what each of them teaches, and where it leads.

use super::BLOCKS;
use super::value::{Around, Level};
use super::walk::Walk;
use crate::diagnostic::nearest;
use crate::program::Type;
use handlebars::template::{HelperTemplate, Parameter};

/// Heads that `with` can go under.
const HEADS: [&str; 6] = ["account", "contract", "contact", "csm", "risk", "health"];

impl Walk<'_> {
    /// `{{#if x}} … {{/if}}` and its like.
    pub(super) fn block(&mut self, block: &HelperTemplate) {
        let name = block.name.as_name().unwrap_or_default().to_owned();
        let at = self.find(&name);
        let [parameter] = &block.params[..] else {
            let message = format!("`{name}` takes one value, not {}", block.params.len());
            self.fail("E702", &at, message, None);
            return self.inside(block);
        };
        match name.as_str() {
            "if" | "unless" => self.branch(block, parameter, name == "if"),
            "each" => self.each(block, parameter),
            "with" => self.under(block, parameter),
            _ => {
                let near = nearest(&name, BLOCKS);
                let help = near.map(|near| format!("did you mean `{near}`?"));
                self.fail("E702", &at, format!("there is no block `{name}`"), help);
                self.inside(block);
            }
        }
    }

    /// Both ways of a block, with nothing learnt.
    fn inside(&mut self, block: &HelperTemplate) {
        for template in [&block.template, &block.inverse].into_iter().flatten() {
            self.template(template);
        }
    }

    fn branch(&mut self, block: &HelperTemplate, parameter: &Parameter, is_if: bool) {
        let known = match self.parameter(parameter) {
            Some(Err((variable, at))) => {
                if matches!(variable.ty, Some(Type::Contact | Type::List(_))) {
                    let path = variable.path.join(".");
                    let message = format!("`{path}` is no single value; ask for one of its fields");
                    self.fail("E702", &at, message, None);
                }
                variable.expr.map(|expr| (variable.level, expr))
            }
            Some(Ok(_)) | None => None,
        };
        for (template, is_true) in [(&block.template, is_if), (&block.inverse, !is_if)] {
            let Some(template) = template else { continue };
            let before = self.around.known.len();
            if is_true {
                self.around.known.extend(known.clone());
            }
            self.template(template);
            self.around.known.truncate(before);
        }
    }

    fn each(&mut self, block: &HelperTemplate, parameter: &Parameter) {
        let level = match self.parameter(parameter) {
            Some(Err((variable, at))) => match &variable.ty {
                Some(Type::List(kind)) => {
                    let level = self.around.levels.len();
                    if variable.level == 0 {
                        self.around.lists.insert(level, variable.path.clone());
                    }
                    Some(self.around.item(&variable, *kind))
                }
                None => None,
                Some(_) => {
                    let path = variable.path.join(".");
                    let message = format!("`{path}` is no list; `each` goes through a list");
                    self.fail("E703", &at, message, None);
                    None
                }
            },
            Some(Ok(_)) => {
                let at = self.cursor..self.cursor;
                self.fail("E703", &at, "`each` goes through a list".to_owned(), None);
                None
            }
            None => None,
        };
        // Without its list nothing can be said about what stands inside.
        self.nested(block, level);
    }

    fn under(&mut self, block: &HelperTemplate, parameter: &Parameter) {
        let raw = parameter.as_name().unwrap_or_default().to_owned();
        let at = self.find(&raw);
        let level = match self.around.place(&raw) {
            Ok((base, path)) if is_head(&path, &self.around, base) => {
                Some(Level::Under(base, path))
            }
            Ok(_) => {
                let message = format!("`with` goes under an entity or a role, not `{raw}`");
                self.fail("E702", &at, message, None);
                None
            }
            Err(mistake) => {
                self.refuse(mistake, &at);
                None
            }
        };
        self.nested(block, level);
    }

    fn nested(&mut self, block: &HelperTemplate, level: Option<Level>) {
        if let (Some(template), Some(level)) = (&block.template, level) {
            self.around.levels.push(level);
            self.template(template);
            let depth = self.around.levels.len() - 1;
            self.around.levels.pop();
            self.around.lists.remove(&depth);
            self.around.known.retain(|(level, _)| *level < depth);
        }
        if let Some(inverse) = &block.inverse {
            self.template(inverse);
        }
    }
}

fn is_head(path: &[Box<str>], around: &Around, base: usize) -> bool {
    let [head] = path else { return false };
    let is_role = match around.levels.get(base) {
        Some(Level::Names(scope, _)) => scope.world.roles.contains(head),
        Some(Level::Under(..)) | None => false,
    };
    is_role || HEADS.contains(&&**head)
}
