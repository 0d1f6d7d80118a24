//! A client of one HTTP server over one connection, which tells an answer from a cut: after a cut nobody
//! knows what the server did.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const HEAD_LINES_MAX: usize = 64;
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Such as 202.
    pub status: u16,
    /// The head's lines, as they came, without the first.
    pub head: Vec<String>,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// The value of a header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// No answer came: the connection could not be opened, broke, or stayed silent too long.
#[derive(Debug, thiserror::Error)]
#[error("no answer: {0}")]
pub struct Cut(String);

impl Cut {
    fn by(why: impl std::fmt::Display) -> Cut {
        Cut(why.to_string())
    }
}

/// A client with at most one connection, kept open between requests.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    patience: Duration,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client of the server at `address`, which waits `patience` for each answer.
    pub fn new(address: SocketAddr, patience: Duration) -> Client {
        Client {
            address,
            patience,
            stream: None,
        }
    }

    /// Sends a request and reads its answer. After a cut the next request opens a new connection.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn ask(
        &mut self,
        request: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Cut> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let mut head = format!("{request} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        let asked = async {
            stream.get_mut().write_all(&bytes).await?;
            answer(&mut stream).await
        };
        let answered = timeout(self.patience, asked).await;
        let answered = answered.map_err(Cut::by)?.map_err(Cut::by)?;
        let is_last = |value: &str| value.eq_ignore_ascii_case("close");
        if !answered.header("connection").is_some_and(is_last) {
            self.stream = Some(stream);
        }
        Ok(answered)
    }

    /// `POST /v1/events` with this content type.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn tell(&mut self, content_type: &str, body: &[u8]) -> Result<Answer, Cut> {
        let headers = [("content-type", content_type)];
        self.ask("POST /v1/events", &headers, body).await
    }

    /// `GET` of a path.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn get(&mut self, path: &str) -> Result<Answer, Cut> {
        self.ask(&format!("GET {path}"), &[], &[]).await
    }

    async fn connect(&self) -> Result<BufReader<TcpStream>, Cut> {
        let opened = timeout(self.patience, TcpStream::connect(self.address)).await;
        let stream = opened.map_err(Cut::by)?.map_err(Cut::by)?;
        stream.set_nodelay(true).map_err(Cut::by)?;
        Ok(BufReader::new(stream))
    }
}

async fn answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<Answer> {
    let wrong = |what: &str| std::io::Error::other(format!("the answer has {what}"));
    let first = line(stream).await?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| wrong("no status"))?;
    let mut head = Vec::new();
    loop {
        let line = line(stream).await?;
        if line.is_empty() {
            break;
        }
        head.push(line);
        if head.len() > HEAD_LINES_MAX {
            return Err(wrong("too long a head"));
        }
    }
    let mut answer = Answer {
        status,
        head,
        body: String::new(),
    };
    let length = answer.header("content-length").map(str::parse::<usize>);
    let bytes = match length {
        Some(Ok(length)) if length <= BODY_BYTES_MAX => exactly(stream, length).await?,
        Some(_) => return Err(wrong("a length that cannot be")),
        None if answer.header("transfer-encoding").is_some() => chunks(stream).await?,
        None => Vec::new(),
    };
    answer.body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(answer)
}

async fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

async fn exactly(stream: &mut BufReader<TcpStream>, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn chunks(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let size = usize::from_str_radix(&line(stream).await?, 16);
        let size = size.map_err(std::io::Error::other)?;
        let mut chunk = exactly(stream, size.min(BODY_BYTES_MAX) + 2).await?;
        chunk.truncate(size);
        whole.append(&mut chunk);
        if size == 0 {
            return Ok(whole);
        }
    }
}
