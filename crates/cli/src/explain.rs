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
    let Some(page) = page(code) else {
        anyhow::bail!("there is no code `{code}`; `sottaku explain` lists all there are");
    };
    match output {
        Output::Text => printer.line(format!("# {} {}\n\n{}", page.code, page.title, page.text))?,
        Output::Json => printer.json(&as_json(&page))?,
    }
    Ok(())
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
