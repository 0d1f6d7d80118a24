//! Postmark: one record at a time.

use super::{Heard, Name, Notice, NoticeFault, bounced, json, judged};
use crate::mail::Class;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    record_type: Box<str>,
    #[serde(rename = "ID")]
    id: Option<u64>,
    #[serde(rename = "Type")]
    kind: Option<Box<str>>,
    email: Option<Box<str>>,
    recipient: Option<Box<str>>,
    details: Option<Box<str>>,
    received_at: Option<Box<str>>,
    /// What we give with each mail.
    #[serde(default)]
    metadata: BTreeMap<Box<str>, Box<str>>,
}

pub(super) fn read(body: &[u8]) -> Result<Vec<Notice>, NoticeFault> {
    let record: Record = json(body)?;
    let details = record.details.as_deref().unwrap_or_default();
    let heard = match (&*record.record_type, record.kind.as_deref()) {
        ("Delivery", _) => Heard::Delivered,
        ("SpamComplaint", _) | ("Bounce", Some("SpamComplaint")) => Heard::Complained,
        // Its own words for a mailbox that is not there, whatever the server said.
        ("Bounce", Some("HardBounce" | "BadEmailAddress")) => {
            Heard::Bounced(Class::Hard, judged(None, details, true).1)
        }
        ("Bounce", Some("SpamNotification" | "Blocked" | "DMARCPolicy")) => {
            Heard::Bounced(Class::Policy, None)
        }
        ("Bounce", Some("Transient" | "SoftBounce" | "DnsError" | "Undeliverable")) => {
            bounced(None, details, false)
        }
        ("Open", _) => Heard::Opened,
        ("Click", _) => Heard::Clicked,
        _ => return Ok(Vec::new()),
    };
    let event = record.id.map(|id| id.to_string().into());
    Ok(vec![Notice {
        heard,
        names: record
            .metadata
            .get("message")
            .cloned()
            .map(Name::Message)
            .into_iter()
            .collect(),
        recipient: record.recipient.or(record.email),
        event: event.or(record.received_at).unwrap_or_default(),
    }])
}
