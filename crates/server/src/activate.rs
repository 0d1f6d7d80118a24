//! Activation: a new text takes effect, in every shard at once (engine.md, 6).

use crate::active::{self, Unusable};
use jiff::Timestamp;
use store::{Failure, Store};
use workflow::{Diagnostic, Files, Severity};

/// A text that decides from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activated {
    /// The hash of its checked form.
    pub revision: Box<str>,
    /// Each shard's position from which it decides.
    pub positions: Vec<u64>,
    /// Whether it was not the one that decided before.
    pub is_new: bool,
    /// Workflows set aside since they use what is still to come.
    pub not_yet: Vec<Box<str>>,
    /// What to look at, though it can be used.
    pub warnings: Vec<Diagnostic>,
}

/// Why a text does not take effect. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It has mistakes.
    #[error("the workspace has {} mistakes", .0.len())]
    Mistakes(Vec<Diagnostic>),
    /// A template can't be compiled.
    #[error("a template can't be used: {0}")]
    Template(Box<str>),
    /// Another text has decided accounts already.
    #[error(
        "the store holds {accounts} accounts decided by another text ({applied}); a changed text is not taken there \
         yet: begin with a new store"
    )]
    HasRuns {
        /// The text that decided them.
        applied: Box<str>,
        /// How many accounts.
        accounts: u64,
    },
    /// The text that decides now can't be read, so nobody can say if this one differs.
    #[error("the text that decides now can't be compared: {0}")]
    Applied(Box<str>),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Checks a workspace and makes it decide in every shard. The first one takes what is in the log already as marked
/// history; the same text again changes nothing; another one is refused where accounts were decided.
pub async fn activate(store: &Store, files: &Files, now: Timestamp) -> Result<Activated, Refused> {
    let checked = workflow::check(files);
    let (errors, warnings): (Vec<_>, Vec<_>) = checked
        .diagnostics
        .into_iter()
        .partition(|diagnostic| diagnostic.severity == Severity::Error);
    let Some(program) = checked.program.filter(|_| errors.is_empty()) else {
        return Err(Refused::Mistakes(errors));
    };
    active::templates(&program).map_err(|errors| {
        let first = errors.first().map(ToString::to_string);
        Refused::Template(first.unwrap_or_default().into())
    })?;
    let warnings = warnings
        .into_iter()
        .filter(|it| it.severity == Severity::Warning)
        .collect();
    let activated = |positions, is_new| Activated {
        revision: program.revision.clone(),
        positions,
        is_new,
        not_yet: checked.not_yet,
        warnings,
    };
    if let Some(applied) = store.applied().await? {
        let before =
            revision_of(&applied.bytes).map_err(|why| Refused::Applied(why.to_string().into()))?;
        if before == program.revision {
            let states = store.shard_states().await?;
            return Ok(activated(
                states.iter().map(|state| state.revision_from).collect(),
                false,
            ));
        }
        let accounts = accounts(store).await?;
        if accounts > 0 {
            return Err(Refused::HasRuns {
                applied: before,
                accounts,
            });
        }
    }
    let id = store.put_revision(active::encode(files), now).await?;
    let positions = store.activate(id, now).await?.unwrap_or_default();
    Ok(activated(positions, true))
}

/// The hash of the checked form of a stored workspace.
fn revision_of(bytes: &[u8]) -> Result<Box<str>, Unusable> {
    let checked = workflow::check(&active::decode(bytes)?);
    let wrong = || Unusable::Wrong("it has mistakes".into());
    checked
        .program
        .map(|program| program.revision)
        .ok_or_else(wrong)
}

/// The files of the workspace that decides, if there is one.
pub async fn applied_files(store: &Store) -> Result<Option<Files>, Refused> {
    let Some(applied) = store.applied().await? else {
        return Ok(None);
    };
    let files = active::decode(&applied.bytes);
    files
        .map(Some)
        .map_err(|why| Refused::Applied(why.to_string().into()))
}

async fn accounts(store: &Store) -> Result<u64, Failure> {
    let mut accounts = 0;
    for shard in 0..store.shards() {
        accounts += store.account_count(shard).await?;
    }
    Ok(accounts)
}
