//! Every answer, and none, in every phase: in the clear and encrypted, one command at a time and in one flight. The fate is
//! the same in all of them.

use crate::scripted::{OPENING, Server, Step};
use crate::session::{ANSWERS, MESSAGE, hand_over, settings};
use crate::tls::certificate;
use outreach::smtp::{Encryption, Settings};
use outreach::{Fate, Phase};

/// How a session is led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode {
    encryption: Encryption,
    in_flight: bool,
}

/// What a server says to `EHLO` that takes commands in one flight.
pub(crate) const IN_FLIGHT: Step =
    Step::Say("250-relay.example\r\n250-SIZE 1000000\r\n250-PIPELINING\r\n250 8BITMIME\r\n");

impl Mode {
    /// In the clear, one command at a time.
    pub(crate) const PLAIN: Self = Self {
        encryption: Encryption::None,
        in_flight: false,
    };
    /// In the clear, all commands at once.
    pub(crate) const FLIGHT: Self = Self {
        encryption: Encryption::None,
        in_flight: true,
    };

    fn all() -> impl Iterator<Item = Self> {
        let ways = [Encryption::None, Encryption::StartTls, Encryption::Implicit];
        ways.into_iter().flat_map(|encryption| {
            [false, true].map(|in_flight| Self {
                encryption,
                in_flight,
            })
        })
    }

    /// The first steps of an opening, up to where the server answers.
    pub(crate) fn opening(self, before: usize) -> Vec<Step> {
        let mut steps = OPENING.to_vec();
        if self.in_flight {
            steps[2] = IN_FLIGHT;
        }
        steps.truncate(before);
        if self.in_flight && before > 3 {
            // It reads all of the flight before it answers or goes: else what it said last could get lost.
            let is_heard = |step: &Step| !matches!(step, Step::Hear);
            let said: Vec<Step> = steps.drain(3..).filter(is_heard).collect();
            steps.extend([Step::Hear; 3]);
            steps.extend(said);
        }
        match self.encryption {
            Encryption::None => steps,
            Encryption::Implicit => [&[Step::Encrypt], &steps[..]].concat(),
            Encryption::StartTls if before == 0 => steps,
            Encryption::StartTls => {
                let clear = [
                    Step::Say("220 hello\r\n"),
                    Step::Hear,
                    Step::Say("250-x\r\n250 STARTTLS\r\n"),
                    Step::Hear,
                    Step::Say("220 go\r\n"),
                    Step::Encrypt,
                ];
                [&clear, &steps[1..]].concat()
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Cut,
    Deferred,
    Refused,
}

#[tokio::test]
async fn each_answer_in_each_phase_has_its_fate() {
    let answers = [
        (None, Due::Cut),
        (Some("banana\r\n"), Due::Cut),
        (Some("2"), Due::Cut),
        (Some("250"), Due::Cut),
        (Some("250-half\r\n"), Due::Cut),
        (Some("250-half\r\n354 other\r\n"), Due::Cut),
        (Some("\r\n"), Due::Cut),
        (Some("150 odd\r\n"), Due::Cut),
        (Some("334 odd\r\n"), Due::Cut),
        (Some("999 odd\r\n"), Due::Cut),
        (Some("421 later\r\n"), Due::Deferred),
        (Some("451-not\r\n451 now\r\n"), Due::Deferred),
        (Some("550 never\r\n"), Due::Refused),
        (Some("554-5.7.1 no\r\n554 never\r\n"), Due::Refused),
    ];
    let (trust, tls) = certificate("127.0.0.1");
    for mode in Mode::all() {
        for (phase, before) in ANSWERS {
            for (words, due) in answers {
                let mut script = mode.opening(before);
                script.extend(words.map(Step::Say));
                let server = Server::start_with(vec![script], Some(tls.clone())).await;
                let settings = Settings {
                    encryption: mode.encryption,
                    trust: trust.clone(),
                    ..settings(server.port)
                };
                let (outcome, asked) = hand_over(settings, &[], MESSAGE, true).await;
                let at = format!("{mode:?} {phase} {words:?}: {:?}", outcome.fate);
                assert!(outcome.session.is_none(), "{at}");
                let is_asked = if mode.in_flight {
                    before >= 4
                } else {
                    before >= 8
                };
                assert_eq!(asked, usize::from(is_asked), "{at}");
                check(phase, due, &outcome.fate, &at);
                let has_message = server.messages() > 0;
                assert!(phase == Phase::Answer || !has_message, "{at}");
            }
        }
    }
}

fn check(due_phase: Phase, due: Due, fate: &Fate, at: &str) {
    let is_before_mail = matches!(due_phase, Phase::Greeting | Phase::Hello);
    match (due, fate) {
        (Due::Cut, Fate::NotSent { phase, .. }) => {
            assert!(*phase == due_phase && !phase.is_ambiguous(), "{at}");
        }
        (Due::Cut, Fate::Unknown { phase, .. }) => {
            assert_eq!((*phase, due_phase), (Phase::Answer, Phase::Answer), "{at}")
        }
        (Due::Deferred, Fate::Deferred { phase, code, .. }) => {
            assert!(*phase == due_phase && code / 100 == 4, "{at}")
        }
        (Due::Refused, Fate::NotSent { phase, .. }) => {
            assert!(*phase == due_phase && is_before_mail, "{at}")
        }
        (
            Due::Refused,
            Fate::Refused {
                phase,
                code,
                recipient,
                ..
            },
        ) => {
            assert!(
                *phase == due_phase && !is_before_mail && code / 100 == 5,
                "{at}"
            );
            assert_eq!(recipient.is_some(), due_phase == Phase::Recipient, "{at}");
        }
        _ => panic!("{at}"),
    }
}
