//! A running server of the product, which can be killed, stopped for a while, and asked to end.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::{Client, Failure, Product, wait};

const START_TIME_MAX: Duration = Duration::from_secs(60);
const END_TIME_MAX: Duration = Duration::from_secs(60);

/// What a process can be told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stand still.
    Stop,
    /// Go on.
    Continue,
    /// End in good order.
    Terminate,
}

impl Signal {
    fn word(self) -> &'static str {
        match self {
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
            Signal::Terminate => "TERM",
        }
    }
}

/// A server and the log that it and its successors write.
#[derive(Debug)]
pub struct Serving {
    product: Product,
    arguments: Vec<String>,
    address: SocketAddr,
    log: PathBuf,
    child: Child,
}

impl Serving {
    /// Starts `sottaku` with these arguments; it is to listen at a free port of its own, by the setting
    /// SOTTAKU_LISTEN, and what it says on both channels goes to the file `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(product: &Product, arguments: &[&str], log: &Path) -> Result<Serving, Failure> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let address = free.map_err(Failure::io("looking for a free port"))?;
        let product = product.clone().with("SOTTAKU_LISTEN", &address.to_string());
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let child = spawn(&product, &arguments, log)?;
        Ok(Serving {
            product,
            arguments,
            address,
            log: log.to_owned(),
            child,
        })
    }

    /// Where it listens, also after it was started again.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of the present process.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// What it said so far, and those before it.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// When it does not within a minute; with what it said.
    pub async fn answers(&self) -> Result<(), Failure> {
        let answered = wait::until("the server answers", START_TIME_MAX, async || {
            let mut client = Client::new(self.address, Duration::from_secs(2));
            client.get("/v1/openapi.json").await.ok()
        });
        match answered.await {
            Ok(_) => Ok(()),
            Err(late) => Err(Failure::Program {
                program: "sottaku serve".to_owned(),
                said: format!("{late}\n{}", self.said()),
            }),
        }
    }

    /// Tells it something.
    ///
    /// # Errors
    /// When there is no such process any more.
    pub async fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let word = format!("kill -{} {}", signal.word(), self.pid());
        let sent = Command::new("sh").args(["-c", &word]).status().await;
        match sent.map_err(Failure::io(word.clone()))? {
            status if status.success() => Ok(()),
            status => Err(Failure::Program {
                program: word,
                said: status.to_string(),
            }),
        }
    }

    /// Kills it where it stands (SIGKILL) and starts it again at the same address.
    ///
    /// # Errors
    /// When it cannot be killed or started.
    pub async fn kill_and_restart(&mut self) -> Result<(), Failure> {
        self.kill().await?;
        self.start_again()
    }

    /// Kills it where it stands (SIGKILL).
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(&mut self) -> Result<(), Failure> {
        let killed = self.child.kill().await;
        killed.map_err(Failure::io("killing the server"))
    }

    /// Starts it again at the same address.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_again(&mut self) -> Result<(), Failure> {
        self.child = spawn(&self.product, &self.arguments, &self.log)?;
        Ok(())
    }

    /// Whether it ended by itself; its exit code.
    ///
    /// # Errors
    /// When the machine does not say.
    pub fn has_ended(&mut self) -> Result<Option<Option<i32>>, Failure> {
        let ended = self.child.try_wait();
        let ended = ended.map_err(Failure::io("looking after the server"))?;
        Ok(ended.map(|status| status.code()))
    }

    /// Asks it to end and waits until it did; its exit code.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub async fn end(mut self) -> Result<Option<i32>, Failure> {
        self.leave().await
    }

    /// The same, so that it can be started again.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub async fn leave(&mut self) -> Result<Option<i32>, Failure> {
        self.signal(Signal::Terminate).await?;
        let ended = tokio::time::timeout(END_TIME_MAX, self.child.wait()).await;
        let status = ended.map_err(|_| Failure::Late {
            what: format!("the server ended\n{}", self.said()),
            seconds: END_TIME_MAX.as_secs(),
        })?;
        let status = status.map_err(Failure::io("waiting for the server"))?;
        Ok(status.code())
    }
}

fn spawn(product: &Product, arguments: &[String], log: &Path) -> Result<Child, Failure> {
    let opened = OpenOptions::new().create(true).append(true).open(log);
    let out = opened.map_err(Failure::io("opening the server's log"))?;
    let err = out
        .try_clone()
        .map_err(Failure::io("opening the server's log"))?;
    product
        .command(arguments)
        .stdout(Stdio::from(out))
        .stderr(Stdio::from(err))
        .spawn()
        .map_err(Failure::io("starting the server; build it first"))
}
