//! `sottaku dev`: everything in one process, on this machine; mails are kept and shown, files are watched.

use crate::arguments::{ClockName, Dev};
use crate::exit::Exit;
use crate::print::{Output, Printer};
use crate::serve::{log_to_stderr, runtime, stop_signal};
use crate::show::Show;
use crate::watch::Watch;
use crate::{apply, check, plan, workspace};
use anyhow::Context;
use jiff::Timestamp;
use server::config::{Mode, StorePlace};
use server::{Clock, Config, Refused, Roles, Server};
use std::path::{Path, PathBuf};
use store::{ClockMode, OpenOptions, Store};
use workflow::Files;

/// Runs until ctrl-c; a changed text takes effect when it is saved.
pub(crate) fn run(arguments: &Dev) -> anyhow::Result<Exit> {
    log_to_stderr("warn");
    let path = store_path(arguments)?;
    if arguments.fresh {
        forget(&path)?;
    }
    runtime()?.block_on(async {
        round(arguments, &path).await?;
        Ok(Exit::Done)
    })
}

async fn round(arguments: &Dev, path: &Path) -> anyhow::Result<()> {
    let files = workspace::read(&arguments.dir)?;
    check::program(&files)?;
    let store = open(path, mode(arguments.clock)).await?;
    activate(&store, &files).await?;
    let mut config = Config::load(None)?;
    config.mode = Mode::Captured;
    config.store = StorePlace::File(path.to_owned());
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    let server = Server::start(config, store.clone(), Clock::wall(), Roles::ALL).await?;
    let attended = attend(arguments, &server, &store, files).await;
    server.stop().await;
    store.close().await;
    attended
}

/// Prints what is decided and watches the files.
async fn attend(
    arguments: &Dev,
    server: &Server,
    store: &Store,
    files: Files,
) -> anyhow::Result<()> {
    let mut files = files;
    let mut show = Show::new(store, server.records(), arguments.output).await?;
    let mut watch = Watch::start(&arguments.dir)?;
    if let (Some(address), Output::Text) = (server.address(), arguments.output) {
        let mut printer = Printer::new();
        printer.line(format!(
            "Facts go to http://{address}/v1/events; mails are kept, not sent. Ctrl-c stops."
        ))?;
        printer.flush()?;
    }
    loop {
        tokio::select! {
            stopped = stop_signal() => return stopped,
            shown = show.next() => shown?,
            () = watch.saved() => {
                if let Some(changed) = changed(&arguments.dir, &files)?
                    && activate(store, &changed).await?
                {
                    files = changed;
                    server.nudge();
                }
            }
        }
    }
}

/// The files as they are now, when they are sound and differ. Mistakes are shown; what runs goes on.
fn changed(dir: &Path, before: &Files) -> anyhow::Result<Option<Files>> {
    let files = match workspace::read(dir) {
        Ok(files) => files,
        Err(error) => {
            anstream::eprintln!("{error:#}; what was applied goes on");
            return Ok(None);
        }
    };
    if files == *before {
        return Ok(None);
    }
    match check::program(&files) {
        Ok(_) => Ok(Some(files)),
        Err(error) => {
            anstream::eprintln!("{error:#}; what was applied goes on");
            Ok(None)
        }
    }
}

/// Shows what the saved text would do, and activates it; false: not now, and the next save tries again.
async fn activate(store: &Store, files: &Files) -> anyhow::Result<bool> {
    let planned = plan::work_out(store, files, engine::Resting::Next).await?;
    if planned.applied.is_some() && !planned.is_same {
        anstream::eprint!("{}", plan::told(&planned));
    }
    match server::activate(store, files, Timestamp::now()).await {
        Ok(activated) => {
            if activated.is_new {
                anstream::eprintln!("revision {} applied", apply::short(&activated.revision));
            }
            Ok(true)
        }
        Err(refused @ Refused::Underway { .. }) => {
            anstream::eprintln!("{refused}; save again in a moment");
            Ok(false)
        }
        Err(
            refused @ (Refused::Mistakes(_)
            | Refused::Template(_)
            | Refused::Applied(_)
            | Refused::Failed(_)),
        ) => Err(refused.into()),
    }
}

/// Opens or makes the store of one's own machine.
pub(crate) async fn open(path: &Path, clock: ClockMode) -> anyhow::Result<Store> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let options = OpenOptions {
        clock: Some(clock),
        ..OpenOptions::default()
    };
    Store::open(path, options)
        .await
        .with_context(|| format!("opening the store {}", path.display()))
}

fn mode(clock: ClockName) -> ClockMode {
    match clock {
        ClockName::Live => ClockMode::Live,
        ClockName::Log => ClockMode::Log,
    }
}

fn store_path(arguments: &Dev) -> anyhow::Result<PathBuf> {
    if let Some(path) = &arguments.store {
        return Ok(path.clone());
    }
    let name = match arguments.clock {
        ClockName::Live => "dev-live.db",
        ClockName::Log => "dev-log.db",
    };
    Ok(arguments.dir.join(".sottaku").join(name))
}

/// Removes the store and what SQLite keeps beside it.
pub(crate) fn forget(path: &Path) -> anyhow::Result<()> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("removing {}", path.display()));
            }
        }
    }
    Ok(())
}
