//! Roles with more holders than are written to.

use crate::history::{begin, begun, fact};
use crate::workspace::{checked, shipped_files};
use engine::simulate::Simulation;
use jiff::SignedDuration;
use serde_json::json;

/// How often the warning comes, and how many mails go out, with so many sponsors.
fn sent_to(sponsors: u64) -> (Option<u64>, usize) {
    let mut files = shipped_files();
    let greet = "workflow: greet\ntitle: Greet\nstatus: live\ntopic: renewal\nstart:\n  when: account.flagship\n  existing: include\nonce_per: account\nsteps:\n  - id: hello\n    send: renewal-thanks\n    to: executive_sponsor\n";
    files.insert("workflows/greet.yaml".into(), greet.into());
    let (program, _) = checked(&files);
    let mut simulation = Simulation::new(&program);
    let at = begin() + SignedDuration::from_hours(1);
    let mut facts = begun("acme");
    for sponsor in 0..sponsors {
        let id = format!("s-{sponsor}");
        let email = format!("{id}@acme.example");
        let data = json!({"contact": id, "role": "executive_sponsor", "email": email});
        facts.push(fact("acme", 50 + sponsor, "contact.updated", at, data));
    }
    let flagship = json!({"flagship": true});
    facts.push(fact("acme", 99, "account.updated", at, flagship));
    for logged in &facts {
        simulation.push(logged);
    }
    let (_, report) = simulation.finish(Some(begin() + SignedDuration::from_hours(24 * 7)));
    let key = ("crowded_role".into(), "executive_sponsor".into());
    (report.rejected.get(&key).copied(), report.outbox.len())
}

#[test]
fn a_role_with_too_many_holders_is_said_once_and_the_first_are_written_to() {
    assert_eq!(sent_to(5), (None, 5));
    assert_eq!(sent_to(6), (Some(1), 5));
}
