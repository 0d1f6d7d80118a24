//! Cases: `match` and its ways.

use super::Notes;
use super::branch::block;
use super::desk::Desk;
use super::expression::expression;
use super::keys::is_map;
use super::step::Place;
use super::value::short;
use crate::diagnostic::nearest;
use crate::expression::{Want, surely};
use crate::program::{Expr, PickList, Type, Verb};
use crate::yaml::Node;
use std::sync::Arc;

/// Reads a `match`.
pub(crate) fn cases(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    place: &Place<'_, '_>,
    id: Option<&str>,
) -> Option<Verb> {
    let value = expression(notes, place.value, &desk.scope, &Want::Anything);
    let words = value
        .as_ref()
        .and_then(|value| words_of(notes, place, value));
    if let Some(id) = id {
        desk.pass(place.survey, id);
    }
    let cases = place.keys.need(notes, "cases");
    let cases = cases.filter(|cases| is_map(notes, cases, "`cases`"));
    if let (Some(cases), Some(words)) = (cases, &words) {
        check_cases(notes, place, cases, words);
    }
    let learnt = value.as_ref().map(surely).unwrap_or_default();
    let mut read = Some(Vec::new());
    for case in cases.map_or(&[][..], Node::entries) {
        let steps = block(notes, desk, (&case.value, &learnt), place);
        match (steps, &mut read) {
            (Some(steps), Some(list)) => list.push((case.key.clone(), steps)),
            (Some(_), None) => {}
            (None, _) => read = None,
        }
    }
    let otherwise = match place.keys.get(notes, "otherwise") {
        Some(steps) => block(notes, desk, (steps, &[]), place),
        None => Some(Vec::new()),
    };
    words?;
    cases?;
    Some(Verb::Match {
        value: value?,
        cases: read?,
        otherwise: otherwise?,
    })
}

/// The words that the cases are about; E301 for what is no pick-list.
fn words_of(notes: &mut Notes, place: &Place<'_, '_>, value: &Expr) -> Option<Arc<PickList>> {
    match &value.ty {
        Type::Word(words) => Some(words.clone()),
        Type::Bool
        | Type::Number
        | Type::Percent
        | Type::Money
        | Type::Text
        | Type::Date
        | Type::Time
        | Type::Contact
        | Type::List(_) => {
            let message = "`match` needs a pick-list, a label or a category";
            notes.error("E301", place.value.span, message);
            None
        }
    }
}

/// E304 for a case that is no word, E502 for words without a case.
fn check_cases(notes: &mut Notes, place: &Place<'_, '_>, cases: &Node, words: &PickList) {
    for case in cases.entries() {
        if words.words.contains(&case.key) {
            continue;
        }
        let all: Vec<&str> = words.words.iter().map(|word| &**word).collect();
        let help =
            nearest(&case.key, all.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let message = format!("`{}` is not one of: {}", short(&case.key), all.join(", "));
        notes.error_help("E304", case.key_span, message, help);
    }
    if place.keys.has("otherwise") {
        return;
    }
    let has = |word: &str| cases.entries().iter().any(|case| *case.key == *word);
    let missing: Vec<&str> = words
        .words
        .iter()
        .map(|word| &**word)
        .filter(|word| !has(word))
        .collect();
    if !missing.is_empty() {
        let message = format!("these cases are missing: {}", missing.join(", "));
        notes.error_help(
            "E502",
            place.value.span,
            message,
            "add them, or `otherwise: []`".to_owned(),
        );
    }
}
