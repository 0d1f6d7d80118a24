//! One client's session with the sink.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::sink::plan::{Act, Phase, Rule, Script};
use crate::sink::record::{Ledger, Taken, header_names, message_id, now_ms};

const LINE_BYTES_MAX: u64 = 64 * 1024;
const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Whether the session goes on.
enum Next {
    /// The usual was done: what was asked for holds.
    Done,
    /// Another reply was given: what was asked for does not hold.
    Refused,
    /// The connection is to be closed.
    Close,
}

/// What is known of one client, and what it needs.
pub(crate) struct Session {
    ledger: Arc<Ledger>,
    script: Arc<Script>,
    tls: Option<TlsAcceptor>,
    is_whole: bool,
    is_encrypted: bool,
    sender: Option<String>,
    recipients: Vec<String>,
}

impl Session {
    pub(crate) fn new(
        ledger: Arc<Ledger>,
        script: Arc<Script>,
        tls: Option<TlsAcceptor>,
        is_whole: bool,
    ) -> Session {
        Session {
            ledger,
            script,
            tls,
            is_whole,
            is_encrypted: false,
            sender: None,
            recipients: Vec::new(),
        }
    }

    /// Serves the client to its end. A connection that breaks ends the session, and is no mistake here.
    pub(crate) async fn run(mut self, stream: TcpStream) {
        // Replies are small and awaited: none may wait for a fuller packet.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let mut client = BufReader::new(Box::new(stream) as Box<dyn Stream>);
        if !matches!(self.open(&mut client).await, Ok(Next::Done)) {
            return;
        }
        loop {
            let Ok(Some(line)) = read_line(&mut client).await else {
                return;
            };
            let verb = line.split_whitespace().next().unwrap_or_default();
            if verb.eq_ignore_ascii_case("STARTTLS") && self.tls.is_some() && !self.is_encrypted {
                match self.encrypt(client).await {
                    Some(encrypted) => client = encrypted,
                    None => return,
                }
                continue;
            }
            match self.command(&mut client, &line).await {
                Ok(Next::Done | Next::Refused) => {}
                Ok(Next::Close) | Err(_) => return,
            }
        }
    }

    async fn open(&mut self, client: &mut BufReader<Box<dyn Stream>>) -> io::Result<Next> {
        if let Next::Close = self.answer(client, Phase::Connect, "").await? {
            return Ok(Next::Close);
        }
        let greeting = "220 sink.test ESMTP\r\n";
        match self.answer(client, Phase::Greeting, greeting).await? {
            Next::Done => Ok(Next::Done),
            Next::Refused | Next::Close => Ok(Next::Close),
        }
    }

    async fn encrypt(
        &mut self,
        mut client: BufReader<Box<dyn Stream>>,
    ) -> Option<BufReader<Box<dyn Stream>>> {
        let acceptor = self.tls.clone()?;
        match self
            .answer(&mut client, Phase::StartTls, "220 go ahead\r\n")
            .await
        {
            Ok(Next::Done) => {}
            Ok(Next::Refused) => return Some(client),
            Ok(Next::Close) | Err(_) => return None,
        }
        // Whatever was said before the handshake counts no more: its buffer goes with `into_inner`.
        let encrypted = acceptor.accept(client.into_inner()).await.ok()?;
        self.is_encrypted = true;
        self.forget();
        Some(BufReader::new(Box::new(encrypted) as Box<dyn Stream>))
    }

    async fn command(
        &mut self,
        client: &mut BufReader<Box<dyn Stream>>,
        line: &str,
    ) -> io::Result<Next> {
        let verb = line.split_whitespace().next().unwrap_or_default();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => {
                self.forget();
                let said = self.capabilities();
                self.answer(client, Phase::Ehlo, &said).await
            }
            "MAIL" => {
                let next = self.answer(client, Phase::Mail, "250 2.1.0 ok\r\n").await?;
                if let Next::Done = next {
                    self.forget();
                    self.sender = Some(address(line));
                }
                Ok(next)
            }
            "RCPT" if self.sender.is_some() => self.recipient(client, address(line)).await,
            "DATA" if !self.recipients.is_empty() => {
                match self.answer(client, Phase::Data, "354 go ahead\r\n").await? {
                    Next::Done => self.message(client).await,
                    other @ (Next::Refused | Next::Close) => Ok(other),
                }
            }
            "RSET" => {
                self.forget();
                write(client, "250 2.0.0 ok\r\n").await
            }
            "NOOP" => write(client, "250 2.0.0 ok\r\n").await,
            "QUIT" => {
                write(client, "221 2.0.0 bye\r\n").await?;
                Ok(Next::Close)
            }
            "RCPT" | "DATA" => write(client, "503 5.5.1 not now\r\n").await,
            _ => write(client, "502 5.5.2 not known\r\n").await,
        }
    }

    async fn recipient(
        &mut self,
        client: &mut BufReader<Box<dyn Stream>>,
        recipient: String,
    ) -> io::Result<Next> {
        let rule = self
            .script
            .next(Phase::Rcpt, std::slice::from_ref(&recipient));
        let next = follow(client, rule, "250 2.1.5 ok\r\n").await?;
        if let Next::Done = next {
            self.recipients.push(recipient);
        }
        Ok(next)
    }

    async fn message(&mut self, client: &mut BufReader<Box<dyn Stream>>) -> io::Result<Next> {
        let Some(message) = self.body(client).await? else {
            return Ok(Next::Close);
        };
        let rule = self.script.next(Phase::Dot, &self.recipients);
        let is_untold = rule.as_ref().is_some_and(|rule| rule.keeps);
        let is_kept = match rule.as_ref().map(|rule| &rule.act) {
            None | Some(Act::SlowMs(_)) => true,
            Some(Act::Cut | Act::HalfReply | Act::Silence | Act::Reply(_)) => is_untold,
        };
        if is_kept {
            let taken = self.taken(&message, is_untold);
            self.ledger.append(&taken).await?;
        }
        self.forget();
        follow(client, rule, "250 2.0.0 taken\r\n").await
    }

    /// Reads up to the final dot; nothing when the plan ends the session inside.
    async fn body(
        &mut self,
        client: &mut BufReader<Box<dyn Stream>>,
    ) -> io::Result<Option<String>> {
        let mut message = String::new();
        loop {
            let Some(line) = read_line(client).await? else {
                return Ok(None);
            };
            if line == ".\r\n" {
                return Ok(Some(message));
            }
            let is_first = message.is_empty();
            message.push_str(line.strip_prefix('.').unwrap_or(&line));
            if message.len() > MESSAGE_BYTES_MAX {
                return Ok(None);
            }
            if is_first && let Next::Close = self.answer(client, Phase::Body, "").await? {
                return Ok(None);
            }
        }
    }

    fn taken(&self, message: &str, is_untold: bool) -> Taken {
        Taken {
            at_ms: now_ms(),
            message_id: message_id(message),
            headers: header_names(message),
            sender: self.sender.clone().unwrap_or_default(),
            recipients: self.recipients.clone(),
            bytes: message.len(),
            is_encrypted: self.is_encrypted,
            is_untold,
            text: if self.is_whole {
                message.to_owned()
            } else {
                String::new()
            },
        }
    }

    fn capabilities(&self) -> String {
        let tls = if self.tls.is_some() && !self.is_encrypted {
            "250-STARTTLS\r\n"
        } else {
            ""
        };
        format!(
            "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n{tls}250 SIZE {MESSAGE_BYTES_MAX}\r\n"
        )
    }

    fn forget(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    async fn answer(
        &mut self,
        client: &mut BufReader<Box<dyn Stream>>,
        phase: Phase,
        usual: &str,
    ) -> io::Result<Next> {
        let rule = self.script.next(phase, &self.recipients);
        follow(client, rule, usual).await
    }
}

/// Does what the rule says, or the usual without one.
async fn follow(
    client: &mut BufReader<Box<dyn Stream>>,
    rule: Option<Rule>,
    usual: &str,
) -> io::Result<Next> {
    match rule.map(|rule| rule.act) {
        None => write(client, usual).await,
        Some(Act::SlowMs(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            write(client, usual).await
        }
        Some(Act::Cut) => Ok(Next::Close),
        Some(Act::HalfReply) => {
            write(client, &usual[..usual.len() / 2]).await?;
            Ok(Next::Close)
        }
        Some(Act::Silence) => {
            while read_line(client).await?.is_some() {}
            Ok(Next::Close)
        }
        Some(Act::Reply(reply)) => {
            write(client, &format!("{reply}\r\n")).await?;
            let closes = reply.starts_with("421");
            Ok(if closes { Next::Close } else { Next::Refused })
        }
    }
}

async fn write(client: &mut BufReader<Box<dyn Stream>>, reply: &str) -> io::Result<Next> {
    client.get_mut().write_all(reply.as_bytes()).await?;
    client.get_mut().flush().await?;
    Ok(Next::Done)
}

/// One line with its end; nothing when the client went away or sends no line end.
async fn read_line(client: &mut BufReader<Box<dyn Stream>>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    client
        .take(LINE_BYTES_MAX)
        .read_until(b'\n', &mut line)
        .await?;
    if line.last() != Some(&b'\n') {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

/// What stands between the angle brackets of MAIL and RCPT.
fn address(line: &str) -> String {
    let inside = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}
