//! One thing that was looked at, and what is to be done about it.

use serde::Serialize;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Note,
    /// It will not work, or loses something.
    Bad,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: Box<str>,
    /// How it stands.
    pub state: State,
    /// In words.
    pub says: Box<str>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<Box<str>>,
}

impl Finding {
    pub(super) fn good(what: impl Into<Box<str>>, says: impl Into<Box<str>>) -> Self {
        Self {
            what: what.into(),
            state: State::Good,
            says: says.into(),
            help: None,
        }
    }

    pub(super) fn note(
        what: impl Into<Box<str>>,
        says: impl Into<Box<str>>,
        help: impl Into<Box<str>>,
    ) -> Self {
        Self {
            what: what.into(),
            state: State::Note,
            says: says.into(),
            help: Some(help.into()),
        }
    }

    pub(super) fn bad(
        what: impl Into<Box<str>>,
        says: impl Into<Box<str>>,
        help: impl Into<Box<str>>,
    ) -> Self {
        Self {
            state: State::Bad,
            ..Self::note(what, says, help)
        }
    }
}

/// Settings as their owner names them, with their values.
pub(super) type Settings = [(Box<str>, Box<str>)];

/// The value of a setting.
pub(super) fn value<'s>(settings: &'s Settings, name: &str) -> Option<&'s str> {
    let mut settings = settings.iter();
    let found = settings.find(|(known, _)| **known == *name);
    found.map(|(_, value)| &**value)
}

/// All of them, for people.
pub(super) fn listed(settings: &Settings) -> String {
    let settings = settings.iter();
    let settings: Vec<String> = settings
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    settings.join(", ")
}
