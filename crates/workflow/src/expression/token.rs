//! Tokens: an expression's text cut into words, numbers and signs.

use super::mistake::Mistake;
use model::Decimal;
use std::ops::Range;

/// A token and its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Where it stands.
    pub(super) at: Range<usize>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// `12`, `20M`: the value with its unit worked in.
    Number(Decimal),
    /// `30%`: 0.3.
    Percent(Decimal),
    /// `"text"`
    Text(Box<str>),
    /// `account.arr`, and the words of the language.
    Name(Vec<Box<str>>),
    /// `(`, `==`, `..` and the like.
    Sign(&'static str),
}

/// Signs, longer ones first.
const SIGNS: [&str; 17] = [
    "==", "!=", "<=", ">=", "..", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ",", "%",
];

/// What people write, and what it is here. Longer ones first; looked at before the signs.
const FOREIGN: [(&str, &str); 30] = [
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("<>", "write `!=`"),
    ("=>", "write `>=`"),
    ("=<", "write `<=`"),
    ("...", "write `..`"),
    ("**", "there are no powers here"),
    ("{{", "write the name alone, without `{{ }}`"),
    ("&", "write `and`"),
    ("|", "write `or`"),
    ("≥", "write `>=`"),
    ("≤", "write `<=`"),
    ("≠", "write `!=`"),
    ("×", "write `*`"),
    ("÷", "write `/`"),
    ("'", "write text in double quotes"),
    ("`", "write text in double quotes"),
    ("“", "write `\"`"),
    ("”", "write `\"`"),
    ("\u{ff08}", "write `(`"),
    ("\u{ff09}", "write `)`"),
    ("\u{ff05}", "write `%`"),
    ("\u{ff1e}", "write `>`"),
    ("\u{ff1c}", "write `<`"),
    ("\u{ff1d}", "write `==`"),
    ("?", "write `x is known` or `x else y`"),
    ("\u{3000}", "write an ordinary space"),
    ("、", "write `,`"),
];

/// Cuts the text, or says what stands in the way.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Mistake> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        if matches!(letter, ' ' | '\n' | '\t' | '\r') {
            at += 1;
            continue;
        }
        let token = token(text, at, letter)?;
        at = token.at.end;
        found.push(token);
    }
    Ok(found)
}

fn token(text: &str, at: usize, letter: char) -> Result<Token, Mistake> {
    if letter.is_ascii_digit() {
        return number(text, at);
    }
    if letter.is_alphabetic() || letter == '_' {
        return Ok(name(text, at));
    }
    if letter == '"' {
        return quoted(text, at);
    }
    let rest = &text[at..];
    if let Some((sign, help)) = FOREIGN.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Err(not_understood(sign, at).help(*help));
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok(Token {
            kind: TokenKind::Sign(sign),
            at: at..at + sign.len(),
        });
    }
    match letter {
        '=' => Err(not_understood("=", at).help("write `==`")),
        '!' => Err(not_understood("!", at).help("write `not`")),
        '.' => Err(not_understood(".", at).help("a number begins with a digit: `0.5`")),
        other => Err(not_understood(&printable(other), at)),
    }
}

/// A letter as a message can show it.
fn printable(letter: char) -> String {
    if letter.is_control() {
        return letter.escape_default().to_string();
    }
    letter.to_string()
}

/// The one sentence for what is no expression.
pub(super) fn not_understood(what: &str, at: usize) -> Mistake {
    Mistake::new(
        "E110",
        &(at..at + what.len()),
        format!("I do not understand `{what}` here"),
    )
}

fn is_word_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Where a word that begins at `at` ends. A minus belongs to it only between letters or digits.
fn word_end(text: &str, at: usize) -> usize {
    let mut end = at;
    let mut letters = text[at..].chars().peekable();
    while let Some(letter) = letters.next() {
        let is_joint = letter == '-' && letters.peek().copied().is_some_and(is_word_letter);
        if !is_word_letter(letter) && !is_joint {
            break;
        }
        end += letter.len_utf8();
    }
    end
}

fn name(text: &str, at: usize) -> Token {
    let mut end = word_end(text, at);
    let mut parts: Vec<Box<str>> = vec![text[at..end].into()];
    while let Some(rest) = text[end..].strip_prefix('.') {
        if !rest.chars().next().is_some_and(is_word_letter) {
            break;
        }
        let next = word_end(text, end + 1);
        parts.push(text[end + 1..next].into());
        end = next;
    }
    Token {
        kind: TokenKind::Name(parts),
        at: at..end,
    }
}

fn digits_end(text: &str, at: usize) -> usize {
    at + text[at..].bytes().take_while(u8::is_ascii_digit).count()
}

fn number(text: &str, at: usize) -> Result<Token, Mistake> {
    let whole = digits_end(text, at);
    let has_fraction = text[whole..].starts_with('.')
        && text[whole + 1..].starts_with(|letter: char| letter.is_ascii_digit());
    let end = if has_fraction {
        digits_end(text, whole + 1)
    } else {
        whole
    };
    let too_large = || Mistake::new("E110", &(at..end), "this number is too large");
    let value: Decimal = text[at..end].parse().map_err(|_| too_large())?;
    let unit_end = if text[end..].starts_with('%') {
        end + 1
    } else {
        word_end(text, end)
    };
    let times = |factor: u32| {
        value
            .mul(Decimal::from_count(factor))
            .ok_or_else(too_large)
            .map(TokenKind::Number)
    };
    let kind = match &text[end..unit_end] {
        "" => TokenKind::Number(value),
        "k" => times(1_000)?,
        "M" => times(1_000_000)?,
        "%" => percent(value).ok_or_else(|| too_fine(at..unit_end))?,
        unit => return Err(bad_unit(unit, &text[at..end], at..unit_end)),
    };
    if has_fraction && end - whole - 1 > 6 {
        return Err(too_fine(at..end));
    }
    Ok(Token {
        kind,
        at: at..unit_end,
    })
}

/// A hundredth, if it is exact.
fn percent(value: Decimal) -> Option<TokenKind> {
    let hundred = Decimal::from_count(100);
    let share = value.div(hundred)?;
    (share.mul(hundred)? == value).then_some(TokenKind::Percent(share))
}

fn too_fine(at: Range<usize>) -> Mistake {
    Mistake::new("E110", &at, "this number has too many places")
        .help("numbers keep six places, percentages four")
}

fn bad_unit(unit: &str, digits: &str, at: Range<usize>) -> Mistake {
    let mistake = Mistake::new(
        "E110",
        &at,
        format!("I do not understand the unit `{unit}` here"),
    );
    match unit {
        "K" => mistake.help(format!("write `{digits}k`")),
        "m" => mistake.help(format!("write `{digits}M`")),
        "d" | "w" | "h" | "days" | "hours" => mistake.help(
            "an expression has no durations: compare `days_until(…)`, `days_since(…)` or `hours_since(…)` with a number",
        ),
        _ => mistake.help("a number may end with `%`, `k` or `M`"),
    }
}

fn quoted(text: &str, at: usize) -> Result<Token, Mistake> {
    let mut said = String::new();
    let mut letters = text[at + 1..].char_indices();
    while let Some((offset, letter)) = letters.next() {
        match letter {
            '"' => {
                return Ok(Token {
                    kind: TokenKind::Text(said.into()),
                    at: at..at + offset + 2,
                });
            }
            '\\' => match letters.next() {
                Some((_, escaped @ ('"' | '\\'))) => said.push(escaped),
                Some((next, _)) => {
                    return Err(not_understood("\\", at + next)
                        .help("only `\\\"` and `\\\\` are written with it"));
                }
                None => break,
            },
            other => said.push(other),
        }
    }
    Err(Mistake::new(
        "E110",
        &(at..text.len()),
        "this text has no closing `\"`",
    ))
}
