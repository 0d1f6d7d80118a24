//! A small mail server: LMTP (RFC 2033) and SMTP (RFC 5321) on one port. It takes mail to our own sealed addresses and
//! no other, passes nothing on, and bounds every line, mail, session and wait.

use super::wire::{Line, Mail, line, mail, put};
use super::{Returns, receive};
use crate::shared::Shared;
use ingest::mail::MAIL_BYTES_MAX;
use outreach::tls::Acceptor;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A command, in bytes.
const COMMAND_BYTES_MAX: usize = 2_048;
/// Recipients of one mail.
const RECIPIENTS_MAX: usize = 50;
/// Commands of one session.
const COMMANDS_MAX: u32 = 1_000;
/// Commands that were refused, in one session.
const REFUSALS_MAX: u32 = 20;
/// Between two lines.
pub(super) const LINE_TIME_MAX: Duration = Duration::from_secs(60);
/// A whole session.
const SESSION_TIME_MAX: Duration = Duration::from_secs(600);
/// After an error of the listener.
const REST: Duration = Duration::from_millis(200);

/// Takes connections until it is told to stop.
pub(super) async fn listen(
    listener: TcpListener,
    tls: Option<Acceptor>,
    shared: Shared,
    stop: CancellationToken,
) {
    let connections_max = shared
        .config
        .bounces
        .as_ref()
        .map_or(1, |bounces| bounces.connections_max);
    let room = Arc::new(Semaphore::new(connections_max));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection that brings mail back could not be taken");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            },
            () = stop.cancelled() => return,
        };
        let (shared, tls, stop) = (shared.clone(), tls.clone(), stop.clone());
        let permit = Arc::clone(&room).try_acquire_owned();
        tokio::spawn(async move {
            let mut stream = stream;
            let Ok(_permit) = permit else {
                drop(
                    stream
                        .write_all(b"421 4.3.2 too many connections\r\n")
                        .await,
                );
                return;
            };
            tokio::select! {
                // A session that breaks off brings its mail again.
                _ended = timeout(SESSION_TIME_MAX, Session::new(&shared, tls).run(stream)) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// One session's state.
pub(super) struct Session<'s> {
    shared: &'s Shared,
    /// What encrypts the rest of the session, until it does.
    tls: Option<Acceptor>,
    is_lmtp: bool,
    has_sender: bool,
    recipients: Vec<Box<str>>,
    refusals: u32,
}

/// What follows a command.
enum Next {
    Say(String),
    Data,
    Encrypt(Acceptor),
    Quit,
}

/// How a conversation ends.
enum End {
    Over,
    Encrypt(Acceptor),
}

fn say(reply: &str) -> Next {
    Next::Say(format!("{reply}\r\n"))
}

impl<'s> Session<'s> {
    pub(super) fn new(shared: &'s Shared, tls: Option<Acceptor>) -> Self {
        Self {
            shared,
            tls,
            is_lmtp: false,
            has_sender: false,
            recipients: Vec::new(),
            refusals: 0,
        }
    }

    /// Speaks until the other side has said all, or breaks a limit.
    pub(super) async fn run(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
    ) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let greeting = format!("220 {} ready\r\n", self.name());
        stream.get_mut().write_all(greeting.as_bytes()).await?;
        let End::Encrypt(tls) = self.speak(&mut stream).await? else {
            return Ok(());
        };
        // Whatever was said before the handshake counts no more: its buffer goes with `into_inner` (RFC 3207).
        self.reset();
        self.is_lmtp = false;
        let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
        let encrypted = timeout(LINE_TIME_MAX, tls.accept(stream.into_inner())).await;
        let mut stream = BufReader::new(encrypted.map_err(late)??);
        self.speak(&mut stream).await.map(drop)
    }

    async fn speak(
        &mut self,
        stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    ) -> std::io::Result<End> {
        for _ in 0..COMMANDS_MAX {
            let Some(line) = line(stream, COMMAND_BYTES_MAX).await? else {
                return Ok(End::Over);
            };
            let next = match line {
                Line::Whole(line) => self.command(&String::from_utf8_lossy(&line)).await,
                Line::TooLong => say("500 5.5.2 the line is too long"),
            };
            let reply = match next {
                Next::Say(reply) => reply,
                Next::Quit => {
                    put(stream, b"221 2.0.0 bye\r\n").await?;
                    return Ok(End::Over);
                }
                Next::Encrypt(tls) => {
                    put(stream, b"220 2.0.0 go on\r\n").await?;
                    return Ok(End::Encrypt(tls));
                }
                Next::Data => {
                    put(stream, b"354 go on\r\n").await?;
                    let Some(mail) = mail(stream).await? else {
                        return Ok(End::Over);
                    };
                    self.take(mail).await
                }
            };
            if reply.starts_with('5') {
                self.refusals += 1;
            }
            put(stream, reply.as_bytes()).await?;
            if self.refusals >= REFUSALS_MAX {
                let bye = b"421 4.7.0 too many errors\r\n";
                put(stream, bye).await?;
                return Ok(End::Over);
            }
        }
        let bye = b"421 4.7.0 too many commands\r\n";
        put(stream, bye).await?;
        Ok(End::Over)
    }

    fn name(&self) -> &'s str {
        self.shared
            .config
            .bounces
            .as_ref()
            .map_or("localhost", |bounces| &bounces.domain)
    }

    async fn command(&mut self, line: &str) -> Next {
        let line = line.trim_end();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "LHLO" => self.hello(true),
            "EHLO" => self.hello(false),
            "HELO" => {
                self.reset();
                self.is_lmtp = false;
                Next::Say(format!("250 {}\r\n", self.name()))
            }
            "STARTTLS" => match self.tls.take() {
                Some(tls) if rest.is_empty() => Next::Encrypt(tls),
                tls => {
                    self.tls = tls;
                    say("502 5.5.1 not here")
                }
            },
            "MAIL" => self.mail(rest),
            "RCPT" => self.recipient(rest).await,
            "DATA" if self.recipients.is_empty() => say("503 5.5.1 no recipient"),
            "DATA" => Next::Data,
            "RSET" => {
                self.reset();
                say("250 2.0.0 forgotten")
            }
            "NOOP" => say("250 2.0.0 well"),
            "VRFY" => say("252 2.5.0 send some mail"),
            "QUIT" => Next::Quit,
            _ => say("502 5.5.1 not known here"),
        }
    }

    fn reset(&mut self) {
        self.has_sender = false;
        self.recipients.clear();
    }

    fn hello(&mut self, is_lmtp: bool) -> Next {
        self.reset();
        self.is_lmtp = is_lmtp;
        let tls = self.tls.as_ref().map_or("", |_| "250-STARTTLS\r\n");
        Next::Say(format!(
            "250-{}\r\n{tls}250-SIZE {MAIL_BYTES_MAX}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n",
            self.name()
        ))
    }

    fn mail(&mut self, rest: &str) -> Next {
        let Some((_, parameters)) = path(rest, "FROM:") else {
            return say("501 5.5.4 MAIL FROM:<address>");
        };
        let size = parameters
            .split(' ')
            .filter_map(|word| word.split_once('='));
        let size = size.filter(|(name, _)| name.eq_ignore_ascii_case("SIZE"));
        let is_too_large = |value: &str| {
            value
                .parse::<usize>()
                .is_ok_and(|size| size > MAIL_BYTES_MAX)
        };
        if size.map(|(_, value)| value).any(is_too_large) {
            return say("552 5.3.4 the mail is too large");
        }
        self.reset();
        self.has_sender = true;
        say("250 2.1.0 sender taken")
    }

    /// Only an address that we sealed ourselves is taken: nothing is relayed, nothing is guessed.
    async fn recipient(&mut self, rest: &str) -> Next {
        if !self.has_sender {
            return say("503 5.5.1 MAIL first");
        }
        let Some((address, _)) = path(rest, "TO:") else {
            return say("501 5.5.4 RCPT TO:<address>");
        };
        if self.recipients.len() >= RECIPIENTS_MAX {
            return say("452 4.5.3 too many recipients");
        }
        match Returns::of(self.shared).takes(address).await {
            Ok(true) => {
                self.recipients.push(address.into());
                say("250 2.1.5 recipient taken")
            }
            Ok(false) => {
                let labels = vec![("what", "refused")];
                self.shared.measures.came_back.get_or_create(&labels).inc();
                say("550 5.1.1 no such address here")
            }
            Err(_) => say("451 4.3.0 not now"),
        }
    }

    /// Takes the mail; an answer for each recipient under LMTP, one for all under SMTP.
    async fn take(&mut self, mail: Mail) -> String {
        let recipients = std::mem::take(&mut self.recipients);
        let answers = if self.is_lmtp { recipients.len() } else { 1 };
        self.reset();
        let reply = match mail {
            Mail::TooLarge => "552 5.3.4 the mail is too large\r\n",
            Mail::Whole(bytes) => match receive(self.shared, &recipients, &bytes).await {
                Ok(_) => "250 2.6.0 taken\r\n",
                Err(failure) => {
                    tracing::warn!(%failure, "mail that came back could not be taken; it is brought again");
                    "451 4.3.0 not now\r\n"
                }
            },
        };
        reply.repeat(answers)
    }
}

/// `FROM:<address> parameters`, with the address and the parameters apart.
fn path<'a>(rest: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let head = rest.get(..word.len())?;
    let path = rest[word.len()..].trim_start().strip_prefix('<')?;
    let (address, parameters) = path.split_once('>')?;
    head.eq_ignore_ascii_case(word)
        .then_some((address, parameters.trim()))
}
