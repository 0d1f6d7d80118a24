//! SendGrid: a list of events.

use super::{Heard, Name, Notice, NoticeFault, bounced, json, message_id};
use serde::Deserialize;

#[derive(Deserialize)]
struct Event {
    event: Box<str>,
    email: Option<Box<str>>,
    #[serde(rename = "smtp-id")]
    smtp_id: Option<Box<str>>,
    /// An argument that we give with each mail.
    sottaku_message: Option<Box<str>>,
    sg_event_id: Option<Box<str>>,
    status: Option<Box<str>>,
    reason: Option<Box<str>>,
    /// Its own guess that a mail program, and nobody, looked at it.
    sg_machine_open: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<Box<str>>,
}

pub(super) fn read(body: &[u8]) -> Result<Vec<Notice>, NoticeFault> {
    let events: Vec<Event> = json(body)?;
    Ok(events.into_iter().filter_map(notice).collect())
}

fn notice(event: Event) -> Option<Notice> {
    let words = event.reason.as_deref().unwrap_or_default();
    let heard = match &*event.event {
        "delivered" => Heard::Delivered,
        // What it calls blocked was refused for reasons that may pass.
        "bounce" => bounced(
            event.status.as_deref(),
            words,
            event.kind.as_deref() != Some("blocked"),
        ),
        "spamreport" => Heard::Complained,
        "open" if event.sg_machine_open == Some(true) => return None,
        "open" => Heard::Opened,
        "click" => Heard::Clicked,
        _ => return None,
    };
    let ids = event.smtp_id.as_deref().map(message_id);
    Some(Notice {
        heard,
        names: event
            .sottaku_message
            .map(Name::Message)
            .into_iter()
            .chain(ids)
            .collect(),
        recipient: event.email,
        event: event.sg_event_id.unwrap_or_default(),
    })
}
