//! `sottaku schema`: the JSON Schemas of files, and what came in that the workspace's own schema does not know.

use crate::arguments::{Schema, SchemaCommand, SchemaUnknown};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use anyhow::Context;
use serde_json::json;
use std::path::Path;
use workflow::file_kind::FileKind;

/// Prints a schema, writes all of them, or prints what is unknown.
pub(crate) fn run(arguments: &Schema) -> anyhow::Result<Exit> {
    match (&arguments.command, &arguments.out) {
        (Some(SchemaCommand::Workflow), _) => show(FileKind::Workflow),
        (Some(SchemaCommand::Definitions), _) => show(FileKind::Definitions),
        (Some(SchemaCommand::Test), _) => show(FileKind::Test),
        (Some(SchemaCommand::Holidays), _) => show(FileKind::Holidays),
        (Some(SchemaCommand::Template), _) => show(FileKind::Template),
        (Some(SchemaCommand::Unknown(unknown)), _) => wait(print(unknown)),
        (None, Some(dir)) => write(dir),
        (None, None) => show_all(),
    }
}

/// Prints the schemas of all kinds as one object, each under its kind.
fn show_all() -> anyhow::Result<Exit> {
    let mut printer = Printer::new();
    printer.text(all())?;
    printer.flush()?;
    Ok(Exit::Done)
}

fn all() -> String {
    let each = FileKind::ALL.map(|kind| {
        let schema = kind.json_schema().trim_end();
        format!("\"{}\": {schema}", kind.name())
    });
    format!("{{\n{}\n}}\n", each.join(",\n"))
}

fn show(kind: FileKind) -> anyhow::Result<Exit> {
    let mut printer = Printer::new();
    printer.text(kind.json_schema())?;
    printer.flush()?;
    Ok(Exit::Done)
}

/// Writes the schemas of all kinds into `dir`; those of an earlier version are replaced.
fn write(dir: &Path) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let mut printer = Printer::new();
    for kind in FileKind::ALL {
        let path = dir.join(format!("{}.schema.json", kind.name()));
        std::fs::write(&path, kind.json_schema())
            .with_context(|| format!("writing {}", path.display()))?;
        printer.line(path.display())?;
    }
    printer.flush()?;
    Ok(Exit::Done)
}

async fn print(arguments: &SchemaUnknown) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let mut printer = Printer::new();
    for row in store.rejects().await? {
        match arguments.output {
            Output::Json => printer.json(&json!({
                "code": row.code, "name": row.name, "count": row.count, "sample": row.sample,
                "first_at": row.first_at, "last_at": row.last_at,
            }))?,
            Output::Text => {
                let (code, name, count) = (&row.code, &row.name, row.count);
                printer.line(format!(
                    "{code}  {name}  {count} times, last {}; for example {}",
                    row.last_at, row.sample
                ))?;
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_are_one_object() {
        let all: serde_json::Value = serde_json::from_str(&all()).expect("it is JSON");
        for kind in FileKind::ALL {
            let own: serde_json::Value =
                serde_json::from_str(kind.json_schema()).expect("it is JSON");
            assert_eq!(all[kind.name()], own);
        }
    }

    #[test]
    fn every_kind_is_written_under_its_name_and_again_over_itself() {
        let dir = tempfile::tempdir().expect("a folder");
        let inner = dir.path().join("deep/schemas");
        for _ in 0..2 {
            assert_eq!(write(&inner).expect("they are written"), Exit::Done);
        }
        for kind in FileKind::ALL {
            let path = inner.join(format!("{}.schema.json", kind.name()));
            let text = std::fs::read_to_string(path).expect("it can be read");
            assert_eq!(text, kind.json_schema());
        }
        assert_eq!(std::fs::read_dir(&inner).expect("a list").count(), 5);
    }
}
