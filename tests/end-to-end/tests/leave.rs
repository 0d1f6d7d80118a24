//! Leaving: from the headers of a mail that a real Postfix delivered, by a foreign client's one click and by a person in
//! a real browser; after it nothing reaches the address.

use end_to_end::{Browser, Postfix, Tls};
use mail_parser::MessageParser;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::office::{Office, fact, workspace};

const PUBLIC: &str = "https://cs.vendor.example";

async fn office(postfix: &Postfix) -> Office {
    let authority = postfix.authority().expect("it has a certificate");
    let authority = authority.display().to_string();
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\npublic_url: {PUBLIC}\njurisdiction: jp\n\
         smtp: {{host: 127.0.0.1, port: {}, tls: required}}\nlimits: {{retry_wait_max: 200ms}}\n",
        postfix.address().port()
    );
    let variables = [("SSL_CERT_FILE", &*authority)];
    let opened = Office::open(&settings, &workspace(), &variables).await;
    opened.expect("the office opens")
}

/// A header of a mail, unfolded.
fn header(mail: &str, name: &str) -> Option<String> {
    let head = mail
        .split("\n\n")
        .next()?
        .replace("\n ", " ")
        .replace("\n\t", " ");
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// The path of the link to unsubscribe, as a mail program reads it.
fn link(mail: &str) -> String {
    let header = header(mail, "List-Unsubscribe").expect("it can be left");
    let url = header.trim_start_matches('<').trim_end_matches('>');
    let path = url.strip_prefix(PUBLIC).expect("it is our address");
    path.to_owned()
}

async fn ledger(office: &Office, address: &str) -> Vec<Value> {
    let arguments = ["suppress", "list", address, "--output", "json"];
    let listed = office.product.done(&arguments).await;
    let listed = listed.expect("the ledger is listed");
    listed.json_lines().expect("each line is JSON")
}

#[tokio::test]
async fn one_click_by_a_foreign_client_ends_it() {
    let postfix = Postfix::start(Tls::Required).await.expect("Postfix starts");
    let office = office(&postfix).await;
    office.tell("first", "mika@acme.example", "trial").await;
    office.fate("first", &["sent"]).await;
    let mails = postfix
        .mails_once_there_are(1)
        .await
        .expect("the mail arrives");
    let mail = &mails[0];
    let post = header(mail, "List-Unsubscribe-Post");
    assert_eq!(post.as_deref(), Some("List-Unsubscribe=One-Click"));
    let list = header(mail, "List-Id").expect("it belongs to a list");
    assert!(list.contains("<tips."), "{list}");
    let path = link(mail);
    // Whoever scans the mail opens its link, over and over.
    let mut client = office.client();
    for _ in 0..1_000 {
        let looked = client.get(&path).await.expect("it is answered");
        assert_eq!(looked.status, 200);
    }
    assert!(ledger(&office, "mika@acme.example").await.is_empty());
    let url = format!("http://{}{path}", office.server.address());
    let clicked = Command::new("curl")
        .args([
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{num_redirects}",
        ])
        .args(["-d", "List-Unsubscribe=One-Click", &url])
        .output()
        .await
        .expect("curl runs");
    assert_eq!(String::from_utf8_lossy(&clicked.stdout), "200 0");
    let rows = ledger(&office, "MIKA@acme.example").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["scope"], "topic:tips");
    assert_eq!(rows[0]["is_in_force"], true);
    // The same person at another account is the same address.
    office.tell("second", "Mika@ACME.example", "trial").await;
    let stopped = office.fate("second", &["suppressed"]).await;
    let detail = stopped["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("unsubscribed"), "{detail}");
    // What the contract asks for still arrives, and can't be left.
    office.tell("third", "mika@acme.example", "paid").await;
    office.fate("third", &["sent"]).await;
    let mails = postfix
        .mails_once_there_are(2)
        .await
        .expect("the mail arrives");
    let notice = mails
        .iter()
        .find(|mail| header(mail, "List-Unsubscribe").is_none());
    assert!(notice.is_some(), "{mails:?}");
    assert_eq!(mails.len(), 2);
}

#[tokio::test]
async fn a_person_leaves_on_the_page_and_comes_back() {
    let postfix = Postfix::start(Tls::Required).await.expect("Postfix starts");
    let office = office(&postfix).await;
    office.tell("first", "mika@acme.example", "trial").await;
    let mails = postfix
        .mails_once_there_are(1)
        .await
        .expect("the mail arrives");
    let url = format!("http://{}{}", office.server.address(), link(&mails[0]));
    let profile = tempfile::tempdir().expect("a folder can be made");
    let mut browser = Browser::start(profile.path(), "en")
        .await
        .expect("the browser starts");
    let heading = browser.open(&url).await.expect("the page opens");
    assert_eq!(heading, "Stop messages");
    let chosen = "document.querySelector('input:checked').labels[0].textContent.trim()";
    assert_eq!(browser.value(chosen).await.expect("it is read"), "Tips");
    let language = browser.value("document.documentElement.lang").await;
    assert_eq!(language.expect("it is read"), "en");
    let heading = browser.press("Stop the chosen messages").await;
    assert_eq!(heading.expect("it is answered"), "Messages are stopped");
    let rows = ledger(&office, "mika@acme.example").await;
    assert_eq!(
        (rows.len(), &rows[0]["scope"]),
        (1, &Value::from("topic:tips"))
    );
    let heading = browser.press("Undo: keep receiving them").await;
    assert_eq!(heading.expect("it is answered"), "Messages are sent again");
    let rows = ledger(&office, "mika@acme.example").await;
    let in_force = rows.iter().filter(|row| row["is_in_force"] == true);
    assert_eq!((rows.len(), in_force.count()), (2, 0), "{rows:?}");
}

#[tokio::test]
async fn who_reads_japanese_is_asked_in_japanese() {
    let postfix = Postfix::start(Tls::Required).await.expect("Postfix starts");
    let office = office(&postfix).await;
    let lines = [
        fact(
            "first",
            "contact.updated",
            json!({"contact": "p-1", "name": "ミカ", "role": "champion", "email": "mika@acme.example", "locale": "ja-JP"}),
        ),
        fact(
            "first",
            "contract.updated",
            json!({"contract": "k-1", "status": "active"}),
        ),
        fact(
            "first",
            "account.updated",
            json!({"name": "アクメ", "plan": "trial"}),
        ),
    ];
    let mut client = office.client();
    let told = client
        .tell("application/x-ndjson", lines.join("\n").as_bytes())
        .await;
    assert_eq!(told.expect("the server answers").status, 202);
    let mails = postfix
        .mails_once_there_are(1)
        .await
        .expect("the mail arrives");
    let mail = MessageParser::default().parse(mails[0].as_bytes());
    let mail = mail.expect("it is a mail");
    let text = mail.body_text(0).expect("it has a text");
    assert!(
        text.contains("「ヒント」のメールは、いつでも受信を停止できます。"),
        "{text}"
    );
    let url = format!("http://{}{}", office.server.address(), link(&mails[0]));
    let profile = tempfile::tempdir().expect("a folder can be made");
    let started = Browser::start(profile.path(), "en").await;
    let mut browser = started.expect("the browser starts");
    let heading = browser.open(&url).await.expect("the page opens");
    assert_eq!(heading, "メールの配信停止");
    let seen = "document.documentElement.lang + ' ' + document.querySelector('input:checked').labels[0].textContent.trim()";
    assert_eq!(browser.value(seen).await.expect("it is read"), "ja ヒント");
    let heading = browser.press("選んだメールを停止する").await;
    assert_eq!(heading.expect("it is answered"), "配信を停止しました");
    let left = "document.querySelector('li').textContent";
    assert_eq!(browser.value(left).await.expect("it is read"), "ヒント");
    let rows = ledger(&office, "mika@acme.example").await;
    assert_eq!(rows[0]["scope"], "topic:tips", "{rows:?}");
}

#[tokio::test]
async fn by_command_somebody_is_suppressed_let_in_again_and_messages_are_held_back() {
    let postfix = Postfix::start(Tls::Required).await.expect("Postfix starts");
    let office = office(&postfix).await;
    let run = async |arguments: &[&str]| {
        let ran = office.product.run(arguments).await;
        let ran = ran.expect("the command runs");
        (ran.code, format!("{}{}", ran.out, ran.err))
    };
    let to = "mika@acme.example";
    let suppress = ["suppress", to, "--leavable", "--reason", "by phone"];
    assert_eq!(run(&suppress).await.0, Some(0));
    assert!(run(&suppress).await.1.contains("was stopped already"));
    assert_eq!(run(&["suppress", to, "--reason", "x"]).await.0, Some(2));
    assert_eq!(
        run(&["suppress", "nobody", "--all", "--reason", "x"])
            .await
            .0,
        Some(3)
    );
    office.tell("first", to, "trial").await;
    office.fate("first", &["suppressed"]).await;
    let lift = ["unsuppress", to, "--leavable", "--reason", "asked to"];
    assert_eq!(run(&lift).await.0, Some(0));
    assert_eq!(run(&lift).await.0, Some(1), "nothing is left of it");
    assert_eq!(ledger(&office, to).await.len(), 2);
    let list = office.folder.path().join("list.csv");
    let rows = "email,scope\nrei@acme.example,all\nnobody,all\n";
    std::fs::write(&list, rows).expect("it is written");
    let list = list.display().to_string();
    let (code, said) = run(&["suppress", "import", &list]).await;
    assert_eq!(code, Some(1), "one row is refused");
    assert!(
        said.contains("list.csv:3: `nobody` is no address"),
        "{said}"
    );
    assert_eq!(
        ledger(&office, "rei@acme.example").await[0]["reason"],
        "imported"
    );
    let add = [
        "consent", "add", to, "--basis", "consent", "--how", "form-12",
    ];
    assert_eq!(run(&add).await.0, Some(0));
    let (_, said) = run(&["consent", "list", to, "--output", "json"]).await;
    assert!(said.contains("\"how\":\"form-12\""), "{said}");
    let (_, said) = run(&["pause", "--domain", "@Later.example", "--reason", "drill"]).await;
    assert!(said.contains("domain:later.example is paused"), "{said}");
    office.tell("second", "a@later.example", "paid").await;
    let held = office.fate("second", &["deferred"]).await;
    assert_eq!(held["detail"], "paused: domain:later.example");
    let health = office.client().get("/healthz").await.expect("an answer");
    assert!(
        health.body.contains("domain:later.example is paused"),
        "{}",
        health.body
    );
    let (_, said) = run(&["resume", "--domain", "later.example"]).await;
    assert!(said.contains("nothing is paused"), "{said}");
    office.fate("second", &["sent"]).await;
}

#[tokio::test]
async fn a_topic_that_is_not_known_is_noted_and_stopped_all_the_same() {
    let settings = "store: sottaku.db\nclock: log\nmode: captured\n";
    let office = Office::open(settings, &workspace(), &[]).await;
    let office = office.expect("the office opens");
    let run = async |arguments: &[&str]| {
        let ran = office.product.run(arguments).await;
        let ran = ran.expect("the command runs");
        (ran.code, format!("{}{}", ran.out, ran.err))
    };
    let note = "note: the text in force has no topic `tip`; did you mean `tips`?";
    let about = |verb| [verb, "rei@acme.example", "--topic", "tip", "--reason", "x"];
    let (code, said) = run(&about("suppress")).await;
    assert!(code == Some(0) && said.contains(note), "{said}");
    assert!(said.contains("topic:tip is stopped from now on"), "{said}");
    let (code, said) = run(&about("unsuppress")).await;
    assert!(code == Some(0) && !said.contains("note: "), "{said}");
    let (code, said) = run(&about("unsuppress")).await;
    assert!(code == Some(1) && said.contains(note), "{said}");
    let known = [
        "suppress",
        "rei@acme.example",
        "--topic",
        "tips",
        "--reason",
        "x",
    ];
    let (_, said) = run(&known).await;
    assert!(!said.contains("note: "), "{said}");
    let list = office.folder.path().join("list.csv");
    let rows = "email,scope\na@acme.example,topic:tip\nb@acme.example,topic:tips\nc@acme.example,topic:tip\n";
    std::fs::write(&list, rows).expect("it is written");
    let list = list.display().to_string();
    let (code, said) = run(&["suppress", "import", &list]).await;
    assert_eq!((code, said.matches(note).count()), (Some(0), 1), "{said}");
    for (kind, word) in [("workflow", "notices"), ("topic", "notices")] {
        let (_, said) = run(&["pause", &format!("--{kind}"), word]).await;
        let note =
            format!("note: the text in force has no {kind} `{word}`; did you mean `notice`?");
        assert!(said.contains(&note), "{said}");
    }
}
