//! The two parts of a mail: its page, styles inlined, and its text, made from the body or written by hand.

use super::depth::{TooDeep, check_html};
use super::fill::subject_line;
use super::shape::{self, Manner, Shapes};
use super::{Footer, RenderError, RenderedMail, escape, markdown, sheet};
use css_inline::CSSInliner;
use std::sync::LazyLock;

/// Wide enough that nothing is wrapped: Japanese has no blanks to wrap at, and readers wrap by themselves.
const TEXT_WIDTH: usize = 20_000;

static INLINER: LazyLock<CSSInliner<'static>> = LazyLock::new(|| {
    CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_style_tags(false)
        .keep_at_rules(true)
        .build()
});

/// What pages come to with their styles inlined.
static PAGES: Shapes = Shapes::new();
const IN_PAGES: Manner = Manner {
    is_page: true,
    write: shape::as_html,
};
/// What HTML comes to as text.
static TEXTS: Shapes = Shapes::new();
const IN_TEXTS: Manner = Manner {
    is_page: false,
    write: shape::as_text,
};

/// What stands around the words of a mail.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) name: &'a str,
    pub(super) locale: &'a str,
    pub(super) subject: &'a str,
    pub(super) preheader: Option<&'a str>,
    pub(super) footer: Option<&'a Footer>,
    /// The author's own page around the body, filled; its slots are marked.
    pub(super) layout: Option<&'a str>,
    /// The text part, if it was written by hand.
    pub(super) by_hand: Option<&'a str>,
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
    let mut text = match around.by_hand {
        Some(text) => tidy(text),
        None => text(name, &content)?,
    };
    if let Some(footer) = footer {
        text = format!("{text}\n-- \n{}\n", footer.text.trim_end());
    }
    let page = match around.layout {
        _ if is_page(body) => sheet::dressed(content, around),
        Some(layout) => {
            let page = sheet::laid_out(layout, around, &content)?;
            check_html(&page).map_err(|TooDeep| RenderError::TooDeep(name.into()))?;
            page
        }
        None => sheet::page(around, &content),
    };
    let html = PAGES.work(&page, IN_PAGES, inlined);
    let html = html.map_err(|why| laid_out(name, why))?;
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

fn laid_out(name: &str, why: String) -> RenderError {
    RenderError::Layout {
        name: name.into(),
        why: why.into(),
    }
}

/// The page with its styles inlined.
pub(super) fn inlined(page: &str) -> Result<String, String> {
    INLINER.inline(page).map_err(|error| error.to_string())
}

/// The text of HTML, untidied.
pub(super) fn said(html: &str) -> Result<String, String> {
    html2text::config::plain_no_decorate()
        .raw_mode(true)
        .link_footnotes(true)
        .allow_width_overflow()
        .max_wrap_width(TEXT_WIDTH)
        .string_from_read(html.as_bytes(), TEXT_WIDTH)
        .map_err(|error| error.to_string())
}

fn text(name: &str, html: &str) -> Result<String, RenderError> {
    // What might be wrapped is worked out as it stands.
    let text = if html.len() < TEXT_WIDTH / 2 {
        TEXTS.work(html, IN_TEXTS, said)
    } else {
        said(html)
    };
    text.map(|text| tidy(&text))
        .map_err(|why| laid_out(name, why))
}

/// No blanks at the ends of lines, no empty lines at the ends of the text.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim_matches('\n'))
}
