//! The ledger of consent.

use super::rows::{nanos, word};
use super::tx::Ending;
use super::{Postgres, gate};
use crate::sqlite::consents::consent;
use crate::{AddressKey, Consent, Failure};

impl Postgres {
    pub(crate) async fn add_consent(&self, consent: Consent) -> Result<(), Failure> {
        self.write(consent, |session, consent| {
            Box::pin(async move {
                gate::lock(session, consent.key).await?;
                let sql = "INSERT INTO consent (address, basis, who, how, wording, at, until) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7)";
                let query = sqlx::query(sql)
                    .bind(consent.key.0.to_vec())
                    .bind(consent.basis.as_str())
                    .bind(word(&consent.who))
                    .bind(word(&consent.how))
                    .bind(word(&consent.wording))
                    .bind(nanos(consent.at))
                    .bind(consent.until.map(nanos));
                session.execute(query).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    pub(crate) async fn consents(&self, key: AddressKey) -> Result<Vec<Consent>, Failure> {
        self.read(key, |session, key| {
            Box::pin(async move {
                let sql = "SELECT basis, who, how, wording, at, until FROM consent \
                    WHERE address = $1 ORDER BY id";
                let rows = session.rows(sqlx::query(sql).bind(key.0.to_vec())).await?;
                rows.iter().map(|row| consent(*key, row)).collect()
            })
        })
        .await
    }
}
