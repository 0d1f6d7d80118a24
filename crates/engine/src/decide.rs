//! The one decision function.

use crate::account::Account;
use crate::context::{Context, Input};
use jiff::Timestamp;
use model::Decision;

/// Decides one input at `now`: changes the account and says what else changes. Pure and total.
pub fn decide(
    context: &Context<'_>,
    account: &mut Account,
    input: Input<'_>,
    now: Timestamp,
) -> Decision {
    let _ = (context, input);
    account.head.now = account.head.now.max(Some(now));
    Decision::default()
}
