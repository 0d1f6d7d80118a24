//! Watches a workspace: tells when its files were saved.

use anyhow::Context;
use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// An editor saves in several steps: they count as one.
const SETTLE: Duration = Duration::from_millis(200);

/// Lives as long as the watching shall.
pub(crate) struct Watch {
    saved: mpsc::Receiver<()>,
    _watcher: Debouncer<RecommendedWatcher, RecommendedCache>,
}

impl Watch {
    /// Watches `workflows` and `templates` in `dir`.
    pub(crate) fn start(dir: &Path) -> anyhow::Result<Self> {
        let (sender, saved) = mpsc::channel(1);
        let tell = move |events: DebounceEventResult| {
            let is_saved =
                events.is_ok_and(|events| events.iter().any(|event| !event.kind.is_access()));
            // A full channel holds the news already.
            if is_saved && sender.try_send(()).is_err() {}
        };
        let mut watcher = new_debouncer(SETTLE, None, tell).context("watching files")?;
        for folder in ["workflows", "templates"].map(|name| dir.join(name)) {
            if folder.is_dir() {
                watcher
                    .watch(&folder, RecursiveMode::Recursive)
                    .with_context(|| format!("watching {}", folder.display()))?;
            }
        }
        Ok(Self {
            saved,
            _watcher: watcher,
        })
    }

    /// Comes back when something was saved.
    pub(crate) async fn saved(&mut self) {
        if self.saved.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
