//! What is noticed of readers: links that lead by way of this server, and an image that tells when a mail is looked
//! at. Machines on the way follow every link and look at every image: what they do is kept apart from what people do. A token holds the message and where the link leads, so that nothing can be made to lead elsewhere.

use crate::returns::{packed, unpacked};
use crate::shared::Shared;
use ingest::mail::Purpose;
use jiff::SignedDuration;
use model::{Channel, DeliveryState, MessageId, Outgoing};
use outreach::links;
use outreach::seal::Use;
use store::Failure;

/// What the link that no person sees leads to; no address that could stand in a mail.
pub(crate) const NOWHERE: &str = " ";

/// Weaves what the settings ask for into the page of a mail.
pub(crate) async fn weave(
    shared: &Shared,
    outgoing: &Outgoing,
    html: String,
) -> Result<String, Failure> {
    let tracking = shared.config.tracking;
    let is_wanted = tracking.opens || tracking.clicks;
    let Channel::Email { .. } = outgoing.channel else {
        return Ok(html);
    };
    let packed = packed(&outgoing.message, Purpose::Bounce);
    let (Some(base), Some(packed)) = (shared.config.public_url.as_deref(), packed) else {
        return Ok(html);
    };
    if !is_wanted {
        return Ok(html);
    }
    let seal = shared.seals.present().await?;
    let token = |url: &str| {
        let payload = [&packed[..], url.as_bytes()].concat();
        // A link that is too long to be signed stays as it is.
        seal.sign(Use::Click, &payload).ok()
    };
    let mut html = html;
    if tracking.clicks {
        html = links::lead(&html, |url| {
            let is_ours = url
                .strip_prefix(base)
                .is_some_and(|rest| rest.starts_with('/'));
            let token = if is_ours { None } else { token(url) };
            token.map(|token| format!("{base}/c/{token}"))
        });
        if let Some(token) = token(NOWHERE) {
            html = links::with_hidden(&html, &format!("{base}/c/{token}"));
        }
    }
    if tracking.opens
        && let Some(token) = token("")
    {
        html = links::with_image(&html, &format!("{base}/o/{token}"));
    }
    Ok(html)
}

/// How sure it is that a person followed a link or looked at a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HumanConfidence {
    /// Nothing speaks against it.
    High,
    /// The mail left just now, or something follows all of its links.
    Low,
}

/// How sure it is that what was noticed of a message comes from a person.
pub(crate) async fn human_confidence(
    shared: &Shared,
    message: &MessageId,
) -> Result<HumanConfidence, Failure> {
    let Some((delivery, _)) = shared.store.delivery(message).await? else {
        return Ok(HumanConfidence::Low);
    };
    let age = shared.clock.now().duration_since(delivery.updated_at);
    let within = SignedDuration::try_from(shared.config.tracking.machines_within);
    let is_early = age < within.unwrap_or(SignedDuration::MAX);
    let is_sent = delivery.state == DeliveryState::Sent;
    if !is_sent || is_early || shared.store.is_scanned(message).await? {
        return Ok(HumanConfidence::Low);
    }
    Ok(HumanConfidence::High)
}

/// The message of a token and where its link leads; nowhere, for the image.
pub(crate) async fn read(
    shared: &Shared,
    token: &str,
) -> Result<Option<(MessageId, String)>, Failure> {
    let opened = shared.seals.open(Use::Click, token).await?;
    Ok(opened.and_then(|payload| {
        let (packed, url) = payload.split_at_checked(17)?;
        let (message, _) = unpacked(packed)?;
        Some((message, String::from_utf8(url.to_vec()).ok()?))
    }))
}
