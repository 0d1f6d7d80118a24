//! Template texts: one name in one locale, its front matter taken apart. Checked by `workflow`, rendered by `outreach`.

use serde::{Deserialize, Serialize};

/// Where a template is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// A mail.
    Email,
    /// A Slack message.
    Slack,
    /// A Slack message whose body is JSON: the blocks of its Block Kit.
    Blocks,
}

/// One template text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateText {
    /// The name, shared by all locales.
    pub name: Box<str>,
    /// The locale of the file name.
    pub locale: Box<str>,
    /// Where it is read.
    pub medium: Medium,
    /// The subject line, itself a template; mails have one.
    pub subject: Option<Box<str>>,
    /// The preview line of a mail, itself a template.
    pub preheader: Option<Box<str>>,
    /// The body, its partials set in: Markdown or HTML with Handlebars.
    pub body: Box<str>,
    /// The page around the body, with marks where the engine fills it; none: the engine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Box<str>>,
    /// The text part, where it was written by hand; none: it is made from the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<Box<str>>,
    /// Hash of the whole file and all that is set in or laid around it.
    pub hash: Box<str>,
}
