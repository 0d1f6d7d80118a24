//! `sottaku mail`: what was said to whom, and what became of it.

mod receive;

use crate::arguments::{Mail, MailCommand, MailList, MailShow};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use anyhow::Context;
use mail_parser::MessageParser;
use model::{Channel, DeliveryState, MessageId, Outgoing};
use serde_json::json;
use store::{Attempt, Captured, Delivery, DeliveryFilter};

/// How many rows are read at once.
const PAGE: u32 = 500;

/// Lists messages, or shows one.
pub(crate) fn run(arguments: &Mail) -> anyhow::Result<Exit> {
    match &arguments.command {
        MailCommand::List(list) => wait(print_list(list)),
        MailCommand::Show(show) => wait(print_one(show)),
        MailCommand::Receive(receive) => receive::run(receive),
    }
}

async fn print_list(arguments: &MailList) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let mut printer = Printer::new();
    let mut filter = DeliveryFilter {
        account: arguments.account.clone().map(model::AccountId::new),
        state: arguments.state.as_deref().map(state).transpose()?,
        after: 0,
        count_max: PAGE,
    };
    let mut left = arguments.limit;
    while left > 0 {
        let page = store.deliveries(filter.clone()).await?;
        let Some(last) = page.last() else { break };
        filter.after = last.number;
        for delivery in page.iter().take(left) {
            match arguments.output {
                Output::Json => printer.json(&as_json(delivery))?,
                Output::Text => printer.line(as_line(delivery))?,
            }
        }
        left = left.saturating_sub(page.len());
    }
    printer.flush()?;
    Ok(Exit::Done)
}

fn state(word: &str) -> anyhow::Result<DeliveryState> {
    DeliveryState::parse(word).with_context(|| {
        format!("`{word}` is no state; there are queued, claimed, sent, deferred, refused, unknown, suppressed, expired, shadow, withdrawn")
    })
}

fn as_line(delivery: &Delivery) -> String {
    let outgoing = &delivery.outgoing;
    let detail = if delivery.detail.is_empty() {
        String::new()
    } else {
        format!("  ({})", delivery.detail)
    };
    format!(
        "{}  {:10}  {}  {}  {}  to {}{detail}",
        delivery.decided_at,
        delivery.state.as_str(),
        outgoing.message,
        outgoing.account,
        says(outgoing),
        whom(outgoing),
    )
}

fn as_json(delivery: &Delivery) -> serde_json::Value {
    let outgoing = &delivery.outgoing;
    json!({
        "message": outgoing.message, "account": outgoing.account, "workflow": outgoing.workflow,
        "subject": outgoing.subject, "run": outgoing.run, "step": outgoing.step, "to": whom(outgoing),
        "says": says(outgoing), "topic": outgoing.topic, "state": delivery.state.as_str(),
        "attempts": delivery.attempts, "detail": delivery.detail, "decided_at": delivery.decided_at,
        "updated_at": delivery.updated_at,
    })
}

/// Whom a message is for.
fn whom(outgoing: &Outgoing) -> String {
    match &outgoing.channel {
        Channel::Email { to, .. } => to.address.to_string(),
        Channel::Route { route, .. } => format!("route {route}"),
        Channel::Webhook { name } => format!("webhook {name}"),
    }
}

/// What a message says, in a word or two.
fn says(outgoing: &Outgoing) -> String {
    match &outgoing.content {
        model::message::Content::Template { name, locale, .. } => format!("{name}.{locale}"),
        model::message::Content::Text(text) => text.chars().take(40).collect(),
        model::message::Content::Nobody { step, .. } => format!("nobody for {step}"),
        model::message::Content::Complained { step, .. } => format!("{step} called spam"),
        model::message::Content::Ask { name, .. } => format!("approve {name}?"),
        model::message::Content::Task { title, .. } => title.to_string(),
        model::message::Content::Webhook => outgoing.view.to_string().chars().take(40).collect(),
    }
}

async fn print_one(arguments: &MailShow) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let id = MessageId::new(arguments.message.as_str());
    let Some((delivery, attempts)) = store.delivery(&id).await? else {
        anyhow::bail!("there is no message {id}; `sottaku mail list` shows them");
    };
    let captured = store.captured_message(&id).await?.map(|row| row.captured);
    if let (Some(path), Some(captured)) = (&arguments.html, &captured) {
        let html = html(&captured.body).context("the message has no HTML part")?;
        std::fs::write(path, html).with_context(|| format!("writing {}", path.display()))?;
    }
    let mut printer = Printer::new();
    match arguments.output {
        Output::Json => {
            let mut whole = as_json(&delivery);
            whole["view"] = delivery.outgoing.view.clone();
            whole["attempt"] = attempts.iter().map(attempt_json).collect();
            whole["captured"] = captured.as_ref().map_or(
                serde_json::Value::Null,
                |one| json!({"subject": one.subject, "text": text(one)}),
            );
            printer.json(&whole)?;
        }
        Output::Text => {
            printer.line(as_line(&delivery))?;
            for attempt in &attempts {
                let outcome = attempt.outcome.map_or("open", DeliveryState::as_str);
                printer.line(format!(
                    "  attempt {} at {}: {outcome} {}",
                    attempt.n, attempt.started_at, attempt.detail
                ))?;
            }
            if let Some(captured) = &captured {
                printer.line(format!(
                    "\nTo: {}\nSubject: {}\n\n{}",
                    captured.to,
                    captured.subject,
                    text(captured)
                ))?;
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

fn attempt_json(attempt: &Attempt) -> serde_json::Value {
    json!({
        "n": attempt.n, "epoch": attempt.epoch, "started_at": attempt.started_at, "ended_at": attempt.ended_at,
        "outcome": attempt.outcome.map(DeliveryState::as_str), "detail": attempt.detail,
    })
}

/// What a captured message says to a reader: a mail's text part, or a Slack post as it is.
pub(crate) fn text(captured: &Captured) -> String {
    let parsed = (&*captured.channel == "email")
        .then(|| MessageParser::default().parse(&captured.body))
        .flatten();
    match parsed.as_ref().and_then(|mail| mail.body_text(0)) {
        Some(text) => text.into_owned(),
        None => String::from_utf8_lossy(&captured.body).into_owned(),
    }
}

fn html(body: &[u8]) -> Option<String> {
    MessageParser::default()
        .parse(body)?
        .body_html(0)
        .map(std::borrow::Cow::into_owned)
}
