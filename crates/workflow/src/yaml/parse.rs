//! Text to tree: over the parser's events, refusing what the language forbids and going on.

use super::line::endless;
use super::refusal::{REFUSALS_MAX, Refusal, refusal, tabs};
use super::{Entry, Node, NodeKind, Offsets, Scalar};
use crate::diagnostic::Span;
use crate::reader::value::short;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use std::collections::BTreeMap;

/// The largest file.
pub(crate) const FILE_BYTES_MAX: usize = 1024 * 1024;
/// The most values and keys of one file.
pub(crate) const NODES_MAX: usize = 10_000;
/// How deep maps and lists may nest.
pub(crate) const DEPTH_MAX: usize = 32;
/// What reading a text gives.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The tree, as far as it can be read.
    pub(crate) root: Option<Node>,
    /// All that was refused.
    pub(crate) refusals: Vec<Refusal>,
    /// Whether it was read to its end.
    pub(crate) is_whole: bool,
}

/// Reads a text.
pub(crate) fn parse(text: &str) -> Parsed {
    if text.len() > FILE_BYTES_MAX {
        let start = Span { start: 0, end: 0 };
        let message = "this file is larger than 1 MiB";
        return Parsed {
            refusals: vec![refusal(start, message, Some("split it"))],
            ..Parsed::default()
        };
    }
    if let Some(endless) = endless(text) {
        return Parsed {
            refusals: vec![endless],
            ..Parsed::default()
        };
    }
    let mut refusals = tabs(text);
    // A tab is as long as a space, so every place stays true.
    let clean = text.replace('\t', " ");
    let mut builder = Builder::new(&clean);
    let is_whole = builder.run();
    refusals.append(&mut builder.refusals);
    refusals.truncate(REFUSALS_MAX);
    Parsed {
        root: builder.root,
        refusals,
        is_whole,
    }
}

/// A map or list being read.
enum Open {
    List(Span, Vec<Node>),
    Map(Span, OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    seen: BTreeMap<Box<str>, Span>,
    key: Option<PendingKey>,
}

/// A key whose value is still to come; `None` if it was refused.
type PendingKey = Option<(Box<str>, Span)>;

struct Builder<'a> {
    text: &'a str,
    /// Byte of each character; characters are what the parser counts.
    bytes: Vec<usize>,
    stack: Vec<Open>,
    root: Option<Node>,
    refusals: Vec<Refusal>,
    nodes: usize,
    documents: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text
                .char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .collect(),
            stack: Vec::new(),
            root: None,
            refusals: Vec::new(),
            nodes: 0,
            documents: 0,
        }
    }

    /// Reads all events; says whether the end was reached.
    fn run(&mut self) -> bool {
        let mut is_whole = true;
        let skipped = usize::from(self.text.starts_with('\u{feff}'));
        let body = &self.text[self.bytes[skipped]..];
        self.bytes.drain(..skipped);
        let mut parser = Parser::new_from_str(body);
        while let Some(next) = parser.next_event() {
            match next {
                Ok((event, span)) => {
                    let span = self.span(span);
                    is_whole = self.take(event, span);
                    if !is_whole {
                        break;
                    }
                }
                Err(error) => {
                    self.unreadable(&error);
                    is_whole = false;
                    break;
                }
            }
        }
        while !self.stack.is_empty() {
            self.close(None);
        }
        is_whole
    }

    fn byte(&self, character: usize) -> usize {
        self.bytes
            .get(character)
            .copied()
            .unwrap_or(self.text.len())
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        Span {
            start: self.byte(span.start.index()),
            end: self.byte(span.end.index()),
        }
    }

    fn refuse(&mut self, span: Span, message: impl Into<String>, help: Option<&str>) {
        self.refusals.push(refusal(span, message, help));
    }

    fn unreadable(&mut self, error: &ScanError) {
        let start = self.byte(error.marker().index());
        let span = Span { start, end: start };
        let info = error.info();
        if info.contains("unknown anchor") {
            let end = self.end_of_word(start);
            let span = Span { start, end };
            self.refuse(
                span,
                "an alias (`*name`) is not allowed",
                Some("write the value out; a text that begins with `*` needs quotes"),
            );
        } else {
            self.refuse(
                span,
                format!("this is not readable as YAML: {info}"),
                Some("look at the indentation, at quotes and at `: ` inside a text"),
            );
        }
    }

    fn end_of_word(&self, start: usize) -> usize {
        let rest = &self.text[start..];
        start + rest.find(char::is_whitespace).unwrap_or(rest.len())
    }

    /// Takes an event; false ends the reading.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        if self.refusals.len() >= REFUSALS_MAX {
            return false;
        }
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => self.begin_document(span),
            Event::Alias(_) => {
                self.refuse(
                    span,
                    "an alias (`*name`) is not allowed",
                    Some("write the value out"),
                );
                self.put(Node {
                    span,
                    kind: NodeKind::Broken,
                })
            }
            Event::Scalar(text, style, anchor, tag) => {
                if self.is_marked(span, anchor, tag.is_some()) {
                    return self.put(Node {
                        span,
                        kind: NodeKind::Broken,
                    });
                }
                let node = self.scalar(&text, style, span);
                self.put(node)
            }
            Event::SequenceStart(anchor, tag) => {
                self.is_marked(span, anchor, tag.is_some());
                self.open(Open::List(span, Vec::new()), span)
            }
            Event::MappingStart(anchor, tag) => {
                self.is_marked(span, anchor, tag.is_some());
                self.open(Open::Map(span, OpenMap::default()), span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(Some(span));
                true
            }
        }
    }

    fn begin_document(&mut self, span: Span) -> bool {
        self.documents += 1;
        if self.documents > 1 {
            self.refuse(
                span,
                "a file holds one document",
                Some("put what follows `---` into a file of its own"),
            );
            return false;
        }
        true
    }

    /// Refuses an anchor or a tag.
    fn is_marked(&mut self, span: Span, anchor: usize, is_tagged: bool) -> bool {
        // The parser's span begins behind them for maps and lists: show the place all the same.
        let span = Span {
            start: span.start,
            end: self.end_of_word(span.start).min(span.end.max(span.start)),
        };
        if anchor != 0 {
            self.refuse(
                span,
                "an anchor (`&name`) is not allowed",
                Some("write the value out; a text that begins with `&` needs quotes"),
            );
        }
        if is_tagged {
            self.refuse(
                span,
                "a tag (`!name`) is not allowed",
                Some("a text that begins with `!` needs quotes"),
            );
        }
        anchor != 0 || is_tagged
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Span) -> Node {
        let raw = &self.text[span.start..span.end.max(span.start)];
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let length = if is_block {
            raw.trim_end().len()
        } else {
            raw.len()
        };
        Node {
            span: Span {
                start: span.start,
                end: span.start + length,
            },
            kind: NodeKind::Scalar(Scalar {
                text: text.into(),
                is_plain: style == ScalarStyle::Plain,
                offsets: Offsets::of(raw, text, style, span.start),
            }),
        }
    }

    fn open(&mut self, open: Open, span: Span) -> bool {
        if self.stack.len() == DEPTH_MAX {
            self.refuse(span, format!("this nests more than {DEPTH_MAX} deep"), None);
            return false;
        }
        self.stack.push(open);
        self.count(span)
    }

    fn count(&mut self, span: Span) -> bool {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            self.refuse(
                span,
                format!("this file holds more than {NODES_MAX} values"),
                Some("split it"),
            );
            return false;
        }
        true
    }

    fn close(&mut self, end: Option<Span>) {
        let node = match self.stack.pop() {
            Some(Open::List(start, items)) => {
                let last = items.last().map_or(start.end, |node| node.span.end);
                Node {
                    span: self.whole(start, last, end),
                    kind: NodeKind::List(items),
                }
            }
            Some(Open::Map(start, map)) => {
                let last = map.entries.last().map_or(start.end, |entry| {
                    entry.value.span.end.max(entry.key_span.end)
                });
                Node {
                    span: self.whole(start, last, end),
                    kind: NodeKind::Map(map.entries),
                }
            }
            None => return,
        };
        self.place(node);
    }

    /// A bracket closes where it stands; a block ends with its last child.
    fn whole(&self, start: Span, last: usize, end: Option<Span>) -> Span {
        let is_flow = start.end > start.start;
        let closed = end.filter(|_| is_flow).map_or(last, |span| span.end);
        Span {
            start: start.start,
            end: closed.max(start.end),
        }
    }

    fn put(&mut self, node: Node) -> bool {
        let span = node.span;
        self.place(node);
        self.count(span)
    }

    fn place(&mut self, node: Node) {
        match self.stack.last_mut() {
            None => {
                self.root.get_or_insert(node);
            }
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, map)) => match map.key.take() {
                None => self.key(node),
                Some(None) => {}
                Some(Some((key, key_span))) => map.entries.push(Entry {
                    key,
                    key_span,
                    value: node,
                }),
            },
        }
    }

    /// Takes a key, or refuses it together with its value.
    fn key(&mut self, node: Node) {
        let span = node.span;
        let pending = match node.kind {
            NodeKind::Scalar(scalar) if &*scalar.text == "<<" && scalar.is_plain => {
                self.refuse(
                    span,
                    "a merge key (`<<`) is not allowed",
                    Some("write the keys out"),
                );
                None
            }
            NodeKind::Scalar(scalar) => self.single(scalar.text, span),
            NodeKind::List(_) | NodeKind::Map(_) => {
                self.refuse(span, "a key must be a single word", None);
                None
            }
            NodeKind::Broken => None,
        };
        if let Some(Open::Map(_, map)) = self.stack.last_mut() {
            map.key = Some(pending);
        }
    }

    /// The key, unless the map has it already.
    fn single(&mut self, key: Box<str>, span: Span) -> PendingKey {
        let Some(Open::Map(_, map)) = self.stack.last_mut() else {
            return None;
        };
        let Some(first) = map.seen.get(&key).copied() else {
            map.seen.insert(key.clone(), span);
            return Some((key, span));
        };
        let line = self.text[..first.start].matches('\n').count() + 1;
        let help = format!("it stands in line {line} already");
        self.refuse(
            span,
            format!("the key `{}` is written twice", short(&key)),
            Some(&help),
        );
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Vec<(String, String)> {
        parse(text)
            .refusals
            .into_iter()
            .map(|refusal| {
                let part = text.get(refusal.span.start..refusal.span.end).unwrap_or("");
                (part.to_owned(), refusal.message)
            })
            .collect()
    }

    #[test]
    fn what_the_language_forbids_is_refused_where_it_stands() {
        let cases = [
            ("a: 1\nb: 2\na: 3\n", "a", "the key `a` is written twice"),
            ("a: &x 1\n", "&x", "an anchor (`&name`) is not allowed"),
            ("a: *x\n", "*x", "an alias (`*name`) is not allowed"),
            ("a: !!str 3\n", "!!str", "a tag (`!name`) is not allowed"),
            ("<<: {b: 1}\n", "<<", "a merge key (`<<`) is not allowed"),
            ("a: 1\n---\nb: 2\n", "---", "a file holds one document"),
            ("a:\t1\n", "\t", "a tab is not allowed here"),
            ("? [a, b]\n: 1\n", "[a, b]", "a key must be a single word"),
        ];
        for (text, part, message) in cases {
            let expected = vec![(part.to_owned(), message.to_owned())];
            assert_eq!(refused(text), expected, "{text}");
        }
    }

    #[test]
    fn all_refusals_of_a_file_are_collected_and_the_rest_is_read() {
        let text = "a: 1\na: 2\nb: &x 3\nc: *x\nd: 4\n";
        assert_eq!(refused(text).len(), 3);
        let keys: Vec<Box<str>> = parse(text)
            .root
            .expect("a tree")
            .entries()
            .iter()
            .map(|entry| entry.key.clone())
            .collect();
        assert_eq!(keys, ["a".into(), "b".into(), "c".into(), "d".into()]);
    }

    #[test]
    fn a_file_at_its_limits_is_read_and_one_past_them_is_refused() {
        let sized = |bytes: usize| {
            let lines = "# a comment\n".repeat((bytes - 5) / 12);
            format!("a: 1\n{lines}{}", "\n".repeat((bytes - 5) % 12))
        };
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let wide = |nodes: usize| "- 1\n".repeat(nodes - 1);
        for (good, bad) in [
            (sized(FILE_BYTES_MAX), sized(FILE_BYTES_MAX + 1)),
            (nested(DEPTH_MAX), nested(DEPTH_MAX + 1)),
            (wide(NODES_MAX), wide(NODES_MAX + 1)),
        ] {
            assert_eq!(refused(&good), []);
            assert_eq!(refused(&bad).len(), 1);
        }
    }

    #[test]
    fn hostile_texts_end_quickly() {
        for text in [
            "[".repeat(FILE_BYTES_MAX),
            "- ".repeat(FILE_BYTES_MAX / 2),
            "{a: ".repeat(FILE_BYTES_MAX / 4),
            "? ".repeat(FILE_BYTES_MAX / 2),
            "a: 1\n".repeat(100_000),
            "\t\n".repeat(100_000),
            "\"".to_owned(),
            "\u{0}".to_owned(),
            "%YAML 9\n---\n".to_owned(),
        ] {
            assert!(parse(&text).refusals.len() <= REFUSALS_MAX);
        }
    }

    #[test]
    fn a_byte_order_mark_moves_no_place() {
        let text = "\u{feff}ab: 1\nab: 2\n";
        assert_eq!(refused(text)[0].0, "ab");
    }
}
