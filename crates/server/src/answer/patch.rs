//! What was learnt of a customer while a task was done: fields of the account, as text, checked against the schema.

use super::{AnswerError, SET_MAX};
use crate::activate::applied_files;
use serde_json::{Map, Value};
use store::Store;

/// The fields of the account that a person may set, as a patch.
pub(super) async fn patch(
    store: &Store,
    set: &[(Box<str>, Box<str>)],
) -> Result<Map<String, Value>, AnswerError> {
    let bad = |why: String| AnswerError::Value(why.into());
    if set.len() > SET_MAX {
        return Err(bad(format!("one answer sets at most {SET_MAX} fields")));
    }
    let files = applied_files(store).await?;
    let program = files.and_then(|files| workflow::check(&files).program);
    let program = program
        .ok_or_else(|| bad("no workspace was applied yet; `sottaku apply` does it".to_owned()))?;
    let mut patch = Map::new();
    for (name, text) in set {
        let field = name.strip_prefix("account.");
        let declared = field.and_then(|field| program.schema.account.fields.get(field));
        let (Some(field), Some(declared)) = (field, declared) else {
            return Err(bad(format!("there is no field `{name}` of an account")));
        };
        if declared.is_written_by_workflows {
            return Err(bad(format!("`{name}` is written by workflows only")));
        }
        let value = engine::fold::from_text(field, declared, text)
            .map_err(|why| bad(format!("`{name}` {why}, not `{text}`")))?;
        patch.insert(field.to_owned(), value);
    }
    Ok(patch)
}
