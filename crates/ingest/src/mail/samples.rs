//! Bounces as servers write them: made up from the fields and words that each server's manual and RFC 3464 give.

use super::{Action, Class, Says, read};

/// A server's way to write a bounce.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Server {
    Postfix,
    Exim,
    EximOld,
    Exchange,
    Outlook,
    Gmail,
    Yahoo,
    Sendmail,
    Qmail,
    Gateway,
}

const SERVERS: [Server; 10] = [
    Server::Postfix,
    Server::Exim,
    Server::EximOld,
    Server::Exchange,
    Server::Outlook,
    Server::Gmail,
    Server::Yahoo,
    Server::Sendmail,
    Server::Qmail,
    Server::Gateway,
];

/// What the far server said: its reply code, its enhanced code, its words; and what that asks for.
const REFUSALS: [(u16, &str, &str, Class); 20] = [
    (
        550,
        "5.1.1",
        "Recipient address rejected: User unknown",
        Class::Hard,
    ),
    (
        550,
        "5.1.1",
        "The email account that you tried to reach does not exist",
        Class::Hard,
    ),
    (550, "5.1.2", "Bad destination system address", Class::Hard),
    (553, "5.1.3", "Bad recipient address syntax", Class::Hard),
    (550, "5.1.6", "Recipient no longer on server", Class::Hard),
    (
        550,
        "5.1.10",
        "RESOLVER.ADR.RecipientNotFound; Recipient not found",
        Class::Hard,
    ),
    (
        550,
        "5.2.1",
        "The email account that you tried to reach is disabled",
        Class::Hard,
    ),
    (
        552,
        "5.2.2",
        "The email account that you tried to reach is over quota",
        Class::Soft,
    ),
    (452, "4.2.2", "Mailbox full", Class::Soft),
    (
        450,
        "4.2.0",
        "Recipient address rejected: Greylisted",
        Class::Soft,
    ),
    (
        421,
        "4.7.0",
        "Try again later, closing connection",
        Class::Soft,
    ),
    (451, "4.4.1", "Connection timed out", Class::Soft),
    (
        550,
        "5.7.1",
        "Message rejected due to local policy",
        Class::Policy,
    ),
    (
        550,
        "5.7.26",
        "This message does not pass authentication checks",
        Class::Policy,
    ),
    (
        550,
        "5.7.515",
        "Access denied, sending domain does not meet the required authentication level",
        Class::Policy,
    ),
    (
        554,
        "5.7.105",
        "Sender denied as sender's email address is on a deny list",
        Class::Policy,
    ),
    (
        552,
        "5.3.4",
        "Message size exceeds fixed limit",
        Class::Soft,
    ),
    (
        550,
        "5.4.1",
        "Recipient address rejected: Access denied",
        Class::Soft,
    ),
    (554, "5.4.6", "Routing loop detected", Class::Soft),
    (550, "5.6.0", "Content rejected", Class::Soft),
];

const TO: &str = "mika.sato@acme.example";
const SENDER: &str = "bounce+abcdefghijklmnopqrstuvwxyz1k2345@b.vendor.example";
const MESSAGE_ID: &str = "abcdefghijklmnopqrstuvwxyz@vendor.example";

/// One refusal in one server's form.
struct Sample {
    server: Server,
    code: u16,
    enhanced: &'static str,
    words: &'static str,
}

impl Sample {
    fn text(&self) -> String {
        let Self {
            code,
            enhanced,
            words,
            ..
        } = self;
        let reply = format!("{code} {enhanced} <{TO}>: {words}");
        match self.server {
            Server::Postfix => self.postfix(&reply),
            Server::Exim => self.exim(&reply),
            Server::EximOld => self.exim_old(&reply),
            Server::Exchange => self.exchange(&reply),
            Server::Outlook => self.outlook(&reply),
            Server::Gmail => self.gmail(&reply),
            Server::Yahoo => self.yahoo(&reply),
            Server::Sendmail => self.sendmail(&reply),
            Server::Qmail => self.qmail(&reply),
            Server::Gateway => self.gateway(),
        }
    }

    fn postfix(&self, reply: &str) -> String {
        let Self {
            code,
            enhanced,
            words,
            ..
        } = self;
        report(
            [
                "MAILER-DAEMON@mail.vendor.example (Mail Delivery System)",
                "Undelivered Mail Returned to Sender",
            ],
            &format!(
                "This is the mail system at host mail.vendor.example.\n\n<{TO}>: host mx.acme.example[192.0.2.7] said: {reply} (in reply to RCPT TO command)\n"
            ),
            &group(&[
                ("Final-Recipient", &format!("rfc822; {TO}")),
                ("Original-Recipient", &format!("rfc822;{TO}")),
                ("Action", "failed"),
                ("Status", enhanced),
                ("Remote-MTA", "dns; mx.acme.example"),
                (
                    "Diagnostic-Code",
                    &format!("smtp; {code} {enhanced}\n    <{TO}>: {words}"),
                ),
            ]),
        )
    }

    /// Exim states no more than the class; what it was stands in the server's words.
    fn exim(&self, reply: &str) -> String {
        let Self { code, .. } = self;
        report(
            [
                "Mail Delivery System <Mailer-Daemon@mx.vendor.example>",
                "Mail delivery failed: returning message to sender",
            ],
            &format!(
                "This message was created automatically by mail delivery software.\n\n  {TO}\n    host mx.acme.example [192.0.2.7]\n    SMTP error from remote mail server after RCPT TO:<{TO}>:\n    {reply}\n"
            ),
            &group(&[
                ("Action", "failed"),
                ("Final-Recipient", &format!("rfc822;{TO}")),
                ("Status", &format!("{}.0.0", code / 100)),
                ("Remote-MTA", "dns; mx.acme.example"),
                ("Diagnostic-Code", &format!("smtp; {reply}")),
            ]),
        )
    }

    fn exim_old(&self, reply: &str) -> String {
        format!(
            "Return-path: <>\nFrom: Mail Delivery System <Mailer-Daemon@mx.vendor.example>\nTo: {SENDER}\nX-Failed-Recipients: {TO}\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\nMessage-Id: <E1abc@mx.vendor.example>\n\nThis message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {TO}\n    host mx.acme.example [192.0.2.7]\n    SMTP error from remote mail server after end of data:\n    {reply}\n\n------ This is a copy of the message, including all the headers. ------\n\nSubject: 550 5.1.1 is no status of ours\n"
        )
    }

    fn exchange(&self, reply: &str) -> String {
        let Self { enhanced, .. } = self;
        report(
            [
                "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@vendor.example>",
                "Undeliverable: A word",
            ],
            &format!(
                "Delivery has failed to these recipients or groups:\n\n{TO}\nRemote Server returned '{reply}'\n"
            ),
            &group(&[
                ("Final-Recipient", &format!("RFC822; {TO}")),
                ("Action", "failed"),
                ("Status", enhanced),
                ("Diagnostic-Code", &format!("smtp;{reply}")),
                ("X-Display-Name", TO),
            ]),
        )
    }

    fn outlook(&self, reply: &str) -> String {
        let Self { enhanced, .. } = self;
        report(
            [
                "postmaster@outlook.example",
                "=?utf-8?B?VW5kZWxpdmVyYWJsZQ==?=",
            ],
            &format!("Your message to {TO} couldn't be delivered.\n"),
            &group(&[
                ("Original-Recipient", &format!("rfc822;{TO}")),
                ("Final-Recipient", &format!("rfc822;{TO}")),
                ("Action", "failed"),
                ("Status", enhanced),
                ("Remote-MTA", "dns;mx.acme.example"),
                (
                    "X-Supplementary-Info",
                    &format!("<{reply} [AB1PR02.eurprd02.prod.outlook.example]>"),
                ),
            ]),
        )
    }

    fn gmail(&self, reply: &str) -> String {
        let Self {
            code,
            enhanced,
            words,
            ..
        } = self;
        report(
            [
                "Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
                "Delivery Status Notification (Failure)",
            ],
            &format!(
                "** Address not found **\n\nYour message wasn't delivered to {TO}.\n\nThe response was:\n\n{reply} - gsmtp\n"
            ),
            &group(&[
                ("Final-Recipient", &format!("rfc822; {TO}")),
                ("Action", "failed"),
                ("Status", enhanced),
                (
                    "Remote-MTA",
                    "dns; gmail-smtp-in.l.google.example. (192.0.2.7, the server for the domain acme.example.)",
                ),
                (
                    "Diagnostic-Code",
                    &format!(
                        "smtp; {code}-{enhanced} {words} Please try\n {code}-{enhanced} double-checking it. Learn more at\n {code} {enhanced} https://support.google.example/mail/?p=NoSuchUser a1-2.3 - gsmtp"
                    ),
                ),
                ("Last-Attempt-Date", "Tue, 13 Jan 2026 02:00:00 -0800 (PST)"),
            ]),
        )
    }

    fn yahoo(&self, reply: &str) -> String {
        let Self {
            code,
            enhanced,
            words,
            ..
        } = self;
        report(
            ["MAILER-DAEMON@yahoo.example", "Failure Notice"],
            &format!(
                "Sorry, we were unable to deliver your message to the following address.\n\n<{TO}>:\n{reply}\n\n--- Below this line is a copy of the message.\n"
            ),
            &group(&[
                ("Final-Recipient", &format!("rfc822; {TO}")),
                ("Action", "failed"),
                ("Status", &format!("{}.0.0", code / 100)),
                (
                    "Diagnostic-Code",
                    &format!("smtp; {code} {enhanced} {words}"),
                ),
            ]),
        )
    }

    fn sendmail(&self, reply: &str) -> String {
        let Self { enhanced, .. } = self;
        report(
            [
                "Mail Delivery Subsystem <MAILER-DAEMON@mx.vendor.example>",
                "Returned mail: see transcript for details",
            ],
            &format!(
                "   ----- The following addresses had permanent fatal errors -----\n<{TO}>\n    (reason: {reply})\n\n   ----- Transcript of session follows -----\n... while talking to mx.acme.example.:\n"
            ),
            &group(&[
                ("Final-Recipient", &format!("RFC822; {TO}")),
                ("Action", "failed"),
                ("Status", enhanced),
                ("Remote-MTA", "DNS; mx.acme.example"),
                ("Diagnostic-Code", &format!("SMTP; {reply}")),
                ("Last-Attempt-Date", "Tue, 13 Jan 2026 10:00:00 GMT"),
            ]),
        )
    }

    fn qmail(&self, reply: &str) -> String {
        format!(
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.vendor.example\nTo: {SENDER}\nSubject: failure notice\nDate: Tue, 13 Jan 2026 10:00:00 -0000\n\nHi. This is the qmail-send program at mx.vendor.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{TO}>:\n192.0.2.7 does not like recipient.\nRemote host said: {reply}\nGiving up on 192.0.2.7.\n\n--- Below this line is a copy of the message.\n\nSubject: 5.1.1\n"
        )
    }

    fn gateway(&self) -> String {
        let Self {
            enhanced, words, ..
        } = self;
        report(
            ["postmaster@gateway.example", "Undelivered"],
            "Delivery failed.\n",
            &group(&[
                ("Action", "failed"),
                ("Final-Recipient", &format!("utf-8; {TO}")),
                ("Status", &format!("{enhanced} ({words})")),
            ]),
        )
    }
}

fn group(fields: &[(&str, &str)]) -> String {
    let lines = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"));
    lines.collect::<String>()
}

/// A whole `multipart/report`.
fn report([from, subject]: [&str; 2], words: &str, group: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: {from}\nTo: <{SENDER}>\nSubject: {subject}\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\nMessage-Id: <20260113.1@mx.example>\nContent-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"=_b (1)/?\"\n\nThis is a MIME-encapsulated message.\n\n--=_b (1)/?\nContent-Description: Notification\nContent-Type: text/plain; charset=us-ascii\n\n{words}\n--=_b (1)/?\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\nArrival-Date: Tue, 13 Jan 2026 09:59:00 +0000\n\n{group}\n--=_b (1)/?\nContent-Description: Undelivered Message\nContent-Type: message/rfc822\n\nReturn-Path: <{SENDER}>\nFrom: success@vendor.example\nMessage-ID: <{MESSAGE_ID}>\nSubject: A word\nContent-Type: text/plain\n\nAction: delivered\nStatus: 2.0.0\n--=_b (1)/?--\n"
    )
}

/// Ways in which a mail changes on the road, its meaning the same.
fn on_the_road(text: &str, way: usize) -> Vec<u8> {
    match way {
        0 => text.replace('\n', "\r\n").into_bytes(),
        1 => text.as_bytes().to_vec(),
        // The report as a gateway that encodes everything leaves it.
        2 => {
            let mark = "Content-Type: message/delivery-status\n\n";
            let Some((before, rest)) = text.split_once(mark) else {
                return text.replace("Subject:", "SUBJECT :").into_bytes();
            };
            let (body, after) = rest
                .split_once("\n--=_b")
                .expect("there is a part behind it");
            let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, body);
            let lines: Vec<&str> = (0..encoded.len().div_ceil(76))
                .map(|line| &encoded[line * 76..encoded.len().min(line * 76 + 76)])
                .collect();
            let text = format!(
                "{before}{}Content-Transfer-Encoding: base64\n\n{}\n--=_b{after}",
                mark.trim_end_matches('\n').to_owned() + "\n",
                lines.join("\n")
            );
            text.into_bytes()
        }
        // A mailbox that notes the envelope in front.
        _ => format!("From MAILER-DAEMON Tue Jan 13 10:00:00 2026\nDelivered-To: {SENDER}\n{text}")
            .into_bytes(),
    }
}

const WAYS: usize = 4;

#[test]
fn a_bounce_of_every_server_in_every_form_is_understood() {
    let mut count = 0;
    for server in SERVERS {
        for (code, enhanced, words, class) in REFUSALS {
            let sample = Sample {
                server,
                code,
                enhanced,
                words,
            };
            for way in 0..WAYS {
                let bytes = on_the_road(&sample.text(), way);
                let shown = format!(
                    "{server:?} {enhanced} way {way}\n{}",
                    String::from_utf8_lossy(&bytes)
                );
                let came = read(&bytes).unwrap_or_else(|unread| panic!("{unread}: {shown}"));
                let Says::Reports(reports) = &came.says else {
                    panic!("{:?}: {shown}", came.says);
                };
                let [report] = reports.as_slice() else {
                    panic!("{reports:?}: {shown}");
                };
                assert!(
                    matches!(report.action, Action::Failed(_, found) if found == class),
                    "{report:?}: {shown}"
                );
                let recipient = report.recipient.as_deref().or(report.original.as_deref());
                assert_eq!(recipient, Some(TO), "{shown}");
                assert!(
                    came.to.iter().any(|to| &**to == SENDER),
                    "{:?}: {shown}",
                    came.to
                );
                if !matches!(server, Server::Qmail | Server::EximOld) {
                    assert!(came.about.iter().any(|id| &**id == MESSAGE_ID), "{shown}");
                    assert!(
                        came.returned_from.iter().any(|from| &**from == SENDER),
                        "{shown}"
                    );
                    let Action::Failed(status, _) = report.action else {
                        panic!("{shown}")
                    };
                    assert_eq!(status.to_string(), enhanced, "{shown}");
                }
                count += 1;
            }
        }
    }
    assert_eq!(count, 800);
}

#[test]
fn what_is_not_final_is_no_bounce() {
    for (action, expected) in [
        ("delayed", Action::Underway),
        ("relayed", Action::Underway),
        ("expanded", Action::Underway),
        ("delivered", Action::Delivered),
        ("Delivered (to mailbox)", Action::Delivered),
    ] {
        let fields = group(&[
            ("Final-Recipient", &format!("rfc822; {TO}")),
            ("Action", action),
            ("Status", "4.4.1"),
        ]);
        let text = report(
            ["MAILER-DAEMON@mx.example", "Delayed"],
            "Will be retried.\n",
            &fields,
        );
        let came = read(text.as_bytes()).expect("it is read");
        let Says::Reports(reports) = came.says else {
            panic!("{:?}", came.says)
        };
        assert_eq!(
            reports.first().map(|report| report.action),
            Some(expected),
            "{action}"
        );
    }
}

#[test]
fn several_recipients_are_several_reports() {
    let fields: Vec<String> = (0..60)
        .map(|n| {
            group(&[
                ("Final-Recipient", &format!("rfc822; p{n}@acme.example")),
                ("Action", "failed"),
                ("Status", "5.1.1"),
            ])
        })
        .collect();
    let text = report(
        ["MAILER-DAEMON@mx.example", "Undelivered"],
        "",
        &fields.join("\n"),
    );
    let came = read(text.as_bytes()).expect("it is read");
    let Says::Reports(reports) = came.says else {
        panic!("{:?}", came.says)
    };
    assert_eq!(reports.len(), super::MAIL_REPORTS_MAX);
    assert_eq!(reports[3].recipient.as_deref(), Some("p3@acme.example"));
}

#[test]
fn a_known_foreign_reader_finds_the_same_parts() {
    for server in SERVERS {
        let (code, enhanced, words, _) = REFUSALS[0];
        let text = Sample {
            server,
            code,
            enhanced,
            words,
        }
        .text();
        let ours = super::Entity::read(text.as_bytes());
        let foreign = mail_parser::MessageParser::default()
            .parse(text.as_bytes())
            .expect("it is a mail");
        let leaves = foreign
            .parts
            .iter()
            .filter(|part| !matches!(part.body, mail_parser::PartType::Multipart(_)));
        assert_eq!(
            ours.parts().expect("it is read").len(),
            leaves.count(),
            "{text}"
        );
        assert_eq!(
            ours.head.get("subject").is_some(),
            foreign.subject().is_some()
        );
    }
}
