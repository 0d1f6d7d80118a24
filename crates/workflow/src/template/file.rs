//! A template file: its name, its front matter, its body.

use super::blocks;
use super::scan::{TEMPLATE_BYTES_MAX, scan};
use crate::diagnostic::{Diagnostic, Severity, Span, nearest};
use crate::yaml::{self, Entry, Offsets};
use handlebars::Template;
use model::{Medium, TemplateText};
use std::ops::Range;

/// Keys of the front matter.
pub(crate) const KEYS: [&str; 4] = ["subject", "preheader", "channel", "format"];

/// One template file, read: what can be said without a scope has been said.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Path inside DIR, as given.
    pub file: Box<str>,
    /// The text, its front matter taken apart.
    pub text: TemplateText,
    /// Subject, preheader and body, each a template of its own.
    pub(super) parts: Vec<Part>,
}

/// One text inside a file.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// As it reads.
    pub(super) source: Box<str>,
    /// Where it stands.
    pub(super) place: Place,
    /// As Handlebars reads it.
    pub(super) template: Template,
}

/// Where a part stands in its file.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In the front matter, which begins at this byte.
    Front(Offsets, usize),
    /// From this byte on.
    Body(usize),
}

impl Place {
    /// The bytes of the file for bytes of the part.
    pub(super) fn span(&self, at: &Range<usize>) -> Span {
        match self {
            Self::Front(offsets, base) => {
                let span = offsets.span(at);
                Span {
                    start: base + span.start,
                    end: base + span.end,
                }
            }
            Self::Body(base) => Span {
                start: base + at.start,
                end: base + at.end,
            },
        }
    }
}

/// Reads one template file. The name and locale come from the file name, `name.locale.hbs`. With an error (a
/// limit, a partial, raw output, an unknown helper, a wrong front matter) there is no template.
pub fn parse(file: &str, text: &str) -> (Option<Parsed>, Vec<Diagnostic>) {
    let mut reading = Reading {
        file,
        text,
        found: Vec::new(),
    };
    let parsed = reading.read();
    let has_error = reading
        .found
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    (parsed.filter(|_| !has_error), reading.found)
}

/// What stands in front of the body.
#[derive(Default)]
struct Front {
    medium: Option<Medium>,
    /// Where `format: blocks` stands.
    blocks: Option<Span>,
    subject: Option<(Box<str>, Place)>,
    preheader: Option<(Box<str>, Place)>,
}

struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn fail(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            help: (!help.is_empty()).then(|| help.to_owned()),
            file: self.file.into(),
            span,
        });
    }

    fn read(&mut self) -> Option<Parsed> {
        let start = Span { start: 0, end: 0 };
        if self.text.len() > TEMPLATE_BYTES_MAX {
            let message = format!("this template is larger than {TEMPLATE_BYTES_MAX} bytes");
            self.fail("E708", start, message, "");
            return None;
        }
        let Some((name, locale)) = names(self.file) else {
            let help = "for example `renewal-intro.ja.hbs`";
            let message = "a template's file is called `name.locale.hbs`";
            self.fail("E709", start, message, help);
            return None;
        };
        let (front, body_at) = self.front();
        let medium = match (front.medium, &front.blocks) {
            (Some(Medium::Slack), Some(_)) => Medium::Blocks,
            (medium, None) => medium.unwrap_or(Medium::Email),
            (_, Some(at)) => {
                let help = "write `channel: slack` as well";
                self.fail("E103", *at, "`format: blocks` is for Slack messages", help);
                Medium::Slack
            }
        };
        if medium == Medium::Email && front.subject.is_none() && self.found.is_empty() {
            let help = "begin the file with `---`, `subject: \"…\"`, `---`; a Slack message says `channel: slack`";
            self.fail("E102", start, "`subject` is missing: a mail has one", help);
        }
        let body = &self.text[body_at..];
        if medium == Medium::Blocks {
            for (at, message) in blocks::mistakes(body) {
                let span = Place::Body(body_at).span(&at);
                self.fail("E709", span, message, "");
            }
        }
        let text = TemplateText {
            name: name.into(),
            locale: locale.into(),
            medium,
            subject: front.subject.as_ref().map(|(text, _)| text.clone()),
            preheader: front.preheader.as_ref().map(|(text, _)| text.clone()),
            body: body.into(),
            hash: blake3::hash(self.text.as_bytes()).to_hex().as_str().into(),
        };
        let is_body = [false, false, medium != Medium::Blocks];
        let parts: Vec<_> = [
            front.subject,
            front.preheader,
            Some((body.into(), Place::Body(body_at))),
        ]
        .into_iter()
        .zip(is_body)
        .filter_map(|(part, is_body)| part.map(|(source, place)| self.part(source, place, is_body)))
        .collect();
        Some(Parsed {
            file: self.file.into(),
            text,
            parts: parts.into_iter().collect::<Option<_>>()?,
        })
    }

    /// The front matter and where the body begins.
    fn front(&mut self) -> (Front, usize) {
        let mut front = Front::default();
        let Some(base) = ["---\n", "---\r\n"]
            .iter()
            .find(|mark| self.text.starts_with(**mark))
            .map(|mark| mark.len())
        else {
            return (front, 0);
        };
        let mut end = base;
        let mut body_at = None;
        for line in self.text[base..].split_inclusive('\n') {
            if line.trim_end() == "---" {
                body_at = Some(end + line.len());
                break;
            }
            end += line.len();
        }
        let Some(body_at) = body_at else {
            let help = "end it with a line `---`";
            let span = Span { start: 0, end: 3 };
            self.fail("E709", span, "this front matter has no end", help);
            return (front, self.text.len());
        };
        let parsed = yaml::parse(&self.text[base..end]);
        for refusal in parsed.refusals {
            let help = refusal.help.unwrap_or_default();
            self.fail("E106", moved(refusal.span, base), refusal.message, &help);
        }
        for entry in parsed.root.iter().flat_map(|node| node.entries()) {
            self.key(entry, base, &mut front);
        }
        (front, body_at)
    }

    fn key(&mut self, entry: &Entry, base: usize, front: &mut Front) {
        let key = &*entry.key;
        let at = moved(entry.key_span, base);
        if !KEYS.contains(&key) {
            let help = nearest(key, KEYS).map_or_else(
                || format!("it has {}", KEYS.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.fail("E101", at, format!("a template has no key `{key}`"), &help);
            return;
        }
        let Some(scalar) = entry.value.scalar() else {
            let help = "put it in double quotes";
            let span = moved(entry.value.span, base);
            self.fail("E103", span, format!("`{key}` is one line of text"), help);
            return;
        };
        let place = Place::Front(scalar.offsets.clone(), base);
        match (key, &*scalar.text) {
            ("subject", text) => front.subject = Some((text.into(), place)),
            ("preheader", text) => front.preheader = Some((text.into(), place)),
            ("format", "blocks") => front.blocks = Some(at),
            ("format", "markdown") => {}
            ("format", other) => {
                let message = format!("there is no format `{other}`");
                let span = moved(entry.value.span, base);
                self.fail("E103", span, message, "`markdown` or `blocks`");
            }
            (_, "slack") => front.medium = Some(Medium::Slack),
            (_, "email") => front.medium = Some(Medium::Email),
            (_, other) => {
                let message = format!("there is no channel `{other}`");
                let span = moved(entry.value.span, base);
                self.fail("E103", span, message, "`email` or `slack`");
            }
        }
    }

    fn part(&mut self, source: Box<str>, place: Place, is_body: bool) -> Option<Part> {
        let refusals = scan(&source, is_body);
        let is_good = refusals.is_empty();
        for refusal in refusals {
            let help = refusal.help.unwrap_or_default();
            let span = place.span(&refusal.at);
            self.fail(refusal.code, span, refusal.message, &help);
        }
        if !is_good {
            return None;
        }
        match Template::compile(&source) {
            Ok(template) => Some(Part {
                source,
                place,
                template,
            }),
            Err(error) => {
                let (line, column) = error.pos().unwrap_or((1, 1));
                let at = offset(&source, line, column);
                let span = place.span(&(at..at));
                let message = format!("this is no template: {}", plainly(error.reason()));
                self.fail("E709", span, message, "");
                None
            }
        }
    }
}

/// What is wrong, without the parser's own drawing.
fn plainly(reason: &handlebars::TemplateErrorReason) -> String {
    let text = reason.to_string();
    let line = text.lines().next().unwrap_or_default();
    match line.split_once("error: ") {
        Some((_, rest)) => rest.to_owned(),
        None => line.trim().trim_end_matches('.').to_owned(),
    }
}

fn moved(span: Span, base: usize) -> Span {
    Span {
        start: span.start + base,
        end: span.end + base,
    }
}

/// The byte of a line and column, both from 1, columns in characters.
pub(super) fn offset(source: &str, line: usize, column: usize) -> usize {
    let start: usize = source
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let letters = source[start..].chars().take(column.saturating_sub(1));
    start + letters.map(char::len_utf8).sum::<usize>()
}

/// The name and the locale of a file.
fn names(file: &str) -> Option<(&str, &str)> {
    let name = file.rsplit('/').next()?.strip_suffix(".hbs")?;
    let (name, locale) = name.split_once('.')?;
    let is_word = |word: &str| {
        let is_letter =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        !word.is_empty() && word.len() <= 64 && word.chars().all(is_letter)
    };
    (is_word(name) && is_word(locale)).then_some((name, locale))
}
