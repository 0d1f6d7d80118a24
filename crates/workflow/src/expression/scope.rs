//! Scopes: what names mean at one place of the workspace. Built by who reads the files.

use super::directory::Directory;
use super::record::RecordNames;
use crate::program::{Entity, Expr, PickList, Schema, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// What names mean everywhere: schema and definitions.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Entities and events, those of the engine among them.
    pub schema: Schema,
    /// Roles that can be named: `champion`, `admin` …
    pub roles: Vec<Box<str>>,
    /// Metrics by name.
    pub metrics: Directory,
    /// Segments by name; their type is yes/no.
    pub segments: Directory,
    /// Labels by name; their type is a pick-list without order.
    pub labels: Directory,
    /// Risks by name; as a name each says whether a case is open.
    pub risks: Directory,
    /// Whether `health` is defined.
    pub has_health: bool,
    /// Names that exist and failed to check, dotted as they are written (`account.arr`, `nps`, `contract`,
    /// `health`): they have every type, and so has all that begins with them.
    pub failed: BTreeSet<Box<str>>,
    /// What segments and labels say, for verdicts.
    pub meanings: Meanings,
}

/// A line of a label: its word, and its condition; none: `otherwise`.
pub type Line = (Box<str>, Option<Expr>);

/// What definitions say, by index; nothing where one failed.
#[derive(Clone, Debug, Default)]
pub struct Meanings {
    /// Conditions of segments.
    pub segments: Vec<Option<Expr>>,
    /// Lines of labels.
    pub labels: Vec<Vec<Line>>,
}

/// One defined name.
#[derive(Clone, Debug, PartialEq)]
pub struct Defined {
    /// Its place in the program's list.
    pub index: usize,
    /// Its type.
    pub ty: Type,
    /// Whether it can never be unknown (see [`super::is_always_known`]). No count of events is: it may be *at least*.
    pub is_known: bool,
    /// Whether time alone can change it: windows, and all that reads what time changes.
    pub changes_with_time: bool,
    /// Whether it looks at a window (`over`): only then has it a `previous` and a `change`.
    pub is_windowed: bool,
    /// Whether it counts things: whole and never below nought.
    pub is_count: bool,
}

/// A name of a workflow's `with` or `remember`.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The name.
    pub name: Box<str>,
    /// Its type; none: it failed to check.
    pub ty: Option<Type>,
    /// Whether it can never be unknown.
    pub is_known: bool,
    /// Whether time alone can change it; never so for `remember`.
    pub changes_with_time: bool,
}

/// What kind of step an id belongs to: says which results it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// `sent delivered opened clicked replied bounced skipped`
    Send,
    /// `sent`
    Alert,
    /// `done outcome`
    Task,
    /// `ok`
    Webhook,
    /// `timed_out`, and `event` when it waits for one (the event's types; empty: they failed to check).
    Wait(Option<Vec<Box<str>>>),
    /// `chosen`, one of the arms.
    Split(Arc<PickList>),
    /// `set`, `stop`, `then`, `match`: no results.
    Silent,
    /// It failed to check: every result.
    Failed,
}

/// What names mean at one place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Whether what is found is found again by a later reading: no near name is looked for, which is dear.
    pub is_first_reading: bool,
    /// How many names were looked through for near ones, by all that was cloned from the same scope.
    pub(crate) looked_through: Arc<AtomicUsize>,
    /// Schema and definitions.
    pub world: Arc<World>,
    /// Whether the account's names are there: `account contract contacts open_risks`, roles, metrics, segments,
    /// labels, risks, `health`. Not so in `metrics.where`, nor outside of lists under `for_each: csm`.
    pub has_account: bool,
    /// Whether there always is a contract (`for_each: contract`); else `contract.x` can be unknown.
    pub has_contract: bool,
    /// Whether `contact.*` is there: the subject or the recipient.
    pub has_contact: bool,
    /// Whether `risk.*` is there: the subject.
    pub has_risk: bool,
    /// Whether `csm.*` may be read: templates, routes, `reply_to`; elsewhere it is E211.
    pub has_csm: bool,
    /// Whether `accounts` and `contracts` of a CSM are there.
    pub has_portfolio: bool,
    /// Whether `unsubscribe_url` is there: templates of sends.
    pub has_unsubscribe_url: bool,
    /// What `event` is: types of events, whose common fields it has; empty: they failed to check.
    pub event: Option<Vec<Box<str>>>,
    /// What names mean in the mapping of a topic: there is nothing but these.
    pub record: Option<Arc<RecordNames>>,
    /// What `started_by` is, likewise.
    pub started_by: Option<Vec<Box<str>>>,
    /// Names of the workflow's `with`, by index.
    pub with: Vec<Given>,
    /// Names of the workflow's `remember`, by index.
    pub remember: Vec<Given>,
    /// Steps above, whose results can be asked for.
    pub steps: BTreeMap<Box<str>, StepKind>,
    /// Steps that come later, this one among them: E504.
    pub later_steps: BTreeSet<Box<str>>,
}

impl Scope {
    /// The fields of an entity, whether or not it is in scope.
    pub(crate) fn entity(&self, name: &str) -> Option<&Entity> {
        let schema = &self.world.schema;
        match name {
            "account" => Some(&schema.account),
            "contract" => Some(&schema.contract),
            "contact" => Some(&schema.contact),
            "csm" => Some(&schema.csm),
            _ => None,
        }
    }
}
