//! The mail servers: that they answer, encrypt and let us in. No mail is begun.

use super::Finding;
use crate::config::{Config, Mode, Smtp, Tls};
use crate::sender::smtp_settings;
use outreach::fate::Fate;
use outreach::smtp::Dialer;

pub(super) async fn examine(config: &Config, told: &mut (dyn FnMut(Finding) + Send)) {
    if config.mode == Mode::Captured {
        let help = "mode: smtp, when mails are to leave";
        told(Finding::note(
            "mail",
            "mails are kept in the store and leave to nobody",
            help,
        ));
    }
    let own = config.senders.iter().map(|sender| &sender.smtp);
    for smtp in config.smtp.iter().chain(own) {
        told(server(smtp).await);
    }
}

async fn server(smtp: &Smtp) -> Finding {
    let what = format!("smtp {}:{}", smtp.host, smtp.port);
    let dialer = match Dialer::new(smtp_settings(smtp)) {
        Ok(dialer) => dialer,
        Err(why) => return Finding::bad(what, why.to_string(), "see the settings below `smtp`"),
    };
    match dialer.dial().await {
        Ok(session) => {
            session.quit().await;
            let login = if smtp.login.is_some() {
                "took our name and password"
            } else {
                "asked for no password"
            };
            match smtp.tls {
                Tls::Required | Tls::Implicit => {
                    Finding::good(what, format!("encrypts and {login}"))
                }
                Tls::Plain => Finding::note(
                    what,
                    format!("speaks in the clear and {login}"),
                    "tls: required, unless it is on this machine",
                ),
            }
        }
        Err(fate) => Finding::bad(
            what,
            words(&fate),
            "mails would wait and be tried again until they expire",
        ),
    }
}

/// What was in the way, and when.
fn words(fate: &Fate) -> String {
    match fate {
        Fate::Refused {
            phase, code, text, ..
        }
        | Fate::Deferred {
            phase, code, text, ..
        } => {
            format!("it says at {phase}: {code} {text}")
        }
        Fate::NotSent { phase, why } | Fate::Unknown { phase, why } => format!("at {phase}: {why}"),
        Fate::Sent { reply, .. } => format!("it says {reply}"),
        Fate::NotPermitted => "not permitted".to_owned(),
    }
}
