//! Our own mail server: it writes down every message it takes before it says so, and cuts, refuses
//! or dawdles where its plan says.

pub mod plan;
pub mod process;
pub mod record;
mod session;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::{Certificate, Failure, Plan, Taken};
use plan::Script;
use record::Ledger;
use session::Session;

/// How a sink is to be.
#[derive(Debug, Clone)]
pub struct SinkOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The file that every taken message is appended to.
    pub record: PathBuf,
    /// Where it misbehaves.
    pub plan: Plan,
    /// With one, STARTTLS is offered.
    pub certificate: Option<Certificate>,
    /// Whether the record holds the messages themselves.
    pub is_whole: bool,
}

impl SinkOptions {
    /// A sink on a free port that takes everything, without TLS.
    pub fn new(record: impl Into<PathBuf>) -> SinkOptions {
        SinkOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            record: record.into(),
            plan: Plan::default(),
            certificate: None,
            is_whole: false,
        }
    }
}

/// A sink that runs in this process, until it is dropped.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    record: PathBuf,
    accepting: JoinHandle<()>,
}

impl Sink {
    /// Starts listening.
    ///
    /// # Errors
    /// When the port is taken, the record cannot be written, or the plan or certificate is wrong.
    pub async fn start(options: SinkOptions) -> Result<Sink, Failure> {
        let ledger = Arc::new(Ledger::open(&options.record)?);
        let script = Arc::new(Script::new(options.plan)?);
        let tls = match &options.certificate {
            Some(certificate) => Some(TlsAcceptor::from(certificate.server_config()?)),
            None => None,
        };
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(Failure::io(format!("listening on {}", options.listen)))?;
        let address = listener
            .local_addr()
            .map_err(Failure::io("asking for the sink's port"))?;
        let accepting = tokio::spawn(accept(listener, (ledger, script), tls, options.is_whole));
        Ok(Sink {
            address,
            record: options.record,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The messages it took so far, in order.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn taken(&self) -> Result<Vec<Taken>, Failure> {
        record::read(&self.record)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Owns the sessions: they end with it.
async fn accept(
    listener: TcpListener,
    (ledger, script): (Arc<Ledger>, Arc<Script>),
    tls: Option<TlsAcceptor>,
    is_whole: bool,
) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let session = Session::new(ledger.clone(), script.clone(), tls.clone(), is_whole);
                sessions.spawn(session.run(stream));
            }
            Some(ended) = sessions.join_next() => {
                // A client that went away is ordinary; a panic of our own is not.
                if let Err(error) = ended {
                    eprintln!("a session of the sink broke: {error}");
                }
            }
        }
    }
}
