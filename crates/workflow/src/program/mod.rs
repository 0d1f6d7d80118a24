//! The checked program: what the engine decides by. Every name in it is resolved, every type is right.

pub mod definition;
mod each;
pub mod expression;
pub mod policy;
pub mod rule;
pub mod schema;
pub mod source;
pub mod verb;
mod walk;

pub(crate) use crate::reader::schema::ENTITIES;
pub use definition::{
    Aggregate, Band, Bands, CompleteSince, Definition, Health, HealthName, Label, Measure, Metric,
    Reduce, Risk, Segment, Side, Source, Window,
};
pub use expression::{
    Arithmetic, Comparison, Expr, ExprKind, ListKind, PeriodUnit, PeriodWhich, PickList, RiskField,
    StepResult, Type,
};
pub use policy::{
    Calendar, Cron, DayOf, Days, Defaults, Limit, LimitPer, OverLimit, Route, RouteTarget,
    Schedule, Sender, Title, Topic, Webhook,
};
pub use rule::{
    AtWindow, Existing, ForEach, Goal, Hours, IfRunning, OncePer, Period, Start, Status, Step,
    Workflow,
};
pub use schema::{Entity, EventType, Field, FieldType, Schema};
pub use source::{Deletes, Past, TopicFormat, TopicSays, TopicSource};
pub use verb::{
    Approval, ApprovalOtherwise, Arm, AtLimit, Deliver, IfNobody, Otherwise, Says, SetOf, Setting,
    Until, Verb,
};

use model::TemplateText;
use serde::Serialize;
use std::collections::BTreeMap;

/// A whole checked workspace.
#[derive(Clone, Debug, Serialize)]
pub struct Program {
    /// Hash of the checked form: two texts that mean the same have the same revision.
    pub revision: Box<str>,
    /// Entities and events.
    pub schema: Schema,
    /// Metrics; an [`ExprKind::Metric`] is an index into this.
    pub metrics: Vec<Metric>,
    /// Segments, likewise.
    pub segments: Vec<Segment>,
    /// Labels, likewise.
    pub labels: Vec<Label>,
    /// Health, if defined.
    pub health: Option<Health>,
    /// Risks, likewise indexed.
    pub risks: Vec<Risk>,
    /// Formulas, segments, labels, health and risks, each after all it reads.
    pub order: Vec<Definition>,
    /// Since when sources deliver everything.
    pub complete_since: CompleteSince,
    /// Working time.
    pub calendar: Calendar,
    /// Topics by name.
    pub topics: BTreeMap<Box<str>, Topic>,
    /// Frequency limits.
    pub limits: Vec<Limit>,
    /// What a limit does.
    pub over_limit: OverLimit,
    /// How long `over_limit: delay` and `holds_back` wait at most.
    pub delay_at_most: Period,
    /// Over how long sends of one instant are spread at hand-over.
    pub spread: Period,
    /// When digests arrive.
    pub digest: Option<Schedule>,
    /// Global holdout share.
    pub holdout: model::Decimal,
    /// Defaults of sends.
    pub defaults: Defaults,
    /// Who writes.
    pub sender: Option<Sender>,
    /// Routes by name.
    pub routes: BTreeMap<Box<str>, Route>,
    /// Webhooks by name.
    pub webhooks: BTreeMap<Box<str>, Webhook>,
    /// Topics that are read, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<Box<str>, TopicSource>,
    /// Workflows that can run, by name; those set aside as *not yet* are not here.
    pub workflows: Vec<Workflow>,
    /// Templates by name, then by locale.
    pub templates: BTreeMap<Box<str>, Template>,
}

impl Program {
    /// What a topic is called in a locale; its name where it is not defined any more.
    pub fn topic_title<'a>(&'a self, name: &'a str, locale: &str) -> &'a str {
        let topic = self.topics.get(name);
        topic.map_or(name, |topic| {
            topic.title.told_in(locale, &self.defaults.locale)
        })
    }
}

/// A template in all its locales. What it reads depends on where it is used: see [`Step::reads`].
#[derive(Clone, Debug, Serialize)]
pub struct Template {
    /// The texts by locale.
    pub texts: BTreeMap<Box<str>, TemplateText>,
}

/// One variable that a template reads.
#[derive(Clone, Debug, Serialize)]
pub struct Read {
    /// The path in the view, for example `contract.renewal_date` or `weekly_active_users`.
    pub path: Vec<Box<str>>,
    /// What to evaluate for it where the step stands: a name of `with` may mean another thing in another workflow.
    pub value: Expr,
    /// Of a list: what is read of each of its items.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Read>,
}
