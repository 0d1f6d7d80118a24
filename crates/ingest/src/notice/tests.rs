//! Each provider's words.

use super::*;
use serde_json::{Value, json};

fn told(provider: Provider, body: &Value) -> Result<Vec<Notice>, NoticeFault> {
    read(provider, body.to_string().as_bytes())
}

fn heard(provider: Provider, body: &Value) -> Option<Heard> {
    let notices = told(provider, body).expect("it is read");
    notices.first().map(|notice| notice.heard)
}

fn code(text: &str) -> Option<Status> {
    Status::parse(text)
}

fn sns(event: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "n-1", "TopicArn": "arn", "Message": event.to_string()})
}

#[test]
fn ses_speaks_of_each_recipient() {
    let bounce = |kind: &str, status: &str| {
        let recipient = json!({"emailAddress": "mika@acme.example", "action": "failed", "status": status, "diagnosticCode": "smtp; 550 no"});
        json!({
            "eventType": "Bounce",
            "mail": {"source": "bounce+x@b.vendor.example", "messageId": "0100", "headers": [{"name": "Message-ID", "value": "<abc@vendor.example>"}]},
            "bounce": {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [recipient]},
        })
    };
    for (kind, status, expected) in [
        (
            "Permanent",
            "5.1.1",
            Heard::Bounced(Class::Hard, code("5.1.1")),
        ),
        (
            "Permanent",
            "5.7.1",
            Heard::Bounced(Class::Policy, code("5.7.1")),
        ),
        (
            "Transient",
            "4.2.2",
            Heard::Bounced(Class::Soft, code("4.2.2")),
        ),
        (
            "Transient",
            "5.1.1",
            Heard::Bounced(Class::Soft, code("5.1.1")),
        ),
    ] {
        assert_eq!(
            heard(Provider::Ses, &sns(&bounce(kind, status))),
            Some(expected),
            "{kind} {status}"
        );
    }
    let notices = told(Provider::Ses, &sns(&bounce("Permanent", "5.1.1"))).expect("it is read");
    let names = [
        Name::Sender("bounce+x@b.vendor.example".into()),
        Name::MessageId("abc@vendor.example".into()),
    ];
    assert_eq!(
        (&notices[0].names[..], notices[0].recipient.as_deref()),
        (&names[..], Some("mika@acme.example"))
    );
    let complaint = |kind: &str| {
        json!({"notificationType": "Complaint", "mail": {"source": "a@b.example"},
            "complaint": {"complainedRecipients": [{"emailAddress": "mika@acme.example"}], "complaintFeedbackType": kind}})
    };
    assert_eq!(
        heard(Provider::Ses, &sns(&complaint("abuse"))),
        Some(Heard::Complained)
    );
    assert_eq!(heard(Provider::Ses, &sns(&complaint("not-spam"))), None);
    let confirmation = json!({"Type": "SubscriptionConfirmation", "Message": "You have chosen …", "SubscribeURL": "https://sns.example/"});
    assert_eq!(told(Provider::Ses, &confirmation), Ok(Vec::new()));
    let broken = json!({"Type": "Notification", "Message": "no JSON"});
    assert!(matches!(
        told(Provider::Ses, &broken),
        Err(NoticeFault::Unreadable(_))
    ));
}

#[test]
fn sendgrid_sends_lists() {
    for (event, expected) in [
        (json!({"event": "processed"}), None),
        (json!({"event": "delivered"}), Some(Heard::Delivered)),
        (
            json!({"event": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no", "type": "bounce"}),
            Some(Heard::Bounced(Class::Hard, code("5.1.1"))),
        ),
        (
            json!({"event": "bounce", "status": "4.0.0", "reason": "450 later", "type": "blocked"}),
            Some(Heard::Bounced(Class::Soft, code("4.0.0"))),
        ),
        (json!({"event": "spamreport"}), Some(Heard::Complained)),
        (json!({"event": "open"}), Some(Heard::Opened)),
        (json!({"event": "click"}), Some(Heard::Clicked)),
    ] {
        assert_eq!(
            heard(Provider::Sendgrid, &json!([event])),
            expected,
            "{event}"
        );
    }
    let event = json!([{"event": "open", "smtp-id": "<abc@vendor.example>", "sottaku_message": "m_x", "email": "mika@acme.example", "sg_event_id": "e-1"}]);
    let notices = told(Provider::Sendgrid, &event).expect("it is read");
    let names = [
        Name::Message("m_x".into()),
        Name::MessageId("abc@vendor.example".into()),
    ];
    assert_eq!(
        (&notices[0].names[..], &*notices[0].event),
        (&names[..], "e-1")
    );
    let many = vec![json!({"event": "open"}); NOTICES_MAX + 1];
    assert_eq!(
        told(Provider::Sendgrid, &json!(many)),
        Err(NoticeFault::TooMany)
    );
    assert_eq!(
        told(Provider::Sendgrid, &json!(many[1..])).map(|all| all.len()),
        Ok(NOTICES_MAX)
    );
}

#[test]
fn postmark_sends_records() {
    for (record, expected) in [
        (json!({"RecordType": "Delivery"}), Some(Heard::Delivered)),
        (
            json!({"RecordType": "Bounce", "Type": "HardBounce", "Details": "smtp;550 5.1.1 no"}),
            Some(Heard::Bounced(Class::Hard, code("5.1.1"))),
        ),
        (
            json!({"RecordType": "Bounce", "Type": "Transient", "Details": "4.2.2 full"}),
            Some(Heard::Bounced(Class::Soft, code("4.2.2"))),
        ),
        (
            json!({"RecordType": "Bounce", "Type": "Blocked"}),
            Some(Heard::Bounced(Class::Policy, None)),
        ),
        (
            json!({"RecordType": "Bounce", "Type": "AutoResponder"}),
            None,
        ),
        (
            json!({"RecordType": "SpamComplaint"}),
            Some(Heard::Complained),
        ),
        (json!({"RecordType": "Click"}), Some(Heard::Clicked)),
        (json!({"RecordType": "SubscriptionChange"}), None),
    ] {
        assert_eq!(heard(Provider::Postmark, &record), expected, "{record}");
    }
    let record = json!({"RecordType": "Open", "Recipient": "mika@acme.example", "Metadata": {"message": "m_x"}, "ReceivedAt": "2026-01-13T00:00:00Z"});
    let notices = told(Provider::Postmark, &record).expect("it is read");
    assert_eq!(notices[0].names, [Name::Message("m_x".into())]);
}

#[test]
fn anybody_may_write_our_words() {
    for (told, expected) in [
        (
            json!({"type": "message.bounced", "message": "m_x", "code": "5.1.1"}),
            Some(Heard::Bounced(Class::Hard, code("5.1.1"))),
        ),
        (
            json!({"type": "message.bounced", "message": "m_x", "class": "policy"}),
            Some(Heard::Bounced(Class::Policy, code("5.0.0"))),
        ),
        (
            json!([{"type": "message.opened", "message": "m_x"}]),
            Some(Heard::Opened),
        ),
        (json!([]), None),
    ] {
        assert_eq!(heard(Provider::Generic, &told), expected, "{told}");
    }
    for broken in [
        json!({"type": "message.sent"}),
        json!({"type": "message.bounced", "class": "odd"}),
        json!({"tipe": 1}),
        json!(7),
    ] {
        assert!(
            matches!(
                told(Provider::Generic, &broken),
                Err(NoticeFault::Unreadable(_))
            ),
            "{broken}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_a_reader(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        for provider in Provider::ALL {
            let _notices = read(provider, &bytes);
        }
    }
}
