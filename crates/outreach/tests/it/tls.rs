//! Encryption that is required, offered, stripped, forged.

use crate::scripted::{OPENING, Server, Step, willing};
use crate::session::{MESSAGE, envelope, settings};
use outreach::smtp::{Connections, Encryption, Settings};
use outreach::tls::Trust;
use outreach::{Fate, Next, Phase};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// A certificate for `name`, signed by itself, and a server that shows it.
pub(crate) fn certificate(name: &str) -> (Trust, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a configuration");
    let trust = Trust::Only(made.cert.pem().into_bytes().into());
    (trust, TlsAcceptor::from(Arc::new(config)))
}

async fn send(
    script: Vec<Step>,
    tls: TlsAcceptor,
    encryption: Encryption,
    trust: Trust,
) -> (Fate, Vec<String>) {
    let server = Server::start_with(vec![script], Some(tls)).await;
    let settings = Settings {
        encryption,
        trust,
        ..settings(server.port)
    };
    let connections = Connections::new(settings).expect("settings");
    let fate = connections
        .hand_over(&envelope(&[]), MESSAGE, || async { true })
        .await;
    (fate, server.heard().pop().unwrap_or_default())
}

fn offered(then: &[Step]) -> Vec<Step> {
    let mut script = vec![
        Step::Say("220 hello\r\n"),
        Step::Hear,
        Step::Say("250-x\r\n250 STARTTLS\r\n"),
        Step::Hear,
    ];
    script.extend(then);
    script
}

/// `STARTTLS` accepted, and a session without a greeting behind it.
fn upgraded() -> Vec<Step> {
    let mut script = offered(&[Step::Say("220 go\r\n"), Step::Encrypt]);
    script.extend(willing(1).split_off(1));
    script
}

#[tokio::test]
async fn a_mail_goes_over_starttls_and_over_implicit_tls() {
    let (trust, tls) = certificate("127.0.0.1");
    let (fate, heard) = send(upgraded(), tls.clone(), Encryption::StartTls, trust.clone()).await;
    assert_eq!(fate.next(), Next::Done, "{fate:?}");
    assert_eq!(heard[..3], ["EHLO localhost", "STARTTLS", "EHLO localhost"]);
    let mut script = vec![Step::Encrypt];
    script.extend(willing(1));
    let (fate, _) = send(script, tls, Encryption::Implicit, trust).await;
    assert_eq!(fate.next(), Next::Done, "{fate:?}");
}

#[tokio::test]
async fn where_starttls_is_stripped_nothing_is_sent() {
    let (trust, tls) = certificate("127.0.0.1");
    for script in [
        OPENING.to_vec(),
        offered(&[Step::Say("454 not now\r\n")]),
        offered(&[Step::Say("502 what\r\n")]),
        offered(&[Step::Say("banana\r\n")]),
        offered(&[]),
        offered(&[Step::Say("220 go\r\n250 injected\r\n"), Step::Encrypt]),
    ] {
        let (fate, heard) = send(
            script.clone(),
            tls.clone(),
            Encryption::StartTls,
            trust.clone(),
        )
        .await;
        let is_right = matches!(
            fate,
            Fate::NotSent {
                phase: Phase::StartTls,
                ..
            } | Fate::Deferred {
                phase: Phase::StartTls,
                ..
            }
        );
        assert!(is_right, "{script:?}: {fate:?}");
        assert!(
            !heard.iter().any(|line| line.starts_with("MAIL")),
            "{heard:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_stops_everything() {
    let (_, tls) = certificate("127.0.0.1");
    let (other, _) = certificate("127.0.0.1");
    let (wrong_name, wrong_tls) = certificate("relay.example");
    for (trust, tls) in [(other, tls.clone()), (wrong_name, wrong_tls)] {
        let (fate, heard) = send(upgraded(), tls, Encryption::StartTls, trust).await;
        assert!(
            matches!(
                fate,
                Fate::NotSent {
                    phase: Phase::Tls,
                    ..
                }
            ),
            "{fate:?}"
        );
        assert!(
            !heard.iter().any(|line| line.starts_with("MAIL")),
            "{heard:?}"
        );
    }
    let garbled = offered(&[
        Step::Say("220 go\r\n"),
        Step::Say("this is no handshake\r\n"),
    ]);
    let (trust, tls) = certificate("127.0.0.1");
    let (fate, _) = send(garbled, tls, Encryption::StartTls, trust).await;
    assert_eq!(fate.next(), Next::Again(None), "{fate:?}");
}
