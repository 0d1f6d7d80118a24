//! The guarded client: whatever an address looks like and whatever a name server says, nothing inside is connected to.

use outreach::egress::{Allow, Barred, Call, Cut, Deadlines, Egress, Found, Policy};
use outreach::tls::Trust;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Certificates of nobody that is spoken to here.
fn trust() -> Trust {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    Trust::Only(made.cert.pem().into_bytes().into())
}

/// A client that may call these besides the world.
pub(crate) fn client(allow: &[&str], deadlines: Deadlines) -> Egress {
    let allow = allow.iter().map(|entry| entry.parse::<Allow>());
    let allow = allow.collect::<Result<_, _>>().expect("entries");
    Egress::new(&trust(), Policy::new(allow), deadlines).expect("a client")
}

fn nothing() -> Call {
    Call {
        headers: Vec::new(),
        content_type: "application/json",
        body: b"{}".to_vec(),
    }
}

/// Answers every name with the same addresses, and counts how often it was asked.
fn always(addresses: Vec<IpAddr>) -> (outreach::egress::Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup = move |_: &str| -> Found {
        count.fetch_add(1, Ordering::SeqCst);
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    };
    (Arc::new(lookup), asked)
}

/// A server that counts its connections and answers each with `answer`.
async fn counting(at: Ipv4Addr, port: u16, answer: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((at, port)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut bytes = [0; 4_096];
            drop(stream.read(&mut bytes).await);
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    (port, count)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// Addresses that lead inside, in every way to write them that is known; a first `@` stands for `https://`.
const INSIDE: [&str; 92] = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.0.0.1./",
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://0177.0.0.1/",
    "https://0177.0.0.01/",
    "https://127.255.255.254/",
    "https://%31%32%37.0.0.1/",
    "https://127%2e0.0.1/",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://①②⑦.⓪.⓪.①/",
    "https:\\\\127.0.0.1\\",
    "https:/127.0.0.1/",
    "https:127.0.0.1/",
    "https:///127.0.0.1/",
    "HTTPS://127.0.0.1/",
    " https://127.0.0.1/ ",
    "ht\ntps://127.0.0.1/",
    "https://127.0.\t0.1/",
    "https://127.0.0.1:443/",
    "https://127.0.0.1:8443/",
    "https://127.0.0.1:00443/",
    "https://127.0.0.1/#@hooks.example",
    "https://127.0.0.1?hooks.example",
    "https://127.0.0.1\\@hooks.example/",
    "https://0/",
    "https://0.0.0.0/",
    "https://0x0/",
    "@10.0.0.1/",
    "https://167772161/",
    "https://0xa.0.0.1/",
    "https://012.0.0.1/",
    "@10.255.255.255/",
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xA9FEA9FE/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "@172.16.0.1/",
    "@172.31.255.255/",
    "@192.168.0.1/",
    "@192.168.257/",
    "https://0300.0250.0.1/",
    "https://192.0.0.1/",
    "https://192.0.0.170/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://4294967295/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[100::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[febf::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[ff0e::1]/",
    "https://[4000::1]/",
];

/// Addresses that are refused for what they are, before anybody is asked.
const REFUSED: [&str; 36] = [
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1%lo]/",
    "https://[::1/",
    "https://[127.0.0.1]/",
    "https://[::ffff:127.0.0.1.]/",
    "https://256.0.0.1/",
    "https://127.0.0.0.1/",
    "https://4294967296/",
    "https://0x100000000/",
    "https://1.2.3.08/",
    "https://user@hooks.example/",
    "https://user:password@hooks.example/",
    "https://:password@hooks.example/",
    "https://hooks.example@127.0.0.1/",
    "https://hooks.example%40127.0.0.1/",
    "https://127.0.0.1:443@hooks.example/",
    "http://hooks.example/",
    "http://hooks.example:443/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "https://hooks.example:22/",
    "https://hooks.example:80/",
    "https://hooks.example:6379/",
    "https://hooks.example:65536/",
    "ftp://hooks.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "data:text/plain,x",
    "javascript:alert(1)",
    "ws://hooks.example/",
    "//hooks.example/",
    "hooks.example/",
    "https://",
    "https://a b/",
    "",
];

/// Names that a name server leads inside.
const NAMES: [&str; 14] = [
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://inside.example/",
    "https://inside.example./",
    "https://inside.example:8443/",
    "https://127.0.0.1.nip.io/",
    "https://münchen.example/",
    "https://xn--mnchen-3ya.example/",
    "https://ⓔxample.example/",
    "https://日本語.example/",
    "https://metadata.example/",
    "https://a_b.example/",
    "https://intranet/",
];

#[tokio::test]
async fn no_way_to_write_an_address_leads_inside() {
    let (port, connections) = counting(Ipv4Addr::LOCALHOST, 0, OK.into()).await;
    let inside = vec![
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    let (lookup, asked) = always(inside);
    let egress = client(&[&format!("other.example:{port}")], Deadlines::default());
    let egress = egress.with_lookup(lookup);
    for address in INSIDE {
        let whole = address.strip_prefix('@').map(|it| format!("https://{it}"));
        let outcome = egress
            .call(whole.as_deref().unwrap_or(address), &nothing())
            .await;
        assert_eq!(outcome, Err(Cut::Barred(Barred::Inside)), "{address:?}");
    }
    for address in REFUSED {
        let outcome = egress.call(address, &nothing()).await;
        assert!(
            matches!(outcome, Err(Cut::Barred(_))),
            "{address:?}: {outcome:?}"
        );
    }
    assert_eq!(
        asked.load(Ordering::SeqCst),
        0,
        "nobody was asked for a name"
    );
    for address in NAMES {
        let outcome = egress.call(address, &nothing()).await;
        assert_eq!(outcome, Err(Cut::Barred(Barred::Inside)), "{address:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), NAMES.len());
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    assert!(INSIDE.len() + REFUSED.len() + NAMES.len() >= 120);
}

/// 127.0.0.1 stands for an address inside, 127.0.0.2 for one of the world.
#[tokio::test]
async fn a_name_server_that_changes_its_mind_leads_nowhere_else() {
    let (port, good) = counting(Ipv4Addr::new(127, 0, 0, 2), 0, OK.into()).await;
    let (_, bad) = counting(Ipv4Addr::LOCALHOST, port, OK.into()).await;
    let turn = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&turn);
    let flips = move |_: &str| -> Found {
        let turn = turn.fetch_add(1, Ordering::SeqCst);
        let (world, inside) = (Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::LOCALHOST);
        let addresses = match turn % 4 {
            0 => vec![world],
            1 => vec![inside],
            2 => vec![inside, world, inside],
            _ => vec![world, inside],
        };
        Box::pin(async move { Ok(addresses.into_iter().map(IpAddr::V4).collect()) })
    };
    let egress = client(&[&format!("127.0.0.2/32:{port}")], Deadlines::default());
    let egress = egress.with_lookup(Arc::new(flips));
    let address = format!("http://flips.example:{port}/");
    let mut barred = 0;
    for _ in 0..1_000 {
        match egress.call(&address, &nothing()).await {
            Ok(answer) => assert_eq!(answer.status, 200),
            Err(cut) => {
                assert_eq!(cut, Cut::Barred(Barred::Inside));
                barred += 1;
            }
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1_000, "each call asks once");
    assert_eq!(barred, 250);
    assert_eq!(good.load(Ordering::SeqCst), 750);
    assert_eq!(bad.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (inside, connections) = counting(Ipv4Addr::LOCALHOST, 0, OK.into()).await;
    for status in ["301", "302", "303", "307", "308"] {
        let answer = format!(
            "HTTP/1.1 {status} Over there\r\nLocation: http://127.0.0.1:{inside}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let (port, _) = counting(Ipv4Addr::LOCALHOST, 0, answer).await;
        let egress = client(&[&format!("127.0.0.1:{port}")], Deadlines::default());
        let address = format!("http://127.0.0.1:{port}/");
        let answer = egress.call(&address, &nothing()).await.expect("an answer");
        assert_eq!(answer.status.to_string(), status);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn only_where_nobody_listens_is_it_tried_at_once_again() {
    let lost = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let (lookup, asked) = always(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    let egress = client(&[&format!("here.example:{lost}")], Deadlines::default());
    let egress = egress.with_lookup(lookup);
    let address = format!("http://here.example:{lost}/");
    let outcome = egress.call(&address, &nothing()).await;
    assert!(matches!(outcome, Err(Cut::NotConnected(_))), "{outcome:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // Whoever took the connection may have taken the call.
    let (port, connections) = counting(Ipv4Addr::LOCALHOST, 0, String::new()).await;
    let egress = client(&[&format!("127.0.0.1:{port}")], Deadlines::default());
    let address = format!("http://127.0.0.1:{port}/");
    let outcome = egress.call(&address, &nothing()).await;
    assert!(matches!(outcome, Err(Cut::Broken(_))), "{outcome:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
