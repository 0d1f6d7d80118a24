//! What may not be sent to a contact: the copy in the head follows facts, and sends ask it in its place of the order.

use crate::limits::{Play, TIPS, at, send, sends, workflow, world};
use model::Channel;
use serde_json::json;

/// Tells the log of a suppression, as the store does.
fn stop(play: &mut Play<'_>, (shown, scope, reason): (&str, &str, &str)) {
    let data = json!({"contact": "p-1", "scope": scope, "reason": reason});
    play.tell_from("sottaku", ("contact.suppressed", at(shown), data));
}

fn lift(play: &mut Play<'_>, shown: &str, scope: &str) {
    let data = json!({"contact": "p-1", "scope": scope, "reason": "unsubscribed"});
    play.tell_from("sottaku", ("contact.unsuppressed", at(shown), data));
}

#[test]
fn who_said_no_is_passed_over_by_the_scope_of_it() {
    let steps = [
        send("tip", ""),
        send("ask", "    topic: asks\n"),
        send("notice", "    topic: notices\n"),
    ];
    let program = world("", &[workflow("w", "a", TIPS, &steps.concat())]);
    for (scope, reason, expected) in [
        (
            "topic:tips",
            "unsubscribed",
            [
                "tip skipped p-1 unsubscribed",
                "ask sent p-1",
                "notice sent p-1",
            ],
        ),
        (
            "leavable",
            "by_hand",
            [
                "tip skipped p-1 suppressed",
                "ask skipped p-1 suppressed",
                "notice sent p-1",
            ],
        ),
        (
            "all",
            "bounced",
            [
                "tip skipped p-1 suppressed",
                "ask skipped p-1 suppressed",
                "notice skipped p-1 suppressed",
            ],
        ),
    ] {
        let mut play = Play::new(&program);
        stop(&mut play, ("01-06 14:00", scope, reason));
        play.set("01-06 15:00", json!({"a": true}));
        let lines = play.lines("01-07 00:00");
        let expected = expected.map(|line| format!("01-06 15:00 {line}"));
        assert_eq!(lines, expected, "{scope}");
    }
}

#[test]
fn what_is_lifted_or_over_stops_nothing() {
    let program = world("", &[workflow("w", "a", TIPS, &sends(&["one"], ""))]);
    let mut play = Play::new(&program);
    stop(&mut play, ("01-06 13:00", "leavable", "unsubscribed"));
    lift(&mut play, "01-06 14:00", "topic:tips");
    lift(&mut play, "01-06 14:00", "leavable");
    let brief = json!({"contact": "p-1", "scope": "all", "reason": "bounced", "until": "2026-01-06T15:00:00+09:00"});
    play.tell_from("sottaku", ("contact.suppressed", at("01-06 14:30"), brief));
    play.set("01-06 15:00", json!({"a": true}));
    assert_eq!(play.lines("01-07 00:00"), ["01-06 15:00 one sent p-1"]);
}

#[test]
fn only_our_own_store_tells_it() {
    let program = world("", &[workflow("w", "a", TIPS, &sends(&["one"], ""))]);
    let mut play = Play::new(&program);
    let data = json!({"contact": "p-1", "scope": "all", "reason": "unsubscribed"});
    play.tell("contact.suppressed", at("01-06 14:00"), data);
    let odd = json!({"contact": "p-1", "scope": "everything", "reason": "unsubscribed"});
    play.tell_from("sottaku", ("contact.suppressed", at("01-06 14:00"), odd));
    play.set("01-06 15:00", json!({"a": true}));
    assert_eq!(play.lines("01-07 00:00"), ["01-06 15:00 one sent p-1"]);
}

#[test]
fn a_message_that_the_gate_stopped_teaches_the_copy() {
    let program = world("", &[workflow("w", "a", TIPS, &sends(&["one", "two"], ""))]);
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    play.lines("01-06 16:00");
    let message = play.outbox().next().expect("a message").message.clone();
    let data = json!({"message": message.as_str(), "state": "suppressed", "attempt": 0,
        "scope": "leavable", "reason": "unsubscribed"});
    play.tell_from("sottaku", ("message.settled", at("01-06 16:30"), data));
    play.set("01-06 17:00", json!({"a": false}));
    play.set("01-07 10:00", json!({"a": true}));
    let lines = play.lines("01-08 00:00");
    assert_eq!(
        &lines[2..],
        [
            "01-07 10:00 one skipped p-1 unsubscribed",
            "01-07 10:00 two skipped p-1 unsubscribed",
        ]
    );
}

#[test]
fn another_address_is_somebody_whom_nobody_asked_yet() {
    let program = world("", &[workflow("w", "a", TIPS, &sends(&["one"], ""))]);
    for (email, expected) in [
        (
            "P-1@acme.example",
            "01-06 15:00 one skipped p-1 unsubscribed",
        ),
        ("new@acme.example", "01-06 15:00 one sent new"),
    ] {
        let mut play = Play::new(&program);
        stop(&mut play, ("01-06 13:00", "leavable", "unsubscribed"));
        let data = json!({"contact": "p-1", "email": email});
        play.tell("contact.updated", at("01-06 14:00"), data);
        play.set("01-06 15:00", json!({"a": true}));
        let lines = play.lines("01-07 00:00");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].to_lowercase(), expected);
    }
}

#[test]
fn a_no_goes_before_a_limit_and_after_nobody() {
    let limits = "limits: [{at_most: 1, in: 7d, per: contact}]\n";
    let program = world(
        limits,
        &[workflow("w", "a", TIPS, &sends(&["one", "two"], ""))],
    );
    let mut play = Play::new(&program);
    play.set("01-06 15:00", json!({"a": true}));
    play.lines("01-06 16:00");
    stop(&mut play, ("01-06 16:30", "leavable", "unsubscribed"));
    let lines = play.lines("01-20 00:00");
    assert_eq!(
        lines,
        [
            "01-06 15:00 one sent p-1",
            "01-06 15:00 two held p-1 limit",
            "01-13 09:00 two skipped p-1 unsubscribed",
        ]
    );
}

#[test]
fn who_is_suppressed_gets_no_copy_of_what_is_contractual() {
    let steps =
        "  - id: one\n    send: note\n    to: admin\n    cc: champion\n    topic: notices\n";
    let program = world("", &[workflow("w", "a", TIPS, steps)]);
    for (scope, copies) in [("leavable", 1), ("all", 0)] {
        let mut play = Play::new(&program);
        stop(&mut play, ("01-06 13:00", scope, "bounced"));
        play.set("01-06 15:00", json!({"a": true}));
        play.lines("01-07 00:00");
        let sent = play.outbox().next().expect("a message");
        let Channel::Email { cc, .. } = &sent.channel else {
            panic!("it is a mail");
        };
        assert_eq!(cc.len(), copies, "{scope}");
    }
}
