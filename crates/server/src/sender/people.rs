//! Whom an address belongs to in Slack: asked once, then remembered for a while.

use jiff::{SignedDuration, Timestamp};
use outreach::Fate;
use outreach::egress::Egress;
use outreach::slack::Bot;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// For how long it is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);
/// How many are remembered at most.
const PEOPLE_MAX: usize = 10_000;

/// Ids by address.
#[derive(Debug, Default)]
pub(super) struct People(Mutex<BTreeMap<Box<str>, Known>>);

/// An id, and since when it is known.
type Known = (Box<str>, Timestamp);

impl People {
    /// Slack's id for a target: as it stands, or of the person whose address it is; none: nobody has that address.
    pub(super) async fn find(
        &self,
        (egress, bot): (&Egress, &Bot),
        target: &str,
        now: Timestamp,
    ) -> Result<Option<Box<str>>, Fate> {
        if !target.contains('@') {
            return Ok(Some(target.into()));
        }
        if let Some(id) = self.known(target, now) {
            return Ok(Some(id));
        }
        let found = bot.find(egress, target).await?;
        if let Some(id) = &found {
            let until = now.saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX);
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= PEOPLE_MAX {
                all.clear();
            }
            all.insert(target.into(), (id.clone(), until));
        }
        Ok(found)
    }

    fn known(&self, address: &str, now: Timestamp) -> Option<Box<str>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, until) = all.get(address)?;
        (*until > now).then(|| id.clone())
    }
}
