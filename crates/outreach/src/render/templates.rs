//! The set of templates: compiled once, found by name and locale, and by the hash of the text a message was decided with.

use super::{RenderError, check, say};
use handlebars::{Handlebars, Template};
use model::{Medium, TemplateText};
use std::collections::BTreeMap;
use std::fmt;

/// What makes a template dangerous or senseless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Longer than 256 KiB.
    #[error("it is longer than {max} bytes", max = super::scan::TEMPLATE_BYTES_MAX)]
    TooLong,
    /// Blocks in blocks.
    #[error(
        "its blocks are nested deeper than {} (each `else` counts)",
        super::scan::BLOCK_DEPTH_MAX
    )]
    BlocksTooDeep,
    /// Calls in calls.
    #[error(
        "an expression is nested deeper than {}",
        super::scan::EXPRESSION_DEPTH_MAX
    )]
    ExpressionTooDeep,
    /// A `{{` without its `}}`.
    #[error("a `{{{{` is not closed")]
    Unclosed,
    /// `{{> … }}`.
    #[error("a partial (`{{{{> … }}}}`) was not set in")]
    Partial,
    /// `{{* … }}`.
    #[error("decorators (`{{{{* … }}}}`) are not supported")]
    Decorator,
    /// `{{{ … }}}` or `{{& … }}`.
    #[error(
        "raw output (`{{{{{{ … }}}}}}`, `{{{{& … }}}}`) is not allowed: what comes from outside is always escaped"
    )]
    RawOutput,
    /// `\{{`.
    #[error("`\\{{{{` is not supported")]
    EscapedBraces,
    /// `[` or `{` inside `{{ }}`.
    #[error("`[` and `{{` have no use inside `{{{{ }}}}`")]
    Brackets,
    /// A helper that we do not have.
    #[error("there is no helper `{0}`: use one of {list}", list = say::HELPERS.join(", "))]
    UnknownHelper(String),
    /// A block that we do not have.
    #[error("there is no block `{0}`: use if, unless, each or with")]
    UnknownBlock(String),
    /// `name=value` after a helper.
    #[error("`{0}` takes no `name=value`")]
    NamedArgument(String),
    /// `@root`.
    #[error("`{0}` reaches out of what the template may read")]
    Forbidden(String),
    /// A value inside an HTML tag.
    #[error("inside an HTML tag only `{{{{url …}}}}` in quotes may stand")]
    ValueInTag,
    /// The parser's own words.
    #[error("{0}")]
    Syntax(String),
}

/// A template that is not taken into the set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template `{name}` in {locale}, {part}: {fault}")]
pub struct TemplateError {
    /// Its name.
    pub name: Box<str>,
    /// Its locale.
    pub locale: Box<str>,
    /// `subject`, `preheader`, `body`, `layout` or `text`.
    pub part: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
}

/// One compiled text.
pub(super) struct Entry {
    pub(super) text: TemplateText,
    pub(super) subject: Option<Template>,
    pub(super) preheader: Option<Template>,
    pub(super) body: Template,
    /// The page around the body.
    pub(super) layout: Option<Template>,
    /// The text part written by hand.
    pub(super) by_hand: Option<Template>,
}

/// Name, locale and hash of a text.
type Version = (Box<str>, Box<str>, Box<str>);

/// A set of compiled templates; it may hold several versions of one.
pub struct Templates {
    entries: Vec<Entry>,
    by_name: BTreeMap<(Box<str>, Box<str>), usize>,
    by_hash: BTreeMap<Version, usize>,
    /// Prints values as one line.
    pub(super) lines: Handlebars<'static>,
    /// Prints values as text inside Markdown or HTML.
    pub(super) bodies: Handlebars<'static>,
    /// Prints values as text inside a string of the JSON of blocks.
    pub(super) blocks: Handlebars<'static>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

impl Templates {
    /// Compiles `texts`. Of several versions of a name and locale the last one is the present one. Every mistake is told.
    pub fn new(texts: impl IntoIterator<Item = TemplateText>) -> Result<Self, Vec<TemplateError>> {
        let mut set = Self {
            entries: Vec::new(),
            by_name: BTreeMap::new(),
            by_hash: BTreeMap::new(),
            lines: say::registry(super::escape::line),
            bodies: say::registry(super::escape::body),
            blocks: say::registry(super::escape::block),
        };
        let mut errors = Vec::new();
        for text in texts {
            match compile(text) {
                Ok(entry) => set.insert(entry),
                Err(mut found) => errors.append(&mut found),
            }
        }
        if errors.is_empty() {
            Ok(set)
        } else {
            Err(errors)
        }
    }

    fn insert(&mut self, entry: Entry) {
        let (name, locale) = (entry.text.name.clone(), entry.text.locale.clone());
        let index = self.entries.len();
        self.by_hash.insert(
            (name.clone(), locale.clone(), entry.text.hash.clone()),
            index,
        );
        self.by_name.insert((name, locale), index);
        self.entries.push(entry);
    }

    /// The present text of `name` in `locale`; `ja-JP` falls to `ja`.
    pub fn find(&self, name: &str, locale: &str) -> Option<&TemplateText> {
        let key = |locale: &str| (Box::from(name), Box::from(locale));
        let index = self
            .by_name
            .get(&key(locale))
            .or_else(|| self.by_name.get(&key(language(locale))))?;
        self.entries.get(*index).map(|entry| &entry.text)
    }

    /// Whether the set holds the very text with this hash.
    pub fn has(&self, name: &str, locale: &str, hash: &str) -> bool {
        self.decided(name, locale, hash).is_ok()
    }

    /// The text that a message was decided with; `ja-JP` falls to `ja`.
    pub(super) fn decided(
        &self,
        name: &str,
        locale: &str,
        hash: &str,
    ) -> Result<&Entry, RenderError> {
        let version = |locale: &str| (Box::from(name), Box::from(locale), Box::from(hash));
        self.by_hash
            .get(&version(locale))
            .or_else(|| self.by_hash.get(&version(language(locale))))
            .and_then(|index| self.entries.get(*index))
            .ok_or_else(|| RenderError::UnknownTemplate {
                name: name.into(),
                hash: hash.into(),
            })
    }
}

/// The language of a locale: what stands before its first `-` or `_`.
fn language(locale: &str) -> &str {
    locale.split(['-', '_']).next().unwrap_or(locale)
}

fn compile(text: TemplateText) -> Result<Entry, Vec<TemplateError>> {
    let mut errors = Vec::new();
    let mut part = |part: &'static str, source: Option<&str>| {
        source.and_then(|source| {
            let is_markup = match part {
                "body" => text.medium != Medium::Blocks,
                other => other == "layout",
            };
            check::compile(source, is_markup)
                .map_err(|fault| {
                    let (name, locale) = (text.name.clone(), text.locale.clone());
                    errors.push(TemplateError {
                        name,
                        locale,
                        part,
                        fault,
                    });
                })
                .ok()
        })
    };
    let subject = part("subject", text.subject.as_deref());
    let preheader = part("preheader", text.preheader.as_deref());
    let body = part("body", Some(&text.body));
    let layout = part("layout", text.layout.as_deref());
    let by_hand = part("text", text.by_hand.as_deref());
    match body {
        Some(body) if errors.is_empty() => Ok(Entry {
            text,
            subject,
            preheader,
            body,
            layout,
            by_hand,
        }),
        _ => Err(errors),
    }
}
