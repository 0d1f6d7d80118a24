//! Definitions that were read: what each reads, and what is known of it.

use crate::expression::{Meanings, Scope, changes_with_time, is_always_known};
use crate::program::{
    Aggregate, Definition, Expr, Health, Label, Metric, Reduce, Risk, Segment, Source, Window,
};

/// The definitions after reading; `None` where one failed.
#[derive(Default)]
pub(crate) struct Definitions {
    /// Metrics.
    pub(crate) metrics: Vec<Option<Metric>>,
    /// Segments.
    pub(crate) segments: Vec<Option<Segment>>,
    /// Labels.
    pub(crate) labels: Vec<Option<Label>>,
    /// Risks.
    pub(crate) risks: Vec<Option<Risk>>,
    /// Health.
    pub(crate) health: Option<Health>,
    /// Formulas, segments, labels, health and risks, each after all it reads.
    pub(crate) order: Vec<Definition>,
}

impl Definitions {
    /// All that were read without a mistake.
    pub(crate) fn present(&self) -> Vec<Definition> {
        let mut all: Vec<Definition> = Vec::new();
        let good = |is_some: bool, definition| is_some.then_some(definition);
        let metrics = self.metrics.iter().enumerate();
        all.extend(metrics.filter_map(|(at, it)| good(it.is_some(), Definition::Metric(at))));
        let segments = self.segments.iter().enumerate();
        all.extend(segments.filter_map(|(at, it)| good(it.is_some(), Definition::Segment(at))));
        let labels = self.labels.iter().enumerate();
        all.extend(labels.filter_map(|(at, it)| good(it.is_some(), Definition::Label(at))));
        let risks = self.risks.iter().enumerate();
        all.extend(risks.filter_map(|(at, it)| good(it.is_some(), Definition::Risk(at))));
        all.extend(good(self.health.is_some(), Definition::Health));
        all
    }

    /// What segments and labels say.
    pub(crate) fn meanings(&self) -> Meanings {
        let segments = self.segments.iter().map(|segment| {
            let segment = segment.as_ref();
            segment.map(|segment| segment.condition.clone())
        });
        let labels = self.labels.iter().map(|label| {
            let label = label.as_ref();
            label.map_or_else(Vec::new, |label| label.lines.clone())
        });
        Meanings {
            segments: segments.collect(),
            labels: labels.collect(),
        }
    }

    /// Whether it is a metric that events make, so that nothing is evaluated for it.
    pub(crate) fn is_fold(&self, definition: Definition) -> bool {
        let Definition::Metric(at) = definition else {
            return false;
        };
        let metric = self.metrics[at].as_ref();
        metric.is_some_and(|metric| matches!(metric.source, Source::Events(_)))
    }

    /// The expressions of one definition; those over `event` read no definition.
    pub(crate) fn expressions(&self, definition: Definition) -> Vec<&Expr> {
        match definition {
            Definition::Metric(at) => self.metrics[at]
                .iter()
                .flat_map(|metric| match &metric.source {
                    Source::Formula(expr) => Some(expr),
                    Source::Events(aggregate) => since(aggregate),
                })
                .collect(),
            Definition::Segment(at) => self.segments[at]
                .iter()
                .map(|segment| &segment.condition)
                .collect(),
            Definition::Label(at) => {
                let lines = self.labels[at].iter().flat_map(|label| &label.lines);
                lines
                    .filter_map(|(_, condition)| condition.as_ref())
                    .collect()
            }
            Definition::Risk(at) => self.risks[at]
                .iter()
                .flat_map(|risk| {
                    [Some(&risk.opens), Some(&risk.closes), risk.high_if.as_ref()]
                        .into_iter()
                        .flatten()
                })
                .collect(),
            Definition::Health => self
                .health
                .iter()
                .flat_map(|health| {
                    let measures = health
                        .outcome
                        .measures
                        .iter()
                        .chain(&health.experience.measures);
                    measures
                        .flat_map(|measure| [&measure.value, &measure.green, &measure.yellow])
                        .chain(&health.red_if)
                })
                .collect(),
        }
    }

    /// Whether a definition is always known, changes with time, and counts things.
    pub(crate) fn marks(
        &self,
        definition: Definition,
        scope: &Scope,
    ) -> Option<(bool, bool, bool)> {
        let exprs = self.expressions(definition);
        let in_time = exprs.iter().any(|expr| changes_with_time(expr, scope));
        let is_known = exprs.iter().all(|expr| is_always_known(expr, scope));
        match definition {
            Definition::Metric(at) => {
                let Source::Events(aggregate) = &self.metrics[at].as_ref()?.source else {
                    return Some((is_known, in_time, false));
                };
                let in_window = matches!(aggregate.window, Window::Days(_) | Window::Hours(_));
                let is_count = matches!(aggregate.how, Reduce::Count | Reduce::CountDistinct(_));
                Some((false, in_window, is_count))
            }
            Definition::Segment(_) => Some((is_known, in_time, false)),
            Definition::Label(at) => {
                let lines = &self.labels[at].as_ref()?.lines;
                let has_last = lines
                    .last()
                    .is_some_and(|(_, condition)| condition.is_none());
                Some((has_last, in_time, false))
            }
            Definition::Risk(_) => Some((true, in_time, false)),
            Definition::Health => None,
        }
    }
}

fn since(aggregate: &Aggregate) -> Option<&Expr> {
    match &aggregate.window {
        Window::Since(expr) => Some(expr),
        Window::Days(_) | Window::Hours(_) | Window::Ever => None,
    }
}
