//! How each connection is set up: deadlines on the server's side for all that could wait for ever.

use crate::{OpenError, Tuning};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use std::time::Duration;

/// Statements that stay prepared on each connection.
const STATEMENTS_MAX: usize = 200;
/// A transaction whose client says nothing for so long is undone: what it holds others wait for.
const IDLE_MAX: Duration = Duration::from_secs(5);
/// How long a client may leave the server's bytes unanswered.
const UNANSWERED_MAX: Duration = Duration::from_secs(10);

/// By which clock leases run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseClock {
    /// The database's, which all share.
    Database,
    /// Each bidder's own, so that tests can turn it by hand.
    #[cfg(test)]
    Bids,
}

/// What every connection of a store has in common.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) options: PgConnectOptions,
    pub(crate) tuning: Tuning,
    pub(crate) lease_clock: LeaseClock,
}

impl Setup {
    /// From an address `postgres://user:password@host:port/database`.
    pub(crate) fn new(url: &str, tuning: Tuning) -> Result<Self, OpenError> {
        // What is wrong with it is not shown: the password may be part of it.
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            OpenError::Address("it is not an address of a Postgres database".into())
        })?;
        let millis = |time: Duration| time.as_millis().max(1).to_string();
        let options = options
            .application_name("sottaku")
            .statement_cache_capacity(STATEMENTS_MAX)
            .disable_statement_logging()
            .options([
                ("statement_timeout", millis(tuning.statement_max)),
                ("lock_timeout", millis(tuning.busy_max)),
                ("idle_in_transaction_session_timeout", millis(IDLE_MAX)),
                ("tcp_user_timeout", millis(UNANSWERED_MAX)),
                ("tcp_keepalives_idle", "10".to_owned()),
                ("tcp_keepalives_interval", "3".to_owned()),
                ("tcp_keepalives_count", "3".to_owned()),
                ("default_transaction_isolation", "read committed".to_owned()),
                // Compiling a plan takes longer than these statements do.
                ("jit", "off".to_owned()),
            ]);
        Ok(Self {
            options,
            tuning,
            lease_clock: LeaseClock::Database,
        })
    }

    /// The same without limits of time, for what is done once: bringing tables up to date, sweeping.
    pub(crate) fn patient(&self) -> Self {
        let options = self.options.clone();
        Self {
            options: options.options([("statement_timeout", "0"), ("lock_timeout", "60000")]),
            ..self.clone()
        }
    }

    /// Where it is, without the password.
    pub(crate) fn shown(&self) -> Box<str> {
        let database = self.options.get_database().unwrap_or("(the user's own)");
        let host = self.options.get_host();
        let port = self.options.get_port();
        format!("database {database} at {host}:{port}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        let setup = Setup::new("postgres://me:s3cret@db.example:5433/cs", Tuning::default());
        let shown = setup.map(|setup| setup.shown());
        assert!(matches!(
            shown.as_deref(),
            Ok("database cs at db.example:5433")
        ));
        let wrong = Setup::new("postgres://me:s3cret@db:port/cs", Tuning::default());
        let told = wrong.err().map(|why| why.to_string()).unwrap_or_default();
        assert!(!told.is_empty() && !told.contains("s3cret"), "{told}");
    }
}
