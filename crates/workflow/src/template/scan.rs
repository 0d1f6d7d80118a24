//! A look at a template before Handlebars parses it: what no template may hold is refused by its name, and
//! nothing is handed on that nests so deep that the parser would fall over it.

use std::ops::Range;

/// No template file is larger.
pub const TEMPLATE_BYTES_MAX: usize = 256 * 1024;
/// Blocks inside of blocks.
pub const TEMPLATE_BLOCKS_DEPTH_MAX: usize = 32;
/// Parentheses inside of parentheses, in one expression.
pub const TEMPLATE_PARENTHESES_DEPTH_MAX: usize = 8;
/// Expressions in one text: the parser counts lines anew for each of them.
pub const TEMPLATE_TAGS_MAX: usize = 2_000;
/// `each` inside of `each`.
pub const TEMPLATE_LOOPS_DEPTH_MAX: usize = 2;

/// One thing that may not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// E707 for what templates don't have, E708 for a limit, E709 for what is no template.
    pub(super) code: &'static str,
    /// A sentence.
    pub(super) message: String,
    /// What to write instead.
    pub(super) help: Option<String>,
    /// Where, in bytes of the scanned text.
    pub(super) at: Range<usize>,
}

/// Everything that may not be there.
pub(super) fn scan(source: &str, is_body: bool) -> Vec<Refusal> {
    let mut scan = Scan {
        source,
        found: Vec::new(),
        blocks: Vec::new(),
        markup: is_body.then(Markup::default),
    };
    let mut at = 0;
    while let Some(offset) = source[at..].find("{{") {
        let open = at + offset;
        if let Some(markup) = &mut scan.markup {
            markup.read(&source[at..open]);
        }
        at = if is_escaped(source, open) {
            open + 2
        } else {
            scan.tag(open)
        };
        if scan.found.len() >= 20 || scan.blocks.len() > TEMPLATE_BLOCKS_DEPTH_MAX {
            break;
        }
    }
    if let Some(first) = tags(source).get(TEMPLATE_TAGS_MAX) {
        let message = format!("this has more than {TEMPLATE_TAGS_MAX} expressions");
        scan.refuse("E708", first.clone(), &message, "");
    }
    if let Some(open) = scan.blocks.pop().filter(|_| scan.found.is_empty()) {
        let message = "this block is never closed";
        let name = source[open.clone()].trim_matches(|letter: char| !letter.is_alphanumeric());
        let word = name.split_whitespace().next().unwrap_or_default();
        let help = format!("close it with `{{{{/{word}}}}}`");
        scan.refuse("E709", open, message, &help);
    }
    scan.found
}

struct Scan<'a> {
    source: &'a str,
    found: Vec<Refusal>,
    blocks: Vec<Range<usize>>,
    markup: Option<Markup>,
}

impl Scan<'_> {
    fn refuse(&mut self, code: &'static str, at: Range<usize>, message: &str, help: &str) {
        self.found.push(Refusal {
            code,
            message: message.to_owned(),
            help: (!help.is_empty()).then(|| help.to_owned()),
            at,
        });
    }

    /// Looks at the tag that begins at `open`; gives where it ends.
    fn tag(&mut self, open: usize) -> usize {
        let rest = &self.source[open..];
        if let Some(end) = end_of_comment(rest) {
            return open + end;
        }
        let Some(end) = end_of_tag(self.source, open) else {
            let line = rest.lines().next().map_or(2, str::len);
            let at = open..open + line;
            self.refuse(
                "E709",
                at,
                "this `{{` is never closed",
                "close it with `}}`",
            );
            return self.source.len();
        };
        let inner = rest[2..end - open].trim_end_matches('}');
        let inner = inner.trim_start_matches('~').trim_start();
        if let Some((what, help)) = forbidden(inner) {
            let message = format!("templates have no {what}");
            self.refuse("E707", open..end, &message, help);
        }
        self.nesting(inner, open..end);
        self.block(inner, open..end);
        self.in_markup(inner, open..end);
        end
    }

    fn nesting(&mut self, inner: &str, at: Range<usize>) {
        let (mut depth, mut deepest) = (0usize, 0usize);
        let mut quote = None;
        for letter in inner.chars() {
            match (quote, letter) {
                (Some(open), letter) if letter == open => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(letter),
                (None, '(' | '[' | '{') => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
                (None, _) => {}
            }
        }
        if deepest > TEMPLATE_PARENTHESES_DEPTH_MAX {
            let message =
                format!("this nests more than {TEMPLATE_PARENTHESES_DEPTH_MAX} parentheses");
            self.refuse("E708", at, &message, "");
        }
    }

    fn block(&mut self, inner: &str, at: Range<usize>) {
        if inner.starts_with('/') && self.blocks.pop().is_none() {
            self.refuse("E709", at, "this closes no block", "");
            return;
        }
        let Some(name) = inner.strip_prefix('#') else {
            return;
        };
        self.blocks.push(at.clone());
        if self.blocks.len() == TEMPLATE_BLOCKS_DEPTH_MAX + 1 {
            let message =
                format!("blocks nest more than {TEMPLATE_BLOCKS_DEPTH_MAX} levels deep here");
            self.refuse("E708", at.clone(), &message, "");
        }
        let is_loop = |block: &Range<usize>| {
            self.source[block.clone()]
                .trim_start_matches(['{', '~', '#', ' '])
                .starts_with("each")
        };
        let loops = self.blocks.iter().filter(|block| is_loop(block)).count();
        if name.trim_start().starts_with("each") && loops == TEMPLATE_LOOPS_DEPTH_MAX + 1 {
            let message = format!("`each` nests more than {TEMPLATE_LOOPS_DEPTH_MAX} levels deep");
            self.refuse("E708", at, &message, "");
        }
    }

    /// Inside a tag of HTML, and as the target of a link, only an address may stand.
    fn in_markup(&mut self, inner: &str, at: Range<usize>) {
        let is_url = inner.starts_with("url ");
        let is_printed = inner
            .starts_with(|letter: char| letter.is_alphanumeric() || letter == '(')
            && !inner.starts_with("else");
        let Some(markup) = &self.markup else { return };
        let is_target = self.source[..at.start].ends_with("](");
        let is_wrong =
            (markup.in_tag && !(is_url && markup.quote.is_some())) || (is_target && !is_url);
        if is_printed && is_wrong {
            let message = "only an address may stand here, and only in quotes";
            let help = "write `href=\"{{url …}}\"`, or `[words]({{url …}})`";
            self.refuse("E707", at, message, help);
        }
    }
}

/// The tags of a text, comments and escaped ones left out.
pub(super) fn tags(source: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = source[at..].find("{{") {
        let open = at + offset;
        if is_escaped(source, open) {
            at = open + 2;
        } else if let Some(end) = end_of_comment(&source[open..]) {
            at = open + end;
        } else if let Some(end) = end_of_tag(source, open) {
            found.push(open..end);
            at = end;
        } else {
            break;
        }
    }
    found
}

/// Whether one backslash stands in front; two are a backslash and a tag.
fn is_escaped(source: &str, open: usize) -> bool {
    source[..open].ends_with('\\') && !source[..open].ends_with("\\\\")
}

/// How long the comment is that begins here, if one does.
pub(super) fn end_of_comment(rest: &str) -> Option<usize> {
    let until = |mark: &str| rest.find(mark).map(|at| at + mark.len());
    if rest.starts_with("{{!--") {
        // One without its long end is an ordinary comment, as Handlebars has it.
        return Some(until("--}}").or_else(|| until("}}")).unwrap_or(rest.len()));
    }
    rest.starts_with("{{!")
        .then(|| until("}}").unwrap_or(rest.len()))
}

/// Past the `}}` that ends a tag; quoted text may hold one.
fn end_of_tag(source: &str, open: usize) -> Option<usize> {
    let mut quote = None;
    let bytes = source.as_bytes();
    let mut at = open + 2;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(mark), byte) if byte == mark => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(bytes[at]),
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => {
                let mut end = at + 2;
                while bytes.get(end) == Some(&b'}') {
                    end += 1;
                }
                return Some(end);
            }
            (None, _) => {}
        }
        at += 1;
    }
    None
}

/// What a tag begins with that no template has, and what to write instead.
fn forbidden(inner: &str) -> Option<(&'static str, &'static str)> {
    let block = inner.strip_prefix('#').map(str::trim_start);
    let is =
        |mark: char| inner.starts_with(mark) || block.is_some_and(|block| block.starts_with(mark));
    if is('{') {
        return Some(("raw output", "write `{{name}}`, which is made safe"));
    }
    if is('&') {
        return Some(("raw output", "write `{{name}}`, which is made safe"));
    }
    if is('>') {
        // Those that are set in are gone by now.
        return Some(("partials of this kind", "write `{{> name}}`, in the body"));
    }
    if is('*') {
        return Some(("decorators", ""));
    }
    if inner.starts_with('^') && inner.len() > 1 {
        return Some(("`{{^…}}`", "write `{{#unless …}}` or `{{else}}`"));
    }
    if inner.contains('@') && !inner.contains(['"', '\'']) {
        return Some(("`@` names", "name the variable itself"));
    }
    if block.is_some_and(|block| block.contains(" as |")) {
        return Some((
            "block parameters",
            "inside `each` the item's names are there",
        ));
    }
    None
}

/// Where in HTML the text before a tag ends.
#[derive(Default)]
struct Markup {
    in_tag: bool,
    quote: Option<char>,
}

impl Markup {
    fn read(&mut self, text: &str) {
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            if !self.in_tag {
                let next = letters.peek().copied();
                self.in_tag = letter == '<' && next.is_some_and(|next| next.is_ascii_alphabetic());
            } else if let Some(quote) = self.quote {
                if letter == quote {
                    self.quote = None;
                }
            } else if matches!(letter, '"' | '\'') {
                self.quote = Some(letter);
            } else if letter == '>' {
                self.in_tag = false;
            }
        }
    }
}
