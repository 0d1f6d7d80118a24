//! Names that are meant to become headers, recipients or commands: at the mail server each mail has the recipient that was
//! decided, and the headers that mails have.

use std::time::Duration;

use end_to_end::{Dice, Sink, SinkOptions, Taken, wait};
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

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// The one recipient of each mail, which has the sender and the headers that mails have and no others.
fn recipients(taken: &[Taken], seed: u64) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for one in taken {
        assert_eq!(
            one.sender, "success@vendor.example",
            "seed {seed:#x}: {one:?}"
        );
        assert_eq!(one.recipients.len(), 1, "seed {seed:#x}: {one:?}");
        assert_eq!(one.headers, HEADERS, "seed {seed:#x}: {one:?}");
        found.push(one.recipients[0].clone());
    }
    found
}

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
    let mut name = |is_clean: bool| -> String {
        let pieces: Vec<&str> = PIECES
            .into_iter()
            .filter(|piece| !is_clean || !has_control(piece))
            .collect();
        let count = dice.below(4) + 1;
        let chosen = (0..count).map(|_| pieces[dice.below(pieces.len())]);
        format!("a{}", chosen.collect::<String>())
    };
    let mut facts = Vec::new();
    let mut expected = Vec::new();
    for number in 0..COUNT {
        let account = format!("hostile-{number}");
        let email = format!("mika-{number}@acme.example");
        let (person, company) = (name(number % 4 != 0), name(number % 4 != 0));
        // What has control characters is refused as it comes in, and nobody is written to.
        if !has_control(&person) && !has_control(&company) {
            expected.push(email.clone());
        }
        facts.push(fact(
            &account,
            "contact.updated",
            json!({"contact": "p-1", "name": person, "role": "champion", "email": email}),
        ));
        facts.push(fact(
            &account,
            "account.updated",
            json!({"name": company, "plan": "paid"}),
        ));
    }
    let refused = COUNT - expected.len();
    assert!(
        expected.len() > COUNT / 2 && refused > COUNT / 10,
        "{refused}"
    );
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
            (taken.len() >= expected.len()).then_some(taken)
        },
    );
    let taken = taken
        .await
        .unwrap_or_else(|late| panic!("{late}: {}", office.server.said()));
    let mut found = recipients(&taken, seed);
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "seed {seed:#x}");
}
