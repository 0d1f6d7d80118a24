//! Mail servers: the one for all, those of single senders, and how fast any of them may go.

use super::build::{Variable, secret, time};
use super::settings::{PaceSettings, RateSettings, SenderSettings, SmtpSettings, WarmUpSettings};
use super::{ConfigError, Dkim, Pace, Rate, Secret, Sender, Smtp, Tls, WarmUp, setting};
use std::path::Path;

/// The most senders with a server of their own.
const SENDERS_MAX: usize = 100;
/// The most domains with a pace of their own.
const DOMAINS_MAX: usize = 1_000;
/// The most keys that sign one mail.
const KEYS_MAX: usize = 4;

/// The server that `name` sets, if it sets one.
pub(super) fn smtp(
    name: &str,
    settings: &SmtpSettings,
    password: Option<Secret>,
    (variable, base): (Variable<'_>, &Path),
) -> Result<Option<Smtp>, ConfigError> {
    let Some(host) = settings.host.as_deref() else {
        return Ok(None);
    };
    let at = |key: &str| format!("{name}.{key}");
    let tls = tls(&at("tls"), settings.tls.as_deref())?;
    let login = login(name, settings, password, (variable, base))?;
    if login.is_some() && tls == Tls::Plain {
        return Err(setting(
            &at("tls"),
            "a password never crosses the net in the clear: not `none` with `smtp.user`",
        ));
    }
    let concurrency_max = settings.concurrency_max.unwrap_or(8);
    if !(1..=256).contains(&concurrency_max) {
        return Err(setting(&at("concurrency_max"), "must be from 1 to 256"));
    }
    let implied = match tls {
        Tls::Required => 587,
        Tls::Implicit => 465,
        Tls::Plain => 25,
    };
    let time = |key: &str, text: &Option<String>| time(&at(key), text.as_deref());
    Ok(Some(Smtp {
        host: host.into(),
        port: settings.port.unwrap_or(implied),
        tls,
        login,
        hello: settings.hello.as_deref().map(Into::into),
        concurrency_max,
        pipelining: settings.pipelining.unwrap_or(true),
        dkim: dkim(name, settings, (variable, base))?,
        connect_time_max: time("connect_time_max", &settings.connect_time_max)?,
        command_time_max: time("command_time_max", &settings.command_time_max)?,
        answer_time_max: time("answer_time_max", &settings.answer_time_max)?,
    }))
}

fn tls(name: &str, word: Option<&str>) -> Result<Tls, ConfigError> {
    match word {
        None | Some("required") => Ok(Tls::Required),
        Some("implicit") => Ok(Tls::Implicit),
        Some("none") => Ok(Tls::Plain),
        Some(word) => Err(setting(
            name,
            format!("{word:?} is not `required`, `implicit` or `none`"),
        )),
    }
}

fn login(
    name: &str,
    settings: &SmtpSettings,
    password: Option<Secret>,
    (variable, base): (Variable<'_>, &Path),
) -> Result<Option<(Box<str>, Secret)>, ConfigError> {
    let at = |key: &str| format!("{name}.{key}");
    let password = match (password, settings.password.as_deref()) {
        (Some(password), _) => Some(password),
        (None, Some(reference)) => Some(secret(&at("password"), reference, variable, base)?),
        (None, None) => None,
    };
    match (settings.user.as_deref(), password) {
        (Some(user), Some(password)) => Ok(Some((user.into(), password))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(setting(&at("password"), "is needed with `smtp.user`")),
        (None, Some(_)) => Err(setting(&at("user"), "is needed with `smtp.password`")),
    }
}

fn dkim(
    name: &str,
    settings: &SmtpSettings,
    (variable, base): (Variable<'_>, &Path),
) -> Result<Vec<Dkim>, ConfigError> {
    if settings.dkim.len() > KEYS_MAX {
        return Err(setting(
            &format!("{name}.dkim"),
            format!("at most {KEYS_MAX} keys sign a mail"),
        ));
    }
    let keys = settings.dkim.iter().enumerate().map(|(index, key)| {
        let name = format!("{name}.dkim[{index}]");
        let pem = secret(&format!("{name}.key"), &key.key, variable, base)?;
        let dkim = Dkim {
            domain: key.domain.as_str().into(),
            selector: key.selector.as_str().into(),
            key: pem,
        };
        dkim.signer()
            .map_err(|fault| setting(&name, fault.to_string()))?;
        Ok(dkim)
    });
    keys.collect()
}

/// The senders with servers of their own.
pub(super) fn senders(
    settings: &[SenderSettings],
    around: (Variable<'_>, &Path),
) -> Result<Vec<Sender>, ConfigError> {
    if settings.len() > SENDERS_MAX {
        return Err(setting(
            "senders",
            format!("there are at most {SENDERS_MAX}"),
        ));
    }
    let mut senders: Vec<Sender> = Vec::new();
    for (index, sender) in settings.iter().enumerate() {
        let name = format!("senders[{index}]");
        let smtp = smtp(&format!("{name}.smtp"), &sender.smtp, None, around)?;
        let smtp = smtp.ok_or_else(|| setting(&format!("{name}.smtp.host"), "is needed"))?;
        let from: Vec<Box<str>> = sender
            .from
            .iter()
            .map(|from| from.to_ascii_lowercase().into())
            .collect();
        if from.is_empty() {
            return Err(setting(
                &format!("{name}.from"),
                "is needed: the addresses or domains that this server sends for",
            ));
        }
        let known = senders.iter().flat_map(|other| &other.from);
        if let Some(twice) = known.into_iter().find(|known| from.contains(known)) {
            return Err(setting(
                &format!("{name}.from"),
                format!("{twice} has a server already"),
            ));
        }
        senders.push(Sender { from, smtp });
    }
    Ok(senders)
}

/// How fast mails may leave.
pub(super) fn pace(settings: &PaceSettings) -> Result<Pace, ConfigError> {
    if settings.domains.len() > DOMAINS_MAX {
        return Err(setting(
            "pace.domains",
            format!("there are at most {DOMAINS_MAX}"),
        ));
    }
    let domains = settings.domains.iter().map(|(domain, settings)| {
        let rate = rate(&format!("pace.domains.{domain}"), settings)?;
        Ok((domain.to_ascii_lowercase().into(), rate))
    });
    let any = settings.each_domain.as_ref();
    Ok(Pace {
        each_domain: any
            .map(|settings| rate("pace.each_domain", settings))
            .transpose()?
            .unwrap_or_default(),
        domains: domains.collect::<Result<_, ConfigError>>()?,
        warm_up: settings.warm_up.as_ref().map(warm_up).transpose()?,
    })
}

fn rate(name: &str, settings: &RateSettings) -> Result<Rate, ConfigError> {
    let within = |key: &str, value: Option<u32>, most: u32| match value {
        Some(value) if !(1..=most).contains(&value) => Err(setting(
            &format!("{name}.{key}"),
            format!("must be from 1 to {most}"),
        )),
        other => Ok(other),
    };
    Ok(Rate {
        per_minute: within("per_minute", settings.per_minute, 1_000_000)?,
        at_once: within("at_once", settings.at_once, 256)?,
    })
}

fn warm_up(settings: &WarmUpSettings) -> Result<WarmUp, ConfigError> {
    let since = settings.since.parse().map_err(|_| {
        let why = format!("{:?} is not a day such as 2026-12-01", settings.since);
        setting("pace.warm_up.since", why)
    })?;
    let within = |key: &str, value: u32, least: u32, most: u32| {
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            let why = format!("must be from {least} to {most}");
            Err(setting(&format!("pace.warm_up.{key}"), why))
        }
    };
    Ok(WarmUp {
        since,
        first_day: within("first_day", settings.first_day.unwrap_or(50), 1, 1_000_000)?,
        grows_percent: within(
            "grows_percent",
            settings.grows_percent.unwrap_or(50),
            0,
            1_000,
        )?,
        days: within("days", settings.days.unwrap_or(30), 1, 365)?,
    })
}
