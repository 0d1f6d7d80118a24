//! A server's reply, read strictly: one code, on every line.

/// The most bytes of one line.
pub(super) const LINE_BYTES_MAX: usize = 2_048;
/// The most lines of a reply.
const LINES_MAX: usize = 128;
/// The most characters of a reply that are kept.
const TEXT_CHARS_MAX: usize = 500;

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// `2yz`.
    pub(super) fn is_yes(&self) -> bool {
        self.code / 100 == 2
    }

    /// `4yz`.
    pub(super) fn is_not_now(&self) -> bool {
        self.code / 100 == 4
    }

    /// `5yz`.
    pub(super) fn is_no(&self) -> bool {
        self.code / 100 == 5
    }

    /// The words, on one line, not too many.
    pub(super) fn text(&self) -> Box<str> {
        let text = crate::render::one_line(&self.lines.join(" "));
        text.chars().take(TEXT_CHARS_MAX).collect::<String>().into()
    }
}

/// A reply of which some lines have come.
#[derive(Default)]
pub(super) struct Partial {
    code: Option<u16>,
    lines: Vec<String>,
}

impl Partial {
    /// Takes one line without its end; gives the reply when it was the last one.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<Option<Reply>, &'static str> {
        let (code, is_last, text) = parse(line).ok_or("a line that is no SMTP reply")?;
        if self.code.is_some_and(|before| before != code) {
            return Err("a reply with two codes");
        }
        if self.lines.len() >= LINES_MAX {
            return Err("a reply without end");
        }
        self.code = Some(code);
        self.lines.push(text);
        Ok(is_last.then(|| Reply {
            code,
            lines: std::mem::take(&mut self.lines),
        }))
    }
}

fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let digits = line.get(..3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits
        .iter()
        .fold(0_u16, |code, digit| code * 10 + u16::from(digit - b'0'));
    if !(200..600).contains(&code) {
        return None;
    }
    let is_last = match line.get(3) {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    Some((
        code,
        is_last,
        String::from_utf8_lossy(line.get(4..).unwrap_or_default()).into_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Reply>, &'static str> {
        let mut partial = Partial::default();
        let mut last = Ok(None);
        for line in lines {
            last = partial.take(line.as_bytes());
        }
        last
    }

    #[test]
    fn whole_replies_are_read() {
        for (lines, code, text) in [
            (&["250 ok"][..], 250, "ok"),
            (&["250"][..], 250, ""),
            (&["250-a", "250-b", "250 c"][..], 250, "a b c"),
            (&["354 go"][..], 354, "go"),
        ] {
            let reply = read(lines).expect("a reply").expect("whole");
            assert_eq!((reply.code, &*reply.text()), (code, text));
        }
    }

    #[test]
    fn half_replies_wait() {
        assert_eq!(read(&["250-a"]), Ok(None));
    }

    #[test]
    fn nonsense_is_refused() {
        for lines in [
            &[""][..],
            &["ok"],
            &["25"],
            &["250x"],
            &["999 a"],
            &["100 a"],
            &["250-a", "251 b"],
            &["２５０ a"],
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
        assert!(read(&vec!["250-a"; LINES_MAX + 1]).is_err());
    }
}
