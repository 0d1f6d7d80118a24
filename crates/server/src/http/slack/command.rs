//! `POST /slack/commands`: a CSM asks in Slack for what they have to do, and nobody else sees the answer.

use super::super::Door;
use super::super::answer::{Problem, Refusal};
use super::admit;
use crate::answer::{AnswerError, who_in_slack};
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use model::{TaskChange, TaskKind, TaskState};
use outreach::slack::{actions, escaped};
use serde_json::{Value, json};
use store::{Failure, TaskFilter};

/// The most tasks of one answer.
const SHOWN_MAX: usize = 25;
/// The most tasks that are looked at for it.
const COUNT_MAX: u32 = 1_000;
/// The most characters of a task's words in it.
const TITLE_CHARS_MAX: usize = 150;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Open,
    Overdue,
}

/// Tells a CSM what they have to do.
///
/// For a slash command of the Slack app, signed by Slack: without words, or `tasks`, the open tasks of who asks, those
/// whose time is over first; `overdue`, those alone.
#[utoipa::path(
    post,
    path = "/slack/commands",
    request_body(content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What only who asked sees"),
        (status = 400, description = "Not a slash command", body = Problem),
        (status = 401, description = "Not signed by Slack, or too long ago", body = Problem),
        (status = 404, description = "No `slack.signing_secret` is set", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 503, description = "The store fails: ask again", body = Problem)
    )
)]
pub(crate) async fn post_commands(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let shared = &door.shared;
    let now = shared.clock.now();
    admit(shared, &headers, (&body, now))?;
    let said = Said {
        is_japanese: is_japanese(shared),
        now,
    };
    let (user, words) = actions::command(&body).ok_or_else(|| {
        let message = "the request names no user";
        Refusal::new(StatusCode::BAD_REQUEST, "unreadable", message)
    })?;
    let wanted = match words.trim().to_lowercase().as_str() {
        "" | "tasks" => Wanted::Open,
        "overdue" => Wanted::Overdue,
        _ => return Ok(only_to_them(said.usage())),
    };
    let csm = who_in_slack(&shared.store, &user).await;
    let Some(csm) = csm.map_err(|error| busy(&error))? else {
        return Ok(only_to_them(said.stranger(&user)));
    };
    let tasks = tasks(shared, &csm, (wanted, now)).await;
    let tasks = tasks.map_err(|failure| busy(&AnswerError::Failed(failure)))?;
    Ok(only_to_them(said.list(&tasks)))
}

fn only_to_them(text: String) -> Json<Value> {
    Json(json!({ "response_type": "ephemeral", "text": text }))
}

fn busy(error: &AnswerError) -> Refusal {
    let message = error.to_string();
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "failed", message).retry_after("5")
}

/// Colleagues read the language of the workspace.
fn is_japanese(shared: &Shared) -> bool {
    let active = shared.latest();
    let locale = active
        .as_ref()
        .map(|active| &active.program.defaults.locale);
    locale.is_some_and(|locale| locale.starts_with("ja"))
}

/// The tasks of a CSM, the earliest due first, and at the end those that are never due.
async fn tasks(
    shared: &Shared,
    csm: &str,
    (wanted, now): (Wanted, Timestamp),
) -> Result<Vec<TaskChange>, Failure> {
    let filter = TaskFilter {
        account: None,
        assignee: Some(csm.into()),
        due_before: (wanted == Wanted::Overdue).then_some(now),
        state: Some(TaskState::Open),
        after: None,
        count_max: COUNT_MAX,
    };
    let rows = shared.store.tasks(filter).await?;
    let mut tasks: Vec<TaskChange> = rows.into_iter().map(|row| row.task).collect();
    tasks.sort_by_key(|task| (task.due_at.is_none(), task.due_at, task.task.clone()));
    Ok(tasks)
}

/// The words of an answer.
#[derive(Clone, Copy, Debug)]
struct Said {
    is_japanese: bool,
    now: Timestamp,
}

impl Said {
    fn say(self, ja: &'static str, en: &'static str) -> &'static str {
        if self.is_japanese { ja } else { en }
    }

    fn usage(self) -> String {
        let words = self.say(
            "`tasks` で担当のタスク、`overdue` で期限を過ぎたタスクを表示します。",
            "`tasks` shows what you have to do, `overdue` what is late.",
        );
        words.to_owned()
    }

    fn stranger(self, user: &str) -> String {
        let words = self.say(
            "は、どのCSMの `slack` にも登録されていません。",
            "is in the field `slack` of no CSM.",
        );
        format!("`{user}` {words}")
    }

    fn list(self, tasks: &[TaskChange]) -> String {
        if tasks.is_empty() {
            let words = self.say("タスクはありません。", "There is nothing to do.");
            return words.to_owned();
        }
        let lines = tasks.iter().take(SHOWN_MAX).map(|task| self.line(task));
        let mut lines: Vec<String> = lines.collect();
        let left = tasks.len().saturating_sub(SHOWN_MAX);
        if left > 0 {
            let more = self.say("件がほかにあります。", "more.");
            lines.push(format!("… {left} {more}"));
        }
        lines.join("\n")
    }

    fn line(self, task: &TaskChange) -> String {
        let title: String = task.title.chars().take(TITLE_CHARS_MAX).collect();
        let what = match task.kind {
            TaskKind::Do => "",
            TaskKind::Approve => self.say("承認: ", "to approve: "),
        };
        let account = escaped(task.account.as_str());
        let line = format!("• *{account}* {what}{}", escaped(&title));
        let Some(due) = task.due_at else {
            return line;
        };
        let by = self.say("期限", "due");
        let seconds = due.as_second();
        let late = if due < self.now {
            self.say(" *期限超過*", " *overdue*")
        } else {
            ""
        };
        format!("{line}, {by} <!date^{seconds}^{{date_short}} {{time}}|{due}>{late}")
    }
}
