//! Renames: a word that can only have been meant for one other.

use super::Edit;
use crate::diagnostic::{Diagnostic, Span};
use strsim::damerau_levenshtein;

/// The edit that writes the one name that can have been meant.
pub(super) fn edit(diagnostic: &Diagnostic, text: &str) -> Option<Edit> {
    let meant = meant(diagnostic.help.as_deref()?)?;
    let Span { start, end } = diagnostic.span;
    let said = text.get(start..end)?;
    let words = backticked(&diagnostic.message).chain([said]);
    let places = words.filter_map(|word| Some((word, only(said, word)?)));
    let (word, at) = places.min_by_key(|(word, _)| damerau_levenshtein(word, meant))?;
    let distance = damerau_levenshtein(word, meant);
    let is_near = distance > 0 && distance <= (word.chars().count() / 3).max(2);
    is_near.then(|| Edit {
        file: diagnostic.file.clone(),
        span: Span {
            start: start + at,
            end: start + at + word.len(),
        },
        text: meant.to_owned(),
    })
}

/// The one name that the help gives; two that are equally near are no answer.
fn meant(help: &str) -> Option<&str> {
    let name = help.strip_prefix("did you mean `")?.strip_suffix("`?")?;
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let is_name = name.starts_with(char::is_alphabetic) && name.chars().all(is_part);
    is_name.then_some(name)
}

fn backticked(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// Where a word stands in a text, if it stands there once and on its own.
fn only(text: &str, word: &str) -> Option<usize> {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    let mut places = text.match_indices(word).filter(|(at, _)| {
        !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    });
    let (at, _) = places.next().filter(|_| !word.is_empty())?;
    places.next().is_none().then_some(at)
}

#[cfg(test)]
mod tests {
    use super::super::applied;
    use super::*;
    use crate::diagnostic::Severity;

    fn check(text: &str, part: &str, message: &str, help: &str, expected: &str) {
        let start = text.find(part).expect("the part is there");
        let span = Span {
            start,
            end: start + part.len(),
        };
        let diagnostic = Diagnostic {
            code: "E201",
            severity: Severity::Error,
            message: message.to_owned(),
            help: Some(help.to_owned()),
            file: "a.yaml".into(),
            span,
        };
        let edits: Vec<Edit> = edit(&diagnostic, text).into_iter().collect();
        assert_eq!(applied(text, &edits), expected);
    }

    #[test]
    fn only_the_misspelt_word_is_written_anew() {
        check(
            "if: event.anser == yes",
            "event.anser",
            "the event `e` has no field `anser`",
            "did you mean `answer`?",
            "if: event.answer == yes",
        );
        check(
            "if: steps.helo.replied",
            "steps.helo.replied",
            "there is no step `helo` above",
            "did you mean `hello`?",
            "if: steps.hello.replied",
        );
        check(
            "a: \"activ\"",
            "\"activ\"",
            "`activ` is not one of: trial, active",
            "did you mean `active`?",
            "a: \"active\"",
        );
    }

    #[test]
    fn what_is_not_sure_stays() {
        for (part, help) in [
            ("titel", "did you mean `title` or `titles`?"),
            ("30", "did you mean `30%`?"),
            ("arr", "did you mean `account.arr`?"),
            ("x", "for example `y`"),
        ] {
            let text = format!("a: {part} b");
            check(&text, part, &format!("there is no `{part}`"), help, &text);
        }
    }
}
