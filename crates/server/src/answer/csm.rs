//! Who may get a task: the CSMs that the task's shard knows.

use super::{AnswerError, find};
use engine::Csms;
use model::Value;
use store::Store;

/// The field of a CSM that holds Slack's id of the person.
const SLACK: &str = "slack";

/// Whether there is a CSM with this id.
pub(super) async fn is_there(store: &Store, shard: u32, id: &str) -> Result<(), AnswerError> {
    let csms = csms(store, shard).await?;
    if csms.0.get(id).is_some_and(|csm| csm.is_there) {
        return Ok(());
    }
    Err(AnswerError::Value(format!("there is no CSM {id}").into()))
}

/// The CSM who is known by this id in Slack, as the shard of a task has it.
pub(crate) async fn csm_in_slack(
    store: &Store,
    task: &str,
    user: &str,
) -> Result<Option<Box<str>>, AnswerError> {
    let row = find(store, task).await?;
    Ok(known_as(&csms(store, row.shard).await?, user))
}

/// The CSM who is known by this id in Slack. Facts of CSMs stand in every shard, so the first one knows them all.
pub(crate) async fn who_in_slack(
    store: &Store,
    user: &str,
) -> Result<Option<Box<str>>, AnswerError> {
    Ok(known_as(&csms(store, 0).await?, user))
}

fn known_as(csms: &Csms, user: &str) -> Option<Box<str>> {
    let known = csms.0.iter().find(|(_, csm)| {
        let value = csm.value(SLACK);
        matches!(value, Some(Value::Text(text)) if **text == *user)
    });
    known.map(|(id, _)| id.clone())
}

async fn csms(store: &Store, shard: u32) -> Result<Csms, AnswerError> {
    let mut csms = Csms::default();
    for row in store.csms(shard).await? {
        if let Err(error) = csms.decode(&row.csm, &row.bytes) {
            let csm = &row.csm;
            tracing::warn!(%csm, %error, "a CSM can't be read; nobody can hand a task over to them");
        }
    }
    Ok(csms)
}
