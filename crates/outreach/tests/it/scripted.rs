//! A server on 127.0.0.1 that says and does what a script tells it, connection by connection.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// One thing a server does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Writes this.
    Say(&'static str),
    /// Reads one line.
    Hear,
    /// Reads the message with its final dot.
    HearMessage,
    /// Reads an HTTP request, head and body.
    HearRequest,
    /// Says nothing more, but does not go.
    Hang,
    /// Neither says nor reads anything more, but does not go.
    Freeze,
    /// Goes on encrypted.
    Encrypt,
}

/// A connection, in the clear or not.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The server, and what it heard: one list of lines per connection.
pub(crate) struct Server {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Server {
    /// Starts a server that plays one script per connection, and then takes no more.
    pub(crate) async fn start(scripts: Vec<Vec<Step>>) -> Self {
        Self::start_with(scripts, None).await
    }

    pub(crate) async fn start_with(scripts: Vec<Vec<Step>>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&heard);
        tokio::spawn(async move {
            for script in scripts {
                let (stream, _) = listener.accept().await.expect("a connection");
                let number = {
                    let mut all = record.lock().expect("a list");
                    all.push(Vec::new());
                    all.len() - 1
                };
                let record = Arc::clone(&record);
                let hear = move |line: String| record.lock().expect("a list")[number].push(line);
                tokio::spawn(play(stream, script, tls.clone(), hear));
            }
        });
        Self { port, heard }
    }

    /// What was heard on each connection.
    pub(crate) fn heard(&self) -> Vec<Vec<String>> {
        self.heard.lock().expect("a list").clone()
    }

    /// How many messages came whole or in part.
    pub(crate) fn messages(&self) -> usize {
        self.heard()
            .iter()
            .flatten()
            .filter(|line| line.contains("Subject: "))
            .count()
    }
}

/// Plays a script; at its end the connection is closed.
async fn play(
    stream: TcpStream,
    script: Vec<Step>,
    tls: Option<TlsAcceptor>,
    hear: impl Fn(String),
) {
    let mut plain = Some(stream);
    let mut encrypted: Option<Box<dyn Duplex>> = None;
    for step in script {
        if matches!(step, Step::Encrypt) {
            let (Some(stream), Some(tls)) = (plain.take(), &tls) else {
                return;
            };
            match tls.accept(stream).await {
                Ok(stream) => encrypted = Some(Box::new(stream)),
                Err(_) => return,
            }
            continue;
        }
        let stream: &mut dyn Duplex = match (&mut encrypted, &mut plain) {
            (Some(stream), _) => stream,
            (None, Some(stream)) => stream,
            (None, None) => return,
        };
        if !act(stream, step, &hear).await {
            return;
        }
    }
}

async fn act(stream: &mut dyn Duplex, step: Step, hear: &impl Fn(String)) -> bool {
    let end: &[u8] = match step {
        Step::Say(words) => {
            return stream.write_all(words.as_bytes()).await.is_ok()
                && stream.flush().await.is_ok();
        }
        Step::Hang => {
            let mut rest = Vec::new();
            drop(stream.read_to_end(&mut rest).await);
            return false;
        }
        Step::Freeze => std::future::pending().await,
        Step::Encrypt => return true,
        Step::Hear => b"\r\n",
        Step::HearMessage => b"\r\n.\r\n",
        Step::HearRequest => b"\r\n\r\n",
    };
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) {
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => {
                hear(String::from_utf8_lossy(&bytes).into_owned());
                return false;
            }
        }
    }
    if matches!(step, Step::HearRequest) {
        let length = length_of(&String::from_utf8_lossy(&bytes));
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return false;
        }
        bytes.extend(body);
    }
    hear(String::from_utf8_lossy(&bytes).trim_end().to_owned());
    true
}

fn length_of(head: &str) -> usize {
    let head = head.to_ascii_lowercase();
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    line.and_then(|length| length.trim().parse().ok())
        .unwrap_or(0)
}

/// A session up to the point where the server answers the last byte of a first mail.
pub(crate) const OPENING: [Step; 10] = [
    Step::Say("220 hello\r\n"),
    Step::Hear,
    Step::Say("250-relay.example\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n"),
    Step::Hear,
    Step::Say("250 sender ok\r\n"),
    Step::Hear,
    Step::Say("250 recipient ok\r\n"),
    Step::Hear,
    Step::Say("354 go on\r\n"),
    Step::HearMessage,
];

/// What follows the greeting for one more mail.
pub(crate) fn another_mail() -> Vec<Step> {
    let mut steps = OPENING[3..].to_vec();
    steps.push(Step::Say("250 queued\r\n"));
    steps
}

/// A whole session with `mails` mails that waits for more.
pub(crate) fn willing(mails: usize) -> Vec<Step> {
    let mut steps = OPENING[..3].to_vec();
    (0..mails).for_each(|_| steps.extend(another_mail()));
    steps.push(Step::Hang);
    steps
}
