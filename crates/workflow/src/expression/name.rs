//! Names: what a word or a dotted name means in a scope.

use super::check::{Checker, Expect, Typed, yes_no};
use super::mistake::Mistake;
use super::scope::Given;
use super::words::{HEALTH_NAMES, RISK_NAMES, health_name, list_of, type_of};
use crate::diagnostic::nearest;
use crate::program::{Expr, ExprKind, ListKind, Type};
use model::Value;
use std::ops::Range;

/// Names of a workflow and what each becomes.
type GivenNames<'a> = (&'a [Given], fn(usize) -> ExprKind);

/// Heads that only mean something with a field behind them.
const HEADS: [&str; 9] = [
    "account",
    "contract",
    "contact",
    "csm",
    "risk",
    "event",
    "started_by",
    "health",
    "steps",
];

impl Checker<'_> {
    /// A name.
    pub(super) fn name(&mut self, parts: &[Box<str>], at: &Range<usize>, expect: &Expect) -> Typed {
        let full = parts.join(".");
        if parts.len() == 1
            && let Some(word) = a_word(&full, expect)
        {
            return Some(word);
        }
        if let Some(record) = &self.scope.record {
            if expect.words().is_some() && parts.len() == 1 && full != "key" {
                return self.no_such_name(&full, at, expect);
            }
            return self.of_record(record, parts, at, expect);
        }
        if parts.len() == 1 {
            if self.has_failed(parts) {
                return None;
            }
            if let Some(found) = self.given(&full).or_else(|| self.defined(&full)) {
                return found;
            }
            return self.no_such_name(&full, at, expect);
        }
        if self.has_failed(parts) {
            return None;
        }
        self.dotted(parts, at, expect)
    }

    /// Whether a name, said alone, means something here; says nothing.
    pub(super) fn is_name(&mut self, parts: &[Box<str>]) -> bool {
        let before = self.mistakes.len();
        let found = self.name(parts, &(0..0), &Expect::Nothing);
        let has_failed = self.mistakes.len() > before;
        self.mistakes.truncate(before);
        found.is_some() || !has_failed
    }

    /// Whether the name, or one it begins with, failed to check elsewhere.
    fn has_failed(&self, parts: &[Box<str>]) -> bool {
        let failed = &self.scope.world.failed;
        (1..=parts.len()).any(|length| failed.contains(parts[..length].join(".").as_str()))
    }

    /// A name of `with` or `remember`; it may have failed to check.
    fn given(&self, name: &str) -> Option<Typed> {
        let kinds: [GivenNames<'_>; 2] = [
            (&self.scope.with, ExprKind::With),
            (&self.scope.remember, ExprKind::Remember),
        ];
        kinds.into_iter().find_map(|(names, kind)| {
            let index = names.iter().position(|given| &*given.name == name)?;
            let ty = names[index].ty.clone();
            Some(ty.map(|ty| Expr {
                kind: kind(index),
                ty,
            }))
        })
    }

    /// A name that is defined for the whole workspace, or belongs to the language.
    fn defined(&self, name: &str) -> Option<Typed> {
        let world = &self.scope.world;
        if self.scope.has_portfolio && self.items.is_empty() {
            match name {
                "accounts" => return Some(list(ListKind::Accounts)),
                "contracts" => return Some(list(ListKind::Contracts)),
                _ => {}
            }
        }
        if name == "contact" && (self.scope.has_contact || self.is_inside(ListKind::Contacts)) {
            return Some(Some(Expr {
                kind: ExprKind::ThisContact,
                ty: Type::Contact,
            }));
        }
        if !self.has_account() {
            return None;
        }
        match name {
            "contacts" => return Some(list(ListKind::Contacts)),
            "open_risks" => return Some(list(ListKind::Risks)),
            "any_open_risk" => return Some(Some(yes_no(ExprKind::AnyOpenRisk))),
            _ => {}
        }
        if let Some(metric) = world.metrics.get(name) {
            return Some(Some(Expr {
                kind: ExprKind::Metric(metric.index),
                ty: metric.ty.clone(),
            }));
        }
        if let Some(segment) = world.segments.get(name) {
            return Some(Some(yes_no(ExprKind::Segment(segment.index))));
        }
        if let Some(label) = world.labels.get(name) {
            return Some(Some(Expr {
                kind: ExprKind::Label(label.index),
                ty: label.ty.clone(),
            }));
        }
        if let Some(risk) = world.risks.get(name) {
            return Some(Some(yes_no(ExprKind::RiskOpen(risk.index))));
        }
        world.roles.iter().any(|role| &**role == name).then(|| {
            Some(Expr {
                kind: ExprKind::Role(name.into()),
                ty: Type::Contact,
            })
        })
    }

    fn no_such_name(&mut self, name: &str, at: &Range<usize>, expect: &Expect) -> Typed {
        if matches!(expect, Expect::Failed) {
            return None;
        }
        if let Some(list) = expect.words() {
            let message = format!("`{name}` is not one of: {}", list_of(list));
            let mistake = Mistake::new("E304", at, message);
            let near = nearest(name, list.words.iter().map(|word| &**word));
            return match near {
                Some(word) => self.fail(mistake.help(format!("did you mean `{word}`?"))),
                None => self.fail(mistake),
            };
        }
        if HEADS.contains(&name) {
            let message = format!("`{name}` alone is nothing; name one of its fields");
            let example = self.suggestion(&format!("{name}.name"), expect);
            let mistake = Mistake::new("E201", at, message);
            return match example {
                Some(help) => self.fail(mistake.help(help)),
                None => self.fail(mistake),
            };
        }
        let (code, message) = match expect {
            Expect::Contacts => ("E204", format!("there is no role `{name}`")),
            Expect::Nothing | Expect::Type(_) | Expect::Failed => {
                ("E201", format!("there is no `{name}`"))
            }
        };
        let mistake = Mistake::new(code, at, message);
        let help = self
            .suggestion(name, expect)
            .or_else(|| other_help(name, expect));
        match help {
            Some(help) => self.fail(mistake.help(help)),
            None => self.fail(mistake),
        }
    }

    fn dotted(&mut self, parts: &[Box<str>], at: &Range<usize>, expect: &Expect) -> Typed {
        let (head, field) = (&*parts[0], &*parts[1]);
        if head == "steps" {
            return self.step(parts, at, expect);
        }
        let is_event = match head {
            "event" => self.scope.event.is_some(),
            "started_by" => self.scope.started_by.is_some(),
            _ => false,
        };
        if is_event {
            return self.event(parts, at);
        }
        if parts.len() > 2 {
            return self.no_field(parts, at, expect);
        }
        let found = match head {
            "risk" if self.scope.has_risk || self.is_inside(ListKind::Risks) => self
                .risk_name(field)
                .map(|(which, ty)| (ExprKind::Risk(which), ty)),
            "health" if self.scope.world.has_health && self.has_account() => {
                health_name(field).map(|(which, ty)| (ExprKind::Health(which), ty))
            }
            _ => match self.entity_field(head, field, at) {
                Ok(found) => found,
                Err(mistake) => return self.fail(*mistake),
            },
        };
        match found {
            Some((kind, ty)) => Some(Expr { kind, ty }),
            None => self.no_field(parts, at, expect),
        }
    }

    /// A field of an entity, or of who holds a role.
    fn entity_field(
        &self,
        head: &str,
        field: &str,
        at: &Range<usize>,
    ) -> Result<Option<(ExprKind, Type)>, Box<Mistake>> {
        let is_role =
            self.has_account() && self.scope.world.roles.iter().any(|role| &**role == head);
        let entity = if is_role { "contact" } else { head };
        let found = self
            .scope
            .entity(entity)
            .and_then(|entity| entity.fields.get(field));
        let is_there = match head {
            "account" | "contract" => self.has_account(),
            "contact" => self.scope.has_contact || self.is_inside(ListKind::Contacts),
            _ => true,
        };
        let (Some(found), true) = (found, is_there) else {
            return Ok(None);
        };
        let kind = match head {
            "account" => ExprKind::Account(field.into()),
            "contract" => ExprKind::Contract(field.into()),
            "contact" => ExprKind::Contact(field.into()),
            "csm" if self.scope.has_csm => ExprKind::Csm(field.into()),
            "csm" => {
                let message = format!("`csm.{field}` can't be asked for in a condition");
                return Err(Box::new(Mistake::new("E211", at, message).help(
                    "CSMs are named in templates, routes and `reply_to`; ask for a field of the account",
                )));
            }
            role => ExprKind::RoleField {
                role: role.into(),
                field: field.into(),
            },
        };
        Ok(Some((kind, type_of(&found.kind))))
    }

    pub(super) fn no_field(
        &mut self,
        parts: &[Box<str>],
        at: &Range<usize>,
        expect: &Expect,
    ) -> Typed {
        let full = parts.join(".");
        let mistake = Mistake::new("E201", at, format!("there is no `{full}`"));
        let head = &*parts[0];
        let fields: &[&str] = match head {
            "health" if self.scope.world.has_health => &HEALTH_NAMES,
            "risk" => &RISK_NAMES,
            _ => &[],
        };
        let help = self
            .suggestion(&full, expect)
            .or_else(|| self.out_of_scope(head).map(str::to_owned))
            .or_else(|| {
                (!fields.is_empty()).then(|| format!("`{head}` has {}", fields.join(", ")))
            });
        match help {
            Some(help) => self.fail(mistake.help(help)),
            None => self.fail(mistake),
        }
    }

    /// Where a head would mean something that means nothing here.
    fn out_of_scope(&self, head: &str) -> Option<&'static str> {
        match head {
            "contact" if !self.scope.has_contact => Some(
                "a contact is there in templates of sends, under `for_each: contact`, and inside `contacts where …`; else name a role",
            ),
            "risk" if !self.scope.has_risk => {
                Some("`risk` is there under `for_each: risk` and inside `open_risks where …`")
            }
            "event" => Some(
                "`event` is there beside the event it means: `where` of a metric, `if` of a start or wait",
            ),
            "started_by" => Some("`started_by` is there in workflows that start on an event"),
            "account" | "contract" if !self.has_account() => {
                Some("here only the fields of `event` are there")
            }
            "health" if !self.scope.world.has_health => Some("no `health` is defined"),
            _ => None,
        }
    }
}

/// The word of an expected pick-list.
fn a_word(name: &str, expect: &Expect) -> Option<Expr> {
    let list = expect.words()?;
    list.words.iter().any(|word| &**word == name).then(|| Expr {
        kind: ExprKind::Const(Value::Word(name.into())),
        ty: Type::Word(list.clone()),
    })
}

fn list(kind: ListKind) -> Typed {
    Some(Expr {
        kind: ExprKind::List(kind),
        ty: Type::List(kind),
    })
}

/// Help for a word that is near to nothing.
fn other_help(name: &str, expect: &Expect) -> Option<String> {
    if name.contains('-') {
        return Some("a minus needs spaces around it: `a - b`".to_owned());
    }
    match (name, expect) {
        ("yes" | "True" | "TRUE", _) => Some("write `true`".to_owned()),
        ("no" | "False" | "FALSE", _) => Some("write `false`".to_owned()),
        ("null" | "None" | "nil", _) => Some("ask `is known` or `is unknown`".to_owned()),
        (_, Expect::Type(Type::Text)) => Some(format!("text stands in quotes: `\"{name}\"`")),
        _ => None,
    }
}
