//! Policies: read once the names they speak of are known.

use super::sort::Sorted;
use crate::expression::Scope;
use crate::program::{
    Calendar, CompleteSince, Defaults, Limit, OverLimit, Period, Route, Schedule, Sender, Topic,
    Webhook,
};
use crate::reader::Notes;
use crate::reader::named::{Found, Named, named};
use crate::reader::{calendar, notation, policy, route, value};
use crate::yaml::Node;
use model::{Decimal, Purpose};
use std::collections::{BTreeMap, BTreeSet};

/// How long delays last where nothing is said.
const DELAY_DAYS: u32 = 10;

/// All policies.
pub(crate) struct Policies {
    pub(crate) calendar: Calendar,
    pub(crate) topics: BTreeMap<Box<str>, Topic>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) over_limit: OverLimit,
    pub(crate) delay_at_most: Period,
    pub(crate) spread: Period,
    pub(crate) digest: Option<Schedule>,
    pub(crate) holdout: Decimal,
    pub(crate) defaults: Defaults,
    pub(crate) sender: Option<Sender>,
    pub(crate) routes: BTreeMap<Box<str>, Route>,
    pub(crate) webhooks: BTreeMap<Box<str>, Webhook>,
    pub(crate) complete_since: CompleteSince,
}

/// The names that policies declare, whether or not what stands behind them is right.
pub(crate) struct Names<'a> {
    topics: Vec<Named<'a>>,
    routes: Vec<Named<'a>>,
    webhooks: Vec<Named<'a>>,
    /// Whether `digest` is written.
    pub(crate) has_digest: bool,
}

impl<'a> Names<'a> {
    /// Gathers them.
    pub(crate) fn gather(notes: &mut Notes, sorted: &Sorted<'a>) -> Self {
        Self {
            topics: named(notes, sorted.all("topics"), "`topics`"),
            routes: named(notes, sorted.all("routes"), "`routes`"),
            webhooks: named(notes, sorted.all("webhooks"), "`webhooks`"),
            has_digest: !sorted.all("digest").is_empty(),
        }
    }

    /// Topics as they are written.
    pub(crate) fn each_topic(&self) -> &[Named<'a>] {
        &self.topics
    }

    /// Topics.
    pub(crate) fn topics(&self) -> BTreeSet<Box<str>> {
        set(&self.topics)
    }

    /// Routes.
    pub(crate) fn routes(&self) -> BTreeSet<Box<str>> {
        set(&self.routes)
    }

    /// Routes as they are written.
    pub(crate) fn each_route(&self) -> &[Named<'a>] {
        &self.routes
    }

    /// Webhooks as they are written.
    pub(crate) fn each_webhook(&self) -> &[Named<'a>] {
        &self.webhooks
    }

    /// Webhooks.
    pub(crate) fn webhooks(&self) -> BTreeSet<Box<str>> {
        set(&self.webhooks)
    }
}

fn set(list: &[Named<'_>]) -> BTreeSet<Box<str>> {
    list.iter().map(|named| named.name.into()).collect()
}

/// Reads all policies. `scope` is an account's, with its CSM.
pub(crate) fn read(
    notes: &mut Notes,
    sorted: &Sorted<'_>,
    names: &Names<'_>,
    scope: &Scope,
) -> Policies {
    let defaults = one(notes, sorted, "defaults", |notes, node| {
        policy::defaults(notes, node, scope)
    })
    .unwrap_or_else(policy::plain_defaults);
    let topics = read_topics(notes, names, &defaults.locale);
    let sender = one(notes, sorted, "sender", policy::sender);
    check_sender(notes, sorted, names, &topics);
    let routes = read_routes(notes, names, scope);
    let webhooks = names.webhooks.iter().filter_map(|named| {
        notes.open(named.file);
        Some((named.name.into(), route::webhook(notes, named)?))
    });
    let webhooks = webhooks.collect();
    let over = [("delay", OverLimit::Delay), ("skip", OverLimit::Skip)];
    let known = names.topics();
    let mut limits = Vec::new();
    for found in sorted.all("limits") {
        notes.open(found.file);
        limits.extend(policy::limits(notes, found.node, &known));
    }
    let period = |key: &'static str| {
        move |notes: &mut Notes, node: &Node| notation::period(notes, node, key)
    };
    Policies {
        calendar: read_calendar(notes, sorted),
        topics,
        limits,
        over_limit: one(notes, sorted, "over_limit", |notes, node| {
            value::word(notes, node, "`over_limit`", &over)
        })
        .unwrap_or(OverLimit::Delay),
        delay_at_most: one(notes, sorted, "delay_at_most", period("`delay_at_most`"))
            .unwrap_or(Period::Days(DELAY_DAYS)),
        spread: one(notes, sorted, "spread", period("`spread`")).unwrap_or(Period::Seconds(0)),
        digest: one(notes, sorted, "digest", notation::schedule),
        holdout: one(notes, sorted, "holdout", holdout).unwrap_or(Decimal::ZERO),
        defaults,
        sender,
        routes,
        webhooks,
        complete_since: one(notes, sorted, "complete_since", |notes, node| {
            Some(policy::complete_since(notes, node, scope))
        })
        .unwrap_or_default(),
    }
}

/// The share of all customers that no promotional mail reaches: checked, and not run yet.
fn holdout(notes: &mut Notes, node: &Node) -> Option<Decimal> {
    let share = value::share(notes, node, "`holdout`")?;
    if share != Decimal::ZERO {
        notes.policy_not_yet(node.span, "the `holdout` of the whole workspace");
    }
    Some(share)
}

/// What stands under a key that may be there once.
fn one<T>(
    notes: &mut Notes,
    sorted: &Sorted<'_>,
    key: &str,
    read: impl FnOnce(&mut Notes, &Node) -> Option<T>,
) -> Option<T> {
    let Found { node, .. } = sorted.one(notes, key)?;
    read(notes, node)
}

fn read_topics(notes: &mut Notes, names: &Names<'_>, locale: &str) -> BTreeMap<Box<str>, Topic> {
    let mut topics = BTreeMap::new();
    for named in &names.topics {
        notes.open(named.file);
        if let Some(topic) = policy::topic(notes, named, locale) {
            topics.insert(named.name.into(), topic);
        }
    }
    topics
}

fn read_routes(notes: &mut Notes, names: &Names<'_>, scope: &Scope) -> BTreeMap<Box<str>, Route> {
    let known = names.routes();
    let mut routes = BTreeMap::new();
    for named in &names.routes {
        notes.open(named.file);
        if let Some(read) = route::route(notes, named, &known, scope) {
            routes.insert(named.name.into(), read);
        }
    }
    route::check_circles(notes, &routes, &names.routes);
    routes
}

/// The law wants to know who writes what people did not ask for.
fn check_sender(
    notes: &mut Notes,
    sorted: &Sorted<'_>,
    names: &Names<'_>,
    topics: &BTreeMap<Box<str>, Topic>,
) {
    if !sorted.all("sender").is_empty() {
        return;
    }
    let is_promotional = |name: &str| {
        topics
            .get(name)
            .is_some_and(|topic| topic.purpose == Purpose::Promotional)
    };
    if let Some(first) = names.topics.iter().find(|named| is_promotional(named.name)) {
        notes.open(first.file);
        let message = format!(
            "`sender` is missing: the topic `{}` is promotional, so its mails must say who writes",
            first.name
        );
        let help = "write `sender: {name: …, postal_address: …, contact: …}`";
        notes.error_help("E102", first.span, message, help.to_owned());
    }
}

fn read_calendar(notes: &mut Notes, sorted: &Sorted<'_>) -> Calendar {
    let holidays = sorted.holidays.map(|tree| (tree.file, &tree.root));
    one(notes, sorted, "calendar", |notes, node| {
        calendar::calendar(notes, node, holidays)
    })
    .unwrap_or_else(calendar::plain)
}
