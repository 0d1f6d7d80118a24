//! Markdown as events, with our two rules: a line break is a line break, and a link leads only where it may.

use super::depth::{MARKUP_DEPTH_MAX, TooDeep, check_html, check_markdown};
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};

/// Which schemes a link may have.
const SCHEMES: [&str; 3] = ["https:", "http:", "mailto:"];

/// The events of `text`.
pub(super) fn events(text: &str) -> Result<Vec<Event<'_>>, TooDeep> {
    let mut walk = Walk::of(text)?;
    let events = walk.by_ref().collect();
    walk.end().map(|()| events)
}

/// HTML of `text`.
pub(super) fn html(text: &str) -> Result<String, TooDeep> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut walk = Walk::of(text)?;
    pulldown_cmark::html::push_html(&mut out, walk.by_ref());
    walk.end()?;
    check_html(&out)?;
    Ok(out)
}

/// The events as they come; none any more where they nest too deep.
struct Walk<'t> {
    events: TextMergeStream<'t, Parser<'t>>,
    /// Of the links and images around what comes next, which are left out.
    dropped: Vec<bool>,
    depth: usize,
}

impl<'t> Walk<'t> {
    fn of(text: &'t str) -> Result<Self, TooDeep> {
        check_markdown(text)?;
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        Ok(Self {
            events: TextMergeStream::new(Parser::new_ext(text, options)),
            dropped: Vec::new(),
            depth: 0,
        })
    }

    fn is_too_deep(&self) -> bool {
        self.depth > MARKUP_DEPTH_MAX * 2
    }

    /// Whether all were told.
    fn end(self) -> Result<(), TooDeep> {
        if self.is_too_deep() {
            Err(TooDeep)
        } else {
            Ok(())
        }
    }
}

impl<'t> Iterator for Walk<'t> {
    type Item = Event<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_too_deep() {
            let event = self.events.next()?;
            if matches!(event, Event::Start(_)) {
                self.depth += 1;
            } else if matches!(event, Event::End(_)) {
                self.depth = self.depth.saturating_sub(1);
            }
            let kept = kept(event, &mut self.dropped);
            if kept.is_some() && !self.is_too_deep() {
                return kept;
            }
        }
        None
    }
}

/// Leaves out the links and images that may not be; their words stay.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every event but links, images and breaks is kept"
)]
fn kept<'a>(event: Event<'a>, dropped: &mut Vec<bool>) -> Option<Event<'a>> {
    match event {
        Event::SoftBreak => Some(Event::HardBreak),
        Event::Start(Tag::Link {
            link_type,
            ref dest_url,
            ..
        }) => {
            dropped.push(!is_allowed(dest_url, link_type == LinkType::Email));
            (dropped.last() == Some(&false)).then_some(event)
        }
        Event::Start(Tag::Image { ref dest_url, .. }) => {
            dropped.push(!dest_url.to_ascii_lowercase().starts_with("https:"));
            (dropped.last() == Some(&false)).then_some(event)
        }
        Event::End(TagEnd::Link | TagEnd::Image) => (dropped.pop() == Some(false)).then_some(event),
        other => Some(other),
    }
}

/// Whether a link may lead to `address`. Control characters and blanks, which browsers skip, are skipped here too.
fn is_allowed(address: &str, is_email: bool) -> bool {
    let plain: String = address
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    is_email || SCHEMES.iter().any(|scheme| plain.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    fn html(text: &str) -> String {
        super::html(text).expect("not deep")
    }

    #[test]
    fn a_line_break_is_a_line_break() {
        assert_eq!(html("a\nb"), "<p>a<br />\nb</p>\n");
    }

    #[test]
    fn a_link_leads_only_where_it_may() {
        for bad in [
            "javascript:alert(1)",
            "JAVA&#10;SCRIPT:x",
            "data:text/html,x",
            "vbscript:x",
            "//x",
            "x",
        ] {
            let html = html(&format!("[*words*]({bad}) after"));
            assert!(!html.contains("href"), "{html}");
            assert!(html.contains("words") && html.contains("after"));
        }
        assert!(html("[w](https://a.example)").contains("href=\"https://a.example\""));
        assert!(html("<a@b.example>").contains("mailto:a@b.example"));
    }
}
