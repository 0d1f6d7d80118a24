//! Tells code, string literals and comments of a Rust text apart, byte for byte.
//!
//! Not a parser: it knows comments (nested ones too), strings (raw ones too), characters and
//! lifetimes, which is all that a search for words and braces needs to be honest.

/// A text twice: each view has every byte of the other kinds turned into a space, so that offsets
/// and line numbers stay those of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Views {
    /// What the compiler acts on: no comments, no contents of strings.
    pub code: String,
    /// Only the contents of string literals.
    pub strings: String,
}

/// Splits a Rust text into its views.
pub fn views(text: &str) -> Views {
    let bytes = text.as_bytes();
    let mut code = blank(bytes);
    let mut strings = code.clone();
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = next_piece(bytes, at);
        match kind {
            Piece::Code => code[at..end].copy_from_slice(&bytes[at..end]),
            Piece::Text => strings[at..end].copy_from_slice(&bytes[at..end]),
            Piece::Comment => {}
        }
        at = end;
    }
    Views {
        code: String::from_utf8_lossy(&code).into_owned(),
        strings: String::from_utf8_lossy(&strings).into_owned(),
    }
}

/// The line of a byte offset, counted from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The offsets at which `needle` stands in `code` and is not a part of a longer word.
pub fn words(code: &str, needle: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let open_left = needle.starts_with(|c: char| !is_word(c as u8));
    let open_right = needle.ends_with(|c: char| !is_word(c as u8));
    code.match_indices(needle)
        .map(|(at, _)| at)
        .filter(|at| open_left || *at == 0 || !is_word(bytes[at - 1]))
        .filter(|at| {
            open_right
                || bytes
                    .get(at + needle.len())
                    .is_none_or(|byte| !is_word(*byte))
        })
        .collect()
}

/// The offset just behind the bracket that closes the one at `open`; the end of the text if none does.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Whether a byte can stand in an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

enum Piece {
    Code,
    Text,
    Comment,
}

fn blank(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| if *byte == b'\n' { b'\n' } else { b' ' })
        .collect()
}

fn next_piece(bytes: &[u8], at: usize) -> (Piece, usize) {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        let end = rest.iter().position(|byte| *byte == b'\n');
        return (Piece::Comment, end.map_or(bytes.len(), |end| at + end));
    }
    if rest.starts_with(b"/*") {
        return (Piece::Comment, block_comment_end(bytes, at));
    }
    if let Some(end) = raw_string_end(bytes, at) {
        return (Piece::Text, end);
    }
    match rest[0] {
        b'"' => (Piece::Text, string_end(bytes, at)),
        b'\'' => match character_end(bytes, at) {
            Some(end) => (Piece::Text, end),
            None => (Piece::Code, at + 1),
        },
        _ => (Piece::Code, at + 1),
    }
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let inside_a_word = at > 0 && is_word(bytes[at - 1]);
    let mut open = at;
    if matches!(bytes[open], b'b' | b'c') {
        open += 1;
    }
    if inside_a_word || bytes.get(open) != Some(&b'r') {
        return None;
    }
    open += 1;
    let hashes = bytes[open..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    open += hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.extend(std::iter::repeat_n(b'#', hashes));
    let found = bytes[open + 1..]
        .windows(close.len())
        .position(|window| window == close.as_slice());
    Some(found.map_or(bytes.len(), |found| open + 1 + found + close.len()))
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a character literal, or nothing if the quote begins a lifetime.
fn character_end(bytes: &[u8], start: usize) -> Option<usize> {
    let first = *bytes.get(start + 1)?;
    if first == b'\\' {
        let escaped = start + 3;
        let close = bytes.get(escaped..)?.iter().position(|b| *b == b'\'')?;
        return Some(escaped + close + 1);
    }
    let width = match first {
        0x00..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
    };
    let close = start + 1 + width;
    (bytes.get(close) == Some(&b'\'')).then_some(close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        views(text)
            .code
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn comments_strings_and_characters_are_no_code() {
        for (text, expected) in [
            ("a // {\nb", "a b"),
            ("a /* { /* { */ { */ b", "a b"),
            ("a \"{ \\\" {\" b", "a b"),
            ("a r\"{\\\" b", "a b"),
            ("a r#\"{ \" {\"# b", "a b"),
            ("a br##\"\"# {\"## b", "a b"),
            ("a '{' b'}' '\\'' '\\u{7b}' '鶏' c", "a b c"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("r#type for\"{\"", "r#type for"),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_and_offsets_stay_those_of_the_file() {
        let text = "let a = \"\n鶏\n\"; /* \n */ end";
        let views = views(text);
        assert_eq!(views.code.len(), text.len());
        assert_eq!(views.strings.len(), text.len());
        let end = views.code.find("end").expect("the last word is code");
        assert_eq!(line_of(&views.code, end), 4);
    }

    #[test]
    fn a_word_is_found_whole_or_not_at_all() {
        assert_eq!(words("sleep( asleep( x.sleep(", "sleep("), [0, 17]);
        assert_eq!(words("HashMap MyHashMap HashMapX", "HashMap"), [0]);
    }
}
