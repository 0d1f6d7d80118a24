//! Whole mails, as people and as servers read them.

use crate::desk::{
    AT, by_mail, by_route, mail_of, mail_text, mailbox, outgoing, set, slack_text, template,
};
use model::TemplateText;
use model::message::{Channel, Content, Target};
use outreach::mail::{self, AddressFault, Letter, MailError};
use outreach::render::{Rendered, RenderedMail, render, render_for};
use serde_json::json;

fn intro() -> TemplateText {
    mail_text(
        "renewal-intro",
        "ja",
        "{{account.name}} 様 ご契約更新のご案内({{date contract.renewal_date}})",
        "{{contact.name}} 様\n\nいつもご利用ありがとうございます。現在のご契約は {{date contract.renewal_date}} に更新日を迎えます。\n\
         {{#if weekly_active_users}}直近7日間に {{number weekly_active_users}} 名の方にご利用いただいています。{{/if}}\n\
         ご不明な点は担当の {{or csm.name \"カスタマーサクセス\"}} までご連絡ください。\n",
    )
}

fn intro_values() -> serde_json::Value {
    json!({
        "account": { "name": "大地株式会社" },
        "contact": { "name": "山田 太郎" },
        "contract": { "renewal_date": "2026-05-10" },
        "weekly_active_users": 1234,
        "csm": null,
    })
}

fn english() -> TemplateText {
    TemplateText {
        preheader: Some("{{days_until contract.renewal_date}} days left".into()),
        ..mail_text(
            "renewal-value",
            "en",
            "What {{account.name}} achieved",
            "Dear {{contact.name}},\n\nyour contract over **{{money account.arr}}** renews on {{date contract.renewal_date}}, in {{days_until contract.renewal_date}} days.\n\
             You have been with us for {{days_since account.customer_since}} days.\n\n## This year\n\n\
             - Goal reached: {{percent account.goal_progress}}\n- People: {{number weekly_active_users}}\n{{#each open}}- {{title}} ({{count items}} open, by {{../csm.name}})\n{{/each}}\n\
             [See your report]({{url report}}) or [write to us](mailto:success@vendor.example).\n\n> “{{comment}}”\n\nKind regards\n",
        )
    }
}

fn english_values() -> serde_json::Value {
    json!({
        "account": { "name": "O'Neill & Sons", "arr": 3000000, "goal_progress": 0.6, "customer_since": "2025-01-13" },
        "contact": { "name": "Mary" },
        "contract": { "renewal_date": "2026-05-10" },
        "weekly_active_users": 1234,
        "open": [{ "title": "Import", "items": [1, 2] }, { "title": "Alerts", "items": [] }],
        "csm": { "name": "Hanako" },
        "report": "https://app.vendor.example/r?a=1&b=2",
        "comment": "Nice *work*,\n<b>really</b>",
    })
}

fn shown(mail: &RenderedMail) -> String {
    format!(
        "Subject: {}\n\n--- text ---\n{}\n--- html ---\n{}",
        mail.subject, mail.text, mail.html
    )
}

#[test]
fn the_renewal_mail_in_japanese() {
    insta::assert_snapshot!(shown(&mail_of(intro(), intro_values())));
}

#[test]
fn a_mail_in_english() {
    insta::assert_snapshot!(shown(&mail_of(english(), english_values())));
}

#[test]
fn the_bytes_of_a_mail() {
    let words = mail_of(intro(), intro_values());
    let bytes = build(&words, by_mail()).expect("a mail").bytes;
    let text = String::from_utf8(bytes).expect("only ASCII");
    assert!(text.is_ascii());
    assert!(text.lines().all(|line| line.len() <= 998));
    insta::assert_snapshot!(text.replace("\r\n", "\n"));
}

fn build(words: &RenderedMail, channel: Channel) -> Result<mail::Mail, MailError> {
    let outgoing = outgoing(channel, Content::Text("x".into()), json!({}));
    let at = AT.parse().expect("an instant");
    mail::build(&Letter::of(&outgoing, words, at).expect("a letter"))
}

#[test]
fn the_same_letter_gives_the_same_bytes() {
    let words = mail_of(intro(), intro_values());
    let [one, two] = [(); 2].map(|()| build(&words, by_mail()).expect("a mail"));
    assert_eq!(one, two);
    assert!(one.message_id.ends_with("@vendor.example>"));
    assert_eq!(one.message_id.len(), 26 + "<@vendor.example>".len());
    assert_eq!(one.envelope.to.as_str(), "taro@daichi.example");
    assert_eq!(one.envelope.cc.len(), 1);
}

#[test]
fn an_address_that_is_none_stops_the_mail() {
    let words = mail_of(intro(), intro_values());
    let to = mailbox(None, "taro@127.0.0.1");
    let Channel::Email {
        contact,
        cc,
        from,
        reply_to,
        ..
    } = by_mail()
    else {
        panic!("not a mail");
    };
    let channel = Channel::Email {
        to,
        contact,
        cc,
        from,
        reply_to,
    };
    let fault = AddressFault::Literal;
    assert_eq!(
        build(&words, channel),
        Err(MailError::Address { place: "to", fault })
    );
}

#[test]
fn too_many_copies_stop_the_mail() {
    let words = mail_of(intro(), intro_values());
    for (count, is_built) in [(mail::COPIES_MAX, true), (mail::COPIES_MAX + 1, false)] {
        let Channel::Email {
            to,
            contact,
            from,
            reply_to,
            ..
        } = by_mail()
        else {
            panic!("not a mail");
        };
        let cc = (0..count)
            .map(|at| mailbox(None, &format!("c{at}@daichi.example")))
            .collect();
        let channel = Channel::Email {
            to,
            contact,
            cc,
            from,
            reply_to,
        };
        assert_eq!(build(&words, channel).is_ok(), is_built, "{count}");
    }
}

#[test]
fn a_slack_text_as_a_mail_has_its_first_line_as_subject() {
    let text = slack_text(
        "review",
        "ja",
        "*更新が危うい契約({{count list}}件)*\n{{#each list}}\n• {{name}}\n{{/each}}\n",
    );
    let values = json!({ "list": [{ "name": "大地" }, { "name": "青空" }] });
    let message = outgoing(by_route(), template("review", "ja"), values);
    let target = Target::Email("hanako@vendor.example".into());
    let Ok(Rendered::Mail(mail)) = render_for(&set([text]), &message, &target) else {
        panic!("not a mail");
    };
    assert_eq!(mail.subject, "更新が危うい契約(2件)");
    assert!(mail.text.contains("• 大地\n• 青空"), "{}", mail.text);
}

#[test]
fn our_own_words_go_by_mail_too() {
    let content = Content::Nobody {
        step: "intro".into(),
        workflow: "契約更新のご案内".into(),
    };
    let message = outgoing(
        by_route(),
        content,
        json!({ "account": { "name": "大地株式会社" } }),
    );
    let target = Target::Email("hanako@vendor.example".into());
    let Ok(Rendered::Mail(mail)) = render_for(&set([]), &message, &target) else {
        panic!("not a mail");
    };
    insta::assert_snapshot!(format!("{}\n\n{}", mail.subject, mail.text));
}

#[test]
fn a_message_finds_the_text_it_was_decided_with() {
    let old = mail_text("a", "ja", "old", "old");
    let new = TemplateText {
        hash: "h2".into(),
        ..mail_text("a", "ja", "new", "new")
    };
    let set = set([old, new]);
    assert_eq!(set.find("a", "ja-JP").map(|text| &*text.hash), Some("h2"));
    assert!(set.has("a", "ja", "h1") && !set.has("a", "ja", "h3"));
    let Ok(Rendered::Mail(mail)) = render(
        &set,
        &outgoing(by_mail(), template("a", "ja"), json!({})),
        None,
    ) else {
        panic!("not a mail");
    };
    assert_eq!(mail.subject, "old");
    let regional = outgoing(by_mail(), template("a", "ja-JP"), json!({}));
    assert!(render(&set, &regional, None).is_ok());
}

#[test]
fn a_whole_html_page_is_taken_as_it_stands() {
    let page = "<!doctype html><html><head><style>p { color: red }</style></head><body><p>{{name}}</p></body></html>";
    let mail = mail_of(
        mail_text("page", "en", "s", page),
        json!({ "name": "<b> & *x*" }),
    );
    assert!(
        mail.html
            .contains("<p style=\"color: red;\">&lt;b&gt; &amp; *x*</p>"),
        "{}",
        mail.html
    );
    assert_eq!(mail.text, "<b> & *x*\n");
}
