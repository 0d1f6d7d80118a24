//! Posts to colleagues: to Slack by an incoming webhook or as a bot, to Teams; each channel at its pace.

use super::hand_over::permit;
use super::means::Means;
use super::pace::WAIT_MAX;
use super::under_way::UnderWay;
use crate::shared::Shared;
use model::message::Content;
use model::{Outgoing, Target};
use outreach::egress::Egress;
use outreach::slack::Bot;
use outreach::slack::actions::{Button, with_buttons};
use outreach::{Fate, Phase, teams};
use serde_json::Value;
use tokio::time::sleep;

/// Hands a post over for the messages that it speaks for, and says what became of each. Its payload, as Slack or Teams
/// reads it, is made of those that are permitted.
pub(super) async fn send(
    shared: &Shared,
    means: &Means,
    all: &[&UnderWay],
    (target, payload): (&Target, impl Fn(&[bool]) -> Value),
) -> Vec<Fate> {
    let each = |fate: Fate| vec![fate; all.len()];
    let Some(egress) = &means.egress else {
        return each(Fate::NotPermitted);
    };
    let way = match way(shared, means, egress, target).await {
        Ok(way) => way,
        Err(fate) => return each(fate),
    };
    if let Err(fate) = wait_for_turn(shared, means, way.name()).await {
        return each(fate);
    }
    let mut permits = Vec::with_capacity(all.len());
    for claimed in all {
        permits.push(permit(shared, claimed).await);
    }
    if !permits.contains(&true) {
        return each(Fate::NotPermitted);
    }
    let payload = payload(&permits);
    let fate = match &way {
        Way::Incoming(_, incoming) => incoming.post(egress, &payload).await,
        Way::Teams(_, incoming) => teams::post(egress, incoming, &payload).await,
        Way::Bot(bot, whom) => as_bot(shared, (egress, bot), (whom, all), &payload).await,
    };
    if let Fate::Deferred {
        code: 429,
        retry_after: Some(pause),
        ..
    } = &fate
    {
        means.pace.pause(way.name(), shared.clock.now(), *pause);
    }
    let fates = permits.into_iter();
    fates
        .map(|is_permitted| {
            if is_permitted {
                fate.clone()
            } else {
                Fate::NotPermitted
            }
        })
        .collect()
}

/// How a target is reached.
enum Way<'m> {
    Incoming(&'m str, &'m outreach::slack::Incoming),
    Teams(&'m str, &'m outreach::slack::Incoming),
    Bot(&'m Bot, Box<str>),
}

impl Way<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Incoming(name, _) | Self::Teams(name, _) => name,
            Self::Bot(_, whom) => whom,
        }
    }
}

async fn way<'m>(
    shared: &Shared,
    means: &'m Means,
    egress: &Egress,
    target: &'m Target,
) -> Result<Way<'m>, Fate> {
    let name = match target {
        Target::Channel(name) => match means.channels.get(name) {
            Some(incoming) => return Ok(Way::Incoming(name, incoming)),
            None => name,
        },
        Target::Teams(name) => {
            let incoming = means.teams.get(name).ok_or(Fate::NotPermitted)?;
            return Ok(Way::Teams(name, incoming));
        }
        Target::Slack(name) => name,
        Target::Email(_) => return Err(Fate::NotPermitted),
    };
    let bot = means.bot.as_ref().ok_or(Fate::NotPermitted)?;
    let found = means.people.find((egress, bot), name, shared.clock.now());
    match found.await? {
        Some(id) => Ok(Way::Bot(bot, id)),
        None => Err(Fate::Refused {
            phase: Phase::Recipient,
            code: 404,
            text: "Slack knows nobody with this address".into(),
            recipient: None,
        }),
    }
}

async fn wait_for_turn(shared: &Shared, means: &Means, channel: &str) -> Result<(), Fate> {
    match means.pace.turn(channel, shared.clock.now()) {
        Ok(wait) => {
            if !wait.is_zero() {
                sleep(wait.min(WAIT_MAX)).await;
            }
            Ok(())
        }
        Err(wait) => Err(Fate::Deferred {
            phase: Phase::Connect,
            code: 429,
            text: "held back: one post a second in each channel".into(),
            retry_after: Some(wait),
        }),
    }
}

/// Posts as the bot. A run has one thread in each channel: its first post, and the others below it.
async fn as_bot(
    shared: &Shared,
    (egress, bot): (&Egress, &Bot),
    (whom, all): (&str, &[&UnderWay]),
    payload: &Value,
) -> Fate {
    let run = match all {
        [one] => Some(&one.outgoing.run),
        [] | [..] => None,
    };
    let thread = match run {
        Some(run) => shared.store.thread(run, whom).await,
        None => Ok(None),
    };
    let thread = match thread {
        Ok(thread) => thread,
        // The post matters more than its place.
        Err(failure) => {
            tracing::warn!(%failure, "a run's thread could not be read; its post stands alone");
            None
        }
    };
    let said = bot.post(egress, (whom, thread.as_deref()), payload).await;
    if let (Some(run), None, Some((_, ts))) = (run, &thread, &said.place)
        && let Err(failure) = shared.store.keep_thread(run, whom, ts).await
    {
        tracing::warn!(%failure, "a run's thread could not be kept; its next post stands alone");
    }
    said.fate
}

/// The payload of a message for Slack: with buttons where somebody is asked and can be heard.
pub(super) fn with_answers(means: &Means, outgoing: &Outgoing, payload: Value) -> Value {
    let (buttons, task): (&[Button], _) = match &outgoing.content {
        Content::Ask { task, .. } => (&Button::OF_ASK, task),
        Content::Task { task, .. } => (&Button::OF_TASK, task),
        Content::Template { .. }
        | Content::Text(_)
        | Content::Nobody { .. }
        | Content::Complained { .. }
        | Content::Webhook => return payload,
    };
    if !means.hears_buttons {
        return payload;
    }
    let zone = outgoing.view["_"]["timezone"].as_str();
    let locale = match &outgoing.content {
        Content::Ask { locale, .. } => locale.starts_with("ja"),
        Content::Template { .. }
        | Content::Text(_)
        | Content::Nobody { .. }
        | Content::Complained { .. }
        | Content::Task { .. }
        | Content::Webhook => zone == Some("Asia/Tokyo"),
    };
    with_buttons(&payload, buttons, task, locale)
}
