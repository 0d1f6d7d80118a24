//! Messages of a workflow that did not leave, and why.

use crate::print::Printer;
use model::{AccountId, Channel, DeliveryState, Outgoing};
use serde_json::json;
use store::{Delivery, DeliveryFilter, Failure, Store};

/// Read at once.
const PAGE: u32 = 500;
/// So many are shown, the newest ones.
const SHOWN_MAX: usize = 20;

/// The account's messages that did not leave, oldest first.
pub(super) async fn read(store: &Store, account: &AccountId) -> Result<Vec<Delivery>, Failure> {
    let mut filter = DeliveryFilter {
        account: Some(account.clone()),
        count_max: PAGE,
        ..DeliveryFilter::default()
    };
    let mut unsent = Vec::new();
    loop {
        let page = store.deliveries(filter.clone()).await?;
        let Some(last) = page.last() else {
            return Ok(unsent);
        };
        filter.after = last.number;
        unsent.extend(page.into_iter().filter(|one| is_unsent(one.state)));
    }
}

fn is_unsent(state: DeliveryState) -> bool {
    match state {
        DeliveryState::Deferred
        | DeliveryState::Refused
        | DeliveryState::Unknown
        | DeliveryState::Suppressed
        | DeliveryState::Expired => true,
        DeliveryState::Queued
        | DeliveryState::Claimed
        | DeliveryState::Sent
        | DeliveryState::Shadow
        | DeliveryState::Withdrawn => false,
    }
}

/// Those of a workflow.
pub(super) fn of<'d>(unsent: &'d [Delivery], workflow: &str) -> Vec<&'d Delivery> {
    let its = unsent
        .iter()
        .filter(|one| *one.outgoing.workflow == *workflow);
    let its: Vec<&Delivery> = its.collect();
    let first = its.len().saturating_sub(SHOWN_MAX);
    its[first..].to_vec()
}

/// Who it was for: the contact, never the address.
fn whom(outgoing: &Outgoing) -> &str {
    match &outgoing.channel {
        Channel::Email { contact, .. } => contact,
        Channel::Route { route, .. } => route,
        Channel::Webhook { name } => name,
    }
}

pub(super) fn as_json(one: &Delivery) -> serde_json::Value {
    let outgoing = &one.outgoing;
    json!({
        "message": outgoing.message, "subject": outgoing.subject, "step": outgoing.step, "whom": whom(outgoing),
        "topic": outgoing.topic, "state": one.state.as_str(), "detail": one.detail, "updated_at": one.updated_at,
    })
}

/// Tells those of one subject.
pub(super) fn tell(
    unsent: &[&Delivery],
    subject: &str,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let own = unsent
        .iter()
        .filter(|one| *one.outgoing.subject == *subject);
    let mut is_first = true;
    for one in own {
        if std::mem::take(&mut is_first) {
            printer.line("  What did not leave:")?;
        }
        printer.line(format!(
            "    {} {} for {}: {}, {}",
            one.outgoing.message,
            one.outgoing.step,
            whom(&one.outgoing),
            one.state.as_str(),
            one.detail
        ))?;
    }
    Ok(())
}
