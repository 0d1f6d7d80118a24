//! The letter that a message becomes: to its own recipient, or to a route's address.

use crate::shared::Shared;
use model::message::{Channel, Target};
use model::{Mailbox, Outgoing};
use outreach::mail::{self, Letter, Mail};
use outreach::render::RenderedMail;

/// Builds the mail: to the message's own recipient, or to a route's address.
pub(super) fn build(
    shared: &Shared,
    outgoing: &Outgoing,
    (words, target, default_from): (&RenderedMail, Option<&Target>, Option<&Mailbox>),
) -> Result<Mail, mail::MailError> {
    let domain = shared
        .config
        .from_domain
        .as_deref()
        .unwrap_or("localhost.localdomain");
    let fallback = Mailbox {
        name: None,
        address: format!("sottaku@{domain}").into(),
    };
    let routed;
    let (to, cc, from, reply_to) = match (&outgoing.channel, target) {
        (
            Channel::Email {
                to,
                cc,
                from,
                reply_to,
                ..
            },
            _,
        ) => (to, cc.as_slice(), from, reply_to.as_ref()),
        (
            Channel::Route { .. },
            Some(Target::Email(address) | Target::Slack(address) | Target::Channel(address)),
        ) => {
            routed = Mailbox {
                name: None,
                address: address.clone(),
            };
            (
                &routed,
                [].as_slice(),
                default_from.unwrap_or(&fallback),
                None,
            )
        }
        (Channel::Route { .. } | Channel::Webhook { .. }, _) => {
            (&fallback, [].as_slice(), &fallback, None)
        }
    };
    mail::build(&Letter {
        message: &outgoing.message,
        from,
        to,
        cc,
        reply_to,
        words,
        at: shared.clock.now(),
        unsubscribe: None,
        list_id: outgoing.topic.as_deref(),
        return_path: None,
    })
}
