//! Races of unsubscribing against claims: what was said no to before a claim began never leaves, and what is claimed
//! already finds out before its bytes do.

use super::gate::{mail, no};
use super::{Ground, Proof, at, bid, epoch};
use crate::{AddressKey, ClaimRequest, Commit, OutboxWrite, Role, Scope, Store};
use model::Purpose;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Messages of one round, each to an address of its own.
const ROUND: u64 = 500;

/// So few messages before the sender the "no" of a paced round is said: about a portion of its claims.
const NEAR: u64 = 7;

/// Instants by which events of several tasks are put in order.
#[derive(Default)]
struct Ticks {
    now: AtomicU64,
    /// When the "no" of each address was known to be committed; none yet: the largest number.
    no_at: Vec<AtomicU64>,
    /// How many messages the sender has come by, and whether it comes by no more.
    walked: AtomicU64,
    has_ended: AtomicBool,
}

impl Ticks {
    fn next(&self) -> u64 {
        self.now.fetch_add(1, Ordering::SeqCst)
    }

    /// Waits until the sender is about to come to a message, or comes to none any more.
    async fn is_near(&self, message: u64) {
        let near = message.saturating_sub(NEAR);
        let mut look = tokio::time::interval(Duration::from_millis(1));
        while self.walked.load(Ordering::SeqCst) < near && !self.has_ended.load(Ordering::SeqCst) {
            look.tick().await;
        }
    }

    /// Whether the "no" of an address was committed before that instant.
    fn is_before(&self, address: usize, instant: u64) -> bool {
        self.no_at[address].load(Ordering::SeqCst) < instant
    }
}

fn key(round: u64, n: u64) -> AddressKey {
    AddressKey(model::id::digest(&[&round.to_string(), &n.to_string()]))
}

/// What the sender of one round saw.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    claimed: u64,
    handed_over: u64,
    stopped_at_last: u64,
    violations: u64,
}

/// Claims in small portions; hands over what both last questions let pass.
async fn send(
    store: Store,
    epoch: u64,
    ticks: &Ticks,
) -> Result<Seen, Box<dyn std::error::Error + Send + Sync>> {
    let mut seen = Seen::default();
    let mut idle = 0;
    // A claim looks through so many that are suppressed, and no more.
    while idle < 5 {
        let begun = ticks.next();
        let request = ClaimRequest {
            shard: 0,
            epoch,
            now: at(1),
            count_max: 7,
            cap: None,
            jurisdiction: model::Jurisdiction::Us,
        };
        let claimed = store.claim(request).await?;
        idle = if claimed.is_empty() { idle + 1 } else { 0 };
        for one in claimed {
            seen.claimed += 1;
            ticks.walked.fetch_add(1, Ordering::SeqCst);
            let place: usize = one.outgoing.subject.parse()?;
            seen.violations += u64::from(ticks.is_before(place, begun));
            let asked = ticks.next();
            let is_open = store.attempt(&one.claim, 1, at(1)).await?
                && store.may_send(&one.claim, at(1)).await?;
            if is_open {
                seen.handed_over += 1;
                seen.violations += u64::from(ticks.is_before(place, asked));
            } else {
                seen.stopped_at_last += 1;
            }
        }
    }
    Ok(seen)
}

async fn race(ground: &Ground, rounds: u64) -> Result<Seen, Box<dyn std::error::Error>> {
    let (one, two) = (ground.open().await?, ground.open().await?);
    let decide = epoch(&one, Role::Decide, &bid("decider", 0)).await?;
    let sender = epoch(&one, Role::Send, &bid("sender", 0)).await?;
    let mut all = Seen::default();
    for round in 0..rounds {
        let mut commit = Commit::new(0, decide, one.shard(0).await?.mark, at(0));
        commit.outbox = (0..ROUND)
            .map(|n| OutboxWrite {
                outgoing: model::Outgoing {
                    subject: n.to_string().into(),
                    ..mail(&format!("m_{round}_{n}"), "news", Purpose::Promotional)
                },
                addresses: vec![key(round, n)],
                lane: None,
                related_until: None,
            })
            .collect();
        one.commit(commit).await?;
        let ticks = Arc::new(Ticks {
            no_at: (0..ROUND).map(|_| AtomicU64::new(u64::MAX)).collect(),
            ..Ticks::default()
        });
        let sending = tokio::spawn({
            let (store, ticks) = (one.clone(), Arc::clone(&ticks));
            async move {
                let seen = send(store, sender, &ticks).await;
                ticks.has_ended.store(true, Ordering::SeqCst);
                seen
            }
        });
        let mut saying = tokio::task::JoinSet::new();
        // Two of them, from both ends of what the sender walks through; in every other round they keep its pace, or a
        // slow machine's sender would come too late for all of them.
        let is_paced = round % 2 == 1;
        for store in [one.clone(), two.clone()] {
            let ticks = Arc::clone(&ticks);
            let is_second = saying.len() == 1;
            saying.spawn(async move {
                for step in 0..ROUND / 2 {
                    let n = if is_second { ROUND - 1 - step } else { step };
                    if is_paced {
                        ticks.is_near(step).await;
                    }
                    let said = no(key(round, n), Scope::Leavable, 1);
                    let done = store.suppress(said, None).await;
                    done.map_err(|why| why.to_string())?;
                    let place = usize::try_from(n).map_err(|why| why.to_string())?;
                    ticks.no_at[place].fetch_min(ticks.next(), Ordering::SeqCst);
                }
                Ok::<(), String>(())
            });
        }
        while let Some(done) = saying.join_next().await {
            done??;
        }
        let seen = sending.await?.map_err(|why| why.to_string())?;
        all.claimed += seen.claimed;
        all.handed_over += seen.handed_over;
        all.stopped_at_last += seen.stopped_at_last;
        all.violations += seen.violations;
    }
    Ok(all)
}

pub(super) async fn nobody_is_written_to_after_their_no_whoever_is_first(ground: &Ground) -> Proof {
    let rounds = 40;
    let seen = race(ground, rounds).await?;
    assert_eq!(seen.violations, 0, "{seen:?}");
    // Both of them won often enough, or this would prove nothing.
    assert!(seen.handed_over > rounds * 5, "{seen:?}");
    assert!(seen.claimed < rounds * ROUND, "{seen:?}");
    println!("{} races: {seen:?}", rounds * ROUND);
    Ok(())
}
