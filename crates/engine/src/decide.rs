//! The one decision function.

use crate::account::Account;
use crate::context::{Context, Input};
use crate::turn::Turn;
use jiff::Timestamp;
use model::Decision;

/// Decides one input at `now`: changes the account and says what else changes. Pure and total.
///
/// A fact changes fields, metrics, memories, goals, `while` and starts; no step acts in it. A step that is ready
/// sets the account's wake-up to now.
pub fn decide(
    context: &Context<'_>,
    account: &mut Account,
    input: Input<'_>,
    now: Timestamp,
) -> Decision {
    let now = account.head.now.map_or(now, |before| before.max(now));
    let mut turn = Turn::new(context, account, now);
    match input {
        Input::Fact(logged) => turn.fact(logged, logged.fact.is_history),
        Input::History(logged) => turn.fact(logged, true),
        Input::Wake => turn.wake(),
        Input::CloseHistory => turn.close_history(),
        Input::Rebase(change) => turn.rebase(change),
        Input::Backfill(logged) => turn.backfill(logged),
        Input::Backfilled { kept_from, own } => turn.end_backfill(kept_from, own),
        Input::Repinned { at } => turn.repinned(at),
    }
    turn.end()
}
