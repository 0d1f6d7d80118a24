//! The topic of a log in Kafka: that it keeps facts long enough and loses none with a broker.

use super::Finding;
use super::finding::{listed, value};
use store::{KafkaSettings, TopicCondition};

/// A topic that forgets sooner can't be read again after a longer outage: a week, as for the dedupe window.
const RETENTION_MIN_MILLIS: i64 = 7 * 24 * 3_600 * 1_000;

pub(super) async fn examine(kafka: &KafkaSettings, told: &mut (dyn FnMut(Finding) + Send)) {
    match TopicCondition::of(kafka).await {
        Ok(topic) => judge(&kafka.topic, &topic, told),
        Err(why) => {
            let help =
                "is the address right, is the broker there, may this user describe the topic?";
            told(Finding::bad("log", why.to_string(), help));
        }
    }
}

fn judge(name: &str, topic: &TopicCondition, told: &mut (dyn FnMut(Finding) + Send)) {
    told(Finding::good(
        "log",
        format!(
            "topic {name}: {} partitions, {} replicas; {}",
            topic.partitions,
            topic.replicas,
            listed(&topic.settings)
        ),
    ));
    let of = |name: &str| value(&topic.settings, name);
    let number = |name: &str| of(name)?.parse::<i64>().ok();
    if of("cleanup.policy").is_some_and(|policy| policy.contains("compact")) {
        told(Finding::bad(
            "log",
            "the topic is compacted: it forgets all facts of an account but the last",
            "cleanup.policy=delete",
        ));
    }
    if topic.replicas < 2 {
        told(Finding::note(
            "log",
            "each fact is on one broker alone: with its disk it is lost",
            "a topic of three replicas with min.insync.replicas=2",
        ));
    } else if number("min.insync.replicas").is_some_and(|least| least < 2) {
        told(Finding::note(
            "log",
            "a fact is acknowledged when one broker has it",
            "min.insync.replicas=2",
        ));
    }
    let kept = number("retention.ms").filter(|kept| *kept >= 0);
    if kept.is_some_and(|kept| kept < RETENTION_MIN_MILLIS) {
        told(Finding::note(
            "log",
            "facts are kept for less than 7 days: after a longer outage shards halt, and `why` and back-fill see no further",
            "retention.ms=-1, or as long as you look back",
        ));
    }
    if number("retention.bytes").is_some_and(|bytes| bytes >= 0) {
        told(Finding::note(
            "log",
            "facts are forgotten by size: a busy day may push out what was not decided yet",
            "retention.bytes=-1",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    /// How many notes and bad findings there are about a topic like this.
    fn check(replicas: u32, settings: &[(&str, &str)], expected: (usize, usize)) {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let topic = TopicCondition {
            partitions: 8,
            replicas,
            settings: settings.collect(),
        };
        let mut found = Vec::new();
        judge("sottaku", &topic, &mut |finding| found.push(finding.state));
        let count = |state: State| found.iter().filter(|found| **found == state).count();
        assert_eq!(
            (count(State::Note), count(State::Bad)),
            expected,
            "{topic:?}"
        );
        assert_eq!(count(State::Good), 1);
    }

    #[test]
    fn a_topic_that_may_lose_facts_is_told() {
        let safe = [
            ("cleanup.policy", "delete"),
            ("min.insync.replicas", "2"),
            ("retention.bytes", "-1"),
            ("retention.ms", "-1"),
        ];
        check(3, &safe, (0, 0));
        check(1, &safe, (1, 0));
        check(3, &[("min.insync.replicas", "1")], (1, 0));
        check(3, &[("cleanup.policy", "compact,delete")], (0, 1));
        check(3, &[("retention.ms", "86400000")], (1, 0));
        check(
            3,
            &[("retention.ms", "604800000"), ("retention.bytes", "1000")],
            (1, 0),
        );
    }
}
