//! How we check that a server is who it says, and say who we are where others come to us: one provider (ring), TLS 1.2 or
//! newer.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

/// Whom to believe that the server is who it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that this machine trusts.
    System,
    /// Only these certificates, in PEM.
    Only(Box<[u8]>),
}

/// Certificates, or a key, could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificates could not be read: {0}")]
pub struct TrustFault(pub Box<str>);

impl TrustFault {
    fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string().into())
    }
}

/// The first certificate of a PEM text, in DER, if it can be used to check signatures.
pub fn certificate_of_pem(pem: &[u8]) -> Result<Box<[u8]>, TrustFault> {
    let certificate = CertificateDer::from_pem_slice(pem).map_err(TrustFault::new)?;
    webpki::EndEntityCert::try_from(&certificate).map_err(TrustFault::new)?;
    Ok(certificate.as_ref().into())
}

/// Whether the key of a certificate signed this, by RSA (PKCS #1) over SHA-256.
pub fn is_signed(certificate: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let certificate = CertificateDer::from(certificate);
    let known = webpki::EndEntityCert::try_from(&certificate);
    let algorithm = webpki::ring::RSA_PKCS1_2048_8192_SHA256;
    known.is_ok_and(|known| {
        known
            .verify_signature(algorithm, message, signature)
            .is_ok()
    })
}

/// Says who we are to those who come to us; cheap to clone.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

impl Acceptor {
    /// With a chain of certificates and its key, both in PEM.
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, TrustFault> {
        let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TrustFault::new)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TrustFault::new)?
            .with_no_client_auth()
            .with_single_cert(chain.map_err(TrustFault::new)?, key)
            .map_err(TrustFault::new)?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands on a connection.
    ///
    /// # Errors
    /// When the other side does not.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> std::io::Result<impl AsyncRead + AsyncWrite + Unpin + use<S>> {
        self.0.accept(stream).await
    }
}

/// What a connection is encrypted by.
pub(crate) fn client(trust: &Trust) -> Result<ClientConfig, TrustFault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(TrustFault::new)?;
    Ok(match trust {
        Trust::System => {
            let verifier =
                rustls_platform_verifier::Verifier::new(provider).map_err(TrustFault::new)?;
            let verifier = Arc::new(verifier);
            builder
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth()
        }
        Trust::Only(pem) => builder
            .with_root_certificates(roots(pem)?)
            .with_no_client_auth(),
    })
}

fn roots(pem: &[u8]) -> Result<RootCertStore, TrustFault> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots
            .add(certificate.map_err(TrustFault::new)?)
            .map_err(TrustFault::new)?;
    }
    if roots.is_empty() {
        return Err(TrustFault::new("there is no certificate in it"));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_in_nothing_is_refused() {
        for pem in [
            "",
            "not a certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(
                client(&Trust::Only(pem.as_bytes().into())).is_err(),
                "{pem}"
            );
        }
    }
}
