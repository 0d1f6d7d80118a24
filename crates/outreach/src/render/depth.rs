//! How deep markup may nest: what parsers and layouts walk by recursion, or in time that grows with the square.

/// The deepest nesting of quotes and lists in Markdown, and of elements in HTML.
pub(super) const MARKUP_DEPTH_MAX: usize = 64;

/// Elements that have no inside.
const EMPTY: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Elements whose end people leave out; each is closed by the next one, and nests only inside others that are counted.
const OPEN_ENDED: [&str; 12] = [
    "p", "li", "td", "th", "tr", "tbody", "thead", "tfoot", "dt", "dd", "option", "optgroup",
];

/// So much is read of an element's name.
const NAME_BYTES_MAX: usize = 16;

/// The markup nests too deep.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

/// Checks the marks at the start of each line of Markdown, before a parser follows them.
pub(super) fn check_markdown(text: &str) -> Result<(), TooDeep> {
    let depth = text.lines().map(marks).max().unwrap_or(0);
    if depth > MARKUP_DEPTH_MAX {
        Err(TooDeep)
    } else {
        Ok(())
    }
}

/// How many quotes and list items a line begins with, at most.
fn marks(line: &str) -> usize {
    let mut marks = 0;
    let mut before = ' ';
    for c in line.chars() {
        let is_item = matches!(before, '-' | '*' | '+' | '.' | ')') && matches!(c, ' ' | '\t');
        marks += usize::from(c == '>' || is_item);
        let is_mark = matches!(c, '>' | '-' | '*' | '+' | '.' | ')' | ' ' | '\t');
        if !is_mark && !c.is_ascii_digit() {
            break;
        }
        before = c;
    }
    marks
}

/// Checks the elements of HTML.
pub(super) fn check_html(html: &str) -> Result<(), TooDeep> {
    let mut depth = 0_usize;
    for (at, _) in html.match_indices('<') {
        let rest = &html[at + 1..];
        let is_end = rest.starts_with('/');
        let name = rest.trim_start_matches('/');
        let signs = name.bytes().take(NAME_BYTES_MAX);
        let length = signs.take_while(u8::is_ascii_alphanumeric).count();
        let name = &name[..length];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || is_uncounted(name) {
            continue;
        }
        depth = if is_end {
            depth.saturating_sub(1)
        } else {
            depth + 1
        };
        if depth > MARKUP_DEPTH_MAX {
            return Err(TooDeep);
        }
    }
    Ok(())
}

fn is_uncounted(name: &str) -> bool {
    let mut uncounted = EMPTY.iter().chain(&OPEN_ENDED);
    uncounted.any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_bounded_at_its_edge() {
        for piece in ["> ", ">", "- ", "* ", "1. ", "2) ", "> - "] {
            let marks = piece.matches(['>', '-', '*', '.', ')']).count();
            let within = piece.repeat(MARKUP_DEPTH_MAX / marks);
            assert_eq!(check_markdown(&within), Ok(()), "{piece}");
            assert_eq!(
                check_markdown(&piece.repeat(MARKUP_DEPTH_MAX + 1)),
                Err(TooDeep),
                "{piece}"
            );
        }
        assert_eq!(check_markdown(&"-".repeat(500)), Ok(()));
        assert_eq!(check_markdown(&"a > b ".repeat(500)), Ok(()));
    }

    #[test]
    fn html_is_bounded_at_its_edge() {
        let nested = |depth: usize| format!("{}x{}", "<div>".repeat(depth), "</div>".repeat(depth));
        assert_eq!(check_html(&nested(MARKUP_DEPTH_MAX)), Ok(()));
        assert_eq!(check_html(&nested(MARKUP_DEPTH_MAX + 1)), Err(TooDeep));
        assert_eq!(check_html(&"<p>a<br><b>b</b>".repeat(500)), Ok(()));
        assert_eq!(check_html(&"<svg>".repeat(500)), Err(TooDeep));
    }
}
