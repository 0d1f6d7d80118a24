//! A maildir into which a mail server puts what comes back: each mail is read once and moved to `cur`, seen.

use super::receive;
use crate::shared::Shared;
use ingest::mail::MAIL_BYTES_MAX;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::fs;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);
/// Mails of one look.
const MAILS_MAX: usize = 500;

/// Looks into the maildir until it is told to stop.
pub(super) async fn watch(folder: PathBuf, shared: Shared, stop: CancellationToken) {
    let mut is_well = true;
    loop {
        let looked = look(&folder, &shared).await;
        if let Err(error) = &looked
            && is_well
        {
            let folder = folder.display().to_string();
            tracing::error!(folder, %error, "the maildir can't be read; looking again");
        }
        is_well = looked.is_ok();
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Takes what is new, oldest first; what the store does not take now stays.
pub(super) async fn look(folder: &Path, shared: &Shared) -> std::io::Result<()> {
    let mut names = Vec::new();
    let mut entries = fs::read_dir(folder.join("new")).await?;
    while let Some(entry) = entries.next_entry().await? {
        names.push(entry.file_name());
        if names.len() >= MAILS_MAX {
            break;
        }
    }
    names.sort();
    for name in names {
        let path = folder.join("new").join(&name);
        let bytes = match read(&path).await {
            Ok(bytes) => bytes,
            // Another process took it.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if let Err(failure) = receive(shared, &[], &bytes).await {
            return Err(std::io::Error::other(failure.to_string()));
        }
        let mut seen = name;
        seen.push(":2,S");
        match fs::rename(&path, folder.join("cur").join(seen)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// A mail, and one byte more than is read of any, so that a longer one is known.
async fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(MAIL_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = fs::File::open(path).await?;
    file.take(limit + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}
