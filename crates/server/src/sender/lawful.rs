//! What a mail that can be left says beside its words: where to leave, and who sends it.

use crate::leave::{LinkError, Ticket};
use crate::shared::Shared;
use model::{Outgoing, Purpose};
use outreach::render::Footer;
use outreach::render::legal::{self, Legal};
use store::Claimed;
use workflow::Program;

/// Where links lead in captured mode when no address of ours is set: nowhere (RFC 2606).
const NOWHERE: &str = "https://public-url.invalid";

/// What is added to a mail that can be left.
pub(super) struct Lawful {
    /// Where to leave.
    pub(super) unsubscribe: String,
    /// What stands below its words; none only in captured mode, where no sender is set.
    pub(super) footer: Option<Footer>,
}

/// Why a mail that can be left must not leave.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unlawful {
    /// Nobody could unsubscribe.
    #[error("`public_url` is not set, so nobody could unsubscribe from the topic {0}")]
    NoAddress(Box<str>),
    /// Nobody would know who writes.
    #[error(
        "`sender` is not set among the policies, so a mail of the topic {0} would not say who writes"
    )]
    NoSender(Box<str>),
    /// Nobody could say what they leave.
    #[error("it can be left, and has no topic to leave")]
    NoTopic,
    /// The link can't be made.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// What is added to a mail; none where nothing can be left.
pub(super) async fn lawful(
    shared: &Shared,
    program: &Program,
    claimed: &Claimed,
) -> Result<Option<Lawful>, Unlawful> {
    let outgoing = &claimed.outgoing;
    let can_be_left = matches!(
        outgoing.purpose,
        Some(Purpose::Service | Purpose::Promotional)
    );
    if can_be_left && outgoing.topic.is_none() && !shared.means.is_captured {
        return Err(Unlawful::NoTopic);
    }
    let key = claimed.addresses.first().copied();
    let key = key.or_else(|| recipient(shared, outgoing));
    let Some(ticket) = key.and_then(|key| Ticket::of(outgoing, key)) else {
        return Ok(None);
    };
    let title = program.topic_title(&ticket.topic, &ticket.locale);
    let is_captured = shared.means.is_captured;
    let base = match shared.config.public_url.as_deref() {
        Some(base) => base,
        None if is_captured => NOWHERE,
        None => return Err(Unlawful::NoAddress(title.into())),
    };
    if program.sender.is_none() && !is_captured {
        return Err(Unlawful::NoSender(title.into()));
    }
    let unsubscribe = format!("{base}/u/{}", ticket.sign(shared).await?);
    let footer = program.sender.as_ref().map(|sender| {
        legal::footer(&Legal {
            jurisdiction: shared.config.jurisdiction,
            name: &sender.name,
            postal_address: &sender.postal_address,
            contact: &sender.contact,
            topic: title,
            is_promotional: outgoing.purpose == Some(Purpose::Promotional),
            unsubscribe: &unsubscribe,
            locale: &ticket.locale,
        })
    });
    Ok(Some(Lawful {
        unsubscribe,
        footer,
    }))
}

fn recipient(shared: &Shared, outgoing: &Outgoing) -> Option<store::AddressKey> {
    match &outgoing.channel {
        model::Channel::Email { to, .. } => Some(shared.address(&to.address)),
        model::Channel::Route { .. } | model::Channel::Webhook { .. } => None,
    }
}
