//! One message from its claim to its fate.

use super::call;
use super::fate::{Again, Ending, ending};
use super::hand_over::{Ready, capture, hand_over, permit};
use super::lanes::{Share, Turn};
use super::lawful::{Lawful, Unlawful, lawful};
use super::letter;
use super::means::Means;
use super::refusal;
use super::under_way::UnderWay;
use crate::active::{self, Active};
use crate::shared::{Settled, Shared};
use crate::track;
use model::message::{Channel, Target};
use model::{Mailbox, Outgoing};
use outreach::Fate;
use outreach::render::{RenderError, Rendered, RenderedMail, render_for};
use outreach::teams;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::{Captured, Claimed, ClockMode, Failure, Outcome, Settlement};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Between two tries to write a fate.
const SETTLE_PAUSE_MIN: Duration = Duration::from_millis(100);
const SETTLE_PAUSE_MAX: Duration = Duration::from_secs(2);
/// How long a message without a means waits before it is looked at again.
pub(super) const MEANSLESS_WAIT: Duration = Duration::from_secs(15 * 60);

/// Delivers one claimed message and settles its claim. At a stop it goes back untried, unless its hand-over has begun.
pub(super) async fn deliver(shared: Shared, claimed: Arc<UnderWay>, stop: CancellationToken) {
    let means = Arc::clone(&shared.means);
    let (ending, captured) = if means.is_captured {
        match ready(&shared, &means, (&claimed, 0)).await {
            Err(ending) => (ending, None),
            Ok(ready) => {
                let captured = capture(&shared, &claimed.outgoing, ready);
                let ending = Ending {
                    outcome: Outcome::Sent,
                    detail: "captured".into(),
                };
                (ending, Some(captured))
            }
        }
    } else {
        let ending = tokio::select! {
            ending = send(&shared, &means, &claimed) => ending,
            ending = back(&shared, &claimed, &stop) => ending,
        };
        (ending, None)
    };
    settle(&shared, &claimed, ending, captured).await;
}

/// Waits for a stop that finds the message's hand-over not begun.
async fn back(shared: &Shared, claimed: &UnderWay, stop: &CancellationToken) -> Ending {
    stop.cancelled().await;
    if !claimed.put_back() {
        std::future::pending::<()>().await;
    }
    later(
        shared,
        Duration::ZERO,
        "its sender stopped before it was tried".into(),
    )
}

/// Hands a message over, to the first of a route's targets where somebody is.
async fn send(shared: &Shared, means: &Means, claimed: &Arc<UnderWay>) -> Ending {
    let outgoing = &claimed.outgoing;
    if shared.config.left.contains(&outgoing.message) {
        return Box::pin(left_before(shared, claimed)).await;
    }
    let mut from = 0;
    loop {
        let ready = match ready(shared, means, (claimed, from)).await {
            Ok(ready) => ready,
            Err(ending) => return ending,
        };
        let fate = match hand_over_in_turn(shared, means, claimed, ready).await {
            Ok(fate) => fate,
            Err(ending) => return ending,
        };
        match next_target(means, outgoing, from).filter(|_| fate.is_nobody()) {
            Some(next) => {
                let message = &outgoing.message;
                tracing::warn!(%message, %fate, "nobody is at a route's target; the next one gets it");
                from = next;
            }
            None => {
                refusal::tell(shared, outgoing, &fate).await;
                return ending(outgoing, &fate, again(shared, claimed));
            }
        }
    }
}

/// What had left before the store was restored ends as sent, with an attempt at which nothing leaves.
async fn left_before(shared: &Shared, claimed: &Arc<UnderWay>) -> Ending {
    if !permit(shared, claimed).await {
        return ending(
            &claimed.outgoing,
            &Fate::NotPermitted,
            again(shared, claimed),
        );
    }
    Ending {
        outcome: Outcome::Sent,
        detail: "it had left before the store was restored, as `left_before` says".into(),
    }
}

/// Where a route's targets go on behind the one that was chosen from there; none: nobody else can be reached.
fn next_target(means: &Means, outgoing: &Outgoing, from: usize) -> Option<usize> {
    let Channel::Route { targets, .. } = &outgoing.channel else {
        return None;
    };
    let (passed, _) = means.choose(targets.get(from..)?)?;
    let next = from + passed + 1;
    means.choose(targets.get(next..)?).map(|_| next)
}

/// Hands over what is ready, in its turn.
async fn hand_over_in_turn(
    shared: &Shared,
    means: &Means,
    claimed: &Arc<UnderWay>,
    ready: Ready<'_>,
) -> Result<Fate, Ending> {
    let share = Share {
        held: shared.sends_for.load(Ordering::Relaxed),
        of: shared.store.shards(),
    };
    match turn(means, &ready, (share, shared.clock.now())).await {
        Ok(_turn) => Ok(hand_over(shared, means, claimed, ready).await),
        Err(until) => Err(Ending {
            outcome: Outcome::Deferred(until),
            detail: "over the pace that is set; not tried yet".into(),
        }),
    }
}

/// A mail's turn by the pace that is set; what is no mail has none.
async fn turn(
    means: &Means,
    ready: &Ready<'_>,
    at: (Share, jiff::Timestamp),
) -> Result<Option<Turn>, jiff::Timestamp> {
    match ready {
        Ready::Mail(mail, _) => means.servers.turn(mail, at).await,
        Ready::Post(..) | Ready::Call(_) => Ok(None),
    }
}

fn again(shared: &Shared, claimed: &Claimed) -> Again {
    Again {
        now: shared.clock.now(),
        attempt: claimed.attempts + 1,
        wait_max: shared.config.limits.retry_wait_max,
        expires: shared.store.clock() == ClockMode::Live,
    }
}

/// How a claim ends that has to wait.
pub(super) fn later(shared: &Shared, wait: Duration, detail: String) -> Ending {
    let now = shared.clock.now();
    let until = now.saturating_add(wait).unwrap_or(jiff::Timestamp::MAX);
    Ending {
        outcome: Outcome::Deferred(until),
        detail: detail.into(),
    }
}

/// Chooses the way out, for a route among its targets from one on, and renders; or says how the claim ends instead.
async fn ready<'m>(
    shared: &Shared,
    means: &Means,
    (claimed, from): (&'m Claimed, usize),
) -> Result<Ready<'m>, Ending> {
    let outgoing = &claimed.outgoing;
    let target = match &outgoing.channel {
        Channel::Email { .. } => None,
        Channel::Route { route, targets } => {
            let why = format!("route {route} has no target whose means is configured");
            let left = targets.get(from..).unwrap_or_default();
            let Some((_, target)) = means.choose(left) else {
                shared.status.without_means(&why);
                return Err(later(shared, MEANSLESS_WAIT, why));
            };
            shared.status.with_means(&why);
            Some(target)
        }
        Channel::Webhook { name } => {
            return Box::pin(call::ready(shared, means, (outgoing, name))).await;
        }
    };
    let unusable = |why: active::Unusable| later(shared, Duration::from_secs(5), why.to_string());
    let active = active::decided(shared, claimed.revision).await;
    let active = active.map_err(unusable)?;
    let legal = lawful(shared, &active.program, claimed).await;
    let legal = legal.map_err(|why| unlawful(shared, why))?;
    let legal = legal.as_ref();
    let linked = letter::linked(shared, outgoing).await;
    let linked = linked.map_err(|why| later(shared, Duration::from_secs(5), why.to_string()))?;
    let rendered = render(&active, &linked, (target, legal));
    match (
        rendered.map_err(|error| refused(error.to_string()))?,
        target,
    ) {
        (Rendered::Post(post), Some(target)) => Ok(Ready::Post(target, post.payload())),
        (Rendered::Post(_), None) => Err(refused(
            "a post was rendered where a mail was wanted".into(),
        )),
        (Rendered::Mail(words), Some(target @ Target::Teams(_))) => {
            Ok(Ready::Post(target, teams::card(&words)))
        }
        (Rendered::Mail(words), target) => {
            let from = active.program.defaults.from.as_ref();
            let unsubscribe = legal.map(|legal| &*legal.unsubscribe);
            mail(shared, outgoing, (words, target, from), unsubscribe).await
        }
    }
}

fn refused(why: String) -> Ending {
    Ending {
        outcome: Outcome::Refused,
        detail: why.into(),
    }
}

/// The mail with all that is added at hand-over: the addresses that its answers come back to, and tracked links.
async fn mail<'m>(
    shared: &Shared,
    outgoing: &Outgoing,
    (mut words, target, from): (RenderedMail, Option<&Target>, Option<&Mailbox>),
    unsubscribe: Option<&str>,
) -> Result<Ready<'m>, Ending> {
    let unready = |why: Failure| later(shared, Duration::from_secs(5), why.to_string());
    let html = std::mem::take(&mut words.html);
    words.html = track::weave(shared, outgoing, html)
        .await
        .map_err(unready)?;
    let back = letter::back(shared, outgoing).await.map_err(unready)?;
    let mail = letter::build(
        shared,
        outgoing,
        (&words, target, from),
        (&back, unsubscribe),
    )
    .map_err(|error| refused(error.to_string()))?;
    Ok(Ready::Mail(Box::new(mail), words))
}

/// How a claim ends whose mail must not leave as it is.
fn unlawful(shared: &Shared, why: Unlawful) -> Ending {
    let detail = why.to_string();
    match why {
        Unlawful::Link(_) => later(shared, Duration::from_secs(5), detail),
        Unlawful::NoAddress(_) | Unlawful::NoSender(_) | Unlawful::NoTopic => {
            shared.status.unlawful(&detail);
            Ending {
                outcome: Outcome::Suppressed,
                detail: detail.into(),
            }
        }
    }
}

fn render(
    active: &Active,
    outgoing: &Outgoing,
    (target, legal): (Option<&Target>, Option<&Lawful>),
) -> Result<Rendered, RenderError> {
    if let Some(target) = target {
        return render_for(&active.templates, outgoing, target);
    }
    match legal {
        Some(legal) => {
            let added = (legal.unsubscribe.as_str(), legal.footer.as_ref());
            outreach::render::render_with_link(&active.templates, outgoing, added)
        }
        None => outreach::render::render(&active.templates, outgoing, None),
    }
}

/// Writes what became of a claim, for as long as it is ours: while the lease lasts nobody else settles it. Where this
/// process ends before, its shard's next sender does.
async fn settle(shared: &Shared, claimed: &Claimed, ending: Ending, captured: Option<Captured>) {
    let message = &claimed.claim.message;
    let word = match ending.outcome {
        Outcome::Sent => "sent",
        Outcome::Refused => "refused",
        Outcome::Deferred(_) => "deferred",
        Outcome::Unknown => "unknown",
        Outcome::Suppressed => "suppressed",
        Outcome::Expired => "expired",
    };
    let mut pause = SETTLE_PAUSE_MIN;
    loop {
        let settlement = Settlement {
            claim: claimed.claim.clone(),
            outcome: ending.outcome,
            detail: ending.detail.clone(),
            captured: captured.clone(),
            now: shared.clock.now(),
        };
        match shared.store.settle(settlement).await {
            Ok(true) => {
                shared
                    .measures
                    .messages
                    .get_or_create(&vec![("state", word)])
                    .inc();
                let settled = Settled {
                    message: message.clone(),
                    account: claimed.outgoing.account.clone(),
                    state: word,
                    detail: ending.detail.clone(),
                    is_captured: captured.is_some(),
                };
                // Nobody listening is no error.
                drop(shared.settled.send(settled));
                if ending.outcome == Outcome::Unknown {
                    tracing::error!(%message, "the message may have been sent; nobody knows");
                }
                shared.bells.ring(claimed.claim.shard, store::Role::Decide);
                return;
            }
            Ok(false) => {
                tracing::warn!(%message, word, "the claim was somebody else's when its fate was known");
                return;
            }
            Err(Failure::Closed) => {
                tracing::error!(%message, word, "a fate could not be written; the next sender of the shard settles it");
                return;
            }
            Err(failure) => {
                tracing::warn!(%message, %failure, "a fate could not be written; trying again");
                sleep(pause).await;
                pause = (pause * 2).min(SETTLE_PAUSE_MAX);
            }
        }
    }
}
