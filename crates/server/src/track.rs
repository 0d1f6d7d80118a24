//! What is noticed of readers: links that lead by way of this server, and an image that tells when a mail is looked
//! at. A token holds the message and where the link leads, so that nothing can be made to lead elsewhere.

use crate::returns::{packed, unpacked};
use crate::shared::Shared;
use ingest::mail::Purpose;
use model::{Channel, MessageId, Outgoing};
use outreach::links;
use outreach::seal::Use;
use store::Failure;

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
    }
    if tracking.opens
        && let Some(token) = token("")
    {
        html = links::with_image(&html, &format!("{base}/o/{token}"));
    }
    Ok(html)
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
