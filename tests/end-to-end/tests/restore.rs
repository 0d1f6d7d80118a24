//! A store restored from a backup knows less than the world: what the mail server took since does not leave again.

use std::path::Path;

use end_to_end::{Sink, SinkOptions};

use crate::office::{Office, workspace};

const FILES: [&str; 3] = ["sottaku.db", "sottaku.db-wal", "sottaku.db-shm"];

/// Copies the store's files that are there, and takes away those that are not.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for file in FILES {
        let (from, to) = (from.join(file), to.join(file));
        if from.exists() {
            std::fs::copy(from, to).expect("a file can be copied");
        } else if to.exists() {
            std::fs::remove_file(to).expect("a file can be removed");
        }
    }
}

/// Ends the server, lets something be done to its files, and starts it again.
async fn rest(office: &mut Office, meanwhile: impl FnOnce(&Path)) {
    office.server.leave().await.expect("it ends");
    meanwhile(office.folder.path());
    office.server.start_again().expect("it starts again");
    office.server.answers().await.expect("it answers");
}

async fn switch(office: &Office, word: &str) {
    office.product.done(&[word]).await.expect("it is switched");
}

#[tokio::test]
async fn what_left_since_the_backup_does_not_leave_again() {
    let kept = tempfile::tempdir().expect("a folder can be made");
    let backup = kept.path().join("backup");
    let options = SinkOptions::new(kept.path().join("record"));
    let sink = Sink::start(options).await.expect("the sink starts");
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\n\
         smtp: {{host: 127.0.0.1, port: {}, tls: none}}\n",
        sink.address().port()
    );
    let office = Office::open(&settings, &workspace(), &[]).await;
    let mut office = office.expect("the office opens");
    switch(&office, "pause").await;
    office.tell("first", "mika@acme.example", "paid").await;
    office.tell("second", "rei@acme.example", "paid").await;
    for account in ["first", "second"] {
        office.fate(account, &["queued"]).await;
    }
    rest(&mut office, |folder| copy(folder, &backup)).await;
    switch(&office, "resume").await;
    let before = office.taken(&sink, 2).await;
    // The second is not on the list: as far as anybody says, it is still to leave.
    let listed = before
        .iter()
        .find(|mail| mail.recipients == ["mika@acme.example"]);
    let listed = &listed.expect("the first left").message_id;
    let settings = format!("{settings}left_before: left.txt\n");
    rest(&mut office, |folder| {
        copy(&backup, folder);
        std::fs::write(folder.join("left.txt"), listed).expect("it can be written");
        std::fs::write(folder.join("sottaku.yaml"), &settings).expect("it can be written");
    })
    .await;
    for account in ["first", "second"] {
        office.fate(account, &["queued"]).await;
    }
    switch(&office, "resume").await;
    office.fate("first", &["sent"]).await;
    office.fate("second", &["sent"]).await;
    let mut after = office.taken(&sink, 3).await;
    let again = after.split_off(2);
    let to: Vec<_> = again.iter().map(|mail| &*mail.recipients).collect();
    assert_eq!(
        to,
        [["rei@acme.example"]],
        "only what was not listed leaves"
    );
}
