//! From a template, as it was at the decision, and a frozen view to a mail or a post. Pure: no IO, no clock.
//!
//! What comes from the view is text and nothing else. It is written as character references, so that neither
//! Markdown nor HTML nor Slack finds anything to act on in it; what the template's author wrote keeps its meaning.
//! In a mail a line break of the text is a line break of the mail, for Japanese and English alike.
//!
//! Formats follow the locale: `ja` writes 2026年5月10日, 60%, 3,000,000円; every other locale
//! 10 May 2026, 60%, ¥3,000,000.

mod blocks;
mod cap;
mod check;
mod depth;
mod escape;
mod fill;
mod format;
mod frame;
pub mod legal;
mod markdown;
mod mrkdwn;
mod notice;
mod page;
mod pattern;
mod post;
mod say;
mod scan;
mod shape;
mod sheet;
mod templates;

pub use notice::{ANSWER_LINK, account_name};
pub use post::RenderedPost;
pub use templates::{Fault, TemplateError, Templates};

use frame::Frame;
use model::message::{Channel, Content, Target};
use model::{Medium, Outgoing};
use std::panic::{AssertUnwindSafe, catch_unwind};
use templates::Entry;

/// The most bytes that a part of a message may have after rendering.
pub const OUTPUT_BYTES_MAX: usize = 512 * 1024;
/// The most pieces of text that one rendering may write, loops counted.
pub const OUTPUT_STEPS_MAX: usize = 100_000;
/// The most characters of a subject; what is longer ends in `…`.
pub const SUBJECT_CHARS_MAX: usize = 250;

/// A mail as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// The subject, one line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The locale it is written in.
    pub locale: String,
}

/// What the engine says below the words of a mail, whatever the template says: who sends it, and how to leave. Both
/// are taken as they stand, so whoever makes them escapes what comes from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footer {
    /// For the HTML part: what stands inside one element, as `<p>…</p>`.
    pub html: String,
    /// For the text part.
    pub text: String,
}

/// A message as people read it.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendered {
    /// A mail.
    Mail(RenderedMail),
    /// A post to Slack.
    Post(RenderedPost),
}

/// Why a message could not be rendered. None of it passes by waiting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The set does not hold the text that the message was decided with.
    #[error("no template `{name}` with the hash {hash} is in the set")]
    UnknownTemplate {
        /// The template's name.
        name: Box<str>,
        /// The hash of its text.
        hash: Box<str>,
    },
    /// A value that the text prints is not known.
    #[error("`{name}` in {locale}, line {line}: {why}")]
    Value {
        /// The template's name.
        name: Box<str>,
        /// Its locale.
        locale: Box<str>,
        /// The line in its body.
        line: usize,
        /// What is missing or of the wrong kind.
        why: Box<str>,
    },
    /// The output would be longer than `OUTPUT_BYTES_MAX`.
    #[error("`{0}` would print more than {OUTPUT_BYTES_MAX} bytes")]
    TooLong(Box<str>),
    /// The loops would take more than `OUTPUT_STEPS_MAX` steps.
    #[error("`{0}` would take more than {OUTPUT_STEPS_MAX} steps")]
    TooManySteps(Box<str>),
    /// Quotes, lists or elements nest too deep.
    #[error("the markup of `{0}` nests deeper than {max}", max = depth::MARKUP_DEPTH_MAX)]
    TooDeep(Box<str>),
    /// A mail's subject came out empty.
    #[error("`{0}` has an empty subject")]
    NoSubject(Box<str>),
    /// The layout could not be laid around the body.
    #[error("`{name}` could not be laid out: {why}")]
    Layout {
        /// The template's name.
        name: Box<str>,
        /// What the layout said.
        why: Box<str>,
    },
    /// The blocks of a Slack message are not what Slack takes.
    #[error("the blocks of `{name}` can't be posted: {why}")]
    Blocks {
        /// The template's name.
        name: Box<str>,
        /// What is wrong.
        why: Box<str>,
    },
    /// Rendering panicked; a fault of ours.
    #[error("rendering `{0}` panicked")]
    Panicked(Box<str>),
}

/// What is added to a mail.
#[derive(Clone, Copy, Default)]
struct Added<'a> {
    /// Its `unsubscribe_url`.
    link: Option<&'a str>,
    footer: Option<&'a Footer>,
}

/// Renders `outgoing` for its channel: a mail for `Email`, a post for `Route`, the body of a `Webhook` as a post's text.
/// A mail ends in the `footer`, if there is one.
pub fn render(
    templates: &Templates,
    outgoing: &Outgoing,
    footer: Option<&Footer>,
) -> Result<Rendered, RenderError> {
    if matches!(outgoing.channel, Channel::Email { .. }) {
        let added = Added { link: None, footer };
        guarded(outgoing, || {
            mail(templates, outgoing, added).map(Rendered::Mail)
        })
    } else {
        guarded(outgoing, || post(templates, outgoing).map(Rendered::Post))
    }
}

/// Renders the mail that `outgoing` is, whose reader may leave by `link`: its template knows that as `unsubscribe_url`.
pub fn render_with_link(
    templates: &Templates,
    outgoing: &Outgoing,
    (link, footer): (&str, Option<&Footer>),
) -> Result<Rendered, RenderError> {
    let link = Some(link);
    let added = Added { link, footer };
    guarded(outgoing, || {
        mail(templates, outgoing, added).map(Rendered::Mail)
    })
}

/// Renders `outgoing` for one target of its route: Slack gets a post, a mail address or a channel of Teams
/// the same as a mail.
pub fn render_for(
    templates: &Templates,
    outgoing: &Outgoing,
    target: &Target,
) -> Result<Rendered, RenderError> {
    if matches!(target, Target::Email(_) | Target::Teams(_)) {
        guarded(outgoing, || {
            mail(templates, outgoing, Added::default()).map(Rendered::Mail)
        })
    } else {
        guarded(outgoing, || post(templates, outgoing).map(Rendered::Post))
    }
}

fn guarded(
    outgoing: &Outgoing,
    work: impl FnOnce() -> Result<Rendered, RenderError>,
) -> Result<Rendered, RenderError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(RenderError::Panicked(label(outgoing))))
}

/// What errors call the message's text.
fn label(outgoing: &Outgoing) -> Box<str> {
    match &outgoing.content {
        Content::Template { name, .. } | Content::Ask { name, .. } => name.clone(),
        Content::Text(_)
        | Content::Nobody { .. }
        | Content::Complained { .. }
        | Content::Task { .. }
        | Content::Webhook => outgoing.step.clone(),
    }
}

fn mail(
    templates: &Templates,
    outgoing: &Outgoing,
    added: Added<'_>,
) -> Result<RenderedMail, RenderError> {
    match &outgoing.content {
        Content::Template { name, locale, hash } => {
            let entry = templates.decided(name, locale, hash)?;
            template_mail(templates, entry, outgoing, added)
        }
        Content::Text(_)
        | Content::Nobody { .. }
        | Content::Complained { .. }
        | Content::Ask { .. }
        | Content::Task { .. }
        | Content::Webhook => {
            let notice = notice::write(templates, outgoing)?;
            let around = page::Around {
                name: &label(outgoing),
                locale: &notice.locale,
                subject: &notice.subject,
                preheader: None,
                footer: added.footer,
                layout: None,
                by_hand: None,
            };
            page::mail(around, &notice.markdown)
        }
    }
}

fn post(templates: &Templates, outgoing: &Outgoing) -> Result<RenderedPost, RenderError> {
    match &outgoing.content {
        Content::Template { name, locale, hash } => {
            let entry = templates.decided(name, locale, hash)?;
            let frame = Frame::new(&outgoing.view, &entry.text.locale, None);
            let body = fill::body(templates, entry, &frame)?;
            match entry.text.medium {
                Medium::Email | Medium::Slack => post::write(name, &body),
                Medium::Blocks => blocks::write(name, &body),
            }
        }
        Content::Webhook => Ok(RenderedPost {
            text: format!("{:#}", outgoing.view),
            blocks: Vec::new(),
        }),
        Content::Text(_)
        | Content::Nobody { .. }
        | Content::Complained { .. }
        | Content::Ask { .. }
        | Content::Task { .. } => post::write(
            &label(outgoing),
            &notice::write(templates, outgoing)?.markdown,
        ),
    }
}

/// The mail that a template makes; without a subject of its own, its first line is the subject.
fn template_mail(
    templates: &Templates,
    entry: &Entry,
    outgoing: &Outgoing,
    added: Added<'_>,
) -> Result<RenderedMail, RenderError> {
    let (name, locale) = (&entry.text.name, &entry.text.locale);
    let frame = Frame::new(&outgoing.view, locale, added.link);
    let mut body = fill::body(templates, entry, &frame)?;
    if entry.text.medium == Medium::Blocks {
        body = blocks::markdown(name, &body)?;
    }
    let subject = match fill::subject(templates, entry, &frame)? {
        Some(subject) => subject,
        None => page::first_line(name, &body)?,
    };
    let preheader = fill::preheader(templates, entry, &frame)?;
    let layout = fill::layout(templates, entry, &frame)?;
    let by_hand = fill::by_hand(templates, entry, &frame)?;
    let around = page::Around {
        name,
        locale,
        subject: &subject,
        preheader: preheader.as_deref(),
        footer: added.footer,
        layout: layout.as_deref(),
        by_hand: by_hand.as_deref(),
    };
    page::mail(around, &body)
}

/// `text` as one line without control characters and direction marks.
pub(crate) fn one_line(text: &str) -> String {
    escape::line(text)
}
