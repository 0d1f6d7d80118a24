//! The body of a Slack template with `format: blocks`: JSON, whose values stand inside its strings.
//!
//! Tags are taken out, and what is left must be JSON. So a loop or a branch may hold whole blocks, with the comma that
//! belongs to them, and a value can never be read as anything but letters.

use super::file::offset;
use serde_json::Value;
use std::ops::Range;

/// The most blocks that may be written; Slack takes 50.
const BLOCKS_MAX: usize = 50;

/// What is wrong with a body, and where.
pub(super) fn mistakes(body: &str) -> Vec<(Range<usize>, String)> {
    let bare = bare(body);
    if !bare.outside.is_empty() {
        let message = "a value stands inside a string of the JSON: put it in double quotes";
        let places = bare.outside.into_iter();
        return places.map(|at| (at, message.to_owned())).collect();
    }
    let message = match serde_json::from_str::<Value>(&bare.text) {
        Ok(read) => match blocks(&read) {
            Some(blocks) if blocks.len() <= BLOCKS_MAX => return Vec::new(),
            Some(_) => format!("a message has at most {BLOCKS_MAX} blocks"),
            None => "the JSON is a list of blocks, each with its `type`".to_owned(),
        },
        Err(error) => {
            let at = offset(&bare.text, error.line().max(1), error.column().max(1));
            let at = bare.place(at.min(bare.text.len()));
            return vec![(
                at..at,
                format!("with its tags taken out this is no JSON: {error}"),
            )];
        }
    };
    vec![(0..0, message)]
}

/// The blocks of a body: a list, or a map that holds one.
fn blocks(read: &Value) -> Option<&Vec<Value>> {
    let list = read.get("blocks").unwrap_or(read).as_array()?;
    let is_block = |block: &Value| block["type"].is_string();
    (!list.is_empty() && list.iter().all(is_block)).then_some(list)
}

/// A body without its tags.
#[derive(Default)]
struct Bare {
    text: String,
    /// Values that stand outside of strings.
    outside: Vec<Range<usize>>,
    /// Where in the bare text tags were taken out, and how many bytes in all up to there.
    cuts: Vec<(usize, usize)>,
}

impl Bare {
    /// The byte of the body for one of the bare text.
    fn place(&self, at: usize) -> usize {
        let before = self.cuts.iter().rev().find(|(cut, _)| *cut <= at);
        at + before.map_or(0, |(_, gone)| *gone)
    }
}

fn bare(body: &str) -> Bare {
    let mut bare = Bare::default();
    let (mut in_string, mut is_escaped) = (false, false);
    let mut at = 0;
    while at < body.len() {
        let rest = &body[at..];
        if let Some(tag) = rest.strip_prefix("{{") {
            let length = rest.find("}}").map_or(rest.len(), |end| end + 2);
            let inside = tag.trim_start_matches(|c: char| c == '~' || c.is_whitespace());
            let is_value = !inside.starts_with(['#', '/', '!', '^']) && !inside.starts_with("else");
            if is_value && !in_string {
                bare.outside.push(at..at + length);
            }
            at += length;
            bare.cuts.push((bare.text.len(), at - bare.text.len()));
            continue;
        }
        let Some(letter) = rest.chars().next() else {
            break;
        };
        if letter == '"' && !is_escaped {
            in_string = !in_string;
        }
        is_escaped = in_string && letter == '\\' && !is_escaped;
        bare.text.push(letter);
        at += letter.len_utf8();
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_strings_and_the_rest_is_json() {
        let block =
            r#"{"type": "section", "text": {"type": "mrkdwn", "text": "{{account.name}}"}}"#;
        for good in [
            format!("[{block}]"),
            format!("{{\"blocks\": [{block}]}}"),
            format!("[{block}{{{{#each contacts}}}}, {block}{{{{/each}}}}]"),
            r#"[{"type": "divider", "x": "{{#if a}}\"{{b}}\"{{else}}c{{/if}}"}]"#.to_owned(),
        ] {
            assert_eq!(mistakes(&good), [], "{good}");
        }
        for (bad, at) in [
            (r#"[{"type": {{account.name}}}]"#, 10),
            (r#"[{"type": "x", "n": 1{{account.name}}}]"#, 21),
            (r#"[{"type": "x\\", "y": {{a}}}]"#, 22),
            (r#"{"type": "x"}"#, 0),
            ("[]", 0),
            ("Hello {{account.name}}", 6),
            ("", 0),
        ] {
            let found = mistakes(bad);
            assert_eq!(found.first().map(|(span, _)| span.start), Some(at), "{bad}");
        }
        let broken = "[{\"type\": \"{{account.name}}\"},\n ]";
        assert_eq!(mistakes(broken)[0].0.start, broken.len() - 1);
    }
}
