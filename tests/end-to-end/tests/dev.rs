//! `sottaku dev`: a text takes effect when it is saved, with its plan; a mistake stops nothing.

use std::time::Duration;

use end_to_end::{Client, Serving, wait};
use serde_json::json;

use crate::office::{fact, product};
use crate::texts;

const SHOWN_TIME_MAX: Duration = Duration::from_secs(30);

/// Waits until the screen shows all of these words.
async fn shows(dev: &Serving, words: &[&str]) {
    let shown = wait::until("the screen shows it", SHOWN_TIME_MAX, async || {
        let screen = dev.said();
        words.iter().all(|word| screen.contains(word)).then_some(())
    });
    let is_shown = shown.await.is_ok();
    assert!(is_shown, "not shown: {words:?}\n{}", dev.said());
}

async fn tell(dev: &Serving, facts: &[String]) {
    let mut client = Client::new(dev.address(), Duration::from_secs(30));
    let body = facts.join("\n");
    let told = client.tell("application/x-ndjson", body.as_bytes()).await;
    assert_eq!(told.expect("dev answers").status, 202);
}

/// An account on trial with a champion.
fn trial(account: &str) -> [String; 2] {
    let mika =
        json!({"contact": "p-1", "name": "Mika", "role": "champion", "email": "mika@acme.example"});
    [
        fact(account, "contact.updated", mika),
        fact(
            account,
            "account.updated",
            json!({"name": "Acme", "plan": "trial"}),
        ),
    ]
}

#[tokio::test]
async fn dev_applies_what_is_saved_and_goes_on_when_it_has_a_mistake() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let dir = folder.path();
    texts::write(dir, texts::BEFORE).expect("the workspace is written");
    let arguments = ["dev", ".", "--clock", "log", "--fresh", "--store", "dev.db"];
    // Tips advertise: where consent is asked for, nobody here would get one.
    let product = product(dir).with("SOTTAKU_JURISDICTION", "us");
    let dev = Serving::start(&product, &arguments, &dir.join("screen"));
    let dev = dev.expect("dev starts");
    dev.answers().await.expect("dev answers");
    tell(&dev, &trial("acme")).await;
    shows(&dev, &["start", "acme"]).await;
    let applied = |times: usize| {
        let dev = &dev;
        async move {
            let applied = wait::until("it is applied", SHOWN_TIME_MAX, async || {
                (dev.said().matches(" applied\n").count() >= times).then_some(())
            });
            assert!(applied.await.is_ok(), "{}", dev.said());
        }
    };
    applied(1).await;

    texts::save(dir, "course", &texts::after()).expect("it is saved");
    shows(
        &dev,
        &[
            "1 step changed, 1 step added, 1 run open",
            "wait 3d → 5d  (1 run before it",
        ],
    )
    .await;
    applied(2).await;

    let mistake = texts::after().replace("wait: 5d", "wait: 5 parsecs");
    texts::save(dir, "course", &mistake).expect("it is saved");
    shows(&dev, &["error[", "5 parsecs", "what was applied goes on"]).await;
    tell(&dev, &trial("beta")).await;
    shows(&dev, &["beta"]).await;

    // Five days, by the text before the mistake: 13 January and 5 days is a Sunday.
    let tick = r#"{"specversion":"1.0","id":"tick","source":"test","type":"sottaku.tick","time":"2026-01-18T12:00:00Z"}"#;
    tell(&dev, &[tick.to_owned()]).await;
    let tick = tick
        .replace("\"tick\"", "\"tock\"")
        .replace("01-18", "01-19");
    tell(&dev, &[tick]).await;
    shows(&dev, &["2026-01-19T09:00", "Hello Acme"]).await;
    assert!(!dev.said().contains("2026-01-16"), "{}", dev.said());

    let hello = dir.join("templates/hello.en.hbs");
    let text = std::fs::read_to_string(&hello).expect("the template is there");
    texts::save(dir, "course", &texts::after()).expect("it is saved");
    std::fs::write(&hello, text.replace("Hello", "Good day")).expect("it is saved");
    applied(3).await;
    assert_eq!(dev.end().await.expect("dev ends"), Some(0));
}

#[tokio::test]
async fn dev_says_who_has_no_ground_to_be_written_to_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let dir = folder.path();
    texts::write(dir, texts::BEFORE).expect("the workspace is written");
    let arguments = ["dev", ".", "--clock", "log", "--fresh", "--store", "dev.db"];
    let dev = Serving::start(&product(dir), &arguments, &dir.join("screen"));
    let dev = dev.expect("dev starts");
    dev.answers().await.expect("dev answers");
    tell(&dev, &trial("acme")).await;
    let tick = r#"{"specversion":"1.0","id":"tick","source":"test","type":"sottaku.tick","time":"2026-01-19T12:00:00Z"}"#;
    tell(&dev, &[tick.to_owned()]).await;
    let words = [
        "email to mika@acme.example: not sent, suppressed",
        "no_consent: it advertises",
        "sottaku consent add mika@acme.example --basis consent",
    ];
    shows(&dev, &words).await;
    assert_eq!(dev.end().await.expect("dev ends"), Some(0));
}
