//! A field's value as people write it, in a cell of a CSV file or after `--set`, made into what facts carry.

use super::value::typed;
use jiff::civil::Date;
use model::Decimal;
use serde_json::Value as Json;
use workflow::program::{Field, FieldType};

/// Reads a value of a field; the error says what is wanted instead.
pub fn from_text(name: &str, field: &Field, text: &str) -> Result<Json, Box<str>> {
    let read = match &field.kind {
        FieldType::Number | FieldType::Money => number(text),
        FieldType::Percent => percent(text),
        FieldType::Boolean => boolean(text),
        FieldType::Date => date(text),
        FieldType::Text
        | FieldType::Time
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Contact
        | FieldType::Csm
        | FieldType::Pick(_) => Some(Json::from(text)),
    };
    read.filter(|json| typed(name, field, json).is_ok())
        .ok_or_else(|| wanted(name, &field.kind))
}

fn wanted(name: &str, kind: &FieldType) -> Box<str> {
    match kind {
        FieldType::Number | FieldType::Money => {
            "wants a number such as 3000000 or 0.5, without signs for thousands".into()
        }
        FieldType::Percent => "wants a share such as 60% or 0.6".into(),
        FieldType::Boolean => "wants true or false".into(),
        FieldType::Date => "wants a day such as 2026-05-10".into(),
        FieldType::Time => "wants a time with its offset, such as 2026-01-13T09:00:00+09:00".into(),
        FieldType::Text if name == "name" => {
            "wants a name of at most 4096 characters, without line breaks".into()
        }
        FieldType::Text => {
            "wants text of at most 4096 characters, without control characters".into()
        }
        FieldType::Email => "wants one e-mail address".into(),
        FieldType::Locale => "wants a language such as ja or en-GB".into(),
        FieldType::Timezone => "wants a zone such as Asia/Tokyo".into(),
        FieldType::Contact => "wants the id or the address of a contact".into(),
        FieldType::Csm => "wants the id of a CSM".into(),
        FieldType::Pick(list) => format!("wants one of {}", list.words.join(", ")).into(),
    }
}

fn number(text: &str) -> Option<Json> {
    let number: Decimal = text.parse().ok()?;
    Some(model::Value::Number(number).to_json())
}

/// `60%` and `0.6` are the same share.
fn percent(text: &str) -> Option<Json> {
    let Some(percent) = text.strip_suffix('%') else {
        return number(text);
    };
    let number: Decimal = percent.trim_end().parse().ok()?;
    let share = number.div(Decimal::from_count(100))?;
    Some(model::Value::Percent(share).to_json())
}

/// Spreadsheets write them in capitals.
fn boolean(text: &str) -> Option<Json> {
    if text.eq_ignore_ascii_case("true") {
        Some(Json::from(true))
    } else if text.eq_ignore_ascii_case("false") {
        Some(Json::from(false))
    } else {
        None
    }
}

/// `2026-05-10`, and `2026/5/10` as spreadsheets write it; never a day whose order could be doubted.
fn date(text: &str) -> Option<Json> {
    if !text.contains('/') {
        return Some(Json::from(text));
    }
    let mut parts = text.split('/').map(|part| part.parse::<i16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let is_whole = parts.next().is_none() && year >= 1000;
    let small = |number: i16| i8::try_from(number).ok();
    let date = Date::new(year, small(month)?, small(day)?).ok()?;
    is_whole.then(|| Json::from(date.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use workflow::program::PickList;

    fn read(kind: FieldType, text: &str) -> String {
        let field = Field {
            kind,
            is_required: false,
            is_written_by_workflows: false,
            is_personal: false,
            title: None,
        };
        from_text("x", &field, text).map_or_else(|why| why.into(), |json| json.to_string())
    }

    #[test]
    fn what_people_write_becomes_what_facts_carry() {
        for (kind, text, json) in [
            (FieldType::Number, "-12.5", "-12.5"),
            (FieldType::Money, "3000000", "3000000"),
            (FieldType::Percent, "60%", "0.6"),
            (FieldType::Percent, "0.6", "0.6"),
            (FieldType::Boolean, "TRUE", "true"),
            (FieldType::Date, "2026-05-10", "\"2026-05-10\""),
            (FieldType::Date, "2026/5/10", "\"2026-05-10\""),
            (FieldType::Text, "=1+1", "\"=1+1\""),
        ] {
            assert_eq!(read(kind, text), json, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_is_wanted() {
        let pick = FieldType::Pick(Arc::new(PickList {
            words: vec!["bad".into(), "good".into()],
            is_ordered: true,
        }));
        for (kind, text, part) in [
            (
                FieldType::Number,
                "3,000,000",
                "without signs for thousands",
            ),
            (FieldType::Number, "", "a number"),
            (FieldType::Percent, "60 percent", "a share"),
            (FieldType::Boolean, "yes", "true or false"),
            (FieldType::Date, "5/10/2026", "2026-05-10"),
            (FieldType::Date, "2026-02-30", "2026-05-10"),
            (FieldType::Time, "2026-01-13T09:00:00", "offset"),
            (FieldType::Email, "a b@c", "one e-mail address"),
            (FieldType::Timezone, "Tokyo", "Asia/Tokyo"),
            (pick, "Good", "bad, good"),
        ] {
            let said = read(kind, text);
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
