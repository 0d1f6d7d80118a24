//! What the tests write with: templates, views and messages.

use model::message::{Channel, Content, Mailbox, Purpose, Target};
use model::{AccountId, Medium, MessageId, Outgoing, RunId, TemplateText};
use outreach::render::{Rendered, RenderedMail, RenderedPost, Templates, render};
use serde_json::{Value, json};

/// The instant at which everything here happens: 9 in the morning in Tokyo.
pub(crate) const AT: &str = "2026-01-13T00:00:00Z";

pub(crate) fn mail_text(name: &str, locale: &str, subject: &str, body: &str) -> TemplateText {
    TemplateText {
        name: name.into(),
        locale: locale.into(),
        medium: Medium::Email,
        subject: Some(subject.into()),
        preheader: None,
        body: body.into(),
        layout: None,
        by_hand: None,
        hash: "h1".into(),
    }
}

pub(crate) fn slack_text(name: &str, locale: &str, body: &str) -> TemplateText {
    TemplateText {
        medium: Medium::Slack,
        subject: None,
        ..mail_text(name, locale, "", body)
    }
}

pub(crate) fn mailbox(name: Option<&str>, address: &str) -> Mailbox {
    Mailbox {
        name: name.map(Into::into),
        address: address.into(),
    }
}

/// The part of a view that is about the message itself.
pub(crate) fn around() -> Value {
    json!({ "at": AT, "timezone": "Asia/Tokyo", "currency": "JPY" })
}

pub(crate) fn view(mut values: Value) -> Value {
    values["_"] = around();
    values
}

pub(crate) fn by_mail() -> Channel {
    Channel::Email {
        to: mailbox(Some("山田 太郎"), "taro@daichi.example"),
        contact: "p-1".into(),
        cc: vec![mailbox(Some("経理部"), "billing@daichi.example")],
        from: mailbox(Some("カスタマーサクセス"), "success@vendor.example"),
        reply_to: Some(mailbox(None, "hanako@vendor.example")),
    }
}

pub(crate) fn by_route() -> Channel {
    Channel::Route {
        route: "csm".into(),
        targets: vec![Target::Channel("#cs".into())],
    }
}

pub(crate) fn template(name: &str, locale: &str) -> Content {
    Content::Template {
        name: name.into(),
        locale: locale.into(),
        hash: "h1".into(),
    }
}

pub(crate) fn outgoing(channel: Channel, content: Content, values: Value) -> Outgoing {
    Outgoing {
        message: MessageId::of(&["r_x", "intro", "0", "p-1", "email"]),
        account: AccountId::new("daichi"),
        workflow: "renewal".into(),
        subject: "c-1".into(),
        run: RunId::of(&["daichi", "renewal"]),
        step: "intro".into(),
        channel,
        content,
        view: view(values),
        topic: Some("renewal".into()),
        purpose: Some(Purpose::Contractual),
        resends_unknown: false,
        not_before: AT.parse().expect("an instant"),
        expires_at: None,
        priority: 1,
        is_shadow: false,
    }
}

pub(crate) fn set(texts: impl IntoIterator<Item = TemplateText>) -> Templates {
    Templates::new(texts).expect("templates without faults")
}

/// The mail that one template makes of `values`.
pub(crate) fn mail_of(text: TemplateText, values: Value) -> RenderedMail {
    let content = template(&text.name, &text.locale);
    match render(&set([text]), &outgoing(by_mail(), content, values), None) {
        Ok(Rendered::Mail(mail)) => mail,
        other => panic!("not a mail: {other:?}"),
    }
}

/// The post that one template makes of `values`.
pub(crate) fn post_of(text: TemplateText, values: Value) -> RenderedPost {
    let content = template(&text.name, &text.locale);
    match render(&set([text]), &outgoing(by_route(), content, values), None) {
        Ok(Rendered::Post(post)) => post,
        other => panic!("not a post: {other:?}"),
    }
}
