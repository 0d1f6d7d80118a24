//! Single values: texts, words, flags, numbers, shares.

use super::Notes;
use crate::diagnostic::{Span, nearest};
use crate::yaml::{Node, NodeKind, Scalar};
use model::Decimal;

/// The longest text of a title, a name for people and the like.
pub(crate) const TEXT_BYTES_MAX: usize = 4096;
/// The longest name of anything.
pub(crate) const NAME_BYTES_MAX: usize = 64;

/// The scalar; E103 if it is a list, a map or empty.
pub(crate) fn scalar<'n>(notes: &mut Notes, node: &'n Node, what: &str) -> Option<&'n Scalar> {
    match &node.kind {
        NodeKind::Scalar(scalar) if !node.is_null() => Some(scalar),
        NodeKind::Broken => None,
        NodeKind::Scalar(_) | NodeKind::List(_) | NodeKind::Map(_) => {
            let message = format!("{what} is a single value, but this is {}", node.kind_word());
            notes.error("E103", node.span, message);
            None
        }
    }
}

/// A text for people.
pub(crate) fn text(notes: &mut Notes, node: &Node, what: &str) -> Option<Box<str>> {
    let scalar = scalar(notes, node, what)?;
    if scalar.text.len() > TEXT_BYTES_MAX {
        let message = format!("{what} is longer than {TEXT_BYTES_MAX} bytes");
        notes.error("E103", node.span, message);
        return None;
    }
    let is_control = |letter: char| letter.is_control() && letter != '\n';
    if scalar.text.contains(is_control) {
        notes.error(
            "E103",
            node.span,
            format!("{what} holds a control character"),
        );
        return None;
    }
    Some(scalar.text.clone())
}

/// A name: a letter, then letters, digits, `_` and `-`.
pub(crate) fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    name.len() <= NAME_BYTES_MAX
        && letters.next().is_some_and(char::is_alphabetic)
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
        && !name.ends_with('-')
}

/// Whether `name` is a name; E103 if not.
pub(crate) fn check_name(notes: &mut Notes, name: &str, span: Span) -> bool {
    if is_name(name) {
        return true;
    }
    let message = format!("`{}` is not a name", short(name));
    let help = "a name is a letter, then letters, digits, `_` and `-`, at most 64 bytes";
    notes.error_help("E103", span, message, help.to_owned());
    false
}

/// A text cut to what a message can show.
pub(crate) fn short(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    let cut: String = text.chars().take(40).collect();
    format!("{cut}…")
}

/// One of some words; E103 with a suggestion if it is another.
pub(crate) fn word<T: Copy>(
    notes: &mut Notes,
    node: &Node,
    what: &str,
    words: &[(&'static str, T)],
) -> Option<T> {
    let scalar = scalar(notes, node, what)?;
    let found = words.iter().find(|(word, _)| **word == *scalar.text);
    if let Some((_, value)) = found {
        return Some(*value);
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let message = format!(
        "`{}` is not a word for {what}: {}",
        short(&scalar.text),
        known.join(", ")
    );
    notes.error_help("E103", node.span, message, near(&scalar.text, &known));
    None
}

/// The help for a word whose message lists all that there are.
pub(crate) fn near(word: &str, known: &[&str]) -> Option<String> {
    nearest(word, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
}

/// `true` or `false`, as YAML 1.2 writes them.
pub(crate) fn flag(notes: &mut Notes, node: &Node, what: &str) -> Option<bool> {
    let scalar = scalar(notes, node, what)?;
    match (scalar.is_plain, &*scalar.text) {
        (true, "true" | "True" | "TRUE") => Some(true),
        (true, "false" | "False" | "FALSE") => Some(false),
        (true | false, _) => {
            let message = format!("{what} is `true` or `false`");
            notes.error("E103", node.span, message);
            None
        }
    }
}

/// A whole number from `least` to `most`.
pub(crate) fn whole(
    notes: &mut Notes,
    node: &Node,
    what: &str,
    (least, most): (u32, u32),
) -> Option<u32> {
    let scalar = scalar(notes, node, what)?;
    let number = is_canonical(scalar)
        .then(|| scalar.text.parse().ok())
        .flatten();
    let fits = number.filter(|number| (least..=most).contains(number));
    if fits.is_none() {
        let message = format!("{what} is a whole number from {least} to {most}");
        notes.error("E103", node.span, message);
    }
    fits
}

/// `010` and `"10"` are texts, not numbers.
fn is_canonical(scalar: &Scalar) -> bool {
    let digits = scalar.text.trim_start_matches('-');
    scalar.is_plain && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."))
}

/// A plain number.
pub(crate) fn number(notes: &mut Notes, node: &Node, what: &str) -> Option<Decimal> {
    let scalar = scalar(notes, node, what)?;
    let number = is_canonical(scalar)
        .then(|| scalar.text.parse().ok())
        .flatten();
    if number.is_none() {
        notes.error("E103", node.span, format!("{what} is a plain number"));
    }
    number
}

/// A share from 0% to 100%.
pub(crate) fn share(notes: &mut Notes, node: &Node, what: &str) -> Option<Decimal> {
    let scalar = scalar(notes, node, what)?;
    let percent = scalar
        .text
        .strip_suffix('%')
        .and_then(|digits| digits.trim_end().parse::<Decimal>().ok());
    let hundred = Decimal::from_count(100);
    let fits = percent
        .filter(|percent| (Decimal::ZERO..=hundred).contains(percent))
        .and_then(|percent| percent.div(hundred));
    if fits.is_none() {
        let message = format!("{what} is a share from 0% to 100%");
        let help = scalar
            .text
            .parse::<Decimal>()
            .ok()
            .map(|_| format!("did you mean `{}%`?", scalar.text));
        notes.error_help("E103", node.span, message, help);
    }
    fits
}
