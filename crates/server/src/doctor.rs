//! What a server's operator has to know before it runs: the store, the log, the mail servers and the domains they send for,
//! as they are at this moment. Nothing is sent.

mod domain;
mod finding;
mod log;
mod mail;
mod place;
mod sources;

pub use finding::{Finding, State};

use crate::{Clock, Config};
use outreach::dns::Dns;
use std::net::SocketAddr;

/// Looks at all that the settings name, one after the other; `told` hears each finding at once. `name_server` is asked
/// instead of the system's.
pub async fn examine(
    config: &Config,
    clock: &Clock,
    name_server: Option<SocketAddr>,
    told: &mut (dyn FnMut(Finding) + Send),
) {
    let senders = place::examine(config, clock, told).await;
    if let Some(kafka) = &config.log {
        log::examine(&kafka.kafka, told).await;
    }
    mail::examine(config, told).await;
    let dns = match name_server {
        Some(server) => Dns::at(server),
        None => Dns::of_system(),
    };
    match dns {
        Ok(dns) => domain::examine(config, &senders, &dns, told).await,
        Err(why) => told(Finding::bad(
            "dns",
            why.to_string(),
            "name one with --name-server",
        )),
    }
}
