//! Comparing what happened with what was expected, minute by minute.

use jiff::civil::DateTime;
use model::{Channel, Kind, Outgoing, Record};
use std::collections::BTreeSet;
use workflow::Scenario;
use workflow::scenario::Expected;

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) minute: DateTime,
    pub(super) record: Record,
    pub(super) outgoing: Option<Outgoing>,
}

impl Happened {
    /// The message that a record tells of.
    pub(super) fn outgoing_of(record: &Record, outbox: &[Outgoing]) -> Option<Outgoing> {
        let is_it = |outgoing: &&Outgoing| {
            let is_step = Some(&outgoing.run) == record.run.as_ref()
                && Some(&outgoing.step) == record.step.as_ref();
            is_step
                && match &outgoing.channel {
                    Channel::Email { .. } => Some(&outgoing.message) == record.message.as_ref(),
                    Channel::Route { route, .. } => {
                        let to = record
                            .route
                            .as_ref()
                            .or(record.by.as_ref())
                            .or(record.to.as_ref());
                        record.message.is_none() && to == Some(route)
                    }
                    Channel::Webhook { name } => {
                        record.kind == Kind::Webhook && record.name.as_ref() == Some(name)
                    }
                }
        };
        outbox.iter().find(is_it).cloned()
    }

    /// The rendered text of its message.
    pub(super) fn text(&self, render: &dyn Fn(&Outgoing) -> String) -> String {
        self.outgoing.as_ref().map(render).unwrap_or_default()
    }

    /// Whether it has to be expected: skips only where the test mentions any.
    fn counts(&self, mentions_skips: bool) -> bool {
        match self.record.kind {
            Kind::Send
            | Kind::Alert
            | Kind::Task
            | Kind::Webhook
            | Kind::Set
            | Kind::Ask
            | Kind::End => true,
            Kind::Skip => mentions_skips && self.record.step.is_some(),
            Kind::Start
            | Kind::Hold
            | Kind::RiskOpened
            | Kind::RiskClosed
            | Kind::HealthChanged
            | Kind::StageChanged => false,
        }
    }
}

/// The value beside the verb of a record, as `expect` writes it.
pub(super) fn what(record: &Record) -> &str {
    let what = match record.kind {
        Kind::Send => record.template.as_deref(),
        Kind::Alert => record.route.as_deref(),
        Kind::Task => record.task.as_deref(),
        Kind::Ask | Kind::Skip | Kind::Hold => record.step.as_deref(),
        Kind::End => record.how.as_deref(),
        Kind::Set | Kind::Webhook => record.name.as_deref(),
        Kind::Start
        | Kind::RiskOpened
        | Kind::RiskClosed
        | Kind::HealthChanged
        | Kind::StageChanged => None,
    };
    what.unwrap_or_default()
}

/// Where what happened is not what was expected.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Each in a sentence.
    pub(super) sentences: Vec<String>,
    /// What was expected and did not happen.
    pub(super) gone: Vec<Expected>,
    /// What happened and was not expected, as `expect` writes it, by minute.
    pub(super) new: Vec<(DateTime, String)>,
}

/// Every difference.
pub(super) fn differences(scenario: &Scenario, happened: &[(&Happened, &str)]) -> Differences {
    let all = || scenario.timeline.iter();
    let mentions_skips = all().any(|entry| {
        entry
            .expect
            .iter()
            .any(|expected| expected.kind == Kind::Skip)
    });
    let counted: Vec<&(&Happened, &str)> = happened
        .iter()
        .filter(|(happened, _)| happened.counts(mentions_skips))
        .collect();
    let mut minutes: BTreeSet<DateTime> = all().map(|entry| entry.at).collect();
    minutes.extend(counted.iter().map(|(happened, _)| happened.minute));
    let mut differences = Differences::default();
    for minute in minutes {
        let expected = all()
            .filter(|entry| entry.at == minute)
            .flat_map(|entry| &entry.expect);
        let here = counted
            .iter()
            .filter(|(happened, _)| happened.minute == minute);
        compare(
            minute,
            (expected.collect(), here.copied().copied().collect()),
            &mut differences,
        );
    }
    differences
}

/// The differences of one minute; the most detailed expectation chooses first.
fn compare(
    minute: DateTime,
    (mut expected, mut here): (Vec<&Expected>, Vec<(&Happened, &str)>),
    differences: &mut Differences,
) {
    let shown = minute.strftime("%Y-%m-%d %H:%M");
    expected.sort_by_key(|expected| std::cmp::Reverse(expected.keys.len()));
    for one in expected {
        match here
            .iter()
            .position(|(happened, text)| matches(one, &happened.record, text))
        {
            Some(index) => {
                here.remove(index);
            }
            None => {
                let what = shown_expected(one);
                let sentence = format!("{shown}: expected {what}, which did not happen");
                differences.sentences.push(sentence);
                differences.gone.push(one.clone());
            }
        }
    }
    for (happened, _) in here {
        let line = super::paste::line(&happened.record);
        let sentence = format!("{shown}: {line} happened, which was not expected");
        differences.sentences.push(sentence);
        differences.new.push((minute, line));
    }
}

fn matches(expected: &Expected, record: &Record, text: &str) -> bool {
    let plain = |text: &str| text.replace('_', " ");
    expected.kind == record.kind
        && plain(&expected.what) == plain(what(record))
        && expected.keys.iter().all(|(key, value)| match &**key {
            "contains" => text.contains(&**value),
            "why" | "how" => plain(&field(record, key)) == plain(value),
            _ => field(record, key) == **value,
        })
}

/// A field of a record as text.
pub(super) fn field(record: &Record, key: &str) -> String {
    let text = match key {
        "step" => record.step.as_deref(),
        "route" => record.route.as_deref(),
        "template" => record.template.as_deref(),
        "task" => record.task.as_deref(),
        "to" => record.to.as_deref(),
        "topic" => record.topic.as_deref(),
        "locale" => record.locale.as_deref(),
        "by" => record.by.as_deref(),
        "why" => record.why.as_deref(),
        "how" => record.how.as_deref(),
        "name" => record.name.as_deref(),
        "workflow" => record.workflow.as_deref(),
        "subject" => record.subject.as_deref(),
        "cc" => {
            return record
                .cc
                .as_ref()
                .map(|cc| cc.join(", "))
                .unwrap_or_default();
        }
        "value" => return record.value.as_ref().map(json_text).unwrap_or_default(),
        _ => None,
    };
    text.unwrap_or_default().to_owned()
}

fn json_text(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn shown_expected(expected: &Expected) -> String {
    let mut pairs = vec![(super::paste::verb(expected.kind), &*expected.what)];
    pairs.extend(expected.keys.iter().map(|(key, value)| (&**key, &**value)));
    super::paste::flow(&pairs)
}
