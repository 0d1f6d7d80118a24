//! From what an attempt came to, to how its claim is settled.

use jiff::{SignedDuration, Timestamp};
use model::{Channel, Outgoing};
use outreach::{Fate, Next, backoff, webhook};
use std::time::Duration;
use store::Outcome;

/// How a claim ends, in the store's word and in ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    pub(super) detail: Box<str>,
}

/// What bounds the next attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    pub(super) now: Timestamp,
    /// Which attempt this was, from 1.
    pub(super) attempt: u32,
    /// The longest wait that the settings allow.
    pub(super) wait_max: Option<Duration>,
    /// Whether windows and expiry apply (not under the log clock).
    pub(super) expires: bool,
}

impl Again {
    fn at(self, wait: Duration) -> Timestamp {
        let wait = self.wait_max.map_or(wait, |wait_max| wait.min(wait_max));
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        self.now.saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}

/// How the claim of a call ends after `fate`: a call is made again until its schedule ends, whatever came of it.
fn call_ending(outgoing: &Outgoing, fate: &Fate, again: Again) -> Ending {
    let asked = match fate.next() {
        Next::Again(asked) => asked,
        Next::Done | Next::GiveUp | Next::AsTopicSays | Next::AsGateSaid => None,
    };
    let wait = webhook::wait(outgoing.message.as_str(), again.attempt, asked);
    let detail = fate.to_string();
    match wait {
        Some(wait) => Ending {
            outcome: Outcome::Deferred(again.at(wait)),
            detail: detail.into(),
        },
        None => Ending {
            outcome: match fate {
                Fate::Unknown { .. } => Outcome::Unknown,
                Fate::Sent { .. }
                | Fate::Refused { .. }
                | Fate::Deferred { .. }
                | Fate::NotSent { .. }
                | Fate::NotPermitted => Outcome::Refused,
            },
            detail: format!("given up after {} attempts: {detail}", again.attempt).into(),
        },
    }
}

/// How long a message without a window of its own is tried, and how often at least (RFC 5321, 4.5.4.1: four to five days).
const TRIED_MAX: SignedDuration = SignedDuration::from_hours(5 * 24);
const ATTEMPTS_MIN: u32 = 10;

/// Whether it is time to give up: what is due for days and was tried often is not tried again.
fn is_over(outgoing: &Outgoing, again: Again) -> bool {
    let since = again.now.duration_since(outgoing.not_before);
    again.expires
        && outgoing.expires_at.is_none()
        && again.attempt >= ATTEMPTS_MIN
        && since > TRIED_MAX
}

/// How the claim of a message ends after `fate`.
pub(super) fn ending(outgoing: &Outgoing, fate: &Fate, again: Again) -> Ending {
    let is_call = matches!(outgoing.channel, Channel::Webhook { .. });
    if is_call && !matches!(fate, Fate::Sent { .. } | Fate::NotPermitted) {
        return call_ending(outgoing, fate, again);
    }
    let key = outgoing.message.as_str();
    let outcome = match fate.next() {
        Next::Done => Outcome::Sent,
        Next::GiveUp => Outcome::Refused,
        Next::Again(_) if is_over(outgoing, again) => {
            return Ending {
                outcome: Outcome::Refused,
                detail: format!("given up after {} attempts: {fate}", again.attempt).into(),
            };
        }
        Next::Again(asked) => {
            Outcome::Deferred(again.at(backoff::wait_at_least(key, again.attempt, asked)))
        }
        // The store knows what the topic says, and sends again or holds.
        Next::AsTopicSays => Outcome::Unknown,
        Next::AsGateSaid => match outgoing.expires_at {
            Some(expires_at) if again.expires && expires_at <= again.now => Outcome::Expired,
            Some(_) | None => Outcome::Deferred(again.at(Duration::from_secs(5))),
        },
    };
    Ending {
        outcome,
        detail: fate.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::noon;
    use model::message::Content;
    use model::{AccountId, MessageId, RunId};
    use outreach::Phase;

    fn outgoing(channel: Channel) -> Outgoing {
        Outgoing {
            message: MessageId::of(&["x"]),
            account: AccountId::new("acme"),
            workflow: "renewal".into(),
            subject: "k-1".into(),
            run: RunId::of(&["r"]),
            step: "x".into(),
            channel,
            content: Content::Webhook,
            view: serde_json::Value::Null,
            topic: None,
            purpose: None,
            resends_unknown: false,
            not_before: noon(),
            expires_at: None,
            priority: 1,
            is_shadow: false,
        }
    }

    /// Seconds until the next attempt; none: it has ended, as what.
    fn after(channel: &Channel, fate: &Fate, attempt: u32) -> Result<i64, Outcome> {
        let again = Again {
            now: noon(),
            attempt,
            wait_max: None,
            expires: true,
        };
        let outcome = ending(&outgoing(channel.clone()), fate, again).outcome;
        if let Outcome::Deferred(until) = outcome {
            Ok(until.duration_since(noon()).as_secs())
        } else {
            Err(outcome)
        }
    }

    #[test]
    fn what_nobody_takes_for_days_is_given_up() {
        let post = Channel::Route {
            route: "csm".into(),
            targets: Vec::new(),
        };
        let busy = Fate::Deferred {
            phase: Phase::Answer,
            code: 450,
            text: "later".into(),
            retry_after: None,
        };
        let after = |days: i64, attempt: u32, expires: bool| {
            let again = Again {
                now: noon() + SignedDuration::from_hours(days * 24 + 1),
                attempt,
                wait_max: None,
                expires,
            };
            ending(&outgoing(post.clone()), &busy, again)
        };
        let given_up = after(5, 20, true);
        assert_eq!(given_up.outcome, Outcome::Refused);
        assert!(
            given_up.detail.starts_with("given up after 20 attempts: "),
            "{}",
            given_up.detail
        );
        let is_deferred = |ending: Ending| matches!(ending.outcome, Outcome::Deferred(_));
        assert!(is_deferred(after(4, 20, true)), "not yet");
        assert!(
            is_deferred(after(9, 1, true)),
            "held back so far, not tried"
        );
        assert!(is_deferred(after(9, 20, false)), "time stands still");
    }

    #[test]
    fn a_call_is_made_again_whatever_came_of_it_and_a_post_only_if_it_was_not_taken() {
        let call = Channel::Webhook { name: "crm".into() };
        let post = Channel::Route {
            route: "csm".into(),
            targets: Vec::new(),
        };
        let cut = Fate::Unknown {
            phase: Phase::Body,
            why: "cut".into(),
        };
        let busy = |retry_after: Option<u64>| Fate::Deferred {
            phase: Phase::Answer,
            code: 429,
            text: "".into(),
            retry_after: retry_after.map(Duration::from_secs),
        };
        for (schedule, attempt) in webhook::WAITS.iter().zip(1..) {
            for fate in [&cut, &busy(None)] {
                let wait = after(&call, fate, attempt).expect("made again");
                let base = i64::try_from(schedule.as_secs()).expect("small");
                assert!(
                    (base..=base + base / 5).contains(&wait),
                    "{attempt}: {wait}"
                );
            }
        }
        assert_eq!(after(&call, &cut, 10), Err(Outcome::Unknown));
        assert_eq!(after(&call, &busy(None), 10), Err(Outcome::Refused));
        assert_eq!(after(&call, &busy(Some(3_600)), 1), Ok(3_600));
        assert_eq!(after(&post, &busy(Some(3_600)), 1), Ok(3_600));
        assert_eq!(after(&post, &cut, 1), Err(Outcome::Unknown));
    }
}
