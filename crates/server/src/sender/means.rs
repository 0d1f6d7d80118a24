//! The means by which messages leave: connections to the mail server, and what is reached by HTTP.

use super::digest::Digests;
use super::endpoint::Endpoints;
use super::pace::Pace;
use super::people::People;
use super::servers::Servers;
use crate::config::{Config, Mode, Reach, Secret};
use jiff::Timestamp;
use model::Target;
use outreach::Fate;
use outreach::egress::{self, Barred, Egress, EgressFault, Policy};
use outreach::slack::{Bot, Incoming, SlackFault};
use outreach::tls::Trust;
use outreach::webhook::{Key, KeyFault};
use serde_json::Value;
use std::collections::BTreeMap;

/// The means that the settings give.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) is_captured: bool,
    pub(super) servers: Servers,
    /// The one way out for HTTP; none in captured mode.
    pub(super) egress: Option<Egress>,
    pub(super) channels: BTreeMap<Box<str>, Incoming>,
    pub(super) teams: BTreeMap<Box<str>, Incoming>,
    pub(super) bot: Option<Bot>,
    /// Whether what is pressed in Slack reaches us.
    pub(super) hears_buttons: bool,
    keys: BTreeMap<Box<str>, Vec<Key>>,
    pub(super) endpoints: Endpoints,
    pub(super) pace: Pace,
    pub(super) people: People,
    pub(super) digests: Digests,
}

/// Why a means can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeansError {
    #[error("the mail server can't be used: {0}")]
    Smtp(#[from] outreach::smtp::SettingsFault),
    #[error("mails can't be signed: {0}")]
    Dkim(#[from] outreach::dkim::DkimFault),
    #[error("the channel {channel} can't be used: {why}")]
    Channel { channel: Box<str>, why: SlackFault },
    #[error("slack.api can't be used: {0}")]
    Slack(Barred),
    #[error("webhooks.{name}.{key}: {why}")]
    Key {
        name: Box<str>,
        key: &'static str,
        why: KeyFault,
    },
    #[error(transparent)]
    Egress(#[from] EgressFault),
}

impl Means {
    pub(crate) fn new(config: &Config) -> Result<Self, MeansError> {
        let is_captured = config.mode == Mode::Captured;
        let keys = keys(&config.reach)?;
        let none = Self {
            is_captured,
            servers: Servers::none(),
            egress: None,
            channels: BTreeMap::new(),
            teams: BTreeMap::new(),
            bot: None,
            hears_buttons: config.reach.slack_signing.is_some(),
            keys,
            endpoints: Endpoints::default(),
            pace: Pace::new(config.reach.slack_pace),
            people: People::default(),
            digests: Digests::default(),
        };
        if is_captured {
            return Ok(none);
        }
        let policy = Policy::new(config.reach.allow.clone());
        let egress = match Egress::new(&Trust::System, policy, egress::Deadlines::default()) {
            Ok(egress) => egress,
            // A machine without certificates of authorities may have nothing to call.
            Err(fault) if !config.reach.is_needed() => {
                tracing::warn!(%fault, "nothing can leave by HTTP");
                return Ok(Self {
                    servers: Servers::new(config)?,
                    ..none
                });
            }
            Err(fault) => return Err(fault.into()),
        };
        let api = &config.reach.slack_api;
        let bot = config.reach.slack_bot.as_ref().map(|token| {
            let token = outreach::Secret::new(token.expose());
            Bot::new(&egress, token, api).map_err(MeansError::Slack)
        });
        Ok(Self {
            servers: Servers::new(config)?,
            channels: channels(&egress, &config.reach.slack_channels)?,
            teams: channels(&egress, &config.reach.teams_channels)?,
            bot: bot.transpose()?,
            egress: Some(egress),
            ..none
        })
    }

    /// The keys that the calls of a webhook are signed with, the present one first.
    pub(super) fn keys(&self, webhook: &str) -> &[Key] {
        self.keys.get(webhook).map_or(&[], Vec::as_slice)
    }

    /// Puts other words in the place of a post of the bot.
    pub(crate) async fn update(&self, (channel, ts): (&str, &str), payload: &Value) -> Fate {
        match (&self.bot, &self.egress) {
            (Some(bot), Some(egress)) => bot.update(egress, (channel, ts), payload).await,
            (_, _) => Fate::NotPermitted,
        }
    }

    /// What people should see of them, though messages only wait.
    pub(crate) fn notes(&self, now: Timestamp) -> Vec<String> {
        let resting = self.endpoints.resting(now).into_iter();
        resting
            .map(|(name, until)| {
                format!("webhook {name} fails again and again; it is left alone until {until}")
            })
            .collect()
    }

    /// Says good-bye on every connection to a mail server.
    pub(crate) async fn close(&self) {
        self.servers.close().await;
    }

    /// The first target whose means is configured, and how many were passed over; in captured mode all are.
    pub(super) fn choose<'t>(&self, targets: &'t [Target]) -> Option<(usize, &'t Target)> {
        let mut targets = targets.iter().enumerate();
        targets.find(|(_, target)| {
            self.is_captured
                || match target {
                    Target::Slack(_) => self.bot.is_some(),
                    Target::Channel(channel) => {
                        self.bot.is_some() || self.channels.contains_key(channel)
                    }
                    Target::Teams(channel) => self.teams.contains_key(channel),
                    Target::Email(_) => self.servers.is_any(),
                }
        })
    }
}

fn channels(
    egress: &Egress,
    secrets: &BTreeMap<Box<str>, Secret>,
) -> Result<BTreeMap<Box<str>, Incoming>, MeansError> {
    let checked = secrets.iter().map(|(channel, secret)| {
        let incoming = Incoming::new(egress, &outreach::Secret::new(secret.expose()));
        let channel = channel.clone();
        match incoming {
            Ok(incoming) => Ok((channel, incoming)),
            Err(why) => Err(MeansError::Channel { channel, why }),
        }
    });
    checked.collect()
}

fn keys(reach: &Reach) -> Result<BTreeMap<Box<str>, Vec<Key>>, MeansError> {
    let mut all = BTreeMap::new();
    for (name, hook) in &reach.webhooks {
        let both = [
            ("secret", &hook.secret),
            ("previous_secret", &hook.previous_secret),
        ];
        let mut keys = Vec::new();
        for (key, secret) in both {
            let Some(secret) = secret else { continue };
            let read = Key::new(&outreach::Secret::new(secret.expose()));
            keys.push(read.map_err(|why| MeansError::Key {
                name: name.clone(),
                key,
                why,
            })?);
        }
        all.insert(name.clone(), keys);
    }
    Ok(all)
}
