//! The recording mail server as a program: it ends when its standard input is closed.
//!
//! `mail-sink --record FILE [--listen 127.0.0.1:0] [--plan FILE] [--certificate PEM --key PEM]`

use std::path::PathBuf;
use std::process::ExitCode;

use end_to_end::{Certificate, Failure, Plan, Sink, SinkOptions};
use tokio::io::AsyncReadExt;

const USAGE: &str =
    "mail-sink --record FILE [--listen 127.0.0.1:0] [--plan FILE] [--certificate PEM --key PEM]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mail-sink: {failure}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Failure> {
    let sink = Sink::start(options()?).await?;
    println!("listening on {}", sink.address());
    let mut input = tokio::io::stdin();
    let mut ignored = [0; 256];
    while matches!(input.read(&mut ignored).await, Ok(1..)) {}
    Ok(())
}

fn options() -> Result<SinkOptions, Failure> {
    let mut options = SinkOptions::new("");
    let (mut server, mut key) = (None, None);
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        let value = words.next().unwrap_or_default();
        match flag.as_str() {
            "--record" => options.record = PathBuf::from(value),
            "--plan" => options.plan = Plan::read(&PathBuf::from(value))?,
            "--certificate" => server = Some(PathBuf::from(value)),
            "--key" => key = Some(PathBuf::from(value)),
            "--listen" => {
                options.listen = value
                    .parse()
                    .map_err(|_| wrong(&flag, "wants an address and a port"))?;
            }
            _ => return Err(wrong(&flag, "is not known")),
        }
    }
    if options.record.as_os_str().is_empty() {
        return Err(wrong("--record", "is missing"));
    }
    options.certificate = match (server, key) {
        (Some(server), Some(key)) => Some(Certificate {
            authority: server.clone(),
            server,
            key,
        }),
        (None, None) => None,
        _ => return Err(wrong("--certificate", "goes with --key")),
    };
    Ok(options)
}

fn wrong(flag: &str, reason: &str) -> Failure {
    Failure::Unreadable {
        what: flag.to_owned(),
        reason: reason.to_owned(),
    }
}
