//! What is said to messages.

use super::{Ground, Proof, at, outbox, outgoing};
use crate::{
    AddressKey, Answer, Answered, ClockMode, OutboxWrite, Reason, Said, Scope, Stopped, Tuning,
};
use jiff::SignedDuration;
use model::{Channel, Fact, Mailbox, MessageId, Outgoing};

const RECIPIENT: AddressKey = AddressKey([7; 32]);
const COPY: AddressKey = AddressKey([8; 32]);
const STRANGER: AddressKey = AddressKey([9; 32]);

fn answer(message: &str, said: Said) -> Answer {
    Answer {
        message: MessageId::new(message),
        said,
        name: "".into(),
        about: Vec::new(),
        code: None,
        detail: "".into(),
        now: at(9),
    }
}

fn told(answered: &Answered) -> Option<bool> {
    match answered {
        Answered::Told { stopped, .. } => Some(*stopped != Stopped::Nothing),
        Answered::Unknown | Answered::Again => None,
    }
}

pub(super) async fn an_answer_is_told_once_in_its_accounts_log(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    super::queue(&store, vec![outgoing("m_1")]).await?;
    let bounced = Answer {
        code: Some("5.1.1".into()),
        ..answer("m_1", Said::BouncedHard)
    };
    assert_eq!(told(&store.answer(bounced.clone()).await?), Some(true));
    assert_eq!(store.answer(bounced.clone()).await?, Answered::Again);
    let elsewhere = ground.open().await?;
    assert_eq!(elsewhere.answer(bounced).await?, Answered::Again);
    for name in ["a", "b", "a"] {
        let reply = Answer {
            name: name.into(),
            ..answer("m_1", Said::Replied)
        };
        store.answer(reply).await?;
    }
    let unknown = store.answer(answer("m_2", Said::Replied)).await?;
    assert_eq!(unknown, Answered::Unknown);
    let log = store.read_log(0, 0, 10, usize::MAX).await?;
    let facts: Result<Vec<Fact>, _> = log
        .iter()
        .map(|fact| serde_json::from_str(&fact.json))
        .collect();
    let facts = facts?;
    let kinds: Vec<&str> = facts.iter().map(|fact| &*fact.kind).collect();
    assert_eq!(
        kinds,
        ["message.bounced", "message.replied", "message.replied"]
    );
    let said = serde_json::json!({"message": "m_1", "class": "hard", "code": "5.1.1"});
    assert_eq!(serde_json::Value::Object(facts[0].data.clone()), said);
    assert_eq!(
        (facts[0].subject.as_deref(), facts[0].time),
        (Some("acme"), Some(at(9)))
    );
    Ok(())
}

pub(super) async fn under_the_log_clock_an_answer_has_no_time(ground: &Ground) -> Proof {
    let store = ground.open_with(ClockMode::Log, Tuning::default()).await?;
    super::queue(&store, vec![outgoing("m_1")]).await?;
    store.answer(answer("m_1", Said::Replied)).await?;
    let log = store.read_log(0, 0, 10, usize::MAX).await?;
    let fact: Fact = serde_json::from_str(&log[0].json)?;
    assert_eq!(fact.time, None);
    Ok(())
}

pub(super) async fn what_became_of_a_copy_is_no_news_of_the_message(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let with_copy = OutboxWrite {
        addresses: vec![RECIPIENT, COPY],
        ..outbox(outgoing("m_1"))
    };
    super::queue_all(&store, vec![with_copy, outbox(outgoing("m_2"))]).await?;
    for (message, about, is_told, log) in [
        ("m_1", vec![STRANGER], None, 0),
        ("m_1", vec![STRANGER, COPY], Some(true), 0),
        ("m_1", vec![RECIPIENT], Some(true), 1),
        // Without copies there is no doubt, wherever the mail was forwarded.
        ("m_2", vec![STRANGER], Some(true), 2),
    ] {
        let bounced = Answer {
            about,
            ..answer(message, Said::BouncedHard)
        };
        assert_eq!(told(&store.answer(bounced).await?), is_told, "{message}");
        assert_eq!(store.log_end(0).await?, log, "{message}");
    }
    Ok(())
}

pub(super) async fn three_bounces_that_may_pass_make_a_pause(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let all = (0..6).map(|n| outgoing(&format!("m_{n}"))).collect();
    super::queue(&store, all).await?;
    let day = |days: i64| at(0).saturating_add(SignedDuration::from_hours(24 * days));
    for (message, days, is_stopped) in [
        ("m_0", 0, false),
        ("m_1", 10, false),
        // The first is forgotten by now.
        ("m_2", 15, false),
        ("m_3", 16, true),
    ] {
        let soft = Answer {
            now: day(days)?,
            ..answer(message, Said::BouncedSoft)
        };
        assert_eq!(
            told(&store.answer(soft).await?),
            Some(is_stopped),
            "{message}"
        );
    }
    let standing = store.standing(RECIPIENT).await?.0;
    assert_eq!(standing, [(Scope::All, Reason::Bounced)]);
    let ledger = store.suppressions(RECIPIENT, day(46)?).await?;
    let in_force: Vec<bool> = ledger.iter().map(|row| row.is_in_force).collect();
    assert_eq!(in_force, [false], "thirty days later it is over");
    Ok(())
}

pub(super) async fn each_answer_stops_what_it_asks_for(ground: &Ground) -> Proof {
    let cases = [
        (Said::Delivered, None),
        (Said::Replied, None),
        (Said::Opened, None),
        (Said::Clicked, None),
        (Said::BouncedSoft, None),
        (Said::BouncedByPolicy, None),
        (
            Said::Complained,
            Some((Scope::Promotional, Reason::Complained)),
        ),
        (Said::BouncedHard, Some((Scope::All, Reason::Bounced))),
    ];
    let store = ground.open().await?;
    let all = (0..cases.len()).map(|n| by_mail(&format!("m_{n}")));
    super::queue(&store, all.collect()).await?;
    for (n, (said, expected)) in cases.into_iter().enumerate() {
        store.answer(answer(&format!("m_{n}"), said)).await?;
        let standing = store.standing(RECIPIENT).await?.0;
        assert_eq!(standing.last().cloned(), expected, "{said:?}");
    }
    let log = store.read_log(0, 0, 99, usize::MAX).await?;
    let told = log
        .iter()
        .filter(|fact| fact.json.contains("contact.suppressed"));
    assert_eq!(told.count(), 2, "the account knows of it");
    Ok(())
}

pub(super) async fn what_follows_every_link_is_kept_and_told_to_no_log(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    super::queue(&store, vec![by_mail("m_1"), by_mail("m_2")]).await?;
    let (one, other) = (MessageId::new("m_1"), MessageId::new("m_2"));
    assert!(!store.is_scanned(&one).await?);
    for _ in 0..2 {
        store.answer(answer("m_1", Said::Scanned)).await?;
    }
    assert!(store.is_scanned(&one).await? && !store.is_scanned(&other).await?);
    assert_eq!(store.log_end(0).await?, 0);
    assert!(store.standing(RECIPIENT).await?.0.is_empty());
    Ok(())
}

pub(super) fn by_mail(message: &str) -> Outgoing {
    let mailbox = |address: &str| Mailbox {
        name: None,
        address: address.into(),
    };
    Outgoing {
        channel: Channel::Email {
            to: mailbox("Mika@Acme.example"),
            contact: "p-1".into(),
            cc: Vec::new(),
            from: mailbox("success@vendor.example"),
            reply_to: None,
        },
        ..outgoing(message)
    }
}

pub(super) async fn a_domain_that_does_not_want_us_is_left_alone(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let all = (0..4).map(|n| by_mail(&format!("m_{n}"))).collect();
    super::queue(&store, all).await?;
    for (message, second, expected) in [
        ("m_0", 0, Stopped::Nothing),
        ("m_1", 3_000, Stopped::Nothing),
        // The first was more than an hour ago.
        ("m_2", 3_601, Stopped::Nothing),
        ("m_3", 3_602, Stopped::Domain("acme.example".into())),
    ] {
        let refused = Answer {
            now: at(second),
            ..answer(message, Said::BouncedByPolicy)
        };
        let Answered::Told { stopped, .. } = store.answer(refused).await? else {
            return Err("it is told".into());
        };
        assert_eq!(stopped, expected, "{message}");
    }
    let switch = store.switch("domain:acme.example").await?;
    assert!(switch.is_some_and(|switch| !switch.is_on));
    assert!(
        store.standing(RECIPIENT).await?.0.is_empty(),
        "no fault of the reader's"
    );
    Ok(())
}
