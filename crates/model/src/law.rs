//! What the law asks for before somebody may be written to: a table by jurisdiction, purpose and ground.

use crate::Purpose;

/// Whose law a sender follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Jurisdiction {
    /// All that any of the others asks for.
    #[default]
    Strictest,
    /// 特定電子メール法, articles 3 and 4: nothing that advertises without consent, business, or a published address.
    Jp,
    /// CAN-SPAM, 15 U.S.C. 7701: whoever has not refused may be written to.
    Us,
    /// ePrivacy Directive, article 13: consent, or the customer's own address for similar products.
    Eu,
}

impl Jurisdiction {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Strictest, Self::Jp, Self::Us, Self::Eu];

    /// Reads the word of the settings.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The word of the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strictest => "strictest",
            Self::Jp => "jp",
            Self::Us => "us",
            Self::Eu => "eu",
        }
    }
}

/// On which ground an address is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The person agreed.
    Consent,
    /// They do business with us.
    BusinessRelationship,
    /// Their company published the address.
    Published,
    /// A contract asks for it.
    Contract,
}

impl Basis {
    /// Each of them.
    pub const ALL: [Self; 4] = [
        Self::Consent,
        Self::BusinessRelationship,
        Self::Published,
        Self::Contract,
    ];

    /// The word in tables and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::BusinessRelationship => "business_relationship",
            Self::Published => "published",
            Self::Contract => "contract",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// What a message needs before it may leave, besides that nobody refused it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Demand {
    /// Nothing more.
    #[default]
    Nothing,
    /// One of these grounds, in force at that moment.
    OneOf(&'static [Basis]),
}

/// What lets a mail that advertises leave. The strictest is what all the others accept.
const ADVERTISING: [(Jurisdiction, Demand); 4] = {
    use Basis::{BusinessRelationship, Consent, Contract, Published};
    [
        (
            Jurisdiction::Strictest,
            Demand::OneOf(&[Consent, BusinessRelationship, Contract]),
        ),
        (
            Jurisdiction::Jp,
            Demand::OneOf(&[Consent, BusinessRelationship, Contract, Published]),
        ),
        (Jurisdiction::Us, Demand::Nothing),
        (
            Jurisdiction::Eu,
            Demand::OneOf(&[Consent, BusinessRelationship, Contract]),
        ),
    ]
};

/// What a message of this purpose needs. Only what advertises needs a ground: what serves the contract or the use of what
/// was bought is no advertising in any of these laws.
pub fn demand(jurisdiction: Jurisdiction, purpose: Option<Purpose>) -> Demand {
    match purpose {
        None | Some(Purpose::Contractual | Purpose::Service) => Demand::Nothing,
        Some(Purpose::Promotional) => ADVERTISING
            .iter()
            .find(|(whose, _)| *whose == jurisdiction)
            .map_or(Demand::OneOf(&[]), |(_, demand)| *demand),
    }
}

impl Demand {
    /// Whether a ground is enough.
    pub fn accepts(self, basis: Basis) -> bool {
        match self {
            Self::Nothing => true,
            Self::OneOf(bases) => bases.contains(&basis),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for basis in Basis::ALL {
            assert_eq!(Basis::parse(basis.as_str()), Some(basis));
        }
        for jurisdiction in Jurisdiction::ALL {
            assert_eq!(
                Jurisdiction::parse(jurisdiction.as_str()),
                Some(jurisdiction)
            );
        }
    }

    #[test]
    fn the_strictest_is_what_every_other_accepts() {
        let accepts = |whose, basis| demand(whose, Some(Purpose::Promotional)).accepts(basis);
        for basis in Basis::ALL {
            let others = Jurisdiction::ALL.into_iter();
            let all = others
                .filter(|one| *one != Jurisdiction::Strictest)
                .all(|one| accepts(one, basis));
            assert_eq!(accepts(Jurisdiction::Strictest, basis), all, "{basis:?}");
        }
        let nobody = demand(Jurisdiction::Strictest, Some(Purpose::Promotional));
        assert_ne!(nobody, Demand::Nothing);
    }
}
