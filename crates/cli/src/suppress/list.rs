//! Lists of suppressed addresses as other programs write them: CSV with a header, or NDJSON.

use anyhow::{Context, anyhow, bail};
use jiff::Timestamp;
use serde_json::Value;
use store::{Reason, Scope};

/// A row of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) address: String,
    pub(super) scope: Scope,
    pub(super) reason: Reason,
    pub(super) at: Option<Timestamp>,
}

/// A row, or why it is none, with its line.
pub(super) type Numbered = (usize, anyhow::Result<Row>);

/// Every row of a list.
pub(super) fn rows(text: &str, fallback: &Scope) -> anyhow::Result<Vec<Numbered>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim().is_empty());
    if text.trim_start().starts_with('{') {
        let row = |(number, line)| (number, of_json(line, fallback));
        return Ok(lines.map(row).collect());
    }
    let (_, header) = lines.next().context("the list is empty")?;
    let header: Vec<String> = fields(header)
        .iter()
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let place = |names: &[&str]| header.iter().position(|name| names.contains(&&**name));
    let address = place(&["address", "email", "e-mail", "email address"])
        .context("the first line must name the columns, one of them `address` or `email`")?;
    let (scope, reason, at) = (place(&["scope"]), place(&["reason"]), place(&["at"]));
    let row = |(number, line): (usize, &str)| {
        let fields = fields(line);
        let field = |place: Option<usize>| {
            let field = place.and_then(|place| fields.get(place));
            field
                .map(|field| field.trim())
                .filter(|field| !field.is_empty())
        };
        let address = field(Some(address)).ok_or_else(|| anyhow!("there is no address"));
        let row = address
            .and_then(|address| build((address, field(scope), field(reason), field(at)), fallback));
        (number, row)
    };
    Ok(lines.map(row).collect())
}

fn of_json(line: &str, fallback: &Scope) -> anyhow::Result<Row> {
    let value: Value = serde_json::from_str(line)?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let address = text("address").or_else(|| text("email"));
    let address = address.context("there is no `address`")?;
    build(
        (address, text("scope"), text("reason"), text("at")),
        fallback,
    )
}

type Words<'w> = (&'w str, Option<&'w str>, Option<&'w str>, Option<&'w str>);

fn build((address, scope, reason, at): Words<'_>, fallback: &Scope) -> anyhow::Result<Row> {
    let scope = match scope {
        Some(word) => Scope::parse(word).with_context(|| {
            format!("`{word}` is not `all`, `leavable`, `promotional` or `topic:NAME`")
        })?,
        None => fallback.clone(),
    };
    let reason = match reason.map(|word| (word, Reason::parse(word))) {
        None => Reason::Imported,
        Some((_, Some(reason))) => reason,
        Some((word, None)) => bail!(
            "there is no reason `{word}`; leave it out, or write one of unsubscribed, bounced, complained, by_hand, imported, erased"
        ),
    };
    let at = at.map(|at| {
        at.parse::<Timestamp>()
            .with_context(|| format!("`{at}` is no time such as 2026-01-13T09:00:00Z"))
    });
    Ok(Row {
        address: address.to_owned(),
        scope,
        reason,
        at: at.transpose()?,
    })
}

/// The fields of a line: commas, and quotes around what holds one.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        let Some(last) = fields.last_mut() else { break };
        match sign {
            '"' if is_quoted && signs.peek() == Some(&'"') => {
                signs.next();
                last.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            other => last.push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_lists_are_read_and_bad_rows_have_their_line() {
        let csv = "\u{feff}Name,Email,scope,reason,at\n\"Tanaka, T\",a@x.example,,,\n\n,b@x.example,topic:news,bounced,2026-01-13T00:00:00Z\n,,,,\n,c@x.example,nothing,,\n";
        let json = "{\"address\":\"a@x.example\"}\n{\"email\":\"b@x.example\",\"scope\":\"topic:news\",\"reason\":\"bounced\",\"at\":\"2026-01-13T00:00:00Z\"}\n{}\n{\"address\":\"c\",\"reason\":\"mood\"}\n";
        for (text, lines) in [(csv, [2, 4, 5, 6]), (json, [1, 2, 3, 4])] {
            let rows = rows(text, &Scope::Leavable).expect("a list");
            assert_eq!(rows.iter().map(|(n, _)| *n).collect::<Vec<_>>(), lines);
            let first = rows[0].1.as_ref().expect("a row");
            assert_eq!(
                (&*first.address, &first.scope),
                ("a@x.example", &Scope::Leavable)
            );
            assert_eq!((first.reason, first.at), (Reason::Imported, None));
            let second = rows[1].1.as_ref().expect("a row");
            assert_eq!(second.scope, Scope::Topic("news".into()));
            assert_eq!(second.reason, Reason::Bounced);
            assert!(second.at.is_some() && rows[2].1.is_err() && rows[3].1.is_err());
        }
        assert!(rows("a@x.example\n", &Scope::All).is_err(), "no header");
    }
}
