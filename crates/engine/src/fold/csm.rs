//! Facts about CSMs, which every shard keeps copies of.

use super::patch::{apply_csm, bury, read_fields};
use crate::context::Csms;
use crate::entity::Entity;
use crate::stored::{Bytes, DecodeError, Stored};
use model::Logged;
use model::decision::Rejected;
use workflow::Program;

/// The version of a CSM's stored form.
const CSM_VERSION: u8 = 1;

/// Applies a CSM's fact to the shard's copies; says what was not taken. Saying it twice changes nothing.
pub fn csm(program: &Program, csms: &mut Csms, logged: &Logged) -> Vec<Rejected> {
    let fact = &logged.fact;
    let Some(id) = &fact.subject else {
        return Vec::new();
    };
    let at = fact.time.unwrap_or(logged.arrived_at);
    let entity = csms.0.entry(id.clone()).or_default();
    if &*fact.kind == "csm.deleted" {
        bury(entity, at);
        return Vec::new();
    }
    match read_fields("csm", &program.schema.csm, fact, id.clone()) {
        Ok(mut patch) => {
            let not_taken = std::mem::take(&mut patch.rejected);
            apply_csm(entity, patch, at);
            not_taken
        }
        Err(parked) => vec![Rejected {
            code: "wrong_value".into(),
            name: format!("csm.{}", parked.field.as_deref().unwrap_or_default()).into(),
            sample: "".into(),
        }],
    }
}

impl Csms {
    /// The stored form of one copy.
    pub fn encode(&self, id: &str) -> Option<Vec<u8>> {
        let entity = self.0.get(id)?;
        let mut out = vec![CSM_VERSION];
        entity.write(&mut out);
        Some(out)
    }

    /// Reads one copy back.
    pub fn decode(&mut self, id: &str, stored: &[u8]) -> Result<(), DecodeError> {
        let mut bytes = Bytes::new(stored);
        let version = bytes.take(1)?[0];
        if version != CSM_VERSION {
            return Err(DecodeError::Version(version));
        }
        let entity = Entity::read(&mut bytes)?;
        bytes.end()?;
        self.0.insert(id.into(), entity);
        Ok(())
    }
}
