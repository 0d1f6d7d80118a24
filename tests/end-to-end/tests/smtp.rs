//! Mails leave over SMTP: through a real Postfix, and through a server that cuts at each phase of the
//! session. Each ends as sent, deferred, refused or unknown, and the mail server's record agrees.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use end_to_end::{Act, Certificate, Phase, Plan, Postfix, Rule, Sink, SinkOptions, Tls, wait};
use serde_json::Value;

use crate::office::{Office, workspace};

fn settings(port: u16, pipelining: bool) -> String {
    format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\n\
         smtp: {{host: 127.0.0.1, port: {port}, tls: required, pipelining: {pipelining}, command_time_max: 2s, answer_time_max: 2s}}\n\
         limits: {{retry_wait_max: 200ms}}\n"
    )
}

async fn office(port: u16, pipelining: bool, authority: &Path) -> Office {
    let authority = authority.display().to_string();
    let variables = [("SSL_CERT_FILE", &*authority)];
    let opened = Office::open(&settings(port, pipelining), &workspace(), &variables).await;
    opened.expect("the office opens")
}

fn says(mail: &Value, words: &str) -> bool {
    mail["detail"]
        .as_str()
        .is_some_and(|detail| detail.contains(words))
}

#[tokio::test]
async fn a_real_server_takes_refuses_and_defers() {
    let postfix = Postfix::start(Tls::Required).await.expect("Postfix starts");
    let authority = postfix.authority().expect("it has a certificate");
    let office = office(postfix.address().port(), true, authority).await;
    for (account, to, plan) in [
        ("taken", "mika@acme.example", "paid"),
        ("refused", "refused@acme.example", "paid"),
        ("later", "later@acme.example", "paid"),
        ("leavable", "mika@other.example", "trial"),
    ] {
        assert_eq!(office.tell(account, to, plan).await.status, 202);
    }
    let taken = office.fate("taken", &["sent"]).await;
    let mails = postfix
        .mails_once_there_are(1)
        .await
        .expect("the mail arrives");
    let local = taken["message"]
        .as_str()
        .unwrap_or_default()
        .trim_start_matches("m_")
        .to_owned();
    for words in [
        &*format!("<{local}@vendor.example>"),
        "Hello Acme",
        "Auto-Submitted: auto-generated",
        "multipart/alternative",
        "Delivered-To: mika@acme.example",
    ] {
        assert!(
            mails[0].to_lowercase().contains(&words.to_lowercase()),
            "{words} in {}",
            mails[0]
        );
    }
    let refused = office.fate("refused", &["refused"]).await;
    assert!(says(&refused, "550"), "{refused}");
    let later = office.fate("later", &["deferred"]).await;
    assert!(says(&later, "450"), "{later}");
    let leavable = office.fate("leavable", &["suppressed"]).await;
    assert!(
        says(
            &leavable,
            "`public_url` is not set, so nobody could unsubscribe"
        ),
        "{leavable}"
    );
    let mails = postfix
        .mails_once_there_are(1)
        .await
        .expect("the mails are read");
    assert_eq!(mails.len(), 1, "nothing else arrived: {mails:?}");
}

/// One way in which the mail server misbehaves, and what must be known of the mail afterwards.
struct Case {
    rule: Rule,
    state: &'static str,
    /// Words of the detail.
    says: &'static str,
    /// How often the mail is taken while the server misbehaves.
    taken: usize,
}

fn case(rule: Rule, state: &'static str, says: &'static str) -> Case {
    Case {
        taken: usize::from(rule.keeps),
        rule,
        state,
        says,
    }
}

/// Each phase cut, answered by half, and answered otherwise. Before the message's first byte nothing is lost: it is
/// sent later. From there to the whole reply nobody can know.
fn cases() -> Vec<Case> {
    let cut = |phase| Rule::new(phase, Act::Cut);
    let half = |phase| Rule::new(phase, Act::HalfReply);
    let reply = |phase, text: &str| Rule::new(phase, Act::Reply(text.to_owned()));
    vec![
        case(cut(Phase::Connect), "deferred", "stopped at greeting"),
        case(cut(Phase::Greeting), "deferred", "stopped at greeting"),
        case(half(Phase::Greeting), "deferred", "stopped at greeting"),
        case(cut(Phase::Ehlo), "deferred", "stopped at hello"),
        case(half(Phase::Ehlo), "deferred", "stopped at hello"),
        case(cut(Phase::StartTls), "deferred", "stopped at starttls"),
        case(half(Phase::StartTls), "deferred", "stopped at starttls"),
        case(reply(Phase::StartTls, "454 4.7.0 no"), "deferred", "454"),
        case(cut(Phase::Mail), "deferred", "stopped at mail"),
        case(half(Phase::Mail), "deferred", "stopped at mail"),
        case(reply(Phase::Mail, "421 4.3.2 closing"), "deferred", "421"),
        case(cut(Phase::Rcpt), "deferred", "stopped at recipient"),
        case(half(Phase::Rcpt), "deferred", "stopped at recipient"),
        case(reply(Phase::Rcpt, "450 4.2.0 later"), "deferred", "450"),
        case(reply(Phase::Rcpt, "550 5.1.1 nobody"), "refused", "550"),
        case(cut(Phase::Data), "deferred", "stopped at data"),
        case(half(Phase::Data), "deferred", "stopped at data"),
        case(
            Rule::new(Phase::Data, Act::Silence),
            "deferred",
            "stopped at data",
        ),
        case(cut(Phase::Body), "unknown", "cut at"),
        case(cut(Phase::Dot), "unknown", "cut at answer"),
        case(cut(Phase::Dot).keeping(), "unknown", "cut at answer"),
        case(half(Phase::Dot), "unknown", "cut at answer"),
        case(half(Phase::Dot).keeping(), "unknown", "cut at answer"),
        case(
            Rule::new(Phase::Dot, Act::Silence).keeping(),
            "unknown",
            "cut at answer",
        ),
        case(reply(Phase::Dot, "451 4.3.0 disk"), "deferred", "451"),
        case(reply(Phase::Dot, "554 5.6.0 no"), "refused", "554"),
    ]
}

#[tokio::test]
async fn a_mail_cut_at_any_phase_is_known_for_what_it_is() {
    every_case(false).await;
}

#[tokio::test]
async fn so_is_one_whose_commands_leave_in_one_flight() {
    every_case(true).await;
}

async fn every_case(pipelining: bool) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let certificate = Certificate::make(folder.path()).expect("openssl makes a certificate");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    let address = free.expect("there is a free port");
    let office = office(address.port(), pipelining, &certificate.authority).await;
    let start = async |name: &str, plan: Plan| {
        let mut options = SinkOptions::new(folder.path().join(name));
        (options.listen, options.plan) = (address, plan);
        options.certificate = Some(certificate.clone());
        // The one before may still be letting go of the port.
        let started = wait::until("the sink starts", Duration::from_secs(10), async || {
            Sink::start(options.clone()).await.ok()
        });
        started.await.expect("the port is free again")
    };
    for (number, case) in cases().into_iter().enumerate() {
        let shown = format!(
            "{:?} at {:?}, keeping: {}",
            case.rule.act, case.rule.at, case.rule.keeps
        );
        let account = format!("case-{number}");
        let bad = start(&format!("{account}-bad"), Plan::of([case.rule])).await;
        assert_eq!(
            office
                .tell(&account, "mika@acme.example", "paid")
                .await
                .status,
            202
        );
        let mail = office.fate(&account, &[case.state]).await;
        assert!(says(&mail, case.says), "{shown}: {mail}");
        assert_eq!(
            bad.taken().expect("the record is read").len(),
            case.taken,
            "{shown}: {mail}"
        );
        drop(bad);
        let good = start(&format!("{account}-good"), Plan::default()).await;
        if case.state == "deferred" {
            office.fate(&account, &["sent"]).await;
            assert_eq!(
                good.taken().expect("the record is read").len(),
                1,
                "{shown}"
            );
        } else {
            // Whoever comes next is served; this one is never sent again.
            let next = format!("next-{number}");
            assert_eq!(
                office.tell(&next, "ken@acme.example", "paid").await.status,
                202
            );
            office.fate(&next, &["sent"]).await;
            let taken = good.taken().expect("the record is read");
            assert!(
                taken
                    .iter()
                    .all(|one| one.recipients == ["ken@acme.example"]),
                "{shown}: {taken:?}"
            );
            office.fate(&account, &[case.state]).await;
        }
    }
}
