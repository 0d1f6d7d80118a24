//! `sottaku explain`: what a code means, why, and how to mend it.

use crate::arguments::Explain;
use crate::exit::Exit;
use crate::print::{Output, Printer};
use serde_json::{Value, json};
use workflow::diagnostic::{Example, Page, page, pages};

/// Prints one page, or the list of all.
pub(crate) fn run(arguments: &Explain) -> anyhow::Result<Exit> {
    let mut printer = Printer::new();
    match &arguments.code {
        Some(code) => one(&mut printer, code, arguments.output)?,
        None => all(&mut printer, arguments.output)?,
    }
    printer.flush()?;
    Ok(Exit::Done)
}

fn one(printer: &mut Printer, code: &str, output: Output) -> anyhow::Result<()> {
    let Some(page) = asked(code) else {
        anyhow::bail!("there is no code `{code}`; `sottaku explain` lists all there are");
    };
    match output {
        Output::Text => printer.line(format!("# {} {}\n\n{}", page.code, page.title, page.text))?,
        Output::Json => printer.json(&as_json(&page))?,
    }
    Ok(())
}

/// The page of a code; its number says enough.
fn asked(code: &str) -> Option<Page> {
    let number = code.trim_start_matches(['E', 'W', 'e', 'w']);
    page(code).or_else(|| pages().find(|page| &page.code[1..] == number))
}

fn all(printer: &mut Printer, output: Output) -> anyhow::Result<()> {
    for page in pages() {
        match output {
            Output::Text => printer.line(format!("{}  {}", page.code, page.title))?,
            Output::Json => printer.json(&as_json(&page))?,
        }
    }
    Ok(())
}

fn as_json(page: &Page) -> Value {
    json!({
        "code": page.code,
        "severity": page.severity(),
        "title": page.title,
        "meaning": page.meaning(),
        "wrong": examples(&page.wrong()),
        "right": examples(&page.right()),
    })
}

fn examples(all: &[Example]) -> Vec<Value> {
    let all = all.iter();
    all.map(|example| json!({"place": example.place, "text": example.text}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_its_number() {
        let found = |code: &str| asked(code).map(|page| page.code);
        assert_eq!(found("E402"), Some("E402"));
        assert_eq!(found("e402"), Some("E402"));
        assert_eq!(found("402"), Some("E402"));
        assert_eq!(found("E706"), Some("W706"));
        assert_eq!(found("E999"), None);
        assert_eq!(found("E"), None);
    }

    #[test]
    fn no_two_codes_share_a_number() {
        let mut numbers: Vec<&str> = pages().map(|page| &page.code[1..]).collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }
}
