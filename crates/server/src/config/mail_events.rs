//! Settings of the providers that may tell what became of mails.

use super::build::Variable;
use super::{ConfigError, Secret, setting};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outreach::tls::certificate_of_pem;
use serde::Deserialize;
use std::path::Path;

/// The longest certificate, in bytes.
const PEM_BYTES_MAX: u64 = 64 * 1024;
/// A point of P-256, not compressed, as keys of SendGrid end.
const POINT_BYTES: usize = 65;
/// How secrets of Standard Webhooks begin.
const SECRET_PREFIX: &str = "whsec_";

/// The providers that may tell, each with what proves that it speaks.
#[derive(Clone, Default)]
pub struct MailEvents {
    /// Amazon SES by way of SNS.
    pub ses: Option<Ses>,
    /// SendGrid: the point of its public key.
    pub sendgrid: Option<Box<[u8]>>,
    /// Postmark: the password of its basic authentication.
    pub postmark: Option<Secret>,
    /// Standard Webhooks: the key and where it came from.
    pub generic: Option<(Box<[u8]>, Secret)>,
}

/// Amazon SES by way of SNS.
#[derive(Clone)]
pub struct Ses {
    /// The topic; what another topic says is not taken.
    pub topic: Box<str>,
    /// What proves that SNS speaks.
    pub proof: SesProof,
}

/// What proves that SNS speaks.
#[derive(Clone)]
pub enum SesProof {
    /// Its certificate, in DER: nothing is fetched for it.
    Certificate(Box<[u8]>),
    /// The password of the basic authentication in the subscription's URL.
    Secret(Secret),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MailEventSettings {
    ses: Option<SesSettings>,
    sendgrid: Option<SendgridSettings>,
    postmark: Option<SecretSettings>,
    generic: Option<SecretSettings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SesSettings {
    topic: String,
    certificate: Option<String>,
    secret: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendgridSettings {
    public_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretSettings {
    secret: String,
}

impl MailEventSettings {
    pub(super) fn build(
        &self,
        variable: Variable<'_>,
        base: &Path,
    ) -> Result<MailEvents, ConfigError> {
        let secret = |name: &str, reference: &str| {
            Secret::follow(reference, variable, base).map_err(|why| setting(name, why))
        };
        let ses = self.ses.as_ref().map(|ses| {
            let proof = match (&ses.certificate, &ses.secret) {
                (Some(path), None) => SesProof::Certificate(certificate(&base.join(path))?),
                (None, Some(reference)) => {
                    SesProof::Secret(secret("mail_events.ses.secret", reference)?)
                }
                (Some(_), Some(_)) | (None, None) => {
                    let why = "needs either `certificate` or `secret`";
                    return Err(setting("mail_events.ses", why));
                }
            };
            let topic = ses.topic.as_str().into();
            Ok(Ses { topic, proof })
        });
        let postmark = self.postmark.as_ref();
        let postmark = postmark.map(|it| secret("mail_events.postmark.secret", &it.secret));
        let generic = self.generic.as_ref().map(|it| {
            let name = "mail_events.generic.secret";
            let secret = secret(name, &it.secret)?;
            Ok((key(name, secret.expose())?, secret))
        });
        let sendgrid = self.sendgrid.as_ref().map(|it| point(&it.public_key));
        Ok(MailEvents {
            ses: ses.transpose()?,
            sendgrid: sendgrid.transpose()?,
            postmark: postmark.transpose()?,
            generic: generic.transpose()?,
        })
    }
}

impl MailEvents {
    pub(super) fn shown(&self) -> serde_json::Value {
        let ses = self.ses.as_ref().map(|ses| match &ses.proof {
            SesProof::Certificate(_) => {
                serde_json::json!({"topic": ses.topic, "certificate": true})
            }
            SesProof::Secret(secret) => {
                serde_json::json!({"topic": ses.topic, "secret": secret.reference()})
            }
        });
        let secret = |secret: &Secret| serde_json::json!({"secret": secret.reference()});
        serde_json::json!({
            "ses": ses,
            "sendgrid": self.sendgrid.as_ref().map(|point| serde_json::json!({"public_key": STANDARD.encode(point)})),
            "postmark": self.postmark.as_ref().map(secret),
            "generic": self.generic.as_ref().map(|(_, it)| secret(it)),
        })
    }
}

fn certificate(path: &Path) -> Result<Box<[u8]>, ConfigError> {
    let wrong = |why: String| {
        let path = path.display();
        setting("mail_events.ses.certificate", format!("{path}: {why}"))
    };
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
    if size.len() > PEM_BYTES_MAX {
        return Err(wrong(format!("longer than {PEM_BYTES_MAX} bytes")));
    }
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    certificate_of_pem(&pem).map_err(|fault| wrong(fault.to_string()))
}

/// SendGrid shows its key as the base64 of a SubjectPublicKeyInfo, which ends with the point.
fn point(text: &str) -> Result<Box<[u8]>, ConfigError> {
    let wrong = || {
        let why = "is not the verification key that SendGrid shows";
        setting("mail_events.sendgrid.public_key", why)
    };
    let der = STANDARD.decode(text.trim()).map_err(|_| wrong())?;
    let point = der.last_chunk::<POINT_BYTES>().ok_or_else(wrong)?;
    if point[0] != 4 {
        return Err(wrong());
    }
    Ok(Box::new(*point))
}

fn key(name: &str, secret: &str) -> Result<Box<[u8]>, ConfigError> {
    let key = secret.strip_prefix(SECRET_PREFIX);
    let key = key.and_then(|key| STANDARD.decode(key).ok());
    let key = key.filter(|key| (16..=128).contains(&key.len()));
    let why = "must be `whsec_` and the base64 of 24 to 64 bytes, as Standard Webhooks has it";
    key.map(Into::into).ok_or_else(|| setting(name, why))
}
