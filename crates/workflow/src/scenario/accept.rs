//! Accepting: what happened becomes what is expected, and nothing else of a file of tests changes.

use super::{Entry, Expected, Scenario};
use jiff::civil::DateTime;

/// What one test is to expect from now on.
#[derive(Clone, Debug)]
pub struct Change<'s> {
    /// The test.
    pub scenario: &'s Scenario,
    /// Expectations that did not come true: they are taken out.
    pub gone: Vec<&'s Expected>,
    /// What happened and was not expected, each as a flow map in YAML, with its minute; in order.
    pub new: Vec<(DateTime, String)>,
}

/// The text of a file of tests after changes of its tests. Comments, blanks and the order of everything else stay.
pub fn accept(text: &str, changes: &[Change<'_>]) -> String {
    let mut edits = Vec::new();
    for change in changes {
        let mut page = Page {
            text,
            edits: Vec::new(),
        };
        page.change(change);
        edits.extend(page.edits);
    }
    // Where two stand at one place, what was said first stays first.
    edits.sort_by_key(|edit: &Edit| (edit.start, edit.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        if edit.start < at {
            continue;
        }
        out.push_str(&text[at..edit.start]);
        out.push_str(&edit.new);
        at = edit.end;
    }
    out.push_str(&text[at..]);
    out
}

/// One piece of text in place of another.
struct Edit {
    start: usize,
    end: usize,
    new: String,
}

/// A text and what is to be changed in it.
struct Page<'t> {
    text: &'t str,
    edits: Vec<Edit>,
}

impl Page<'_> {
    fn change(&mut self, change: &Change<'_>) {
        let timeline = &change.scenario.timeline;
        for (at, entry) in timeline.iter().enumerate() {
            let is_gone = |expected: &Expected| {
                let mut gone = change.gone.iter();
                gone.any(|gone| gone.span == expected.span)
            };
            // What a minute holds stands under its last entry.
            let is_last = timeline.get(at + 1).is_none_or(|next| next.at != entry.at);
            let new: Vec<&str> = change
                .new
                .iter()
                .filter(|(minute, _)| is_last && *minute == entry.at)
                .map(|(_, line)| &**line)
                .collect();
            let stays: Vec<&Expected> = entry.expect.iter().filter(|it| !is_gone(it)).collect();
            if stays.len() < entry.expect.len() || !new.is_empty() {
                self.entry(entry, &stays, &new);
            }
        }
        let mut minutes: Vec<(DateTime, Vec<&str>)> = Vec::new();
        for (minute, line) in &change.new {
            if timeline.iter().any(|entry| entry.at == *minute) {
                continue;
            }
            match minutes.iter_mut().find(|(known, _)| known == minute) {
                Some((_, lines)) => lines.push(line),
                None => minutes.push((*minute, vec![line])),
            }
        }
        minutes.sort_by_key(|(minute, _)| *minute);
        self.new_entries(change.scenario, &minutes);
    }

    /// The expectations of one entry: those that stay, then the new ones.
    fn entry(&mut self, entry: &Entry, stays: &[&Expected], new: &[&str]) {
        match entry.expect_span {
            Some((_, list)) if self.is_flow(list.start) => {
                self.flow_list(list.start, list.end, stays, new)
            }
            Some((key, list)) if stays.is_empty() && new.is_empty() => {
                self.take_list(key.start, list.end);
            }
            Some((key, list)) => {
                self.take_items(entry, stays);
                let first = entry
                    .expect
                    .first()
                    .map_or(list.start, |first| first.span.start);
                let indent = match entry.expect.is_empty() {
                    true => self.indent(key.start) + 2,
                    false => self.indent(first),
                };
                self.add_lines(list.end, indent, new);
            }
            None if self.is_flow(entry.whole.start) => {
                let end = self.flow_end(entry.whole.end);
                self.put(end, end, format!(", expect: [{}]", new.join(", ")));
            }
            None => {
                let indent = self.column(entry.whole.start);
                let end = self.line_end(entry.whole.end);
                let mut text = format!("\n{}expect:", " ".repeat(indent));
                for line in new {
                    text += &format!("\n{}- {line}", " ".repeat(indent + 2));
                }
                self.put(end, end, text);
            }
        }
    }

    /// A list in brackets, its items as they were written.
    fn flow_list(&mut self, start: usize, end: usize, stays: &[&Expected], new: &[&str]) {
        let kept = stays
            .iter()
            .map(|it| &self.text[it.span.start..it.span.end]);
        let items: Vec<&str> = kept.chain(new.iter().copied()).collect();
        self.put(start, end, format!("[{}]", items.join(", ")));
    }

    /// A whole `expect`; where it stands behind the dash of its entry, an empty one stays.
    fn take_list(&mut self, key: usize, end: usize) {
        let start = self.line_start(key);
        if self.text[start..key].trim().is_empty() {
            let end = self.after_line(self.line_end(end));
            self.put(start, end, String::new());
        } else {
            self.put(key, end, "expect: []".to_owned());
        }
    }

    /// The lines of items that did not come true, with what a comment says of them.
    fn take_items(&mut self, entry: &Entry, stays: &[&Expected]) {
        for item in &entry.expect {
            if stays.iter().any(|stays| stays.span == item.span) {
                continue;
            }
            let start = self.line_start(item.span.start);
            let end = self.after_line(self.line_end(item.span.end));
            self.put(start, end, String::new());
        }
    }

    /// New items behind the line in which a block ends.
    fn add_lines(&mut self, block_end: usize, indent: usize, new: &[&str]) {
        let at = self.after_line(self.line_end(block_end));
        let is_cut = !self.text[..at].ends_with('\n');
        let lines = new
            .iter()
            .map(|line| format!("{}- {line}", " ".repeat(indent)));
        self.put_lines(at, is_cut, lines.collect());
    }

    /// Entries for minutes that have none.
    fn new_entries(&mut self, scenario: &Scenario, minutes: &[(DateTime, Vec<&str>)]) {
        if minutes.is_empty() {
            return;
        }
        match (scenario.timeline_span, scenario.timeline.first()) {
            (Some(list), None) => self.first_entries(scenario, (list.start, list.end), minutes),
            (Some(list), _) if self.is_flow(list.start) => {
                for (minute, lines) in minutes {
                    self.flow_entry(scenario, list.end, *minute, lines);
                }
            }
            (Some(_), Some(first)) => {
                let indent = self.indent(first.whole.start);
                for (minute, lines) in minutes {
                    let before = scenario.timeline.iter().rfind(|entry| entry.at < *minute);
                    let at = match before {
                        Some(entry) => self.after_line(self.line_end(entry.whole.end)),
                        None => self.line_start(first.whole.start),
                    };
                    let is_cut = before.is_some() && !self.text[..at].ends_with('\n');
                    self.put_lines(at, is_cut, block_entry(indent, *minute, lines));
                }
            }
            (None, _) => self.new_timeline(scenario, minutes),
        }
    }

    /// The first entries of an empty timeline: lines below it, or between its brackets if the whole test stands in braces.
    fn first_entries(
        &mut self,
        scenario: &Scenario,
        (start, end): (usize, usize),
        minutes: &[(DateTime, Vec<&str>)],
    ) {
        if self.is_flow(scenario.whole.start) {
            self.put(start, end, flow_entries(minutes));
            return;
        }
        let line = self.line_start(start);
        let key = self.text[line..].trim_start_matches([' ', '-']);
        let indent = self.text[line..].len() - key.len() + 2;
        let before = self.text[..start].trim_end_matches(' ').len();
        let entries = minutes.iter();
        let lines = entries.flat_map(|(minute, lines)| block_entry(indent, *minute, lines));
        let new: String = lines.map(|line| format!("\n{line}")).collect();
        self.put(before, end, new);
    }

    /// An entry in a timeline in brackets.
    fn flow_entry(&mut self, scenario: &Scenario, end: usize, minute: DateTime, lines: &[&str]) {
        let entry = flow_entry(minute, lines);
        let mut entries = scenario.timeline.iter();
        match entries.find(|entry| entry.at > minute) {
            Some(next) => self.put(next.whole.start, next.whole.start, format!("{entry}, ")),
            None => {
                let end = self.flow_end(end);
                self.put(end, end, format!(", {entry}"));
            }
        }
    }

    /// The first timeline of a test, behind its last line.
    fn new_timeline(&mut self, scenario: &Scenario, minutes: &[(DateTime, Vec<&str>)]) {
        if self.is_flow(scenario.whole.start) {
            let end = self.flow_end(scenario.whole.end);
            self.put(end, end, format!(", timeline: {}", flow_entries(minutes)));
            return;
        }
        let indent = self.column(scenario.whole.start);
        let end = self.line_end(scenario.whole.end);
        let mut lines = vec![format!("{}timeline:", " ".repeat(indent))];
        for (minute, expected) in minutes {
            lines.extend(block_entry(indent + 2, *minute, expected));
        }
        let at = self.after_line(end);
        let is_cut = !self.text[..at].ends_with('\n');
        self.put_lines(at, is_cut, lines);
    }

    fn put(&mut self, start: usize, end: usize, new: String) {
        self.edits.push(Edit { start, end, new });
    }

    /// Whole lines; `is_cut`: the text before them has no end of line of its own.
    fn put_lines(&mut self, at: usize, is_cut: bool, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        let text = lines.join("\n");
        let text = match is_cut {
            true => format!("\n{text}"),
            false => format!("{text}\n"),
        };
        self.put(at, at, text);
    }

    /// Whether what begins here stands in brackets or braces.
    fn is_flow(&self, start: usize) -> bool {
        self.text[start..].starts_with(['[', '{'])
    }

    /// Before the closing bracket that ends here, and before the blanks and the comma in front of it.
    fn flow_end(&self, end: usize) -> usize {
        let inside = &self.text[..end.saturating_sub(1)];
        inside
            .trim_end_matches(|letter: char| letter.is_whitespace() || letter == ',')
            .len()
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |found| found + 1)
    }

    /// Where the line ends, before its newline.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |found| at + found)
    }

    /// Behind the newline, if there is one.
    fn after_line(&self, end: usize) -> usize {
        (end + 1).min(self.text.len())
    }

    /// How many blanks the line begins with.
    fn indent(&self, at: usize) -> usize {
        let line = &self.text[self.line_start(at)..];
        line.len() - line.trim_start_matches(' ').len()
    }

    /// The column of a byte in a line that holds only blanks and dashes before it.
    fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }
}

/// The lines of an entry.
fn block_entry(indent: usize, minute: DateTime, lines: &[&str]) -> Vec<String> {
    let pad = " ".repeat(indent);
    let at = minute.strftime("%Y-%m-%d %H:%M");
    let head = [format!("{pad}- at: {at}"), format!("{pad}  expect:")];
    let items = lines.iter().map(|line| format!("{pad}    - {line}"));
    head.into_iter().chain(items).collect()
}

/// An entry in braces.
fn flow_entry(minute: DateTime, lines: &[&str]) -> String {
    let at = minute.strftime("%Y-%m-%d %H:%M");
    format!("{{at: {at}, expect: [{}]}}", lines.join(", "))
}

/// A timeline in brackets.
fn flow_entries(minutes: &[(DateTime, Vec<&str>)]) -> String {
    let entries = minutes.iter();
    let entries = entries.map(|(minute, lines)| flow_entry(*minute, lines));
    format!("[{}]", entries.collect::<Vec<_>>().join(", "))
}
