//! Calls of webhooks: made ready from the policies and the settings, signed, and made; who is gone is not called again.

use super::deliver::{MEANSLESS_WAIT, later};
use super::fate::Ending;
use super::hand_over::Ready;
use super::means::Means;
use crate::active;
use crate::shared::Shared;
use model::Outgoing;
use outreach::Fate;
use outreach::webhook::{self, Key, Letter};
use std::time::Duration;
use store::{Outcome, Switch};

/// A call made ready.
pub(super) struct Call<'m> {
    pub(super) name: &'m str,
    pub(super) url: Box<str>,
    pub(super) body: String,
}

/// Finds where the call goes; or says how the claim ends instead.
pub(super) async fn ready<'m>(
    shared: &Shared,
    means: &Means,
    (outgoing, name): (&'m Outgoing, &'m str),
) -> Result<Ready<'m>, Ending> {
    let body = outgoing.view.to_string();
    let mut call = Call {
        name,
        url: "".into(),
        body,
    };
    if means.is_captured {
        return Ok(Ready::Call(call));
    }
    let unusable = |why: active::Unusable| later(shared, Duration::from_secs(5), why.to_string());
    let waits = |why: String| {
        shared.status.without_means(&why);
        later(shared, MEANSLESS_WAIT, why)
    };
    let active = active::present(shared, false).await.map_err(unusable)?;
    let Some(policy) = active.program.webhooks.get(name) else {
        return Err(waits(format!("webhook {name} is not among the policies")));
    };
    let unsigned = format!("webhook {name} has no `webhooks.{name}.secret` in the settings");
    if policy.secret.is_some() && means.keys(name).is_empty() {
        return Err(waits(unsigned));
    }
    shared.status.with_means(&unsigned);
    call.url = policy.url.clone();
    let gone = shared.store.switch(&Switch::of_webhook(name)).await;
    let gone =
        gone.map_err(|failure| later(shared, Duration::from_secs(5), failure.to_string()))?;
    if gone.is_some_and(|switch| !switch.is_on && switch.note == gone_note(&call.url)) {
        let why = format!("webhook {name} answered 410 Gone; `sottaku webhook enable {name}`");
        return Err(waits(why));
    }
    match means.endpoints.may(name, shared.clock.now()) {
        Ok(()) => Ok(Ready::Call(call)),
        Err(until) => Err(Ending {
            outcome: Outcome::Deferred(until),
            detail: format!("webhook {name} fails; it is left alone for a while").into(),
        }),
    }
}

/// Makes the call, and takes note of how the endpoint does.
pub(super) async fn make(
    shared: &Shared,
    means: &Means,
    outgoing: &Outgoing,
    call: &Call<'_>,
) -> Fate {
    let Some(egress) = &means.egress else {
        return Fate::NotPermitted;
    };
    let keys: &[Key] = means.keys(call.name);
    let fate = webhook::call(
        egress,
        Letter {
            url: &call.url,
            id: outgoing.message.as_str(),
            at: shared.clock.now().as_second(),
            body: &call.body,
            keys,
        },
    )
    .await;
    let is_good = matches!(fate, Fate::Sent { .. });
    means.endpoints.note(call.name, is_good, shared.clock.now());
    if let Fate::Refused { .. } = fate {
        leave(shared, call).await;
    }
    fate
}

/// Nobody is called any more who said to be gone, until a person or another address says otherwise.
async fn leave(shared: &Shared, call: &Call<'_>) {
    let name = call.name;
    let switch = Switch {
        name: Switch::of_webhook(name).into(),
        is_on: false,
        at: shared.clock.now(),
        note: gone_note(&call.url),
    };
    match shared.store.set_switch(switch).await {
        Ok(()) => tracing::error!(
            webhook = name,
            "the webhook answered 410 Gone; its messages wait until it is enabled again"
        ),
        Err(failure) => tracing::warn!(
            webhook = name,
            %failure,
            "the webhook answered 410 Gone, which could not be kept; it is called again"
        ),
    }
}

/// What is noted of one that is gone: the address is in it, so that another address is another endpoint.
fn gone_note(url: &str) -> Box<str> {
    let hash = blake3::hash(url.as_bytes()).to_hex();
    format!("answered 410 Gone at the address {}", &hash[..16]).into()
}
