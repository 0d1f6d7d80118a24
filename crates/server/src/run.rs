//! Runs everything in one process: HTTP, workers, senders; until it is told to stop.

use crate::keeper::Keeper;
use crate::sender::MeansError;
use crate::shared::{Settled, Shared};
use crate::sources::SourceKeeper;
use crate::{Clock, Config, http, returns};
use model::Record;
use std::net::SocketAddr;
use std::sync::Arc;
use store::{Role, Store};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Listens for HTTP: health and measures, and what `ingest` and `api` answer.
    pub http: bool,
    /// Takes facts in: over HTTP, and what comes back of mails.
    pub ingest: bool,
    /// Answers over HTTP: people's links, tasks, the journal.
    pub api: bool,
    /// Decides.
    pub decide: bool,
    /// Sends.
    pub send: bool,
}

impl Roles {
    /// Everything.
    pub const ALL: Self = Self {
        http: true,
        ingest: true,
        api: true,
        decide: true,
        send: true,
    };
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It would take facts from anybody on the net.
    #[error(
        "{0} is reachable from other machines: set `tokens`, or SOTTAKU_TOKEN, or listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The address can't be used.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, Box<str>),
    /// A means of sending can't be used.
    #[error("{0}")]
    Means(Box<str>),
}

impl From<MeansError> for StartError {
    fn from(error: MeansError) -> Self {
        Self::Means(error.to_string().into())
    }
}

/// A running server.
pub struct Server {
    shared: Shared,
    address: Option<SocketAddr>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts what `roles` name over a store. Returns when HTTP listens; shards are taken from then on.
    pub async fn start(
        config: Config,
        store: Store,
        clock: Clock,
        roles: Roles,
    ) -> Result<Self, StartError> {
        let listen = config.listen;
        if roles.http && config.tokens.is_empty() && !listen.ip().is_loopback() {
            return Err(StartError::Open(listen));
        }
        let shared = Shared::new(config, store, clock)?;
        let stop = CancellationToken::new();
        let mut tasks = Vec::new();
        let mut address = None;
        if roles.http {
            let refused =
                |error: std::io::Error| StartError::Listen(listen, error.to_string().into());
            let listener = TcpListener::bind(listen).await.map_err(refused)?;
            address = Some(listener.local_addr().map_err(refused)?);
            tasks.push(tokio::spawn(serve(
                listener,
                (shared.clone(), roles),
                stop.clone(),
            )));
        }
        if roles.http && roles.ingest {
            returns::start(&shared, &stop, &mut tasks).await?;
        }
        let held: Vec<Role> = [(roles.decide, Role::Decide), (roles.send, Role::Send)]
            .into_iter()
            .filter_map(|(is_on, role)| is_on.then_some(role))
            .collect();
        if roles.ingest {
            tasks.push(tokio::spawn(
                SourceKeeper::new(shared.clone()).run(stop.clone()),
            ));
        }
        if !held.is_empty() {
            tasks.push(tokio::spawn(
                Keeper::new(shared.clone(), &held).run(stop.clone()),
            ));
        }
        Ok(Self {
            shared,
            address,
            stop,
            tasks,
        })
    }

    /// Where HTTP listens, the port included if it was left to the machine.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The records that this process commits from now on. Who is too slow misses some.
    pub fn records(&self) -> broadcast::Receiver<Arc<Record>> {
        self.shared.records.subscribe()
    }

    /// What this process's senders settle from now on. Who is too slow misses some.
    pub fn settled(&self) -> broadcast::Receiver<Settled> {
        self.shared.settled.subscribe()
    }

    /// Has all shards of this process looked at at once: somebody else wrote to the store, or a clock was turned.
    pub fn nudge(&self) {
        self.shared.bells.ring_all();
    }

    /// What stops the server when it is cancelled, from wherever.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Stops taking, lets what is under way come to its end, gives the leases back. The store stays open.
    pub async fn stop(self) {
        self.stop.cancel();
        // Every part bounds its own end; this is for the one that does not keep to it.
        let time_max = self.shared.config.limits.stop_time_max * 2;
        for mut task in self.tasks {
            if timeout(time_max, &mut task).await.is_err() {
                task.abort();
            }
        }
        self.shared.means.close().await;
    }

    /// Ends every task where it stands, as a crash would, but for the process itself. For tests.
    #[doc(hidden)]
    pub fn abandon(self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn serve(listener: TcpListener, (shared, roles): (Shared, Roles), stop: CancellationToken) {
    let time_max = shared.config.limits.stop_time_max;
    let router = http::router_of(shared, roles);
    let ending = stop.clone();
    let serving = axum::serve(listener, router)
        .with_graceful_shutdown(async move { ending.cancelled().await });
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(time_max).await;
    };
    tokio::select! {
        ended = serving.into_future() => {
            if let Err(error) = ended {
                tracing::error!(%error, "HTTP ended");
            }
        }
        () = late => tracing::warn!("requests under way were cut off; their senders send again"),
    }
}

#[cfg(test)]
mod kept;
#[cfg(test)]
mod revisions;
#[cfg(test)]
mod tests;
