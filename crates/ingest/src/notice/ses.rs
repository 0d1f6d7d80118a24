//! Amazon SES: an event in JSON inside the `Message` of an SNS notification.

use super::{Heard, Name, Notice, NoticeFault, json, judged, message_id};
use crate::mail::Class;
use serde::Deserialize;

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Type")]
    kind: Box<str>,
    #[serde(rename = "Message", default)]
    message: String,
    #[serde(rename = "MessageId", default)]
    id: Box<str>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "eventType", alias = "notificationType")]
    kind: Box<str>,
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    delivery: Option<Delivery>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    source: Option<Box<str>>,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    name: Box<str>,
    value: Box<str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: Box<str>,
    #[serde(default)]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default)]
    complained_recipients: Vec<Recipient>,
    complaint_feedback_type: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Delivery {
    #[serde(default)]
    recipients: Vec<Box<str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: Box<str>,
    status: Option<Box<str>>,
    diagnostic_code: Option<Box<str>>,
}

pub(super) fn read(body: &[u8]) -> Result<Vec<Notice>, NoticeFault> {
    let notification: Notification = json(body)?;
    if &*notification.kind != "Notification" {
        return Ok(Vec::new());
    }
    let event: Event = json(notification.message.as_bytes())?;
    let names = names(&event.mail);
    let notice = |heard, recipient: Option<&str>| Notice {
        heard,
        names: names.clone(),
        recipient: recipient.map(Box::from),
        event: notification.id.clone(),
    };
    Ok(match (&*event.kind, &event.bounce, &event.complaint) {
        ("Bounce", Some(bounce), _) => {
            let all = bounce.bounced_recipients.iter();
            all.map(|one| notice(heard(bounce, one), Some(&one.email_address)))
                .collect()
        }
        ("Complaint", _, Some(complaint)) => {
            let is_taken_back = complaint.complaint_feedback_type.as_deref() == Some("not-spam");
            let all = complaint
                .complained_recipients
                .iter()
                .filter(|_| !is_taken_back);
            all.map(|one| notice(Heard::Complained, Some(&one.email_address)))
                .collect()
        }
        ("Delivery", ..) => {
            let to = event
                .delivery
                .iter()
                .flat_map(|delivery| &delivery.recipients);
            to.map(|to| notice(Heard::Delivered, Some(to))).collect()
        }
        ("Open", ..) => vec![notice(Heard::Opened, None)],
        ("Click", ..) => vec![notice(Heard::Clicked, None)],
        _ => Vec::new(),
    })
}

fn names(mail: &Mail) -> Vec<Name> {
    let sender = mail.source.clone().map(Name::Sender);
    let ids = mail
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("message-id"));
    sender
        .into_iter()
        .chain(ids.map(|header| message_id(&header.value)))
        .collect()
}

fn heard(bounce: &Bounce, one: &Recipient) -> Heard {
    let words = one.diagnostic_code.as_deref().unwrap_or_default();
    let is_permanent = &*bounce.bounce_type == "Permanent";
    let (class, status) = judged(one.status.as_deref(), words, is_permanent);
    // A passing trouble is one whatever its code.
    let is_passing = class == Class::Hard && !is_permanent;
    Heard::Bounced(if is_passing { Class::Soft } else { class }, status)
}
