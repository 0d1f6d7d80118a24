//! Mails that we sign, through a real Postfix to a reader that checks them by another hand: dkimpy, with the DNS given to it.

use std::path::Path;
use std::process::Command;

use end_to_end::{Postfix, Tls};
use serde_json::Value;

use crate::office::{Office, workspace};

/// Checks every signature of a mail, against records from a file of JSON; says how many hold.
const CHECK: &str = "
import json, sys, dkim
mail = open(sys.argv[1], 'rb').read()
records = json.load(open(sys.argv[2]))
def dns(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    found = records.get(name.rstrip('.'))
    return found.encode() if found else None
count = sum(1 for line in mail.splitlines() if line.lower().startswith(b'dkim-signature:'))
def holds(index):
    try:
        return dkim.DKIM(mail).verify(idx=index, dnsfunc=dns)
    except dkim.DKIMException:
        return False
held = [holds(index) for index in range(count)]
print(count, sum(held))
";

fn key(folder: &Path, name: &str, kind: &[&str]) -> String {
    let file = folder.join(name);
    let made = Command::new("openssl")
        .arg("genpkey")
        .args(kind)
        .arg("-out")
        .arg(&file)
        .output();
    assert!(made.expect("openssl runs").status.success(), "{kind:?}");
    file.display().to_string()
}

/// How many signatures a mail has, and how many hold.
fn held(folder: &Path, mail: &str, records: &Value) -> String {
    let (message, dns) = (folder.join("mail.eml"), folder.join("dns.json"));
    std::fs::write(&message, mail).expect("it is written");
    std::fs::write(&dns, records.to_string()).expect("it is written");
    let checked = Command::new("/usr/bin/python3")
        .args(["-c", CHECK])
        .args([&message, &dns])
        .output();
    let checked = checked.expect("Python runs");
    let (said, wrong) = (
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr),
    );
    assert!(checked.status.success(), "{wrong}");
    said.trim().to_owned()
}

/// Two keys, and settings that sign with both.
fn settings(keys: &Path, port: u16) -> String {
    let rsa = key(
        keys,
        "rsa.pem",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    );
    let ed25519 = key(keys, "ed25519.pem", &["-algorithm", "ed25519"]);
    format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nsmtp:\n  host: 127.0.0.1\n  port: {port}\n  dkim:\n  \
         - {{domain: vendor.example, selector: r1, key: '${{file:{rsa}}}'}}\n  \
         - {{domain: vendor.example, selector: e1, key: '${{file:{ed25519}}}'}}\n"
    )
}

/// The records that the DNS must have, as the product prints them.
async fn records(office: &Office) -> Value {
    let shown = office
        .product
        .done(&["config", "--output", "json"])
        .await
        .expect("settings are shown");
    let shown: Value = shown.json_lines().expect("it is JSON").remove(0);
    let records: serde_json::Map<String, Value> = shown["smtp"]["dkim"]
        .as_array()
        .expect("two keys")
        .iter()
        .map(|key| {
            (
                key["dns"]["name"].as_str().expect("a name").to_owned(),
                key["dns"]["txt"].clone(),
            )
        })
        .collect();
    Value::Object(records)
}

#[tokio::test]
async fn both_signatures_hold_for_another_reader_and_no_change_goes_unseen() {
    let keys = tempfile::tempdir().expect("a folder can be made");
    let postfix = Postfix::start(Tls::Required).await.expect("Postfix starts");
    let authority = postfix
        .authority()
        .expect("it has a certificate")
        .display()
        .to_string();
    let settings = settings(keys.path(), postfix.address().port());
    let office = Office::open(&settings, &workspace(), &[("SSL_CERT_FILE", &*authority)]).await;
    let office = office.expect("the office opens");
    let records = records(&office).await;
    assert_eq!(
        office
            .tell("signed", "mika@acme.example", "paid")
            .await
            .status,
        202
    );
    let mails = postfix
        .mails_once_there_are(1)
        .await
        .expect("the mail arrives");
    let (mail, folder) = (&mails[0], keys.path());
    assert_eq!(held(folder, mail, &records), "2 2", "{mail}");
    for (what, changed) in [
        (
            "the subject",
            mail.replacen("Subject: ", "Subject: Re: ", 1),
        ),
        (
            "the body",
            mail.replacen("has an account", "has no account", 2),
        ),
        (
            "the recipient",
            mail.replacen("mika@acme.example>", "ken@acme.example>", 4),
        ),
        (
            "a second sender",
            mail.replacen("Subject: ", "From: boss@vendor.example\nSubject: ", 1),
        ),
    ] {
        assert_ne!(&changed, mail, "{what}");
        assert_eq!(held(folder, &changed, &records), "2 0", "{what}");
    }
}
