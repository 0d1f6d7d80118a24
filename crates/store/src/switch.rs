//! Switches: what a person turned on or off, in force at once in every process.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;

/// A switch. Off, `send` lets nothing be handed over, `workflow:NAME`, `topic:NAME` and `domain:NAME` (of a mail's
/// recipients) nothing of that kind. One that was never set is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its name.
    pub name: Box<str>,
    /// Whether it is on.
    pub is_on: bool,
    /// Since when.
    pub at: Timestamp,
    /// Who set it and why.
    pub note: Box<str>,
}

impl Switch {
    /// The kill switch's name.
    pub const SEND: &'static str = "send";

    /// The name of the switch of a webhook; off, it said that it is gone.
    pub fn of_webhook(name: &str) -> String {
        format!("webhook {name}")
    }
}

impl Store {
    /// A switch as it was set; none if it never was, which means on.
    pub async fn switch(&self, name: &str) -> Result<Option<Switch>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.switch(name).await,
            Tables::Postgres(postgres) => postgres.switch(name).await,
        }
    }

    /// The switches that were ever set, by name.
    pub async fn switches(&self) -> Result<Vec<Switch>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.switches().await,
            Tables::Postgres(postgres) => postgres.switches().await,
        }
    }

    /// Sets a switch. Turned on, it lets go at once what it held back.
    pub async fn set_switch(&self, switch: Switch) -> Result<(), Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.set_switch(switch).await,
            Tables::Postgres(postgres) => postgres.set_switch(switch).await,
        }
    }
}
