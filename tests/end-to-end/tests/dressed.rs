//! Mails in their dress, as a real Postfix delivered them: Markdown in a layout with a partial, a preview line and a text
//! part by hand; a page made from MJML; and the engine's own page by day and by night in a real browser.

use std::path::Path;

use end_to_end::{Browser, Failure, Postfix, Tls};
use mail_parser::{Message, MessageParser, MimeHeaders};
use serde_json::Value;

use crate::office::{Office, workspace};
use crate::returns::copy;

const LETTER: &str = "<!doctype html><html lang=\"{{> lang}}\"><head><title>{{> subject}}</title><style>.deep { color: #123456 } @media (prefers-color-scheme: dark) { .deep { color: #fff } }</style></head><body><p class=\"deep\">Vendor</p>{{> body}}<hr>{{> footer}}</body></html>\n";
const SIGNATURE: &str = "Yours, **the team of {{account.name}}**\n";
const HELLO: &str = "---\nsubject: \"Hello {{account.name}}\"\npreheader: \"A word to {{contact.name}}\"\nlayout: letter\n---\nDear {{contact.name}},\n\n- this is **new**\n- [read on](https://docs.vendor.example/new)\n\n{{> signature}}\n";
const BY_HAND: &str = "Dear {{contact.name}}, read https://docs.vendor.example/new by hand.\n";
const NEWS: &str = "---\nsubject: \"News for {{account.name}}\"\nformat: mjml\n---\n<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{contact.name}}</mj-text><mj-button href=\"https://docs.vendor.example/news\">Read it</mj-button></mj-column></mj-section></mj-body></mjml>\n";
/// Of each text that is seen: how bright its ground is, and its contrast to it, as WCAG 2.2 (1.4.3) counts them.
const LEGIBLE: &str = "(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const bright = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const ground = of => {
    for (; of; of = of.parentElement) {
      const colour = parts(getComputedStyle(of).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const own = of => [...of.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  const seen = [...document.querySelectorAll('body *')].filter(of => of.offsetParent && own(of));
  return seen.map(of => {
    const [text, behind] = [bright(parts(getComputedStyle(of).color)), bright(ground(of))];
    const contrast = (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
    return {text: of.textContent.trim(), ground: behind, contrast};
  });
})()";

fn dress(folder: &Path) -> Result<(), Failure> {
    copy(&workspace(), folder)?;
    let tips = folder.join("workflows/tips.yaml");
    let text = std::fs::read_to_string(&tips).map_err(Failure::io("reading a workflow"))?;
    let text = text.replace(
        "send: hello\n",
        "send: news\n    reply_to: desk@vendor.example\n",
    );
    std::fs::write(tips, text).map_err(Failure::io("writing a workflow"))?;
    for (file, text) in [
        ("layouts/letter.hbs", LETTER),
        ("partials/signature.hbs", SIGNATURE),
        ("hello.en.hbs", HELLO),
        ("hello.en.txt.hbs", BY_HAND),
        ("news.en.hbs", NEWS),
    ] {
        let path = folder.join("templates").join(file);
        std::fs::create_dir_all(path.parent().expect("a folder"))
            .map_err(Failure::io("making a folder"))?;
        std::fs::write(path, text).map_err(Failure::io("writing a template"))?;
    }
    std::fs::remove_file(folder.join("templates/hello.ja.hbs")).map_err(Failure::io("removing"))
}

fn body(mail: &Message<'_>) -> (String, String) {
    let text = mail.body_text(0).expect("it has a text").into_owned();
    let page = mail.body_html(0).expect("it has a page").into_owned();
    (text, page)
}

fn in_order(page: &str, words: &[&str]) {
    let mut from = 0;
    for word in words {
        let at = page[from..].find(word);
        from += at.unwrap_or_else(|| panic!("{word} in {page}")) + word.len();
    }
}

async fn office(postfix: &Postfix, folder: &Path) -> Office {
    let authority = postfix.authority().expect("it has a certificate");
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\njurisdiction: jp\n\
         public_url: https://cs.vendor.example\nsmtp: {{host: 127.0.0.1, port: {}, tls: required}}\n",
        postfix.address().port()
    );
    let variables = [("SSL_CERT_FILE", &*authority.display().to_string())];
    let office = Office::open(&settings, folder, &variables).await;
    office.expect("the office opens")
}

fn is_the_letter(mail: &Message<'_>) {
    let (text, page) = body(mail);
    assert_eq!(
        text.replace("\r\n", "\n"),
        "Dear Mika, read https://docs.vendor.example/new by hand.\n"
    );
    in_order(
        &page,
        &[
            "lang=\"en\"",
            "prefers-color-scheme",
            "<title>Hello Acme</title>",
            "A word to Mika",
            "color: #123456",
            "<li>",
            "<strong>new</strong>",
            "href=\"https://docs.vendor.example/new\"",
            "<strong>the team of Acme</strong>",
            "<hr",
            "</html>",
        ],
    );
    let leave = mail.header_raw("List-Unsubscribe");
    assert_eq!(leave, None, "it is contractual");
}

fn is_the_news(mail: &Message<'_>) {
    let (text, page) = body(mail);
    let words = [
        "<table",
        "Dear Mika",
        "https://docs.vendor.example/news",
        "Read it",
    ];
    in_order(&page, &words);
    assert!(!page.contains("<mj-"), "{page}");
    let words = [
        "Dear Mika",
        "Read it",
        "https://docs.vendor.example/news",
        "You may stop messages about “Tips”",
    ];
    in_order(&text, &words);
    let reply = mail.reply_to().and_then(|to| to.first()?.address());
    assert_eq!(reply, Some("desk@vendor.example"));
    let list = mail.header_raw("List-Id").expect("it belongs to a list");
    assert!(list.contains("<tips."), "{list}");
    assert!(mail.is_content_type("multipart", "alternative"));
}

#[tokio::test]
async fn a_letter_and_a_page_of_mjml_arrive_whole() {
    let postfix = Postfix::start(Tls::Required).await.expect("it starts");
    let folder = tempfile::tempdir().expect("a folder");
    dress(folder.path()).expect("the workspace is written");
    let office = office(&postfix, folder.path()).await;
    office.tell("letter", "mika@acme.example", "paid").await;
    office.tell("news", "rei@acme.example", "trial").await;
    let mails = postfix.mails_once_there_are(2).await.expect("they arrive");
    let parsed = mails
        .iter()
        .map(|mail| MessageParser::default().parse(mail.as_bytes()));
    let parsed: Vec<Message<'_>> = parsed.map(|mail| mail.expect("a mail")).collect();
    let find = |subject: &str| {
        let found = parsed.iter().find(|mail| mail.subject() == Some(subject));
        found.unwrap_or_else(|| panic!("{subject} in {mails:?}"))
    };
    is_the_letter(find("Hello Acme"));
    is_the_news(find("News for Acme"));
}

#[tokio::test]
async fn our_own_page_can_be_read_by_day_and_by_night() {
    let postfix = Postfix::start(Tls::Required).await.expect("it starts");
    let (folder, profile) = (tempfile::tempdir(), tempfile::tempdir());
    let (folder, profile) = (folder.expect("a folder"), profile.expect("a folder"));
    copy(&workspace(), folder.path()).expect("the workspace is written");
    let office = office(&postfix, folder.path()).await;
    office.tell("news", "rei@acme.example", "trial").await;
    let mails = postfix.mails_once_there_are(1).await.expect("it arrives");
    let mail = MessageParser::default().parse(mails[0].as_bytes());
    let (_, page) = body(&mail.expect("a mail"));
    let browser = Browser::start(profile.path(), "en").await;
    let mut browser = browser.expect("a browser starts");
    browser.show(&page).await.expect("it is shown");
    for (scheme, grounds) in [("light", 0.8..=1.0), ("dark", 0.0..=0.05)] {
        browser.prefers(scheme).await.expect("it does");
        let seen = browser.value(LEGIBLE).await.expect("it is looked at");
        let seen = seen.as_array().cloned().unwrap_or_default();
        let has = |words: &str| {
            let mut texts = seen.iter().filter_map(|one| one["text"].as_str());
            texts.any(|text| text.contains(words))
        };
        assert!(has("Dear Mika") && has("You may stop messages"), "{seen:?}");
        for one in &seen {
            let number = |of: &Value| of.as_f64().expect("a number");
            assert!(grounds.contains(&number(&one["ground"])), "{scheme}: {one}");
            assert!(number(&one["contrast"]) >= 4.5, "{scheme}: {one}");
        }
    }
}

#[tokio::test]
async fn partials_that_set_each_other_in_are_refused_with_their_place() {
    let postfix = Postfix::start(Tls::Required).await.expect("it starts");
    let folder = tempfile::tempdir().expect("a folder");
    dress(folder.path()).expect("the workspace is written");
    let office = office(&postfix, folder.path()).await;
    let partials = folder.path().join("templates/partials");
    for (name, text) in [
        ("signature.hbs", "Yours\n{{> team}}\n"),
        ("team.hbs", "the team, {{> signature}}\n"),
    ] {
        std::fs::write(partials.join(name), text).expect("it is written");
    }
    let place = folder.path().display().to_string();
    for (command, code) in [
        (vec!["check", &*place], 1),
        (vec!["apply", &*place, "--yes"], 3),
    ] {
        let ran = office.product.run(&command).await.expect("it runs");
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(code), "{said}");
        assert!(said.contains("templates/partials/"), "{said}");
        assert!(said.contains("itself"), "{said}");
    }
    // What was applied before still stands.
    office.tell("letter", "mika@acme.example", "paid").await;
    let mails = postfix.mails_once_there_are(1).await.expect("it arrives");
    let mail = MessageParser::default().parse(mails[0].as_bytes());
    is_the_letter(&mail.expect("a mail"));
}
