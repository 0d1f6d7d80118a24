//! A template file: its name, its front matter, its body.

use super::blocks;
use super::dress::{Dress, dress, hash};
use super::mjml;
use super::scan::{Refusal, TEMPLATE_BYTES_MAX, scan};
use super::shelf::{self, Flaw, Piece, Shelf, Whole};
use crate::diagnostic::{Diagnostic, Severity, Span, nearest};
use crate::yaml::{self, Entry, Offsets};
use handlebars::Template;
use model::{Medium, TemplateText};
use std::ops::Range;

/// Keys of the front matter.
pub(crate) const KEYS: [&str; 5] = ["subject", "preheader", "channel", "layout", "format"];

/// One template file, read: what can be said without a scope has been said.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Path inside DIR, as given.
    pub file: Box<str>,
    /// The text, its front matter taken apart.
    pub text: TemplateText,
    /// Subject, preheader, body, layout and text by hand, each a template of its own.
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
    /// In these pieces of files.
    Pieces(Vec<Piece>),
}

impl Place {
    /// The file, `own` if it is the template's, and the bytes there for bytes of the part.
    pub(super) fn locate(&self, own: &str, at: &Range<usize>) -> (Box<str>, Span) {
        match self {
            Self::Front(offsets, base) => {
                let span = offsets.span(at);
                (own.into(), moved(span, *base))
            }
            Self::Pieces(pieces) => {
                shelf::locate(pieces, at).unwrap_or_else(|| (own.into(), Span { start: 0, end: 0 }))
            }
        }
    }
}

/// Reads one template file, with what it shares with others. The name and locale come from the file name,
/// `name.locale.hbs`. With an error (a limit, a partial that is not there, raw output, an unknown helper, a wrong front
/// matter) there is no template.
pub fn parse(file: &str, text: &str, shelf: &Shelf<'_>) -> (Option<Parsed>, Vec<Diagnostic>) {
    let mut reading = Reading {
        file,
        text,
        shelf,
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
pub(super) struct Front {
    pub(super) layout: Option<(Box<str>, Span)>,
    /// Where it says that the body is MJML.
    pub(super) mjml: Option<Span>,
    medium: Option<Medium>,
    /// Where `format: blocks` stands.
    blocks: Option<Span>,
    subject: Option<(Box<str>, Place)>,
    preheader: Option<(Box<str>, Place)>,
}

struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    shelf: &'a Shelf<'a>,
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
        let medium = self.medium(&front);
        if medium == Medium::Email && front.subject.is_none() && self.found.is_empty() {
            let help = "begin the file with `---`, `subject: \"…\"`, `---`; a Slack message says `channel: slack`";
            self.fail("E102", start, "`subject` is missing: a mail has one", help);
        }
        let body = self.body(locale, body_at, &front)?;
        if medium == Medium::Blocks {
            self.blocks(&body);
        }
        let raw = &self.text[body_at..];
        let sources = dress(self.shelf, (self.file, name, locale), (medium, &front), raw);
        let Dress { layout, by_hand } = self.or_flaw(sources)?;
        let said = |whole: &Option<Whole>| whole.as_ref().map(|it| it.text.as_str().into());
        let text = TemplateText {
            name: name.into(),
            locale: locale.into(),
            medium,
            subject: front.subject.as_ref().map(|(text, _)| text.clone()),
            preheader: front.preheader.as_ref().map(|(text, _)| text.clone()),
            body: body.text.as_str().into(),
            layout: said(&layout),
            by_hand: said(&by_hand),
            hash: hash(
                self.text,
                [
                    Some(&body).filter(|body| body.text != raw),
                    layout.as_ref(),
                    by_hand.as_ref(),
                ],
            ),
        };
        let part = |whole: Whole| (whole.text.into(), Place::Pieces(whole.pieces));
        let is_body = [false, false, medium != Medium::Blocks, true, false];
        let parts: Vec<_> = [
            front.subject,
            front.preheader,
            Some(part(body)),
            layout.map(part),
            by_hand.map(part),
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

    /// Where it is read.
    fn medium(&mut self, front: &Front) -> Medium {
        match (front.medium, &front.blocks) {
            (Some(Medium::Slack), Some(_)) => Medium::Blocks,
            (medium, None) => medium.unwrap_or(Medium::Email),
            (_, Some(at)) => {
                let help = "write `channel: slack` as well";
                self.fail("E103", *at, "`format: blocks` is for Slack messages", help);
                Medium::Slack
            }
        }
    }

    /// Whether a body is the JSON of blocks.
    fn blocks(&mut self, body: &Whole) {
        for (at, message) in blocks::mistakes(&body.text) {
            let (file, span) = body
                .locate(&at)
                .unwrap_or((self.file.into(), Span { start: 0, end: 0 }));
            let flaw = Flaw {
                code: "E709",
                message,
                help: String::new(),
                file,
                span,
            };
            self.found.push(flaw.diagnostic());
        }
    }

    fn or_flaw<T>(&mut self, outcome: Result<T, Flaw>) -> Option<T> {
        outcome
            .map_err(|flaw| self.found.push(flaw.diagnostic()))
            .ok()
    }

    /// The body with its partials set in; of MJML, the HTML that it makes.
    fn body(&mut self, locale: &str, body_at: usize, front: &Front) -> Option<Whole> {
        let source = (self.file, &self.text[body_at..], body_at);
        let whole = shelf::whole(self.shelf, locale, source, false);
        let whole = self.or_flaw(whole)?;
        if front.mjml.is_none() {
            return Some(whole);
        }
        let refusals = scan(&whole.text, false);
        if refusals.is_empty() {
            let page = mjml::page(self.file, &whole, locale);
            return self.or_flaw(page);
        }
        let place = Place::Pieces(whole.pieces);
        for refusal in refusals {
            self.refuse(&place, refusal);
        }
        None
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
            ("layout", text) => front.layout = Some((text.into(), moved(entry.value.span, base))),
            ("format", "mjml") => front.mjml = Some(moved(entry.value.span, base)),
            ("format", "markdown") => {}
            ("format", other) => {
                let message = format!("there is no format `{other}`");
                let span = moved(entry.value.span, base);
                self.fail("E103", span, message, "`markdown`, `mjml` or `blocks`");
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

    fn refuse(&mut self, place: &Place, refusal: Refusal) {
        let (file, span) = place.locate(self.file, &refusal.at);
        let help = refusal.help.unwrap_or_default();
        let (code, message) = (refusal.code, refusal.message);
        let flaw = Flaw {
            code,
            message,
            help,
            file,
            span,
        };
        self.found.push(flaw.diagnostic());
    }

    fn part(&mut self, source: Box<str>, place: Place, is_body: bool) -> Option<Part> {
        let refusals = scan(&source, is_body);
        let is_good = refusals.is_empty();
        for refusal in refusals {
            self.refuse(&place, refusal);
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
                let message = format!("this is no template: {}", plainly(error.reason()));
                let at = at..at;
                let help = None;
                self.refuse(
                    &place,
                    Refusal {
                        code: "E709",
                        message,
                        help,
                        at,
                    },
                );
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

pub(super) fn moved(span: Span, base: usize) -> Span {
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
