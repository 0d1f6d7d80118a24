//! Our own words, for whoever writes an adapter: one notice or a list of them.

use super::{Heard, Name, Notice, NoticeFault, json, judged, message_id};
use crate::mail::Class;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Many(Vec<Told>),
    One(Told),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    #[serde(rename = "type")]
    kind: Box<str>,
    message: Option<Box<str>>,
    message_id: Option<Box<str>>,
    sender: Option<Box<str>>,
    recipient: Option<Box<str>>,
    class: Option<Box<str>>,
    code: Option<Box<str>>,
    #[serde(default)]
    event: Box<str>,
}

pub(super) fn read(body: &[u8]) -> Result<Vec<Notice>, NoticeFault> {
    let told = match json(body)? {
        Body::Many(told) => told,
        Body::One(told) => vec![told],
    };
    told.into_iter().map(notice).collect()
}

fn notice(told: Told) -> Result<Notice, NoticeFault> {
    let unknown = |what: &str| NoticeFault::Unreadable(format!("there is no {what}").into());
    let heard = match &*told.kind {
        "message.delivered" => Heard::Delivered,
        "message.complained" => Heard::Complained,
        "message.opened" => Heard::Opened,
        "message.clicked" => Heard::Clicked,
        "message.bounced" => {
            let (judged, status) = judged(told.code.as_deref(), "", true);
            let class = match told.class.as_deref() {
                None => judged,
                Some("hard") => Class::Hard,
                Some("soft") => Class::Soft,
                Some("policy") => Class::Policy,
                Some(word) => return Err(unknown(&format!("class {word:?}"))),
            };
            Heard::Bounced(class, status)
        }
        kind => return Err(unknown(&format!("type {kind:?}"))),
    };
    let ids = told.message_id.as_deref().map(message_id);
    let names = told.message.map(Name::Message).into_iter().chain(ids);
    Ok(Notice {
        heard,
        names: names.chain(told.sender.map(Name::Sender)).collect(),
        recipient: told.recipient,
        event: told.event,
    })
}
