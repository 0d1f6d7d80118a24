//! What is dear to work out of a page is worked out once for each shape. A shape is a page with marks in place of its words
//! and of where its links lead: most mails of a template differ in nothing else, and no word changes what becomes of the
//! marks around it. Whatever may be an exception has no shape, and is worked out as it stands.

use super::pattern::Pattern;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unicode_width::UnicodeWidthChar;

/// What stands around the number of a word. Pages in which they stand themselves have no shape.
pub(super) const OPEN: char = '\u{e000}';
pub(super) const CLOSE: char = '\u{e001}';
/// Longer pages have no shape.
const PAGE_BYTES_MAX: usize = 64 * 1024;
/// Shapes that are remembered; then all are forgotten.
const SHAPES_MAX: usize = 256;
/// So many of them, those that were met last, are looked for before a page is taken apart.
const PATTERNS_MAX: usize = 16;
/// Elements whose words are words, wherever they stand.
const PLAIN: [&str; 18] = [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "strong",
    "ul",
];
/// Those of whole pages.
const AROUND: [&str; 19] = [
    "!doctype", "body", "center", "del", "div", "head", "html", "i", "img", "meta", "pre", "small",
    "span", "style", "table", "tbody", "td", "title", "tr",
];

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Between tags.
    Text,
    /// In the value of an attribute.
    Attribute,
}

/// A page with marks in place of its words.
#[derive(Debug)]
struct Shape<'p> {
    marked: String,
    words: Vec<(Place, Cow<'p, str>)>,
}

/// What was worked out of a shape: what stands before each mark and the mark's number, and what stands behind the last.
#[derive(Debug)]
struct Worked {
    pieces: Vec<(String, usize)>,
    rest: String,
}

/// The words of a page, where they stand.
type Words<'p> = [(Place, Cow<'p, str>)];

/// What was worked out of shapes; none where a word changed more than its own place.
#[derive(Debug, Default)]
pub(super) struct Shapes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    shapes: BTreeMap<String, Option<Arc<Worked>>>,
    /// Replaced as a whole, so that who looks for one holds nobody up.
    patterns: Option<Patterns>,
}

/// Some of the shapes, the newest first.
type Patterns = Arc<[Arc<(Pattern, Arc<Worked>)>]>;

/// What of a page is taken apart, and how its words are written in what is worked out of it.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// Whether it is a whole page.
    pub(super) is_page: bool,
    /// How a word is written where it stands.
    pub(super) write: fn(Place, &str) -> Cow<'_, str>,
}

impl Shapes {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Known {
            shapes: BTreeMap::new(),
            patterns: None,
        }))
    }

    /// What `work` makes of the page: from memory where its shape is known. The first page of a shape is worked out in both
    /// ways, and only if they agree is the shape used.
    pub(super) fn work<E>(
        &self,
        page: &str,
        manner: Manner,
        work: impl Fn(&str) -> Result<String, E>,
    ) -> Result<String, E> {
        if page.len() > PAGE_BYTES_MAX {
            return work(page);
        }
        let patterns = self.lock().patterns.clone();
        for known in patterns.iter().flat_map(|all| all.iter()) {
            if let Some(words) = known.0.read(page) {
                return Ok(known.1.fill(&words, manner));
            }
        }
        let Some(shape) = Shape::of(page, manner.is_page) else {
            return work(page);
        };
        if let Some(known) = self.known(&shape.marked) {
            return match known {
                Some(worked) => Ok(worked.fill(&shape.words, manner)),
                None => work(page),
            };
        }
        let whole = work(page)?;
        let worked = work(&shape.marked).ok();
        let worked = worked.and_then(|worked| Worked::of(&worked, shape.words.len()));
        let worked = worked.filter(|worked| worked.fill(&shape.words, manner) == whole);
        self.keep(shape, worked.map(Arc::new));
        Ok(whole)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, marked: &str) -> Option<Option<Arc<Worked>>> {
        self.lock().shapes.get(marked).cloned()
    }

    fn keep(&self, shape: Shape<'_>, worked: Option<Arc<Worked>>) {
        let mut known = self.lock();
        if known.shapes.len() >= SHAPES_MAX {
            known.shapes.clear();
        }
        if let Some(worked) = &worked {
            let places = shape.words.iter().map(|(place, _)| *place);
            let newest = Arc::new((Pattern::of(&shape.marked, places), Arc::clone(worked)));
            let before = known.patterns.iter().flat_map(|all| all.iter().cloned());
            let all: Vec<_> = [newest]
                .into_iter()
                .chain(before)
                .take(PATTERNS_MAX)
                .collect();
            known.patterns = Some(all.into());
        }
        known.shapes.insert(shape.marked, worked);
    }
}

impl Worked {
    /// Takes apart what was worked out of a shape with so many words: each must stand in it once.
    fn of(worked: &str, count: usize) -> Option<Self> {
        let mut seen = vec![false; count];
        let mut pieces = Vec::with_capacity(count);
        let mut rest = worked;
        while let Some((before, marked)) = rest.split_once(OPEN) {
            let (number, behind) = marked.split_once(CLOSE)?;
            let number: usize = number.parse().ok()?;
            let is_seen = seen.get_mut(number)?;
            if std::mem::replace(is_seen, true) {
                return None;
            }
            pieces.push((before.to_owned(), number));
            rest = behind;
        }
        seen.into_iter().all(|is_seen| is_seen).then(|| Self {
            pieces,
            rest: rest.to_owned(),
        })
    }

    fn fill(&self, words: &Words<'_>, manner: Manner) -> String {
        let said: usize = words.iter().map(|(_, word)| word.len()).sum();
        let around: usize = self.pieces.iter().map(|(before, _)| before.len()).sum();
        let mut out = String::with_capacity(around + said + said / 4 + self.rest.len());
        for (before, number) in &self.pieces {
            out.push_str(before);
            if let Some((place, word)) = words.get(*number) {
                out.push_str(&(manner.write)(*place, word));
            }
        }
        out.push_str(&self.rest);
        out
    }
}

impl<'p> Shape<'p> {
    /// Takes a page apart.
    fn of(page: &'p str, is_page: bool) -> Option<Self> {
        let mut shape = Self {
            marked: String::with_capacity(page.len()),
            words: Vec::new(),
        };
        let mut rest = page;
        while !rest.is_empty() {
            let (text, behind) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
            shape.text(text)?;
            rest = match behind.is_empty() {
                true => behind,
                false => shape.tag(behind, is_page)?,
            };
        }
        Some(shape)
    }

    /// Marks the words of a text.
    fn text(&mut self, text: &'p str) -> Option<()> {
        let mut rest = text;
        while !rest.is_empty() {
            let (blank, behind) = rest.split_at(
                rest.find(|c: char| !c.is_whitespace())
                    .unwrap_or(rest.len()),
            );
            if blank.contains('\r') {
                return None;
            }
            self.marked.push_str(blank);
            let (word, behind) =
                behind.split_at(behind.find(char::is_whitespace).unwrap_or(behind.len()));
            if !word.is_empty() {
                self.mark(Place::Text, word)?;
            }
            rest = behind;
        }
        Some(())
    }

    fn mark(&mut self, place: Place, word: &'p str) -> Option<()> {
        let word = decoded(word)?;
        let number = self.words.len();
        write!(self.marked, "{OPEN}{number}{CLOSE}").ok()?;
        self.words.push((place, word));
        Some(())
    }

    /// Keeps a tag, but for where its link leads; what stands behind it.
    fn tag(&mut self, page: &'p str, is_page: bool) -> Option<&'p str> {
        let tag = &page[..end_of_tag(page)?];
        let inner = tag.trim_start_matches("</").trim_start_matches('<');
        let name = inner
            .split(|c: char| c.is_whitespace() || c == '>' || c == '/')
            .next()?;
        let name = name.to_ascii_lowercase();
        let is_known = PLAIN.contains(&&*name) || (is_page && AROUND.contains(&&*name));
        if !is_known || tag.contains([OPEN, CLOSE, '\r', '\0', '\'']) {
            return None;
        }
        let rest = &page[tag.len()..];
        match tag.split_once(" href=\"") {
            Some((before, after)) if name == "a" => {
                let (link, after) = after.split_once('"')?;
                if after.contains("href") || link.contains(char::is_whitespace) || link.is_empty() {
                    return None;
                }
                self.marked.push_str(before);
                self.marked.push_str(" href=\"");
                self.mark(Place::Attribute, link)?;
                self.marked.push('"');
                self.marked.push_str(after);
            }
            Some(_) | None => self.marked.push_str(tag),
        }
        if name == "style" && !tag.starts_with("</") {
            return self.style(rest);
        }
        if name == "title" && !tag.starts_with("</") {
            let title = &rest[..rest.find('<')?];
            rest[title.len()..].starts_with("</title>").then_some(())?;
        }
        Some(rest)
    }

    /// Keeps the rules of a page, unless they may ask for words.
    fn style(&mut self, page: &'p str) -> Option<&'p str> {
        let (rules, _) = page.split_once("</style>")?;
        if rules.contains(['[', '<', OPEN, CLOSE]) || rules.contains(":empty") {
            return None;
        }
        self.marked.push_str(rules);
        Some(&page[rules.len()..])
    }
}

/// A word as HTML has it.
pub(super) fn as_html(place: Place, word: &str) -> Cow<'_, str> {
    if !word.contains(['&', '<', '>', '"']) {
        return Cow::Borrowed(word);
    }
    let word = word.replace('&', "&amp;");
    Cow::Owned(match place {
        Place::Text => word.replace('<', "&lt;").replace('>', "&gt;"),
        Place::Attribute => word.replace('"', "&quot;"),
    })
}

/// A word as it stands.
pub(super) fn as_text(_: Place, word: &str) -> Cow<'_, str> {
    Cow::Borrowed(word)
}

/// Where a tag ends that stands at the beginning.
fn end_of_tag(page: &str) -> Option<usize> {
    let begins = page[1..].trim_start_matches('/').chars().next()?;
    if !begins.is_ascii_alphabetic() && begins != '!' {
        return None;
    }
    let mut is_quoted = false;
    for (at, c) in page.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => return Some(at + 1),
            '<' if at > 0 && !is_quoted => return None,
            _ => {}
        }
    }
    None
}

/// A word without character references; none where it is not one word, its signs are not only themselves, or it takes no
/// room: of what stands after such a word a text has it that a line begins there.
pub(super) fn decoded(word: &str) -> Option<Cow<'_, str>> {
    if word.chars().any(|c| !is_plain(c)) {
        return None;
    }
    unescaped(word).filter(|word| {
        word.chars()
            .any(|c| c.width().is_some_and(|width| width > 0))
    })
}

fn unescaped(word: &str) -> Option<Cow<'_, str>> {
    if !word.contains('&') {
        return Some(Cow::Borrowed(word));
    }
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        let (name, behind) = behind.split_once(';')?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            _ => {
                let number = name.strip_prefix('#')?;
                number
                    .bytes()
                    .all(|digit| digit.is_ascii_digit())
                    .then_some(())?;
                let c = char::from_u32(number.parse().ok()?)?;
                Some(c).filter(|c| is_plain(*c))?
            }
        });
        rest = behind;
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

/// Whether a sign stands for nothing but itself, and is no place to break a line at.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !c.is_whitespace()
        && !matches!(
            c,
            OPEN | CLOSE | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::page::{inlined, said};
    use proptest::prelude::*;

    const HTML: Manner = Manner {
        is_page: true,
        write: as_html,
    };
    const STYLE: &str =
        "<style>p { margin: 0; } .a a { color: red; } li:first-child { top: 0; }</style>";

    /// A page of one shape with other words in it.
    fn page(words: &[String], link: &str) -> String {
        let [a, b, c, d] = [0, 1, 2, 3].map(|n| words.get(n).map_or("x", |word| word));
        format!(
            "<!DOCTYPE html>\n<html>\n<head><title>{a}</title>{STYLE}</head>\n<body><table class=\"a\"><tr><td>\n\
             <p>{b} and {c}<br />\n<a href=\"{link}\" title=\"t\">{d}</a></p>\n<ul>\n<li>{a}</li>\n</ul>\n</td></tr></table></body></html>"
        )
    }

    fn content(words: &[String], link: &str) -> String {
        let [a, b, c, d] = [0, 1, 2, 3].map(|n| words.get(n).map_or("x", |word| word));
        format!(
            "<h1>{a}</h1>\n<p>{b} and <strong>{c}</strong><br />\n<a href=\"{link}\">{d}</a></p>\n\
             <blockquote>\n<ol start=\"3\">\n<li>{a}</li>\n<li><code>{b}</code></li>\n</ol>\n</blockquote>\n<hr />\n"
        )
    }

    fn words() -> impl Strategy<Value = Vec<String>> {
        let word = prop_oneof![
            "[a-z]{1,9}",
            "[\\PC]{1,6}",
            "[a-z&<>\"' \u{3000}\u{a0}\u{200b}\u{e000}0-9]{0,8}",
            "(&#[0-9]{2,6};|&amp;|&lt;|&copy;|[a-z]){1,4}",
            // Some of these take no room of their own.
            "[a\u{301}\u{1e000}\u{fe0f}\u{e33}❤]{1,2}|&#(769|65039|847);",
        ];
        proptest::collection::vec(word, 4)
    }

    proptest! {
        #[test]
        fn what_is_known_of_a_shape_is_what_would_be_worked_out(first in words(), then in words()) {
            let links = ["https://a.example/?a=1&amp;b=&#50;", "https://b.example/&quot;x&lt;"];
            for (make, manner, work) in [
                (page as fn(&[String], &str) -> String, HTML, inlined as fn(&str) -> Result<String, String>),
                (content, Manner { is_page: false, write: as_text }, said),
            ] {
                let shapes = Shapes::new();
                for (words, link) in [(&first, links[0]), (&then, links[1])] {
                    let page = make(words, link);
                    prop_assert_eq!(shapes.work(&page, manner, work), work(&page));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_shape_is_seen_in_just_the_pages_that_have_it(
            words in proptest::collection::vec(words(), 2),
            links in proptest::collection::vec("(h|x|&amp;|&#32;|'|>|<|\"| |href=|\u{3000}){1,6}|https://x.example/[a-z]{0,3}", 2),
        ) {
            for make in [page, content] {
                let [one, other] = [0, 1].map(|n| make(&words[n], &links[n]));
                let Some(shape) = Shape::of(&one, true) else { continue };
                let places = shape.words.iter().map(|(place, _)| *place);
                let pattern = Pattern::of(&shape.marked, places);
                for page in [&one, &other] {
                    let taken = Shape::of(page, true).filter(|it| it.marked == shape.marked);
                    prop_assert_eq!(pattern.read(page), taken.map(|it| it.words));
                }
            }
        }
    }

    #[test]
    fn pages_that_differ_in_their_words_have_one_shape_and_others_have_their_own_or_none() {
        let marked = |page: &str| Shape::of(page, true).map(|shape| shape.marked);
        let one = marked("<p>Hello Mika, <a href=\"https://a.example\">here</a></p>");
        assert!(one.is_some());
        let other = marked("<p>Dear 田中&#33; <a href=\"https://b.example/&amp;\">there</a></p>");
        assert_eq!(one, other);
        assert_ne!(
            one,
            marked("<p>Hello Mika <a href=\"https://a.example\">here</a></p><p>x</p>")
        );
        for none in [
            "<script>x</script>",
            "<!-- x -->",
            "a < b",
            "<p class='x'>x</p>",
            "<p>&copy;</p>",
            "<p>&#160;</p>",
            "<p>\u{e000}</p>",
            "<style>a[href] { top: 0 }</style>",
            "<title>a<b></title>",
            "<p",
        ] {
            assert_eq!(marked(none), None, "{none}");
        }
    }

    #[test]
    fn a_shape_whose_words_matter_is_not_used() {
        // Worked out so, the number of letters counts.
        let work = |page: &str| Ok::<_, String>(format!("{page}{}", page.len()));
        let shapes = Shapes::new();
        for page in ["<p>a</p>", "<p>abc</p>", "<p>ab</p>"] {
            assert_eq!(shapes.work(page, HTML, work), work(page));
        }
        // And here a word is left out.
        let work =
            |page: &str| Ok::<_, String>(page.replacen("<p>", "", 1).chars().take(4).collect());
        for page in ["<p>a b</p>", "<p>c d</p>"] {
            assert_eq!(shapes.work(page, HTML, work), work(page));
        }
    }
}
