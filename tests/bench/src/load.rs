//! What is sent: the mails of a workspace, decided and waiting in a store, and the settings of who hands them over.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use server::{Clock, Config, Roles, Server};
use store::{Basis, ClockMode, Consent, Incoming, NewFact, OpenOptions, Store};
use workflow::Files;

use crate::commit;
use crate::facts;
use crate::mails::{LOOK, until};

/// Bills to each account.
const INVOICES_EACH: usize = 20;
/// By then all have to be decided.
const DECIDE_MAX: Duration = Duration::from_secs(300);
/// Accounts whose facts are appended at once.
const APPENDED: usize = 100;

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// Bills, which nobody can refuse, under the clock of their facts: nothing but the mail itself.
    Invoices,
    /// A promotional mail to one person of each account, under the live clock and with all that is asked and added: proof of
    /// consent, the cap of an address, suppression, the fact of what came of it, footer, links to leave and sealed addresses.
    Campaign,
    /// The same, signed here.
    Signed(Key),
}

/// With what mails are signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Ed25519,
    Rsa,
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Invoices => "bills, of which nothing is asked",
            Self::Campaign => "a campaign with everything on",
            Self::Signed(Key::Ed25519) => "the same, signed with Ed25519",
            Self::Signed(Key::Rsa) => "the same, signed with RSA-2048",
        })
    }
}

impl Load {
    /// So many accounts get so many mails.
    pub(crate) fn accounts(self, mails: usize) -> usize {
        match self {
            Self::Invoices => (mails / INVOICES_EACH).max(1),
            Self::Campaign | Self::Signed(_) => mails.max(1),
        }
    }

    pub(crate) fn mails(self, accounts: usize) -> usize {
        match self {
            Self::Invoices => accounts * INVOICES_EACH,
            Self::Campaign | Self::Signed(_) => accounts,
        }
    }

    /// Its workspace.
    pub(crate) fn files(self) -> anyhow::Result<Files> {
        let workspace = match self {
            Self::Invoices => "tests/data/invoices",
            Self::Campaign | Self::Signed(_) => "tests/data/campaign",
        };
        facts::files_of(workspace, &["workflows", "templates"])
    }

    pub(crate) fn clock(self) -> ClockMode {
        match self {
            Self::Invoices => ClockMode::Log,
            Self::Campaign | Self::Signed(_) => ClockMode::Live,
        }
    }

    /// The facts that introduce an account.
    fn introduced(self, account: &str, at: Timestamp) -> Vec<String> {
        let role = match self {
            Self::Invoices => "billing",
            Self::Campaign | Self::Signed(_) => "champion",
        };
        let contact = json!({"contact": "p-1", "name": "田中", "role": role, "email": address(account), "locale": "ja"});
        vec![
            fact(
                (account, "0"),
                "account.updated",
                at,
                json!({"name": "アクメ"}),
            ),
            fact((account, "1"), "contact.updated", at, contact),
        ]
    }

    /// The facts that have its mails sent.
    fn occasions(self, account: &str, at: Timestamp) -> Vec<String> {
        match self {
            Self::Invoices => (0..INVOICES_EACH)
                .map(|n| {
                    let data = json!({"number": n, "amount": 120_000});
                    fact((account, &format!("i-{n}")), "invoice.issued", at, data)
                })
                .collect(),
            Self::Campaign | Self::Signed(_) => {
                let data = json!({"name": "分析ダッシュボード", "minutes": 5});
                vec![fact((account, "f"), "feature.released", at, data)]
            }
        }
    }

    /// Decides all mails to so many accounts in a new store; what the first of them looks like on the wire.
    pub(crate) async fn prepare(self, folder: &Path, accounts: usize) -> anyhow::Result<Vec<u8>> {
        let sample = folder.join("sample.db");
        let store = self.decided(&sample, 1, true).await?;
        let letter = letter(&store, self.captured(folder)?).await?;
        store.close().await;
        let store = self.decided(&decided_in(folder), accounts, true).await?;
        store.close().await;
        if let Self::Signed(key) = self {
            key.make(folder)?;
        }
        Ok(letter)
    }

    /// A new store with so many accounts, and with their mails where these are due.
    pub(crate) async fn decided(
        self,
        path: &Path,
        accounts: usize,
        is_due: bool,
    ) -> anyhow::Result<Store> {
        let options = OpenOptions {
            shards: Some(8),
            clock: Some(self.clock()),
            ..OpenOptions::default()
        };
        let store = Store::open(path, options).await?;
        let now = Timestamp::now();
        server::activate(&store, &self.files()?, now).await?;
        let names: Vec<String> = (0..accounts).map(name).collect();
        for names in names.chunks(APPENDED) {
            let facts = names.iter().flat_map(|name| {
                let shard = store.shard_of(name);
                let due = is_due.then(|| self.occasions(name, now));
                let told = self.introduced(name, now).into_iter();
                told.chain(due.into_iter().flatten())
                    .map(move |json| NewFact {
                        shard,
                        arrived_at: now,
                        json: json.into(),
                    })
            });
            let incoming = Incoming {
                facts: facts.collect(),
                parked: Vec::new(),
            };
            store.append(incoming).await?;
        }
        if self != Self::Invoices {
            for name in &names {
                agree(&store, name, now).await?;
            }
        }
        if is_due {
            decide(&store, self.mails(accounts)).await?;
        } else {
            commit::decided(&store).await?;
        }
        Ok(store)
    }

    /// The settings of one that hands over to `sink`.
    pub(crate) fn sending(
        self,
        folder: &Path,
        (sink, connections): (SocketAddr, usize),
    ) -> anyhow::Result<Config> {
        let signed = match self {
            Self::Signed(key) => format!(
                ", dkim: [{{domain: vendor.example, selector: s1, key: \"${{file:{}}}\"}}]",
                key.path(folder).display()
            ),
            Self::Invoices | Self::Campaign => String::new(),
        };
        let smtp = format!(
            "mode: smtp\nsmtp: {{host: 127.0.0.1, port: {}, tls: none, concurrency_max: {connections}{signed}}}\n",
            sink.port()
        );
        self.config(folder, &smtp)
    }

    /// The settings of one that keeps what it would hand over.
    fn captured(self, folder: &Path) -> anyhow::Result<Config> {
        self.config(folder, "mode: captured\n")
    }

    fn config(self, folder: &Path, mode: &str) -> anyhow::Result<Config> {
        let all = match self {
            Self::Invoices => String::new(),
            Self::Campaign | Self::Signed(_) => format!(
                "public_url: https://cs.vendor.example\n\
                bounces: {{domain: bounces.vendor.example, maildir: {}}}\n\
                limits: {{address_messages_max: 3, address_messages_within: 86400s}}\n",
                folder.join("maildir").display()
            ),
        };
        let path = folder.join("sottaku.yaml");
        std::fs::write(&path, format!("listen: 127.0.0.1:0\n{mode}{all}"))?;
        Ok(Config::load_with(Some(&path), &|_| None)?)
    }
}

/// Where what was decided lies.
pub(crate) fn decided_in(folder: &Path) -> std::path::PathBuf {
    folder.join("decided.db")
}

impl Key {
    /// Where it lies.
    pub(crate) fn path(self, folder: &Path) -> std::path::PathBuf {
        folder.join("dkim.pem")
    }

    fn make(self, folder: &Path) -> anyhow::Result<()> {
        let words: &[&str] = match self {
            Self::Ed25519 => &["-algorithm", "ed25519"],
            Self::Rsa => &["-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"],
        };
        let mut command = Command::new("openssl");
        let made = command
            .arg("genpkey")
            .args(words)
            .arg("-out")
            .arg(self.path(folder))
            .output();
        let made = made.context("openssl makes the key")?;
        if !made.status.success() {
            bail!("openssl: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(())
    }
}

/// Decides until so many mails wait.
async fn decide(store: &Store, mails: usize) -> anyhow::Result<()> {
    let roles = Roles {
        http: false,
        ingest: false,
        api: false,
        decide: true,
        send: false,
    };
    let config = Config::load_with(None, &|_| None)?;
    let server = Server::start(config, store.clone(), Clock::wall(), roles).await?;
    let mails = u64::try_from(mails)?;
    let all = until(LOOK * 4, async || {
        let counts = store.delivery_counts().await?;
        Ok(counts.iter().map(|(_, count)| count).sum::<u64>() >= mails)
    });
    tokio::time::timeout(DECIDE_MAX, all)
        .await
        .context("the mails are decided in time")??;
    server.stop().await;
    Ok(())
}

fn address(account: &str) -> String {
    format!("tanaka@{account}.example")
}

/// Account number `n`.
pub(crate) fn name(n: usize) -> String {
    format!("a-{n:06}")
}

/// Records that an account's person agreed to be written to.
async fn agree(store: &Store, account: &str, at: Timestamp) -> anyhow::Result<()> {
    let consent = Consent {
        key: server::known_as(store, &address(account)),
        basis: Basis::Consent,
        who: "bench".into(),
        how: "form".into(),
        wording: "".into(),
        at,
        until: None,
    };
    Ok(store.add_consent(consent).await?)
}

fn fact((account, id): (&str, &str), kind: &str, at: Timestamp, data: Value) -> String {
    json!({
        "specversion": "1.0", "id": format!("{account}-{id}"), "source": "bench", "type": kind, "subject": account,
        "time": at.to_string(), "data": data,
    })
    .to_string()
}

/// The bytes that a mail of this store has on the wire: as a server keeps it that sends none.
async fn letter(store: &Store, config: Config) -> anyhow::Result<Vec<u8>> {
    let roles = Roles {
        http: false,
        ingest: false,
        api: false,
        decide: false,
        send: true,
    };
    let server = Server::start(config, store.clone(), Clock::wall(), roles).await?;
    until(LOOK, async || Ok(!store.captured(0, 1).await?.is_empty())).await?;
    server.stop().await;
    let kept = store.captured(0, 1).await?.into_iter().next();
    Ok(kept.context("a mail was kept")?.captured.body)
}
