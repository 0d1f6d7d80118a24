//! Pages: what each code means, why, and an example before and after.

use super::Severity;
use std::ops::Range;

const CATALOGUE: &str = include_str!("catalogue.md");
const HEADING: &str = "\n## ";

/// The page of one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// For example `E402`.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The whole page below its heading, as Markdown.
    pub text: &'static str,
}

/// One file, or some steps, of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// The path of the file; `steps`: steps of some workflow.
    pub place: &'static str,
    /// What it says.
    pub text: &'static str,
}

/// All pages, in the order of their codes' hundreds.
pub fn pages() -> impl Iterator<Item = Page> {
    CATALOGUE.split(HEADING).skip(1).filter_map(|page| {
        let (heading, text) = page.split_once('\n')?;
        let (code, title) = heading.split_once(' ')?;
        let text = text.trim();
        Some(Page { code, title, text })
    })
}

/// The page of a code, however it is written.
pub fn page(code: &str) -> Option<Page> {
    pages().find(|page| page.code.eq_ignore_ascii_case(code.trim()))
}

impl Page {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self.code {
            "E900" => Severity::NotYet,
            warning if warning.starts_with('W') => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What it means and why, without the examples.
    pub fn meaning(&self) -> &'static str {
        self.part(
            self.places()
                .map_or(0..self.text.len(), |(wrong, _)| 0..wrong),
        )
    }

    /// The example that has the mistake.
    pub fn wrong(&self) -> Vec<Example> {
        let range = self.places().map(|(wrong, right)| wrong..right);
        examples(self.part(range.unwrap_or(0..0)))
    }

    /// The same, mended.
    pub fn right(&self) -> Vec<Example> {
        let range = self.places().map(|(_, right)| right..self.text.len());
        examples(self.part(range.unwrap_or(0..0)))
    }

    fn part(&self, range: Range<usize>) -> &'static str {
        self.text.get(range).unwrap_or("").trim()
    }

    fn places(&self) -> Option<(usize, usize)> {
        Some((self.text.find("\nWrong:\n")?, self.text.find("\nRight:\n")?))
    }
}

fn examples(text: &'static str) -> Vec<Example> {
    let mut parts = text.split("```").skip(1).step_by(2);
    let mut all = Vec::new();
    for part in &mut parts {
        if let Some((info, text)) = part.split_once('\n') {
            let place = info.split_once(' ').map_or(info, |(_, place)| place);
            all.push(Example { place, text });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_title_a_meaning_and_two_examples() {
        let page = page("e402").expect("a page");
        assert_eq!(page.code, "E402");
        assert_eq!(page.title, "a wait without an end");
        assert!(page.meaning().starts_with("What is waited for"));
        assert!(page.wrong()[0].text.starts_with("- id: login"));
        assert_eq!(page.right()[0].place, "steps");
        assert_eq!(super::page("nothing"), None);
    }
}
