//! The page around a mail's body, its styles inlined, and the text part made from it.

use super::depth::{TooDeep, check_html};
use super::fill::subject_line;
use super::{Footer, RenderError, RenderedMail, escape, markdown};
use css_inline::CSSInliner;
use std::sync::LazyLock;

const STYLE: &str = include_str!("page.css");
/// Wide enough that nothing is wrapped: Japanese has no blanks to wrap at, and readers wrap by themselves.
const TEXT_WIDTH: usize = 20_000;

/// How a footer looks in a page that has no styles of ours.
const FOOT: &str = "padding: 16px; color: #57606a; font-size: 12px; line-height: 1.6;";

static INLINER: LazyLock<CSSInliner<'static>> = LazyLock::new(|| {
    CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_style_tags(false)
        .build()
});

/// What stands around the words of a mail.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) name: &'a str,
    pub(super) locale: &'a str,
    pub(super) subject: &'a str,
    pub(super) preheader: Option<&'a str>,
    pub(super) footer: Option<&'a Footer>,
}

/// A mail with this body: Markdown, or a whole HTML page that is taken as it stands.
pub(super) fn mail(around: Around<'_>, body: &str) -> Result<RenderedMail, RenderError> {
    let Around {
        name,
        locale,
        subject,
        footer,
        ..
    } = around;
    let content = content(name, body)?;
    let mut text = text(name, &content)?;
    if let Some(footer) = footer {
        text = format!("{text}\n-- \n{}\n", footer.text.trim_end());
    }
    let page = if is_page(body) {
        with_footer(content, footer)
    } else {
        page(around, &content)
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

/// A whole page of the author's own, with the footer before its end.
fn with_footer(page: String, footer: Option<&Footer>) -> String {
    let Some(footer) = footer else {
        return page;
    };
    let end = page.to_ascii_lowercase().rfind("</body>");
    let (before, after) = page.split_at(end.unwrap_or(page.len()));
    format!(
        "{before}<div style=\"{FOOT}\">{}</div>\n{after}",
        footer.html
    )
}

fn page(around: Around<'_>, content: &str) -> String {
    let hidden = around.preheader.map_or_else(String::new, |text| {
        format!("<div class=\"preheader\">{}</div>\n", escape::html(text))
    });
    let foot = around.footer.map_or_else(String::new, |footer| {
        format!("<tr><td class=\"foot\">\n{}</td></tr>\n", footer.html)
    });
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{hidden}\
         <table role=\"presentation\" class=\"desk\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td align=\"center\" class=\"edge\">\n\
         <table role=\"presentation\" class=\"sheet\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td class=\"words\">\n\
         {content}</td></tr>\n{foot}</table>\n</td></tr></table>\n</body>\n</html>\n",
        lang = escape::html(around.locale),
        title = escape::html(around.subject),
    )
}
