//! Mail that comes back, through a real Postfix: a bounce, an answer of a person, an answer of a machine.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use end_to_end::{Failure, Postfix, Tls, wait};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::office::{Office, workspace};

const DOMAIN: &str = "bounces.vendor.example";
const TIME_MAX: Duration = Duration::from_secs(60);

/// The notice, and what is done when something comes of it.
const NOTICE: &str = "workflow: notice
title: What everybody under contract must be told
for_each: account
topic: notice
status: live

start:
  when: account.plan == paid
  existing: include
once_per: account

steps:
  - id: hello
    send: hello
    to: champion
  - id: listen
    wait:
      until: steps.hello.replied or steps.hello.bounced
      at_most: 300d
      otherwise: stop
  - id: thank
    if: steps.hello.replied
    alert: desk
    text: They answered.
  - id: mend
    if: steps.hello.bounced
    alert: desk
    text: Their address is wrong.
";

/// A copy of the small workspace with a notice that listens.
pub(crate) fn listening(folder: &Path) -> Result<(), Failure> {
    copy(&workspace(), folder)?;
    let notice = folder.join("workflows/notice.yaml");
    std::fs::write(notice, NOTICE).map_err(Failure::io("writing the notice"))
}

pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let doing = || Failure::io(format!("copying {}", from.display()));
    std::fs::create_dir_all(to).map_err(doing())?;
    for entry in std::fs::read_dir(from).map_err(doing())? {
        let entry = entry.map_err(doing())?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target).map_err(doing())?;
        }
    }
    Ok(())
}

/// Postfix, which leads what comes back to the office, and the office.
async fn stage(extra: &str) -> (Postfix, Office, tempfile::TempDir) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    let back: SocketAddr = free.expect("a free port");
    let postfix = Postfix::start_leading(Tls::Required, DOMAIN, back)
        .await
        .expect("Postfix starts");
    let folder = tempfile::tempdir().expect("a folder");
    listening(folder.path()).expect("the workspace is written");
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\n\
         smtp: {{host: 127.0.0.1, port: {}, tls: required}}\n\
         bounces: {{domain: {DOMAIN}, listen: '{back}'}}\n{extra}",
        postfix.address().port()
    );
    let authority = postfix
        .authority()
        .expect("it has a certificate")
        .display()
        .to_string();
    let variables = [("SSL_CERT_FILE", &*authority)];
    let office = Office::open(&settings, folder.path(), &variables)
        .await
        .expect("the office opens");
    (postfix, office, folder)
}

/// The journal's line of this account and step, once it is there.
pub(crate) async fn record(office: &Office, account: &str, step: &str) -> Value {
    let what = format!("{account} has come to {step}");
    let found = wait::until(&what, TIME_MAX, async || {
        journal(office, account)
            .await
            .into_iter()
            .find(|line| line["step"] == step && line["kind"] == "alert")
    });
    match found.await {
        Ok(line) => line,
        Err(late) => panic!(
            "{late}: {:#?}\n{}",
            journal(office, account).await,
            office.server.said()
        ),
    }
}

async fn journal(office: &Office, account: &str) -> Vec<Value> {
    let arguments = ["journal", "--account", account, "--output", "json"];
    let ran = office
        .product
        .done(&arguments)
        .await
        .expect("the journal is printed");
    ran.json_lines().expect("each line is JSON")
}

fn field<'m>(mail: &'m str, name: &str) -> &'m str {
    let line = mail
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
    line.and_then(|line| line.split_once(':'))
        .map(|(_, value)| value.trim())
        .unwrap_or_default()
}

/// Answers a mail as its reader's program does, through the same Postfix.
async fn answer(postfix: &Postfix, mail: &str, extra: &str) {
    let unfolded = mail.replace("\r\n", "\n").replace("\n ", " ");
    let reply_to = field(&unfolded, "reply-to");
    let to = reply_to
        .split(['<', '>', ',', ' '])
        .find(|word| word.starts_with("reply+"));
    let to = to.unwrap_or_else(|| panic!("{reply_to} in {mail}"));
    assert!(
        reply_to.contains("success@vendor.example"),
        "people still read answers: {reply_to}"
    );
    let text = format!(
        "From: Mika <mika@acme.example>\nTo: {to}\nSubject: Re: Hello\nMessage-ID: <{}@acme.example>\nIn-Reply-To: {}\n{extra}\nThank you.\n",
        extra.len(),
        field(&unfolded, "message-id"),
    );
    let authority = postfix
        .authority()
        .expect("it has a certificate")
        .display()
        .to_string();
    let url = format!("smtp://{}", postfix.address());
    let mut curl = Command::new("curl")
        .args([
            "-sS",
            "--crlf",
            "--ssl-reqd",
            "--cacert",
            &authority,
            "--url",
            &url,
        ])
        .args([
            "--mail-from",
            "mika@acme.example",
            "--mail-rcpt",
            to,
            "--upload-file",
            "-",
        ])
        .stdin(Stdio::piped())
        .spawn()
        .expect("curl starts");
    let mut input = curl.stdin.take().expect("it has an input");
    input.write_all(text.as_bytes()).await.expect("it reads");
    drop(input);
    assert!(curl.wait().await.expect("curl ends").success());
}

#[tokio::test]
async fn a_real_bounce_comes_back_as_what_came_of_the_step() {
    let (postfix, office, _workspace) = stage("").await;
    assert_eq!(
        office
            .tell("gone", "bounces@acme.example", "paid")
            .await
            .status,
        202
    );
    office.fate("gone", &["sent"]).await;
    record(&office, "gone", "mend").await;
    assert!(
        postfix.log().contains("relay=127.0.0.1"),
        "{}",
        postfix.log()
    );
    let exported = office
        .product
        .done(&["log", "export"])
        .await
        .expect("the log is exported");
    let bounced = exported
        .json_lines()
        .expect("JSON")
        .into_iter()
        .find(|fact| fact["type"] == "message.bounced");
    let bounced = bounced.expect("the fact stands in the log");
    let said = (&bounced["data"]["class"], &bounced["data"]["code"]);
    assert_eq!(said, (&"hard".into(), &"5.1.1".into()));
    // Whoever is known by the same address is left alone from now on.
    let told = office.tell("again", "bounces@ACME.example", "paid").await;
    assert_eq!(told.status, 202);
    office.fate("again", &["suppressed"]).await;
}

#[tokio::test]
async fn a_persons_answer_is_one_and_a_machines_is_none() {
    let (postfix, office, _workspace) = stage("").await;
    assert_eq!(
        office
            .tell("acme", "mika@acme.example", "paid")
            .await
            .status,
        202
    );
    office.fate("acme", &["sent"]).await;
    let mails = postfix
        .mails_once_there_are(1)
        .await
        .expect("the mail arrives");
    answer(&postfix, &mails[0], "Auto-Submitted: auto-replied\n").await;
    let ignored = wait::until("the machine's answer is counted", TIME_MAX, async || {
        let measures = office.client().get("/metrics").await.ok()?;
        measures.body.contains("what=\"ignored\"} 1").then_some(())
    });
    ignored.await.expect("it came");
    let facts = office
        .product
        .done(&["log", "export"])
        .await
        .expect("the log is exported");
    assert!(!facts.out.contains("message.replied"), "{}", facts.out);
    answer(&postfix, &mails[0], "").await;
    record(&office, "acme", "thank").await;
}

#[tokio::test]
async fn a_mail_from_a_pipe_is_taken_once_and_a_forged_one_never() {
    let (postfix, office, _workspace) = stage("").await;
    assert_eq!(
        office
            .tell("acme", "mika@acme.example", "paid")
            .await
            .status,
        202
    );
    office.fate("acme", &["sent"]).await;
    let mails = postfix
        .mails_once_there_are(1)
        .await
        .expect("the mail arrives");
    let unfolded = mails[0].replace("\r\n", "\n").replace("\n ", " ");
    let return_path = field(&unfolded, "return-path").trim_matches(['<', '>']);
    assert!(
        return_path.starts_with("bounce+") && return_path.ends_with(DOMAIN),
        "{return_path}"
    );
    let report = |to: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example\nTo: {to}\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; mika@acme.example\nAction: failed\nStatus: 5.1.1\n--b--\n"
        )
    };
    let forged = return_path.replace("@", "a@");
    for (to, expected) in [
        (&*forged, "unproven"),
        (return_path, "told"),
        (return_path, "again"),
    ] {
        let mut command = office
            .product
            .command(&["mail", "receive", "--output", "json"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut input = child.stdin.take().expect("it has an input");
        input
            .write_all(report(to).as_bytes())
            .await
            .expect("it reads");
        drop(input);
        let output = child.wait_with_output().await.expect("it ends");
        let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            (output.status.code(), &said["received"]),
            (Some(0), &expected.into()),
            "{said}"
        );
    }
    record(&office, "acme", "mend").await;
}
