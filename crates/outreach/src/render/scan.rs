//! What must be known of a template's text before a parser sees it: how deep it goes, and what it never may hold.

use super::templates::Fault;

/// The most bytes of a template text.
pub(crate) const TEMPLATE_BYTES_MAX: usize = 256 * 1024;
/// The deepest nesting of blocks; each `else if` counts as one more.
pub(crate) const BLOCK_DEPTH_MAX: usize = 32;
/// The deepest nesting of `( )` inside `{{ }}`.
pub(crate) const EXPRESSION_DEPTH_MAX: usize = 8;

/// Refuses what would overflow the parser's or the renderer's stack, and every form that is not of our language.
pub(super) fn scan(text: &str) -> Result<(), Fault> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    let mut depths: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        if rest[..at].ends_with('\\') {
            return Err(Fault::EscapedBraces);
        }
        let inside =
            rest[at + 2..].trim_start_matches(|c: char| c == '~' || c.is_ascii_whitespace());
        rest = if let Some(comment) = inside.strip_prefix('!') {
            after_comment(comment)?
        } else {
            nest(inside, &mut depths)?;
            after_tag(inside)?
        };
    }
    Ok(())
}

fn after_comment(comment: &str) -> Result<&str, Fault> {
    let end = if comment.starts_with("--") {
        "--}}"
    } else {
        "}}"
    };
    let at = comment.find(end).ok_or(Fault::Unclosed)?;
    Ok(&comment[at + end.len()..])
}

/// Keeps count of the blocks that are open; one number per block: itself and its chained `else`s.
fn nest(inside: &str, depths: &mut Vec<usize>) -> Result<(), Fault> {
    match inside.bytes().next() {
        Some(b'{' | b'&') => return Err(Fault::RawOutput),
        Some(b'>') => return Err(Fault::Partial),
        Some(b'*') => return Err(Fault::Decorator),
        Some(b'#') => match inside[1..].trim_start().bytes().next() {
            Some(b'>') => return Err(Fault::Partial),
            Some(b'*') => return Err(Fault::Decorator),
            _ => depths.push(1),
        },
        Some(b'/') => {
            depths.pop();
        }
        _ if inside.starts_with("else") || inside.starts_with('^') => {
            if let Some(depth) = depths.last_mut() {
                *depth += 1;
            }
        }
        _ => {}
    }
    if depths.iter().sum::<usize>() > BLOCK_DEPTH_MAX {
        return Err(Fault::BlocksTooDeep);
    }
    Ok(())
}

/// Walks over one `{{ }}`; strings may hold anything, brackets and braces have no use in our language.
fn after_tag(inside: &str) -> Result<&str, Fault> {
    let bytes = inside.as_bytes();
    let (mut at, mut depth, mut quote) = (0, 0_usize, None);
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[' | b'{') => return Err(Fault::Brackets),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, b'}') => {
                return inside
                    .get(at..)
                    .and_then(|end| end.strip_prefix("}}"))
                    .ok_or(Fault::Unclosed);
            }
            (None, _) => {}
        }
        if depth > EXPRESSION_DEPTH_MAX {
            return Err(Fault::ExpressionTooDeep);
        }
        at += 1;
    }
    Err(Fault::Unclosed)
}
