//! Messages: what is to be said to whom on which channel, and what became of it.

use crate::{AccountId, MessageId, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A name and an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// The display name, free of control characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// The address.
    pub address: Box<str>,
}

/// What a topic is for; only `Contractual` cannot be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Part of the contract.
    Contractual,
    /// Helps to use the product.
    Service,
    /// Advertises.
    Promotional,
}

/// One target of a route, frozen at the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A Slack user or channel id; needs a bot token.
    Slack(Box<str>),
    /// A channel with an incoming webhook in the settings.
    Channel(Box<str>),
    /// The same template as a mail, its first line the subject.
    Email(Box<str>),
    /// A channel of Microsoft Teams with a workflow webhook in the settings.
    Teams(Box<str>),
}

/// How a message leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A mail to one recipient.
    Email {
        /// The recipient.
        to: Mailbox,
        /// The contact it is for.
        contact: Box<str>,
        /// Who else gets a copy.
        cc: Vec<Mailbox>,
        /// The sender.
        from: Mailbox,
        /// Where answers go, if not to the sender.
        reply_to: Option<Mailbox>,
    },
    /// A post to the first target whose means is configured.
    Route {
        /// The route's name.
        route: Box<str>,
        /// Its targets, first choice first.
        targets: Vec<Target>,
    },
    /// A call of somebody else's server.
    Webhook {
        /// Its name among the policies.
        name: Box<str>,
    },
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A template, rendered from the frozen view.
    Template {
        /// Its name.
        name: Box<str>,
        /// The locale that was chosen.
        locale: Box<str>,
        /// The hash of its text at the decision.
        hash: Box<str>,
    },
    /// Plain text, as written.
    Text(Box<str>),
    /// The CSM is told that a step found nobody to write to.
    Nobody {
        /// The step.
        step: Box<str>,
        /// The workflow's title.
        workflow: Box<str>,
    },
    /// The CSM is told that a reader calls a message spam.
    Complained {
        /// The step.
        step: Box<str>,
        /// The workflow's title.
        workflow: Box<str>,
    },
    /// Somebody is asked to approve a step; the preview is rendered from the same view.
    Ask {
        /// The task to answer.
        task: Box<str>,
        /// The template that would be sent.
        name: Box<str>,
        /// Its locale.
        locale: Box<str>,
        /// Its hash.
        hash: Box<str>,
    },
    /// A task was given.
    Task {
        /// The task.
        task: Box<str>,
        /// What is to be done.
        title: Box<str>,
        /// Until when.
        due_at: Option<Timestamp>,
    },
    /// A webhook is called: its body is the frozen view.
    Webhook,
}

/// A message as it is committed with the decision that wanted it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Its id, the same however often it is decided.
    pub message: MessageId,
    /// The account it belongs to.
    pub account: AccountId,
    /// The workflow.
    pub workflow: Box<str>,
    /// The subject of the run.
    pub subject: Box<str>,
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: Box<str>,
    /// How it leaves.
    pub channel: Channel,
    /// What it says.
    pub content: Content,
    /// All that the template reads, as JSON; unknown is null. `_` holds `at`, `timezone`, `currency`.
    pub view: serde_json::Value,
    /// The subscription topic.
    pub topic: Option<Box<str>>,
    /// The topic's purpose; alerts have none.
    pub purpose: Option<Purpose>,
    /// Whether an unknown fate is sent again (`if_unknown: resend`).
    pub resends_unknown: bool,
    /// Not handed over before.
    pub not_before: Timestamp,
    /// Not handed over from then on; decided again instead.
    pub expires_at: Option<Timestamp>,
    /// Smaller goes first.
    pub priority: u8,
    /// Whether it is kept back, since its workflow runs in shadow.
    pub is_shadow: bool,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits to be claimed.
    Queued,
    /// A sender has it.
    Claimed,
    /// The server took it.
    Sent,
    /// To be tried again later.
    Deferred,
    /// The server said no for good.
    Refused,
    /// Nobody can know whether the server took it.
    Unknown,
    /// The gate said no.
    Suppressed,
    /// Its window closed before it left.
    Expired,
    /// Kept back: decided in shadow.
    Shadow,
    /// Taken back by the engine before it left: its run ended.
    Withdrawn,
}

impl DeliveryState {
    /// The word in tables, records and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
            Self::Shadow => "shadow",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Queued,
            Self::Claimed,
            Self::Sent,
            Self::Deferred,
            Self::Refused,
            Self::Unknown,
            Self::Suppressed,
            Self::Expired,
            Self::Shadow,
            Self::Withdrawn,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }
}
