//! From a message made ready to its fate: by mail, by post, by call. What leaves asks for its permit just before.

use super::means::Means;
use crate::shared::Shared;
use model::Outgoing;
use model::message::Target;
use outreach::Fate;
use outreach::mail::Mail;
use outreach::render::{RenderedMail, RenderedPost};
use std::time::Duration;
use store::{Captured, Claimed};
use tokio::time::sleep;

/// How often the attempt row is asked for when the store does not answer.
const TRIES_MAX: u32 = 6;

/// A message made ready to leave.
pub(super) enum Ready<'m> {
    Mail(Box<Mail>, RenderedMail),
    Post(&'m Target, RenderedPost),
    /// A webhook's name and body.
    Call(&'m str, String),
}

/// Hands over what is ready.
pub(super) async fn hand_over(
    shared: &Shared,
    means: &Means,
    claimed: &Claimed,
    ready: Ready<'_>,
) -> Fate {
    match ready {
        Ready::Call(..) => Fate::NotPermitted,
        Ready::Mail(mail, _) => send_mail(shared, means, claimed, &mail).await,
        Ready::Post(target, post) => send_post(shared, means, claimed, (target, &post)).await,
    }
}

/// Sends the mail over a connection to the mail server.
async fn send_mail(shared: &Shared, means: &Means, claimed: &Claimed, mail: &Mail) -> Fate {
    match &means.smtp {
        Some(smtp) => {
            smtp.hand_over(&mail.envelope, &mail.bytes, || permit(shared, claimed))
                .await
        }
        None => Fate::NotPermitted,
    }
}

/// Posts to the channel that was chosen.
async fn send_post(
    shared: &Shared,
    means: &Means,
    claimed: &Claimed,
    (target, post): (&Target, &RenderedPost),
) -> Fate {
    let webhook = match target {
        Target::Channel(channel) => means.channels.get(channel),
        Target::Slack(_) | Target::Email(_) => None,
    };
    let (Some(slack), Some(webhook)) = (&means.slack, webhook) else {
        return Fate::NotPermitted;
    };
    if !permit(shared, claimed).await {
        return Fate::NotPermitted;
    }
    slack.post(webhook, &post.payload()).await
}

/// Asked just before the bytes leave: the attempt row is written, and the claim is still ours.
async fn permit(shared: &Shared, claimed: &Claimed) -> bool {
    let n = claimed.attempts + 1;
    for _ in 0..TRIES_MAX {
        let now = shared.clock.now();
        match shared.store.attempt(&claimed.claim, n, now).await {
            // The attempt and this question are two reads of one truth: between them a switch may have been thrown.
            Ok(true) => {
                return shared
                    .store
                    .may_send(&claimed.claim, now)
                    .await
                    .unwrap_or(false);
            }
            Ok(false) => return false,
            Err(failure) => {
                let message = &claimed.claim.message;
                tracing::warn!(%message, %failure, "the attempt could not be written; trying again");
                sleep(Duration::from_millis(200)).await;
            }
        }
    }
    false
}

/// What captured mode keeps of it.
pub(super) fn capture(shared: &Shared, outgoing: &Outgoing, ready: Ready<'_>) -> Captured {
    let (channel, to, subject, body) = match ready {
        Ready::Mail(mail, words) => (
            "email",
            mail.envelope.to.to_string(),
            words.subject,
            mail.bytes,
        ),
        Ready::Post(target, post) => {
            let (Target::Slack(to) | Target::Channel(to) | Target::Email(to)) = target;
            let first = post.text.lines().next().unwrap_or_default().to_owned();
            (
                "slack",
                to.to_string(),
                first,
                post.payload().to_string().into_bytes(),
            )
        }
        Ready::Call(name, body) => (
            "webhook",
            name.to_owned(),
            name.to_owned(),
            body.into_bytes(),
        ),
    };
    Captured {
        message: outgoing.message.clone(),
        at: shared.clock.now(),
        channel: channel.into(),
        to: to.into(),
        subject: subject.into(),
        body,
    }
}
