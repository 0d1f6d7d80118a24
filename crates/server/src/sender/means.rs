//! The means by which messages leave: connections to the mail server, and webhooks of channels.

use crate::config::{Config, Mode, Smtp, Tls};
use model::Target;
use outreach::slack::{self, Slack, Webhook};
use outreach::smtp::{Connections, Credentials, Deadlines, Encryption, Settings};
use outreach::tls::Trust;
use std::collections::BTreeMap;

/// The means that the settings give.
#[derive(Debug)]
pub(crate) struct Means {
    pub(super) is_captured: bool,
    pub(crate) smtp: Option<Connections>,
    pub(super) slack: Option<Slack>,
    pub(super) channels: BTreeMap<Box<str>, Webhook>,
}

/// Why a means can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeansError {
    #[error("the mail server can't be used: {0}")]
    Smtp(#[from] outreach::smtp::SettingsFault),
    #[error("the channel {channel} can't be used: {why}")]
    Channel {
        channel: Box<str>,
        why: slack::SlackFault,
    },
    #[error("Slack can't be used: {0}")]
    Slack(slack::SlackFault),
}

impl Means {
    pub(crate) fn new(config: &Config) -> Result<Self, MeansError> {
        let is_captured = config.mode == Mode::Captured;
        let smtp = config.smtp.as_ref().filter(|_| !is_captured);
        let mut channels = BTreeMap::new();
        for (channel, secret) in &config.slack_channels {
            let webhook = Webhook::new(&outreach::Secret::new(secret.expose()));
            let webhook = webhook.map_err(|why| MeansError::Channel {
                channel: channel.clone(),
                why,
            })?;
            channels.insert(channel.clone(), webhook);
        }
        let slack = if channels.is_empty() || is_captured {
            None
        } else {
            let slack = Slack::new(&Trust::System, slack::Deadlines::default());
            Some(slack.map_err(MeansError::Slack)?)
        };
        let smtp = smtp
            .map(|smtp| Connections::new(settings(smtp)))
            .transpose()?;
        Ok(Self {
            is_captured,
            smtp,
            slack,
            channels,
        })
    }

    /// The first target whose means is configured; in captured mode all are.
    pub(super) fn choose<'t>(&self, targets: &'t [Target]) -> Option<&'t Target> {
        targets.iter().find(|target| {
            self.is_captured
                || match target {
                    // A person or channel by id needs a bot token, which comes with a later version.
                    Target::Slack(_) => false,
                    Target::Channel(channel) => {
                        self.slack.is_some() && self.channels.contains_key(channel)
                    }
                    Target::Email(_) => self.smtp.is_some(),
                }
        })
    }
}

fn settings(smtp: &Smtp) -> Settings {
    let usual = Settings::new(&smtp.host, smtp.port);
    let deadlines = Deadlines {
        connect: smtp.connect_time_max.unwrap_or(usual.deadlines.connect),
        command: smtp.command_time_max.unwrap_or(usual.deadlines.command),
        data: smtp.command_time_max.unwrap_or(usual.deadlines.data),
        answer: smtp.answer_time_max.unwrap_or(usual.deadlines.answer),
        ..usual.deadlines
    };
    let credentials = smtp.login.as_ref().map(|(user, password)| Credentials {
        user: user.clone(),
        password: outreach::Secret::new(password.expose()),
    });
    Settings {
        encryption: match smtp.tls {
            Tls::Required => Encryption::StartTls,
            Tls::Implicit => Encryption::Implicit,
            Tls::Plain => Encryption::None,
        },
        credentials,
        hello: smtp.hello.clone().unwrap_or(usual.hello.clone()),
        deadlines,
        connections_max: smtp.concurrency_max,
        ..usual
    }
}
