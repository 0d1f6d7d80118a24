//! A mail server that takes everything and keeps nothing, as a process of its own: its work is not counted.
//! For each mail it prints its subject and when its last line came, in microseconds since 1970.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;

use crate::pace;

/// The first word of its command line.
pub(crate) const SINK: &str = "sink";
/// As many mails wait to be looked at.
const TAKEN_MAX: usize = 1_000_000;

/// A mail as the sink saw it.
pub(crate) struct Taken {
    pub(crate) subject: String,
    pub(crate) at_micros: i64,
}

/// A running sink; it ends with the value.
pub(crate) struct Sink {
    child: Child,
    address: SocketAddr,
    taken: mpsc::Receiver<Taken>,
}

impl Sink {
    /// One that answers each mail's end after `delay`.
    pub(crate) fn start(delay: Duration) -> anyhow::Result<Sink> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([SINK, &delay.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("it has an output")?).lines();
        let first = lines.next().context("the sink says where it listens")??;
        let (send, taken) = mpsc::sync_channel(TAKEN_MAX);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let Some((subject, at)) = line.rsplit_once(' ') else {
                    continue;
                };
                let taken = Taken {
                    subject: subject.to_owned(),
                    at_micros: at.parse().unwrap_or(0),
                };
                if send.send(taken).is_err() {
                    break;
                }
            }
        });
        Ok(Sink {
            child,
            address: first.parse()?,
            taken,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next `count` mails; an error if one is a minute away.
    pub(crate) fn take(&self, count: usize) -> anyhow::Result<Vec<Taken>> {
        let next = |n| {
            self.taken
                .recv_timeout(Duration::from_secs(60))
                .with_context(|| format!("only {n} of {count} mails came"))
        };
        (0..count).map(next).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It ends when its input does; it may have ended already.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// `bench sink DELAY`: listens until its input ends.
pub(crate) fn serve(words: &[String]) -> anyhow::Result<()> {
    let [_, delay] = words else {
        bail!("sink MILLISECONDS");
    };
    let delay = Duration::from_millis(delay.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                // A client that goes away ends its session, as clients do.
                drop(session(stream, delay));
            });
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn session(stream: TcpStream, delay: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    output.write_all(b"220 sink\r\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => output.write_all(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")?,
            "DATA" => {
                output.write_all(b"354 go on\r\n")?;
                let subject = body(&mut input)?;
                let now = Timestamp::now().as_microsecond();
                println!("{subject} {now}");
                pace::pass(delay);
                output.write_all(b"250 taken\r\n")?;
            }
            "QUIT" => return output.write_all(b"221 bye\r\n"),
            _ => output.write_all(b"250 ok\r\n")?,
        }
    }
}

/// Reads to the final dot; the subject.
fn body(input: &mut impl BufRead) -> std::io::Result<String> {
    let (mut line, mut subject) = (Vec::new(), String::new());
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 || line == b".\r\n" {
            return Ok(subject);
        }
        if let Some(said) = line.strip_prefix(b"Subject: ") {
            subject = String::from_utf8_lossy(said).trim().to_owned();
        }
    }
}
