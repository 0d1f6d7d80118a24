//! Activation: a new text takes effect, in every shard at once (engine.md, 6).

use crate::active;
use engine::Resting;
use jiff::Timestamp;
use std::collections::BTreeMap;
use store::{ClockMode, Failure, RevisionId, Role, Store};
use workflow::{Diagnostic, Files, Program, Severity};

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
    /// Under the log clock the outcome must not lean on how far a pass has come.
    #[error(
        "the text before is still taking effect: {accounts} accounts are to be brought over first"
    )]
    Underway {
        /// How many accounts are left.
        accounts: u64,
    },
    /// The text that decides now can't be read back.
    #[error("the text that decides now can't be read: {0}")]
    Applied(Box<str>),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Checks a workspace and makes it decide in every shard, from its present position on; runs that rest at a step which is
/// gone go on with the step after it.
pub async fn activate(store: &Store, files: &Files, now: Timestamp) -> Result<Activated, Refused> {
    activate_resting(store, files, now, Resting::Next).await
}

/// The same with a say in what becomes of such runs. The first text takes what is in the log already as marked history; the same text again changes nothing. Accounts are brought over by whoever decides their
/// shard: see [`left`].
pub async fn activate_resting(
    store: &Store,
    files: &Files,
    now: Timestamp,
    resting: Resting,
) -> Result<Activated, Refused> {
    let (program, not_yet, warnings) = checked(files)?;
    let activated = |positions, is_new| Activated {
        revision: program.revision.clone(),
        positions,
        is_new,
        not_yet,
        warnings,
    };
    if let Some(applied) = store.applied().await? {
        // A text that this program can't read any more is another one.
        let before = active::program(&applied).map(|program| program.revision);
        if before.is_some_and(|before| before == program.revision) {
            let states = store.shard_states().await?;
            let positions = states.iter().map(|state| state.revision_from);
            return Ok(activated(positions.collect(), false));
        }
        let accounts = left(store).await?;
        if store.clock() == ClockMode::Log && accounts > 0 {
            return Err(Refused::Underway { accounts });
        }
    }
    let id = store.put_revision(active::encode(files), now).await?;
    let ends_resting = resting == Resting::End;
    let positions = store.activate(id, now, ends_resting).await?;
    Ok(activated(positions.unwrap_or_default(), true))
}

/// A program, the workflows set aside, and the warnings.
type Sound = (Program, Vec<Box<str>>, Vec<Diagnostic>);

/// A workspace that can decide, with the workflows set aside and the warnings.
pub(crate) fn checked(files: &Files) -> Result<Sound, Refused> {
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
    let warnings = warnings.into_iter();
    let warnings = warnings.filter(|it| it.severity == Severity::Warning);
    Ok((program, checked.not_yet, warnings.collect()))
}

/// How many accounts another text decided last, or are still to be counted for from the log: none once the present one
/// has taken effect.
pub async fn left(store: &Store) -> Result<u64, Failure> {
    let mut left = 0;
    for state in store.shard_states().await? {
        if let Some(revision) = state
            .mark
            .revision
            .filter(|now| state.rebased != Some(*now))
        {
            left += store.stale_count(state.shard, revision).await?;
        } else if state.backfill.is_some() {
            left += store.account_count(state.shard).await?;
        }
    }
    Ok(left)
}

/// Whether somebody decides every shard at this moment.
pub async fn is_decided_now(store: &Store, now: Timestamp) -> Result<bool, Failure> {
    let leases = store.leases().await?;
    let mut decide = leases.iter().filter(|lease| lease.role == Role::Decide);
    Ok(decide.all(|lease| lease.owner.is_some() && lease.lease_until > now))
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

/// A text that took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its number in the store.
    pub id: RevisionId,
    /// The hash of its checked form.
    pub revision: Box<str>,
    /// What becomes of runs that rest at a step which it does not have.
    pub resting: Resting,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// The facts behind these positions are decided by it, by shard.
    pub from: BTreeMap<u32, u64>,
}

/// The texts that took effect, oldest first.
pub async fn texts(store: &Store) -> Result<Vec<Text>, Failure> {
    let mut names: BTreeMap<RevisionId, (Box<str>, Resting)> = BTreeMap::new();
    let mut texts: Vec<Text> = Vec::new();
    // One that took effect twice was applied twice: the rows of one activation stand together, a shard each.
    let mut last = None;
    for activation in store.activations().await? {
        let id = activation.revision;
        if let std::collections::btree_map::Entry::Vacant(name) = names.entry(id)
            && let Some(stored) = store.revision(id).await?
        {
            // One that this program can't read any more is known by its bytes.
            let resting = if stored.ends_resting {
                Resting::End
            } else {
                Resting::Next
            };
            let program = active::program(&stored);
            let hash = program.map_or(stored.hash, |program| program.revision);
            name.insert((hash, resting));
        }
        let mark = Some((id, activation.at));
        if last != mark {
            last = mark;
            let (revision, resting) = names.get(&id).cloned().unwrap_or_default();
            texts.push(Text {
                id,
                revision,
                resting,
                applied_at: activation.at,
                from: BTreeMap::new(),
            });
        }
        if let Some(text) = texts.last_mut() {
            text.from.insert(activation.shard, activation.position);
        }
    }
    Ok(texts)
}

/// A text that took effect, checked again; none: this program can't read it any more.
pub async fn text(store: &Store, id: RevisionId) -> Result<Option<Program>, Failure> {
    let stored = store.revision(id).await?;
    Ok(stored.as_ref().and_then(active::program))
}
