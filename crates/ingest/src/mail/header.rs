//! Header fields: names without case, values unfolded on one line.

/// The most fields that are read of one header.
const FIELDS_MAX: usize = 400;
/// The most bytes that are read of one value.
const VALUE_BYTES_MAX: usize = 8 * 1024;

/// A header, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    fields: Vec<(Box<str>, Box<str>)>,
}

/// The value of a structured field: its first word, and the parameters behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Structured {
    pub(super) word: Box<str>,
    parameters: Vec<(Box<str>, Box<str>)>,
}

impl Head {
    /// Reads a header from its lines and says where the body begins.
    pub(super) fn read(bytes: &[u8]) -> (Self, usize) {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (line, next) = line(bytes, at);
            if line.is_empty() {
                at = next;
                break;
            }
            let text = String::from_utf8_lossy(&line[..line.len().min(VALUE_BYTES_MAX)]);
            if line[0] == b' ' || line[0] == b'\t' {
                if let Some((_, value)) = fields
                    .last_mut()
                    .filter(|(_, value)| value.len() < VALUE_BYTES_MAX)
                {
                    value.push(' ');
                    value.push_str(text.trim());
                }
            } else if let Some((name, value)) =
                text.split_once(':').filter(|(name, _)| is_name(name))
            {
                if fields.len() < FIELDS_MAX {
                    fields.push((
                        name.trim_end().to_ascii_lowercase(),
                        value.trim().to_owned(),
                    ));
                }
            } else if !text.starts_with("From ") && !text.starts_with(">From ") {
                // Not a field: some servers leave the empty line out.
                break;
            }
            at = next;
        }
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        (
            Self {
                fields: fields.collect(),
            },
            at,
        )
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The first value of a field, by its name in small letters.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| **known == *name);
        found.map(|(_, value)| &**value)
    }

    /// Every value of a field.
    pub(super) fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        let named = self
            .fields
            .iter()
            .filter(move |(known, _)| **known == *name);
        named.map(|(_, value)| &**value)
    }

    /// A field with parameters, such as `Content-Type`.
    pub(super) fn structured(&self, name: &str) -> Option<Structured> {
        self.get(name).map(Structured::read)
    }
}

impl Structured {
    fn read(text: &str) -> Self {
        let mut pieces = pieces(text).into_iter();
        let word = pieces
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let parameter = |piece: String| {
            let (name, value) = piece.split_once('=')?;
            let value = value.trim().trim_matches('"').replace('\\', "");
            Some((name.trim().to_ascii_lowercase().into(), value.into()))
        };
        Self {
            word: word.into(),
            parameters: pieces.filter_map(parameter).collect(),
        }
    }

    /// A parameter, by its name in small letters.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| **known == *name);
        found.map(|(_, value)| &**value)
    }
}

/// Cut at each `;` that is not quoted; comments are left out.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let (mut is_quoted, mut depth) = (false, 0_u32);
    for c in text.chars() {
        match c {
            '"' if depth == 0 => is_quoted = !is_quoted,
            '(' if !is_quoted => depth = depth.saturating_add(1),
            ')' if !is_quoted => {
                depth = depth.saturating_sub(1);
                continue;
            }
            _ => {}
        }
        if depth > 0 {
            continue;
        }
        match pieces.last_mut() {
            Some(last) if c != ';' || is_quoted => last.push(c),
            Some(_) | None => pieces.push(String::new()),
        }
    }
    pieces
}

fn is_name(name: &str) -> bool {
    let name = name.trim_end();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The line that begins at `at`, without its end, and where the next one begins.
pub(super) fn line(bytes: &[u8], at: usize) -> (&[u8], usize) {
    let rest = &bytes[at..];
    let (line, next) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&rest[..end], at + end + 1),
        None => (rest, bytes.len()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), next)
}
