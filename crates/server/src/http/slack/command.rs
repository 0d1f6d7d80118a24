//! `POST /slack/commands`: a CSM asks in Slack for what they have to do, or says that it is done and what they know now;
//! nobody else sees the answer.

mod wanted;

use super::super::Door;
use super::super::answer::{Problem, Refusal};
use super::super::tasks;
use super::admit;
use crate::active;
use crate::answer::{AnswerError, Reply, who_in_slack};
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
use wanted::{Done, Wanted};

/// The most tasks of one answer.
const SHOWN_MAX: usize = 25;
/// The most tasks that are looked at for it.
const COUNT_MAX: u32 = 1_000;
/// The most characters of a task's words in it.
const TITLE_CHARS_MAX: usize = 150;

/// Tells a CSM what they have to do, or takes what they did.
///
/// For a slash command of the Slack app, signed by Slack: without words, or `tasks`, the open tasks of who asks, those
/// whose time is over first; `overdue`, those alone; `done TASK [what came of it] [account.field=value …]` answers one.
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
        is_japanese: is_japanese(shared).await,
        now,
    };
    let (user, words) = actions::command(&body).ok_or_else(|| {
        let message = "the request names no user";
        Refusal::new(StatusCode::BAD_REQUEST, "unreadable", message)
    })?;
    let Some(wanted) = wanted::read(&words) else {
        return Ok(only_to_them(said.usage()));
    };
    let csm = who_in_slack(&shared.store, &user).await;
    let Some(csm) = csm.map_err(|error| busy(&error))? else {
        return Ok(only_to_them(said.stranger(&user)));
    };
    let due_before = match wanted {
        Wanted::Open => None,
        Wanted::Overdue => Some(now),
        Wanted::Done(done) => {
            let answered = answered(shared, &user, done).await;
            return said.answered(answered).map(only_to_them);
        }
    };
    let tasks = open(shared, &csm, due_before).await;
    let tasks = tasks.map_err(|failure| busy(&AnswerError::Failed(failure)))?;
    Ok(only_to_them(said.list(&tasks)))
}

/// Tells that a task is done, as its button would; gives its title.
async fn answered(shared: &Shared, user: &str, done: Done) -> Result<Box<str>, AnswerError> {
    let reply = Reply::Done {
        outcome: done.outcome,
        set: done.set,
    };
    let by = format!("slack:{user}");
    let row = tasks::tell(shared, &done.task, &reply, Some(&by)).await?;
    Ok(row.task.title)
}

fn only_to_them(text: String) -> Json<Value> {
    Json(json!({ "response_type": "ephemeral", "text": text }))
}

fn busy(error: &AnswerError) -> Refusal {
    let message = error.to_string();
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "failed", message).retry_after("5")
}

/// Colleagues read the language of the workspace.
async fn is_japanese(shared: &Shared) -> bool {
    let active = active::present(shared, false).await.ok();
    let locale = active
        .as_ref()
        .map(|active| &active.program.defaults.locale);
    locale.is_some_and(|locale| locale.starts_with("ja"))
}

/// The open tasks of a CSM, the earliest due first, and at the end those that are never due.
async fn open(
    shared: &Shared,
    csm: &str,
    due_before: Option<Timestamp>,
) -> Result<Vec<TaskChange>, Failure> {
    let filter = TaskFilter {
        account: None,
        assignee: Some(csm.into()),
        due_before,
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
            "`tasks` で担当のタスク、`overdue` で期限を過ぎたタスクを表示します。\n\
             `done タスクID 結果 account.項目=値` で完了を記録します。",
            "`tasks` shows what you have to do, `overdue` what is late.\n\
             `done TASK what came of it account.field=value` says that one is done.",
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

    /// What came of a task that somebody says is done.
    fn answered(self, answered: Result<Box<str>, AnswerError>) -> Result<String, Refusal> {
        let why = match answered {
            Ok(title) => {
                let words = self.say("完了", "Done");
                return Ok(format!("{words}: {}", escaped(&title)));
            }
            Err(error) => error,
        };
        match &why {
            AnswerError::Unknown(_)
            | AnswerError::OtherKind { .. }
            | AnswerError::NotOpen { .. }
            | AnswerError::Value(_) => {
                let words = self.say("記録できません", "Not taken");
                Ok(format!("{words}: {}", escaped(&why.to_string())))
            }
            AnswerError::Workspace(_) | AnswerError::Failed(_) | AnswerError::Log(_) => {
                Err(busy(&why))
            }
        }
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
        let id = match task.kind {
            TaskKind::Do => format!(" (`{}`)", task.task),
            TaskKind::Approve => String::new(),
        };
        let line = format!("• *{account}* {what}{}{id}", escaped(&title));
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
