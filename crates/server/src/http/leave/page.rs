//! The page of unsubscribing, in Japanese or English: plain HTML, without scripts, that a screen reader reads in order.

use axum::http::{HeaderMap, header};
use std::collections::BTreeSet;
use store::Scope;

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    Ja,
    #[default]
    En,
}

impl Language {
    /// Of a locale such as `ja-JP`.
    pub(super) fn of(locale: &str) -> Self {
        match locale.split(['-', '_']).next() {
            Some("ja") => Self::Ja,
            Some(_) | None => Self::En,
        }
    }

    /// Of the first of the languages that a browser prefers which there is.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE);
        let wanted = wanted.and_then(|value| value.to_str().ok()).unwrap_or("");
        let first = wanted.split(',').map(str::trim).find_map(|tag| {
            let tag = tag.split([';', '-']).next()?.trim();
            match tag.to_ascii_lowercase().as_str() {
                "ja" => Some(Self::Ja),
                "en" => Some(Self::En),
                _ => None,
            }
        });
        first.unwrap_or_default()
    }

    fn say(self, ja: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }

    fn code(self) -> &'static str {
        self.say("ja", "en")
    }
}

/// A topic that can be left.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) name: Box<str>,
    title: Box<str>,
    is_left: bool,
}

impl Choice {
    pub(super) fn new(name: &str, title: &str, left: &BTreeSet<Scope>) -> Self {
        let is_left = left.contains(&Scope::Leavable) || left.contains(&Scope::Topic(name.into()));
        Self {
            name: name.into(),
            title: title.into(),
            is_left,
        }
    }
}

/// What a page shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub(super) language: Language,
    /// The topic of the mail.
    pub(super) topic: Box<str>,
    pub(super) sender: Option<Box<str>>,
    pub(super) choices: Vec<Choice>,
    pub(super) is_all_left: bool,
    /// What was left just now.
    pub(super) left: Vec<Scope>,
    /// What was left is received again.
    pub(super) is_back: bool,
}

impl Shown {
    fn title(&self, scope: &Scope) -> String {
        match scope {
            Scope::Topic(name) => {
                let known = self.choices.iter().find(|choice| choice.name == *name);
                escaped(known.map_or(name, |choice| &choice.title))
            }
            Scope::Leavable | Scope::Promotional | Scope::All => self
                .language
                .say(
                    "停止できるすべてのメール",
                    "all messages that can be stopped",
                )
                .to_owned(),
        }
    }
}

/// The page that asks.
pub(super) fn choose(shown: &Shown) -> String {
    let say = |ja, en| shown.language.say(ja, en);
    let heading = say("メールの配信停止", "Stop messages");
    let mut body = String::new();
    if let Some(sender) = &shown.sender {
        body += &format!("<p>{}</p>\n", escaped(sender));
    }
    if shown.is_all_left {
        let note = say(
            "すべての配信はすでに停止されています。",
            "All messages are stopped already.",
        );
        body += &format!("<p role=\"status\">{note}</p>\n");
        return page(
            shown.language,
            heading,
            &(body + &back(shown, &[Scope::Leavable])),
        );
    }
    body += &format!(
        "<form method=\"post\">\n<fieldset>\n<legend>{}</legend>\n",
        say(
            "停止するメールをお選びください。",
            "Which messages should stop?"
        )
    );
    for choice in &shown.choices {
        let mark = match (choice.is_left, choice.name == shown.topic) {
            (true, _) => " disabled",
            (false, true) => " checked",
            (false, false) => "",
        };
        let note = if choice.is_left {
            say("（停止済み）", " (stopped)")
        } else {
            ""
        };
        body += &format!(
            "<label><input type=\"checkbox\" name=\"scope\" value=\"topic:{}\"{mark}> {}{note}</label>\n",
            escaped(&choice.name),
            escaped(&choice.title)
        );
    }
    body += &format!(
        "</fieldset>\n<button name=\"do\" value=\"leave\">{}</button>\n<button name=\"do\" value=\"all\" class=\"quiet\">{}</button>\n</form>\n",
        say("選んだメールを停止する", "Stop the chosen messages"),
        say("すべて停止する", "Stop all of them"),
    );
    body += &format!(
        "<p class=\"small\">{}</p>\n",
        say(
            "ご契約に関する重要なお知らせは、引き続きお送りします。",
            "Notices that your contract asks for are still sent.",
        )
    );
    page(shown.language, heading, &body)
}

/// The page that tells what was done.
pub(super) fn done(shown: &Shown) -> String {
    let say = |ja, en| shown.language.say(ja, en);
    if shown.is_back {
        let heading = say("配信を再開しました", "Messages are sent again");
        let body = format!(
            "<p role=\"status\">{}</p>\n",
            say(
                "停止を取り消しました。今後もメールをお送りします。",
                "We took that back. You receive these messages again.",
            )
        );
        return page(shown.language, heading, &body);
    }
    let heading = say("配信を停止しました", "Messages are stopped");
    let mut body = format!(
        "<p role=\"status\">{}</p>\n<ul>\n",
        say(
            "次のメールは、今後お送りしません。",
            "You will not receive these any more:"
        )
    );
    for scope in &shown.left {
        body += &format!("<li>{}</li>\n", shown.title(scope));
    }
    body += "</ul>\n";
    body += &back(shown, &shown.left);
    page(shown.language, heading, &body)
}

/// The way back.
fn back(shown: &Shown, scopes: &[Scope]) -> String {
    let hidden: String = scopes
        .iter()
        .map(|scope| {
            let word = escaped(&scope.word());
            format!("<input type=\"hidden\" name=\"scope\" value=\"{word}\">\n")
        })
        .collect();
    let words = shown.language.say(
        "停止を取り消す（受信を続ける）",
        "Undo: keep receiving them",
    );
    format!(
        "<form method=\"post\">\n{hidden}<button name=\"do\" value=\"back\" class=\"quiet\">{words}</button>\n</form>\n"
    )
}

/// A link that is not ours, or not whole.
pub(super) fn unknown(language: Language) -> String {
    notice(
        language,
        ("このリンクは使えません", "This link does not work"),
        (
            "リンクが途中で切れている可能性があります。メールのリンクをもう一度開いてください。",
            "It may have been cut off. Please open the link in the message again.",
        ),
    )
}

/// A form that asks for nothing.
pub(super) fn unclear(language: Language) -> String {
    notice(
        language,
        ("何も選ばれていません", "Nothing was chosen"),
        (
            "前のページに戻り、停止するメールを選んでください。",
            "Please go back and choose what should stop.",
        ),
    )
}

/// Too many changes.
pub(super) fn busy(language: Language) -> String {
    notice(
        language,
        ("しばらくお待ちください", "Please wait a moment"),
        (
            "変更が続いたため、1分ほど待ってからもう一度お試しください。",
            "There were many changes. Please try again in a minute.",
        ),
    )
}

/// Nothing could be written.
pub(super) fn failed(language: Language) -> String {
    notice(
        language,
        ("停止できませんでした", "That did not work"),
        (
            "一時的な問題です。少し待ってから、もう一度お試しください。",
            "This is a passing problem. Please try again in a moment.",
        ),
    )
}

fn notice(
    language: Language,
    heading: (&'static str, &'static str),
    words: (&'static str, &'static str),
) -> String {
    let body = format!(
        "<p role=\"status\">{}</p>\n",
        language.say(words.0, words.1)
    );
    page(language, language.say(heading.0, heading.1), &body)
}

fn page(language: Language, heading: &str, body: &str) -> String {
    const STYLE: &str = "body{margin:0;font:1rem/1.7 system-ui,sans-serif;color:#1f2328;background:#fff}\
main{max-width:36rem;margin:0 auto;padding:2rem 1rem}h1{font-size:1.4rem}fieldset{border:1px solid #8c959f;border-radius:.4rem;padding:1rem;margin:0 0 1rem}\
label{display:block;padding:.4rem 0}input[type=checkbox]{width:1.2rem;height:1.2rem;vertical-align:middle}\
button{font:inherit;padding:.6rem 1rem;margin:0 .5rem .5rem 0;border:1px solid #0b5cad;border-radius:.4rem;background:#0b5cad;color:#fff}\
button.quiet{background:#fff;color:#0b5cad}button:focus,input:focus{outline:3px solid #bf8700;outline-offset:2px}.small{font-size:.9rem}\
@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}button.quiet{background:#0d1117;color:#79b8ff;border-color:#79b8ff}}";
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{heading}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n{body}</main>\n</body>\n</html>\n",
        language.code()
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
