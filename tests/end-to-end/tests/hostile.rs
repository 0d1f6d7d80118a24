//! Names, subjects, addresses and answers that are meant to become headers, recipients, commands or markup: at the mail
//! server each mail has the recipient that was decided, the headers that mails which can be left have, both for one click
//! among them, and the elements of its template.
//! Ten thousand values go in: two names, a comment and an address for each of 2,500 customers.

use std::collections::BTreeMap;
use std::time::Duration;

use end_to_end::{Dice, Outline, Sink, SinkOptions, Taken, outline, wait};
use mail_parser::MessageParser;
use serde_json::json;

use crate::office::{Office, fact};
use crate::texts;

const COUNT: usize = 2_500;
/// Facts of one request.
const CHUNK: usize = 3_000;
/// Attempts on headers, recipients and the session.
const LINES: [&str; 20] = [
    "\r\nBcc: evil@evil.example",
    "\nX-Evil: 1",
    "\r\n\r\nbody",
    "\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n",
    "\n.\n",
    "\r.\r",
    "\u{0}",
    "\u{202e}",
    "\u{2028}",
    "\u{85}",
    "\"",
    "\\",
    "<evil@evil.example>",
    ", evil@evil.example",
    "=?utf-8?q?=0D=0ABcc:_evil@evil.example?=",
    "{{> evil}}{{{account.id}}}",
    "更新 ",
    "(a) ",
    "evil@evil.example:",
    "\t",
];
/// Attempts on the page.
const MARKUP: [&str; 60] = [
    "<script>alert(1)</script>",
    "</p><script src=//evil.example/x.js>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=\"java\tscript:alert(1)\">x</a>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "` onmouseover=`alert(1)",
    "\"><b>",
    "'><b>",
    "<iframe src=https://evil.example>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0>",
    "<style>*{display:none}</style>",
    "</style><b>",
    "<link rel=stylesheet href=//evil.example>",
    "<form action=//evil.example><input>",
    "<math><mtext><table><mglyph><style><img src=x>",
    "<template><b>",
    "<noscript><p title=\"</noscript><img src=x>\">",
    "<textarea></textarea><b>",
    "<title></title><b>",
    "<!--<b>-->",
    "--><b>",
    "<![CDATA[<b>]]>",
    "<?xml version=1?><b>",
    "</body></html><b>",
    "<b",
    "<b/",
    "<b\nid=x>",
    "<\u{0}b>",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "&#x3c;b&#x3e;",
    "&lt;script&gt;",
    "&amp;lt;b&amp;gt;",
    "&lt",
    "\\<b\\>",
    "[x](javascript:alert(1))",
    "[x](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "<https://evil.example>",
    "https://evil.example",
    "[x]: https://evil.example",
    "[x][x]",
    "# x",
    "- x",
    "1. x",
    "> x",
    "    x",
    "```\nx\n```",
    "`x`",
    "**x**",
    "~~x~~",
    "| x | y |",
    "---",
    "===",
    "\n\n<b>\n\n",
];
/// Addresses, and whether one may lead there.
const ADDRESSES: [(&str, bool); 16] = [
    ("https://acme.example/a?b=c&d=e", true),
    ("https://acme.example/\"><b>", true),
    ("https://acme.example/' onclick='x", true),
    ("https://acme.example/)[x](https://evil.example", true),
    ("https://acme.example/<script>", true),
    ("mailto:mika@acme.example", true),
    ("HTTPS://acme.example", true),
    (" https://acme.example ", true),
    ("javascript:alert(1)", false),
    ("JaVaScRiPt:alert(1)", false),
    ("java\nscript:alert(1)", false),
    ("data:text/html,<b>", false),
    ("vbscript:x", false),
    ("http://acme.example", false),
    ("//evil.example", false),
    ("x", false),
];
const HEADERS: [&str; 13] = [
    "Message-ID",
    "Date",
    "From",
    "To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "Subject",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
];
const VOICE: &str = "\
workflow: voice
title: What a customer said
for_each: account
topic: tips
status: live

start:
  event: nps.responded
once_per: occurrence

steps:
  - id: thanks
    send: voice
    to: started_by.contact
";
const TEMPLATE: &str = "\
---
subject: \"{{account.name}}: {{started_by.comment}}\"
preheader: \"A word of {{contact.name}}\"
---
# Dear {{contact.name}}

- **{{account.name}}** said: {{started_by.comment}}

> {{started_by.comment}}

| who | what |
|---|---|
| {{contact.name}} | {{started_by.comment}} |

<p class=\"note\">{{account.name}}</p>

[{{account.name}}]({{url started_by.site}})
";

/// Draws what customers are called and say.
struct Draw(Dice);

impl Draw {
    /// A few pieces in a row.
    fn text(&mut self, is_welcome: fn(char) -> bool) -> String {
        let pieces: Vec<&str> = LINES
            .into_iter()
            .chain(MARKUP)
            .filter(|piece| piece.chars().all(is_welcome))
            .collect();
        let count = self.0.below(4) + 1;
        let chosen = (0..count).map(|_| pieces[self.0.below(pieces.len())]);
        format!("a{}", chosen.collect::<String>())
    }

    fn address(&mut self) -> (&'static str, bool) {
        ADDRESSES[self.0.below(ADDRESSES.len())]
    }
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// The facts of a customer who answers.
fn customer(
    account: &str,
    email: &str,
    [person, company, comment, site]: [&str; 4],
) -> [String; 3] {
    [
        fact(
            account,
            "contact.updated",
            json!({"contact": "p-1", "name": person, "role": "champion", "email": email}),
        ),
        fact(account, "account.updated", json!({"name": company})),
        fact(
            account,
            "nps.responded",
            json!({"contact": "p-1", "comment": comment, "site": site}),
        ),
    ]
}

/// A mail has the sender, the one recipient and the headers that mails have, no others, and the page of the template.
fn judge(taken: &Taken, calm: &Outline, seed: u64) {
    let at = format!("seed {seed:#x}: {taken:?}");
    assert_eq!(taken.sender, "success@vendor.example", "{at}");
    assert_eq!(taken.recipients.len(), 1, "{at}");
    assert_eq!(taken.headers, HEADERS, "{at}");
    let bare = taken.text.replace("\r\n", "");
    assert!(!bare.contains(['\r', '\n', '\0']), "{at}");
    let mail = MessageParser::default().parse(taken.text.as_bytes());
    let mail = mail.unwrap_or_else(|| panic!("no mail: {at}"));
    let to = mail.to().and_then(|to| to.first());
    let to = to.and_then(|to| to.address.as_deref());
    assert_eq!(to, Some(&*taken.recipients[0]), "{at}");
    assert_eq!(mail.to().map_or(0, |to| to.iter().count()), 1, "{at}");
    let subject = mail.subject().unwrap_or_default();
    assert!(!has_control(subject), "{subject:?}, {at}");
    let html = mail.body_html(0).unwrap_or_default();
    let read = outline(&html);
    assert_eq!(read.elements, calm.elements, "{html}\n{at}");
    for link in &read.links {
        let known = [
            "https://acme.example",
            "mailto:",
            "https://cs.vendor.example/u/",
        ];
        let leads = known.iter().any(|known| link.starts_with(known));
        assert!(leads, "{link}, {at}");
    }
}

async fn office(sink: &Sink) -> Office {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\npublic_url: https://cs.vendor.example\njurisdiction: us\nsmtp: {{host: 127.0.0.1, port: {}, tls: none, concurrency_max: 16}}\n",
        sink.address().port()
    );
    texts::write(folder.path(), texts::BEFORE).expect("the text is written");
    texts::save(folder.path(), "voice", VOICE).expect("the text is written");
    let schema = folder.path().join("workflows/definitions/schema.yaml");
    let text = std::fs::read_to_string(&schema).expect("it is there");
    let event = "  nps.responded: {contact: required contact, comment: required text, site: required text}\n";
    std::fs::write(&schema, text + event).expect("it is written");
    let template = folder.path().join("templates/voice.en.hbs");
    std::fs::write(template, TEMPLATE).expect("it is written");
    let office = Office::open(&settings, folder.path(), &[]).await;
    office.expect("the office opens")
}

/// Tells of the customers; gives the recipients that are to be written to.
async fn tell(office: &Office, draw: &mut Draw) -> Vec<String> {
    let calm = ["Mika", "Acme", "Well done", "https://acme.example/"];
    let mut facts = customer("calm", "calm@acme.example", calm).to_vec();
    let mut expected = vec!["calm@acme.example".to_owned()];
    let mut refused = 0;
    for number in 0..COUNT {
        let account = format!("hostile-{number}");
        let email = format!("mika-{number}@acme.example");
        let is_welcome = if number % 10 == 0 {
            |_: char| true
        } else {
            |letter: char| !letter.is_control()
        };
        let (person, company) = (draw.text(is_welcome), draw.text(is_welcome));
        // What somebody says may have lines; no other control character is taken.
        let comment = draw.text(|letter| !letter.is_control() || "\r\n\t".contains(letter));
        let (site, may_lead) = draw.address();
        let named = !has_control(&person) && !has_control(&company);
        if named && may_lead {
            expected.push(email.clone());
        } else {
            refused += 1;
        }
        facts.extend(customer(
            &account,
            &email,
            [&person, &company, &comment, site],
        ));
    }
    assert!(
        expected.len() > COUNT / 3 && refused > COUNT / 10,
        "{refused}"
    );
    for chunk in facts.chunks(CHUNK) {
        let body = chunk.join("\n");
        let told = office
            .client()
            .tell("application/x-ndjson", body.as_bytes())
            .await;
        assert_eq!(told.expect("the server answers").status, 202);
    }
    expected
}

#[tokio::test]
async fn ten_thousand_hostile_values_reach_only_whom_was_decided_as_text() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut options = SinkOptions::new(folder.path().join("record"));
    options.is_whole = true;
    let sink = Sink::start(options).await.expect("the sink starts");
    let office = office(&sink).await;
    let seed = 0x5eed_0004;
    let mut expected = tell(&office, &mut Draw(Dice::new(seed))).await;
    let taken = wait::until(
        "every mail is taken",
        Duration::from_secs(180),
        async || {
            let taken = sink.taken().ok()?;
            (taken.len() >= expected.len()).then_some(taken)
        },
    );
    let taken = taken
        .await
        .unwrap_or_else(|late| panic!("{late}: {}", office.server.said()));
    let by_whom: BTreeMap<&str, &Taken> = taken
        .iter()
        .filter_map(|one| Some((&**one.recipients.first()?, one)))
        .collect();
    let calm = MessageParser::default().parse(by_whom["calm@acme.example"].text.as_bytes());
    let calm = outline(&calm.expect("a mail").body_html(0).expect("a page"));
    assert!(calm.elements.len() > 10, "{calm:?}");
    for one in &taken {
        judge(one, &calm, seed);
    }
    let mut found: Vec<String> = taken.into_iter().flat_map(|one| one.recipients).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "seed {seed:#x}");
}
