//! Settings: from a file, with the environment laid over it. Nothing else reads the environment.

mod build;
mod left;
mod log;
mod mail;
mod mail_events;
mod place;
mod reach;
pub mod reference;
pub(crate) mod retention;
mod returns;
mod secret;
mod settings;
mod show;
mod sources;

pub use left::Left;
pub use log::LogConfig;
pub use mail_events::{MailEvents, Ses, SesProof};
pub use place::StorePlace;
pub use reach::{Hook, Reach};
pub use retention::Retention;
pub use returns::Bounces;
pub use secret::Secret;
pub use sources::SourcesConfig;

use outreach::render::legal::Jurisdiction;
use settings::{Settings, overlay};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use store::{Cap, ClockMode};

/// The largest settings file, in bytes.
const FILE_BYTES_MAX: usize = 256 * 1024;

/// All settings, checked. Secrets inside can't be printed, so this can't either; [`Config::shown`] masks them.
#[derive(Clone)]
pub struct Config {
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// Where the store is.
    pub store: StorePlace,
    /// Where the log is, if not in the store's own tables.
    pub log: Option<LogConfig>,
    /// The brokers of sources, if they are others than the log's.
    pub sources: Option<SourcesConfig>,
    /// The number of shards of a new store.
    pub shards: Option<u32>,
    /// Whose time decides, for a new store.
    pub clock: Option<ClockMode>,
    /// Who may bring facts in and read the journal. None: only this machine may.
    pub tokens: Vec<Secret>,
    /// What becomes of messages.
    pub mode: Mode,
    /// The domain of Message-IDs; else the sender's own.
    pub from_domain: Option<Box<str>>,
    /// Where the world reaches this server, without a slash at its end: links in messages begin with it.
    pub public_url: Option<Box<str>>,
    /// Where mail comes back to.
    pub bounces: Option<Bounces>,
    /// Mail providers that may tell what became of mails.
    pub mail_events: MailEvents,
    /// What is noticed of readers.
    pub tracking: Tracking,
    /// Whose law mails that can be left follow.
    pub jurisdiction: Jurisdiction,
    /// How many days after its last contract an account still does business with us.
    pub relationship_grace_days: u32,
    /// Messages that left before the store was restored.
    pub left: Left,
    /// The mail server.
    pub smtp: Option<Smtp>,
    /// What leaves by HTTP.
    pub reach: Reach,
    /// Senders with a mail server of their own.
    pub senders: Vec<Sender>,
    /// How fast mails may leave.
    pub pace: Pace,
    /// How long what is past is kept.
    pub retention: Retention,
    /// Limits.
    pub limits: Limits,
}

/// What is noticed of readers. Machines open and click too: neither is a decision by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// Whether a mail carries an image that tells when it is looked at.
    pub opens: bool,
    /// Whether links lead by way of this server.
    pub clicks: bool,
    /// What is done sooner after a mail left was done by a machine on its way.
    pub machines_within: Duration,
}

/// What becomes of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are kept in the store, to be looked at.
    Captured,
    /// They leave.
    Smtp,
}

/// How the connection to the mail server is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS, and nothing without it.
    Required,
    /// From the first byte.
    Implicit,
    /// None; only for servers on this machine and for tests.
    Plain,
}

/// The mail server.
#[derive(Clone)]
pub struct Smtp {
    /// Its name.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// How it is guarded.
    pub tls: Tls,
    /// User and password.
    pub login: Option<(Box<str>, Secret)>,
    /// What we call ourselves.
    pub hello: Option<Box<str>>,
    /// How many connections at once.
    pub concurrency_max: usize,
    /// Whether commands go in one flight where the server takes them so.
    pub pipelining: bool,
    /// What signs its mails; none: the server does.
    pub dkim: Vec<Dkim>,
    /// To connect.
    pub connect_time_max: Option<Duration>,
    /// For each command's answer.
    pub command_time_max: Option<Duration>,
    /// For the answer to the mail itself.
    pub answer_time_max: Option<Duration>,
}

/// A key that signs mails.
#[derive(Clone)]
pub struct Dkim {
    /// The domain that it speaks for.
    pub domain: Box<str>,
    /// Under which name its public half stands there.
    pub selector: Box<str>,
    /// The private half, in PEM.
    pub key: Secret,
}

impl Dkim {
    /// What signs with it.
    pub(crate) fn signer(&self) -> Result<outreach::dkim::Signer, outreach::dkim::DkimFault> {
        let pem = outreach::Secret::new(self.key.expose());
        outreach::dkim::Signer::new(&self.domain, &self.selector, &pem)
    }
}

/// A sender with a mail server of its own.
#[derive(Clone)]
pub struct Sender {
    /// The addresses and domains it sends for, in small letters.
    pub from: Vec<Box<str>>,
    /// The mail server.
    pub smtp: Smtp,
}

/// How fast mails may leave, for each process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// To each domain that has no rate of its own.
    pub each_domain: Rate,
    /// To these.
    pub domains: BTreeMap<Box<str>, Rate>,
    /// How a new server's name is made known.
    pub warm_up: Option<WarmUp>,
}

/// How fast mails may leave to one domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// How many a minute.
    pub per_minute: Option<u32>,
    /// How many at the same time.
    pub at_once: Option<u32>,
}

/// A new server sends little at first, and more each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmUp {
    /// The first day, by UTC.
    pub since: jiff::civil::Date,
    /// How many mails on it, from each sender.
    pub first_day: u32,
    /// How many more on each day after.
    pub grows_percent: u32,
    /// After so many days there is no limit any more.
    pub days: u32,
}

/// Limits of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Facts decided in one commit.
    pub batch_facts_max: u32,
    /// Bytes of facts decided in one commit.
    pub batch_bytes_max: usize,
    /// How long facts wait for others to share a commit.
    pub batch_wait_max: Duration,
    /// A body of `POST /v1/events`, in bytes.
    pub body_bytes_max: usize,
    /// Facts in one body.
    pub body_facts_max: usize,
    /// Requests under way at once.
    pub requests_max: usize,
    /// How long a request may take.
    pub request_time_max: Duration,
    /// Wake-ups decided in one commit.
    pub wakes_max: u32,
    /// Messages claimed at once by a shard's sender.
    pub claims_max: u32,
    /// Accounts kept in memory, for each shard.
    pub accounts_cached_max: usize,
    /// About how many bytes they may take, for each shard.
    pub cache_bytes_max: usize,
    /// How long a stop waits for what is under way.
    pub stop_time_max: Duration,
    /// The longest wait before a deferred message is tried again; none: as the schedule of retries has it.
    pub retry_wait_max: Option<Duration>,
    /// Messages that one address gets, whichever accounts they are of, within `address_messages_within`; none: as many
    /// as are decided.
    pub address_messages_max: Option<u32>,
    /// The time of that limit.
    pub address_messages_within: Duration,
}

impl Limits {
    /// The cap of an address.
    pub(crate) fn cap(&self) -> Option<Cap> {
        self.address_messages_max.map(|at_most| Cap {
            at_most,
            within: self.address_messages_within,
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_facts_max: 500,
            batch_bytes_max: 4 * 1024 * 1024,
            batch_wait_max: Duration::from_millis(20),
            body_bytes_max: 4 * 1024 * 1024,
            body_facts_max: 5_000,
            requests_max: 512,
            request_time_max: Duration::from_secs(30),
            wakes_max: 200,
            claims_max: 100,
            accounts_cached_max: 100_000,
            cache_bytes_max: 128 * 1024 * 1024,
            stop_time_max: Duration::from_secs(10),
            retry_wait_max: None,
            address_messages_max: None,
            address_messages_within: Duration::from_secs(86_400),
        }
    }
}

/// Why settings can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: Box<str>,
        /// Why.
        why: Box<str>,
    },
    /// It does not read as settings.
    #[error("{path}:{line}:{column}: {why}")]
    Syntax {
        /// Which file.
        path: Box<str>,
        /// From 1.
        line: u64,
        /// From 1.
        column: u64,
        /// What is wrong.
        why: Box<str>,
    },
    /// A setting, from the file or the environment, can't be used.
    #[error("setting `{name}`: {why}")]
    Setting {
        /// Its name, with dots.
        name: Box<str>,
        /// What is wrong, and what to write instead.
        why: Box<str>,
    },
}

impl Config {
    /// Reads the settings file, if there is one, and lays the environment over it.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        // An empty variable is the same as none: shells can't unset everywhere.
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::load_with(file, &variable)
    }

    /// The same, with another environment.
    pub fn load_with(
        file: Option<&Path>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let base = file.and_then(Path::parent).unwrap_or_else(|| Path::new(""));
        let mut settings = match file {
            Some(path) => read(path)?,
            None => Settings::default(),
        };
        overlay(&mut settings, variable).map_err(|(name, why)| setting(name, why))?;
        build::config(settings, variable, base)
    }

    /// What the store is opened with: a new one is made so, one that is there must agree.
    pub fn store_options(&self) -> store::OpenOptions {
        store::OpenOptions {
            shards: self.shards,
            clock: self.clock,
            log: self.log.as_ref().map(|_| store::LogKind::Kafka),
            ..store::OpenOptions::default()
        }
    }
}

pub(crate) fn setting(name: &str, why: impl Into<Box<str>>) -> ConfigError {
    ConfigError::Setting {
        name: name.into(),
        why: why.into(),
    }
}

fn read(path: &Path) -> Result<Settings, ConfigError> {
    let shown: Box<str> = path.display().to_string().into();
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File {
        path: shown.clone(),
        why: error.to_string().into(),
    })?;
    if text.len() > FILE_BYTES_MAX {
        let why = format!("longer than {FILE_BYTES_MAX} bytes").into();
        return Err(ConfigError::File { path: shown, why });
    }
    if text.trim().is_empty() {
        return Ok(Settings::default());
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_events: 40_000, max_aliases: 0, max_anchors: 0, flow_nesting_limit: 32 },
        strict_booleans: true,
    };
    serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let place = error.location();
        let words = error.without_snippet().to_string();
        ConfigError::Syntax {
            path: shown,
            line: place.map_or(1, |place| place.line()),
            column: place.map_or(1, |place| place.column()),
            why: words.into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads a settings file with these variables in the environment; gives what is shown, or the error.
    fn load(text: &str, variables: &[(&str, &str)]) -> Result<serde_json::Value, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("sottaku.yaml");
        std::fs::write(&path, text).expect("it is written");
        std::fs::write(folder.path().join("password"), "s3cret\n").expect("it is written");
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let config = Config::load_with(Some(&path), &variable);
        let shown = |error: ConfigError| {
            error
                .to_string()
                .replace(&folder.path().display().to_string(), "DIR")
        };
        config.map(|config| config.shown()).map_err(shown)
    }

    #[test]
    fn the_environment_lies_over_the_file_and_secrets_are_shown_as_references() {
        let text = "listen: 127.0.0.1:9000\ntokens: ['${env:TOKEN}']\nmode: smtp\nsmtp: {host: relay.example, user: u, password: '${file:password}'}\nslack: {channels: {'#voc': '${env:VOC}'}}\nlimits: {batch_wait_max: 5ms}\n";
        let variables = [
            ("TOKEN", "hunter2"),
            ("VOC", "https://hooks.example/hunter2"),
            ("SOTTAKU_LISTEN", "127.0.0.1:9001"),
            ("SOTTAKU_SMTP_PORT", "2525"),
        ];
        let shown = load(text, &variables).expect("they are right");
        assert_eq!(shown["listen"], "127.0.0.1:9001");
        assert_eq!(shown["smtp"]["port"], 2525);
        assert_eq!(shown["smtp"]["tls"], "required");
        assert_eq!(shown["smtp"]["password"], "${file:password}");
        assert_eq!(shown["slack"]["channels"]["#voc"], "${env:VOC}");
        assert_eq!(shown["limits"]["batch_wait_max"], "5ms");
        let text = shown.to_string();
        assert!(
            !text.contains("hunter2") && !text.contains("s3cret"),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_place() {
        for (text, part) in [
            ("lisen: x\n", "DIR/sottaku.yaml:1:1: "),
            ("store: a\nstore: b\n", "DIR/sottaku.yaml:2:1: "),
            (
                "limits:\n  batch_facts_max: many\n",
                "DIR/sottaku.yaml:2:20: ",
            ),
            ("listen: here\n", "setting `listen`: "),
            ("clock: lunar\n", "setting `clock`: "),
            ("mode: smtp\n", "setting `smtp.host`: "),
            ("mode: pigeon\n", "setting `mode`: "),
            ("public_url: mail.example\n", "setting `public_url`: "),
            (
                "public_url: http://mail.example\n",
                "setting `public_url`: ",
            ),
            (
                "public_url: https://u@mail.example\n",
                "setting `public_url`: ",
            ),
            (
                "tokens: [hunter2]\n",
                "setting `tokens[0]`: a secret is given as",
            ),
            (
                "tokens: ['${env:NONE}']\n",
                "setting `tokens[0]`: the variable NONE",
            ),
            ("smtp: {host: h, tls: maybe}\n", "setting `smtp.tls`: "),
            ("smtp: {host: h, user: u}\n", "setting `smtp.password`: "),
            (
                "smtp: {host: h, tls: none, user: u, password: '${file:password}'}\n",
                "setting `smtp.tls`: a password",
            ),
            (
                "smtp: {host: h, concurrency_max: 257}\n",
                "setting `smtp.concurrency_max`: ",
            ),
            (
                "bounces: {listen: '127.0.0.1:25'}\n",
                "setting `bounces.domain`: ",
            ),
            (
                "bounces: {domain: localhost}\n",
                "setting `bounces.domain`: ",
            ),
            (
                "bounces: {domain: b.vendor.example, listen: here}\n",
                "setting `bounces.listen`: ",
            ),
            (
                "limits: {batch_facts_max: 0}\n",
                "setting `limits.batch_facts_max`: ",
            ),
            (
                "limits: {batch_wait_max: soon}\n",
                "setting `limits.batch_wait_max`: ",
            ),
        ] {
            let error = load(text, &[]).expect_err(text);
            assert!(error.starts_with(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_cannot_be_used_of_senders_is_told_too() {
        for (text, part) in [
            (
                "smtp: {host: h, dkim: [{domain: d.example, selector: s, key: '${file:password}'}]}\n",
                "setting `smtp.dkim[0]`: it is no private key in PEM",
            ),
            (
                "senders: [{from: [], smtp: {host: h}}]\n",
                "setting `senders[0].from`: is needed",
            ),
            (
                "senders: [{from: [a.example]}]\n",
                "setting `senders[0].smtp.host`: is needed",
            ),
            (
                "senders: [{from: [a.example], smtp: {host: h}}, {from: [A.example], smtp: {host: h}}]\n",
                "setting `senders[1].from`: a.example has a server already",
            ),
            (
                "pace: {domains: {gmail.com: {per_minute: 0}}}\n",
                "setting `pace.domains.gmail.com.per_minute`: ",
            ),
            (
                "tracking: {machines_within: soon}\n",
                "setting `tracking.machines_within`: ",
            ),
            (
                "pace: {warm_up: {since: soon}}\n",
                "setting `pace.warm_up.since`: ",
            ),
        ] {
            let error = load(text, &[]).expect_err(text);
            assert!(error.starts_with(part), "{text}: {error}");
        }
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let shown = load("# nothing\n", &[]);
        let shown = shown.or_else(|_| load("", &[])).expect("they are right");
        assert_eq!(shown["mode"], "captured");
        assert_eq!(shown["limits"]["batch_facts_max"], 500);
        assert_eq!(shown["limits"]["batch_wait_max"], "20ms");
    }
}
