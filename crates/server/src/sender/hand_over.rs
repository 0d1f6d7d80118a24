//! From a message made ready to its fate: by mail, by post, by call. What leaves asks for its permit just before.

use super::call::{self, Call};
use super::digest;
use super::means::Means;
use super::post;
use super::under_way::UnderWay;
use crate::shared::Shared;
use model::Outgoing;
use model::message::Target;
use outreach::Fate;
use outreach::mail::Mail;
use outreach::render::RenderedMail;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use store::Captured;
use tokio::time::sleep;

/// How often the attempt row is asked for when the store does not answer.
const TRIES_MAX: u32 = 6;

/// A message made ready to leave.
pub(super) enum Ready<'m> {
    Mail(Box<Mail>, RenderedMail),
    Post(&'m Target, Value),
    Call(Call<'m>),
}

/// Hands over what is ready. What is no mail has its place apart: mails are many, and shall not be as large as calls.
pub(super) async fn hand_over(
    shared: &Shared,
    means: &Means,
    claimed: &Arc<UnderWay>,
    ready: Ready<'_>,
) -> Fate {
    match ready {
        Ready::Call(call) => {
            if !permit(shared, claimed).await {
                return Fate::NotPermitted;
            }
            Box::pin(call::make(shared, means, &claimed.outgoing, &call)).await
        }
        Ready::Mail(mail, _) => send_mail(shared, means, claimed, &mail).await,
        Ready::Post(target, payload) if digest::is_part(shared, &claimed.outgoing) => {
            Box::pin(digest::send(shared, claimed, (target, payload))).await
        }
        Ready::Post(target, payload) => {
            let payload = post::with_answers(means, &claimed.outgoing, payload);
            let whole = |_: &[bool]| payload.clone();
            let all: [&UnderWay; 1] = [claimed];
            let fates = Box::pin(post::send(shared, means, &all, (target, whole))).await;
            fates.into_iter().next().unwrap_or(Fate::NotPermitted)
        }
    }
}

/// Sends the mail over a connection to the mail server.
async fn send_mail(shared: &Shared, means: &Means, claimed: &UnderWay, mail: &Mail) -> Fate {
    match means.servers.of(&mail.from) {
        Some(server) => {
            let connections = &server.connections;
            connections
                .hand_over(&mail.envelope, &mail.bytes, || permit(shared, claimed))
                .await
        }
        None => Fate::NotPermitted,
    }
}

/// Asked just before the bytes leave: the attempt row is written, and with it the gate was asked once more. Asked again,
/// because that is some time ago, the gate alone.
pub(super) async fn permit(shared: &Shared, claimed: &UnderWay) -> bool {
    if claimed.has_begun() {
        let asked = shared.store.may_send(&claimed.claim, shared.clock.now());
        return asked.await.unwrap_or(false);
    }
    if !claimed.begin() {
        return false;
    }
    let n = claimed.attempts + 1;
    for _ in 0..TRIES_MAX {
        let now = shared.clock.now();
        match shared.store.attempt(&claimed.claim, n, now).await {
            Ok(is_given) => return is_given,
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
        Ready::Post(target, payload) => {
            let (channel, to) = match target {
                Target::Slack(to) | Target::Channel(to) => ("slack", to),
                Target::Teams(to) => ("teams", to),
                Target::Email(to) => ("email", to),
            };
            let card = &payload["attachments"][0]["content"]["body"][0]["inlines"][0]["text"];
            let text = payload["text"].as_str().or(card.as_str());
            let first = text.and_then(|text| text.lines().next());
            let first = first.unwrap_or_default().to_owned();
            (
                channel,
                to.to_string(),
                first,
                payload.to_string().into_bytes(),
            )
        }
        Ready::Call(call) => (
            "webhook",
            call.name.to_owned(),
            call.name.to_owned(),
            call.body.into_bytes(),
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
