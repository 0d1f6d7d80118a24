//! Links of a rendered page led another way, and an image at its end. Nothing else of the page is touched.

/// The most links of a page that are led another way; the rest stay as they are.
const LINKS_MAX: usize = 200;

/// Gives each link to a web address the address that `lead` says; `None` leaves it as it is.
pub fn lead(html: &str, mut lead: impl FnMut(&str) -> Option<String>) -> String {
    const HREF: &str = "href=\"";
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    for _ in 0..LINKS_MAX {
        let Some(at) = rest.find(HREF) else {
            break;
        };
        let (before, from) = rest.split_at(at + HREF.len());
        let Some(end) = from.find('"') else {
            break;
        };
        let (address, after) = from.split_at(end);
        out.push_str(before);
        let plain = plain(address);
        let is_web = plain.starts_with("https://") || plain.starts_with("http://");
        let led = (is_web && is_in_anchor(before))
            .then(|| lead(&plain))
            .flatten();
        match led {
            Some(led) => out.push_str(&attribute(&led)),
            None => out.push_str(address),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The page with an image of one pixel at its end.
pub fn with_image(html: &str, address: &str) -> String {
    let image = format!(
        "<img src=\"{}\" width=\"1\" height=\"1\" alt=\"\">",
        attribute(address)
    );
    let end = html.rfind("</body>").unwrap_or(html.len());
    format!("{}{image}{}", &html[..end], &html[end..])
}

/// The page with a link at its beginning that no person sees or reaches by key, and no screen reader tells of: who follows it
/// follows every link.
pub fn with_hidden(html: &str, address: &str) -> String {
    let link = format!(
        "<a href=\"{}\" style=\"display:none\" tabindex=\"-1\" aria-hidden=\"true\"></a>",
        attribute(address)
    );
    let body = html.find("<body");
    let begin = body.and_then(|at| html[at..].find('>').map(|end| at + end + 1));
    let begin = begin.unwrap_or(0);
    format!("{}{link}{}", &html[..begin], &html[begin..])
}

/// Whether the tag that is open at the end of `before` is a link.
fn is_in_anchor(before: &str) -> bool {
    let tag = before.rfind('<').map_or("", |at| &before[at..]);
    let rest = tag.strip_prefix("<a").or_else(|| tag.strip_prefix("<A"));
    rest.is_some_and(|rest| rest.starts_with(char::is_whitespace) && !rest.contains('>'))
}

fn plain(attribute: &str) -> String {
    let quoted = attribute
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'");
    quoted
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#x3D;", "=")
        .replace("&#61;", "=")
        .replace("&amp;", "&")
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_the_web_are_led_another_way() {
        let swap = |html: &str| {
            lead(html, |url| {
                (!url.contains("ours")).then(|| format!("https://t/{}", url.len()))
            })
        };
        for (html, expected) in [
            (
                "<a href=\"https://a.example/?x=1&amp;y=2\">x</a>",
                "<a href=\"https://t/26\">x</a>",
            ),
            (
                "<a class=\"b\" href=\"http://a.example\">",
                "<a class=\"b\" href=\"https://t/16\">",
            ),
            (
                "<a href=\"mailto:a@b.example\">",
                "<a href=\"mailto:a@b.example\">",
            ),
            ("<a href=\"javascript:x\">", "<a href=\"javascript:x\">"),
            (
                "<link href=\"https://a.example\">",
                "<link href=\"https://a.example\">",
            ),
            (
                "<p>href=\"https://a.example\"</p>",
                "<p>href=\"https://a.example\"</p>",
            ),
            (
                "<a href=\"https://ours/u/x\">",
                "<a href=\"https://ours/u/x\">",
            ),
            ("<a href=\"https://a.example", "<a href=\"https://a.example"),
            ("", ""),
        ] {
            assert_eq!(swap(html), expected, "{html}");
        }
        let many = "<a href=\"https://a\">".repeat(LINKS_MAX + 1);
        assert_eq!(swap(&many).matches("https://t/").count(), LINKS_MAX);
    }

    #[test]
    fn an_address_is_written_so_that_it_stays_one() {
        let led = lead("<a href=\"https://a\">", |_| {
            Some("https://t/?a=\"b\"&c<d>".to_owned())
        });
        assert_eq!(
            led,
            "<a href=\"https://t/?a=&quot;b&quot;&amp;c&lt;d&gt;\">"
        );
        let page = with_image("<body>x</body></html>", "https://t/o");
        assert_eq!(
            page,
            "<body>x<img src=\"https://t/o\" width=\"1\" height=\"1\" alt=\"\"></body></html>"
        );
        assert!(with_image("x", "https://t/o").starts_with("x<img "));
        let hidden = with_hidden("<body class=\"a\">x</body>", "https://t/c");
        assert_eq!(
            hidden,
            "<body class=\"a\"><a href=\"https://t/c\" style=\"display:none\" tabindex=\"-1\" aria-hidden=\"true\"></a>x</body>"
        );
        assert!(with_hidden("x", "https://t/c").ends_with("</a>x"));
    }
}
