//! The commands as the manual tells of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use end_to_end::{Failure, Product, Serving, wait};
use tokio::process::Command;

use crate::office::{product, top};

const SHOWN_TIME_MAX: Duration = Duration::from_secs(30);

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

async fn run(product: &Product, arguments: &[&str]) -> end_to_end::Ran {
    product.run(arguments).await.expect("sottaku was built")
}

/// The lines of README.md that begin with `curl`, for another address.
fn curl_lines(address: &str) -> Vec<String> {
    let text = std::fs::read_to_string(top().join("README.md")).expect("there is a README.md");
    let lines = text.lines().filter(|line| line.starts_with("curl "));
    lines
        .map(|line| {
            assert!(
                line.contains(" localhost:8080/"),
                "the manual names the port that `dev` takes: {line}"
            );
            line.replace("localhost:8080", address)
        })
        .collect()
}

#[tokio::test]
async fn three_lines_of_the_manual_put_a_renewal_mail_on_the_screen() {
    let folder = folder();
    let product = product(folder.path());
    let store = folder.path().join("dev.db").display().to_string();
    let top = top().display().to_string();
    let arguments = [
        "dev", &*top, "--clock", "log", "--fresh", "--store", &*store,
    ];
    let dev = Serving::start(&product, &arguments, &folder.path().join("screen"));
    let dev = dev.expect("dev starts");
    dev.answers().await.expect("dev answers");
    let lines = curl_lines(&dev.address().to_string());
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in lines {
        let said = Command::new("sh")
            .args(["-c", &line])
            .output()
            .await
            .expect("curl is installed");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("\"accepted\":1"), "{line}: {said}");
    }
    let shown = wait::until("the mail is on the screen", SHOWN_TIME_MAX, async || {
        let screen = dev.said();
        let words = [
            "start",
            "renewal-intro",
            "tanaka@acme.example",
            "ご契約更新のご案内",
            "2026年5月10日",
        ];
        words.iter().all(|word| screen.contains(word)).then_some(())
    });
    let is_shown = shown.await;
    assert!(is_shown.is_ok(), "{}", dev.said());
    assert_eq!(dev.end().await.expect("dev ends"), Some(0));
    let config = run(&product, &["config", "--output", "json"]).await;
    assert!(config.out.contains("127.0.0.1:8080"), "{}", config.out);
}

#[tokio::test]
async fn the_example_is_right_and_what_is_still_to_come_is_named() {
    let example = top().join("tests/data/example").display().to_string();
    let folder = folder();
    let product = product(folder.path());
    let checked = run(&product, &["check", &example]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.out);
    assert_eq!(checked.out.matches("E900").count(), 1, "{}", checked.out);
    assert!(
        checked.out.contains("set aside: renewal-review"),
        "{}",
        checked.out
    );
    let tested = run(&product, &["test", &example]).await;
    assert_eq!(tested.code, Some(0), "{}", tested.out);
    assert!(
        tested.out.contains("12 passed, 0 failed, 0 not yet"),
        "{}",
        tested.out
    );
}

#[tokio::test]
async fn every_seeded_mistake_is_found_where_it_is() {
    let mistakes = top().join("tests/data/example-mistakes");
    let folder = folder();
    let arguments = ["check", &mistakes.display().to_string(), "--output", "json"];
    let checked = run(&product(folder.path()), &arguments).await;
    assert_eq!(checked.code, Some(1), "{}", checked.out);
    let text = std::fs::read_to_string(mistakes.join("expected.txt")).expect("the list is there");
    let place = |line: &str| {
        let mut words = line.split_whitespace();
        let (code, place) = (words.next()?, words.next()?);
        let (place, _column) = place.rsplit_once(':')?;
        code.starts_with('E').then(|| format!("{code} {place}"))
    };
    let expected: BTreeSet<String> = text.lines().filter_map(place).collect();
    let found: serde_json::Value = serde_json::from_str(&checked.out).expect("it is JSON");
    let found: BTreeSet<String> = found["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["severity"] == "error")
        .map(|one| {
            format!(
                "{} {}:{}",
                one["code"].as_str().unwrap_or_default(),
                one["file"].as_str().unwrap_or_default(),
                one["line"]
            )
        })
        .collect();
    assert_eq!(found, expected);
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to).map_err(Failure::io("making a folder"))?;
    for entry in std::fs::read_dir(from).map_err(Failure::io("listing a folder"))? {
        let entry = entry.map_err(Failure::io("listing a folder"))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target).map_err(Failure::io("copying a file"))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_expectation_is_answered_with_what_happened() {
    let folder = folder();
    for name in ["workflows", "templates"] {
        copy(&top().join(name), &folder.path().join(name)).expect("the workspace is copied");
    }
    let file = folder.path().join("workflows/tests/renewal.test.yaml");
    let text = std::fs::read_to_string(&file).expect("the tests are there");
    let wrong = text.replacen(
        "{send: renewal-intro, to: tanaka@acme.example}",
        "{send: renewal-intro, to: nobody@acme.example}",
        1,
    );
    assert_ne!(text, wrong);
    std::fs::write(&file, wrong).expect("the tests are written");
    let tested = run(
        &product(folder.path()),
        &["test", ".", "--filter", "120日前"],
    )
    .await;
    assert_eq!(tested.code, Some(1), "{}", tested.out);
    let said = tested.out + &tested.err;
    assert!(said.contains("0 passed, 1 failed"), "{said}");
    assert!(
        said.contains("{send: renewal-intro, to: tanaka@acme.example}"),
        "what happened, ready to paste: {said}"
    );
}

#[tokio::test]
async fn a_closed_pipe_is_no_panic() {
    let folder = folder();
    let product = product(folder.path());
    let mut command = product.command(&["sample", "--accounts", "300"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut sample = command.spawn().expect("sottaku was built");
    drop(sample.stdout.take());
    let ended = sample.wait_with_output().await.expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        ended.status.code().is_some_and(|code| code != 101),
        "{:?} {said}",
        ended.status
    );
}
