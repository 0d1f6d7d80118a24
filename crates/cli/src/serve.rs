//! `sottaku serve`: takes facts in, decides, sends, until it is told to stop.

use crate::arguments::Serve;
use crate::exit::Exit;
use crate::workspace;
use anyhow::Context;
use server::{Clock, Roles, Server};
use std::io::IsTerminal;
use store::Store;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Runs until SIGTERM or ctrl-c.
pub(crate) fn run(arguments: &Serve) -> anyhow::Result<Exit> {
    log_to_stderr("info");
    let config = arguments.place.settings()?;
    runtime()?.block_on(async {
        let opened = server::open_or_make(&config).await;
        let store =
            opened.with_context(|| format!("opening the store {}", config.store.shown()))?;
        compare(&store, arguments).await?;
        let server = Server::start(config, store.clone(), Clock::wall(), Roles::ALL).await?;
        if let Some(address) = server.address() {
            tracing::info!(%address, "listening");
        }
        stop_signal().await?;
        tracing::info!("stopping: what is under way is finished first");
        server.stop().await;
        store.close().await;
        Ok(Exit::Done)
    })
}

/// Says when nothing was applied yet, and when the files differ from what was.
async fn compare(store: &Store, arguments: &Serve) -> anyhow::Result<()> {
    let applied = server::applied_files(store).await?;
    if let Some(files) = &applied {
        let aside = workflow::check(files).not_yet;
        if !aside.is_empty() {
            tracing::warn!(workflows = %aside.join(", "), "set aside, since they use what is still to come");
        }
    }
    match (&applied, &arguments.dir) {
        (None, _) => tracing::warn!(
            "no workspace was applied: facts are taken in and not decided; `sottaku apply` does it"
        ),
        (Some(applied), Some(dir)) if *applied != workspace::read(dir)? => {
            tracing::warn!(dir = %dir.display(), "the files differ from what was applied; `sottaku apply` shows and does it");
        }
        (Some(_), _) => {}
    }
    Ok(())
}

/// Several threads: one for each core.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// Log lines go to standard error; TLS has one provider everywhere.
pub(crate) fn log_to_stderr(level: &str) {
    let filter = EnvFilter::new(format!("{level},sqlx=warn,hyper=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

/// Comes back when somebody wants the process to end.
pub(crate) async fn stop_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        pressed = tokio::signal::ctrl_c() => pressed?,
    }
    Ok(())
}
