//! The page around a mail's body, its styles inlined, and the text part made from it.

use super::depth::{TooDeep, check_html};
use super::fill::subject_line;
use super::{RenderError, RenderedMail, escape, markdown};
use css_inline::CSSInliner;
use std::sync::LazyLock;

const STYLE: &str = include_str!("page.css");
/// Wide enough that nothing is wrapped: Japanese has no blanks to wrap at, and readers wrap by themselves.
const TEXT_WIDTH: usize = 20_000;

static INLINER: LazyLock<CSSInliner<'static>> = LazyLock::new(|| {
    CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_style_tags(false)
        .build()
});

/// A mail with this body: Markdown, or a whole HTML page that is taken as it stands.
pub(super) fn mail(
    name: &str,
    locale: &str,
    preheader: Option<&str>,
    subject: &str,
    body: &str,
) -> Result<RenderedMail, RenderError> {
    let content = content(name, body)?;
    let text = text(name, &content)?;
    let page = if is_page(body) {
        content
    } else {
        page(locale, preheader, subject, &content)
    };
    let html = INLINER
        .inline(&page)
        .map_err(|error| layout(name, &error))?;
    Ok(RenderedMail {
        subject: subject.to_owned(),
        text,
        html,
        locale: locale.to_owned(),
    })
}

/// The first line of a body that has no subject of its own, as text.
pub(super) fn first_line(name: &str, body: &str) -> Result<String, RenderError> {
    let text = text(name, &content(name, body)?)?;
    subject_line(
        name,
        text.lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default(),
    )
}

/// A body as Markdown that can stand inside other Markdown; of a whole page only its text.
pub(super) fn quotable(name: &str, body: &str) -> Result<String, RenderError> {
    if is_page(body) {
        text(name, &content(name, body)?).map(|text| escape::lines(&text))
    } else {
        Ok(body.trim().to_owned())
    }
}

/// The body as HTML, not nested too deep.
fn content(name: &str, body: &str) -> Result<String, RenderError> {
    let html = if is_page(body) {
        check_html(body).map(|()| body.to_owned())
    } else {
        markdown::html(body)
    };
    html.map_err(|TooDeep| RenderError::TooDeep(name.into()))
}

fn is_page(body: &str) -> bool {
    let start: String = body
        .trim_start()
        .chars()
        .take(9)
        .collect::<String>()
        .to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html")
}

fn layout(name: &str, error: &dyn std::fmt::Display) -> RenderError {
    RenderError::Layout {
        name: name.into(),
        why: error.to_string().into(),
    }
}

fn text(name: &str, html: &str) -> Result<String, RenderError> {
    let text = html2text::config::plain_no_decorate()
        .raw_mode(true)
        .link_footnotes(true)
        .allow_width_overflow()
        .max_wrap_width(TEXT_WIDTH)
        .string_from_read(html.as_bytes(), TEXT_WIDTH)
        .map_err(|error| layout(name, &error))?;
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    Ok(format!("{}\n", lines.join("\n").trim_matches('\n')))
}

fn page(locale: &str, preheader: Option<&str>, subject: &str, content: &str) -> String {
    let hidden = preheader.map_or_else(String::new, |text| {
        format!("<div class=\"preheader\">{}</div>\n", escape::html(text))
    });
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{hidden}\
         <table role=\"presentation\" class=\"desk\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td align=\"center\" class=\"edge\">\n\
         <table role=\"presentation\" class=\"sheet\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td class=\"words\">\n\
         {content}</td></tr></table>\n</td></tr></table>\n</body>\n</html>\n",
        lang = escape::html(locale),
        title = escape::html(subject),
    )
}
