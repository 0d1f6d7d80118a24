//! Makes text of what comes from outside, for the place where it will stand.

/// Whether `c` is left out everywhere: it would change the direction of what follows, or is not a character at all.
fn is_unwelcome(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// One line: control characters and line separators become a space, direction marks vanish, runs of white space shrink.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_unwelcome(*c)) {
        if c.is_control() || matches!(c, ' ' | '\u{2028}' | '\u{2029}') {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}

/// Text for a place that is Markdown or HTML: every sign that could mean something there becomes a character reference.
pub(crate) fn body(text: &str) -> String {
    let line = line(text);
    let mut out = String::with_capacity(line.len() + line.len() / 4);
    for c in line.chars() {
        if c.is_ascii_punctuation() {
            out.push_str("&#");
            let code = u32::from(c);
            let digits = [code / 100, code / 10 % 10, code % 10];
            let digits = digits.into_iter().skip_while(|digit| *digit == 0);
            out.extend(digits.filter_map(|digit| char::from_digit(digit, 10)));
            out.push(';');
        } else {
            out.push(c);
        }
    }
    out
}

/// Text for a string of the JSON of Slack's blocks: neither JSON nor Slack finds anything to act on in it.
pub(crate) fn block(text: &str) -> String {
    super::mrkdwn::escape(&line(text))
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}

/// Text of several lines for such a place; its line breaks stay.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(body).collect::<Vec<_>>().join("\n")
}

/// Text for HTML.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        for (from, to) in [
            ("a\r\nBcc: x", "a Bcc: x"),
            ("\u{0}a\u{7f}b\u{85}c\u{2028}d", "a b c d"),
            ("  a   b  ", "a b"),
            ("\u{202e}evil", "evil"),
            ("株式会社　大地", "株式会社　大地"),
        ] {
            assert_eq!(line(from), to);
        }
    }

    #[test]
    fn no_sign_is_left_in_a_body() {
        assert_eq!(body("[x](y)"), "&#91;x&#93;&#40;y&#41;");
        assert_eq!(body("1. a\n# b"), "1&#46; a &#35; b");
    }
}
