//! The words of our own: a plain text, nobody to write to, a task, a step to approve. In Japanese and English.

use super::frame::{Around, Frame, Language, RESERVED};
use super::templates::Templates;
use super::{RenderError, escape, fill, format, page};
use jiff::Timestamp;
use model::Outgoing;
use model::message::Content;
use serde_json::Value;

/// The key of the link among what the view keeps for itself; set at hand-over, never by a decision.
pub const ANSWER_LINK: &str = "answer_link";
/// The most bytes of the preview in an ask.
const PREVIEW_BYTES_MAX: usize = 6_000;

/// A message of our own, before it becomes a mail or a post.
pub(super) struct Notice {
    pub(super) locale: Box<str>,
    pub(super) subject: String,
    pub(super) markdown: String,
}

/// Writes what `outgoing` says, if it is not a template.
pub(super) fn write(templates: &Templates, outgoing: &Outgoing) -> Result<Notice, RenderError> {
    let locale = locale(outgoing);
    let language = Language::of(&locale);
    let (subject, markdown) = match &outgoing.content {
        Content::Text(text) => self::text(&account_name(outgoing), text),
        Content::Nobody { step, workflow } => {
            nobody(language, &account_name(outgoing), step, workflow)
        }
        Content::Complained { step, workflow } => {
            complained(language, &account_name(outgoing), step, workflow)
        }
        Content::Task {
            task,
            title,
            due_at,
        } => self::task(language, outgoing, task, title, due_at.as_ref()),
        Content::Ask {
            task,
            name,
            locale,
            hash,
        } => {
            let preview = preview(templates, outgoing, [name, locale, hash])?;
            let link = link(outgoing);
            ask(language, &account_name(outgoing), (task, link), &preview)
        }
        Content::Template { name, .. } => (name.to_string(), String::new()),
        Content::Webhook => (outgoing.step.to_string(), String::new()),
    };
    let subject = fill::subject_line(&outgoing.step, &subject)?;
    Ok(Notice {
        locale,
        subject,
        markdown,
    })
}

/// The locale of a message that no template speaks for: the view's own, the template's in an ask, else by the zone.
fn locale(outgoing: &Outgoing) -> Box<str> {
    let reserved = outgoing.view.get(RESERVED);
    let word = |key| reserved.and_then(|it| it.get(key)).and_then(Value::as_str);
    match (&outgoing.content, word("locale"), word("timezone")) {
        (_, Some(locale), _) => locale.into(),
        (Content::Ask { locale, .. }, None, _) => locale.clone(),
        (_, None, Some("Asia/Tokyo")) => "ja".into(),
        (_, None, _) => "en".into(),
    }
}

/// The account's name if the decision or the view has it, else its id.
pub fn account_name(outgoing: &Outgoing) -> String {
    let view = &outgoing.view;
    let told = view.get(RESERVED).and_then(|own| own.get("account"));
    let read = view.get("account").and_then(|account| account.get("name"));
    let mut names = [told, read].into_iter().flatten().filter_map(Value::as_str);
    escape::line(names.next().unwrap_or(outgoing.account.as_str()))
}

/// An id as it may stand in a code span: whatever no id of ours holds is left out.
fn id(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .collect()
}

/// What was written by hand, for colleagues: whose it is stands before it, unless the words say so themselves.
fn text(account: &str, text: &str) -> (String, String) {
    let first = escape::line(text.lines().next().unwrap_or_default());
    if text.contains(account) {
        return (first, escape::lines(text));
    }
    let name = escape::body(account);
    (
        format!("{account}: {first}"),
        format!("**{name}**\n{}", escape::lines(text)),
    )
}

fn nobody(language: Language, account: &str, step: &str, workflow: &str) -> (String, String) {
    let (name, workflow, step) = (escape::body(account), escape::body(workflow), id(step));
    match language {
        Language::Ja => (
            format!("{account}: 送る相手がいません"),
            format!(
                "**{name}** には、「{workflow}」の `{step}` を送る相手がいません。\n担当者を登録するか、別の方法でご連絡ください。"
            ),
        ),
        Language::En => (
            format!("{account}: nobody to write to"),
            format!(
                "**{name}** has nobody to whom `{step}` of “{workflow}” could be sent.\nAdd a contact, or reach out another way."
            ),
        ),
    }
}

fn complained(language: Language, account: &str, step: &str, workflow: &str) -> (String, String) {
    let (name, workflow, step) = (escape::body(account), escape::body(workflow), id(step));
    match language {
        Language::Ja => (
            format!("{account}: 迷惑メールとして報告されました"),
            format!(
                "**{name}** の担当者が、「{workflow}」の `{step}` を迷惑メールとして報告しました。\nこの宛先には、今後ご案内のメールを送りません。"
            ),
        ),
        Language::En => (
            format!("{account}: reported as spam"),
            format!(
                "Somebody at **{name}** reported `{step}` of “{workflow}” as spam.\nNothing that can be left is sent to that address any more."
            ),
        ),
    }
}

fn task(
    language: Language,
    outgoing: &Outgoing,
    task: &str,
    title: &str,
    due_at: Option<&Timestamp>,
) -> (String, String) {
    let account = account_name(outgoing);
    let around = Around::of(&outgoing.view);
    let due = due_at.map(|at| format::date(language, at.to_zoned(around.zone).date()));
    let (name, words, task) = (escape::body(&account), escape::body(title), id(task));
    let (head, due) = match language {
        Language::Ja => ("タスク", due.map(|due| format!("\n期限: {due}"))),
        Language::En => ("Task", due.map(|due| format!("\nDue: {due}"))),
    };
    let markdown = format!(
        "**{name}** {head}: {words}{}\n`{task}`",
        due.unwrap_or_default()
    );
    (format!("{account}: {}", escape::line(title)), markdown)
}

/// Where the question is answered, if whoever hands it over said so: letters of a link and nothing else.
fn link(outgoing: &Outgoing) -> Option<&str> {
    let link = outgoing.view.get(RESERVED)?.get(ANSWER_LINK)?.as_str()?;
    let is_plain = link.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':' | b'/')
    });
    is_plain.then_some(link)
}

/// The mail that waits for an answer.
struct Preview {
    subject: String,
    /// Markdown.
    body: String,
}

fn preview(
    templates: &Templates,
    outgoing: &Outgoing,
    [name, locale, hash]: [&str; 3],
) -> Result<Preview, RenderError> {
    let entry = templates.decided(name, locale, hash)?;
    let frame = Frame::new(&outgoing.view, locale, None);
    let body = fill::body(templates, entry, &frame)?;
    let subject = fill::subject(templates, entry, &frame)?;
    let body = beginning(&page::quotable(name, &body)?);
    let subject = subject.unwrap_or_default();
    Ok(Preview { subject, body })
}

/// As many whole lines as a preview may have; what follows is an ellipsis.
fn beginning(text: &str) -> String {
    let mut short = String::new();
    for line in text.lines() {
        if short.len() + line.len() > PREVIEW_BYTES_MAX {
            short.push('…');
            break;
        }
        short.push_str(line);
        short.push('\n');
    }
    short
}

fn ask(
    language: Language,
    account: &str,
    (task, link): (&str, Option<&str>),
    preview: &Preview,
) -> (String, String) {
    let (name, task) = (escape::body(account), id(task));
    let subject = escape::body(&preview.subject);
    let body: Vec<String> = preview
        .body
        .lines()
        .map(|line| format!("> {line}"))
        .collect();
    let quoted = format!("> **{subject}**\n>\n{}", body.join("\n"));
    let command = match language {
        Language::Ja => {
            format!("承認: `sottaku task approve {task}`\n見送り: `sottaku task reject {task}`")
        }
        Language::En => {
            format!("Approve: `sottaku task approve {task}`\nReject: `sottaku task reject {task}`")
        }
    };
    let way = match (language, link) {
        (_, None) => command,
        (Language::Ja, Some(link)) => format!("[内容を確認して回答する]({link})\n\n{command}"),
        (Language::En, Some(link)) => format!("[Look at it and answer]({link})\n\n{command}"),
    };
    match language {
        Language::Ja => (
            format!("承認のお願い: {account}"),
            format!("**{name}** へ次のメールを送ってよろしいですか。\n\n{quoted}\n\n{way}"),
        ),
        Language::En => (
            format!("Please approve: {account}"),
            format!("May this mail be sent to **{name}**?\n\n{quoted}\n\n{way}"),
        ),
    }
}
