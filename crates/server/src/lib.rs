//! Wires the house together and runs it.

pub mod account;
mod activate;
mod active;
pub mod answer;
mod arrive;
mod bell;
mod clock;
pub mod config;
pub mod doctor;
pub mod erase;
mod http;
mod keeper;
mod leave;
mod measure;
mod open;
mod plan;
mod pruner;
pub mod records;
pub mod returns;
mod run;
mod seals;
mod sender;
mod share;
mod shared;
pub mod sources;
mod status;
mod track;
#[cfg(test)]
mod trial;
mod worker;

pub use activate::{
    Activated, Refused, Text, activate, activate_resting, applied_files, is_decided_now, left,
    text, texts,
};
pub use arrive::{log_facts, parked};
pub use clock::Clock;
pub use config::{Config, ConfigError, Secret};
pub use http::openapi;
pub use open::{open_existing, open_or_make};
pub use plan::{Planned, plan};
pub use run::{Roles, Server, StartError};
pub use shared::{Settled, known_as};
