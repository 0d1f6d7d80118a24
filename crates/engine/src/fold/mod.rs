//! Folding facts into state.

use crate::context::Csms;
use model::decision::Rejected;
use model::{Logged, ParkCode, Parked};
use workflow::Program;

/// Applies a CSM's fact to the shard's copies; says what was not taken.
pub fn csm(program: &Program, csms: &mut Csms, logged: &Logged) -> Vec<Rejected> {
    let _ = (program, csms, logged);
    Vec::new()
}

/// The subject is missing or cannot be one.
pub fn bad_subject() -> Parked {
    Parked {
        code: ParkCode::BadSubject,
        message: "`subject` must be the account's id: 1 to 128 characters, no control characters"
            .into(),
        field: Some("subject".into()),
    }
}
