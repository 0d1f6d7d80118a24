//! Layouts, texts by hand and pages of the author's own: what is filled in is text, whatever it says.

use crate::desk::{by_mail, mail_text, outgoing, set, template};
use model::TemplateText;
use outreach::render::{Footer, Rendered, RenderedMail, render};
use serde_json::{Value, json};

const LAYOUT: &str = "<!doctype html><html lang=\"\u{ffff}lang\u{ffff}\"><head><title>\u{ffff}subject\u{ffff}</title>\
    <style>.x { color: red } @media (max-width: 9px) { .x { color: blue } }</style></head>\
    <body class=\"all\"><p class=\"x\">{{name}}</p>\u{ffff}body\u{ffff}</body></html>";

fn text(layout: Option<&str>, by_hand: Option<&str>) -> TemplateText {
    TemplateText {
        preheader: Some("soon {{name}}".into()),
        layout: layout.map(Into::into),
        by_hand: by_hand.map(Into::into),
        ..mail_text("a", "ja", "Hello {{name}}", "Hi **{{name}}**")
    }
}

fn mail(text: TemplateText, values: Value) -> RenderedMail {
    let footer = Footer {
        html: "<p>foot</p>".into(),
        text: "foot".into(),
    };
    let message = outgoing(by_mail(), template("a", "ja"), values);
    match render(&set([text]), &message, Some(&footer)) {
        Ok(Rendered::Mail(mail)) => mail,
        other => panic!("not a mail: {other:?}"),
    }
}

fn in_order(html: &str, words: &[&str]) {
    let mut from = 0;
    for word in words {
        let at = html[from..].find(word);
        from += at.unwrap_or_else(|| panic!("{word} in {html}")) + word.len();
    }
}

#[test]
fn a_layout_goes_around_the_body_and_loses_neither_preview_nor_footer() {
    let mail = mail(text(Some(LAYOUT), None), json!({"name": "Acme"}));
    in_order(
        &mail.html,
        &[
            "lang=\"ja\"",
            "<title>Hello Acme</title>",
            "<body",
            "soon Acme",
            "color: red",
            "Acme",
            "<strong>Acme</strong>",
            "foot",
            "</body>",
        ],
    );
    assert!(
        mail.html.contains("@media (max-width: 9px)"),
        "{}",
        mail.html
    );
    assert_eq!(mail.text, "Hi Acme\n\n-- \nfoot\n");
    let own = LAYOUT.replace(
        "</body>",
        "<i>\u{ffff}footer\u{ffff}</i><b>\u{ffff}preheader\u{ffff}</b></body>",
    );
    let mail = self::mail(text(Some(&own), None), json!({"name": "Acme"}));
    in_order(
        &mail.html,
        &["<i><p>foot</p></i>", "<b>soon Acme</b>", "</body>"],
    );
    assert_eq!(mail.html.matches("foot").count(), 1);
    assert_eq!(mail.html.matches("soon").count(), 1);
}

#[test]
fn no_value_reaches_a_slot_or_makes_markup() {
    let evil = "\u{ffff}footer\u{ffff}<script>x</script>{{> body}}</body></html>[a](javascript:x)";
    let mail = mail(
        text(Some(LAYOUT), Some("By hand: {{name}}")),
        json!({"name": evil}),
    );
    assert!(!mail.html.contains("<script"), "{}", mail.html);
    assert_eq!(mail.html.matches("</body>").count(), 1, "{}", mail.html);
    assert_eq!(mail.html.matches("foot</p>").count(), 1, "{}", mail.html);
    assert!(!mail.html.contains("href"), "{}", mail.html);
    assert!(
        mail.text.starts_with("By hand: footer<script>x</script>"),
        "{}",
        mail.text
    );
}

#[test]
fn a_text_by_hand_is_the_text_part_and_its_values_are_lines() {
    let mail = mail(
        text(None, Some("\nDear {{name}},\n\n1. <b>&amp;  \n\n")),
        json!({"name": "A\r\n-- \r\nB & *C*"}),
    );
    assert_eq!(
        mail.text,
        "Dear A -- B & *C*,\n\n1. <b>&amp;\n\n-- \nfoot\n"
    );
}

#[test]
fn our_own_page_says_its_language_and_both_modes() {
    let html = mail(text(None, None), json!({"name": "Acme"})).html;
    assert!(
        html.contains("@media (prefers-color-scheme: dark)"),
        "{html}"
    );
    in_order(
        &html,
        &[
            "<html lang=\"ja\"",
            "name=\"color-scheme\" content=\"light dark\"",
            "<body",
            "soon Acme",
            "Acme",
            "foot",
            "</body>",
        ],
    );
}

#[test]
fn a_page_of_the_authors_own_gets_its_preview_and_footer_too() {
    let page = TemplateText {
        body: "<!doctype html><html><body bgcolor=\"red\"><p>{{name}}</p></body></html>".into(),
        ..text(None, None)
    };
    let html = mail(page, json!({"name": "Acme"})).html;
    in_order(
        &html,
        &[
            "<body bgcolor=\"red\"",
            "soon Acme",
            "<p>Acme</p>",
            "foot",
            "</body>",
        ],
    );
}
