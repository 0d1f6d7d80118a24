//! Measures: what `/metrics` shows. Labels are words of ours, never ids or addresses.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::{Arc, Mutex, PoisonError};

type Label = Vec<(&'static str, &'static str)>;
/// By the name of a source, which stands in the definitions.
type SourceLabel = Vec<(&'static str, String)>;

/// All measures.
#[derive(Clone, Debug)]
pub(crate) struct Measures {
    pub(crate) accepted: Counter,
    pub(crate) parked: Family<Label, Counter>,
    pub(crate) refused: Family<Label, Counter>,
    pub(crate) decided: Counter,
    pub(crate) woken: Counter,
    pub(crate) quiet: Counter,
    pub(crate) panics: Counter,
    pub(crate) rebased: Counter,
    pub(crate) commits: Family<Label, Counter>,
    pub(crate) commit_seconds: Histogram,
    pub(crate) append_seconds: Histogram,
    pub(crate) messages: Family<Label, Counter>,
    pub(crate) came_back: Family<Label, Counter>,
    pub(crate) leases: Family<Label, Gauge>,
    pub(crate) records: Family<Label, Counter>,
    pub(crate) removed: Family<Label, Counter>,
    behind: Family<SourceLabel, Gauge>,
    registry: Arc<Mutex<Registry>>,
}

impl Measures {
    pub(crate) fn new() -> Self {
        let times = || {
            [
                0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0,
            ]
        };
        let measures = Self {
            accepted: Counter::default(),
            parked: Family::default(),
            refused: Family::default(),
            decided: Counter::default(),
            woken: Counter::default(),
            quiet: Counter::default(),
            panics: Counter::default(),
            rebased: Counter::default(),
            commits: Family::default(),
            commit_seconds: Histogram::new(times()),
            append_seconds: Histogram::new(times()),
            messages: Family::default(),
            came_back: Family::default(),
            leases: Family::default(),
            records: Family::default(),
            removed: Family::default(),
            behind: Family::default(),
            registry: Arc::default(),
        };
        measures.register();
        measures
    }

    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter(
            "sottaku_facts_accepted",
            "Facts that became durable",
            &self.accepted,
        );
        counter("sottaku_facts_decided", "Facts decided", &self.decided);
        counter("sottaku_wakes_decided", "Wake-ups decided", &self.woken);
        counter(
            "sottaku_wakes_quiet",
            "Wake-ups that changed nothing: looking ahead was early",
            &self.quiet,
        );
        counter(
            "sottaku_decisions_panicked",
            "Decisions that panicked and were undone",
            &self.panics,
        );
        counter(
            "sottaku_accounts_rebased",
            "Accounts brought over to a new text by the pass over all of them",
            &self.rebased,
        );
        registry.register(
            "sottaku_facts_parked",
            "Facts put aside, by reason",
            self.parked.clone(),
        );
        registry.register(
            "sottaku_requests_refused",
            "Requests refused, by status",
            self.refused.clone(),
        );
        registry.register(
            "sottaku_messages_settled",
            "Messages, by what became of them",
            self.messages.clone(),
        );
        registry.register(
            "sottaku_mail_came_back",
            "Mail and notices that came back, by what they were",
            self.came_back.clone(),
        );
        registry.register(
            "sottaku_leases_held",
            "Leases held by this process, by role",
            self.leases.clone(),
        );
        self.register_store(&mut registry);
        self.register_sources(&mut registry);
    }

    fn register_store(&self, registry: &mut Registry) {
        registry.register(
            "sottaku_commits",
            "Commits, by outcome",
            self.commits.clone(),
        );
        registry.register(
            "sottaku_commit_seconds",
            "How long a commit takes",
            self.commit_seconds.clone(),
        );
        registry.register(
            "sottaku_append_seconds",
            "How long facts take to be durable",
            self.append_seconds.clone(),
        );
        registry.register(
            "sottaku_rows_removed",
            "Rows removed since they were kept long enough, by kind",
            self.removed.clone(),
        );
    }

    fn register_sources(&self, registry: &mut Registry) {
        registry.register(
            "sottaku_source_records",
            "Records read of sources, by what they came to",
            self.records.clone(),
        );
        registry.register(
            "sottaku_source_behind",
            "Records of a source that are still to be read, as this process looked last",
            self.behind.clone(),
        );
    }

    /// How far behind a source is; none: this process does not read it.
    pub(crate) fn behind(&self, source: &str, records: Option<u64>) {
        let label = vec![("source", source.to_owned())];
        match records {
            Some(records) => {
                let records = i64::try_from(records).unwrap_or(i64::MAX);
                self.behind.get_or_create(&label).set(records);
            }
            None => {
                self.behind.remove(&label);
            }
        }
    }

    /// The text that a scraper reads.
    pub(crate) fn text(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        if encode(&mut text, &registry).is_err() {
            text.clear();
        }
        text
    }
}
