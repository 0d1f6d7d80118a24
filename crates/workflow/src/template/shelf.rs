//! What templates share: partials and layouts, found by name and locale, and the texts written by hand beside a mail.
//!
//! A partial is set in where it is named, before anything else is looked at. So a template's text, and its hash, hold all
//! that it says, every check sees what will be rendered, and no circle is ever rendered.

use super::scan::{TEMPLATE_BYTES_MAX, tags};
use crate::Files;
use crate::diagnostic::{Severity, Span, nearest};
use std::collections::BTreeMap;
use std::ops::Range;

/// Partials inside of partials.
pub const PARTIALS_DEPTH_MAX: usize = 8;
/// Partials that one text may set in, counted with those that they set in themselves.
pub const PARTIALS_MAX: usize = 200;
/// Places of a layout that the engine fills.
pub(super) const SLOTS: [&str; 5] = ["body", "preheader", "footer", "subject", "lang"];
/// What stands around a slot's name in a layout's text: not a character, so that no file and no value can hold it.
const MARK: char = '\u{ffff}';
/// Where partials lie.
const PARTIALS: &str = "templates/partials/";
/// Where layouts lie.
const LAYOUTS: &str = "templates/layouts/";
/// What a text written by hand is called by.
const TEXT: &str = ".txt.hbs";

/// The files that belong to templates without being one.
#[derive(Clone, Debug, Default)]
pub struct Shelf<'a> {
    partials: BTreeMap<&'a str, (&'a str, &'a str)>,
    layouts: BTreeMap<&'a str, (&'a str, &'a str)>,
    texts: BTreeMap<&'a str, (&'a str, &'a str)>,
}

/// Whether a file is a template, not something that templates share.
pub(crate) fn is_template(file: &str) -> bool {
    file.starts_with("templates/") && file.ends_with(".hbs") && kind(file).is_none()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Partial,
    Layout,
    Text,
}

fn kind(file: &str) -> Option<Kind> {
    match file {
        file if file.starts_with(PARTIALS) => Some(Kind::Partial),
        file if file.starts_with(LAYOUTS) => Some(Kind::Layout),
        file if file.starts_with("templates/") && file.ends_with(TEXT) => Some(Kind::Text),
        _ => None,
    }
}

impl<'a> Shelf<'a> {
    /// What a workspace has of them.
    pub fn of(files: &'a Files) -> Self {
        let mut shelf = Self::default();
        for (file, text) in files {
            let base = file.rsplit('/').next().unwrap_or(file);
            let (map, name) = match kind(file) {
                Some(Kind::Partial) => (&mut shelf.partials, base.strip_suffix(".hbs")),
                Some(Kind::Layout) => (&mut shelf.layouts, base.strip_suffix(".hbs")),
                Some(Kind::Text) => (&mut shelf.texts, base.strip_suffix(TEXT)),
                None => continue,
            };
            if let Some(name) = name {
                map.insert(name, (&**file, &**text));
            }
        }
        shelf
    }

    /// The layout of that name, for a locale.
    pub(super) fn layout(&self, name: &str, locale: &str) -> Option<(&'a str, &'a str)> {
        of_locale(&self.layouts, name, locale)
    }

    /// The nearest name of a layout.
    pub(super) fn near_layout(&self, name: &str) -> Option<String> {
        near(&self.layouts, name)
    }

    /// The text written by hand beside a mail.
    pub(super) fn text(&self, name: &str, locale: &str) -> Option<(&'a str, &'a str)> {
        self.texts.get(&*format!("{name}.{locale}")).copied()
    }

    /// The texts written by hand, each with the mail's file it belongs to.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'a str, String)> + '_ {
        let file = |(file, _): &(&'a str, &'a str)| {
            let mail = file.strip_suffix(TEXT).map(|name| format!("{name}.hbs"));
            (*file, mail.unwrap_or_default())
        };
        self.texts.values().map(file)
    }
}

/// The file for that very locale, for its language, for all locales.
fn of_locale<'a>(
    map: &BTreeMap<&'a str, (&'a str, &'a str)>,
    name: &str,
    locale: &str,
) -> Option<(&'a str, &'a str)> {
    let language = locale.split(['-', '_']).next().unwrap_or(locale);
    let find = |key: String| map.get(key.as_str()).copied();
    find(format!("{name}.{locale}"))
        .or_else(|| find(format!("{name}.{language}")))
        .or_else(|| find(name.to_owned()))
}

fn near(map: &BTreeMap<&str, (&str, &str)>, name: &str) -> Option<String> {
    let names = map.keys().filter_map(|key| key.split('.').next());
    nearest(name, names).map(|near| format!("did you mean `{near}`?"))
}

/// A text with its partials set in, and where each piece of it comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole {
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
}

/// From this byte of a text on, up to the next piece, it is what stands in a file from `at` on.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) file: Box<str>,
    pub(super) at: usize,
    /// No place of it lies further on in the file.
    pub(super) end: usize,
}

impl Whole {
    /// The file and the place there of a place in the text.
    pub(super) fn locate(&self, at: &Range<usize>) -> Option<(Box<str>, Span)> {
        locate(&self.pieces, at)
    }
}

/// The file and the place there of a place in a text of pieces.
pub(super) fn locate(pieces: &[Piece], at: &Range<usize>) -> Option<(Box<str>, Span)> {
    let next = pieces.partition_point(|piece| piece.start <= at.start);
    let piece = pieces.get(next.checked_sub(1)?)?;
    let within = |byte: usize| (piece.at + byte.saturating_sub(piece.start)).min(piece.end);
    let span = Span {
        start: within(at.start),
        end: within(at.end.max(at.start)),
    };
    Some((piece.file.clone(), span))
}

/// What is wrong with a partial, and where.
pub(super) struct Flaw {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
    pub(super) file: Box<str>,
    pub(super) span: Span,
}

impl Flaw {
    pub(super) fn diagnostic(self) -> crate::Diagnostic {
        crate::Diagnostic {
            code: self.code,
            severity: Severity::Error,
            message: self.message,
            help: (!self.help.is_empty()).then_some(self.help),
            file: self.file,
            span: self.span,
        }
    }
}

/// Sets the partials of a text in: `source` stands in `file` from `at` on. In a layout the engine's slots become marks.
pub(super) fn whole(
    shelf: &Shelf<'_>,
    locale: &str,
    (file, source, at): (&str, &str, usize),
    is_layout: bool,
) -> Result<Whole, Flaw> {
    let mut setting = Setting {
        shelf,
        locale,
        is_layout,
        whole: Whole::default(),
        inside: Vec::new(),
        count: 0,
    };
    setting.set(file, source, at)?;
    Ok(setting.whole)
}

struct Setting<'s, 'a> {
    shelf: &'s Shelf<'a>,
    locale: &'s str,
    is_layout: bool,
    whole: Whole,
    /// The partials that are open, outermost first.
    inside: Vec<String>,
    count: usize,
}

impl Setting<'_, '_> {
    fn set(&mut self, file: &str, source: &str, at: usize) -> Result<(), Flaw> {
        if let Some(place) = source.find(MARK) {
            return Err(Flaw {
                code: "E709",
                message: "this is not a character".to_owned(),
                help: "leave it out".to_owned(),
                file: file.into(),
                span: Span {
                    start: at + place,
                    end: at + place + MARK.len_utf8(),
                },
            });
        }
        let mut from = 0;
        for tag in tags(source) {
            let Some(name) = partial(&source[tag.clone()]) else {
                continue;
            };
            self.push(file, &source[from..tag.start], at + from, &tag)?;
            from = tag.end;
            let flaw = |code, message: String, help: &str| Flaw {
                code,
                message,
                help: help.to_owned(),
                file: file.into(),
                span: Span {
                    start: at + tag.start,
                    end: at + tag.end,
                },
            };
            if !is_name(&name) {
                let help = "write `{{> name}}`: a partial has its name and nothing else";
                return Err(flaw("E707", "this names no partial".to_owned(), help));
            }
            if self.is_layout && SLOTS.contains(&name.as_str()) {
                let mark = format!("{MARK}{name}{MARK}");
                self.push(file, &mark, at + tag.start, &tag)?;
                continue;
            }
            let Some((inner, text)) = of_locale(&self.shelf.partials, &name, self.locale) else {
                let help = near(&self.shelf.partials, &name);
                let help = help.unwrap_or_else(|| format!("write `{PARTIALS}{name}.hbs`"));
                return Err(flaw("E710", format!("there is no partial `{name}`"), &help));
            };
            if self.inside.contains(&name) {
                let message = format!("the partial `{name}` sets itself in");
                return Err(flaw("E710", message, "take one of the two out"));
            }
            self.count += 1;
            if self.inside.len() >= PARTIALS_DEPTH_MAX || self.count > PARTIALS_MAX {
                let message = format!(
                    "partials nest at most {PARTIALS_DEPTH_MAX} levels deep, and one text sets at most {PARTIALS_MAX} in"
                );
                return Err(flaw("E708", message, ""));
            }
            self.inside.push(name);
            let text = text.strip_suffix('\n').unwrap_or(text);
            self.set(inner, text.strip_suffix('\r').unwrap_or(text), 0)?;
            self.inside.pop();
        }
        self.push(file, &source[from..], at + from, &(from..source.len()))
    }

    fn push(&mut self, file: &str, text: &str, at: usize, tag: &Range<usize>) -> Result<(), Flaw> {
        let flaw = |code, message| Flaw {
            code,
            message,
            help: String::new(),
            file: file.into(),
            span: Span {
                start: at,
                end: at + tag.len().min(text.len()),
            },
        };
        if self.whole.text.len() + text.len() > TEMPLATE_BYTES_MAX {
            let message =
                format!("with its partials this is larger than {TEMPLATE_BYTES_MAX} bytes");
            return Err(flaw("E708", message));
        }
        let start = self.whole.text.len();
        // An empty piece would hide the one that begins where it does.
        if !text.is_empty() || self.whole.pieces.is_empty() {
            self.whole.pieces.push(Piece {
                start,
                file: file.into(),
                at,
                end: at + text.len(),
            });
        }
        self.whole.text.push_str(text);
        Ok(())
    }
}

/// The name that a tag sets in, if it sets something in.
fn partial(tag: &str) -> Option<String> {
    let inner = tag.strip_prefix("{{")?.trim_end_matches('}');
    let inner = inner.strip_prefix('>')?;
    Some(inner.trim().to_owned())
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    !name.is_empty() && name.len() <= 64 && name.chars().all(is_letter)
}

/// How often a layout has a slot, and whether always outside of every block.
pub(super) fn slots(layout: &str, slot: &str) -> (usize, bool) {
    let mark = format!("{MARK}{slot}{MARK}");
    let places: Vec<usize> = layout.match_indices(&mark).map(|(at, _)| at).collect();
    let depth_before = |at: usize| {
        let mut depth = 0_usize;
        for tag in tags(&layout[..at]) {
            match layout[tag]
                .trim_start_matches(['{', '~', ' '])
                .bytes()
                .next()
            {
                Some(b'#') => depth += 1,
                Some(b'/') => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        depth
    };
    let is_outside = places.iter().all(|at| depth_before(*at) == 0);
    (places.len(), is_outside)
}
