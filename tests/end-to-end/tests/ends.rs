//! Ends: a server that is asked to stop hands everything over; a full disk refuses and loses nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use end_to_end::{Failure, Look as _, Peek, Serving, wait};
use serde_json::json;
use tokio::process::Command;

use crate::office::{Office, fact, workspace};

const ONE: &str = "application/cloudevents+json";

#[tokio::test]
async fn a_graceful_stop_hands_all_leases_over_at_once() {
    let settings = "store: sottaku.db\nclock: log\nshards: 4\n";
    let office = Office::open(settings, &workspace(), &[])
        .await
        .expect("the office opens");
    let folder = office.folder.path();
    let other = Serving::start(&office.product, &["serve"], &folder.join("other.log"));
    let other = other.expect("a second server starts");
    other.answers().await.expect("it answers");
    let peek = Peek::open(&folder.join("sottaku.db"))
        .await
        .expect("the store opens");
    let (first, second) = (office.server.pid(), other.pid());
    let held = async |pid: u32| {
        let leases = peek.leases().await.unwrap_or_default();
        leases.iter().filter(|lease| lease.pid == Some(pid)).count()
    };
    let shared = wait::until(
        "both have their part",
        Duration::from_secs(20),
        async || (held(first).await == 4 && held(second).await == 4).then_some(()),
    );
    shared.await.expect("leases are shared out");
    let began = Instant::now();
    assert_eq!(office.server.end().await.expect("it ends"), Some(0));
    let taken = wait::until("the other has all", Duration::from_secs(20), async || {
        (held(second).await == 8).then_some(())
    });
    taken.await.expect("all leases are taken over");
    // A lease that was not given back would last for 6 s.
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        began.elapsed()
    );
    let log = std::fs::read_to_string(folder.join("serve.log")).unwrap_or_default();
    assert!(!log.contains("panicked"), "{log}");
}

/// A small disk of its own.
struct Disk {
    folder: PathBuf,
}

/// Root mounts by itself, others by `sudo`.
async fn as_root(words: &[&str]) -> Result<(), Failure> {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .await
        .is_ok_and(|id| id.stdout == b"0\n");
    let mut all: Vec<&str> = if is_root {
        Vec::new()
    } else {
        vec!["sudo", "-n"]
    };
    all.extend(words);
    let output = Command::new(all[0]).args(&all[1..]).output().await;
    let output = output.map_err(Failure::io(all.join(" ")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::Program {
        program: all.join(" "),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

impl Disk {
    async fn mount(folder: PathBuf) -> Result<Disk, Failure> {
        std::fs::create_dir_all(&folder).map_err(Failure::io("making a folder"))?;
        let path = folder.display().to_string();
        as_root(&[
            "mount",
            "-t",
            "tmpfs",
            "-o",
            "size=12m,mode=0777",
            "tmpfs",
            &path,
        ])
        .await?;
        Ok(Disk { folder })
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }

    /// Fills what is left.
    fn fill(&self) {
        let block = vec![0; 64 * 1024];
        let mut file = std::fs::File::create(self.ballast()).expect("the ballast is made");
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    fn relieve(&self) {
        std::fs::remove_file(self.ballast()).expect("the ballast is removed");
    }

    async fn unmount(self) -> Result<(), Failure> {
        as_root(&["umount", "-l", &self.folder.display().to_string()]).await
    }
}

/// Tells facts one by one from number `first`, until one is not taken; those that were.
async fn tell(office: &Office, first: usize, most: usize) -> (Vec<String>, Option<u16>) {
    let mut client = office.client();
    let mut accepted = Vec::new();
    for n in first..first + most {
        let account = format!("a-{n}");
        let one = fact(
            &account,
            "account.updated",
            json!({"name": "x".repeat(4_000)}),
        );
        match client.tell(ONE, one.as_bytes()).await {
            Ok(answer) if answer.status == 202 => accepted.push(account),
            Ok(answer) => return (accepted, Some(answer.status)),
            Err(_) => return (accepted, None),
        }
    }
    (accepted, Some(202))
}

#[tokio::test]
async fn a_full_disk_refuses_loses_nothing_and_recovers() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let disk = Disk::mount(folder.path().join("disk"))
        .await
        .expect("a small disk is mounted");
    let settings = format!(
        "store: {}\nclock: log\n",
        disk.folder.join("sottaku.db").display()
    );
    let office = Office::open(&settings, &workspace(), &[])
        .await
        .expect("the office opens");
    let (mut accepted, status) = tell(&office, 0, 20).await;
    assert_eq!((accepted.len(), status), (20, Some(202)));
    for round in 1..=3 {
        disk.fill();
        let (more, status) = tell(&office, round * 10_000, 3_000).await;
        accepted.extend(more);
        assert_eq!(status, Some(503), "round {round}: {}", office.server.said());
        disk.relieve();
        let recovered = wait::until(
            "facts are taken again",
            Duration::from_secs(30),
            async || {
                let (more, status) = tell(&office, round * 10_000 + 5_000, 5).await;
                accepted.extend(more);
                (status == Some(202)).then_some(())
            },
        );
        recovered.await.expect("it recovers");
    }
    let log = office
        .product
        .done(&["log", "export"])
        .await
        .expect("the log is exported");
    let there: BTreeSet<String> = log.out.lines().filter_map(subject).collect();
    let lost: Vec<&String> = accepted
        .iter()
        .filter(|account| !there.contains(*account))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} are lost: {lost:?}",
        lost.len(),
        accepted.len()
    );
    is_whole(&disk.folder.join("sottaku.db")).await;
    drop(office);
    disk.unmount().await.expect("the small disk is unmounted");
}

fn subject(line: &str) -> Option<String> {
    let fact: serde_json::Value = serde_json::from_str(line).ok()?;
    fact["subject"].as_str().map(str::to_owned)
}

async fn is_whole(store: &Path) {
    let peek = Peek::open(store).await.expect("the store opens");
    let reached = wait::until("all is decided", Duration::from_secs(30), async || {
        let reached = peek.logs().await.ok()?;
        reached
            .iter()
            .all(|shard| shard.position == shard.end)
            .then_some(())
    });
    reached.await.expect("deciding goes on");
}
