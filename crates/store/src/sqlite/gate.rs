//! The gate: what stops a message at its claim and again just before its bytes leave.

use super::Session;
use super::accounts::json;
use super::flight::{Part, Values};
use super::rows::{Columns, instant_of, nanos};
use crate::outbox::About;
use crate::{AddressKey, Failure, Reason, Scope, Switch};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The negative control: suppressions are asked for only when something is decided.
pub(crate) fn is_ungated() -> bool {
    model::teeth::is_out("gate")
}

/// The addresses of a list for which something is in force.
pub(crate) const STANDING: Part = Part::over(
    1,
    "WITH j (key) AS ({list}) SELECT a.key, a.scopes FROM j \
    CROSS JOIN address a ON a.key = j.key WHERE a.scopes <> '[]'",
);
/// Switches that are off.
pub(crate) const OFF: Part = Part::plain("SELECT name FROM switch WHERE is_on = 0");

/// One thing that is in force, as it stands in an address's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stand {
    pub(crate) scope: Box<str>,
    pub(crate) reason: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<i64>,
}

impl Stand {
    pub(crate) fn is_in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| nanos(now) < until)
    }

    pub(crate) fn scope(&self) -> Result<Scope, Failure> {
        Scope::parse(&self.scope).ok_or_else(|| Failure::unreadable("a scope", &self.scope))
    }

    pub(crate) fn reason(&self) -> Result<Reason, Failure> {
        Reason::parse(&self.reason).ok_or_else(|| Failure::unreadable("a reason", &self.reason))
    }

    /// Until when, as an instant.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        self.until.map(instant_of)
    }
}

/// Takes an address's row, which is made where there is none; gives what is in force.
pub(crate) async fn lock(session: &mut Session, key: AddressKey) -> Result<Vec<Stand>, Failure> {
    let sql = "INSERT INTO address (key) VALUES (?) ON CONFLICT DO NOTHING";
    session
        .execute(sqlx::query(sql).bind(key.0.to_vec()))
        .await?;
    let sql = "SELECT scopes FROM address WHERE key = ?";
    let row = session.row(sqlx::query(sql).bind(key.0.to_vec())).await?;
    row.map_or(Ok(Vec::new()), |row| stands(&row.text(0)?))
}

/// Writes what is in force, and raises the row's epoch.
pub(crate) async fn write(
    session: &mut Session,
    key: AddressKey,
    stands: &[Stand],
) -> Result<(), Failure> {
    let sql = "UPDATE address SET gate_epoch = gate_epoch + 1, scopes = ? WHERE key = ?";
    let query = sqlx::query(sql).bind(json(&stands)).bind(key.0.to_vec());
    session.execute(query).await?;
    Ok(())
}

pub(crate) fn stands(text: &str) -> Result<Vec<Stand>, Failure> {
    serde_json::from_str(text).map_err(|why| Failure::unreadable("an address", why))
}

/// The addresses of which is asked, as values of their statement.
pub(crate) fn asked<'a>(addresses: impl IntoIterator<Item = &'a AddressKey>) -> Values<'a> {
    let asked = addresses.into_iter().filter(|_| !is_ungated());
    asked.map(|key| key.0.as_slice().into()).collect()
}

/// What is in force for addresses, read inside the transaction that depends on it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) stands: BTreeMap<AddressKey, Vec<Stand>>,
    pub(crate) off: Vec<Box<str>>,
}

impl Gate {
    /// What the rows of switches and of addresses say.
    pub(crate) fn of(off: &[impl Columns], stands: &[impl Columns]) -> Result<Self, Failure> {
        let off = off.iter().map(|row| row.text(0));
        let mut gate = Self {
            off: off.collect::<Result<_, _>>()?,
            ..Self::default()
        };
        for row in stands {
            gate.take(row)?;
        }
        Ok(gate)
    }

    /// Notes what stands in an address's row: its key and its scopes.
    pub(crate) fn take(&mut self, row: &impl Columns) -> Result<(), Failure> {
        let key = <[u8; 32]>::try_from(row.bytes(0)?)
            .map_err(|_| Failure::unreadable("an address", "it has another length"))?;
        self.stands.insert(AddressKey(key), stands(&row.text(1)?)?);
        Ok(())
    }

    /// The switch that holds a message back.
    pub(crate) fn paused(&self, about: &About) -> Option<&str> {
        self.off
            .iter()
            .find(|name| match name.split_once(':') {
                None => &***name == Switch::SEND,
                Some(("workflow", workflow)) => *workflow == *about.workflow,
                Some(("topic", topic)) => about.topic.as_deref() == Some(topic),
                Some(("domain", domain)) => about.domains.iter().any(|its| **its == *domain),
                Some(_) => false,
            })
            .map(|name| &**name)
    }

    /// What stops a message of this kind to this address.
    pub(crate) fn stops(
        &self,
        about: &About,
        address: AddressKey,
        now: Timestamp,
    ) -> Result<Option<&Stand>, Failure> {
        for stand in self.stands.get(&address).into_iter().flatten() {
            let is_meant = stand.scope()?.stops(about.topic.as_deref(), about.purpose);
            if is_meant && stand.is_in_force(now) {
                return Ok(Some(stand));
            }
        }
        Ok(None)
    }

    /// Whether nothing stops a message to any of its addresses, now.
    pub(crate) fn is_open(&self, about: &About, now: Timestamp) -> Result<bool, Failure> {
        if self.paused(about).is_some() {
            return Ok(false);
        }
        for address in &about.addresses {
            if self.stops(about, *address, now)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
