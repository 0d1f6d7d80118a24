//! `/a/TOKEN`: the signed link of an approval. A page with the mail that would leave and two buttons; looking changes
//! nothing, and what scanners fetch is only looked at.

use super::Door;
use super::pace::Asks;
use super::tasks::tell;
use crate::active;
use crate::answer::{AnswerError, Reply, find};
use crate::shared::Shared;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use model::message::{Content, Target};
use model::{MessageId, Outgoing, TaskChange, TaskKind, TaskState};
use outreach::render::{Rendered, RenderedMail, account_name, render_for};
use outreach::seal::Use;
use store::{Delivery, Failure};

/// The longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 512;
/// The longest body of a form.
const BODY_BYTES_MAX: usize = 1_024;
/// Nothing runs, nothing is fetched, nobody frames it, and where it leads learns no token.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The link to answer an approval, if the world can reach this server.
pub(crate) async fn link(shared: &Shared, task: &str) -> Result<Option<String>, Failure> {
    let Some(base) = &shared.config.public_url else {
        return Ok(None);
    };
    let seal = shared.seals.present().await?;
    let token = seal.sign(Use::Answer, task.as_bytes());
    let token = token.map_err(|why| Failure::Database(why.to_string().into()))?;
    Ok(Some(format!("{}/a/{token}", base.trim_end_matches('/'))))
}

/// Shows what is asked.
pub(crate) async fn get_approval(
    State(door): State<Door>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    match open(&door.shared, &token).await {
        Ok(Some(_))
            if !door
                .pace
                .admits(Asks::Look, &token, door.shared.clock.now()) =>
        {
            busy(words(&headers, None))
        }
        Ok(Some(task)) => {
            let asked = asked(&door.shared, &task).await;
            page(
                StatusCode::OK,
                &Page::Ask(&task, asked.as_ref()),
                words(
                    &headers,
                    asked.as_ref().and_then(|asked| asked.mail.as_ref()),
                ),
            )
        }
        Ok(None) => page(StatusCode::NOT_FOUND, &Page::Unknown, words(&headers, None)),
        Err(error) => later(&error, words(&headers, None)),
    }
}

/// Takes the answer of one of the two buttons.
pub(crate) async fn post_approval(
    State(door): State<Door>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let words = words(&headers, None);
    let task = match open(&door.shared, &token).await {
        Ok(Some(task)) => task,
        Ok(None) => return page(StatusCode::NOT_FOUND, &Page::Unknown, words),
        Err(error) => return later(&error, words),
    };
    if !door
        .pace
        .admits(Asks::Change, &token, door.shared.clock.now())
    {
        return busy(words);
    }
    let reply = match body.get(..body.len().min(BODY_BYTES_MAX)) {
        Some(b"answer=approve") => Reply::Approve,
        Some(b"answer=reject") => Reply::Reject,
        Some(_) | None => return page(StatusCode::BAD_REQUEST, &Page::Ask(&task, None), words),
    };
    match tell(&door.shared, &task.task, &reply, Some("link")).await {
        Ok(_) => page(StatusCode::OK, &Page::Told(&reply), words),
        Err(AnswerError::NotOpen { .. }) => page(StatusCode::OK, &Page::Ask(&task, None), words),
        Err(AnswerError::Unknown(_) | AnswerError::OtherKind { .. } | AnswerError::Value(_)) => {
            page(StatusCode::NOT_FOUND, &Page::Unknown, words)
        }
        Err(error) => later(&error, words),
    }
}

/// The approval that a token names; none: it is not ours, or there is no such approval.
async fn open(shared: &Shared, token: &str) -> Result<Option<TaskChange>, AnswerError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Ok(None);
    }
    let payload = shared.seals.open(Use::Answer, token).await?;
    let Some(task) = payload.and_then(|payload| String::from_utf8(payload).ok()) else {
        return Ok(None);
    };
    match find(&shared.store, &task).await {
        Ok(row) => Ok(Some(row.task).filter(|task| task.kind == TaskKind::Approve)),
        Err(AnswerError::Unknown(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is asked: whose account it is, and the mail that would leave, as far as it can be shown.
struct Asked {
    account: String,
    mail: Option<RenderedMail>,
}

/// What an approval asks; none when its message is there no longer.
async fn asked(shared: &Shared, task: &TaskChange) -> Option<Asked> {
    let parts = [task.run.as_str(), &task.step, "0", &task.assignee, "ask"];
    let (delivery, _) = shared.store.delivery(&MessageId::of(&parts)).await.ok()??;
    let account = account_name(&delivery.outgoing);
    let mail = preview(shared, delivery).await;
    Some(Asked { account, mail })
}

async fn preview(shared: &Shared, delivery: Delivery) -> Option<RenderedMail> {
    let Content::Ask {
        name, locale, hash, ..
    } = delivery.outgoing.content
    else {
        return None;
    };
    // What will leave is what was decided, whatever has been applied since.
    let active = active::decided(shared, delivery.revision).await.ok()?;
    let mail = Outgoing {
        content: Content::Template { name, locale, hash },
        ..delivery.outgoing
    };
    match render_for(&active.templates, &mail, &Target::Email("".into())) {
        Ok(Rendered::Mail(mail)) => Some(mail),
        Ok(Rendered::Post(_)) | Err(_) => None,
    }
}

enum Page<'p> {
    Ask(&'p TaskChange, Option<&'p Asked>),
    Told(&'p Reply),
    Unknown,
}

/// The words of a page in one language.
struct Words {
    lang: &'static str,
    title: &'static str,
    question: &'static str,
    approve: &'static str,
    reject: &'static str,
    approved: &'static str,
    rejected: &'static str,
    answered: &'static str,
    unknown: &'static str,
    later: &'static str,
    no_preview: &'static str,
}

const JA: Words = Words {
    lang: "ja",
    title: "承認のお願い",
    question: "次のメールを送ってよろしいですか。",
    approve: "承認する",
    reject: "見送る",
    approved: "承認を受け付けました。",
    rejected: "見送りを受け付けました。",
    answered: "この依頼は回答済みか、終了しています。",
    unknown: "このリンクは有効ではありません。",
    later: "ただいま受け付けられません。しばらくしてからもう一度お試しください。",
    no_preview: "プレビューを表示できません。",
};

const EN: Words = Words {
    lang: "en",
    title: "Please approve",
    question: "May this mail be sent?",
    approve: "Approve",
    reject: "Reject",
    approved: "Your approval was taken.",
    rejected: "It was taken that this mail shall not be sent.",
    answered: "This was answered before, or is closed.",
    unknown: "This link is not valid.",
    later: "This can't be taken just now. Please try again in a while.",
    no_preview: "The preview can't be shown.",
};

/// The language of the reader: what the browser asks for, else that of the mail.
fn words(headers: &HeaderMap, mail: Option<&RenderedMail>) -> &'static Words {
    let asked = headers.get(header::ACCEPT_LANGUAGE);
    let asked = asked.and_then(|value| value.to_str().ok());
    let locale = mail.map(|mail| mail.locale.as_str());
    match asked.or(locale) {
        Some(language) if language.trim_start().starts_with("ja") => &JA,
        Some(_) | None => &EN,
    }
}

/// The token was used too often just now.
fn busy(words: &Words) -> Response {
    shown(
        StatusCode::TOO_MANY_REQUESTS,
        words,
        &paragraph(words.later),
    )
}

fn later(error: &AnswerError, words: &Words) -> Response {
    tracing::error!(%error, "an approval could not be answered; its reader was told to try again");
    shown(
        StatusCode::SERVICE_UNAVAILABLE,
        words,
        &paragraph(words.later),
    )
}

fn page(status: StatusCode, page: &Page<'_>, words: &Words) -> Response {
    let body = match page {
        Page::Unknown => paragraph(words.unknown),
        Page::Told(Reply::Approve) => paragraph(words.approved),
        Page::Told(
            Reply::Reject | Reply::Done { .. } | Reply::Snooze { .. } | Reply::Reassign { .. },
        ) => paragraph(words.rejected),
        Page::Ask(task, _) if task.state != TaskState::Open => paragraph(words.answered),
        Page::Ask(task, asked) => question(task, *asked, words),
    };
    shown(status, words, &body)
}

fn question(task: &TaskChange, asked: Option<&Asked>, words: &Words) -> String {
    let preview = match asked.and_then(|asked| asked.mail.as_ref()) {
        Some(mail) => format!(
            "<h2>{}</h2><pre tabindex=\"0\">{}</pre>",
            escaped(&mail.subject),
            escaped(&mail.text)
        ),
        None => paragraph(words.no_preview),
    };
    format!(
        "<p><strong>{}</strong> — {}</p><p>{}</p><article>{preview}</article>\
         <form method=\"post\"><button name=\"answer\" value=\"approve\">{}</button> \
         <button name=\"answer\" value=\"reject\" class=\"no\">{}</button></form>",
        escaped(asked.map_or(task.account.as_str(), |asked| &asked.account)),
        escaped(&task.title),
        words.question,
        words.approve,
        words.reject
    )
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>", escaped(text))
}

fn shown(status: StatusCode, words: &Words, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <style>{STYLE}</style></head><body><main><h1>{}</h1>{body}</main></body></html>",
        words.lang, words.title, words.title
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, Html(html)).into_response()
}

const STYLE: &str = "body{font:1rem/1.6 system-ui,sans-serif;margin:0;background:#fff;color:#1a1a1a}\
main{max-width:44rem;margin:2rem auto;padding:0 1rem}article{border:1px solid #767676;border-radius:.5rem;padding:0 1rem}\
pre{white-space:pre-wrap;font:inherit}h2{font-size:1.1rem}\
button{font:inherit;padding:.6rem 1.4rem;margin:1rem .5rem 0 0;border:2px solid #0b5;border-color:#00663c;border-radius:.4rem;background:#00663c;color:#fff}\
button.no{background:#fff;color:#8a1c1c;border-color:#8a1c1c}button:focus-visible,pre:focus-visible{outline:3px solid #1a5fb4;outline-offset:2px}";

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}
