//! The one HTTP client for all that leaves: it speaks only to addresses that it has looked at itself.
//!
//! A name is resolved once, every answer is looked at, and the connection goes to an address that passed: asking the
//! name service twice could give two answers. Redirects are off, no proxy is asked, nothing is pooled (a waiting
//! connection that died could not be told from a cut), and no address is in any error, for it may be a secret.

mod address;
mod pause;
mod policy;

pub use address::is_inside;
pub use pause::RETRY_AFTER_MAX;
pub use policy::{Allow, AllowFault, Barred, Policy};

use crate::tls::{self, Trust, TrustFault};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{DATE, RETRY_AFTER};
use reqwest::{Client, Response, redirect, retry};
use rustls::ClientConfig;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use url::{Host, Url};

/// The most bytes of an answer that are read.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Finding the address, and opening the connection, encryption included.
    pub connect: Duration,
    /// The whole call.
    pub whole: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            whole: Duration::from_secs(30),
        }
    }
}

/// Why nothing can leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client could not be built: {0}")]
pub struct EgressFault(Box<str>);

impl From<TrustFault> for EgressFault {
    fn from(fault: TrustFault) -> Self {
        Self(fault.to_string().into())
    }
}

/// The addresses of a name, or why there are none.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
/// How a name's addresses are found.
pub type Lookup = Arc<dyn Fn(&str) -> Found + Send + Sync>;

/// What asks this machine for the addresses of a name.
fn ask_system(name: &str) -> Found {
    let name = name.to_owned();
    Box::pin(async move {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    })
}

/// The client.
#[derive(Clone)]
pub struct Egress {
    tls: ClientConfig,
    policy: Arc<Policy>,
    deadlines: Deadlines,
    lookup: Lookup,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// One call: always a POST.
#[derive(Clone, Debug)]
pub struct Call {
    /// Headers beside those that HTTP itself needs.
    pub headers: Vec<(&'static str, String)>,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long it asks us to wait, at most [`RETRY_AFTER_MAX`].
    pub retry_after: Option<Duration>,
    /// The body; or why it could not be read whole.
    pub body: Result<Vec<u8>, Box<str>>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It may not be spoken to.
    Barred(Barred),
    /// No connection: the other side has seen nothing of the call.
    NotConnected(Box<str>),
    /// Cut after the call went out: nobody can know what was seen of it.
    Broken(Box<str>),
}

impl Egress {
    /// Reads the certificates and prepares the client.
    pub fn new(trust: &Trust, policy: Policy, deadlines: Deadlines) -> Result<Self, EgressFault> {
        Ok(Self {
            tls: tls::client(trust)?,
            policy: Arc::new(policy),
            deadlines,
            lookup: Arc::new(ask_system),
        })
    }

    /// The same, asking somebody else for the addresses of names.
    #[must_use]
    pub fn with_lookup(self, lookup: Lookup) -> Self {
        Self { lookup, ..self }
    }

    /// Whether the address reads as one that may be called, without asking anybody.
    pub fn check(&self, address: &str) -> Result<(), Barred> {
        let url = Url::parse(address).map_err(|_| Barred::Address)?;
        self.policy.judge(&url).map(|_| ())
    }

    /// Calls once. Only where no connection came about is it tried a second time, at once.
    pub async fn call(&self, address: &str, call: &Call) -> Result<Answer, Cut> {
        let url = Url::parse(address).map_err(|_| Cut::Barred(Barred::Address))?;
        let first = self.attempt(&url, call).await;
        match first {
            Err(Cut::NotConnected(_)) => self.attempt(&url, call).await,
            Ok(_) | Err(Cut::Barred(_) | Cut::Broken(_)) => first,
        }
    }

    async fn attempt(&self, url: &Url, call: &Call) -> Result<Answer, Cut> {
        let addresses = self.aim(url).await?;
        let client = self.client(addresses)?;
        let mut request = client
            .post(url.clone())
            .header("content-type", call.content_type)
            .header("user-agent", concat!("Sottaku/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        match request.body(call.body.clone()).send().await {
            Ok(response) => Ok(answer(response).await),
            Err(error) if error.is_builder() || error.is_connect() => {
                Err(Cut::NotConnected(why(error)))
            }
            Err(error) => Err(Cut::Broken(why(error))),
        }
    }

    /// The addresses that may be connected to.
    async fn aim(&self, url: &Url) -> Result<Vec<SocketAddr>, Cut> {
        let judged = self.policy.judge(url).map_err(Cut::Barred)?;
        let found = match url.host() {
            Some(Host::Ipv4(ip)) => vec![IpAddr::V4(ip)],
            Some(Host::Ipv6(ip)) => vec![IpAddr::V6(ip)],
            Some(Host::Domain(name)) => timeout(self.deadlines.connect, (self.lookup)(name))
                .await
                .map_err(|_| Cut::NotConnected("its name was not found in time".into()))?
                .map_err(|_| Cut::NotConnected("its name is not known".into()))?,
            None => return Err(Cut::Barred(Barred::Address)),
        };
        if found.is_empty() {
            return Err(Cut::NotConnected("its name has no address".into()));
        }
        let mut passed: Vec<SocketAddr> = found
            .into_iter()
            .filter(|ip| self.policy.lets(&judged, *ip))
            .map(|ip| SocketAddr::new(ip, judged.port))
            .collect();
        passed.truncate(ADDRESSES_MAX);
        if passed.is_empty() {
            return Err(Cut::Barred(Barred::Inside));
        }
        Ok(passed)
    }

    /// A client that knows no address but these.
    fn client(&self, addresses: Vec<SocketAddr>) -> Result<Client, Cut> {
        Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(Pinned(addresses))
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .connect_timeout(self.deadlines.connect)
            .timeout(self.deadlines.whole)
            .build()
            .map_err(|error| Cut::NotConnected(why(error)))
    }
}

/// Answers with the addresses that were looked at, whatever is asked.
struct Pinned(Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

async fn answer(response: Response) -> Answer {
    Answer {
        status: response.status().as_u16(),
        retry_after: retry_after(&response),
        body: read(response).await,
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let header = |name| response.headers().get(name)?.to_str().ok();
    pause::read(header(RETRY_AFTER)?, header(DATE))
}

async fn read(mut response: Response) -> Result<Vec<u8>, Box<str>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(why)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err("an answer without end".into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The reasons of an error one after the other, without the address.
fn why(error: reqwest::Error) -> Box<str> {
    use std::error::Error;
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        words = format!("{words}: {reason}");
        source = reason.source();
    }
    words.into()
}
