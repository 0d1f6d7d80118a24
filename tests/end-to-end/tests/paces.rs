//! How mails leave side by side: by the server of their sender, at the pace of their domain, and no more to one address
//! than it bears, whosever they are.

use std::path::Path;

use end_to_end::{Failure, Sink, SinkOptions};

use crate::office::Office;
use crate::returns::{listening, record};

/// What a mail to the slow domain waits for the one before it, in milliseconds, less what a clock may be off. A twelfth of
/// what a minute may have may leave at once: at this pace, one mail.
const PACE_MS: u64 = 5_000 - 100;

async fn sink(folder: &Path, name: &str) -> Sink {
    let options = SinkOptions::new(folder.join(name));
    Sink::start(options).await.expect("the sink starts")
}

/// Changes a file of the workspace in this folder.
fn rewrite(folder: &Path, file: &str, (from, to): (&str, &str)) -> Result<(), Failure> {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).map_err(Failure::io("reading a workflow"))?;
    assert!(text.contains(from), "{from:?} is in {file}");
    std::fs::write(&path, text.replace(from, to)).map_err(Failure::io("writing a workflow"))
}

fn settings(sink: &Sink, clock: &str, more: &str) -> String {
    format!(
        "store: sottaku.db\nclock: {clock}\nmode: smtp\nfrom_domain: vendor.example\n\
         public_url: https://cs.vendor.example\njurisdiction: jp\n\
         smtp: {{host: 127.0.0.1, port: {}, tls: none}}\n{more}",
        sink.address().port()
    )
}

#[tokio::test]
async fn a_mail_leaves_by_the_server_of_its_sender_and_at_the_pace_of_its_domain() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    listening(folder.path()).expect("the workspace is written");
    let news = (
        "    to: champion\n",
        "    to: champion\n    from: News <news@news.vendor.example>\n",
    );
    rewrite(folder.path(), "workflows/tips.yaml", news).expect("it is rewritten");
    let usual = sink(folder.path(), "usual").await;
    let other = sink(folder.path(), "other").await;
    let more = format!(
        "senders: [{{from: [news.vendor.example], smtp: {{host: 127.0.0.1, port: {}, tls: none}}}}]\n\
         pace: {{domains: {{slow.example: {{per_minute: 12, at_once: 1}}}}}}\n",
        other.address().port()
    );
    let settings = settings(&usual, "log", &more);
    let office = Office::open(&settings, folder.path(), &[]).await;
    let office = office.expect("the office opens");
    for (account, to, plan) in [
        ("s-1", "one@slow.example", "paid"),
        ("s-2", "two@slow.example", "paid"),
        ("quick", "mika@acme.example", "paid"),
        ("news", "rei@acme.example", "trial"),
    ] {
        assert_eq!(office.tell(account, to, plan).await.status, 202);
    }
    let by_other = office.taken(&other, 1).await;
    assert_eq!(by_other[0].recipients, ["rei@acme.example"]);
    let by_usual = office.taken(&usual, 3).await;
    let (mut slow, mut quick) = (Vec::new(), Vec::new());
    for mail in &by_usual {
        let is_slow = mail.recipients[0].ends_with("@slow.example");
        if is_slow { &mut slow } else { &mut quick }.push(mail.at_ms);
    }
    slow.sort_unstable();
    assert_eq!((slow.len(), quick.len()), (2, 1), "{by_usual:?}");
    assert!(slow[1] - slow[0] >= PACE_MS, "{slow:?}");
    assert!(quick[0] < slow[1], "nobody else waits for the slow domain");
    assert_eq!(other.taken().expect("the record").len(), 1);
}

#[tokio::test]
async fn an_address_gets_no_more_than_it_bears_from_all_accounts_together() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    listening(folder.path()).expect("the workspace is written");
    let at_any_hour = ("    to: champion\n", "    to: champion\n    hours: any\n");
    for file in ["workflows/tips.yaml", "workflows/notice.yaml"] {
        rewrite(folder.path(), file, at_any_hour).expect("it is rewritten");
    }
    let sink = sink(folder.path(), "record").await;
    let cap = "limits: {address_messages_max: 2, address_messages_within: 1h}\n";
    let settings = settings(&sink, "live", cap);
    let office = Office::open(&settings, folder.path(), &[]).await;
    let office = office.expect("the office opens");
    let accounts = ["a-1", "a-2", "a-3", "a-4"];
    for account in accounts {
        let told = office.tell(account, "mika@acme.example", "trial").await;
        assert_eq!(told.status, 202);
    }
    let mut states = Vec::new();
    for account in accounts {
        let mail = office.fate(account, &["sent", "deferred"]).await;
        states.push(mail["state"].as_str().unwrap_or_default().to_owned());
    }
    states.sort_unstable();
    assert_eq!(states, ["deferred", "deferred", "sent", "sent"]);
    // What the contract asks for is not counted, and another address has its own measure.
    office.tell("b-1", "mika@acme.example", "paid").await;
    office.tell("b-2", "rei@acme.example", "trial").await;
    for account in ["b-1", "b-2"] {
        office.fate(account, &["sent"]).await;
    }
    let to: Vec<_> = office.taken(&sink, 4).await;
    assert_eq!(to.len(), 4, "{to:?}");
}

/// The day so many days ago, by UTC.
fn day(ago: u32) -> String {
    let ran = std::process::Command::new("date")
        .args(["-u", "+%F", "-d", &format!("{ago} days ago")])
        .output();
    let ran = ran.expect("`date` runs");
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_new_sender_sends_a_little_more_each_day_until_nothing_holds_it() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    listening(folder.path()).expect("the workspace is written");
    let today = day(0);
    // A twelfth of a day's mails may leave at once: 12 on the first day, three times as many on the next.
    for (ago, at_once) in [(0, 1), (1, 3), (29, 5), (30, 5)] {
        let sink = sink(folder.path(), &format!("record-{ago}")).await;
        let warm_up = format!(
            "shards: 1\npace: {{warm_up: {{since: {}, first_day: 12, grows_percent: 200, days: 30}}}}\n",
            day(ago)
        );
        let settings = settings(&sink, "log", &warm_up);
        let office = Office::open(&settings, folder.path(), &[]).await;
        let office = office.expect("the office opens");
        let accounts = ["a-1", "a-2", "a-3", "a-4", "a-5"];
        for account in accounts {
            let to = format!("mika@{account}.example");
            assert_eq!(office.tell(account, &to, "paid").await.status, 202);
        }
        let mut states = Vec::new();
        for account in accounts {
            let mail = office.fate(account, &["sent", "deferred"]).await;
            states.push(mail["state"].as_str().unwrap_or_default().to_owned());
        }
        if day(0) != today {
            // The day ended meanwhile, and with it what may leave on it.
            return;
        }
        let sent = states.iter().filter(|state| **state == "sent").count();
        assert_eq!(sent, at_once, "{ago} days: {states:?}");
        assert_eq!(sink.taken().expect("the record").len(), at_once, "{ago}");
    }
}

#[tokio::test]
async fn a_bounce_is_found_in_a_maildir() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    listening(folder.path()).expect("the workspace is written");
    let sink = sink(folder.path(), "record").await;
    let maildir = folder.path().join("maildir");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(maildir.join(part)).expect("a folder can be made");
    }
    let more = format!(
        "bounces: {{domain: bounces.vendor.example, maildir: '{}'}}\n",
        maildir.display()
    );
    let settings = settings(&sink, "log", &more);
    let office = Office::open(&settings, folder.path(), &[]).await;
    let office = office.expect("the office opens");
    office.tell("acme", "mika@acme.example", "paid").await;
    let mail = office.taken(&sink, 1).await.swap_remove(0);
    let report = format!(
        "From: MAILER-DAEMON@mx.example\nTo: {}\nContent-Type: multipart/report; boundary=b\n\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n\
         Final-Recipient: rfc822; mika@acme.example\nAction: failed\nStatus: 5.1.1\n--b--\n",
        mail.sender
    );
    // Written aside and moved, as whoever delivers to a maildir does.
    std::fs::write(maildir.join("tmp/1.mx"), report).expect("it can be written");
    std::fs::rename(maildir.join("tmp/1.mx"), maildir.join("new/1.mx")).expect("it can be moved");
    record(&office, "acme", "mend").await;
    assert!(!maildir.join("new/1.mx").exists(), "it is taken once");
}
