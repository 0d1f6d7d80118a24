//! `GET /v1/tasks` and `POST /v1/tasks/{task}/{answer}`: what people are asked, and their answers.

use super::Door;
use super::answer::{Problem, Refusal};
use super::auth::admit;
use crate::answer::{AnswerError, Reply, answer};
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use model::{AccountId, TaskState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Failure, Role, TaskFilter, TaskRow};
use utoipa::{IntoParams, ToSchema};

/// The most tasks of one answer.
const COUNT_MAX: u32 = 1_000;
const COUNT_DEFAULT: u32 = 100;

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only of this account.
    account: Option<String>,
    /// Only of this CSM, by id, or of this route.
    assignee: Option<String>,
    /// `open` if not said; `done`, `approved`, `rejected`, `closed`, or `all`.
    state: Option<String>,
    /// Only those whose time is over.
    overdue: Option<bool>,
    /// Only those behind this one, as `next` of the page before has it.
    after: Option<String>,
    /// At most so many, 100 if not said and 1,000 at most.
    limit: Option<u32>,
}

/// A page of tasks in order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page {
    /// The tasks.
    #[schema(value_type = Vec<Object>)]
    tasks: Vec<model::TaskChange>,
    /// What `after` begins the next page; none: there is no more.
    next: Option<Box<str>>,
}

/// An answer. What is not of the answer's kind is refused.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    /// With `done`: what came of it, in words.
    outcome: Option<String>,
    /// With `done`: fields of the account that are known now, as `account.field` and text.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// With `snooze`: until when, RFC 3339.
    until: Option<String>,
    /// With `reassign`: the CSM who gets it.
    to: Option<String>,
    /// Who answers, to be kept with the answer.
    by: Option<String>,
}

/// An answer that is in the log now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    /// The task; what comes of the answer is decided when it is read.
    task: Box<str>,
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "bad_parameter", message)
}

fn failed(failure: &Failure) -> Refusal {
    let message = failure.to_string();
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "failed", message).retry_after("2")
}

/// Lists tasks and approvals.
#[utoipa::path(
    get,
    path = "/v1/tasks",
    security(("bearer" = [])),
    params(Wanted),
    responses(
        (status = 200, description = "A page of tasks", body = Page),
        (status = 400, description = "A parameter can't be used", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 503, description = "The store fails", body = Problem)
    )
)]
pub(crate) async fn get_tasks(
    State(door): State<Door>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Page>, Refusal> {
    admit(&door.shared.config, &headers)?;
    let Query(wanted) = wanted.map_err(|rejection| bad(rejection.body_text()))?;
    let state =
        match wanted.state.as_deref().unwrap_or("open") {
            "all" => None,
            word => Some(TaskState::parse(word).ok_or_else(|| {
                bad("state must be open, done, approved, rejected, closed or all")
            })?),
        };
    let count_max = wanted.limit.unwrap_or(COUNT_DEFAULT).clamp(1, COUNT_MAX);
    let now = door.shared.clock.now();
    let filter = TaskFilter {
        account: wanted.account.map(AccountId::new),
        assignee: wanted.assignee.map(Into::into),
        due_before: (wanted.overdue == Some(true)).then_some(now),
        state,
        after: wanted.after.map(Into::into),
        count_max,
    };
    let rows = door.shared.store.tasks(filter).await;
    let rows = rows.map_err(|failure| failed(&failure))?;
    let is_full = rows.len() == usize::try_from(count_max).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| is_full);
    Ok(Json(Page {
        next: next.map(|row| row.task.task.clone()),
        tasks: rows.into_iter().map(|row| row.task).collect(),
    }))
}

/// Answers a task or an approval.
///
/// The body is JSON, or nothing where the answer needs no more. Answering the same again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/tasks/{task}/{answer}",
    security(("bearer" = [])),
    params(
        ("task" = String, Path, description = "The task"),
        ("answer" = String, Path, description = "`approve`, `reject`, `done`, `snooze` or `reassign`")
    ),
    request_body(content = Said),
    responses(
        (status = 202, description = "The answer is durable", body = Told),
        (status = 400, description = "The answer can't be used; nothing was told", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 404, description = "There is no such task, or no such answer", body = Problem),
        (status = 409, description = "It is answered or closed, or wants another kind of answer", body = Problem),
        (status = 503, description = "It may have been told: answer the same again", body = Problem)
    )
)]
pub(crate) async fn post_task(
    State(door): State<Door>,
    Path((task, verb)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Told>), Refusal> {
    admit(&door.shared.config, &headers)?;
    let said = if body.trim_ascii().is_empty() {
        Said::default()
    } else {
        serde_json::from_slice(&body).map_err(|error| bad(format!("the body: {error}")))?
    };
    let by = said.by.clone();
    let reply = reply(&verb, said)?;
    let row = tell(&door.shared, &task, &reply, by.as_deref()).await;
    let row = row.map_err(|error| refusal(&error))?;
    Ok((
        StatusCode::ACCEPTED,
        Json(Told {
            task: row.task.task,
        }),
    ))
}

/// Answers, and wakes whoever decides.
pub(crate) async fn tell(
    shared: &Shared,
    task: &str,
    reply: &Reply,
    by: Option<&str>,
) -> Result<TaskRow, AnswerError> {
    let row = answer(&shared.store, task, reply, by, shared.clock.now()).await?;
    shared.bells.ring(row.shard, Role::Decide);
    Ok(row)
}

fn reply(verb: &str, said: Said) -> Result<Reply, Refusal> {
    let set: Vec<_> = said
        .set
        .into_iter()
        .map(|(name, text)| (name.into(), text.into()))
        .collect();
    let foreign = match verb {
        "approve" | "reject" => {
            said.outcome.is_some() || !set.is_empty() || said.until.is_some() || said.to.is_some()
        }
        "done" => said.until.is_some() || said.to.is_some(),
        "snooze" => said.outcome.is_some() || !set.is_empty() || said.to.is_some(),
        "reassign" => said.outcome.is_some() || !set.is_empty() || said.until.is_some(),
        _ => {
            let message = "there are approve, reject, done, snooze and reassign";
            return Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", message));
        }
    };
    if foreign {
        return Err(bad(format!(
            "the body holds what does not belong to {verb}"
        )));
    }
    Ok(match verb {
        "approve" => Reply::Approve,
        "reject" => Reply::Reject,
        "snooze" => {
            let until = said.until.and_then(|until| until.parse::<Timestamp>().ok());
            let until = until.ok_or_else(|| bad("until must be RFC 3339 with an offset"))?;
            Reply::Snooze { until }
        }
        "reassign" => {
            let to = said.to.ok_or_else(|| bad("to must name a CSM"))?.into();
            Reply::Reassign { to }
        }
        _ => Reply::Done {
            outcome: said.outcome.map(Into::into),
            set,
        },
    })
}

fn refusal(error: &AnswerError) -> Refusal {
    let (status, code) = match error {
        AnswerError::Unknown(_) => (StatusCode::NOT_FOUND, "not_found"),
        AnswerError::OtherKind { .. } => (StatusCode::CONFLICT, "other_kind"),
        AnswerError::NotOpen { .. } => (StatusCode::CONFLICT, "not_open"),
        AnswerError::Value(_) => (StatusCode::BAD_REQUEST, "bad_parameter"),
        AnswerError::Workspace(_) | AnswerError::Failed(_) | AnswerError::Log(_) => {
            let message = error.to_string();
            return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "failed", message)
                .retry_after("2");
        }
    };
    Refusal::new(status, code, error.to_string())
}
