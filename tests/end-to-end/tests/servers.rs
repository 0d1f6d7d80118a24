//! The tests' own servers, tried by clients that others wrote.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use end_to_end::{
    Act, Certificate, Phase, Plan, Postfix, Rule, Sink, SinkOptions, SinkProcess, Slack,
    SlackReply, Tls, wait,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

const RECIPIENT: &str = "mika@acme.example";
const LIMIT: Duration = Duration::from_secs(20);

async fn smtp_source(address: SocketAddr, arguments: &[&str]) -> Output {
    Command::new("smtp-source")
        .args(["-f", "sottaku@from.example"])
        .args(arguments)
        .arg(address.to_string())
        .output()
        .await
        .expect("smtp-source is installed with Postfix")
}

async fn openssl_says(address: SocketAddr, authority: &Path) -> String {
    let mut client = std::process::Command::new("openssl")
        .args(["s_client", "-starttls", "smtp", "-verify_return_error"])
        .args(["-crlf", "-verify_hostname", "localhost", "-CAfile"])
        .arg(authority)
        .args(["-connect", &address.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is installed");
    let mut input = client.stdin.take().expect("its input is piped");
    input
        .write_all(b"EHLO tests\nNOOP\nQUIT\n")
        .expect("openssl reads what it is told");
    let said = tokio::task::spawn_blocking(move || {
        let said = client.wait_with_output();
        drop(input);
        said
    });
    let said = said.await.expect("openssl is awaited");
    String::from_utf8_lossy(&said.expect("openssl ends").stdout).into_owned()
}

/// Says a whole mail line by line and returns the code of each reply, `half` for one without its end.
async fn codes(address: SocketAddr) -> Vec<String> {
    let stream = TcpStream::connect(address).await.expect("the sink listens");
    let mut stream = BufReader::new(stream);
    let to = format!("RCPT TO:<{RECIPIENT}>\r\n");
    let lines = [
        "",
        "EHLO tests\r\n",
        "MAIL FROM:<sottaku@from.example>\r\n",
        &to,
        "DATA\r\n",
        "Message-ID: <one@from.example>\r\n\r\nHello\r\n.\r\n",
    ];
    let mut codes = Vec::new();
    for line in lines {
        // A server that cut the connection is noticed at the reply.
        if stream.get_mut().write_all(line.as_bytes()).await.is_err() {
            break;
        }
        match reply(&mut stream).await {
            Some(code) => codes.push(code),
            None => break,
        }
    }
    codes
}

async fn reply(stream: &mut BufReader<TcpStream>) -> Option<String> {
    loop {
        let mut line = String::new();
        let read = tokio::time::timeout(LIMIT, stream.read_line(&mut line));
        read.await.expect("the sink replies or closes").ok()?;
        match line.as_bytes() {
            [] => return None,
            [.., b'\n'] if line.as_bytes()[3] == b'-' => {}
            [.., b'\n'] => return Some(line[..3].to_owned()),
            _ => return Some("half".to_owned()),
        }
    }
}

#[tokio::test]
async fn the_sink_writes_down_what_smtp_source_sends() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let options = SinkOptions::new(folder.path().join("taken"));
    let binary = Path::new(env!("CARGO_BIN_EXE_mail-sink"));
    let sink = SinkProcess::start(binary, &options).expect("the sink starts");
    let sent = smtp_source(sink.address(), &["-m", "40", "-s", "4", "-t", RECIPIENT]).await;
    assert!(sent.status.success(), "{sent:?}");
    let taken = sink.taken().expect("the record can be read");
    assert_eq!(taken.len(), 40);
    let mut ids: Vec<&str> = taken.iter().map(|one| one.message_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40, "each has its own id");
    for one in &taken {
        assert_eq!(one.recipients, [RECIPIENT]);
        assert_eq!(one.sender, "sottaku@from.example");
        assert!(!one.is_encrypted && !one.is_untold, "{one:?}");
    }
}

#[tokio::test]
async fn the_sink_misbehaves_at_each_phase_as_its_plan_says() {
    let cut = |at| Rule::new(at, Act::Cut);
    let says = |at, line: &str| Rule::new(at, Act::Reply(line.to_owned()));
    let whole = ["220", "250", "250", "250", "354", "250"];
    let ends = |count: usize, last: &'static str| {
        let mut codes = whole[..count].to_vec();
        codes.extend((!last.is_empty()).then_some(last));
        codes
    };
    let half = |at| Rule::new(at, Act::HalfReply);
    // The rule; the codes the client sees; how many messages the sink has, and how many it did not tell of.
    for (rule, expected, taken, untold) in [
        (cut(Phase::Connect), ends(0, ""), 0, 0),
        (cut(Phase::Greeting), ends(0, ""), 0, 0),
        (half(Phase::Greeting), ends(0, "half"), 0, 0),
        (cut(Phase::Ehlo), ends(1, ""), 0, 0),
        (cut(Phase::Mail), ends(2, ""), 0, 0),
        (cut(Phase::Rcpt).to(RECIPIENT), ends(3, ""), 0, 0),
        (cut(Phase::Rcpt).to("ken@acme.example"), ends(6, ""), 1, 0),
        (cut(Phase::Data), ends(4, ""), 0, 0),
        (cut(Phase::Body), ends(5, ""), 0, 0),
        (cut(Phase::Dot), ends(5, ""), 0, 0),
        (cut(Phase::Dot).keeping(), ends(5, ""), 1, 1),
        (half(Phase::Dot).keeping(), ends(5, "half"), 1, 1),
        (says(Phase::Dot, "451 4.3.0 later"), ends(5, "451"), 0, 0),
        (says(Phase::Dot, "554 5.6.0 never"), ends(5, "554"), 0, 0),
        (Rule::new(Phase::Dot, Act::SlowMs(50)), ends(6, ""), 1, 0),
    ] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut options = SinkOptions::new(folder.path().join("taken"));
        let shown = format!("{rule:?}");
        options.plan = Plan::of([rule.times(1)]);
        let sink = Sink::start(options).await.expect("the sink starts");
        assert_eq!(codes(sink.address()).await, expected, "{shown}");
        let record = sink.taken().expect("the record can be read");
        assert_eq!(record.len(), taken, "{shown}");
        let kept_back = record.iter().filter(|one| one.is_untold).count();
        assert_eq!(kept_back, untold, "{shown}");
        assert_eq!(codes(sink.address()).await, whole, "once only: {shown}");
    }
}

#[tokio::test]
async fn a_silent_sink_says_nothing_until_the_client_goes() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut options = SinkOptions::new(folder.path().join("taken"));
    options.plan = Plan::of([Rule::new(Phase::Greeting, Act::Silence)]);
    let sink = Sink::start(options).await.expect("the sink starts");
    let stream = TcpStream::connect(sink.address()).await;
    let mut stream = BufReader::new(stream.expect("the sink listens"));
    let mut line = String::new();
    let read = tokio::time::timeout(Duration::from_millis(200), stream.read_line(&mut line));
    assert!(read.await.is_err(), "it said {line:?}");
}

#[tokio::test]
async fn openssl_trusts_the_sink_after_starttls() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let certificate = Certificate::make(folder.path()).expect("openssl makes a certificate");
    let mut options = SinkOptions::new(folder.path().join("taken"));
    options.certificate = Some(certificate.clone());
    let sink = Sink::start(options).await.expect("the sink starts");
    let said = openssl_says(sink.address(), &certificate.authority).await;
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
    assert!(said.contains("221 2.0.0 bye"), "{said}");
}

#[tokio::test]
async fn postfix_takes_refuses_and_bounces() {
    let postfix = Postfix::start(Tls::Never).await.expect("Postfix starts");
    let to = |recipient: &'static str| ["-t", recipient];
    let sent = smtp_source(postfix.address(), &to(RECIPIENT)).await;
    assert!(sent.status.success(), "{sent:?}");
    for (recipient, code) in [
        ("refused@acme.example", "550"),
        ("later@acme.example", "450"),
    ] {
        let sent = smtp_source(postfix.address(), &to(recipient)).await;
        let said = String::from_utf8_lossy(&sent.stderr).into_owned();
        assert!(!sent.status.success() && said.contains(code), "{said}");
    }
    let sent = smtp_source(postfix.address(), &to("bounces@acme.example")).await;
    assert!(sent.status.success(), "{sent:?}");
    let mails = postfix
        .mails_once_there_are(2)
        .await
        .expect("a mail and a bounce come");
    let has = |text: &str| mails.iter().filter(|mail| mail.contains(text)).count();
    assert_eq!(has(&format!("Delivered-To: {RECIPIENT}")), 1, "{mails:#?}");
    assert_eq!(
        has("Final-Recipient: rfc822; bounces@acme.example"),
        1,
        "{mails:#?}"
    );
}

#[tokio::test]
async fn postfix_can_insist_on_starttls() {
    let postfix = Postfix::start(Tls::Required).await.expect("Postfix starts");
    assert_eq!(codes(postfix.address()).await[..3], ["220", "250", "530"]);
    let authority = postfix.authority().expect("it has a certificate");
    let said = openssl_says(postfix.address(), authority).await;
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
}

#[tokio::test]
async fn two_postfixes_do_not_meet_and_both_end() {
    let one = Postfix::start(Tls::Never).await.expect("Postfix starts");
    let other = Postfix::start(Tls::Never)
        .await
        .expect("a second one starts");
    let sent = smtp_source(one.address(), &["-t", RECIPIENT]).await;
    assert!(sent.status.success(), "{sent:?}");
    one.mails_once_there_are(1).await.expect("the mail comes");
    assert_eq!(other.mails().expect("the mailbox can be read"), [""; 0]);
    let addresses = [one.address(), other.address()];
    drop((one, other));
    for address in addresses {
        let ended = wait::until("nobody listens", LIMIT, async || {
            TcpStream::connect(address).await.err()
        });
        ended.await.expect("it is stopped");
    }
}

#[tokio::test]
async fn the_webhook_endpoint_records_what_curl_posts() {
    let replies = [
        SlackReply::too_many(3),
        SlackReply::new(400, "invalid_blocks"),
    ];
    let slack = Slack::start(replies).await.expect("the endpoint starts");
    let mut answers = Vec::new();
    for number in 1..=3 {
        let body = format!("{{\"number\":{number}}}");
        let curl = Command::new("curl")
            .args(["-s", "-i", "-H", "Content-Type: application/json"])
            .args(["-d", &body, &slack.url()])
            .output();
        let said = curl.await.expect("curl is installed").stdout;
        answers.push(String::from_utf8_lossy(&said).to_lowercase());
    }
    assert!(answers[0].starts_with("http/1.1 429"), "{answers:?}");
    assert!(answers[0].contains("retry-after: 3"), "{answers:?}");
    assert!(answers[1].ends_with("invalid_blocks"), "{answers:?}");
    assert!(answers[2].starts_with("http/1.1 200"), "{answers:?}");
    let posted = slack
        .posted_once_there_are(3)
        .await
        .expect("all three came");
    assert_eq!(posted[2].body["number"], 3);
    assert_eq!(posted[2].path, "/services/T0/B0/secret");
}
