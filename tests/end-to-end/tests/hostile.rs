//! Names that are meant to become headers, recipients or commands: at the mail server each mail has the recipient that was
//! decided, and the headers that mails have.

use std::time::Duration;

use end_to_end::{Dice, Sink, SinkOptions, wait};
use serde_json::json;

use crate::office::{Office, fact, workspace};

const COUNT: usize = 500;
const PIECES: [&str; 18] = [
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
];
const HEADERS: [&str; 10] = [
    "Message-ID",
    "Date",
    "From",
    "To",
    "List-Id",
    "Subject",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
];

#[tokio::test]
async fn hostile_names_reach_only_whom_was_decided() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let sink = Sink::start(SinkOptions::new(folder.path().join("record"))).await;
    let sink = sink.expect("the sink starts");
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nsmtp: {{host: 127.0.0.1, port: {}, tls: none}}\n",
        sink.address().port()
    );
    let office = Office::open(&settings, &workspace(), &[]).await;
    let office = office.expect("the office opens");
    let seed = 0x5eed_0004;
    let mut dice = Dice::new(seed);
    let mut name = || -> String {
        let count = dice.below(4) + 1;
        let pieces = (0..count).map(|_| PIECES[dice.below(PIECES.len())]);
        format!("a{}", pieces.collect::<String>())
    };
    let facts: Vec<String> = (0..COUNT)
        .flat_map(|number| {
            let account = format!("hostile-{number}");
            let email = format!("mika-{number}@acme.example");
            [
                fact(
                    &account,
                    "contact.updated",
                    json!({"contact": "p-1", "name": name(), "role": "champion", "email": email}),
                ),
                fact(
                    &account,
                    "account.updated",
                    json!({"name": name(), "plan": "paid"}),
                ),
            ]
        })
        .collect();
    let told = office
        .client()
        .tell("application/x-ndjson", facts.join("\n").as_bytes())
        .await;
    assert_eq!(told.expect("the server answers").status, 202);
    let taken = wait::until(
        "every mail is taken",
        Duration::from_secs(120),
        async || {
            let taken = sink.taken().ok()?;
            (taken.len() >= COUNT).then_some(taken)
        },
    );
    let taken = taken
        .await
        .unwrap_or_else(|late| panic!("{late}: {}", office.server.said()));
    let mut found: Vec<String> = Vec::new();
    for one in &taken {
        assert_eq!(
            one.sender, "success@vendor.example",
            "seed {seed:#x}: {one:?}"
        );
        assert_eq!(one.recipients.len(), 1, "seed {seed:#x}: {one:?}");
        assert_eq!(one.headers, HEADERS, "seed {seed:#x}: {one:?}");
        found.push(one.recipients[0].clone());
    }
    found.sort();
    let mut expected: Vec<String> = (0..COUNT)
        .map(|number| format!("mika-{number}@acme.example"))
        .collect();
    expected.sort();
    assert_eq!(found, expected, "seed {seed:#x}");
}
