//! What was posted to the page of unsubscribing.

use std::collections::BTreeSet;
use store::Scope;

/// Topics that one form may name.
const TOPICS_MAX: usize = 200;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A mail program's one click (RFC 8058).
    OneClick,
    /// The page's form: these are left.
    Leave(Vec<Scope>),
    /// The page's form: these are no longer left.
    Back(Vec<Scope>),
}

/// Reads a body, as a form or, which RFC 8058 allows too, in parts. None: it asks for nothing that is known.
pub(super) fn read(body: &[u8]) -> Option<Form> {
    if is_one_click_in_parts(body) {
        return Some(Form::OneClick);
    }
    let mut scopes = BTreeSet::new();
    let mut does = None;
    for (name, value) in url::form_urlencoded::parse(body) {
        match (&*name, &*value) {
            ("List-Unsubscribe", "One-Click") => return Some(Form::OneClick),
            ("do", word) => does = Some(word.to_owned()),
            ("scope", word) if scopes.len() < TOPICS_MAX => {
                scopes.extend(Scope::parse(word).filter(is_own));
            }
            // What else a form holds is nobody's business.
            _ => {}
        }
    }
    let scopes = match does.as_deref() {
        Some("all") => vec![Scope::Leavable],
        Some(_) | None => scopes.into_iter().collect(),
    };
    if scopes.is_empty() {
        return None;
    }
    match does.as_deref() {
        Some("leave" | "all") => Some(Form::Leave(scopes)),
        Some("back") => Some(Form::Back(scopes)),
        Some(_) | None => None,
    }
}

/// A person says no to a topic or to all that can be left; the other scopes are not theirs to set.
fn is_own(scope: &Scope) -> bool {
    match scope {
        Scope::Leavable | Scope::Topic(_) => true,
        Scope::All | Scope::Promotional => false,
    }
}

/// `multipart/form-data` with the one field that counts.
fn is_one_click_in_parts(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let Some((_, after)) = text.split_once("name=\"List-Unsubscribe\"") else {
        return false;
    };
    let value = after.split_once("\r\n\r\n").map(|(_, value)| value);
    value.is_some_and(|value| value.lines().next() == Some("One-Click"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_in_so_many_words_counts() {
        let topic = |name: &str| Scope::Topic(name.into());
        let parts = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        for (body, expected) in [
            ("List-Unsubscribe=One-Click", Some(Form::OneClick)),
            ("List-Unsubscribe=One-Click\r\n", None),
            (parts, Some(Form::OneClick)),
            ("List-Unsubscribe=Two-Clicks", None),
            ("", None),
            ("do=leave", None),
            ("scope=topic:tips", None),
            ("do=leave&scope=all", None),
            ("do=leave&scope=promotional", None),
            (
                "do=leave&scope=topic%3Atips&scope=topic:news&x=y",
                Some(Form::Leave(vec![topic("news"), topic("tips")])),
            ),
            (
                "do=all&scope=topic:tips",
                Some(Form::Leave(vec![Scope::Leavable])),
            ),
            (
                "do=back&scope=leavable",
                Some(Form::Back(vec![Scope::Leavable])),
            ),
        ] {
            assert_eq!(read(body.as_bytes()), expected, "{body}");
        }
    }
}
