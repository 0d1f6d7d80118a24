//! Facts from files: `sottaku import --as news`, killed and started again where it likes it least.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Child;
use tokio::time::timeout;

use crate::load::Progress;
use crate::world::World;
use crate::{Dice, Failure, Product};

const FILES: usize = 8;
const TRIES_MAX: usize = 40;
/// Before a failed import is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// What importing came to.
#[derive(Debug, Default)]
pub struct Imported {
    /// How often it was killed.
    pub kills: usize,
}

/// Writes the facts that come from files, in order of their time, into some files.
///
/// # Errors
/// When a file can't be written.
pub fn write(world: &World, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let lines: Vec<&str> = world.told_from_files().map(|told| &*told.line).collect();
    let mut files = Vec::new();
    for (number, part) in lines.chunks(lines.len().div_ceil(FILES).max(1)).enumerate() {
        let mut text = String::new();
        for line in part {
            writeln!(text, "{line}").map_err(|error| crate::broken("a file of facts", &error))?;
        }
        let path = folder.join(format!("facts-{number}.ndjson"));
        std::fs::write(&path, text).map_err(Failure::io("writing a file of facts"))?;
        files.push(path);
    }
    Ok(files)
}

/// Imports one file after the other as telling goes on; afterwards two of them once more, of which nothing may count.
///
/// # Errors
/// When a file could not be imported though it was tried often.
pub async fn import(
    product: Product,
    files: Vec<PathBuf>,
    progress: Progress,
    mut dice: Dice,
) -> Result<Imported, Failure> {
    let mut imported = Imported::default();
    for (number, file) in files.iter().enumerate() {
        progress.reaches(number + 1, files.len() + 1).await;
        imported.kills += one(&product, &[file.as_path()], false, &mut dice).await?;
    }
    for file in files.iter().take(2) {
        imported.kills += one(&product, &[file.as_path()], true, &mut dice).await?;
    }
    Ok(imported)
}

/// Imports until it succeeds; how often it was killed.
async fn one(
    product: &Product,
    files: &[&Path],
    again: bool,
    dice: &mut Dice,
) -> Result<usize, Failure> {
    let mut kills = 0;
    let mut said = String::new();
    for tries in 0..TRIES_MAX {
        let mut arguments = vec!["import".to_owned(), "--as".to_owned(), "news".to_owned()];
        arguments.extend(again.then(|| "--again".to_owned()));
        arguments.extend(files.iter().map(|file| file.display().to_string()));
        let mut command = product.command(&arguments);
        command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped());
        let child = command
            .spawn()
            .map_err(Failure::io("starting the import"))?;
        // Twice in a row it is let through, so that it comes to an end.
        let patience = if kills < 2 {
            Duration::from_millis(50 + dice.below(900) as u64)
        } else {
            Duration::from_secs(300)
        };
        match ended(child, patience).await? {
            None => kills += 1,
            Some((true, _)) => return Ok(kills),
            // Cut off after its end was written: then it is known.
            Some((false, words)) if tries > 0 && words.contains("before") => return Ok(kills),
            // A server that it needs may be down.
            Some((false, words)) => {
                said = words;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Err(crate::broken(
        "the import",
        &format!("never came to its end: {said}"),
    ))
}

/// Whether it succeeded and what it said; none: it took too long and was killed.
async fn ended(child: Child, patience: Duration) -> Result<Option<(bool, String)>, Failure> {
    // Dropping the child kills it.
    match timeout(patience, child.wait_with_output()).await {
        Err(_) => Ok(None),
        Ok(output) => {
            let output = output.map_err(Failure::io("waiting for the import"))?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Ok(Some((output.status.success(), said)))
        }
    }
}
