//! What a server says no to while it is spoken with is a bounce too: it only comes at once.

use crate::returns;
use crate::shared::Shared;
use ingest::mail::{Class, of_reply};
use model::{Channel, Outgoing};
use outreach::Fate;
use store::{Answer, ClockMode, Said};

/// Tells the refusals of a hand-over: of the recipient, and of each copy. Under the log clock the input alone tells.
pub(super) async fn tell(shared: &Shared, outgoing: &Outgoing, fate: &Fate) {
    if shared.store.clock() == ClockMode::Log {
        return;
    }
    for answer in answers(shared, outgoing, fate) {
        if let Err(failure) = Box::pin(returns::tell(shared, answer)).await {
            let message = &outgoing.message;
            tracing::warn!(%message, %failure, "a refusal could not be told; the next one is");
        }
    }
}

fn answers(shared: &Shared, outgoing: &Outgoing, fate: &Fate) -> Vec<Answer> {
    let Channel::Email { to, .. } = &outgoing.channel else {
        return Vec::new();
    };
    let answer = |code: u16, words: &str, address: &str| {
        let (status, class) = of_reply(code, words)?;
        let said = match class {
            Class::Hard => Said::BouncedHard,
            Class::Policy => Said::BouncedByPolicy,
            Class::Soft => Said::BouncedSoft,
        };
        Some(Answer {
            message: outgoing.message.clone(),
            said,
            name: "".into(),
            about: vec![shared.address(address)],
            code: Some(status.to_string().into()),
            detail: "refused at hand-over".into(),
            now: shared.clock.now(),
        })
    };
    match fate {
        Fate::Refused { code, text, .. } => answer(*code, text, &to.address).into_iter().collect(),
        Fate::Sent { refused_copies, .. } => {
            let copies = refused_copies.iter();
            copies
                .filter_map(|copy| answer(copy.code, &copy.text, &copy.address))
                .collect()
        }
        Fate::Deferred { .. }
        | Fate::NotSent { .. }
        | Fate::NotPermitted
        | Fate::Unknown { .. } => Vec::new(),
    }
}
