//! Brokers that ask who is there: TLS, PLAIN and SCRAM, for the log and for a source by the same settings.

use std::time::Duration;

use end_to_end::{Certificate, wait};
use servers::{Kafka, KafkaOptions};

use crate::office::Office;
use crate::sources::{produce, workspace_with};

const TIME_MAX: Duration = Duration::from_secs(120);
const SOURCES: &str = "\
sources:
  app: {topic: app, format: json, account: key, type: user.logged_in, fields: {user: record.user}, backlog: news}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_asks_who_is_there_is_told_for_log_and_source() {
    let place = tempfile::tempdir().expect("a folder");
    let certificate = Certificate::make(place.path()).expect("openssl runs");
    let read = |path: &std::path::Path| std::fs::read_to_string(path).expect("it was written");
    let identity = format!("{}{}", read(&certificate.key), read(&certificate.server));
    let mut kafka = Kafka::start_with(KafkaOptions {
        partitions: Some(1),
        identity: Some(identity),
    });
    let [tls, plain, both] = kafka.guarded();
    let (user, password) = Kafka::USER;
    let trusts = format!("ssl.ca.location: {}", certificate.authority.display());
    let signs = |mechanism: &str| {
        format!(
            "sasl.mechanism: {mechanism}, sasl.username: {user}, sasl.password: \"${{env:BROKER_PASSWORD}}\""
        )
    };
    let ways = [
        (tls, format!("security.protocol: ssl, {trusts}")),
        (
            plain,
            format!("security.protocol: sasl_plaintext, {}", signs("PLAIN")),
        ),
        (
            both,
            format!(
                "security.protocol: sasl_ssl, {trusts}, {}",
                signs("SCRAM-SHA-256")
            ),
        ),
    ];
    let workspace = workspace_with(place.path(), SOURCES);
    produce(&kafka, "app", &["acme|{\"user\":\"p-1\"}".to_owned()], &[]);
    for (n, (address, client)) in ways.into_iter().enumerate() {
        let settings = format!(
            "store: sottaku.db\nshards: 1\nlog: {{kafka: {{brokers: \"{address}\", topic: log-{n}, replicas: 1, client: {{{client}}}}}}}\n"
        );
        let secret = [("BROKER_PASSWORD", password)];
        let office = Office::open(&settings, &workspace, &secret).await;
        let office = office.unwrap_or_else(|why| panic!("{client}: {why}"));
        // The source has no brokers of its own: those of the log are asked, in the same way.
        let found = wait::until("the record is in the log", TIME_MAX, async || {
            let log = office.product.done(&["log", "export"]).await.ok()?;
            log.out.contains("user.logged_in").then_some(())
        });
        if let Err(late) = found.await {
            panic!("{client}: {late}\n{}", office.server.said());
        }
        // The secret is shown nowhere.
        let shown = office.product.done(&["config"]).await.expect("it is shown");
        assert!(!shown.out.contains(password) && !office.server.said().contains(password));
    }
}
