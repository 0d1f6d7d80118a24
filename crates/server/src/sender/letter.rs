//! The letter that a message becomes: to its own recipient, or to a route's address.

use crate::config::MailEvents;
use crate::http::approval;
use crate::returns::Returns;
use crate::shared::Shared;
use ingest::mail::Purpose;
use jiff::Timestamp;
use model::message::{Channel, Content, Target};
use model::{Mailbox, Outgoing};
use outreach::mail::{self, Address, Letter, Mail, Tag};
use outreach::render::{ANSWER_LINK, RenderedMail};
use serde_json::Value;
use std::borrow::Cow;
use store::Failure;

/// Where what comes of a letter comes back to.
#[derive(Debug, Default)]
pub(super) struct Back {
    return_path: Option<Address>,
    replies: Option<Address>,
    complaints: Option<Address>,
    tags: Vec<Tag>,
}

/// The sealed addresses of a message, where the settings name a domain for them.
pub(super) async fn back(shared: &Shared, outgoing: &Outgoing) -> Result<Back, Failure> {
    let Channel::Email { .. } = outgoing.channel else {
        return Ok(Back::default());
    };
    let returns = Returns::of(shared);
    let message = &outgoing.message;
    Ok(Back {
        return_path: returns.address(message, Purpose::Bounce).await?,
        replies: returns.address(message, Purpose::Reply).await?,
        complaints: returns.complaints(),
        tags: tags(&shared.config.mail_events),
    })
}

/// What the providers that may tell need to name our mail.
fn tags(known: &MailEvents) -> Vec<Tag> {
    let postmark = known.postmark.as_ref().map(|_| Tag::Postmark);
    let sendgrid = known.sendgrid.as_ref().map(|_| Tag::Sendgrid);
    postmark.into_iter().chain(sendgrid).collect()
}

/// Builds the mail, to the message's own recipient or to a route's address, and signs it where we sign.
pub(super) fn build(
    shared: &Shared,
    outgoing: &Outgoing,
    (words, target, default_from): (&RenderedMail, Option<&Target>, Option<&Mailbox>),
    (back, unsubscribe): (&Back, Option<&str>),
) -> Result<Mail, mail::MailError> {
    let fallback = fallback(shared);
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
            Some(
                Target::Email(address)
                | Target::Slack(address)
                | Target::Channel(address)
                | Target::Teams(address),
            ),
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
    let at = shared.clock.now();
    let mut mail = mail::build(&Letter {
        message: &outgoing.message,
        from,
        to,
        cc,
        reply_to,
        words,
        at,
        // One click is a matter of https (RFC 8058); a server on this machine only has its link in the footer.
        unsubscribe: unsubscribe.filter(|url| url.starts_with("https:")),
        list_id: outgoing.topic.as_deref(),
        campaign: target
            .is_none()
            .then_some((&*outgoing.workflow, &*outgoing.step)),
        return_path: back.return_path.as_ref(),
        replies: back.replies.as_ref(),
        complaints: back.complaints.as_ref(),
        tags: &back.tags,
    })?;
    sign(shared, &mut mail, at)?;
    Ok(mail)
}

/// Who writes where nobody is named.
fn fallback(shared: &Shared) -> Mailbox {
    let domain = shared.config.from_domain.as_deref();
    let domain = domain.unwrap_or("localhost.localdomain");
    Mailbox {
        name: None,
        address: format!("sottaku@{domain}").into(),
    }
}

/// Signs the mail where its sender's server is one for which we sign.
fn sign(shared: &Shared, mail: &mut Mail, at: Timestamp) -> Result<(), mail::MailError> {
    let Some(server) = shared.means.servers.of(&mail.from) else {
        return Ok(());
    };
    let signed = server.sign(mail, at);
    signed.map_err(|error| mail::MailError::Build(error.to_string().into()))
}

/// A question with the link that answers it, where the world can reach this server; anything else as it is.
pub(super) async fn linked<'m>(
    shared: &Shared,
    outgoing: &'m Outgoing,
) -> Result<Cow<'m, Outgoing>, Failure> {
    let Content::Ask { task, .. } = &outgoing.content else {
        return Ok(Cow::Borrowed(outgoing));
    };
    let Some(link) = approval::link(shared, task).await? else {
        return Ok(Cow::Borrowed(outgoing));
    };
    let mut linked = outgoing.clone();
    let own = linked.view.get_mut("_").and_then(Value::as_object_mut);
    if let Some(own) = own {
        own.insert(ANSWER_LINK.into(), Value::String(link));
    }
    Ok(Cow::Owned(linked))
}
