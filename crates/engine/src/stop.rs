//! Stops: the account's copy of what may not be sent to a contact's address.

use crate::stored::stored_struct;
use jiff::Timestamp;
use model::{Purpose, Reason, Scope};

/// Something that may not be sent to a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What, in the word of [`Scope`].
    pub scope: Box<str>,
    /// Why, in the word of [`Reason`].
    pub reason: Box<str>,
    /// Until when; none: for ever.
    pub until: Option<Timestamp>,
}
stored_struct!(Stop {
    scope,
    reason,
    until
});

impl Stop {
    /// Whether it stops a message of this topic and purpose now.
    pub(crate) fn stops(&self, topic: &str, purpose: Option<Purpose>, now: Timestamp) -> bool {
        let scope = Scope::parse(&self.scope);
        self.until.is_none_or(|until| now < until)
            && scope.is_some_and(|scope| scope.stops(Some(topic), purpose))
    }

    /// The word of a record that says why nothing was sent.
    pub(crate) fn why(&self) -> &'static str {
        if *self.reason == *Reason::Unsubscribed.as_str() {
            "unsubscribed"
        } else {
            "suppressed"
        }
    }
}
