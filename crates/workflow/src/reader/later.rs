//! What is checked in full and not run yet: `for_each: csm`, `edits: pin`, the holdout of the whole workspace.

use super::Notes;
use crate::diagnostic::{Severity, Span};

impl Notes {
    /// What a workflow uses that is not run yet: the workflow is set aside.
    pub(crate) fn not_yet(&mut self, span: Span, what: &str) {
        let help = "this workflow is set aside; all others run";
        self.later(span, what, help);
    }

    /// A policy that is not run yet; everything else is as if it were not there.
    pub(crate) fn policy_not_yet(&mut self, span: Span, what: &str) {
        self.later(span, what, "everything else runs as if it were not there");
    }

    fn later(&mut self, span: Span, what: &str, help: &str) {
        let message = format!("checked, not run yet: {what}");
        let help = Some(help.to_owned());
        self.add("E900", Severity::NotYet, span, message, help);
    }
}
