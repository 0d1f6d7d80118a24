//! Settings of all that leaves by HTTP: whom may be called, Slack, Teams, webhooks.

use super::build::{Variable, secret, time};
use super::{ConfigError, Secret, setting};
use outreach::egress::Allow;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Where Slack's interface is.
const SLACK_API: &str = "https://slack.com/api";
/// The least time between two posts in a channel, as Slack wants it.
const SLACK_PACE: Duration = Duration::from_secs(1);
/// The most entries of `egress.allow`.
const ALLOW_MAX: usize = 256;

/// What leaves by HTTP, checked.
#[derive(Clone)]
pub struct Reach {
    /// Who may be called besides the world by https.
    pub allow: Vec<Allow>,
    /// Incoming webhooks of Slack by channel, `#` included.
    pub slack_channels: BTreeMap<Box<str>, Secret>,
    /// The token of the Slack app's bot.
    pub slack_bot: Option<Secret>,
    /// What Slack signs its requests with.
    pub slack_signing: Option<Secret>,
    /// Where Slack's interface is.
    pub slack_api: Box<str>,
    /// The least time between two posts in a channel.
    pub slack_pace: Duration,
    /// Workflow webhooks of Microsoft Teams by channel.
    pub teams_channels: BTreeMap<Box<str>, Secret>,
    /// Webhooks by their names among the policies.
    pub webhooks: BTreeMap<Box<str>, Hook>,
}

/// What the settings say of one webhook.
#[derive(Clone)]
pub struct Hook {
    /// What its calls are signed with.
    pub secret: Option<Secret>,
    /// What they were signed with before, while keys change.
    pub previous_secret: Option<Secret>,
    /// Whether an account's calls go one after the other.
    pub is_ordered: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EgressSettings {
    pub(super) allow: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SlackSettings {
    channels: BTreeMap<String, String>,
    bot_token: Option<String>,
    signing_secret: Option<String>,
    api: Option<String>,
    pace: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TeamsSettings {
    channels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HookSettings {
    secret: Option<String>,
    previous_secret: Option<String>,
    ordered: bool,
}

/// The settings of what leaves by HTTP, as they are written.
pub(super) struct Written<'s> {
    pub(super) egress: &'s EgressSettings,
    pub(super) slack: &'s SlackSettings,
    pub(super) teams: &'s TeamsSettings,
    pub(super) webhooks: &'s BTreeMap<String, HookSettings>,
}

pub(super) fn reach(
    written: &Written<'_>,
    variable: Variable<'_>,
    base: &Path,
) -> Result<Reach, ConfigError> {
    let one = |name: &str, reference: &Option<String>| {
        let reference = reference.as_deref();
        let read = reference.map(|reference| secret(name, reference, variable, base));
        read.transpose()
    };
    let many = |group: &str, references: &BTreeMap<String, String>| {
        let pair = |(channel, reference): (&String, &String)| {
            let name = format!("{group}.{channel:?}");
            let read = secret(&name, reference, variable, base)?;
            Ok((Box::from(channel.as_str()), read))
        };
        references
            .iter()
            .map(pair)
            .collect::<Result<_, ConfigError>>()
    };
    let mut webhooks = BTreeMap::new();
    for (name, hook) in written.webhooks {
        let place = format!("webhooks.{name}");
        let read = Hook {
            secret: one(&format!("{place}.secret"), &hook.secret)?,
            previous_secret: one(&format!("{place}.previous_secret"), &hook.previous_secret)?,
            is_ordered: hook.ordered,
        };
        if read.secret.is_none() && read.previous_secret.is_some() {
            let why = "is needed with `previous_secret`";
            return Err(setting(&format!("{place}.secret"), why));
        }
        webhooks.insert(name.as_str().into(), read);
    }
    let slack = written.slack;
    Ok(Reach {
        allow: allow(&written.egress.allow)?,
        slack_channels: many("slack.channels", &slack.channels)?,
        slack_bot: one("slack.bot_token", &slack.bot_token)?,
        slack_signing: one("slack.signing_secret", &slack.signing_secret)?,
        slack_pace: time("slack.pace", slack.pace.as_deref())?.unwrap_or(SLACK_PACE),
        slack_api: slack.api.as_deref().unwrap_or(SLACK_API).into(),
        teams_channels: many("teams.channels", &written.teams.channels)?,
        webhooks,
    })
}

fn allow(entries: &[String]) -> Result<Vec<Allow>, ConfigError> {
    if entries.len() > ALLOW_MAX {
        return Err(setting(
            "egress.allow",
            format!("has more than {ALLOW_MAX} entries"),
        ));
    }
    let read = |(index, entry): (usize, &String)| {
        let place = format!("egress.allow[{index}]");
        entry.parse().map_err(|why: outreach::egress::AllowFault| {
            setting(&place, format!("{entry:?}: {why}"))
        })
    };
    entries.iter().enumerate().map(read).collect()
}

impl Reach {
    /// Whether something is to leave by HTTP whatever the policies say.
    pub(crate) fn is_needed(&self) -> bool {
        self.slack_bot.is_some()
            || !self.slack_channels.is_empty()
            || !self.teams_channels.is_empty()
            || !self.webhooks.is_empty()
    }

    /// These settings, for people, each under its name; no secret is in it.
    pub(super) fn shown(&self) -> Map<String, Value> {
        let references = |secrets: &BTreeMap<Box<str>, Secret>| -> Map<String, Value> {
            let pairs = secrets.iter();
            pairs
                .map(|(name, secret)| (name.to_string(), secret.reference().into()))
                .collect()
        };
        let reference =
            |secret: &Option<Secret>| secret.as_ref().map(|it| it.reference().to_owned());
        let hook = |hook: &Hook| {
            json!({
                "secret": reference(&hook.secret),
                "previous_secret": reference(&hook.previous_secret),
                "ordered": hook.is_ordered,
            })
        };
        let hooks = self.webhooks.iter();
        let hooks: Map<String, Value> = hooks
            .map(|(name, it)| (name.to_string(), hook(it)))
            .collect();
        let allow: Vec<String> = self.allow.iter().map(ToString::to_string).collect();
        let mut shown = Map::new();
        shown.insert("egress".into(), json!({ "allow": allow }));
        let slack = json!({
            "channels": references(&self.slack_channels),
            "bot_token": reference(&self.slack_bot),
            "signing_secret": reference(&self.slack_signing),
            "api": self.slack_api,
            "pace": format!("{}ms", self.slack_pace.as_millis()),
        });
        shown.insert("slack".into(), slack);
        shown.insert(
            "teams".into(),
            json!({ "channels": references(&self.teams_channels) }),
        );
        shown.insert("webhooks".into(), Value::Object(hooks));
        shown
    }
}
