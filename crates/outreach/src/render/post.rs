//! A post: Block Kit blocks, and a text for notifications and for programs that show no blocks.

use super::depth::TooDeep;
use super::{RenderError, mrkdwn};
use serde_json::{Value, json};

/// The most characters of one section; Slack takes 3,000.
const SECTION_CHARS_MAX: usize = 2_900;
/// The most blocks of a post.
pub(super) const BLOCKS_MAX: usize = 50;
/// The most characters of the text beside the blocks.
pub(super) const TEXT_CHARS_MAX: usize = 3_000;

/// A post as Slack reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedPost {
    /// The text for notifications.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Value>,
}

impl RenderedPost {
    /// What is posted to an incoming webhook.
    pub fn payload(&self) -> Value {
        json!({ "text": self.text, "blocks": self.blocks })
    }
}

/// The post that `markdown` makes. What is longer than a post may be is cut, and says so.
pub(super) fn write(name: &str, markdown: &str) -> Result<RenderedPost, RenderError> {
    let text = mrkdwn::write(markdown).map_err(|TooDeep| RenderError::TooDeep(name.into()))?;
    let mut sections = sections(&text);
    if sections.len() > BLOCKS_MAX {
        sections.truncate(BLOCKS_MAX - 1);
        sections.push("…".to_owned());
    }
    let blocks = sections
        .into_iter()
        .map(|text| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } }))
        .collect();
    let text = cut(&text, TEXT_CHARS_MAX);
    Ok(RenderedPost { text, blocks })
}

/// Lines gathered into sections that are short enough.
fn sections(text: &str) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    let mut count = usize::MAX;
    for line in text.lines() {
        let line = cut(line, SECTION_CHARS_MAX);
        let chars = line.chars().count() + 1;
        match sections.last_mut() {
            Some(section) if count + chars <= SECTION_CHARS_MAX => {
                section.push('\n');
                section.push_str(&line);
                count += chars;
            }
            _ => {
                sections.push(line);
                count = chars;
            }
        }
    }
    sections.retain(|section| !section.trim().is_empty());
    if sections.is_empty() {
        sections.push("…".to_owned());
    }
    sections
}

/// At most `max` characters; a character reference is not cut in two.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max - 1).collect();
    if let Some(at) = short.rfind('&')
        && !short[at..].contains(';')
    {
        short.truncate(at);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_into_sections_that_fit() {
        let post = write("x", &"行\n\n".repeat(5_000)).expect("a post");
        assert!(post.blocks.len() > 1 && post.blocks.len() <= BLOCKS_MAX);
        for block in &post.blocks {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            assert!(text.chars().count() <= 3_000);
        }
        assert!(post.text.chars().count() <= TEXT_CHARS_MAX);
    }

    #[test]
    fn a_post_of_nothing_has_a_block() {
        assert_eq!(write("x", "").expect("a post").blocks.len(), 1);
    }
}
