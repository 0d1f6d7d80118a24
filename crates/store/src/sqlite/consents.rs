//! The ledger of consent.

use super::rows::{Columns, nanos};
use super::tx::Ending;
use super::{Sqlite, gate};
use crate::{AddressKey, Basis, Consent, Failure};

impl Sqlite {
    pub(crate) async fn add_consent(&self, consent: Consent) -> Result<(), Failure> {
        self.write(move |session| {
            Box::pin(async move {
                gate::lock(session, consent.key).await?;
                let sql = "INSERT INTO consent (address, basis, who, how, wording, at, until) \
                    VALUES (?, ?, ?, ?, ?, ?, ?)";
                let query = sqlx::query(sql)
                    .bind(consent.key.0.to_vec())
                    .bind(consent.basis.as_str())
                    .bind(&*consent.who)
                    .bind(&*consent.how)
                    .bind(&*consent.wording)
                    .bind(nanos(consent.at))
                    .bind(consent.until.map(nanos));
                session.execute(query).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    pub(crate) async fn consents(&self, key: AddressKey) -> Result<Vec<Consent>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT basis, who, how, wording, at, until FROM consent \
                    WHERE address = ? ORDER BY id";
                let query = sqlx::query(sql).bind(key.0.to_vec());
                let rows = session.rows(query).await?;
                rows.iter().map(|row| consent(key, row)).collect()
            })
        })
        .await
    }
}

pub(crate) fn consent(key: AddressKey, row: &impl Columns) -> Result<Consent, Failure> {
    let word = row.text(0)?;
    Ok(Consent {
        key,
        basis: Basis::parse(&word).ok_or_else(|| Failure::unreadable("a basis", &word))?,
        who: row.text(1)?,
        how: row.text(2)?,
        wording: row.text(3)?,
        at: row.instant(4)?,
        until: row.maybe_instant(5)?,
    })
}
