//! The floors of mails: a bare client that does nothing else, the client of a library that many programs use, and Postfix's
//! own generator of load.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::bail;
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use outreach::Secret;
use outreach::dkim::Signer;

use crate::cpu::{Cost, Meter};
use crate::mails::Case;

/// Postfix's generator of load, where Debian puts it.
const SMTP_SOURCE: &str = "/usr/sbin/smtp-source";

/// Whether Postfix's generator is installed.
pub(crate) fn has_smtp_source() -> bool {
    Path::new(SMTP_SOURCE).exists()
}

/// The same mails by a client that keeps nothing and asks nobody; it sends commands together, as the server allows.
pub(crate) fn bare(letter: &[u8], case: Case) -> anyhow::Result<Cost> {
    let sink = case.taker.start()?;
    let address = sink.address();
    let meter = Meter::start();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..case.connections)
            .map(|sender| {
                let count = case.share(sender);
                scope.spawn(move || send(address, letter, count))
            })
            .collect();
        senders
            .into_iter()
            .try_for_each(|sender| match sender.join() {
                Ok(sent) => sent,
                Err(_) => bail!("a sender panicked"),
            })
    })?;
    let cost = meter.stop();
    sink.take(case.mails)?;
    Ok(cost)
}

fn send(address: SocketAddr, letter: &[u8], count: usize) -> anyhow::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_nodelay(true)?;
    answered(&mut stream, '2')?;
    stream.get_mut().write_all(b"EHLO bench\r\n")?;
    answered(&mut stream, '2')?;
    let begin = "MAIL FROM:<billing@vendor.example>\r\nRCPT TO:<billing@a.example>\r\nDATA\r\n";
    let whole = [letter, b"\r\n.\r\n"].concat();
    for _ in 0..count {
        stream.get_mut().write_all(begin.as_bytes())?;
        for wanted in ['2', '2', '3'] {
            answered(&mut stream, wanted)?;
        }
        stream.get_mut().write_all(&whole)?;
        answered(&mut stream, '2')?;
    }
    Ok(())
}

/// The same mails by the library's client, which sends command by command, over connections that do not wait to fill a
/// packet: it keeps nothing either.
pub(crate) async fn library(letter: &[u8], case: Case) -> anyhow::Result<Cost> {
    let sink = case.taker.start()?;
    let letter: Arc<[u8]> = letter.into();
    let meter = Meter::start();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..case.connections {
        let count = case.share(sender);
        senders.spawn(send_by_library(sink.address(), Arc::clone(&letter), count));
    }
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    let cost = meter.stop();
    sink.take(case.mails)?;
    Ok(cost)
}

async fn send_by_library(
    address: SocketAddr,
    letter: Arc<[u8]>,
    count: usize,
) -> anyhow::Result<()> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let hello = ClientId::Domain("bench".to_owned());
    let mut connection =
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await?;
    let from = Some("billing@vendor.example".parse()?);
    let envelope = Envelope::new(from, vec!["billing@a.example".parse()?])?;
    for _ in 0..count {
        connection.send(&envelope, &letter).await?;
    }
    Ok(())
}

fn answered(stream: &mut BufReader<TcpStream>, wanted: char) -> anyhow::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        if line.as_bytes().get(3) != Some(&b'-') {
            break;
        }
    }
    if !line.starts_with(wanted) {
        bail!("the sink said {line:?}");
    }
    Ok(())
}

/// Signs as many mails on all cores, and sends none.
pub(crate) fn signing(letter: &[u8], key: &str, case: Case) -> anyhow::Result<Cost> {
    let signer = Signer::new("vendor.example", "s1", &Secret::new(key))?;
    let cores = std::thread::available_parallelism()?.get();
    let meter = Meter::start();
    std::thread::scope(|scope| {
        let sign = |core| {
            let count = case.mails / cores + usize::from(core < case.mails % cores);
            (0..count).try_for_each(|_| signer.sign(letter, Timestamp::UNIX_EPOCH).map(drop))
        };
        let signers: Vec<_> = (0..cores)
            .map(|core| scope.spawn(move || sign(core)))
            .collect();
        signers
            .into_iter()
            .try_for_each(|signer| match signer.join() {
                Ok(signed) => Ok(signed?),
                Err(_) => bail!("a signer panicked"),
            })
    })?;
    Ok(meter.stop())
}

/// Postfix's generator. It is another process, so only the clock counts.
pub(crate) fn smtp_source(bytes: usize, case: Case) -> anyhow::Result<Cost> {
    let sink = case.taker.start()?;
    let meter = Meter::start();
    let status = Command::new(SMTP_SOURCE)
        .args([
            "-d",
            "-s",
            &case.connections.to_string(),
            "-m",
            &case.mails.to_string(),
        ])
        .args(["-l", &bytes.to_string(), "-f", "billing@vendor.example"])
        .args([
            "-t",
            "billing@a.example",
            &format!("inet:127.0.0.1:{}", sink.address().port()),
        ])
        .status()?;
    let wall = meter.stop().wall;
    if !status.success() {
        bail!("smtp-source failed: {status}");
    }
    sink.take(case.mails)?;
    Ok(Cost {
        wall,
        cores: wall.as_secs_f64(),
    })
}
