//! Digests: what waits for the same moment and the same colleague is said in one post, and each message keeps its own
//! claim, permit and fate. They are gathered here, when they are handed over, from all shards of the process.

use super::means::Means;
use super::post;
use super::under_way::UnderWay;
use crate::active::{self, Active};
use crate::shared::Shared;
use jiff::Timestamp;
use model::{Channel, Outgoing, Target};
use outreach::{Fate, Phase, teams};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::ClockMode;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How long the first of a digest waits for the others.
const GATHER_TIME: Duration = Duration::from_secs(1);
/// The most blocks of one post; Slack takes 50.
const BLOCKS_MAX: usize = 48;

/// What is being gathered, by whom it goes to and the moment it was due.
#[derive(Debug, Default)]
pub(super) struct Digests(Mutex<BTreeMap<Due, Vec<Item>>>);

/// To whom, and when it was due.
type Due = (Box<str>, Timestamp);

/// One message of a digest.
#[derive(Debug)]
struct Item {
    claimed: Arc<UnderWay>,
    part: Part,
    told: oneshot::Sender<Fate>,
}

/// What it says, and under which title.
#[derive(Debug)]
struct Part {
    title: Box<str>,
    payload: Value,
}

/// Whether a message is one of a digest: a post for a route that was decided to wait. Under the log clock nothing waits.
pub(super) fn is_part(shared: &Shared, outgoing: &Outgoing) -> bool {
    if shared.store.clock() == ClockMode::Log {
        return false;
    }
    let decided_at = outgoing.view["_"]["at"].as_str();
    let decided_at = decided_at.and_then(|at| at.parse::<Timestamp>().ok());
    let is_route = matches!(outgoing.channel, Channel::Route { .. });
    is_route && decided_at.is_some_and(|at| outgoing.not_before > at)
}

/// Hands one message over together with the others of its digest.
pub(super) async fn send(
    shared: &Shared,
    claimed: &Arc<UnderWay>,
    (target, payload): (&Target, Value),
) -> Fate {
    let (told, fate) = oneshot::channel();
    let text = active::decided(shared, claimed.revision).await.ok();
    let item = Item {
        claimed: Arc::clone(claimed),
        part: Part {
            title: title(text.as_deref(), &claimed.outgoing),
            payload,
        },
        told,
    };
    let key = (name(target), claimed.outgoing.not_before);
    if shared.means.digests.add(&key, item) {
        // Not of this message's own task: that may be cut off, and then the others would not know.
        tokio::spawn(gather(shared.clone(), target.clone(), key));
    }
    fate.await.unwrap_or(Fate::Unknown {
        phase: Phase::Body,
        why: "the digest it stood in was cut off".into(),
    })
}

/// What a message stands under in the text that decided it: its topic, or its workflow where that has none.
fn title(text: Option<&Active>, outgoing: &Outgoing) -> Box<str> {
    let program = text.map(|active| &active.program);
    let workflow = program.and_then(|program| {
        let mut all = program.workflows.iter();
        all.find(|workflow| workflow.name == outgoing.workflow)
    });
    let topic = workflow.and_then(|workflow| workflow.topic.as_ref());
    let title = program
        .zip(topic)
        .filter(|(all, name)| all.topics.contains_key(*name))
        .map(|(all, name)| all.topic_title(name, &all.defaults.locale));
    let title = title.or(workflow.map(|workflow| &*workflow.title));
    title.unwrap_or(&outgoing.workflow).into()
}

/// A target as one word.
fn name(target: &Target) -> Box<str> {
    match target {
        Target::Slack(name) | Target::Channel(name) => format!("slack {name}").into(),
        Target::Teams(name) => format!("teams {name}").into(),
        Target::Email(name) => format!("email {name}").into(),
    }
}

impl Digests {
    /// Adds an item; true if it is the first.
    fn add(&self, key: &(Box<str>, Timestamp), item: Item) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let items = all.entry(key.clone()).or_default();
        items.push(item);
        items.len() == 1
    }

    fn take(&self, key: &(Box<str>, Timestamp)) -> Vec<Item> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(key).unwrap_or_default()
    }
}

async fn gather(shared: Shared, target: Target, key: (Box<str>, Timestamp)) {
    sleep(GATHER_TIME).await;
    let mut items = shared.means.digests.take(&key);
    items.sort_by(|a, b| {
        let place = |item: &Item| {
            let outgoing = &item.claimed.outgoing;
            (
                item.part.title.clone(),
                outgoing.account.clone(),
                outgoing.message.to_string(),
            )
        };
        place(a).cmp(&place(b))
    });
    let means = Arc::clone(&shared.means);
    while !items.is_empty() {
        let count = fitting(items.iter().map(|item| &item.part));
        let rest = items.split_off(count);
        let part = std::mem::replace(&mut items, rest);
        hand_over(&shared, &means, &target, part).await;
    }
}

/// How many of the items fit into one post; at least one.
fn fitting<'p>(parts: impl Iterator<Item = &'p Part>) -> usize {
    let mut blocks = 0;
    let mut title = None;
    let mut count = 0;
    for part in parts {
        blocks += blocks_of(&part.payload).len();
        if title.replace(&part.title) != Some(&part.title) {
            blocks += 1;
        }
        if count > 0 && blocks > BLOCKS_MAX {
            break;
        }
        count += 1;
    }
    count
}

async fn hand_over(shared: &Shared, means: &Means, target: &Target, items: Vec<Item>) {
    let claims: Vec<&UnderWay> = items.iter().map(|item| &*item.claimed).collect();
    let payload = |permits: &[bool]| {
        let permitted = items.iter().zip(permits).filter(|(_, is)| **is);
        let parts: Vec<&Part> = permitted.map(|(item, _)| &item.part).collect();
        joined(&parts)
    };
    let fates = post::send(shared, means, &claims, (target, payload)).await;
    drop(claims);
    for (item, fate) in items.into_iter().zip(fates) {
        // Who does not listen any more was cut off, and its next sender settles it.
        drop(item.told.send(fate));
    }
}

/// One payload of all, each topic under its title.
fn joined(parts: &[&Part]) -> Value {
    if let [one] = parts {
        return one.payload.clone();
    }
    if parts
        .iter()
        .any(|part| !teams::blocks(&part.payload).is_empty())
    {
        let cards = parts.iter().map(|part| (&*part.title, &part.payload));
        return teams::joined(&cards.collect::<Vec<_>>());
    }
    let mut blocks: Vec<Value> = Vec::new();
    let mut text = String::new();
    let mut title = None;
    for part in parts {
        if title.replace(&part.title) != Some(&part.title) {
            let short: String = part.title.chars().take(150).collect();
            let words = json!({ "type": "plain_text", "text": short });
            blocks.push(json!({ "type": "header", "text": words }));
            text.push_str(&outreach::slack::escaped(&part.title));
            text.push('\n');
        }
        blocks.extend(blocks_of(&part.payload).iter().cloned());
    }
    json!({ "text": text.trim_end(), "blocks": blocks })
}

fn blocks_of(payload: &Value) -> &[Value] {
    match payload["blocks"].as_array() {
        Some(blocks) => blocks,
        None => teams::blocks(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(count: usize, blocks: usize) -> Vec<Part> {
        let part = |n: usize| Part {
            title: if n < count / 2 { "A <!here>" } else { "B" }.into(),
            payload: json!({ "text": "x", "blocks": vec![json!({ "n": n }); blocks] }),
        };
        (0..count).map(part).collect()
    }

    #[test]
    fn a_digest_has_a_title_for_each_topic_and_fits_into_a_post() {
        let joined_of = |parts: &[Part]| super::joined(&parts.iter().collect::<Vec<_>>());
        let joined = joined_of(&parts(4, 1));
        let kinds: Vec<&str> = joined["blocks"]
            .as_array()
            .expect("blocks")
            .iter()
            .map(|block| block["type"].as_str().unwrap_or("item"))
            .collect();
        assert_eq!(kinds, ["header", "item", "item", "header", "item", "item"]);
        assert_eq!(joined["text"], "A &lt;!here&gt;\nB");
        assert_eq!(joined_of(&parts(1, 3))["blocks"][0]["n"], 0);
        assert_eq!(fitting(parts(4, 1).iter()), 4);
        assert_eq!(fitting(parts(2, 50).iter()), 1);
        assert_eq!(fitting(parts(100, 2).iter()), 23);
    }
}
