//! Complaints: the abuse report of RFC 5965.

use super::Says;
use super::entity::Entity;
use super::header::Head;
use super::returned::{self, Returned};
use super::to;

/// A complaint and what it is about; none if the mail is none. A reader who takes it back is no complaint.
pub(super) fn read(mail: &Entity<'_>, parts: &[Entity<'_>]) -> Option<(Says, Returned)> {
    let report = parts
        .iter()
        .find(|part| &*part.kind().word == "message/feedback-report")?;
    let decoded = report.decoded();
    let (fields, _) = Head::read(&decoded);
    let kind = fields.get("feedback-type")?.to_ascii_lowercase();
    let mut returned = returned::read(parts);
    let senders = fields.all("original-mail-from").flat_map(to::all_in);
    returned.senders.extend(senders);
    let is_complaint = matches!(
        kind.as_str(),
        "abuse" | "fraud" | "virus" | "opt-out" | "opt-out-list" | "other"
    );
    if !is_complaint {
        return Some((Says::Automatic("feedback that is no complaint"), returned));
    }
    let from = mail
        .head
        .get("from")
        .and_then(|from| to::all_in(from).pop())
        .unwrap_or_default();
    let domain = from
        .rsplit_once('@')
        .map(|(_, domain)| domain.to_ascii_lowercase());
    let from = domain.unwrap_or_default().into();
    Some((Says::Complaint { from }, returned))
}
