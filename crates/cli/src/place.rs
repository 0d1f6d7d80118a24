//! Where the store is: the settings file, the options, and the store opened by them.

use anyhow::Context;
use clap::Args;
use server::config::{Config, StorePlace};
use std::path::{Path, PathBuf};
use store::Store;

/// Read if it is there and no other is named.
const SETTINGS: &str = "sottaku.yaml";

/// Options of every command that works on a store.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// The settings file [default: sottaku.yaml, if there is one].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The store's file, instead of the one in the settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
}

impl Place {
    /// The settings, with the options laid over them.
    pub(crate) fn settings(&self) -> anyhow::Result<Config> {
        let default = Path::new(SETTINGS);
        let file = self
            .config
            .as_deref()
            .or_else(|| default.is_file().then_some(default));
        let mut config = Config::load(file)?;
        if let Some(store) = &self.store {
            config.store = StorePlace::given(store)?;
        }
        Ok(config)
    }

    /// The store; made by the settings if there is none.
    pub(crate) async fn existing_or_new(&self) -> anyhow::Result<Store> {
        let config = self.settings()?;
        let opened = server::open_or_make(&config).await;
        opened.with_context(|| format!("opening the store {}", config.store.shown()))
    }

    /// The store, which must be there already.
    pub(crate) async fn existing(&self) -> anyhow::Result<Store> {
        let config = self.settings()?;
        server::open_existing(&config).await.with_context(|| {
            format!(
                "opening the store {}; `--store FILE` names another",
                config.store.shown()
            )
        })
    }
}

/// Runs what waits, on one thread.
pub(crate) fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}
