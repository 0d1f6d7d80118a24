//! For tests: a server's parts over a store in a temporary folder, the example workspace, a small HTTP client.

use crate::shared::Shared;
use crate::{Clock, Config};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use store::{ClockMode, OpenOptions, Store};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workflow::Files;

/// A store of its own, gone with the value.
pub(crate) struct Place {
    folder: TempDir,
    clock: ClockMode,
}

impl Place {
    pub(crate) fn new(clock: ClockMode) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            clock,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("sottaku.db")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Opens the store, as one more process would.
    pub(crate) async fn open(&self) -> Store {
        let options = OpenOptions {
            shards: Some(2),
            clock: Some(self.clock),
            ..OpenOptions::default()
        };
        Store::open(&self.file(), options)
            .await
            .expect("the store opens")
    }

    /// Settings with these variables in the environment.
    pub(crate) fn config(&self, variables: &[(&str, &str)]) -> Config {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            match name {
                "SOTTAKU_LISTEN" if found.is_none() => Some("127.0.0.1:0".into()),
                _ => found.map(|(_, value)| (*value).to_owned()),
            }
        };
        Config::load_with(None, &variable).expect("the settings are right")
    }

    pub(crate) async fn shared(&self, variables: &[(&str, &str)]) -> Shared {
        Shared::new(
            self.config(variables),
            self.open().await,
            Clock::by_hand(noon()),
        )
        .expect("no means is needed")
    }
}

/// A fixed instant.
pub(crate) fn noon() -> Timestamp {
    "2026-01-13T03:00:00Z".parse().expect("an instant")
}

/// The example workspace.
pub(crate) fn example() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/example");
    let mut files = Files::new();
    gather(&root, &root, &mut files);
    files
}

fn gather(root: &Path, folder: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).expect("the example is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            gather(root, &path, files);
        } else {
            let name = path
                .strip_prefix(root)
                .expect("it is inside")
                .to_string_lossy()
                .replace('\\', "/");
            files.insert(
                name.into(),
                std::fs::read_to_string(&path).expect("it is text").into(),
            );
        }
    }
}

/// One account, its champion and its contract, as the three lines of the README tell them.
pub(crate) fn three_facts(account: &str, time: &str) -> [String; 3] {
    let fact = |id: &str, kind: &str, data: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{account}-{id}","source":"crm","type":"{kind}","subject":"{account}","time":"{time}","data":{data}}}"#
        )
    };
    [
        fact(
            "1",
            "account.updated",
            r#"{"name":"アクメ","arr":3000000,"timezone":"Asia/Tokyo","customer_since":"2025-05-11"}"#,
        ),
        fact(
            "2",
            "contact.updated",
            r#"{"contact":"p-1","name":"田中","role":"champion","email":"tanaka@acme.example","locale":"ja"}"#,
        ),
        fact(
            "3",
            "contract.updated",
            r#"{"contract":"k-1","status":"active","start_date":"2025-05-11","renewal_date":"2026-05-10","seats":100,"renewal_status":"open"}"#,
        ),
    ]
}

/// Posts a body and gives the status and the answer's body.
pub(crate) async fn post(
    address: std::net::SocketAddr,
    content_type: &str,
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let request = format!(
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is written");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("it is answered");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}
