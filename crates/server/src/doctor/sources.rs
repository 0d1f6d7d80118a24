//! The topics that the applied text reads: that each is there, is still the one that was read, and keeps records long
//! enough for who comes late.

use super::Finding;
use super::finding::{listed, value};
use crate::Config;
use crate::sources::{Doubt, Lag, lags, prove};
use store::{KafkaSettings, SourceRow, Store, TopicCondition, TopicReader};
use workflow::Program;
use workflow::program::TopicSource;

/// A topic that forgets sooner loses records over a long weekend on which nobody reads it.
const RETENTION_MIN_MILLIS: i64 = 4 * 24 * 3_600 * 1_000;

type Told<'t> = &'t mut (dyn FnMut(Finding) + Send);

/// Looks at each topic; nothing is read on, and nothing is kept.
pub(super) async fn examine(config: &Config, store: &Store, program: &Program, told: Told<'_>) {
    let rows = match store.sources().await {
        Ok(rows) => rows,
        Err(why) => {
            told(Finding::bad("sources", why.to_string(), "see what is said"));
            return;
        }
    };
    for (name, source) in &program.sources {
        let what: Box<str> = format!("source {name}").into();
        let Some(settings) = config.source(&source.topic) else {
            let help = "sources.kafka.brokers, or log.kafka.brokers";
            told(Finding::bad(
                what,
                "no brokers are known: nobody reads it",
                help,
            ));
            continue;
        };
        let row = rows.iter().find(|row| *row.source.name == **name);
        topic(&what, (source, &settings), row, told).await;
    }
}

async fn topic(
    what: &str,
    (source, settings): (&TopicSource, &KafkaSettings),
    row: Option<&SourceRow>,
    told: Told<'_>,
) {
    let condition = match TopicCondition::of(settings).await {
        Ok(condition) => condition,
        Err(why) => {
            let help =
                "is the address right, is the broker there, may this user describe the topic?";
            told(Finding::bad(what, why.to_string(), help));
            return;
        }
    };
    judge(what, &source.topic, &condition, told);
    // One that names another topic now begins anew there; of one of which nothing was read yet nothing can be proved.
    let row = row.filter(|row| row.source.topic == source.topic);
    match row.filter(|row| row.halted.is_some() || !row.positions.is_empty()) {
        None => told(Finding::note(
            what,
            "it was never read yet",
            "it is, once `sottaku serve` runs with `ingest` among its roles",
        )),
        Some(row) => match place(settings, row).await {
            Ok(lags) => told(standing(what, row, &lags)),
            Err(why) => told(Finding::bad(what, why.to_string(), "see what is said")),
        },
    }
}

/// How far it is, if its topic is surely the one that was read.
async fn place(settings: &KafkaSettings, row: &SourceRow) -> Result<Vec<Lag>, Doubt> {
    let reader = TopicReader::open(settings, "doctor").await?;
    let layout = reader.layout().await?;
    prove(&reader, row, &layout).await?;
    Ok(lags(&row.positions, &layout))
}

fn standing(what: &str, row: &SourceRow, lags: &[Lag]) -> Finding {
    if let Some(why) = &row.halted {
        let help = "sottaku source resume, once it is clear why";
        return Finding::bad(what, format!("it is halted: {why}"), help);
    }
    let behind = lags
        .iter()
        .filter_map(|lag| Some(lag.ends?.high.saturating_sub(lag.next)));
    let behind: u64 = behind.sum();
    let says = format!("the topic is the one that was read; {behind} records are still to be read");
    Finding::good(what, says)
}

fn judge(what: &str, name: &str, topic: &TopicCondition, told: Told<'_>) {
    let says = format!(
        "topic {name}: {} partitions, {} replicas; {}",
        topic.partitions,
        topic.replicas,
        listed(&topic.settings)
    );
    told(Finding::good(what, says));
    let of = |name: &str| value(&topic.settings, name);
    let kept = of("retention.ms").and_then(|kept| kept.parse::<i64>().ok());
    let forgets = of("cleanup.policy").is_none_or(|policy| policy.contains("delete"));
    if forgets && kept.is_some_and(|kept| (0..RETENTION_MIN_MILLIS).contains(&kept)) {
        told(Finding::note(
            what,
            "records are kept for less than 4 days: what nobody read over a long weekend is gone, and the source halts",
            "a longer retention.ms",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;
    use jiff::Timestamp;
    use store::{NewSource, PartitionEnds};

    #[test]
    fn a_topic_that_forgets_over_a_weekend_is_told() {
        for (settings, notes) in [
            (vec![("retention.ms", "604800000")], 0),
            (vec![("retention.ms", "86400000")], 1),
            (vec![("retention.ms", "-1")], 0),
            (
                vec![("cleanup.policy", "compact"), ("retention.ms", "1")],
                0,
            ),
            (
                vec![("cleanup.policy", "compact,delete"), ("retention.ms", "1")],
                1,
            ),
        ] {
            let told = settings.iter();
            let told = told.map(|(name, value)| ((*name).into(), (*value).into()));
            let topic = TopicCondition {
                partitions: 2,
                replicas: 1,
                settings: told.collect(),
            };
            let mut found = Vec::new();
            judge("source crm", "crm", &topic, &mut |one| {
                found.push(one.state)
            });
            let noted = found.iter().filter(|state| **state == State::Note);
            assert_eq!(noted.count(), notes, "{settings:?}");
        }
    }

    #[test]
    fn how_far_a_source_is_and_why_it_is_halted_is_told() {
        let row = |halted: Option<&str>| SourceRow {
            source: NewSource {
                name: "crm".into(),
                topic: "crm".into(),
                topic_id: "1".into(),
            },
            since: Timestamp::UNIX_EPOCH,
            owner: None,
            epoch: 1,
            lease_until: Timestamp::UNIX_EPOCH,
            halted: halted.map(Into::into),
            copied_until: Timestamp::UNIX_EPOCH,
            positions: Vec::new(),
        };
        let lag = |partition, next, high| Lag {
            partition,
            next,
            ends: Some(PartitionEnds {
                partition,
                low: 0,
                high,
            }),
        };
        let lags = [lag(0, 5, 9), lag(1, 3, 3)];
        let found = standing("source crm", &row(None), &lags);
        assert_eq!(found.state, State::Good);
        assert!(
            found.says.contains("; 4 records are still"),
            "{}",
            found.says
        );
        let found = standing("source crm", &row(Some("made anew")), &lags);
        assert_eq!(found.state, State::Bad);
        assert!(found.says.ends_with("made anew"), "{}", found.says);
    }
}
