//! What surely is known where a template is used: a field that may be missing needs no protection there.

use super::checked;

/// The codes of what is wrong with a workflow whose template says the account's `arr` and the contact's phone.
fn codes(text: &str, body: &str) -> (Vec<&'static str>, String) {
    let text = format!("workflow: case\ntopic: terms\n{text}");
    let (read, shown) = checked(&[&text], &[("sum", body), ("hello", "Hello.")]);
    let codes = read.diagnostics.iter().map(|it| it.code).collect();
    (codes, format!("{text}\n{shown}"))
}

const EVERY: &str = "start: {every: day 09:00}\n";
const EVENT: &str = "once_per: account\nstart: {event: nps.responded";

#[test]
fn what_blocks_and_steps_above_say_is_known() {
    for steps in [
        "  - {id: b, if: account.arr > 3, then: [{send: sum, to: champion}]}\n",
        "  - {id: b, if: account.arr > 3 and logins > 3, then: [{id: c, if: logins > 4, then: [{send: sum, to: champion}]}]}\n",
        "  - {id: b, wait: {until: account.arr > 3, at_most: 3d, otherwise: stop}}\n  - {send: sum, to: champion}\n",
        "  - {id: b, wait: {until: account.arr > 3, at_most: 3d, otherwise: [{send: hello, to: champion}, {stop: enough}]}}\n  - {send: sum, to: champion}\n",
    ] {
        let (codes, shown) = codes(&format!("{EVERY}steps:\n{steps}"), "{{money account.arr}}");
        assert!(codes.is_empty(), "{shown}");
    }
    let (codes, shown) = codes(
        &format!(
            "{EVERY}steps:\n  - {{id: b, match: account.size, cases: {{large: [{{send: sum, to: champion}}]}}, otherwise: []}}\n"
        ),
        "{{account.size}}",
    );
    assert!(codes.is_empty(), "{shown}");
}

#[test]
fn what_may_be_gone_by_then_is_not_known() {
    for steps in [
        "  - {id: b, if: account.arr > 3, then: [], else: [{send: sum, to: champion}]}\n",
        "  - {id: b, if: account.arr > 3, then: [{id: w, wait: 3d}, {send: sum, to: champion}]}\n",
        "  - {id: b, if: account.arr > 3, then: []}\n  - {send: sum, to: champion}\n",
        "  - {id: b, if: account.arr > 3 or logins > 3, then: [{send: sum, to: champion}]}\n",
        "  - {id: b, wait: {until: account.arr > 3, at_most: 3d, otherwise: continue}}\n  - {send: sum, to: champion}\n",
        "  - {id: b, wait: {until: account.arr > 3, at_most: 3d, otherwise: [{send: sum, to: champion}]}}\n",
        "  - {id: b, wait: {until: account.arr > 3, at_most: 3d, otherwise: stop}}\n  - {id: w, wait: 1d}\n  - {send: sum, to: champion}\n",
    ] {
        let (codes, shown) = codes(&format!("{EVERY}steps:\n{steps}"), "{{money account.arr}}");
        assert_eq!(codes, ["E704"], "{shown}");
    }
}

#[test]
fn while_promises_only_what_it_can_tell() {
    let steps = "steps: [{id: w, wait: 3d}, {send: sum, to: champion}]\n";
    let body = "{{money account.arr}}";
    let known = format!("{EVERY}while: account.arr is known and logins > 3\n{steps}");
    let (found, shown) = codes(&known, body);
    assert!(found.is_empty(), "{shown}");
    // Unknown means: stay.
    let compared = format!("{EVERY}while: account.arr > 3\n{steps}");
    let (found, shown) = codes(&compared, body);
    assert_eq!(found, ["E704"], "{shown}");
    let after = format!(
        "{EVERY}while: account.arr is known\ngoal: {{when: logins > 3, then: [{{send: sum, to: champion}}]}}\nsteps: [{{id: w, wait: 3d}}]\n"
    );
    let (found, shown) = codes(&after, body);
    assert_eq!(found, ["E704"], "{shown}");
    let goal = after.replace("logins > 3", "account.arr > 3");
    let (found, shown) = codes(&goal, body);
    assert!(found.is_empty(), "{shown}");
}

#[test]
fn what_was_written_down_at_the_start_stays_known() {
    let steps = "steps: [{id: w, wait: 3d}, {send: sum, to: champion}]\n";
    for (text, body) in [
        (format!("{EVENT}}}\n{steps}"), "{{number started_by.score}}"),
        (
            format!("{EVENT}, if: event.comment is known}}\n{steps}"),
            "{{started_by.comment}}",
        ),
        (
            format!("{EVENT}, if: account.arr > 3}}\nremember: {{before: account.arr}}\n{steps}"),
            "{{money before}}",
        ),
    ] {
        let (codes, shown) = codes(&text, body);
        assert!(codes.is_empty(), "{shown}");
    }
    for (text, body) in [
        (format!("{EVENT}}}\n{steps}"), "{{started_by.comment}}"),
        (
            format!("{EVENT}, if: account.arr > 3}}\n{steps}"),
            "{{money account.arr}}",
        ),
        (
            format!("{EVENT}}}\nremember: {{before: account.arr}}\n{steps}"),
            "{{money before}}",
        ),
    ] {
        let (codes, shown) = codes(&text, body);
        assert_eq!(codes, ["E704"], "{shown}");
    }
}

#[test]
fn names_of_with_are_known_by_what_they_stand_for() {
    for (with, guard, body) in [
        ("amount: account.arr", "account.arr > 3", "{{money amount}}"),
        ("amount: account.arr", "amount > 3", "{{money account.arr}}"),
    ] {
        let (codes, shown) = codes(
            &format!(
                "{EVERY}with: {{{with}}}\nsteps: [{{send: sum, to: champion, if: {guard}}}]\n"
            ),
            body,
        );
        assert!(codes.is_empty(), "{shown}");
    }
}

#[test]
fn what_is_known_of_the_subject_is_not_known_of_other_readers() {
    let text = |to: &str| {
        format!(
            "for_each: contact\nonce_per: contact\nstart: {{when: contact.role == champion, existing: skip}}\nsteps: [{{send: sum, to: {to}, if: contact.phone is known}}]\n"
        )
    };
    let (found, shown) = codes(&text("contact"), "{{contact.phone}}");
    assert!(found.is_empty(), "{shown}");
    let (found, shown) = codes(&text("admin"), "{{contact.phone}}");
    assert_eq!(found, ["E704"], "{shown}");
}

#[test]
fn a_mail_to_a_role_has_a_reader() {
    let text = |to: &str| format!("{EVERY}steps: [{{send: sum, to: {to}}}]\n");
    let (found, shown) = codes(&text("champion"), "{{champion.name}}");
    assert!(found.is_empty(), "{shown}");
    let (found, shown) = codes(&text("admin"), "{{champion.name}}");
    assert_eq!(found, ["E704"], "{shown}");
}
