//! Circles through `set`, and sends that crowd one upon the other.

use super::checked;

fn codes(workflows: &[&str]) -> (Vec<&'static str>, String) {
    let (read, shown) = checked(workflows, &[("hello", "Hello.")]);
    let codes = read.diagnostics.iter().map(|it| it.code).collect();
    (codes, shown)
}

fn setting(name: &str, when: &str, once: &str, value: &str) -> String {
    format!(
        "workflow: {name}\nstart: {{when: {when}, existing: skip}}\nonce_per: {once}\nsteps: [{{id: a, set: {{account.reference: {value}}}}}]\n"
    )
}

#[test]
fn what_sets_its_own_start_again_is_refused_once_for_each_circle() {
    let to_asked = setting(
        "to-asked",
        "account.reference == agreed",
        "occurrence",
        "asked",
    );
    let to_agreed = setting(
        "to-agreed",
        "account.reference == asked",
        "occurrence",
        "agreed",
    );
    let (found, shown) = codes(&[&to_asked, &to_agreed]);
    assert_eq!(found, ["E506"], "{shown}");
    assert!(shown.contains("`to-agreed`, `to-asked`"), "{shown}");
    let keyed = to_asked.replace("once_per: occurrence", "once_per: account.reference");
    let (found, shown) = codes(&[&keyed, &to_agreed]);
    assert_eq!(found, ["E506"], "{shown}");
    let both = "\
workflow: both
start: {when: asked_once, existing: skip}
once_per: occurrence
steps: [{id: a, set: {account.reference: agreed}}, {id: b, set: {account.reference: asked}}]
";
    let definitions = "segments: {asked_once: account.reference == asked}\n";
    let (found, shown) = codes(&[definitions, both]);
    assert_eq!(found, ["E506"], "{shown}");
}

#[test]
fn a_way_round_may_lead_over_labels_and_their_events() {
    let stage = "labels: {stage: {first: account.reference == asked, second: otherwise}}\n";
    let event = "\
workflow: event
start: {event: stage.changed}
once_per: occurrence
steps: [{id: a, set: {account.reference: asked}}]
";
    let (found, shown) = codes(&[stage, event]);
    assert!(found.is_empty(), "{shown}");
    let other = event
        .replace("workflow: event", "workflow: other")
        .replace(": asked", ": agreed");
    let (found, shown) = codes(&[stage, event, &other]);
    assert_eq!(found, ["E506"], "{shown}");
}

#[test]
fn what_ends_by_itself_is_no_circle() {
    for (when, once, value) in [
        ("account.reference != asked", "occurrence", "asked"),
        ("account.reference == asked", "occurrence", "asked"),
        ("account.reference is unknown", "occurrence", "asked"),
        ("logins > 3", "occurrence", "asked"),
    ] {
        let (found, shown) = codes(&[&setting("one", when, once, value)]);
        assert!(found.is_empty(), "{when}: {shown}");
    }
    for once in ["account", "30d", "account.size"] {
        let to_asked = setting("to-asked", "account.reference == agreed", once, "asked");
        let to_agreed = setting(
            "to-agreed",
            "account.reference == asked",
            "occurrence",
            "agreed",
        );
        let (found, shown) = codes(&[&to_asked, &to_agreed]);
        assert!(found.is_empty(), "{once}: {shown}");
    }
}

const LIMITS: &str = "\
topics: {tips: {title: Tips, purpose: service}, news: {title: News, purpose: service}}
sender: {name: Us, postal_address: Here, contact: us@vendor.example}
limits: [{at_most: 1, in: 7d, per: contact, topics: [tips]}]
";

fn sending(steps: &str) -> (Vec<&'static str>, String) {
    codes(&[
        LIMITS,
        &format!("workflow: case\ntopic: tips\nstart: {{every: day 09:00}}\nsteps:\n{steps}"),
    ])
}

#[test]
fn sends_that_come_too_soon_for_a_limit_are_told() {
    for steps in [
        "  - {send: hello, to: champion}\n  - {id: b, send: hello, to: champion else admin}\n",
        "  - {send: hello, to: champion}\n  - {id: w, wait: 6d}\n  - {id: b, send: hello, to: champion}\n",
        "  - {send: hello, to: champion}\n  - {id: w, wait: {until: logins > 3, at_most: 30d, otherwise: continue}}\n  - {id: b, send: hello, to: champion}\n",
        "  - {send: hello, to: champion}\n  - {id: w, wait: {until: logins > 3, at_most: 3d, otherwise: [{id: b, send: hello, to: champion}, {stop: enough}]}}\n",
        "  - {send: hello, to: champion}\n  - {id: d, if: logins > 3, then: [{id: w, wait: 9d}], else: []}\n  - {id: b, send: hello, to: champion}\n",
        "  - {send: hello, to: champion, at: 30..20 days before contract.renewal_date}\n  - {id: b, send: hello, to: champion, at: 15 days before contract.renewal_date}\n",
    ] {
        let (found, shown) = sending(steps);
        assert_eq!(found, ["W605"], "{steps}{shown}");
    }
}

#[test]
fn sends_that_a_limit_lets_through_are_not() {
    for steps in [
        "  - {send: hello, to: champion}\n  - {id: b, send: hello, to: admin}\n",
        "  - {send: hello, to: champion}\n  - {id: b, send: hello, to: champion, topic: news}\n",
        "  - {send: hello, to: champion}\n  - {id: b, send: hello, to: champion, at_limit: ignore}\n",
        "  - {send: hello, to: champion}\n  - {id: w, wait: 7d}\n  - {id: b, send: hello, to: champion}\n",
        "  - {send: hello, to: champion}\n  - {id: b, if: logins > 3, send: hello, to: champion}\n",
        "  - {send: hello, to: champion}\n  - {id: w, wait: {until: logins > 3, at_most: 9d, otherwise: [{id: b, send: hello, to: champion}]}}\n",
        "  - {send: hello, to: champion, at: 30..22 days before contract.renewal_date}\n  - {id: b, send: hello, to: champion, at: 15 days before contract.renewal_date}\n",
        "  - {id: d, if: logins > 3, then: [{send: hello, to: champion}, {stop: enough}], else: []}\n  - {id: b, send: hello, to: champion}\n",
    ] {
        let (found, shown) = sending(steps);
        assert!(found.is_empty(), "{steps}{shown}");
    }
}

#[test]
fn long_chains_of_definitions_are_followed_once() {
    let chain: String = (2..1_500)
        .map(|at| format!("  s{at}: s{} and s{}\n", at - 1, at - 2))
        .collect();
    let segments = format!(
        "segments:\n  s0: account.reference == asked\n  s1: account.reference == agreed\n{chain}"
    );
    let ring = setting("ring", "not s1499", "occurrence", "asked");
    let other = setting("other", "s1498", "occurrence", "agreed");
    let (found, shown) = codes(&[&segments, &ring, &other]);
    assert_eq!(found, ["E506"], "{shown}");
}
