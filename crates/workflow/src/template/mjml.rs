//! MJML as HTML: compiled when the workspace is read, so that what is filled in later meets finished HTML.
//!
//! Every tag of ours becomes a mark before the compiler sees it and stands again where its mark came out. What a mark
//! can't stand for is refused, so nothing that was written gets lost. Nothing is fetched: there is no include, and fonts
//! are those that the reader has.

use super::scan::{end_of_comment, tags};
use super::shelf::{Flaw, Piece, Whole};
use crate::diagnostic::Span;
use mrml::prelude::render::RenderOptions;
use std::ops::Range;

/// What marks are called; no source may hold the word.
const WORD: &str = "zqmarkzq";
/// Elements inside of elements.
const ELEMENTS_DEPTH_MAX: usize = 48;
/// Elements whose inside is text or HTML.
const WORDS: [&str; 9] = [
    "mj-text",
    "mj-button",
    "mj-raw",
    "mj-table",
    "mj-preview",
    "mj-accordion-title",
    "mj-accordion-text",
    "mj-navbar-link",
    "mj-social-element",
];
/// Elements of HTML that have no inside.
const EMPTY: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// HTML, and from which byte on which place of the source it shows.
struct Compiled {
    text: String,
    places: Vec<(usize, Range<usize>)>,
}

/// What is wrong with it, and where in its bytes.
struct Wrong {
    code: &'static str,
    message: String,
    at: Range<usize>,
}

fn wrong(code: &'static str, message: impl Into<String>, at: Range<usize>) -> Wrong {
    Wrong {
        code,
        message: message.into(),
        at,
    }
}

/// The page that a body makes, each of its tags at the place where it was written.
pub(super) fn page(file: &str, body: &Whole, locale: &str) -> Result<Whole, Flaw> {
    let start = Span { start: 0, end: 0 };
    let locate = |at: &Range<usize>| body.locate(at).unwrap_or((file.into(), start));
    let compiled = compile(&body.text, locale).map_err(|wrong| {
        let (file, span) = locate(&wrong.at);
        Flaw {
            code: wrong.code,
            message: wrong.message,
            help: String::new(),
            file,
            span,
        }
    })?;
    let piece = |(start, at): (usize, Range<usize>)| {
        let (file, span) = locate(&at);
        Piece {
            start,
            file,
            at: span.start,
            end: span.end,
        }
    };
    let places = [(0, 0..0)].into_iter().chain(compiled.places);
    Ok(Whole {
        pieces: places.map(piece).collect(),
        text: compiled.text,
    })
}

/// Compiles it for readers of a locale.
fn compile(source: &str, locale: &str) -> Result<Compiled, Wrong> {
    if let Some(at) = source.find(WORD) {
        return Err(wrong(
            "E709",
            format!("`{WORD}` may not stand here"),
            at..at + WORD.len(),
        ));
    }
    let tags = tags(source);
    let marked = marked(source, &tags, locale)?;
    let broken = |why: String| wrong("E709", format!("this is no MJML: {why}"), 0..0);
    let parsed = mrml::parse(&marked).map_err(|error| broken(error.to_string()))?;
    let options = RenderOptions {
        fonts: Default::default(),
        ..RenderOptions::default()
    };
    let html = parsed.element.render(&options);
    let html = html.map_err(|error| broken(error.to_string()))?;
    restored(source, &tags, &html)
}

/// Where the scan of the source is.
#[derive(Default)]
struct Place {
    in_tag: bool,
    quote: Option<char>,
    /// The element whose inside is words, if it is in one.
    words: Option<&'static str>,
    depth: usize,
    /// Whether the element that began last counts for the depth, and whether it began the words.
    began: (bool, bool),
}

/// The source with marks in the place of our tags, and without comments of ours.
fn marked(source: &str, tags: &[Range<usize>], locale: &str) -> Result<String, Wrong> {
    let mut out = String::with_capacity(source.len() * 2);
    let mut place = Place::default();
    let mut from = 0;
    for (number, tag) in tags.iter().enumerate() {
        let before = without_comments(&source[from..tag.start]);
        place.read(&before).map_err(|()| {
            let message = format!("elements nest more than {ELEMENTS_DEPTH_MAX} levels deep here");
            wrong("E708", message, tag.clone())
        })?;
        out.push_str(&before);
        let mark = format!("{WORD}{number:05}z");
        let is_block = source[tag.clone()]
            .trim_start_matches(['{', '~'])
            .starts_with(['#', '/', '^'])
            || source[tag.clone()]
                .trim_matches(['{', '}', '~', ' '])
                .starts_with("else");
        match (place.in_tag || place.words.is_some(), is_block) {
            (true, _) => out.push_str(&mark),
            (false, true) => out.push_str(&format!("<!--{mark}-->")),
            (false, false) => {
                let message =
                    "a value stands in `mj-text`, `mj-button` or another element with words";
                return Err(wrong("E707", message, tag.clone()));
            }
        }
        from = tag.end;
    }
    let rest = without_comments(&source[from..]);
    place.read(&rest).map_err(|()| {
        let message = format!("elements nest more than {ELEMENTS_DEPTH_MAX} levels deep");
        wrong("E708", message, from..source.len())
    })?;
    out.push_str(&rest);
    Ok(with_language(&out, locale))
}

/// The language of the page, unless the author says it.
fn with_language(source: &str, locale: &str) -> String {
    let Some(at) = source.find("<mjml").map(|at| at + "<mjml".len()) else {
        return source.to_owned();
    };
    let head = source[at..].split('>').next().unwrap_or_default();
    if head.contains("lang=") {
        return source.to_owned();
    }
    format!("{} lang=\"{locale}\"{}", &source[..at], &source[at..])
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{!") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[end_of_comment(rest).unwrap_or(rest.len())..];
    }
    out.push_str(rest);
    out
}

impl Place {
    fn read(&mut self, text: &str) -> Result<(), ()> {
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            match (self.in_tag, self.quote) {
                (false, _) if text[at..].starts_with("<!--") => {
                    at += text[at..]
                        .find("-->")
                        .map_or(text.len() - at, |end| end + 3);
                    continue;
                }
                (false, _) if letter == '<' => self.open(&text[at..])?,
                (true, Some(quote)) if letter == quote => self.quote = None,
                (true, None) if matches!(letter, '"' | '\'') => self.quote = Some(letter),
                (true, None) if letter == '>' => {
                    self.in_tag = false;
                    if text[..at].ends_with('/') {
                        let (is_counted, is_words) = std::mem::take(&mut self.began);
                        self.depth -= usize::from(is_counted);
                        self.words = self.words.filter(|_| !is_words);
                    }
                }
                (_, _) => {}
            }
            at += letter.len_utf8();
        }
        Ok(())
    }

    /// An element begins or ends.
    fn open(&mut self, rest: &str) -> Result<(), ()> {
        let is_end = rest.starts_with("</");
        let name = rest.trim_start_matches(['<', '/']);
        let length = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let name = &name[..length.unwrap_or(name.len())];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(());
        }
        self.in_tag = true;
        self.began = (false, false);
        let words = WORDS.iter().copied().find(|word| *word == name);
        if is_end {
            self.depth = self.depth.saturating_sub(1);
            if words.is_some() && self.words == words {
                self.words = None;
            }
        } else if !EMPTY.contains(&name) {
            self.depth += 1;
            self.began = (true, self.words.is_none() && words.is_some());
            self.words = self.words.or(words);
        }
        (self.depth <= ELEMENTS_DEPTH_MAX).then_some(()).ok_or(())
    }
}

/// The HTML with our tags again in the place of their marks. Each must have come out.
fn restored(source: &str, tags: &[Range<usize>], html: &str) -> Result<Compiled, Wrong> {
    let mut text = String::with_capacity(html.len());
    let mut places = Vec::new();
    let mut seen = vec![false; tags.len()];
    let mut rest = html;
    while let Some(at) = rest.find(WORD) {
        let after = &rest[at + WORD.len()..];
        let number = after
            .get(..5)
            .and_then(|digits| digits.parse::<usize>().ok());
        let Some((number, tag)) = number.and_then(|number| Some((number, tags.get(number)?)))
        else {
            return Err(wrong("E709", "this is no MJML: a mark was broken", 0..0));
        };
        let mut before = &rest[..at];
        let mut after = after.get(6..).unwrap_or_default();
        if let (Some(open), Some(close)) = (before.strip_suffix("<!--"), after.strip_prefix("-->"))
        {
            (before, after) = (open, close);
        }
        text.push_str(before);
        places.push((text.len(), tag.clone()));
        text.push_str(&source[tag.clone()]);
        seen[number] = true;
        rest = after;
    }
    text.push_str(rest);
    match seen.iter().position(|seen| !seen) {
        Some(lost) => {
            let message = "MJML has no use for this place, so the value would get lost";
            Err(wrong("E707", message, tags[lost].clone()))
        }
        None => Ok(Compiled { text, places }),
    }
}
