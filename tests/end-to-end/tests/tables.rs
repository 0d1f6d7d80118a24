//! Tables in and out: CSV files with their mistakes, an import that is killed in the middle, exports.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use end_to_end::{Peek, Product, wait};
use serde_json::Value;

use crate::office::{product, workspace};

/// Rows of the file whose import is killed.
const ROWS: usize = 30_000;

async fn code(product: &Product, arguments: &[&str]) -> (Option<i32>, String) {
    let ran = product.run(arguments).await.expect("it starts");
    (ran.code, ran.out + &ran.err)
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), text).expect("the file is written");
}

/// A store under the log clock with the workspace of the tests applied.
async fn applied(folder: &Path) -> Product {
    write(folder, "sottaku.yaml", "store: sottaku.db\nclock: log\n");
    let product = product(folder);
    let workspace = workspace().display().to_string();
    let ran = product.done(&["apply", &workspace, "--yes"]).await;
    ran.expect("it is applied");
    product
}

#[tokio::test]
async fn each_bad_row_is_told_with_its_place_and_kept_to_be_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    let product = applied(folder.path()).await;
    write(
        folder.path(),
        "accounts.csv",
        "\u{feff}account,name,plan,time\r\nacme,\"アクメ, Inc\r\n東京\",paid,2026-01-13T10:00:00+09:00\r\nbeta,Beta,gold,\r\n\"gamma,Gamma,paid,\r\ndelta,Delta,,2026-01-13T10:00:00+09:00\r\n",
    );
    let arguments = ["import", "accounts.csv", "--as", "news"];
    let (judged, said) = code(&product, &["import", "accounts.csv", "--dry-run"]).await;
    assert_eq!(judged, Some(1), "{said}");
    for words in [
        // A name takes no line break.
        "accounts.csv:2:6: `name` wants a name",
        "accounts.csv:4:11: `plan` wants one of trial, paid, lost",
        "accounts.csv:5:1: the quote that begins here does not end",
        "1 fact would be taken, 3 refused",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let (taken, said) = code(&product, &arguments).await;
    assert_eq!(taken, Some(1), "{said}");
    let rejects = folder.path().join("accounts.csv.rejects.csv");
    let kept = std::fs::read_to_string(&rejects).expect("the bad rows are kept");
    let mended = kept
        .replace("\"アクメ, Inc\r\n東京\"", "アクメ")
        .replace("gold", "paid")
        .replace("\"gamma", "gamma");
    write(folder.path(), "accounts.csv.rejects.csv", mended);
    let again = ["import", "accounts.csv.rejects.csv", "--as", "news"];
    let (taken, said) = code(&product, &again).await;
    assert_eq!(taken, Some(0), "{said}");
    assert!(said.contains("3 facts taken, 0 refused"), "{said}");
    let (refused, said) = code(&product, &arguments).await;
    assert_eq!(refused, Some(3), "{said}");
    assert!(said.contains("--again"), "{said}");
}

#[tokio::test]
async fn shift_jis_is_read_and_another_encoding_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let product = applied(folder.path()).await;
    // 田中 in Shift_JIS, once with a time that is none.
    let row = [
        b"account,id,name,email,role,time\nacme,p-1,".as_slice(),
        b"\x93\x63\x92\x86",
        b",tanaka@acme.example,champion,2026-01-13T10:00:00+09:00\nbeta,p-1,\x93\x63\x92\x86,tanaka@beta.example,champion,soon\n",
    ]
    .concat();
    write(folder.path(), "contacts.csv", &row);
    let (wrong, said) = code(&product, &["import", "contacts.csv"]).await;
    assert_eq!(wrong, Some(1), "{said}");
    assert!(
        said.contains("contacts.csv:2:10: ") && said.contains("--encoding"),
        "{said}"
    );
    let right = [
        "import",
        "contacts.csv",
        "--encoding",
        "shift_jis",
        "--again",
    ];
    let (taken, said) = code(&product, &right).await;
    assert_eq!(taken, Some(1), "{said}");
    // What was refused is as the table was: mended, it is imported as the table was.
    let refused = folder.path().join("contacts.csv.rejects.csv");
    let refused = std::fs::read(refused).expect("the rejects are kept");
    let at = refused.windows(4).position(|found| found == b"soon");
    let at = at.expect("the row is there");
    let mended = [
        &refused[..at],
        b"2026-01-13T11:00:00+09:00".as_slice(),
        &refused[at + 4..],
    ];
    write(folder.path(), "mended.csv", mended.concat());
    let mended = [
        "import",
        "mended.csv",
        "--kind",
        "contacts",
        "--encoding",
        "shift_jis",
    ];
    let (taken, said) = code(&product, &mended).await;
    assert_eq!(taken, Some(0), "{said}");
    let (_, log) = code(&product, &["log", "export"]).await;
    assert_eq!(log.matches("田中").count(), 2, "{log}");
}

#[tokio::test]
async fn an_import_that_is_killed_goes_on_and_every_row_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let product = applied(folder.path()).await;
    let mut text = "account,type,time,user\n".to_owned();
    for row in 0..ROWS {
        // Every row stands twice: the two are two facts.
        let (account, minute) = (row % 50, (row / 2) % 60);
        writeln!(
            text,
            "a-{account},user.logged_in,2026-01-13T10:{minute:02}:00+09:00,u{}",
            row / 2
        )
        .expect("text");
    }
    write(folder.path(), "events.csv", &text);
    let arguments = ["import", "events.csv", "--as", "news"];
    let mut child = product.command(&arguments).spawn().expect("it starts");
    let peek = Peek::open(&folder.path().join("sottaku.db"))
        .await
        .expect("a store");
    let begun = wait::until("some rows are in", Duration::from_secs(60), async || {
        let reached = peek.logs().await.ok()?;
        let rows: i64 = reached.iter().map(|shard| shard.end).sum();
        (rows > 0).then_some(rows)
    });
    begun.await.expect("it begins");
    child.start_kill().expect("it is killed");
    child.wait().await.expect("it ends");
    let (_, half) = code(&product, &["log", "export"]).await;
    let half = half.lines().count();
    assert!(
        half > 0 && half < ROWS,
        "it was killed in the middle: {half}"
    );
    let (done, said) = code(&product, &arguments).await;
    assert_eq!(done, Some(0), "{said}");
    let (_, log) = code(&product, &["log", "export"]).await;
    let ids: std::collections::BTreeSet<String> = log
        .lines()
        .map(|line| {
            let fact: Value = serde_json::from_str(line).expect("JSON");
            fact["id"].to_string()
        })
        .collect();
    assert_eq!((log.lines().count(), ids.len()), (ROWS, ROWS));
}
