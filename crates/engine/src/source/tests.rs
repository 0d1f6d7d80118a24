//! Mappings over records, as tables.

use super::*;
use model::topic::RowChange;
use serde_json::json;
use workflow::{Files, check};

const BASE: &str = "\
entities:
  account: {name: required text, arr: money, plan: trial | paid, since: date, share: percent, live: boolean}
  contract: {status: required active | cancelled, seats: number}
  contact: {name: required text, email: required email}
  csm: {name: text}
events:
  user.logged_in: {user: required text, at: time, minutes: number}
calendar: {timezone: Asia/Tokyo}
";

fn program(source: &str) -> Program {
    let text = format!("{BASE}sources: {{s: {{topic: t, {source}}}}}\n");
    let files = Files::from([("workflows/a.yaml".into(), text.into())]);
    let checked = check(&files);
    checked
        .program
        .unwrap_or_else(|| panic!("{source}: {:?}", checked.diagnostics))
}

fn record(value: Json) -> TopicRecord {
    TopicRecord {
        topic: "t".into(),
        partition: 1,
        offset: 7,
        at: Timestamp::from_second(1_768_266_000).expect("in range"),
        key: json!({"id": "acme"}),
        headers: Map::new(),
        record: value,
        before: Json::Null,
        change: None,
        time: None,
    }
}

fn said(source: &str, record: &TopicRecord) -> Result<Said, Parked> {
    let program = program(source);
    let origin = Origin {
        name: "s",
        source: &program.sources["s"],
        topic_id: "T",
        since: Timestamp::UNIX_EPOCH,
    };
    map(&program, &origin, record)
}

fn fact(source: &str, record: &TopicRecord) -> Json {
    match said(source, record) {
        Ok(Said::Fact(fact)) => *fact,
        other => panic!("{source}: {other:?}"),
    }
}

/// What an account's field says of a record.
fn check_field(fields: &str, value: &Json, data: &Json) {
    let source =
        format!("format: json, account: key.id, type: account.updated, fields: {{{fields}}}");
    let said = fact(&source, &record(value.clone()));
    let told = said.get("data").unwrap_or(&Json::Null);
    assert_eq!(told, data, "{fields} of {value}");
}

#[test]
fn fields_are_read_as_the_types_that_they_have() {
    for (fields, value, data) in [
        (
            "name: record.a.b",
            json!({"a": {"b": "Acme"}}),
            json!({"name": "Acme"}),
        ),
        (
            "name: record.a.b",
            json!({"a.b": "Acme"}),
            json!({"name": "Acme"}),
        ),
        ("name: record.n", json!({"n": 42}), json!({"name": "42"})),
        (
            "arr: record.m * 12",
            json!({"m": "1000.5"}),
            json!({"arr": 12006}),
        ),
        ("arr: record.m * 12", json!({"m": "much"}), json!(null)),
        ("arr: record.m else 5", json!({}), json!({"arr": 5})),
        // An entity's field that is said to be nothing is nothing; one that is not said stays.
        ("arr: record.m", json!({"m": null}), json!({"arr": null})),
        ("arr: record.m", json!({}), json!(null)),
        // What is not of its type goes on, so that it is counted as a wrong value.
        (
            "arr: record.m",
            json!({"m": "much"}),
            json!({"arr": "much"}),
        ),
        (
            "plan: record.p",
            json!({"p": "paid"}),
            json!({"plan": "paid"}),
        ),
        (
            "plan: record.p",
            json!({"p": "gold"}),
            json!({"plan": "gold"}),
        ),
        ("plan: paid", json!({}), json!({"plan": "paid"})),
    ] {
        check_field(fields, &value, &data);
    }
}

#[test]
fn days_shares_and_answers_are_read_however_they_are_written() {
    for (fields, value, data) in [
        (
            "since: record.d",
            json!({"d": "2026-01-13T01:02:03Z"}),
            json!({"since": "2026-01-13"}),
        ),
        (
            "since: record.d",
            json!({"d": 20_466}),
            json!({"since": "2026-01-13"}),
        ),
        (
            "since: record.d",
            json!({"d": 1_768_266_000_000_i64}),
            json!({"since": "2026-01-13"}),
        ),
        (
            "share: record.s",
            json!({"s": 0.25}),
            json!({"share": 0.25}),
        ),
        (
            "live: record.x > 3 and record.x is known",
            json!({"x": 4}),
            json!({"live": true}),
        ),
        ("live: record.x > 3", json!({}), json!(null)),
        ("live: record.x", json!({"x": 1}), json!({"live": true})),
    ] {
        check_field(fields, &value, &data);
    }
}

#[test]
fn an_instant_is_told_by_its_size() {
    let source =
        "format: json, account: key.id, type: user.logged_in, fields: {user: u1}, time: record.at";
    let source = source.replace("user: u1", "user: '\"u1\"'");
    for at in [
        json!("2026-01-13T01:00:00Z"),
        json!(1_768_266_000_i64),
        json!(1_768_266_000_000_i64),
        json!(1_768_266_000_000_000_i64),
        json!(1_768_266_000_000_000_000_i64),
    ] {
        assert_eq!(
            fact(&source, &record(json!({"at": at})))["time"],
            "2026-01-13T01:00:00Z"
        );
    }
    // One that can't be read: when the record was written.
    assert_eq!(
        fact(&source, &record(json!({"at": "soon"})))["time"],
        "2026-01-13T01:00:00Z"
    );
}

#[test]
fn a_fact_is_named_by_its_place_or_as_is_said() {
    let source = "format: json, account: key.id, type: user.logged_in, fields: {user: record.u}";
    let value = json!({"u": "u1", "id": 9});
    let place = fact(source, &record(value.clone()));
    assert_eq!(
        (&place["source"], &place["id"]),
        (&json!("kafka/s"), &json!("T/1/7"))
    );
    let named = fact(&format!("{source}, id: record.id"), &record(value));
    assert_eq!(named["id"], "9");
    let nameless = said(
        &format!("{source}, id: record.id"),
        &record(json!({"u": "u1"})),
    );
    assert_eq!(nameless.expect_err("refused").code, ParkCode::BadEnvelope);
    let long = fact(
        &format!("{source}, id: record.id"),
        &record(json!({"u": "u1", "id": "x".repeat(300)})),
    );
    assert_eq!(long["id"].as_str().map(str::len), Some(64));
}

#[test]
fn a_cloud_event_says_all_itself_or_is_mapped() {
    let own = json!({"specversion": "1.0", "id": "1", "source": "app", "type": "user.logged_in",
        "subject": "acme", "time": "2026-01-01T00:00:00Z", "data": {"user": "u1"}});
    assert_eq!(fact("format: cloudevents", &record(own.clone())), own);
    let keyed = fact(
        "format: cloudevents, account: key.id else record.data.user",
        &record(own.clone()),
    );
    assert_eq!(keyed["subject"], "acme");
    let mapped = fact(
        "format: cloudevents, type: user.logged_in, where: 'record.type == \"user.logged_in\"'",
        &record(own),
    );
    assert_eq!(
        (&mapped["id"], &mapped["subject"]),
        (&json!("app 1"), &json!("acme"))
    );
    assert_eq!(
        (&mapped["time"], &mapped["data"]),
        (&json!("2026-01-01T00:00:00Z"), &json!({"user": "u1"}))
    );
}

#[test]
fn deleted_rows_and_what_lies_back_are_what_the_source_says() {
    let source = "format: debezium, account: record.account, type: contract.updated, fields: {contract: record.id, status: record.status}";
    let mut gone = record(json!({"id": "k", "account": "acme", "status": "active"}));
    gone.change = Some(RowChange::Deleted);
    let told = fact(source, &gone);
    assert_eq!(
        (&told["type"], &told["data"]),
        (&json!("contract.deleted"), &json!({"contract": "k"}))
    );
    assert!(matches!(
        said(&format!("{source}, deletes: skip"), &gone),
        Ok(Said::Nothing(_))
    ));
    let mapped = fact(
        &format!("{source}, deletes: map, where: 'change.op == \"d\"'"),
        &gone,
    );
    assert_eq!(
        (&mapped["type"], &mapped["data"]["status"]),
        (&json!("contract.updated"), &json!("active"))
    );
    gone.record = json!({"id": "k"});
    let refused = said(source, &gone).expect_err("nobody knows whose");
    assert!(refused.code == ParkCode::BadSubject && refused.message.contains("replica identity"));
    let mut old = record(json!({"id": "k", "account": "acme", "status": "active"}));
    old.change = Some(RowChange::Read);
    assert_eq!(fact(source, &old)["sottakuhistory"], true);
    assert!(
        fact(&format!("{source}, snapshot: news"), &old)
            .get("sottakuhistory")
            .is_none()
    );
    assert!(matches!(
        said(&format!("{source}, snapshot: skip"), &old),
        Ok(Said::Nothing(_))
    ));
    // And what was in the topic before it was first read.
    old.change = Some(RowChange::Updated);
    old.at = Timestamp::from_second(-1).expect("in range");
    assert_eq!(fact(source, &old)["sottakuhistory"], true);
    assert!(
        fact(&format!("{source}, backlog: news"), &old)
            .get("sottakuhistory")
            .is_none()
    );
}

#[test]
fn what_is_unknown_is_not_taken_and_what_is_needed_is_asked_for() {
    let source =
        "format: json, account: record.a, type: contract.updated, fields: {contract: record.c}";
    let with = format!("{source}, where: 'record.kind == \"x\"'");
    assert!(matches!(
        said(&with, &record(json!({"a": "acme", "c": "k"}))),
        Ok(Said::Nothing(_))
    ));
    assert_eq!(
        said(source, &record(json!({"c": "k"}))).map_err(|why| why.code),
        Err(ParkCode::BadSubject)
    );
    assert_eq!(
        said(source, &record(json!({"a": "acme"}))).map_err(|why| why.code),
        Err(ParkCode::BadData)
    );
}
