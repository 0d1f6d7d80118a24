//! The message that comes back inside another one, whole or its header alone.

use super::entity::Entity;
use super::header::Head;
use super::to;

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Returned {
    /// Its envelope senders, as the servers on its way noted them.
    pub(super) senders: Vec<Box<str>>,
    /// Its Message-IDs.
    pub(super) ids: Vec<Box<str>>,
}

pub(super) fn read(parts: &[Entity<'_>]) -> Returned {
    let mut returned = Returned::default();
    for part in parts {
        let kind = part.kind().word;
        let is_message = matches!(
            &*kind,
            "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/global-headers"
        );
        if is_message {
            let decoded = part.decoded();
            let (head, _) = Head::read(&decoded);
            returned
                .senders
                .extend(head.all("return-path").flat_map(to::all_in));
            returned
                .ids
                .extend(head.all("message-id").flat_map(to::ids_in));
        }
    }
    returned
}
