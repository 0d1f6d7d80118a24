//! The domains that mails come from: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489), which large receivers demand.

use super::Finding;
use crate::config::{Config, Dkim};
use outreach::dns::{Dns, Said, tag};
use std::collections::BTreeSet;

type Told<'t> = &'t mut (dyn FnMut(Finding) + Send);

/// Looks at the domains of the settings and of the workspace.
pub(super) async fn examine(config: &Config, senders: &[Box<str>], dns: &Dns, told: Told<'_>) {
    let own = config.senders.iter().flat_map(|sender| &sender.from);
    let named = own.map(|from| from.rsplit('@').next().unwrap_or(from).into());
    let domains: BTreeSet<Box<str>> = named.chain(senders.iter().cloned()).collect();
    for domain in &domains {
        // SPF speaks for the envelope's sender: the domain that mail comes back to, if there is one.
        let envelope = config
            .bounces
            .as_ref()
            .map_or(&**domain, |bounces| &bounces.domain);
        spf(envelope, dns, told).await;
        dmarc(domain, dns, told).await;
    }
    let servers = config.senders.iter().map(|sender| &sender.smtp);
    let keys: Vec<&Dkim> = config
        .smtp
        .iter()
        .chain(servers)
        .flat_map(|smtp| &smtp.dkim)
        .collect();
    for key in &keys {
        dkim(key, dns, told).await;
    }
    if keys.is_empty() && !domains.is_empty() {
        let help = "smtp.dkim, if the relay does not sign";
        told(Finding::note(
            "dkim",
            "no key signs here: the relay has to",
            help,
        ));
    }
}

async fn spf(domain: &str, dns: &Dns, told: Told<'_>) {
    let what = format!("spf {domain}");
    let help = "a TXT record such as `v=spf1 include:_spf.your-relay.example ~all`";
    told(match dns.text(domain, "v=spf1").await {
        Err(why) => Finding::bad(
            what,
            why.to_string(),
            "try again, or name another with --name-server",
        ),
        Ok(Said::Nothing) => Finding::bad(
            what,
            "there is no record: large receivers refuse such mail",
            help,
        ),
        Ok(Said::Several(count)) => {
            let says = format!("there are {count} records, and receivers take none of them");
            Finding::bad(what, says, "join them to one")
        }
        Ok(Said::Record(record)) => {
            let lets_all = record
                .split_ascii_whitespace()
                .any(|word| matches!(word, "+all" | "all"));
            if lets_all {
                let says = format!("{record}: everybody may send in your name");
                Finding::bad(what, says, "end it with `~all` or `-all`")
            } else {
                Finding::good(what, record)
            }
        }
    });
}

/// The record of the domain, or else of the nearest one above it; a domain of one label has none.
async fn dmarc(domain: &str, dns: &Dns, told: Told<'_>) {
    let what = format!("dmarc {domain}");
    let mut at = domain;
    loop {
        let found = dns.text(&format!("_dmarc.{at}"), "v=DMARC1").await;
        let above = at.split_once('.').map(|(_, above)| above);
        match (found, above.filter(|above| above.contains('.'))) {
            (Ok(Said::Nothing), Some(above)) => at = above,
            (found, _) => {
                told(judge_dmarc(what, found));
                return;
            }
        }
    }
}

fn judge_dmarc(what: String, found: Result<Said, outreach::dns::DnsFault>) -> Finding {
    match found {
        Err(why) => Finding::bad(
            what,
            why.to_string(),
            "try again, or name another with --name-server",
        ),
        Ok(Said::Nothing) => Finding::bad(
            what,
            "there is no record: large receivers refuse such mail",
            "a TXT record at `_dmarc` such as `v=DMARC1; p=none; rua=mailto:dmarc@your-domain.example`",
        ),
        Ok(Said::Several(count)) => {
            let says = format!("there are {count} records, and receivers take none of them");
            Finding::bad(what, says, "keep one")
        }
        Ok(Said::Record(record)) => match tag(&record, "p") {
            Some("quarantine" | "reject") => Finding::good(what, record),
            Some("none") => Finding::note(
                what,
                format!("{record}: others may still send in your name"),
                "p=quarantine, once its reports show your own mail alone",
            ),
            Some(_) | None => Finding::bad(
                what,
                format!("{record}: it has no policy"),
                "p=none, quarantine or reject",
            ),
        },
    }
}

async fn dkim(key: &Dkim, dns: &Dns, told: Told<'_>) {
    let signer = match key.signer() {
        Ok(signer) => signer,
        Err(why) => {
            let what = format!("dkim {}", key.domain);
            told(Finding::bad(what, why.to_string(), "see `smtp.dkim`"));
            return;
        }
    };
    let (name, record) = signer.record();
    let what = format!("dkim {name}");
    // A record may leave its version out (RFC 6376, 3.6.1); ours has it, and so has what is put there by `sottaku config`.
    told(match dns.text(&name, "v=DKIM1").await {
        Err(why) => Finding::bad(
            what,
            why.to_string(),
            "try again, or name another with --name-server",
        ),
        Ok(Said::Nothing) => Finding::bad(
            what,
            "there is no record: nobody can verify the signature",
            record,
        ),
        Ok(Said::Several(count)) => {
            let says = format!("there are {count} records, and receivers take none of them");
            Finding::bad(what, says, record)
        }
        Ok(Said::Record(found)) if tag(&found, "p") == tag(&record, "p") => {
            Finding::good(what, "the public half of our key")
        }
        Ok(Said::Record(found)) => {
            let says = format!("{found}: another key's public half");
            Finding::bad(what, says, record)
        }
    });
}
