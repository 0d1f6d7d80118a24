//! Bad input of every kind gets its named refusal, and nothing is lost.

use end_to_end::{Answer, Product};
use serde_json::{Value, json};

use crate::office::{Office, fact, product, workspace};

const ONE: &str = "application/cloudevents+json";
const MANY: &str = "application/cloudevents-batch+json";

/// A header's name and value.
type Header<'a> = (&'a str, &'a str);

async fn office(more: &str, variables: &[(&str, &str)]) -> Office {
    let settings = format!("store: sottaku.db\nclock: log\n{more}");
    let opened = Office::open(&settings, &workspace(), variables).await;
    opened.expect("the office opens")
}

async fn told(office: &Office, content_type: &str, body: &str) -> Answer {
    let told = office.client().tell(content_type, body.as_bytes()).await;
    told.expect("the server answers")
}

fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut whole: Value =
        serde_json::from_str(&fact("acme", "account.updated", json!({"name": "Acme"})))
            .expect("a fact");
    change(&mut whole);
    whole.to_string()
}

/// Facts that are put aside at once, each with the word that names why.
fn bad_facts() -> Vec<(String, &'static str)> {
    let deep = (0..70).fold(json!(1), |inner, _| json!({"a": inner}));
    let wide: serde_json::Map<String, Value> =
        (0..1_001).map(|n| (format!("k{n}"), json!(n))).collect();
    vec![
        (
            with(|fact| {
                fact.as_object_mut().map(|all| all.remove("subject"));
            }),
            "bad_subject",
        ),
        (with(|fact| fact["subject"] = json!("")), "bad_subject"),
        (
            with(|fact| fact["subject"] = json!("a".repeat(129))),
            "bad_subject",
        ),
        (
            with(|fact| fact["subject"] = json!("a\u{7}b")),
            "bad_subject",
        ),
        (
            with(|fact| {
                fact.as_object_mut().map(|all| all.remove("id"));
            }),
            "bad_envelope",
        ),
        (
            with(|fact| fact["specversion"] = json!("0.3")),
            "bad_envelope",
        ),
        (
            with(|fact| fact["type"] = json!("message.sent")),
            "reserved_type",
        ),
        (
            with(|fact| fact["type"] = json!("risk.opened")),
            "reserved_type",
        ),
        (
            with(|fact| fact["type"] = json!("sottaku.unheard_of")),
            "reserved_type",
        ),
        (with(|fact| fact["time"] = json!("yesterday")), "bad_time"),
        (with(|fact| fact["data"] = json!("text")), "bad_data"),
        (
            with(|fact| fact["data"] = json!({"name": deep})),
            "too_large",
        ),
        (with(|fact| fact["data"] = Value::Object(wide)), "too_large"),
        (
            with(|fact| fact["data"] = json!({"name": "x".repeat(300 * 1024)})),
            "too_large",
        ),
    ]
}

#[tokio::test]
async fn a_fact_that_cannot_be_used_is_put_aside_by_name_and_its_neighbours_count() {
    let office = office("", &[]).await;
    let mut count = 0;
    for (bad, code) in bad_facts() {
        let shown: String = bad.chars().take(200).collect();
        let good = fact(
            &format!("good-{count}"),
            "account.updated",
            json!({"name": "Good"}),
        );
        let answer = told(&office, MANY, &format!("[{bad},{good}]")).await;
        assert_eq!(answer.status, 202, "{shown}: {}", answer.body);
        let said = answer.json();
        assert_eq!(said["accepted"], 1, "{shown}: {said}");
        assert_eq!(said["parked"][0]["code"], code, "{shown}: {said}");
        assert_eq!(said["parked"][0]["index"], 0, "{shown}: {said}");
        count += 1;
    }
    let parked = office
        .product
        .done(&["parked", "list", "--output", "json"])
        .await;
    let parked = parked
        .expect("parked facts are listed")
        .json_lines()
        .expect("each line is JSON");
    assert_eq!(parked.len(), count, "{parked:?}");
    let log = office
        .product
        .done(&["log", "export"])
        .await
        .expect("the log is exported");
    assert_eq!(
        log.out.lines().count(),
        count,
        "each good neighbour is in the log: {}",
        log.out
    );
}

#[tokio::test]
async fn a_body_that_cannot_be_taken_is_refused_whole() {
    let office = office(
        "tokens: [\"${env:TOKEN}\"]\nlimits: {body_bytes_max: 20000, body_facts_max: 3}\n",
        &[("TOKEN", "open-sesame")],
    )
    .await;
    let good = fact("acme", "account.updated", json!({"name": "Acme"}));
    let four = format!("[{}]", [good.as_str(); 4].join(","));
    let large = with(|fact| fact["data"] = json!({"name": "x".repeat(30_000)}));
    let known = ("authorization", "Bearer open-sesame");
    let typed = |content_type| ("content-type", content_type);
    let cases: [(Vec<Header<'_>>, &str, u16); 12] = [
        (vec![typed(ONE)], &good, 401),
        (
            vec![typed(ONE), ("authorization", "Bearer guess")],
            &good,
            401,
        ),
        (
            vec![typed(ONE), ("authorization", "Basic open-sesame")],
            &good,
            401,
        ),
        (vec![known], &good, 415),
        (vec![known, typed("text/plain")], &good, 415),
        (vec![known, typed("application/json")], &good, 415),
        (
            vec![known, typed(ONE), ("content-encoding", "gzip")],
            &good,
            415,
        ),
        (vec![known, typed(ONE)], "{", 400),
        (vec![known, typed(MANY)], "{}", 400),
        (vec![known, typed(ONE)], &large, 413),
        (vec![known, typed(MANY)], &four, 413),
        (vec![known, typed(ONE)], &good, 202),
    ];
    for (headers, body, status) in cases {
        let shown: String = body.chars().take(60).collect();
        let answer = office
            .client()
            .ask("POST /v1/events", &headers, body.as_bytes())
            .await;
        let answer = answer.expect("the server answers");
        assert_eq!(
            answer.status, status,
            "{headers:?} {shown}: {}",
            answer.body
        );
    }
    let log = office
        .product
        .done(&["log", "export"])
        .await
        .expect("the log is exported");
    assert_eq!(
        log.out.lines().count(),
        1,
        "only what was answered by 202: {}",
        log.out
    );
}

#[tokio::test]
async fn a_fact_may_come_in_headers() {
    let office = office("", &[]).await;
    let binary = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "b-1"),
        ("ce-source", "test"),
        ("ce-type", "account.updated"),
        ("ce-subject", "acme"),
        ("ce-time", "2026-01-13T01:00:00Z"),
    ];
    let answer = office
        .client()
        .ask("POST /v1/events", &binary, br#"{"name":"Acme"}"#)
        .await;
    assert_eq!(answer.expect("the server answers").status, 202);
}

#[tokio::test]
async fn a_wrong_value_is_rejected_by_name_and_the_rest_of_the_fact_counts() {
    let office = office("", &[]).await;
    for (n, (kind, data)) in [
        (
            "account.updated",
            json!({"name": "Acme", "plan": "golden", "shoe": 43}),
        ),
        ("account.updated", json!({"name": 7})),
        ("weather.changed", json!({"to": "rain"})),
        ("user.logged_in", json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        let one = fact(&format!("a-{n}"), kind, data);
        assert_eq!(told(&office, ONE, &one).await.json()["accepted"], 1);
    }
    let what = "what was not taken is listed";
    let listed = end_to_end::wait::until(what, std::time::Duration::from_secs(20), async || {
        let unknown = office.product.done(&["schema", "unknown"]).await.ok()?.out;
        let parked = office.product.done(&["parked", "list"]).await.ok()?.out;
        let all = [&*unknown, &*parked].concat();
        ["plan", "shoe", "name", "weather.changed", "user"]
            .iter()
            .all(|word| all.contains(word))
            .then_some(all)
    });
    let listed = listed.await;
    assert!(listed.is_ok(), "{listed:?}");
}

async fn code(product: &Product, arguments: &[&str]) -> (Option<i32>, String) {
    let ran = product.run(arguments).await.expect("sottaku was built");
    (ran.code, ran.out + &ran.err)
}

#[tokio::test]
async fn a_file_is_judged_taken_once_and_its_bad_lines_are_kept() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let product = product(folder.path());
    let mut lines: Vec<String> = (0..5_000)
        .map(|n| {
            fact(
                &format!("a-{n}"),
                "account.updated",
                json!({"name": "Acme"}),
            )
        })
        .collect();
    lines[17] = "{".to_owned();
    lines[40] = with(|fact| fact["subject"] = json!(""));
    std::fs::write(folder.path().join("facts.ndjson"), lines.join("\n") + "\n")
        .expect("the file is written");
    let (judged, said) = code(&product, &["import", "facts.ndjson", "--dry-run"]).await;
    assert_eq!(judged, Some(1), "{said}");
    for words in [
        "facts.ndjson:18:",
        "bad_envelope",
        "facts.ndjson:41:",
        "bad_subject",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    assert!(
        !folder.path().join("sottaku.db").exists(),
        "a dry run writes nothing"
    );
    let (taken, said) = code(&product, &["import", "facts.ndjson", "--as", "news"]).await;
    assert_eq!(taken, Some(1), "{said}");
    assert!(said.contains("4998 facts taken, 2 refused"), "{said}");
    let rejects = std::fs::read_to_string(folder.path().join("facts.ndjson.rejects.ndjson"));
    assert_eq!(rejects.expect("the bad lines are kept").lines().count(), 2);
    let (again, said) = code(&product, &["import", "facts.ndjson", "--as", "news"]).await;
    assert_eq!(again, Some(3), "{said}");
    assert!(said.contains("--again"), "{said}");
    let (exported, log) = code(&product, &["log", "export"]).await;
    assert_eq!((exported, log.lines().count()), (Some(0), 4_998));
}
