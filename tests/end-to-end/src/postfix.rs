//! A second instance of the machine's Postfix, in a throw-away folder on a free port.
//!
//! It takes mail for every address into one mailbox, but for three local parts:
//! `refused@…` is refused for good at RCPT (550), `later@…` for now (450), and `bounces@…` is
//! accepted and then bounces to the sender, whose bounce is in the mailbox as well.

use std::fs::Permissions;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::{Certificate, Failure, wait};

const START_SECONDS_MAX: Duration = Duration::from_secs(30);
/// Postfix delivers to no mailbox as root: as root, the mailbox belongs to `nobody`.
const NOBODY: u32 = 65_534;

/// Whether the server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS is not offered.
    Never,
    /// STARTTLS is offered.
    Offered,
    /// MAIL is refused before STARTTLS.
    Required,
}

/// A running Postfix.
#[derive(Debug)]
pub struct Postfix {
    folder: TempDir,
    port: u16,
    certificate: Option<Certificate>,
    lead: Option<Lead>,
}

/// Mail to `domain` goes by LMTP to `to`.
#[derive(Debug)]
struct Lead {
    domain: String,
    to: SocketAddr,
}

impl Postfix {
    /// Starts an instance and waits until it greets.
    ///
    /// # Errors
    /// When Postfix is not installed, this is neither root nor may use `sudo`, or it does not greet.
    pub async fn start(tls: Tls) -> Result<Postfix, Failure> {
        Postfix::start_with(tls, None).await
    }

    /// The same, and mail to `domain` goes by LMTP to whoever listens at `to`.
    ///
    /// # Errors
    /// As [`Postfix::start`].
    pub async fn start_leading(tls: Tls, domain: &str, to: SocketAddr) -> Result<Postfix, Failure> {
        let domain = domain.to_owned();
        Postfix::start_with(tls, Some(Lead { domain, to })).await
    }

    async fn start_with(tls: Tls, lead: Option<Lead>) -> Result<Postfix, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("sottaku-postfix-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .map_err(Failure::io("making a folder for Postfix"))?;
        let certificate = match tls {
            Tls::Never => None,
            Tls::Offered | Tls::Required => Some(Certificate::make(folder.path())?),
        };
        let port = free_port()?;
        let postfix = Postfix {
            folder,
            port,
            certificate,
            lead,
        };
        postfix.lay_out(tls)?;
        succeed(
            "postfix start",
            as_root("postfix")
                .arg("-c")
                .arg(postfix.conf())
                .arg("start"),
        )?;
        let late = wait::until("Postfix greets", START_SECONDS_MAX, async || {
            greets(postfix.address()).await.then_some(())
        });
        late.await.map_err(|failure| Failure::Program {
            program: "postfix start".to_owned(),
            said: format!("{failure}\n{}", postfix.log()),
        })?;
        Ok(postfix)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// What a client must trust for STARTTLS; nothing with [`Tls::Never`].
    pub fn authority(&self) -> Option<&Path> {
        self.certificate.as_ref().map(|c| c.authority.as_path())
    }

    /// The mails in the mailbox, whole and as they came, with the `Delivered-To` of each.
    ///
    /// # Errors
    /// When the mailbox cannot be read.
    pub fn mails(&self) -> Result<Vec<String>, Failure> {
        let mailbox = self.folder.path().join("box/all/new");
        if !mailbox.exists() {
            return Ok(Vec::new());
        }
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&mailbox)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .map_err(Failure::io("listing the mailbox"))?;
        paths.sort();
        paths
            .iter()
            .map(|path| std::fs::read_to_string(path).map_err(Failure::io("reading a mail")))
            .collect()
    }

    /// Waits until the mailbox has `count` mails, and returns all it has then.
    ///
    /// # Errors
    /// When they have not come within half a minute; the failure carries Postfix's own log.
    pub async fn mails_once_there_are(&self, count: usize) -> Result<Vec<String>, Failure> {
        let what = format!("{count} mails are in the mailbox");
        let there = wait::until(&what, START_SECONDS_MAX, async || {
            self.mails().ok().filter(|mails| mails.len() >= count)
        });
        there.await.map_err(|failure| Failure::Program {
            program: "postfix".to_owned(),
            said: format!("{failure}\n{}", self.log()),
        })
    }

    /// What Postfix logged so far: who connected, and what became of each message.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("conf")
    }

    fn lay_out(&self, tls: Tls) -> Result<(), Failure> {
        let top = self.folder.path();
        for folder in ["conf", "queue", "data", "box"] {
            let doing = format!("making {folder}/ for Postfix");
            std::fs::create_dir(top.join(folder)).map_err(Failure::io(doing))?;
        }
        let services = std::fs::read_to_string("/etc/postfix/master.cf").map_err(Failure::io(
            "reading /etc/postfix/master.cf (Debian package `postfix`)",
        ))?;
        let owner = mailbox_owner(top)?;
        for (name, text) in [
            ("conf/master.cf", self.services(&services)),
            ("conf/main.cf", self.settings(tls, owner)),
            ("conf/domains", "/./ OK\n".to_owned()),
            (
                "conf/recipients",
                "/^refused@/ 550 5.1.1 no such mailbox\n/^later@/ 450 4.2.0 try again later\n"
                    .to_owned(),
            ),
            ("conf/transports", self.transports()),
        ] {
            let doing = format!("writing {name} for Postfix");
            std::fs::write(top.join(name), text).map_err(Failure::io(doing))?;
        }
        let boxes = top.join("box");
        succeed(
            "chown data",
            as_root("chown").arg("postfix").arg(top.join("data")),
        )?;
        succeed(
            "chown box",
            as_root("chown").arg(owner.to_string()).arg(boxes),
        )?;
        // Postfix insists that root owns its queue and its settings.
        succeed(
            "chown",
            as_root("chown")
                .args(["-R", "root"])
                .arg(self.conf())
                .arg(top.join("queue")),
        )
    }

    /// `master.cf`: no service in a chroot, mail on our port, and a bouncer that answers only later.
    fn services(&self, of_machine: &str) -> String {
        let mut services = String::new();
        for line in of_machine.lines() {
            let mut columns: Vec<&str> = line.split_whitespace().collect();
            let begins_service = !line.starts_with([' ', '\t', '#']) && columns.len() >= 8;
            if !begins_service {
                services.push_str(line);
            } else if columns[0] == "smtp" && columns[1] == "inet" {
                services.push_str(&format!("127.0.0.1:{} inet n - n - - smtpd", self.port));
            } else {
                columns[4] = "n";
                services.push_str(&columns.join(" "));
            }
            services.push('\n');
        }
        // The exit code of a program that knows no such user: Postfix's own `error` would refuse at RCPT.
        services.push_str("bouncer unix - n n - - pipe user=nobody argv=/bin/sh -c {exit 67}\n");
        services
    }

    fn transports(&self) -> String {
        let lead = self.lead.as_ref().map_or(String::new(), |lead| {
            let domain = lead.domain.replace('.', "\\.");
            format!("/@{domain}$/ lmtp:inet:{}\n", lead.to)
        });
        format!("{lead}/^bounces@/ bouncer:\n")
    }

    fn settings(&self, tls: Tls, owner: u32) -> String {
        let top = self.folder.path().display();
        let mut settings = format!(
            "compatibility_level = 3.6\nqueue_directory = {top}/queue\ndata_directory = {top}/data\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n\
             mail_owner = postfix\nsetgid_group = postdrop\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.test\n\
             mydestination =\nmynetworks = 127.0.0.0/8\nsmtputf8_enable = yes\n\
             default_transport = error:no outside here\n\
             maillog_file = {top}/log\nmaillog_file_prefixes = {top}\n\
             virtual_mailbox_domains = regexp:{top}/conf/domains\nvirtual_mailbox_base = {top}/box\n\
             virtual_mailbox_maps = static:all/\n\
             virtual_uid_maps = static:{owner}\nvirtual_gid_maps = static:{owner}\n\
             smtpd_recipient_restrictions = check_recipient_access regexp:{top}/conf/recipients,\n\
             \x20 permit_mynetworks, reject\n\
             transport_maps = regexp:{top}/conf/transports\n"
        );
        if let Some(certificate) = &self.certificate {
            let level = if tls == Tls::Required {
                "encrypt"
            } else {
                "may"
            };
            settings.push_str(&format!(
                "smtpd_tls_security_level = {level}\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\n",
                certificate.server.display(),
                certificate.key.display(),
            ));
        }
        settings
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // `postfix stop` ends the master whose pid stands in this instance's own queue folder.
        let stopped = as_root("postfix")
            .arg("-c")
            .arg(self.conf())
            .arg("stop")
            .output();
        let emptied = as_root("rm").arg("-rf").arg(self.folder.path()).output();
        for done in [stopped, emptied] {
            if let Err(error) = done {
                eprintln!("Postfix was not stopped cleanly: {error}");
            }
        }
    }
}

fn free_port() -> Result<u16, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Failure::io("asking for a free port"))
}

async fn greets(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return false;
    };
    let mut greeting = [0; 3];
    stream.read_exact(&mut greeting).await.is_ok() && &greeting == b"220"
}

/// Who owns the mailbox: whoever runs the tests, so that they can read it, but never root.
fn mailbox_owner(folder: &Path) -> Result<u32, Failure> {
    let ours = std::fs::metadata(folder).map_err(Failure::io("asking who we are"))?;
    Ok(if ours.uid() == 0 { NOBODY } else { ours.uid() })
}

/// A command that runs as root: as it is when we are root, else by `sudo` without a question.
fn as_root(program: &str) -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if is_root {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

fn succeed(name: &str, command: &mut Command) -> Result<(), Failure> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(Failure::io(format!("running `{name}`")))?;
    if status.success() {
        return Ok(());
    }
    let said = [stdout, stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    Err(Failure::Program {
        program: name.to_owned(),
        said: said.concat(),
    })
}
