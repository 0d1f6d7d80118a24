//! The bytes of a session: commands out in one write, replies in line by line, each under a deadline.

use super::reply::{LINE_BYTES_MAX, Partial, Reply};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// As much is read at a time, at least.
const CHUNK_BYTES: usize = 1_024;
/// Room for what may be said behind a message.
const FLIGHT_BYTES: usize = 256;

/// The connection, in the clear or not.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What went wrong on the wire.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    #[error("the connection was closed")]
    Closed,
    #[error("{0}")]
    Broken(io::Error),
    #[error("the server sent {0}")]
    Garbled(&'static str),
}

/// A connection and what was read from it too early.
pub(super) struct Wire {
    stream: Stream,
    buffer: Vec<u8>,
}

impl Wire {
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self {
            stream: Stream::Plain(stream),
            buffer: Vec::new(),
        }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self {
            stream: Stream::Tls(Box::new(stream)),
            buffer: Vec::new(),
        }
    }

    /// The bare connection, if it is one and nothing was said on it that we did not ask for.
    pub(super) fn into_plain(self) -> Option<TcpStream> {
        match self.stream {
            Stream::Plain(stream) if self.buffer.is_empty() => Some(stream),
            Stream::Plain(_) | Stream::Tls(_) => None,
        }
    }

    /// Writes `line` and its end, and reads the reply.
    pub(super) async fn ask(&mut self, line: &str, deadline: Duration) -> Result<Reply, WireError> {
        let exchange = async {
            self.expect_silence()?;
            self.write_all(format!("{line}\r\n").as_bytes()).await?;
            self.read().await
        };
        within(deadline, exchange).await
    }

    /// Writes `bytes`, whole.
    pub(super) async fn write(
        &mut self,
        bytes: &[u8],
        deadline: Duration,
    ) -> Result<(), WireError> {
        within(deadline, self.write_all(bytes)).await
    }

    /// Reads one reply.
    pub(super) async fn reply(&mut self, deadline: Duration) -> Result<Reply, WireError> {
        within(deadline, self.read()).await
    }

    /// Whether the server has said something unasked.
    pub(super) fn expect_silence(&self) -> Result<(), WireError> {
        if self.buffer.is_empty() {
            Ok(())
        } else {
            Err(WireError::Garbled("more than one reply"))
        }
    }

    async fn write_all(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let outcome = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).await,
            Stream::Tls(stream) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                Err(error) => Err(error),
            },
        };
        outcome.map_err(WireError::Broken)
    }

    async fn read(&mut self) -> Result<Reply, WireError> {
        let mut partial = Partial::default();
        loop {
            while let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                let line = &self.buffer[..end];
                let taken = partial.take(line.strip_suffix(b"\r").unwrap_or(line));
                self.buffer.drain(..=end);
                if let Some(reply) = taken.map_err(WireError::Garbled)? {
                    return Ok(reply);
                }
            }
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(WireError::Garbled("a line without end"));
            }
            self.read_some().await?;
        }
    }

    async fn read_some(&mut self) -> Result<(), WireError> {
        self.buffer.reserve(CHUNK_BYTES);
        let outcome = match &mut self.stream {
            Stream::Plain(stream) => stream.read_buf(&mut self.buffer).await,
            Stream::Tls(stream) => stream.read_buf(&mut self.buffer).await,
        };
        match outcome.map_err(WireError::Broken)? {
            0 => Err(WireError::Closed),
            _ => Ok(()),
        }
    }
}

async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, WireError>>,
) -> Result<T, WireError> {
    tokio::time::timeout(deadline, work)
        .await
        .unwrap_or(Err(WireError::Deadline(deadline)))
}

/// The message as it goes over the wire: every line ends in CRLF, dots at a line's start doubled, the final dot at its end.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + FLIGHT_BYTES);
    let mut rest = message;
    while !rest.is_empty() {
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, end) = rest.split_at(end);
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        rest = match end {
            [b'\r', b'\n', behind @ ..] | [_, behind @ ..] => behind,
            [] => &[],
        };
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_dot_stands_alone() {
        for (from, to) in [
            (&b"a"[..], &b"a\r\n.\r\n"[..]),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b".\r\n.a\r\n", b"..\r\n..a\r\n.\r\n"),
            (b"a\n.\nb\r.\rc", b"a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n"),
            (b"", b".\r\n"),
        ] {
            assert_eq!(framed(from), to);
        }
    }
}
