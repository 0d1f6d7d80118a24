//! Answers of machines (RFC 3834), and mails that servers write.

use super::entity::Entity;
use super::to;

/// Local parts under which servers write.
const SERVERS: [&str; 4] = ["mailer-daemon", "postmaster", "mdaemon", "mail-daemon"];
/// Local parts from which no person writes.
const MACHINES: [&str; 5] = [
    "noreply",
    "no-reply",
    "donotreply",
    "do-not-reply",
    "autoreply",
];
/// Fields that only machines write.
const FIELDS: [&str; 7] = [
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply-from",
    "x-mail-autoreply",
    "x-fc-machinegenerated",
    "list-id",
];
/// How machines' subjects begin.
const SUBJECTS: [&str; 9] = [
    "automatic reply:",
    "auto reply:",
    "autoreply:",
    "auto:",
    "out of office",
    "out of the office",
    "自動応答",
    "自動返信",
    "不在通知",
];

/// By what a mail shows that no person wrote it.
pub(super) fn shows(mail: &Entity<'_>) -> Option<&'static str> {
    let word = |name: &str| mail.head.structured(name).map(|field| field.word);
    if word("auto-submitted").is_some_and(|word| &*word != "no") {
        return Some("auto-submitted");
    }
    if word("precedence").is_some_and(|word| {
        matches!(
            &*word,
            "bulk" | "junk" | "list" | "auto_reply" | "auto-reply"
        )
    }) {
        return Some("precedence");
    }
    if FIELDS.iter().any(|name| mail.head.get(name).is_some()) {
        return Some("machine's field");
    }
    let suppressed = mail
        .head
        .get("x-auto-response-suppress")
        .unwrap_or_default()
        .to_ascii_lowercase();
    if suppressed
        .split(',')
        .any(|word| matches!(word.trim(), "all" | "oof" | "autoreply"))
    {
        return Some("auto-response-suppress");
    }
    if &*mail.kind().word == "multipart/report" {
        return Some("report");
    }
    let has_null_sender = mail
        .head
        .get("return-path")
        .is_some_and(|path| path.trim() == "<>");
    if has_null_sender || is_from_server(mail) {
        return Some("null sender");
    }
    if is_from(mail, &MACHINES) {
        return Some("no-reply sender");
    }
    let subject = mail.head.get("subject").unwrap_or_default().to_lowercase();
    let is_said = SUBJECTS.iter().any(|begin| subject.starts_with(begin));
    is_said.then_some("subject")
}

/// Whether a mail server wrote it.
pub(super) fn is_from_server(mail: &Entity<'_>) -> bool {
    let has_null_sender = mail
        .head
        .get("return-path")
        .is_some_and(|path| path.trim() == "<>");
    let from = mail.head.get("from").unwrap_or_default().trim();
    has_null_sender || from.is_empty() || from == "<>" || is_from(mail, &SERVERS)
}

fn is_from(mail: &Entity<'_>, locals: &[&str]) -> bool {
    let from = mail.head.get("from").unwrap_or_default();
    let mut addresses = to::all_in(from);
    // `MAILER-DAEMON (Mail Delivery System)`, without a domain.
    addresses.extend(from.split([' ', '(']).next().map(Box::from));
    addresses.iter().any(|address| {
        let local = address
            .split('@')
            .next()
            .unwrap_or_default()
            .trim_matches(['<', '>', '"']);
        locals.iter().any(|known| local.eq_ignore_ascii_case(known))
    })
}
