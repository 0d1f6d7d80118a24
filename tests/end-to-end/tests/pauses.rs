//! The kill switch: what is paused does not leave, be it a mail, a post or a call; all else does; after `resume` it arrives.

use std::collections::BTreeMap;
use std::time::Duration;

use end_to_end::{Failure, Sink, SinkOptions, Slack, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::office::{Office, fact, workspace};
use crate::returns::copy;

/// A mail server, an endpoint that is Slack and a webhook in one, and the office between them.
struct Stage {
    sink: Sink,
    slack: Slack,
    office: Office,
    _folder: TempDir,
}

/// The small workspace, in which somebody is called too when a customer is lost.
fn calling(folder: &TempDir, url: &str) -> Result<(), Failure> {
    copy(&workspace(), folder.path())?;
    let add = |file: &str, more: &str| {
        let path = folder.path().join("workflows").join(file);
        let text = std::fs::read_to_string(&path).map_err(Failure::io("reading a file"))?;
        std::fs::write(path, text + more).map_err(Failure::io("writing a file"))
    };
    add("lost.yaml", "  - id: call\n    webhook: crm\n")?;
    let crm = format!("webhooks:\n  crm: {{url: '{url}'}}\n");
    add("definitions/policies.yaml", &crm)
}

impl Stage {
    async fn open() -> Stage {
        let folder = tempfile::tempdir().expect("a folder");
        let sink = Sink::start(SinkOptions::new(folder.path().join("record"))).await;
        let (sink, slack) = (sink.expect("it starts"), Slack::start([]).await);
        let slack = slack.expect("it starts");
        calling(&folder, &slack.url()).expect("the workspace is written");
        let settings = format!(
            "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\n\
             public_url: https://cs.vendor.example\njurisdiction: jp\n\
             smtp: {{host: 127.0.0.1, port: {}, tls: none}}\n\
             egress: {{allow: ['{}']}}\nslack: {{pace: 10ms, channels: {{'#desk': '${{env:DESK}}'}}}}\n",
            sink.address().port(),
            slack.allowed()
        );
        let variables = [("DESK", &*slack.url())];
        let office = Office::open(&settings, folder.path(), &variables).await;
        Stage {
            sink,
            slack,
            office: office.expect("the office opens"),
            _folder: folder,
        }
    }

    async fn switch(&self, verb: &str, what: &[&str]) -> String {
        let arguments = [&[verb], what, &["--reason", "a drill"]].concat();
        let ran = self.office.product.done(&arguments).await;
        ran.expect("it is turned").out
    }

    /// How often each address was written to.
    fn written_to(&self) -> BTreeMap<String, usize> {
        let mut count = BTreeMap::new();
        for mail in self.sink.taken().expect("the record") {
            for to in mail.recipients {
                *count.entry(to).or_default() += 1;
            }
        }
        count
    }

    /// A customer is lost: two posts and a call.
    async fn lose(&self, account: &str) {
        let lost = json!({"name": account, "plan": "lost"});
        let lost = fact(account, "account.updated", lost);
        let mut client = self.office.client();
        let told = client.tell("application/cloudevents+json", lost.as_bytes());
        assert_eq!(told.await.expect("it is answered").status, 202);
    }

    /// Waits until all messages of an account are so.
    async fn all(&self, account: &str, count: usize, is_so: impl Fn(&Value) -> bool) {
        let what = format!("{count} messages of {account}");
        let found = wait::until(&what, Duration::from_secs(60), async || {
            let mails = self.office.mails(account).await;
            (mails.len() == count && mails.iter().all(&is_so)).then_some(())
        });
        if let Err(late) = found.await {
            panic!("{late}: {:#?}", self.office.mails(account).await);
        }
    }
}

fn is_sent(mail: &Value) -> bool {
    mail["state"] == "sent"
}

fn is_queued(mail: &Value) -> bool {
    mail["state"] == "queued"
}

fn is_held(by: &str) -> impl Fn(&Value) -> bool {
    let detail = format!("paused: {by}");
    move |mail| mail["state"] == "deferred" && mail["detail"] == *detail
}

#[tokio::test]
async fn a_workflow_a_topic_and_a_domain_are_paused_and_nothing_beside_them() {
    let stage = Stage::open().await;
    for (kind, name, held, free) in [
        ("workflow", "notice", "paid", "trial"),
        ("topic", "tips", "trial", "paid"),
        ("domain", "held.example", "paid", "paid"),
    ] {
        let what = [&*format!("--{kind}"), name];
        stage.switch("pause", &what).await;
        let (one, other) = (format!("{kind}-held"), format!("{kind}-free"));
        let to = format!("mika@{kind}.example").replace("domain.example", "held.example");
        stage.office.tell(&one, &to, held).await;
        stage.office.tell(&other, "rei@acme.example", free).await;
        stage.all(&other, 1, is_sent).await;
        stage.all(&one, 1, is_held(&format!("{kind}:{name}"))).await;
        assert_eq!(stage.written_to().get(&to), None, "{kind}");
        let said = stage.switch("resume", &what[..]).await;
        assert!(said.contains("nothing is paused"), "{said}");
        stage.all(&one, 1, is_sent).await;
        assert_eq!(stage.written_to().get(&to), Some(&1), "{kind}");
    }
    assert_eq!(stage.written_to().get("rei@acme.example"), Some(&3));
}

#[tokio::test]
async fn a_pause_holds_posts_and_calls_too() {
    let stage = Stage::open().await;
    stage.switch("pause", &["--workflow", "lost"]).await;
    stage.lose("first").await;
    stage.office.tell("paid", "mika@acme.example", "paid").await;
    stage.all("paid", 1, is_sent).await;
    stage.all("first", 3, is_held("workflow:lost")).await;
    assert_eq!(stage.slack.posted(), []);
    stage.switch("resume", &["--workflow", "lost"]).await;
    stage.all("first", 3, is_sent).await;
    assert_eq!(stage.slack.posted().len(), 3);
    // Everything at once.
    stage.switch("pause", &[]).await;
    stage.lose("second").await;
    stage.office.tell("late", "rei@acme.example", "paid").await;
    // Nothing is so much as looked at.
    stage.all("second", 3, is_queued).await;
    stage.all("late", 1, is_queued).await;
    let health = stage.office.client().get("/healthz").await;
    let health = health.expect("an answer").body;
    assert!(health.contains("send is paused since"), "{health}");
    assert_eq!(
        (stage.slack.posted().len(), stage.written_to().len()),
        (3, 1)
    );
    stage.switch("resume", &[]).await;
    stage.all("second", 3, is_sent).await;
    stage.all("late", 1, is_sent).await;
    assert_eq!(
        (stage.slack.posted().len(), stage.written_to().len()),
        (6, 2)
    );
}
