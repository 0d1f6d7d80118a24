//! Writing mended files: whole or not at all, and only over what was read.

use anyhow::{Context, bail};
use std::fs;
use std::io::Write;
use std::path::Path;
use workflow::Files;
use workflow::mend::Mended;

/// Writes the mended files of the workspace in `dir`, each in one move.
pub(crate) fn write(dir: &Path, before: &Files, mended: &Mended) -> anyhow::Result<()> {
    for (file, text) in &mended.files {
        let path = dir.join(&**file);
        // A link stays a link: what it leads to is written.
        let path = fs::canonicalize(&path).with_context(|| format!("finding {file}"))?;
        let now = fs::read(&path).with_context(|| format!("reading {file}"))?;
        if before.get(file).is_none_or(|text| text.as_bytes() != now) {
            bail!("{file} was changed meanwhile; check it again");
        }
        replace(&path, text).with_context(|| format!("writing {file}"))?;
    }
    Ok(())
}

/// Puts `text` in place of the file: written beside it, then moved over it.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().context("a file stands in a folder")?;
    let name = path.file_name().context("a file has a name")?;
    let beside = folder.join(format!(
        ".{}.{}.sottaku",
        name.to_string_lossy(),
        std::process::id()
    ));
    let written = written(&beside, path, text).and_then(|()| Ok(fs::rename(&beside, path)?));
    if written.is_err() && beside.exists() {
        fs::remove_file(&beside)?;
    }
    written
}

fn written(beside: &Path, path: &Path, text: &str) -> anyhow::Result<()> {
    let rights = fs::metadata(path)?.permissions();
    let mut file = fs::File::create_new(beside)?;
    file.set_permissions(rights)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(name: &str, text: &str) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("sottaku-mend-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a folder");
        fs::write(dir.join("a.yaml"), text).expect("a file");
        dir
    }

    fn mended() -> Mended {
        Mended {
            edits: Vec::new(),
            files: Files::from([("a.yaml".into(), "new".into())]),
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let dir = workspace("whole", "old");
        let before = Files::from([("a.yaml".into(), "old".into())]);
        write(&dir, &before, &mended()).expect("it is written");
        assert_eq!(
            fs::read_to_string(dir.join("a.yaml")).expect("a text"),
            "new"
        );
        assert_eq!(fs::read_dir(&dir).expect("a list").count(), 1);
        fs::remove_dir_all(&dir).expect("it goes");
    }

    #[test]
    fn what_was_changed_meanwhile_is_left_alone() {
        let dir = workspace("meanwhile", "newer");
        let before = Files::from([("a.yaml".into(), "old".into())]);
        assert!(write(&dir, &before, &mended()).is_err());
        assert_eq!(
            fs::read_to_string(dir.join("a.yaml")).expect("a text"),
            "newer"
        );
        fs::remove_dir_all(&dir).expect("it goes");
    }
}
