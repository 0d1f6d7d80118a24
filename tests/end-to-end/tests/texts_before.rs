//! A mail leaves with the text that it was decided with, whatever was applied while it waited.

use std::path::Path;
use std::time::Duration;

use end_to_end::{Act, Phase, Plan, Rule, Sink, SinkOptions, wait};

use crate::office::{Office, workspace};

const PUBLIC: &str = "https://cs.vendor.example";
const TIME_MAX: Duration = Duration::from_secs(60);

/// Writes `file` of the tests' workspace into `next` with these words in the place of those.
fn rewrite(next: &Path, file: &str, changes: &[(&str, &str)]) {
    let mut text = std::fs::read_to_string(workspace().join(file)).expect("the file is there");
    for (from, to) in changes {
        assert!(text.contains(from), "{from:?} is in {file}");
        text = text.replace(from, to);
    }
    let to = next.join(file);
    let folder = to.parent().expect("a file lies in a folder");
    std::fs::create_dir_all(folder).expect("a folder can be made");
    std::fs::write(to, text).expect("a file can be written");
}

/// The second text: other words, another topic in the place of `tips`, another sender.
fn second(next: &Path) {
    let hello = [("this is to tell you that", "WORDS OF THE SECOND TEXT:")];
    rewrite(next, "templates/hello.en.hbs", &hello);
    let policies = [
        (
            "tips:   {title: {en: Tips, ja: ヒント}, purpose: promotional}",
            "advice: {title: Advice, purpose: promotional}",
        ),
        ("name: Vendor", "name: Renamed Vendor"),
    ];
    rewrite(next, "workflows/definitions/policies.yaml", &policies);
    rewrite(
        next,
        "workflows/tips.yaml",
        &[("topic: tips", "topic: advice")],
    );
    for same in [
        "workflows/definitions/schema.yaml",
        "workflows/notice.yaml",
        "workflows/lost.yaml",
        "templates/lost.en.hbs",
    ] {
        rewrite(next, same, &[]);
    }
}

fn header<'t>(mail: &'t str, name: &str) -> &'t str {
    let begin = format!("\r\n{name}: ");
    let value = mail.split_once(&begin).map(|(_, after)| after);
    value.and_then(|after| after.lines().next()).unwrap_or("")
}

#[tokio::test]
async fn a_mail_that_waited_leaves_with_the_text_it_was_decided_with() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut options = SinkOptions::new(folder.path().join("record"));
    options.is_whole = true;
    let later = Act::Reply("450 4.2.0 later".into());
    options.plan = Plan::of([Rule::new(Phase::Rcpt, later)]);
    let sink = Sink::start(options.clone()).await.expect("the sink starts");
    options.listen = sink.address();
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\npublic_url: {PUBLIC}\n\
         smtp: {{host: 127.0.0.1, port: {}, tls: none}}\nlimits: {{retry_wait_max: 200ms}}\n",
        sink.address().port()
    );
    let office = Office::open(&settings, &workspace(), &[]).await;
    let office = office.expect("the office opens");
    office.tell("first", "mika@acme.example", "trial").await;
    office.fate("first", &["deferred"]).await;
    let next = folder.path().join("next");
    second(&next);
    let next = next.display().to_string();
    let applied = office.product.done(&["apply", &next, "--yes"]).await;
    applied.expect("the second text is applied");
    // What is decided from now on is decided with the second text.
    office.tell("second", "rei@acme.example", "trial").await;
    office.fate("second", &["deferred"]).await;
    drop(sink);
    options.plan = Plan::default();
    let sink = wait::until("the port is free", TIME_MAX, async || {
        Sink::start(options.clone()).await.ok()
    });
    let sink = sink.await.expect("the sink starts again");
    let taken = office.taken(&sink, 2).await;
    let of = |to: &str| {
        let mail = taken.iter().find(|mail| mail.recipients == [to]);
        &*mail.expect("the mail is there").text
    };
    let before = of("mika@acme.example");
    assert!(before.contains("this is to tell you that"), "{before}");
    assert!(before.contains("Sent by Vendor"), "{before}");
    assert!(before.contains("List-Id: "), "{before}");
    assert!(header(before, "List-Id").contains("tips"), "{before}");
    let after = of("rei@acme.example");
    assert!(after.contains("WORDS OF THE SECOND TEXT:"), "{after}");
    assert!(after.contains("Sent by Renamed Vendor"), "{after}");
    assert!(header(after, "List-Id").contains("advice"), "{after}");
    // The topic of the first text is in no text any more, and can be left all the same.
    let path = before.split_once(PUBLIC).expect("it has a link").1;
    let end = path.find(['>', '\r', ' ', '"']).expect("the link ends");
    let mut client = office.client();
    let page = client.get(&path[..end]).await.expect("it is answered");
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("topic:tips"), "{}", page.body);
}
