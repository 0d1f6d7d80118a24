//! Variables of a template: what a path means where it stands, and whether it may be missing there.

use crate::expression::{Mistake, Scope, Want, compile, is_always_known};
use crate::program::{Expr, ExprKind, ListKind, Type};
use std::collections::BTreeMap;

/// What a name means at one level of a template.
#[derive(Clone, Debug)]
pub(super) enum Level {
    /// Outside of every `each` and `with`, or inside an item: what a name means there, and whether the list's own
    /// condition, which is not at hand, may promise that a field is known.
    Names(Box<Scope>, bool),
    /// Inside `with`: names continue this path of that level.
    Under(usize, Vec<Box<str>>),
}

/// A path that was looked up.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    /// What it gives; none: it failed elsewhere, and has every type.
    pub(super) expr: Option<Expr>,
    /// The type; likewise.
    pub(super) ty: Option<Type>,
    /// Its whole path at its level.
    pub(super) path: Vec<Box<str>>,
    /// The level it belongs to.
    pub(super) level: usize,
}

/// Where we are, and what is known here.
#[derive(Debug)]
pub(super) struct Around {
    /// The levels, outermost first.
    pub(super) levels: Vec<Level>,
    /// What is known, by level.
    pub(super) known: Vec<(usize, Expr)>,
    /// Of levels inside a list of the outermost one: that list's path.
    pub(super) lists: BTreeMap<usize, Vec<Box<str>>>,
}

impl Around {
    /// Takes a path apart: how far out it goes, and its words.
    fn words(raw: &str) -> Option<(usize, Vec<Box<str>>)> {
        let mut rest = raw;
        let mut ups = 0;
        while let Some(inner) = rest.strip_prefix("../") {
            rest = inner;
            ups += 1;
        }
        let words: Vec<Box<str>> = rest.split('.').map(Into::into).collect();
        let is_word = |word: &str| {
            let is_letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
            !word.is_empty() && word != "this" && word.chars().all(is_letter)
        };
        words
            .iter()
            .all(|word| is_word(word))
            .then_some((ups, words))
    }

    /// The level and the whole path there of a path as it is written.
    pub(super) fn place(&self, raw: &str) -> Result<(usize, Vec<Box<str>>), Mistake> {
        let at = 0..raw.len();
        let Some((ups, words)) = Self::words(raw) else {
            let message = format!("`{raw}` is no name");
            return Err(Mistake::new("E701", &at, message)
                .help("write names with dots: `account.name`, outer ones `../account.name`"));
        };
        let Some(level) = self.levels.len().checked_sub(ups + 1) else {
            let message = format!("nothing is outside of here, so `{raw}` means nothing");
            return Err(Mistake::new("E701", &at, message));
        };
        Ok(match &self.levels[level] {
            Level::Names(..) => (level, words),
            Level::Under(base, prefix) => (*base, [prefix.clone(), words].concat()),
        })
    }

    fn scope(&self, level: usize) -> Option<(&Scope, bool)> {
        match self.levels.get(level)? {
            Level::Names(scope, is_promised) => Some((scope, *is_promised)),
            Level::Under(..) => None,
        }
    }

    /// What a path means.
    pub(super) fn look_up(&self, raw: &str) -> Result<Variable, Mistake> {
        let (level, path) = self.place(raw)?;
        let full = path.join(".");
        let Some((scope, _)) = self.scope(level) else {
            return Err(Mistake::new(
                "E701",
                &(0..raw.len()),
                format!("there is no `{raw}`"),
            ));
        };
        let variable = |expr: Option<Expr>, ty: Option<Type>| Variable {
            expr,
            ty,
            path: path.clone(),
            level,
        };
        if full == "unsubscribe_url" && scope.has_unsubscribe_url {
            return Ok(variable(None, Some(Type::Text)));
        }
        match compile(&full, scope, &Want::Anything) {
            Ok(expr) => {
                let ty = Some(expr.ty.clone());
                Ok(variable(Some(expr), ty))
            }
            Err(mistakes) => match mistakes.into_iter().next() {
                None => Ok(variable(None, None)),
                Some(mistake) => Err(self.outer_help(raw, level, mistake)),
            },
        }
    }

    /// A name that only means something further out wants `../`.
    fn outer_help(&self, raw: &str, level: usize, mistake: Mistake) -> Mistake {
        let is_outer = level > 0
            && self.scope(0).is_some_and(|(scope, _)| {
                let found = compile(raw, scope, &Want::Anything);
                found.is_ok_and(|found| !matches!(found.kind, ExprKind::Const(_)))
            });
        let mistake = Mistake {
            code: "E701",
            ..mistake
        };
        if is_outer {
            let ups = "../".repeat(self.levels.len() - 1);
            return mistake.help(format!("write `{ups}{raw}`: outer names need `../`"));
        }
        mistake
    }

    /// Whether it surely has a value here.
    pub(super) fn is_known(&self, variable: &Variable) -> bool {
        let Some(expr) = &variable.expr else {
            return true;
        };
        let Some((scope, is_promised)) = self.scope(variable.level) else {
            return true;
        };
        let holds = |expr: &Expr| {
            let mut known = self.known.iter();
            known.any(|(level, known)| *level == variable.level && known == expr)
        };
        if is_promised || is_always_known(expr, scope) || holds(expr) {
            return true;
        }
        match &expr.kind {
            ExprKind::RoleField { role, field } => {
                let fields = &scope.world.schema.contact.fields;
                let is_required = fields.get(field).is_some_and(|field| field.is_required);
                is_required
                    && holds(&Expr {
                        kind: ExprKind::Role(role.clone()),
                        ty: Type::Contact,
                    })
            }
            _ => false,
        }
    }

    /// Goes into the items of a list.
    pub(super) fn item(&self, list: &Variable, kind: ListKind) -> Level {
        let world = self
            .scope(list.level)
            .map(|(scope, _)| scope.world.clone())
            .unwrap_or_default();
        let is_account = matches!(kind, ListKind::Contracts | ListKind::Accounts);
        let scope = Scope {
            world,
            has_account: is_account,
            has_contract: kind == ListKind::Contracts,
            has_contact: kind == ListKind::Contacts,
            has_risk: kind == ListKind::Risks,
            has_csm: is_account,
            ..Scope::default()
        };
        let is_promised = list
            .expr
            .as_ref()
            .is_none_or(|expr| matches!(expr.kind, ExprKind::With(_) | ExprKind::Remember(_)));
        Level::Names(Box::new(scope), is_promised)
    }
}
