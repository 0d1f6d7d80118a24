//! Fills a compiled text with a view, within the limits.

use super::cap::{Capped, Overrun};
use super::escape;
use super::frame::Frame;
use super::templates::{Entry, Templates};
use super::{RenderError, SUBJECT_CHARS_MAX};
use handlebars::{Handlebars, RenderContext, Renderable, Template};
use model::Medium;

/// The body: Markdown or HTML whose values are text.
pub(super) fn body(
    templates: &Templates,
    entry: &Entry,
    frame: &Frame,
) -> Result<String, RenderError> {
    let registry = match entry.text.medium {
        Medium::Email | Medium::Slack => &templates.bodies,
        Medium::Blocks => &templates.blocks,
    };
    fill(registry, &entry.body, entry, frame)
}

/// The page around the body, if the template has one of its own.
pub(super) fn layout(
    templates: &Templates,
    entry: &Entry,
    frame: &Frame,
) -> Result<Option<String>, RenderError> {
    let fill = |template| fill(&templates.bodies, template, entry, frame);
    entry.layout.as_ref().map(fill).transpose()
}

/// The text part, if it was written by hand. Values are lines of plain text.
pub(super) fn by_hand(
    templates: &Templates,
    entry: &Entry,
    frame: &Frame,
) -> Result<Option<String>, RenderError> {
    let fill = |template| fill(&templates.lines, template, entry, frame);
    entry.by_hand.as_ref().map(fill).transpose()
}

/// The subject, if the template has one of its own.
pub(super) fn subject(
    templates: &Templates,
    entry: &Entry,
    frame: &Frame,
) -> Result<Option<String>, RenderError> {
    let Some(template) = &entry.subject else {
        return Ok(None);
    };
    let text = fill(&templates.lines, template, entry, frame)?;
    subject_line(&entry.text.name, &text).map(Some)
}

/// The preview line, if the template has one.
pub(super) fn preheader(
    templates: &Templates,
    entry: &Entry,
    frame: &Frame,
) -> Result<Option<String>, RenderError> {
    let Some(template) = &entry.preheader else {
        return Ok(None);
    };
    let text = fill(&templates.lines, template, entry, frame)?;
    Ok(Some(escape::line(&text)).filter(|text| !text.is_empty()))
}

/// One line, not empty, not too long.
pub(super) fn subject_line(name: &str, text: &str) -> Result<String, RenderError> {
    let line = escape::line(text);
    if line.is_empty() {
        return Err(RenderError::NoSubject(name.into()));
    }
    if line.chars().count() <= SUBJECT_CHARS_MAX {
        return Ok(line);
    }
    Ok(line
        .chars()
        .take(SUBJECT_CHARS_MAX - 1)
        .chain(['…'])
        .collect())
}

fn fill(
    registry: &Handlebars<'static>,
    template: &Template,
    entry: &Entry,
    frame: &Frame,
) -> Result<String, RenderError> {
    let mut out = Capped::default();
    let mut state = RenderContext::new(None);
    let outcome = template.render(registry, &frame.context, &mut state, &mut out);
    let name = || entry.text.name.clone();
    match (out.overrun, outcome) {
        (Some(Overrun::Bytes), _) => Err(RenderError::TooLong(name())),
        (Some(Overrun::Steps), _) => Err(RenderError::TooManySteps(name())),
        (None, Ok(())) => Ok(out.text),
        (None, Err(error)) => Err(RenderError::Value {
            name: name(),
            locale: entry.text.locale.clone(),
            line: error.line_no.unwrap_or(1),
            why: error.reason().to_string().into(),
        }),
    }
}
