//! Reads a workspace: the texts under `workflows/` and `templates/` of a folder.

use anyhow::{Context, bail};
use outreach::render::Templates;
use std::path::Path;
use workflow::Files;

/// More than this many files are no workspace but a mistake in the path.
const FILES_MAX: usize = 10_000;
/// A larger file is refused by the check; it is not even read.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Folders nest at most so deep.
const DEPTH_MAX: usize = 16;

/// All texts of the workspace in `dir`, by their path inside it.
pub(crate) fn read(dir: &Path) -> anyhow::Result<Files> {
    if !dir.join("workflows").is_dir() {
        bail!(
            "{} is not a workspace: it has no folder `workflows`. Name the folder that holds `workflows` and `templates`",
            dir.display()
        );
    }
    let mut files = Files::new();
    collect(dir, "workflows", 0, &mut files)?;
    if dir.join("templates").is_dir() {
        collect(dir, "templates", 0, &mut files)?;
    }
    Ok(files)
}

fn collect(dir: &Path, inside: &str, depth: usize, files: &mut Files) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        bail!("{inside} nests deeper than {DEPTH_MAX} folders");
    }
    let folder = dir.join(inside);
    let entries =
        std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{inside}/{name}");
        let kind = std::fs::metadata(entry.path()).with_context(|| format!("reading {path}"))?;
        if kind.is_dir() {
            collect(dir, &path, depth + 1, files)?;
        } else if is_read(&name) {
            files.insert(
                path.as_str().into(),
                text(&entry.path(), kind.len())?.into(),
            );
        }
        if files.len() > FILES_MAX {
            bail!("more than {FILES_MAX} files under {}", dir.display());
        }
    }
    Ok(())
}

fn is_read(name: &str) -> bool {
    [".yaml", ".yml", ".hbs"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn text(path: &Path, bytes: u64) -> anyhow::Result<String> {
    if bytes > FILE_BYTES_MAX {
        bail!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
    }
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))
}

/// The compiled templates of a program.
pub(crate) fn templates(program: &workflow::Program) -> anyhow::Result<Templates> {
    let texts = program
        .templates
        .values()
        .flat_map(|template| template.texts.values().cloned());
    Templates::new(texts).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the templates can't be used: {}", errors.join("; "))
    })
}
