//! A throw-away authority and a certificate of it for 127.0.0.1, made by the `openssl` command.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Failure;

/// The settings `openssl` needs to know which certificate may sign and which may serve.
const SETTINGS: &str = "[req]\ndistinguished_name=name\nprompt=no\n[name]\nCN=sottaku tests\n\
[authority]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
subjectKeyIdentifier=hash\n\
[server]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n\
authorityKeyIdentifier=keyid\n";

/// Three PEM files; a client that trusts `authority` accepts a server that has the other two.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// What the client is to trust.
    pub authority: PathBuf,
    /// The server's certificate, valid for `localhost` and 127.0.0.1.
    pub server: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes a new authority and a certificate of it in `folder`.
    ///
    /// # Errors
    /// When `openssl` is missing or fails.
    pub fn make(folder: &Path) -> Result<Certificate, Failure> {
        let settings = folder.join("openssl.cnf");
        std::fs::write(&settings, SETTINGS).map_err(Failure::io("writing openssl's settings"))?;
        let certificate = Certificate {
            authority: folder.join("authority.pem"),
            server: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        let authority_key = folder.join("authority.key");
        let mut command = request(&settings, "authority");
        command
            .arg("-keyout")
            .arg(&authority_key)
            .arg("-out")
            .arg(&certificate.authority);
        run(&mut command)?;
        let mut command = request(&settings, "server");
        command
            .arg("-subj")
            .arg("/CN=localhost")
            .arg("-CA")
            .arg(&certificate.authority)
            .arg("-CAkey")
            .arg(&authority_key)
            .arg("-keyout")
            .arg(&certificate.key)
            .arg("-out")
            .arg(&certificate.server);
        run(&mut command)?;
        Ok(certificate)
    }

    /// The same for a server written with rustls.
    ///
    /// # Errors
    /// When the files are not what `make` wrote.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, Failure> {
        let unreadable = |reason: String| Failure::Unreadable {
            what: self.server.display().to_string(),
            reason,
        };
        let chain = CertificateDer::pem_file_iter(&self.server)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|e| unreadable(e.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| unreadable(error.to_string()))?;
        Ok(Arc::new(config))
    }
}

fn request(settings: &Path, section: &str) -> Command {
    let mut command = Command::new("openssl");
    command
        .args(["req", "-x509", "-nodes", "-days", "3", "-newkey", "ec"])
        .args([
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-extensions",
            section,
        ])
        .arg("-config")
        .arg(settings);
    command
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let done = command
        .output()
        .map_err(Failure::io("running openssl (Debian package `openssl`)"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(Failure::Program {
        program: "openssl req".to_owned(),
        said: String::from_utf8_lossy(&done.stderr).into_owned(),
    })
}
