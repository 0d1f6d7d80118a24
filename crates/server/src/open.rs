//! Opens the store that the settings name, and its log if that is elsewhere.

use crate::Config;
use store::{OpenError, OpenOptions, Store};

/// The store; made by the settings if there is none.
pub async fn open_or_make(config: &Config) -> Result<Store, OpenError> {
    open(config, config.store_options()).await
}

/// The store, which must be there already.
pub async fn open_existing(config: &Config) -> Result<Store, OpenError> {
    let options = OpenOptions {
        must_exist: true,
        ..OpenOptions::default()
    };
    open(config, options).await
}

async fn open(config: &Config, options: OpenOptions) -> Result<Store, OpenError> {
    let store = config.store.open(options).await?;
    match &config.log {
        Some(log) => store.with_log(&log.kafka).await,
        None => Ok(store),
    }
}
