//! A post whose author wrote its blocks: JSON, once its values are filled in.

use super::RenderError;
use super::post::{BLOCKS_MAX, RenderedPost, TEXT_CHARS_MAX, cut};
use serde_json::Value;

/// The post that filled JSON makes.
pub(super) fn write(name: &str, filled: &str) -> Result<RenderedPost, RenderError> {
    let blocks = read(name, filled)?;
    let text = cut(&words(&blocks).join("\n"), TEXT_CHARS_MAX);
    Ok(RenderedPost { text, blocks })
}

/// The same as Markdown, for a mail.
pub(super) fn markdown(name: &str, filled: &str) -> Result<String, RenderError> {
    Ok(words(&read(name, filled)?).join("\n\n"))
}

fn read(name: &str, filled: &str) -> Result<Vec<Value>, RenderError> {
    let wrong = |why: String| RenderError::Blocks {
        name: name.into(),
        why: why.into(),
    };
    let read: Value = serde_json::from_str(filled).map_err(|error| wrong(error.to_string()))?;
    let list = read.get("blocks").unwrap_or(&read).as_array();
    match list {
        Some(list) if (1..=BLOCKS_MAX).contains(&list.len()) => Ok(list.clone()),
        Some(list) => Err(wrong(format!("{} blocks", list.len()))),
        None => Err(wrong("no list of blocks".to_owned())),
    }
}

/// The texts of the blocks, in order.
fn words(blocks: &[Value]) -> Vec<&str> {
    let mut all = Vec::new();
    let mut left: Vec<&Value> = blocks.iter().rev().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::Array(list) => left.extend(list.iter().rev()),
            Value::Object(map) => match map.get("text") {
                Some(Value::String(text)) => all.push(text.as_str()),
                Some(_) | None => left.extend(map.values().rev()),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_taken_as_they_are_and_their_words_told() {
        let filled = r#"[{"type": "header", "text": {"type": "plain_text", "text": "A &lt;b&gt;"}},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "c"}, {"type": "mrkdwn", "text": "d"}]}]"#;
        let post = write("x", filled).expect("a post");
        assert_eq!(post.text, "A &lt;b&gt;\nc\nd");
        assert_eq!(post.blocks.len(), 2);
        for wrong in ["", "{}", "[]", "[1,]", "\"x\""] {
            assert!(write("x", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_value_ends_its_string() {
        for value in [
            "\"",
            "\\",
            "\\\"",
            "a\"}, {\"type\": \"divider\"}, {\"x\": \"",
            "<!channel>",
            "\n\u{0}",
        ] {
            let filled = format!(
                "[{{\"type\": \"section\", \"text\": \"{}\"}}]",
                super::super::escape::block(value)
            );
            let post = write("x", &filled).expect("a post");
            assert_eq!(post.blocks.len(), 1, "{value}");
            assert!(!post.text.contains('<'), "{value}");
        }
    }
}
