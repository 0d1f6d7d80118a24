//! What readers do with a mail: a link that is followed and a look at it come back as facts, where the settings ask for
//! it, and only by the links that were sent; what machines do counts for nothing.

use std::path::Path;

use end_to_end::{Failure, Sink, SinkOptions};
use mail_parser::MessageParser;
use tempfile::TempDir;
use tokio::process::Command;

use crate::office::{Office, workspace};
use crate::returns::{copy, record};

const PUBLIC: &str = "https://cs.vendor.example";
const GUIDE: &str = "https://docs.vendor.example/guide?a=1&b=2";
const NOTICE: &str = "workflow: notice\ntitle: A guide\nfor_each: account\ntopic: notice\nstatus: live\n\
    start:\n  when: account.plan == paid\n  existing: include\nonce_per: account\nsteps:\n  - id: hello\n    send: hello\n    to: champion\n\
    \x20 - id: read\n    wait: {until: steps.hello.clicked, at_most: 300d, otherwise: stop}\n\
    \x20 - id: seen\n    if: steps.hello.opened\n    alert: desk\n    text: They read it.\n";
const HELLO: &str = "---\nsubject: Hello\n---\nDear {{contact.name}}, [the guide](https://docs.vendor.example/guide?a=1&b=2) and [more](https://docs.vendor.example/more).\n";

fn guiding(folder: &Path) -> Result<(), Failure> {
    copy(&workspace(), folder)?;
    for (file, text) in [
        ("workflows/notice.yaml", NOTICE),
        ("templates/hello.en.hbs", HELLO),
    ] {
        std::fs::write(folder.join(file), text).map_err(Failure::io("writing a file"))?;
    }
    Ok(())
}

async fn office(tracking: &str) -> (Office, Sink, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    guiding(folder.path()).expect("the workspace is written");
    let mut options = SinkOptions::new(folder.path().join("record"));
    options.is_whole = true;
    let sink = Sink::start(options).await.expect("the sink starts");
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\npublic_url: {PUBLIC}\n\
         smtp: {{host: 127.0.0.1, port: {}, tls: none}}\n{tracking}",
        sink.address().port()
    );
    let office = Office::open(&settings, folder.path(), &[]).await;
    (office.expect("the office opens"), sink, folder)
}

/// Sends the mail, and gives the links of its page in order.
async fn links(office: &Office, sink: &Sink) -> Vec<String> {
    let told = office.tell("acme", "mika@acme.example", "paid").await;
    assert_eq!(told.status, 202);
    office.fate("acme", &["sent"]).await;
    let mail = office.taken(sink, 1).await.swap_remove(0);
    let mail = MessageParser::default().parse(mail.text.as_bytes());
    let mail = mail.expect("it is a mail");
    end_to_end::outline(&mail.body_html(0).expect("a page")).links
}

/// Follows a link of the mail as a browser does: the status, and where it leads.
async fn follow(office: &Office, link: &str) -> (String, String) {
    let path = link.strip_prefix(PUBLIC).expect("it is our address");
    let url = format!("http://{}{path}", office.server.address());
    let ran = Command::new("curl")
        .args([
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{redirect_url}",
            &url,
        ])
        .output()
        .await;
    let said = String::from_utf8_lossy(&ran.expect("curl runs").stdout).into_owned();
    let (status, leads_to) = said.split_once(' ').expect("two words");
    (status.to_owned(), leads_to.to_owned())
}

/// How many facts of this kind the log has.
async fn told(office: &Office, kind: &str) -> usize {
    let log = office.product.done(&["log", "export"]).await;
    let log = log.expect("the log is exported").out;
    log.matches(&format!("\"type\":\"{kind}\"")).count()
}

/// The links that lead by way of us, the image among them.
fn ours(links: &[String], kind: &str) -> Vec<String> {
    let begin = format!("{PUBLIC}/{kind}/");
    let ours = links.iter().filter(|link| link.starts_with(&begin));
    ours.cloned().collect()
}

#[tokio::test]
async fn a_followed_link_and_a_look_are_facts_and_the_run_goes_on() {
    let (office, sink, folder) =
        office("tracking: {opens: true, clicks: true, machines_within: 0s}\n").await;
    let links = links(&office, &sink).await;
    let (clicks, opens) = (ours(&links, "c"), ours(&links, "o"));
    // The first is the one that no person sees.
    let [_, guide, more] = &clicks[..] else {
        panic!("{links:?}");
    };
    assert_eq!(opens.len(), 1, "{links:?}");
    assert!(!links.contains(&GUIDE.to_owned()), "{links:?}");
    let forged = |link: &str| format!("{}{}", &link[..link.len() - 4], "AAAA");
    let crossed = opens[0].replace("/o/", "/c/");
    for wrong in [forged(guide), forged(&opens[0]), crossed] {
        assert_eq!(follow(&office, &wrong).await.0, "404", "{wrong}");
    }
    assert_eq!(told(&office, "message.clicked").await, 0);
    assert_eq!(follow(&office, &opens[0]).await.0, "200");
    for _ in 0..2 {
        let led = follow(&office, guide).await;
        assert_eq!(led, ("302".to_owned(), GUIDE.to_owned()));
    }
    record(&office, "acme", "seen").await;
    assert_eq!(follow(&office, more).await.0, "302");
    let counts = (
        told(&office, "message.clicked").await,
        told(&office, "message.opened").await,
    );
    assert_eq!(counts, (2, 1), "each link once, and one look");
    // What happens then should not hang on a look: the check says so.
    let folder = folder.path().display().to_string();
    let checked = office.product.run(&["check", &folder]).await;
    let checked = checked.expect("it is checked");
    let said = format!("{}{}", checked.out, checked.err);
    assert!(
        said.contains("W606") && said.contains("steps.hello.opened"),
        "{said}"
    );
}

#[tokio::test]
async fn machines_on_the_way_count_for_nothing() {
    for (tracking, first) in [
        ("tracking: {opens: true, clicks: true}\n", None),
        (
            "tracking: {opens: true, clicks: true, machines_within: 0s}\n",
            Some(0),
        ),
    ] {
        let (office, sink, _folder) = office(tracking).await;
        let links = links(&office, &sink).await;
        let (clicks, opens) = (ours(&links, "c"), ours(&links, "o"));
        if let Some(hidden) = first {
            // Who follows what nobody sees is none of the readers.
            assert_eq!(follow(&office, &clicks[hidden]).await.0, "204");
        }
        for link in &clicks[1..] {
            assert_eq!(follow(&office, link).await.0, "302", "a reader is led on");
        }
        assert_eq!(follow(&office, &opens[0]).await.0, "200");
        let metrics = office
            .client()
            .get("/metrics")
            .await
            .expect("an answer")
            .body;
        let counted = "sottaku_mail_came_back_total{what=\"machine\"} 3";
        assert!(metrics.contains(counted), "{metrics}");
        for kind in ["message.clicked", "message.opened"] {
            assert_eq!(told(&office, kind).await, 0, "{kind}: {tracking}");
        }
    }
}

#[tokio::test]
async fn nothing_is_noticed_unless_somebody_asks_for_it() {
    let (office, sink, _folder) = office("").await;
    let links = links(&office, &sink).await;
    assert!(links.contains(&GUIDE.to_owned()), "{links:?}");
    assert!(
        links.iter().all(|link| !link.starts_with(PUBLIC)),
        "{links:?}"
    );
}
