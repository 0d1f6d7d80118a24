//! `sottaku serve`: takes facts in, decides, sends, until it is told to stop.

use crate::arguments::{RoleName, Serve};
use crate::exit::Exit;
use crate::workspace;
use anyhow::Context;
use server::{Clock, Config, Refused, Roles, Server};
use std::io::IsTerminal;
use std::time::Duration;
use store::{OpenError, Store};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Between two tries to open a store that can't be reached.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Runs until SIGTERM or ctrl-c.
pub(crate) fn run(arguments: &Serve) -> anyhow::Result<Exit> {
    log_to_stderr("info");
    if let Some(safeguard) = model::teeth::left_out() {
        tracing::error!(safeguard, "a safeguard is left out: this is a trial");
    }
    let config = arguments.place.settings()?;
    runtime()?.block_on(async {
        // Heard from the beginning on: who is told to end while the store is opened ends.
        let mut stop = std::pin::pin!(stop_signal());
        let store = tokio::select! {
            store = opened(&config) => store?,
            stopped = &mut stop => return stopped.map(|()| Exit::Done),
        };
        compare(&store, arguments).await?;
        let server = Server::start(config, store.clone(), Clock::wall(), roles(arguments)).await?;
        if let Some(address) = server.address() {
            tracing::info!(%address, "listening");
        }
        stop.await?;
        tracing::info!("stopping: what is under way is finished first");
        server.stop().await;
        store.close().await;
        Ok(Exit::Done)
    })
}

fn roles(arguments: &Serve) -> Roles {
    let has = |role| arguments.roles.contains(&role);
    Roles {
        http: true,
        ingest: has(RoleName::Ingest),
        api: has(RoleName::Api),
        decide: has(RoleName::Decide),
        send: has(RoleName::Send),
    }
}

/// Opens the store. A database or brokers that can't be reached are waited for, for as long as it takes.
async fn opened(config: &Config) -> anyhow::Result<Store> {
    let shown = config.store.shown();
    let mut pause = PAUSE_MIN;
    loop {
        let opened = server::open_or_make(config).await;
        let Err(OpenError::Failed(failure)) = &opened else {
            return opened.with_context(|| format!("opening the store {shown}"));
        };
        if !failure.is_passing() {
            return opened.with_context(|| format!("opening the store {shown}"));
        }
        tracing::warn!(store = %shown, %failure, "the store can't be opened yet; trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Says when nothing was applied yet, and when the files differ from what was.
async fn compare(store: &Store, arguments: &Serve) -> anyhow::Result<()> {
    let applied = match server::applied_files(store).await {
        Ok(applied) => applied,
        Err(Refused::Failed(failure)) => {
            tracing::warn!(%failure, "the applied workspace can't be read now; it is not compared");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
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
