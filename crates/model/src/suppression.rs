//! Suppressions: what may not be said to an address any more, and why.

use crate::Purpose;

/// What is stopped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything, contractual messages included: nothing can or may reach this address.
    All,
    /// Everything that can be left.
    Leavable,
    /// What advertises.
    Promotional,
    /// One topic, if it can be left.
    Topic(Box<str>),
}

impl Scope {
    /// As it stands in tables, facts and output: `all`, `leavable`, `promotional` or `topic:NAME`.
    pub fn word(&self) -> Box<str> {
        match self {
            Self::All => "all".into(),
            Self::Leavable => "leavable".into(),
            Self::Promotional => "promotional".into(),
            Self::Topic(topic) => format!("topic:{topic}").into(),
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "all" => Some(Self::All),
            "leavable" => Some(Self::Leavable),
            "promotional" => Some(Self::Promotional),
            _ => {
                let topic = word.strip_prefix("topic:")?;
                (!topic.is_empty()).then(|| Self::Topic(topic.into()))
            }
        }
    }

    /// Whether a message of this topic and purpose is stopped. What is contractual, or no topic's at all, can't be left.
    pub fn stops(&self, topic: Option<&str>, purpose: Option<Purpose>) -> bool {
        let can_be_left = matches!(purpose, Some(Purpose::Service | Purpose::Promotional));
        match self {
            Self::All => true,
            Self::Leavable => can_be_left,
            Self::Promotional => purpose == Some(Purpose::Promotional),
            Self::Topic(left) => can_be_left && topic == Some(left),
        }
    }
}

/// Why something is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The person said so.
    Unsubscribed,
    /// Mail to the address comes back.
    Bounced,
    /// The person called a mail unwanted.
    Complained,
    /// One of us said so.
    ByHand,
    /// It stood in a list that was brought along.
    Imported,
    /// The person was erased.
    Erased,
}

impl Reason {
    const ALL: [Self; 6] = [
        Self::Unsubscribed,
        Self::Bounced,
        Self::Complained,
        Self::ByHand,
        Self::Imported,
        Self::Erased,
    ];

    /// The word in tables, facts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::ByHand => "by_hand",
            Self::Imported => "imported",
            Self::Erased => "erased",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_back_from_its_word() {
        let all = [
            Scope::All,
            Scope::Leavable,
            Scope::Promotional,
            Scope::Topic("news".into()),
        ];
        for scope in all {
            assert_eq!(Scope::parse(&scope.word()), Some(scope));
        }
        assert_eq!(Scope::parse("topic:"), None);
        assert_eq!(Scope::parse("everything"), None);
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
    }

    #[test]
    fn a_scope_stops_what_can_be_left_and_all_stops_the_rest_too() {
        use Purpose::{Contractual, Promotional, Service};
        let news = || Scope::Topic("news".into());
        for (scope, purpose, expected) in [
            (Scope::All, Some(Contractual), true),
            (Scope::All, None, true),
            (Scope::Leavable, Some(Contractual), false),
            (Scope::Leavable, None, false),
            (Scope::Leavable, Some(Service), true),
            (Scope::Leavable, Some(Promotional), true),
            (Scope::Promotional, Some(Service), false),
            (Scope::Promotional, Some(Promotional), true),
            (news(), Some(Service), true),
            (news(), Some(Contractual), false),
        ] {
            assert_eq!(
                scope.stops(Some("news"), purpose),
                expected,
                "{scope:?} {purpose:?}"
            );
        }
        assert!(!news().stops(Some("other"), Some(Service)));
        assert!(!news().stops(None, Some(Service)));
    }
}
