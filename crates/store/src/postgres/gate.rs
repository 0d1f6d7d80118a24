//! The gate: what stops a message at its claim and again just before its bytes leave.

use super::rows::Columns;
use super::session::Session;
use crate::sqlite::accounts::json;
use crate::sqlite::gate::{Gate, Stand, is_ungated, stands};
use crate::{AddressKey, Failure};
use std::collections::BTreeSet;

/// How an address's row is taken: whoever says no waits for those that look at it, and they for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Not at all: the last question before the bytes leave.
    Nothing,
    /// Together with others that look.
    Shared,
    /// Alone, since hand-overs to it are counted.
    Alone,
}

const STANDING: &str = "SELECT key, scopes FROM address WHERE key = ANY($1) AND scopes <> '[]'";
const STANDING_SHARED: &str =
    "SELECT key, scopes FROM address WHERE key = ANY($1) ORDER BY key FOR SHARE";
const STANDING_ALONE: &str =
    "SELECT key, scopes FROM address WHERE key = ANY($1) ORDER BY key FOR UPDATE";

/// Reads all that bears on messages to these addresses, whose rows are taken in order of their keys.
pub(crate) async fn read(
    session: &mut Session,
    addresses: &[AddressKey],
    hold: Hold,
) -> Result<Gate, Failure> {
    let mut gate = Gate::default();
    for row in session.rows(sqlx::query(OFF)).await? {
        gate.off.push(row.text(0)?);
    }
    if is_ungated() || addresses.is_empty() {
        return Ok(gate);
    }
    let keys: BTreeSet<&AddressKey> = addresses.iter().collect();
    let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| key.0.to_vec()).collect();
    let sql = match hold {
        Hold::Nothing => STANDING,
        Hold::Shared => STANDING_SHARED,
        Hold::Alone => STANDING_ALONE,
    };
    for row in session.rows(sqlx::query(sql).bind(keys)).await? {
        gate.take(&row)?;
    }
    Ok(gate)
}

/// Switches that are off.
const OFF: &str = "SELECT name FROM switch WHERE NOT is_on";

/// Takes an address's row, which is made where there is none; gives what is in force.
pub(crate) async fn lock(session: &mut Session, key: AddressKey) -> Result<Vec<Stand>, Failure> {
    let sql = "INSERT INTO address (key) VALUES ($1) ON CONFLICT DO NOTHING";
    session
        .execute(sqlx::query(sql).bind(key.0.to_vec()))
        .await?;
    let sql = "SELECT scopes FROM address WHERE key = $1 FOR UPDATE";
    let row = session.row(sqlx::query(sql).bind(key.0.to_vec())).await?;
    row.map_or(Ok(Vec::new()), |row| stands(&row.text(0)?))
}

/// Writes what is in force, and raises the row's epoch.
pub(crate) async fn write(
    session: &mut Session,
    key: AddressKey,
    stands: &[Stand],
) -> Result<(), Failure> {
    let sql = "UPDATE address SET gate_epoch = gate_epoch + 1, scopes = $1 WHERE key = $2";
    let query = sqlx::query(sql).bind(json(&stands)).bind(key.0.to_vec());
    session.execute(query).await?;
    Ok(())
}
