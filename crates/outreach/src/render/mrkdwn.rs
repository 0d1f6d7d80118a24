//! Markdown events as Slack's own marks.
//!
//! Two stars are bold in Markdown, one star is in Slack: both become bold here, underscores italic. Whatever is text
//! is neutral: `& < >` are escaped, and the signs that Slack would read as marks are written in their wide forms.

use super::depth::TooDeep;
use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

/// Slack marks a word only between blanks; this blank has no width.
const NO_WIDTH: char = '\u{200b}';

/// The text of `events` in Slack's marks; `source` is the Markdown they come from.
pub(super) fn write(source: &str) -> Result<String, TooDeep> {
    let mut writer = Writer::default();
    for event in super::markdown::events(source)? {
        writer.event(event);
    }
    while writer.out.contains("\n\n\n") {
        writer.out = writer.out.replace("\n\n\n", "\n\n");
    }
    Ok(writer.out.trim().to_owned())
}

/// Escapes what Slack reads as control characters.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[derive(Default)]
struct Writer {
    out: String,
    lists: Vec<Option<u64>>,
    quotes: Vec<usize>,
    bold: usize,
    in_code: bool,
    after_mark: bool,
}

impl Writer {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Slack has no mark for the rest; its words are printed"
    )]
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => {
                self.open('`');
                self.out.push_str(&escape(&text.replace('`', "｀")));
                self.close('`');
            }
            Event::SoftBreak | Event::HardBreak => {
                self.after_mark = false;
                self.out.push('\n');
            }
            Event::Rule => self.out.push_str("―――\n\n"),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.after_mark && text.chars().next().is_some_and(char::is_alphanumeric) {
            self.out.push(NO_WIDTH);
        }
        self.after_mark = false;
        if self.in_code {
            self.out.push_str(&escape(text));
        } else {
            let starts_line = self.out.is_empty() || self.out.ends_with('\n');
            self.out.push_str(&neutral(text, starts_line));
        }
    }

    fn open(&mut self, mark: char) {
        if self.after_mark
            || self
                .out
                .chars()
                .next_back()
                .is_some_and(char::is_alphanumeric)
        {
            self.out.push(NO_WIDTH);
        }
        self.after_mark = false;
        self.out.push(mark);
    }

    fn close(&mut self, mark: char) {
        self.out.push(mark);
        self.after_mark = true;
    }

    fn start_bold(&mut self) {
        self.bold += 1;
        if self.bold == 1 {
            self.open('*');
        }
    }

    fn end_bold(&mut self) {
        self.bold = self.bold.saturating_sub(1);
        if self.bold == 0 {
            self.close('*');
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Slack has no mark for the rest; its words are printed"
    )]
    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Strong | Tag::Emphasis | Tag::Heading { .. } => self.start_bold(),
            Tag::Strikethrough => self.open('~'),
            Tag::Link { dest_url, .. } => {
                self.out.push('<');
                self.out.push_str(&address(&dest_url));
                self.out.push('|');
            }
            Tag::List(first) => {
                if !self.out.is_empty() && !self.out.ends_with('\n') {
                    self.out.push('\n');
                }
                self.lists.push(first);
            }
            Tag::Item => self.start_item(),
            Tag::BlockQuote(_) => self.quotes.push(self.out.len()),
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => {
                self.in_code = true;
                self.out.push_str("```\n");
            }
            _ => {}
        }
    }

    fn start_item(&mut self) {
        let depth = self.lists.len().saturating_sub(1);
        self.out.push_str(&"    ".repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                self.out.push_str(&format!("{number}. "));
                *number += 1;
            }
            Some(None) | None => self.out.push_str("• "),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Slack has no mark for the rest; its words are printed"
    )]
    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis => self.end_bold(),
            TagEnd::Heading(_) => {
                self.end_bold();
                self.end_block();
            }
            TagEnd::Strikethrough => self.close('~'),
            TagEnd::Link => self.out.push('>'),
            TagEnd::Paragraph | TagEnd::Table => self.end_block(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.end_block();
            }
            TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead => {
                self.out.truncate(self.out.trim_end_matches('\n').len());
                self.out.push('\n');
                self.after_mark = false;
            }
            TagEnd::TableCell => self.out.push_str("  "),
            TagEnd::BlockQuote(_) => self.end_quote(),
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.out.push_str("```\n\n");
            }
            _ => {}
        }
    }

    fn end_block(&mut self) {
        self.after_mark = false;
        self.out
            .push_str(if self.lists.is_empty() { "\n\n" } else { "\n" });
    }

    fn end_quote(&mut self) {
        let start = self.quotes.pop().unwrap_or(0);
        let quoted: Vec<String> = self.out[start..]
            .trim()
            .lines()
            .map(|line| format!("> {line}"))
            .collect();
        self.out.truncate(start);
        self.out.push_str(&quoted.join("\n"));
        self.end_block();
    }
}

/// Text that Slack reads as text.
fn neutral(text: &str, starts_line: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, c) in chars.iter().enumerate() {
        let is_inside = at > 0
            && chars[at - 1].is_ascii_alphanumeric()
            && chars.get(at + 1).is_some_and(char::is_ascii_alphanumeric);
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' if at == 0 && starts_line => out.push('＞'),
            '>' => out.push_str("&gt;"),
            '*' => out.push('＊'),
            '~' => out.push('～'),
            '`' => out.push('｀'),
            '_' if !is_inside => out.push('＿'),
            other => out.push(*other),
        }
    }
    out
}

/// An address inside `<…|…>`.
fn address(url: &str) -> String {
    escape(url)
        .replace('|', "%7C")
        .replace(char::is_whitespace, "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_slacks_marks() {
        for (from, to) in [
            ("**a** b", "*a* b"),
            ("*a* b", "*a* b"),
            ("更新**危険**です", "更新\u{200b}*危険*\u{200b}です"),
            (
                "[w](https://a.example/?x=1&y=2)",
                "<https://a.example/?x=1&amp;y=2|w>",
            ),
            ("- a\n- b\n  - c", "• a\n• b\n    • c"),
            ("1. a\n2. b", "1. a\n2. b"),
            ("# Head\n\ntext", "*Head*\n\ntext"),
            ("> a\n> b", "> a\n> b"),
            ("`x < y`\nb", "`x &lt; y`\nb"),
            ("a\nb", "a\nb"),
        ] {
            assert_eq!(write(from).as_deref(), Ok(to), "{from}");
        }
    }

    #[test]
    fn a_value_stays_text() {
        for (value, to) in [
            ("<!channel>", "&lt;!channel&gt;"),
            ("*bold* _it_ ~no~ `code`", "＊bold＊ ＿it＿ ～no～ ｀code｀"),
            ("snake_case", "snake_case"),
            ("[x](https://evil.example)", "[x](https://evil.example)"),
            ("> quoted", "＞ quoted"),
            (
                "<https://evil.example|nice>",
                "&lt;https://evil.example|nice&gt;",
            ),
        ] {
            let written = write(&super::super::escape::body(value));
            assert_eq!(written.as_deref(), Ok(to), "{value}");
        }
    }
}
