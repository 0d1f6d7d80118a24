//! What a mail wears: its layout, and the text that was written by hand beside it.

use super::file::Front;
use super::shelf::{Flaw, Shelf, Whole, slots, whole};
use crate::diagnostic::Span;
use model::Medium;

/// The layout of every mail that names none.
const DEFAULT: &str = "default";

/// What was found.
pub(super) struct Dress {
    pub(super) layout: Option<Whole>,
    pub(super) by_hand: Option<Whole>,
}

/// Finds what belongs to a template's file.
pub(super) fn dress(
    shelf: &Shelf<'_>,
    (file, name, locale): (&str, &str, &str),
    (medium, front): (Medium, &Front),
    body: &str,
) -> Result<Dress, Flaw> {
    let is_post = medium != Medium::Email;
    let has_own_page = is_post || front.mjml.is_some() || is_page(body);
    let flaw = |code, message: String, help: &str, span| Flaw {
        code,
        message,
        help: help.to_owned(),
        file: file.into(),
        span,
    };
    let start = Span { start: 0, end: 0 };
    let layout = match &front.layout {
        Some((wanted, span)) if has_own_page => {
            let message =
                format!("the layout `{wanted}` has nothing to go around: this is no Markdown mail");
            return Err(flaw("E709", message, "leave `layout` out", *span));
        }
        Some((wanted, span)) => {
            let found = shelf.layout(wanted, locale).ok_or_else(|| {
                let help = shelf.near_layout(wanted);
                let help =
                    help.unwrap_or_else(|| format!("write `templates/layouts/{wanted}.hbs`"));
                flaw(
                    "E710",
                    format!("there is no layout `{wanted}`"),
                    &help,
                    *span,
                )
            });
            Some(found?)
        }
        None if has_own_page => None,
        None => shelf.layout(DEFAULT, locale),
    };
    if let (true, Some(span)) = (is_post, front.mjml) {
        let message = "a Slack message is not written in MJML".to_owned();
        return Err(flaw("E709", message, "leave `format` out", span));
    }
    let by_hand = shelf.text(name, locale);
    if is_post && by_hand.is_some() {
        let message = "a Slack message has one text only".to_owned();
        return Err(flaw(
            "E709",
            message,
            "take the `.txt.hbs` file away",
            start,
        ));
    }
    let of_layout = |(file, text)| of_layout(shelf, locale, file, text);
    let of_text = |(file, text)| whole(shelf, locale, (file, text, 0), false);
    Ok(Dress {
        layout: layout.map(of_layout).transpose()?,
        by_hand: by_hand.map(of_text).transpose()?,
    })
}

/// A layout is a whole page with one place for the body.
fn of_layout(shelf: &Shelf<'_>, locale: &str, file: &str, text: &str) -> Result<Whole, Flaw> {
    let whole = whole(shelf, locale, (file, text, 0), true)?;
    let message = match (is_page(text), slots(&whole.text, "body")) {
        (false, _) => "a layout is a whole HTML page: it begins with `<!doctype html>`",
        (true, (1, true)) => return Ok(whole),
        (true, (_, true)) => "a layout says `{{> body}}` once",
        (true, (_, false)) => "`{{> body}}` stands outside of every block",
    };
    Err(Flaw {
        code: "E709",
        message: message.to_owned(),
        help: String::new(),
        file: file.into(),
        span: Span { start: 0, end: 0 },
    })
}

/// Whether a text is a whole HTML page.
fn is_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(9).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html")
}

/// The hash of a template: of its file, and of all that is set in or laid around it, so that a decision that names it
/// names every word of the mail.
pub(super) fn hash(file: &str, others: [Option<&Whole>; 3]) -> Box<str> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(file.as_bytes());
    for (place, whole) in (1_u8..).zip(others) {
        if let Some(whole) = whole {
            let length = u64::try_from(whole.text.len()).unwrap_or(u64::MAX);
            hasher.update(&[0, place]);
            hasher.update(&length.to_be_bytes());
            hasher.update(whole.text.as_bytes());
        }
    }
    hasher.finalize().to_hex().as_str().into()
}
