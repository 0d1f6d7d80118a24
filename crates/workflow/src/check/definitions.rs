//! Definitions: read twice. First to learn their types, what each reads and which fail; then to say what is wrong.

use super::defined::Definitions;
use super::order::{Reads, order};
use super::sort::Sorted;
use crate::diagnostic::Span;
use crate::expression::{Defined, Scope, World};
use crate::program::{Definition, Source, Type, Window};
use crate::reader::Notes;
use crate::reader::definition::{label, label_words, risk, segment};
use crate::reader::health::health;
use crate::reader::metric::{formula_text, metric};
use crate::reader::named::{Found, Named, keep_own, named};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The definitions as they are written.
pub(crate) struct Drafts<'a> {
    metrics: Vec<Named<'a>>,
    segments: Vec<Named<'a>>,
    labels: Vec<Named<'a>>,
    risks: Vec<Named<'a>>,
    health: Option<Found<'a>>,
}

impl<'a> Drafts<'a> {
    /// Gathers all definitions; names that are taken are E105.
    pub(crate) fn gather(notes: &mut Notes, sorted: &Sorted<'a>, roles: &[Box<str>]) -> Self {
        let mut taken: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
        for role in roles {
            taken.insert(role.clone(), "the schema, as a role,".into());
        }
        let mut gather = |key, what| {
            let list = named(notes, sorted.all(key), what);
            keep_own(notes, list, &mut taken)
        };
        let metrics = gather("metrics", "`metrics`");
        let segments = gather("segments", "`segments`");
        let labels = gather("labels", "`labels`");
        let risks = gather("risks", "`risks`");
        Self {
            metrics,
            segments,
            labels,
            risks,
            health: sorted.one(notes, "health"),
        }
    }

    /// Names of risks, in order.
    pub(crate) fn risk_names(&self) -> Vec<Box<str>> {
        self.risks.iter().map(|risk| risk.name.into()).collect()
    }

    /// The words of a label, if there is such a label.
    pub(crate) fn words_of(&self, label: &str) -> Vec<Box<str>> {
        let found = self.labels.iter().find(|named| named.name == label);
        found.map_or_else(Vec::new, |named| label_words(named.node).words.clone())
    }

    /// Reads all definitions, and puts their names into the scope's world.
    pub(crate) fn read(&self, notes: &mut Notes, scope: &mut Scope) -> Definitions {
        self.declare(Arc::make_mut(&mut scope.world));
        // What the first reading finds is found again by the second, which knows more.
        let mut first = Definitions::default();
        let scratch = &mut Notes::default();
        scope.is_first_reading = true;
        self.first_metrics(notes, scratch, scope, &mut first);
        self.read_others(scratch, scope, &mut first);
        scope.is_first_reading = false;
        let order = self.sort(notes, scope, &first);
        self.mark(scope, &first, &order);
        let mut second = Definitions {
            metrics: self
                .metrics
                .iter()
                .map(|named| {
                    notes.open(named.file);
                    metric(notes, named.name, named.node, scope)
                })
                .collect(),
            ..Definitions::default()
        };
        self.read_others(notes, scope, &mut second);
        let world = Arc::make_mut(&mut scope.world);
        self.fail(world, &second);
        world.meanings = second.meanings();
        second.order = order
            .into_iter()
            .filter(|definition| !second.is_fold(*definition))
            .collect();
        second
    }

    /// Names and types that can be seen from outside.
    fn declare(&self, world: &mut World) {
        let plain = |index, ty| Defined {
            index,
            ty,
            is_known: false,
            changes_with_time: true,
            is_windowed: false,
            is_count: false,
        };
        for (index, named) in self.metrics.iter().enumerate() {
            world
                .metrics
                .insert(named.name.into(), plain(index, Type::Number));
        }
        for (index, named) in self.segments.iter().enumerate() {
            world
                .segments
                .insert(named.name.into(), plain(index, Type::Bool));
        }
        for (index, named) in self.labels.iter().enumerate() {
            let words = Type::Word(label_words(named.node));
            world.labels.insert(named.name.into(), plain(index, words));
        }
        for (index, named) in self.risks.iter().enumerate() {
            let mut risk = plain(index, Type::Bool);
            risk.is_known = true;
            world.risks.insert(named.name.into(), risk);
        }
        world.has_health = self.health.is_some();
    }

    /// The metrics, formulas after what they need, so that each knows the types it builds on.
    fn first_metrics(
        &self,
        notes: &mut Notes,
        scratch: &mut Notes,
        scope: &mut Scope,
        into: &mut Definitions,
    ) {
        into.metrics = self.metrics.iter().map(|_| None).collect();
        let index: BTreeMap<&str, usize> = self
            .metrics
            .iter()
            .enumerate()
            .map(|(at, named)| (named.name, at))
            .collect();
        let reads: Reads = self
            .metrics
            .iter()
            .enumerate()
            .map(|(at, named)| {
                let words = formula_text(named.node).map(words).unwrap_or_default();
                let read = words
                    .into_iter()
                    .filter_map(|word| index.get(word))
                    .map(|at| Definition::Metric(*at));
                (Definition::Metric(at), read.collect())
            })
            .collect();
        let (order, circles) = order(&reads);
        for circle in circles {
            self.circle(notes, Arc::make_mut(&mut scope.world), &circle);
        }
        for definition in order {
            let Definition::Metric(at) = definition else {
                continue;
            };
            let named = &self.metrics[at];
            let read = metric(scratch, named.name, named.node, scope);
            let world = Arc::make_mut(&mut scope.world);
            match &read {
                Some(metric) => {
                    if let Some(defined) = world.metrics.get_mut(named.name) {
                        defined.ty = metric.ty.clone();
                        defined.is_windowed = is_windowed(metric);
                    }
                }
                None => {
                    world.failed.insert(named.name.into());
                }
            }
            into.metrics[at] = read;
        }
    }

    /// Segments, labels, risks and health.
    fn read_others(&self, notes: &mut Notes, scope: &Scope, into: &mut Definitions) {
        into.segments = self
            .segments
            .iter()
            .map(|named| {
                notes.open(named.file);
                segment(notes, named, scope)
            })
            .collect();
        into.labels = self
            .labels
            .iter()
            .map(|named| {
                notes.open(named.file);
                label(notes, named, scope)
            })
            .collect();
        into.risks = self
            .risks
            .iter()
            .map(|named| {
                notes.open(named.file);
                risk(notes, named, scope)
            })
            .collect();
        into.health = self.health.and_then(|found| {
            notes.open(found.file);
            health(notes, found.node, scope)
        });
    }

    /// The order of all definitions; circles are told, and their members have failed.
    fn sort(&self, notes: &mut Notes, scope: &mut Scope, first: &Definitions) -> Vec<Definition> {
        let risks = self.risks.len();
        let mut reads = Reads::new();
        for definition in first.present() {
            let mut read = Vec::new();
            for expr in first.expressions(definition) {
                read.extend(expr.definitions(risks));
            }
            reads.insert(definition, read);
        }
        let (mut order, circles) = order(&reads);
        let world = Arc::make_mut(&mut scope.world);
        for circle in circles {
            self.circle(notes, world, &circle);
        }
        self.fail(world, first);
        order.retain(|definition| reads.contains_key(definition));
        order
    }

    fn circle(&self, notes: &mut Notes, world: &mut World, circle: &[Definition]) {
        let names: Vec<&str> = circle
            .iter()
            .map(|definition| self.place(*definition).0)
            .collect();
        if names.iter().any(|name| world.failed.contains(*name)) {
            return;
        }
        if let Some(first) = circle.first() {
            let (name, file, span) = self.place(*first);
            notes.open(file);
            let message = format!(
                "these definitions need one another in a circle: {} -> {name}",
                names.join(" -> ")
            );
            notes.error_help(
                "E505",
                span,
                message,
                "take one of them out of the circle".to_owned(),
            );
        }
        world.failed.extend(names.into_iter().map(Box::from));
    }

    /// The name of a definition, and where it stands.
    pub(crate) fn place(&self, definition: Definition) -> (&'a str, &'a str, Span) {
        let named = match definition {
            Definition::Metric(at) => &self.metrics[at],
            Definition::Segment(at) => &self.segments[at],
            Definition::Label(at) => &self.labels[at],
            Definition::Risk(at) => &self.risks[at],
            Definition::Health => {
                let found = self.health;
                return found.map_or(("health", "", Span { start: 0, end: 0 }), |found| {
                    ("health", found.file, found.key_span)
                });
            }
        };
        (named.name, named.file, named.span)
    }

    /// What failed has every type from now on.
    fn fail(&self, world: &mut World, read: &Definitions) {
        let mut failed = |named: &Named<'_>, is_good: bool| {
            if !is_good {
                world.failed.insert(named.name.into());
            }
        };
        for (named, metric) in self.metrics.iter().zip(&read.metrics) {
            failed(named, metric.is_some());
        }
        for (named, segment) in self.segments.iter().zip(&read.segments) {
            failed(named, segment.is_some());
        }
        for (named, label) in self.labels.iter().zip(&read.labels) {
            failed(named, label.is_some());
        }
        for (named, risk) in self.risks.iter().zip(&read.risks) {
            failed(named, risk.is_some());
        }
        if self.health.is_some() && read.health.is_none() {
            world.failed.insert("health".into());
        }
    }

    /// Whether each can be unknown, and whether time alone changes it: in order, since each asks those before it.
    fn mark(&self, scope: &mut Scope, first: &Definitions, order: &[Definition]) {
        for definition in order {
            let (name, _, _) = self.place(*definition);
            let Some((is_known, in_time, is_count)) = first.marks(*definition, scope) else {
                continue;
            };
            let world = Arc::make_mut(&mut scope.world);
            let list = match definition {
                Definition::Metric(_) => &mut world.metrics,
                Definition::Segment(_) => &mut world.segments,
                Definition::Label(_) => &mut world.labels,
                Definition::Risk(_) => &mut world.risks,
                Definition::Health => continue,
            };
            if let Some(defined) = list.get_mut(name) {
                defined.is_known = is_known;
                defined.changes_with_time = in_time;
                defined.is_count = is_count;
            }
        }
    }
}

/// The words of an expression, undotted.
fn words(text: &str) -> Vec<&str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.')))
        .collect()
}

/// Whether it looks at a window that slides.
fn is_windowed(metric: &crate::program::Metric) -> bool {
    match &metric.source {
        Source::Events(events) => matches!(events.window, Window::Days(_) | Window::Hours(_)),
        Source::Formula(_) => false,
    }
}
