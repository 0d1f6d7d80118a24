//! The page around a mail's body: ours, the author's layout, or the body's own; with the preview line and the footer.

use super::page::Around;
use super::{RenderError, escape};

const STYLE: &str = include_str!("page.css");
/// What stands around a slot's name in a layout: not a character, and left out of every value.
const MARK: char = '\u{ffff}';
/// How a footer looks in a page that has no styles of ours.
const FOOT: &str = "padding: 16px; color: #57606a; font-size: 12px; line-height: 1.6;";
/// How a preview line hides in such a page.
const HIDDEN: &str =
    "display: none; max-height: 0; overflow: hidden; opacity: 0; font-size: 1px; line-height: 1px;";

/// Our own page.
pub(super) fn page(around: Around<'_>, content: &str) -> String {
    let hidden = around.preheader.map_or_else(String::new, |text| {
        format!("<div class=\"preheader\">{}</div>\n", escape::html(text))
    });
    let foot = around.footer.map_or_else(String::new, |footer| {
        format!("<tr><td class=\"foot\">\n{}</td></tr>\n", footer.html)
    });
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{hidden}\
         <table role=\"presentation\" class=\"desk\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td align=\"center\" class=\"edge\">\n\
         <table role=\"presentation\" class=\"sheet\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td class=\"words\">\n\
         {content}</td></tr>\n{foot}</table>\n</td></tr></table>\n</body>\n</html>\n",
        lang = escape::html(around.locale),
        title = escape::html(around.subject),
    )
}

/// The author's layout with its slots filled. What it has no place for is added: a footer is never lost.
pub(super) fn laid_out(
    layout: &str,
    around: Around<'_>,
    content: &str,
) -> Result<String, RenderError> {
    let mut page = String::with_capacity(layout.len() + content.len());
    let mut rest = around;
    let mut has_body = false;
    for (number, piece) in layout.split(MARK).enumerate() {
        if number % 2 == 0 {
            page.push_str(piece);
            continue;
        }
        match piece {
            "body" => {
                has_body = true;
                page.push_str(content);
            }
            "preheader" => page.push_str(&escape::html(rest.preheader.take().unwrap_or_default())),
            "footer" => page.push_str(rest.footer.take().map_or("", |footer| footer.html.as_str())),
            "subject" => page.push_str(&escape::html(around.subject)),
            "lang" => page.push_str(&escape::html(around.locale)),
            _ => {}
        }
    }
    if has_body {
        Ok(dressed(page, rest))
    } else {
        Err(RenderError::Layout {
            name: around.name.into(),
            why: "it has no place for the body".into(),
        })
    }
}

/// A whole page with the preview line at its beginning and the footer before its end, as far as there are any.
pub(super) fn dressed(page: String, around: Around<'_>) -> String {
    let lower = page.to_ascii_lowercase();
    let begin = lower
        .find("<body")
        .and_then(|at| Some(at + lower[at..].find('>')? + 1));
    let end = lower.rfind("</body>").unwrap_or(page.len());
    let begin = begin.filter(|begin| *begin <= end);
    let hidden = around
        .preheader
        .zip(begin)
        .map(|(text, _)| format!("<div style=\"{HIDDEN}\">{}</div>", escape::html(text)));
    let foot = around
        .footer
        .map(|footer| format!("<div style=\"{FOOT}\">{}</div>\n", footer.html));
    let begin = begin.unwrap_or(0);
    [
        &page[..begin],
        &hidden.unwrap_or_default(),
        &page[begin..end],
        &foot.unwrap_or_default(),
        &page[end..],
    ]
    .concat()
}
