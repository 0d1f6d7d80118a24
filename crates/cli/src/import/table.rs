//! Importing tables: each row a fact, its cells by the types that the workspace declares.

use super::rejects::Rejects;
use super::{PAGE, Tally, append, bar, begin};
use crate::arguments::Import;
use crate::workspace;
use anyhow::{Context, bail};
use indicatif::ProgressBar;
use ingest::Rules;
use ingest::csv::{BadCell, Encoding, FileKind, Row, Rows, Table, Text};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use store::Store;
use workflow::Program;
use workflow::program::Field;

/// The most rows of one file: what names equal rows is kept in memory.
const ROWS_MAX: u64 = 20_000_000;

/// A file to read, and how.
pub(super) struct Reading<'a> {
    pub(super) path: &'a Path,
    pub(super) rules: Rules,
    pub(super) program: &'a Program,
    pub(super) encoding: Encoding,
    pub(super) kind: Option<FileKind>,
}

/// Whether a file holds rows and cells, by its name.
pub(super) fn is_table(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

/// The workspace whose schema types the cells: the one named, the one applied, or the one here.
pub(super) async fn program(
    arguments: &Import,
    store: Option<&Store>,
) -> anyhow::Result<Box<Program>> {
    let applied = match (&arguments.dir, store) {
        (Some(dir), _) => Some(workspace::read(dir)?),
        (None, Some(store)) => server::applied_files(store).await?,
        (None, None) => match arguments.place.existing().await {
            Ok(store) => server::applied_files(&store).await?,
            Err(_) => None,
        },
    };
    let here = Path::new(".");
    let files = match applied {
        Some(files) => files,
        None if here.join("workflows").is_dir() => workspace::read(here)?,
        None => bail!(
            "the types of the columns are not known: `--dir DIR` names the workspace, the folder that holds `workflows`"
        ),
    };
    let program = workflow::check(&files).program;
    program
        .map(Box::new)
        .context("the workspace has mistakes; `sottaku check` shows them")
}

/// Reads a file without a store.
pub(super) fn dry(reading: &Reading<'_>, tally: &mut Tally) -> anyhow::Result<()> {
    let typing = |kind: &str, field: &str, text: &str| typed(reading.program, kind, field, text);
    let file = File::open(reading.path).with_context(|| reading.name())?;
    let mut rows = reading.rows(file);
    let Some((mut table, _)) = reading.table(&mut rows, &typing, tally)? else {
        return Ok(());
    };
    for row in rows {
        let row = row.with_context(|| reading.name())?;
        match table.fact(&row) {
            Ok(fact) => tally.count(&fact.json)?,
            Err(bad) => tally.refuse_row(reading.path, &bad),
        }
    }
    Ok(())
}

/// Imports a file, from where it was cut off.
pub(super) async fn file(
    store: &Store,
    reading: Reading<'_>,
    again: bool,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let name = reading.name();
    let mut progress = begin(store, reading.path, again).await?;
    let done = progress.done;
    let typing = |kind: &str, field: &str, text: &str| typed(reading.program, kind, field, text);
    let file = File::open(reading.path).with_context(|| name.clone())?;
    let bar = bar(
        file.metadata()?.len(),
        0,
        &reading.path.display().to_string(),
    );
    let mut rows = reading.rows(bar.wrap_read(file));
    let Some((mut table, header)) = reading.table(&mut rows, &typing, tally)? else {
        bar.finish_and_clear();
        return Ok(());
    };
    // The file is read from its beginning even where it was cut off: equal rows are counted, and refused ones kept anew.
    let mut rejects =
        Rejects::beside(reading.path, "csv", false).of_table(&header, reading.encoding);
    let mut page = Vec::with_capacity(PAGE);
    let mut count = 0;
    for row in rows {
        let row = row.with_context(|| name.clone())?;
        count += 1;
        if count > ROWS_MAX {
            bail!("{name}: more than {ROWS_MAX} rows; split it");
        }
        let is_new = row.next_offset > done;
        match table.fact(&row) {
            Ok(fact) if is_new => {
                tally.count(&fact.json)?;
                page.extend(server::log_facts(store, &fact, Timestamp::now()));
            }
            Ok(_) => {}
            Err(bad) => {
                told(&bar, || tally.refuse_row(reading.path, &bad));
                rejects.keep(&row.raw)?;
            }
        }
        progress.done = progress.done.max(row.next_offset);
        if page.len() >= PAGE {
            append(store, &mut page, &mut progress).await?;
        }
    }
    progress.finished_at = Some(Timestamp::now());
    append(store, &mut page, &mut progress).await?;
    bar.finish_and_clear();
    rejects.end()
}

/// Says something beside the progress bar.
fn told(bar: &ProgressBar, say: impl FnOnce()) {
    bar.suspend(say);
}

/// A table's header as it stands in the file, and the table.
type Headed<'t> = (Table<'t>, Box<str>);

impl Reading<'_> {
    fn name(&self) -> String {
        format!("reading {}", self.path.display())
    }

    fn rows<R: Read>(&self, file: R) -> Rows<R> {
        Rows::new(Text::new(file, self.encoding))
    }

    /// Reads the header; none: it was told what is wrong with it.
    fn table<'t, R: Read>(
        &self,
        rows: &mut Rows<R>,
        typing: &'t ingest::csv::Typing<'t>,
        tally: &mut Tally,
    ) -> anyhow::Result<Option<Headed<'t>>> {
        let shown = self.path.display();
        let file_name = self.path.file_name().map(|name| name.to_string_lossy());
        let by_name = file_name.and_then(|name| FileKind::of_name(&name));
        let Some(kind) = self.kind.or(by_name) else {
            bail!(
                "{shown}: the name does not say what the rows are (accounts, contacts, contracts, csms or events); `--kind` says it"
            );
        };
        let Some(header) = rows.next().transpose().with_context(|| self.name())? else {
            bail!("{shown} is empty; its first line names the columns");
        };
        match Table::new(kind, &header, self.rules, typing) {
            Ok(table) => {
                self.note_unknown(kind, &header, &table);
                Ok(Some((table, header.raw)))
            }
            Err(bad) => {
                tally.refuse_row(self.path, &[bad]);
                Ok(None)
            }
        }
    }

    /// Columns that nothing is declared for are taken as text, and counted by name when the facts are read.
    fn note_unknown(&self, kind: FileKind, header: &Row, table: &Table<'_>) {
        let line = header.cells.first().map_or(1, |cell| cell.line);
        let schema = &self.program.schema;
        for (name, column) in table.fields() {
            let is_known = match kind.entity() {
                Some(entity) => {
                    fields(self.program, entity).is_some_and(|all| all.contains_key(name))
                }
                None => schema
                    .events
                    .values()
                    .any(|event| event.fields.contains_key(name)),
            };
            if !is_known {
                let shown = self.path.display();
                anstream::eprintln!("{shown}:{line}:{column}: note: no field `{name}` is declared");
            }
        }
    }
}

impl Tally {
    fn refuse_row(&mut self, path: &Path, bad: &[BadCell]) {
        self.refused += 1;
        for cell in bad {
            let (line, column, why) = (cell.line, cell.column, &cell.why);
            anstream::eprintln!("{}:{line}:{column}: {why}", path.display());
        }
    }
}

/// The fields of an entity, or of an event's type.
fn fields<'p>(program: &'p Program, kind: &str) -> Option<&'p BTreeMap<Box<str>, Field>> {
    let schema = &program.schema;
    Some(match kind {
        "account" => &schema.account.fields,
        "contact" => &schema.contact.fields,
        "contract" => &schema.contract.fields,
        "csm" => &schema.csm.fields,
        event => &schema.events.get(event)?.fields,
    })
}

fn typed(program: &Program, kind: &str, field: &str, text: &str) -> Result<Value, Box<str>> {
    match fields(program, kind).and_then(|fields| fields.get(field)) {
        Some(declared) => engine::fold::from_text(field, declared, text),
        None => Ok(Value::from(text)),
    }
}
