//! What a page is made of, read as browsers read it: which elements with which attributes, and where its links lead.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// A page's elements in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Each opened element: its name and those of its attributes.
    pub elements: Vec<String>,
    /// The values of `href` and `src`.
    pub links: Vec<String>,
    /// The words between the elements.
    pub words: String,
}

#[derive(Default)]
struct Reader(RefCell<Outline>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut outline = self.0.borrow_mut();
        match token {
            Token::TagToken(Tag {
                kind: TagKind::StartTag,
                name,
                attrs,
                ..
            }) => {
                let mut element = name.to_string();
                for attribute in &attrs {
                    let local = attribute.name.local.to_string();
                    element.push(' ');
                    element.push_str(&local);
                    if local == "href" || local == "src" {
                        outline.links.push(attribute.value.to_string());
                    }
                }
                outline.elements.push(element);
            }
            Token::CharacterTokens(text) => outline.words.push_str(&text),
            Token::CommentToken(text) => outline.elements.push(format!("comment {text}")),
            Token::TagToken(_)
            | Token::DoctypeToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

/// Reads a page.
pub fn outline(html: &str) -> Outline {
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    let _ended = tokenizer.feed(&queue);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_has_elements_attributes_links_and_words() {
        let read =
            outline("<p>a &lt;b&gt;<a href=\"https://x/?a&amp;b\" class=c>y</a><!--z--></p>");
        assert_eq!(read.elements, ["p", "a href class", "comment z"]);
        assert_eq!(read.links, ["https://x/?a&b"]);
        assert_eq!(read.words, "a <b>y");
    }
}
