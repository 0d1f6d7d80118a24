//! `--clock log`: time is the account's own. Each fact stands between its account's wake-ups (engine.md, 3).

use crate::account::Account;
use crate::context::{Context, Input};
use crate::decide::decide;
use crate::fold;
use jiff::Timestamp;
use model::{Decision, Logged, ParkCode, Parked};

/// What moves an account under the log clock.
#[derive(Clone, Copy, Debug)]
pub enum Moment<'a> {
    /// A fact of the account.
    Fact(&'a Logged),
    /// A fact from before the first text took effect.
    History(&'a Logged),
    /// A tick: `shard_now` is the new time.
    Tick,
    /// The imported history ends.
    CloseHistory,
}

/// Decides a moment and the wake-ups around it; each decision with its `now`, in order.
pub fn step(
    context: &Context<'_>,
    account: &mut Account,
    moment: Moment<'_>,
    shard_now: Option<Timestamp>,
) -> Vec<(Timestamp, Decision)> {
    let own = account.head.now.max(shard_now);
    let (now, input) = match moment {
        Moment::Fact(logged) => (own.max(logged.fact.time), Some(Input::Fact(logged))),
        Moment::History(logged) => (own.max(logged.fact.time), Some(Input::History(logged))),
        Moment::CloseHistory => (own, Some(Input::CloseHistory)),
        Moment::Tick => (shard_now, None),
    };
    let mut decisions = Vec::new();
    let Some(now) = now else {
        if input.is_some() && !matches!(moment, Moment::CloseHistory) {
            decisions.push((Timestamp::UNIX_EPOCH, no_time()));
        }
        return decisions;
    };
    if let Some(input) = input {
        if account.wake_at().is_some_and(|due| due <= now) && is_unusable(context, account, moment)
        {
            // It tells nothing, of time neither: else it would move it anew whenever it comes again.
            decisions.push((now, decide(context, account, input, now)));
            return decisions;
        }
        wake_while(context, account, &mut decisions, |due| due < now);
        decisions.push((now, decide(context, account, input, now)));
    }
    wake_while(context, account, &mut decisions, |due| due <= now);
    decisions
}

/// Whether it is a fact that will be parked.
fn is_unusable(context: &Context<'_>, account: &Account, moment: Moment<'_>) -> bool {
    match moment {
        Moment::Fact(logged) | Moment::History(logged) => {
            fold::unusable(&context.program.schema, account, &logged.fact).is_some()
        }
        Moment::Tick | Moment::CloseHistory => false,
    }
}

/// Decides wake-ups in order as long as they are due.
fn wake_while(
    context: &Context<'_>,
    account: &mut Account,
    decisions: &mut Vec<(Timestamp, Decision)>,
    is_due: impl Fn(Timestamp) -> bool,
) {
    while let Some(due) = account.wake_at().filter(|due| is_due(*due)) {
        let at = account.head.now.map_or(due, |now| now.max(due));
        decisions.push((at, decide(context, account, Input::Wake, at)));
        if account.wake_at().is_some_and(|next| next <= due) {
            // Our own invariant is broken; never loop on it.
            account.head.wake_at = None;
        }
    }
}

/// The fact has no time, and neither has the account or its shard.
fn no_time() -> Decision {
    Decision {
        parked: Some(Parked {
            code: ParkCode::NoTime,
            message:
                "under the log clock a fact needs a `time`, or an earlier fact or tick that has one"
                    .into(),
            field: Some("time".into()),
        }),
        ..Decision::default()
    }
}
