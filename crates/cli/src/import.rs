//! `sottaku import`: facts from files, as history or as news; cut off, it goes on where it was.

mod rejects;
mod table;

use crate::arguments::{As, Import};
use crate::check;
use crate::exit::Exit;
use crate::place::wait;
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use ingest::{Line, Lines, Refused, Rules};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use model::Fact;
use model::fact::HISTORY_ENDED;
use rejects::Rejects;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use store::{ClockMode, ImportFile, NewFact, Store};

/// Facts written in one transaction.
const PAGE: usize = 1_000;

/// Imports each file, or says what is wrong with it.
pub(crate) fn run(arguments: &Import) -> anyhow::Result<Exit> {
    wait(import(arguments))
}

/// What an import counted.
#[derive(Default)]
struct Tally {
    taken: usize,
    refused: usize,
    earliest: BTreeMap<Box<str>, Date>,
}

async fn import(arguments: &Import) -> anyhow::Result<Exit> {
    let store = if arguments.dry_run {
        None
    } else {
        Some(arguments.place.existing_or_new().await?)
    };
    let is_log_clock = match &store {
        Some(store) => store.clock() == ClockMode::Log,
        None => arguments.log_clock,
    };
    let rules = Rules {
        is_log_clock,
        marks_history: arguments.r#as == As::History,
    };
    let mut tally = Tally::default();
    let mut program = None;
    for path in &arguments.files {
        if table::is_table(path) {
            let program = match &mut program {
                Some(program) => program,
                None => program.insert(table::program(arguments, store.as_ref()).await?),
            };
            let reading = table::Reading {
                path,
                rules,
                program,
                encoding: arguments.encoding.into(),
                kind: arguments.kind.map(Into::into),
            };
            match &store {
                Some(store) => table::file(store, reading, arguments.again, &mut tally).await?,
                None => table::dry(&reading, &mut tally)?,
            }
            continue;
        }
        match &store {
            Some(store) => one_file(store, path, rules, arguments.again, &mut tally).await?,
            None => dry(path, rules, &mut tally)?,
        }
    }
    if let (Some(store), As::History) = (&store, arguments.r#as) {
        end_history(store, &arguments.files).await?;
    }
    anstream::eprintln!(
        "{} {}, {} refused",
        check::count(tally.taken, "fact"),
        if arguments.dry_run {
            "would be taken"
        } else {
            "taken"
        },
        tally.refused
    );
    for (kind, day) in &tally.earliest {
        anstream::eprintln!("  {kind}: the earliest is of {day} (for `complete_since`)");
    }
    Ok(if tally.refused == 0 {
        Exit::Done
    } else {
        Exit::Found
    })
}

fn dry(path: &Path, rules: Rules, tally: &mut Tally) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    for line in Lines::new(BufReader::new(file), rules) {
        let line = line.with_context(|| format!("reading {}", path.display()))?;
        match &line.fact {
            Ok(new) => tally.count(&new.json)?,
            Err(refused) => tally.refuse(path, &line, refused),
        }
    }
    Ok(())
}

async fn one_file(
    store: &Store,
    path: &Path,
    rules: Rules,
    again: bool,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let name = path.display().to_string();
    let mut progress = begin(store, path, again).await?;
    let done = progress.done;
    let mut file = File::open(path).with_context(|| format!("reading {name}"))?;
    let bytes = file.metadata()?.len();
    let lines_before = count_lines(&mut file, done)?;
    let bar = bar(bytes, done, &name);
    let mut rejects = Rejects::beside(path, "ndjson", done > 0);
    let mut page = Vec::with_capacity(PAGE);
    for line in Lines::resume(BufReader::new(file), rules, done, lines_before) {
        let line = line.with_context(|| format!("reading {name}"))?;
        match &line.fact {
            Ok(new) => {
                tally.count(&new.json)?;
                page.extend(server::log_facts(store, new, Timestamp::now()));
            }
            Err(refused) => {
                tally.refuse(path, &line, refused);
                rejects.keep(&refused.raw)?;
            }
        }
        progress.done = line.next_offset;
        if page.len() >= PAGE {
            append(store, &mut page, &mut progress).await?;
            bar.set_position(progress.done);
        }
    }
    progress.done = bytes;
    progress.finished_at = Some(Timestamp::now());
    append(store, &mut page, &mut progress).await?;
    bar.finish_and_clear();
    rejects.end()
}

/// How far a file is, which was perhaps cut off; one that was imported to its end is refused.
async fn begin(store: &Store, path: &Path, again: bool) -> anyhow::Result<ImportFile> {
    let name = path.display().to_string();
    let hash = hash(path)?;
    let known = store.import_file(&hash).await?;
    let is_finished = |file: &ImportFile| file.finished_at.is_some();
    if known.as_ref().is_some_and(is_finished) && !again {
        bail!("{name} was imported before, to its end; `--again` imports it once more");
    }
    let cut = known.filter(|file| !is_finished(file));
    Ok(ImportFile {
        hash: hash.into(),
        name: name.into(),
        done: cut.map_or(0, |file| file.done),
        updated_at: Timestamp::now(),
        finished_at: None,
    })
}

async fn append(
    store: &Store,
    page: &mut Vec<NewFact>,
    progress: &mut ImportFile,
) -> anyhow::Result<()> {
    progress.updated_at = Timestamp::now();
    store
        .append_import(std::mem::take(page), progress.clone())
        .await?;
    Ok(())
}

/// The imported history of every account ends here.
async fn end_history(store: &Store, files: &[PathBuf]) -> anyhow::Result<()> {
    let arrived_at = Timestamp::now();
    let fact = Fact {
        specversion: "1.0".into(),
        id: format!("history-ended-{arrived_at}-{}", files.len()).into(),
        source: "sottaku/import".into(),
        kind: HISTORY_ENDED.into(),
        subject: None,
        time: None,
        is_history: false,
        arrived_at: None,
        data: serde_json::Map::new(),
    };
    let json: Box<str> = serde_json::to_string(&fact)?.into();
    let facts = (0..store.shards())
        .map(|shard| NewFact {
            shard,
            arrived_at,
            json: json.clone(),
        })
        .collect();
    store
        .append(store::Incoming {
            facts,
            parked: Vec::new(),
        })
        .await?;
    Ok(())
}

impl Tally {
    fn count(&mut self, json: &str) -> anyhow::Result<()> {
        self.taken += 1;
        let fact: Fact = serde_json::from_str(json).context("an own fact must read back")?;
        if let Some(time) = fact.time {
            let day = time.to_zoned(TimeZone::UTC).date();
            let earliest = self.earliest.entry(fact.kind).or_insert(day);
            *earliest = day.min(*earliest);
        }
        Ok(())
    }

    fn refuse(&mut self, path: &Path, line: &Line, refused: &Refused) {
        self.refused += 1;
        let parked = &refused.parked;
        let (file, number, column) = (path.display(), line.number, refused.column);
        anstream::eprintln!(
            "{file}:{number}:{column}: {}: {}",
            parked.code.as_str(),
            parked.message
        );
    }
}

fn hash(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut file, &mut hasher).with_context(|| format!("reading {}", path.display()))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// How many lines stand before byte `offset`; leaves the file there.
fn count_lines(file: &mut File, offset: u64) -> anyhow::Result<u64> {
    let mut lines = 0;
    let mut reader = BufReader::new((&mut *file).take(offset));
    let mut buffer = [0; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        lines += buffer[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    file.seek(SeekFrom::Start(offset))?;
    Ok(lines)
}

fn bar(bytes: u64, done: u64, name: &str) -> ProgressBar {
    let bar = ProgressBar::new(bytes).with_message(name.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes} {eta}")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_position(done);
    bar
}
