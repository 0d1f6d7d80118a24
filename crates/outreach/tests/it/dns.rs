//! What the DNS says of a domain, asked of a name server on this machine.

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record};
use outreach::dns::{Dns, DnsFault, Said};
use std::net::SocketAddr;
use tokio::net::UdpSocket;

const TEXTS: [(&str, &[&str]); 6] = [
    ("vendor.example.", &["google-site-verification=x"]),
    (
        "vendor.example.",
        &["v=spf1 include:_spf.relay.example ", "~all"],
    ),
    ("two.example.", &["v=spf1 -all"]),
    ("two.example.", &["v=spf1 ~all"]),
    ("_dmarc.vendor.example.", &["v=DMARC1; p=reject"]),
    ("other.example.", &["v=spf10 -all"]),
];

/// A name server that knows these texts, and refuses to speak of `refused.example`.
async fn server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = socket.local_addr().expect("it has an address");
    tokio::spawn(async move {
        let mut buffer = [0_u8; 4_096];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.expect("it hears");
            let asked = Message::from_vec(&buffer[..length]).expect("a question");
            let name = asked.queries[0].name().clone();
            let mut answer = asked.into_response();
            for (known, text) in TEXTS {
                if name.to_string() == known {
                    let text = text.iter().map(|part| (*part).to_owned()).collect();
                    answer.add_answer(Record::from_rdata(
                        name.clone(),
                        60,
                        RData::TXT(TXT::new(text)),
                    ));
                }
            }
            if answer.answers.is_empty() {
                let is_refused = name.to_string() == "refused.example.";
                answer.metadata.response_code = if is_refused {
                    ResponseCode::Refused
                } else {
                    ResponseCode::NXDomain
                };
            }
            let bytes = answer.to_vec().expect("an answer");
            socket.send_to(&bytes, from).await.expect("it speaks");
        }
    });
    address
}

#[tokio::test]
async fn a_record_is_read_whole_and_several_are_none() {
    let dns = Dns::at(server().await).expect("a name server");
    for (name, begins, expected) in [
        (
            "vendor.example",
            "v=spf1",
            Said::Record("v=spf1 include:_spf.relay.example ~all".into()),
        ),
        ("two.example", "v=spf1", Said::Several(2)),
        (
            "_dmarc.vendor.example",
            "v=DMARC1",
            Said::Record("v=DMARC1; p=reject".into()),
        ),
        ("other.example", "v=spf1", Said::Nothing),
        ("nobody.example", "v=spf1", Said::Nothing),
    ] {
        assert_eq!(dns.text(name, begins).await, Ok(expected), "{name}");
    }
}

#[tokio::test]
async fn a_name_server_that_says_nothing_is_no_proof_that_nothing_is_there() {
    let dns = Dns::at(server().await).expect("a name server");
    let refused = dns.text("refused.example", "v=spf1").await;
    assert!(matches!(refused, Err(DnsFault::Silent(_))), "{refused:?}");
}
