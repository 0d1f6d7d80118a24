//! Mails in their dress, as a real Postfix delivered them: Markdown in a layout with a partial, a preview line and a text
//! part by hand; and a page made from MJML.

use std::path::Path;

use end_to_end::{Failure, Postfix, Tls};
use mail_parser::{Message, MessageParser, MimeHeaders};

use crate::office::{Office, workspace};
use crate::returns::copy;

const LETTER: &str = "<!doctype html><html lang=\"{{> lang}}\"><head><title>{{> subject}}</title><style>.deep { color: #123456 } @media (prefers-color-scheme: dark) { .deep { color: #fff } }</style></head><body><p class=\"deep\">Vendor</p>{{> body}}<hr>{{> footer}}</body></html>\n";
const SIGNATURE: &str = "Yours, **the team of {{account.name}}**\n";
const HELLO: &str = "---\nsubject: \"Hello {{account.name}}\"\npreheader: \"A word to {{contact.name}}\"\nlayout: letter\n---\nDear {{contact.name}},\n\n- this is **new**\n- [read on](https://docs.vendor.example/new)\n\n{{> signature}}\n";
const BY_HAND: &str = "Dear {{contact.name}}, read https://docs.vendor.example/new by hand.\n";
const NEWS: &str = "---\nsubject: \"News for {{account.name}}\"\nformat: mjml\n---\n<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{contact.name}}</mj-text><mj-button href=\"https://docs.vendor.example/news\">Read it</mj-button></mj-column></mj-section></mj-body></mjml>\n";

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
    dress(folder).expect("the workspace is written");
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
    assert!(!page.contains("mj-"), "{page}");
    let words = [
        "Dear Mika",
        "Read it",
        "https://docs.vendor.example/news",
        "Unsubscribe",
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
