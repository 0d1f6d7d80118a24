//! The text that decides: a stored workspace, checked and compiled.

use crate::shared::Shared;
use engine::{Change, Resting, Rules};
use outreach::render::Templates;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Failure, Revision, RevisionId};
use workflow::{Checked, Files, Program, Severity};

/// The version of a stored workspace's form.
const VERSION: u32 = 1;

/// A stored workspace.
#[derive(Deserialize, Serialize)]
struct Stored<'a> {
    version: u32,
    #[serde(borrow)]
    files: BTreeMap<&'a str, std::borrow::Cow<'a, str>>,
}

/// The text that decides.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) id: RevisionId,
    pub(crate) program: Program,
    pub(crate) rules: Rules,
    pub(crate) templates: Templates,
}

/// Why a stored workspace can't decide.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// It is not stored.
    #[error("the revision {0} is not stored")]
    Gone(u32),
    /// It does not read as a workspace.
    #[error("the stored workspace can't be read: {0}")]
    Unreadable(Box<str>),
    /// This program finds mistakes in it.
    #[error("the stored workspace is wrong to this program: {0}; apply it again")]
    Wrong(Box<str>),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// The stored form of a workspace.
pub(crate) fn encode(files: &Files) -> Vec<u8> {
    let files = files
        .iter()
        .map(|(path, text)| (&**path, (&**text).into()))
        .collect();
    serde_json::to_vec(&Stored {
        version: VERSION,
        files,
    })
    .unwrap_or_default()
}

/// Reads a stored workspace back.
pub(crate) fn decode(bytes: &[u8]) -> Result<Files, Unusable> {
    let unreadable = |why: String| Unusable::Unreadable(why.into());
    let stored: Stored<'_> =
        serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
    if stored.version != VERSION {
        return Err(unreadable(format!(
            "its form has version {}",
            stored.version
        )));
    }
    Ok(stored
        .files
        .into_iter()
        .map(|(path, text)| (path.into(), text.into()))
        .collect())
}

/// Compiles the templates of a program.
pub(crate) fn templates(
    program: &Program,
) -> Result<Templates, Vec<outreach::render::TemplateError>> {
    let texts = program
        .templates
        .values()
        .flat_map(|template| template.texts.values().cloned());
    Templates::new(texts)
}

/// Checks a stored workspace and makes it ready to decide. Takes a while: not on a thread that serves others.
pub(crate) fn compile(revision: &Revision) -> Result<Active, Unusable> {
    let Checked {
        program,
        diagnostics,
        ..
    } = workflow::check(&decode(&revision.bytes)?);
    let program = program.ok_or_else(|| {
        let first = diagnostics
            .iter()
            .find(|diagnostic| diagnostic.severity == Severity::Error);
        Unusable::Wrong(
            first
                .map_or("it has no program", |first| &first.message)
                .into(),
        )
    })?;
    let templates = templates(&program).map_err(|errors| {
        let first = errors.first().map(ToString::to_string);
        Unusable::Wrong(first.unwrap_or_default().into())
    })?;
    let rules = Rules::of(&program);
    Ok(Active {
        id: revision.id,
        program,
        rules,
        templates,
    })
}

/// The text that decides now, as far as this process knows; `anew`: as the store knows.
pub(crate) async fn present(shared: &Shared, anew: bool) -> Result<Arc<Active>, Unusable> {
    if let Some(active) = shared.latest().filter(|_| !anew) {
        return Ok(active);
    }
    let states = shared.store.shard_states().await?;
    let id = states.iter().find_map(|state| state.mark.revision);
    load(shared, id.ok_or(Unusable::Gone(0))?).await
}

/// What the present text changes for accounts that another one decided last. That one need not be right any more.
pub(crate) async fn change(
    shared: &Shared,
    from: RevisionId,
    to: &Arc<Active>,
) -> Result<Arc<Change>, Unusable> {
    let _only_one = shared.compiling.lock().await;
    let applied = shared.store.revision(to.id).await?;
    let applied = applied.ok_or(Unusable::Gone(to.id.0))?;
    let known = shared.change(from, to.id);
    if let Some(known) = known.filter(|known| known.applied_at == applied.applied_at) {
        return Ok(known);
    }
    let before = shared.store.revision(from).await?;
    let before = before.ok_or(Unusable::Gone(from.0))?;
    let to = Arc::clone(to);
    let resting = if applied.ends_resting {
        Resting::End
    } else {
        Resting::Next
    };
    let compared = tokio::task::spawn_blocking(move || {
        let old = program(&before);
        let mut change = Change::between(old.as_ref(), &to.program, resting);
        change.applied_at = applied.applied_at;
        (to.id, Arc::new(change))
    });
    let (to, change) = compared
        .await
        .map_err(|_| Unusable::Unreadable("comparing it panicked".into()))?;
    shared.set_change(from, to, Arc::clone(&change));
    Ok(change)
}

/// The program of a stored workspace, if this program can still read it.
pub(crate) fn program(revision: &Revision) -> Option<Program> {
    workflow::check(&decode(&revision.bytes).ok()?).program
}

/// The text of that number: the one in memory, or read from the store.
pub(crate) async fn load(shared: &Shared, id: RevisionId) -> Result<Arc<Active>, Unusable> {
    if let Some(active) = shared.active(id) {
        return Ok(active);
    }
    let _only_one = shared.compiling.lock().await;
    if let Some(active) = shared.active(id) {
        return Ok(active);
    }
    let revision = shared
        .store
        .revision(id)
        .await?
        .ok_or(Unusable::Gone(id.0))?;
    let active = Arc::new(compiled(revision).await?);
    shared.set_active(Arc::clone(&active));
    Ok(active)
}

async fn compiled(revision: Revision) -> Result<Active, Unusable> {
    let compiled = tokio::task::spawn_blocking(move || compile(&revision)).await;
    compiled.map_err(|_| Unusable::Unreadable("compiling it panicked".into()))?
}

/// The text that a message was decided by, whichever decides now: its templates, topics and sender are what was
/// meant. Where it can't be used any more, or is not known, the present one, which may hold the same template.
pub(crate) async fn decided(
    shared: &Shared,
    id: Option<RevisionId>,
) -> Result<Arc<Active>, Unusable> {
    let Some(id) = id else {
        return present(shared, true).await;
    };
    if let Some(active) = shared.active(id) {
        return Ok(active);
    }
    match recalled(shared, id).await? {
        Some(active) => Ok(active),
        None => present(shared, true).await,
    }
}

/// A text of before, from memory or from the store; none where this program can't use it.
async fn recalled(shared: &Shared, id: RevisionId) -> Result<Option<Arc<Active>>, Unusable> {
    if let Some(kept) = shared.kept(id) {
        return Ok(kept);
    }
    let _only_one = shared.compiling.lock().await;
    if let Some(active) = shared.active(id) {
        return Ok(Some(active));
    }
    if let Some(kept) = shared.kept(id) {
        return Ok(kept);
    }
    let revision = shared.store.revision(id).await?;
    let revision = revision.ok_or(Unusable::Gone(id.0))?;
    let text = match compiled(revision).await {
        Ok(active) => Some(Arc::new(active)),
        Err(why) => {
            let revision = id.0;
            tracing::warn!(revision, %why, "messages decided by this text leave by the present one, where it has their template");
            None
        }
    };
    shared.keep(id, text.clone());
    Ok(text)
}
