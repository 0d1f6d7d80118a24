//! Stored formats: a golden file for each version ever shipped. Never edit an old one; add one.

use crate::history::{begin, begun, fact};
use crate::workspace::shipped;
use engine::simulate::Simulation;
use engine::{Account, DecodeError};
use jiff::SignedDuration;
use model::AccountId;
use serde_json::json;

/// One line for the head, then one for each part with its name, in hexadecimal.
const VERSION_1: &str = include_str!("golden/account-v1.hex");
const VERSION_2: &str = include_str!("golden/account-v2.hex");
const VERSION_3: &str = include_str!("golden/account-v3.hex");
const VERSION_4: &str = include_str!("golden/account-v4.hex");
/// The same version since heads keep from when on the condition of a risk has been false.
const VERSION_4_HELD: &str = include_str!("golden/account-v4-held.hex");
const VERSION_5: &str = include_str!("golden/account-v5.hex");
const VERSION_6: &str = include_str!("golden/account-v6.hex");
/// The same since long heads are packed.
const VERSION_6_PACKED: &str = include_str!("golden/account-v6-packed.hex");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("hexadecimal is ASCII");
        u8::from_str_radix(pair, 16).expect("two hexadecimal digits")
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

/// As it is kept, but for the packing: what packs may find a shorter form one day.
fn shown(account: &Account) -> String {
    let mut text = format!("{}\n", hex(&account.head.plain()));
    for (name, bytes) in account.parts.encode_all() {
        text.push_str(&format!("{name} {}\n", hex(&bytes)));
    }
    text
}

fn read(golden: &str) -> Account {
    let mut lines = golden.lines();
    let head = unhex(lines.next().expect("a head"));
    let parts = lines.map(|line| {
        let (name, bytes) = line.split_once(' ').expect("a name and bytes");
        (name.into(), unhex(bytes))
    });
    Account::decode(AccountId::new("acme"), Some(&head), parts.collect())
        .expect("what was shipped can be read")
}

#[test]
fn what_an_older_version_wrote_is_read_and_written_by_the_newest() {
    for golden in [
        VERSION_1,
        VERSION_2,
        VERSION_3,
        VERSION_4,
        VERSION_4_HELD,
        VERSION_5,
    ] {
        let account = read(golden);
        assert_eq!(read(&shown(&account)), account);
    }
}

#[test]
fn a_long_head_is_packed_and_read_as_it_was() {
    let account = read(VERSION_6_PACKED);
    assert_eq!(account, read(VERSION_6));
    let packed = account.encode_head();
    assert!(packed.len() < account.head.plain().len());
    let again = Account::decode(
        account.id.clone(),
        Some(&packed),
        account.parts.encode_all(),
    );
    assert_eq!(again, Ok(account));
}

#[test]
fn the_sixth_version_is_read_and_written_as_it_was() {
    assert_eq!(shown(&read(VERSION_6)), VERSION_6);
}

#[test]
fn today_the_sixth_version_is_written() {
    let (program, _) = shipped();
    let mut simulation = Simulation::new(&program);
    let later = |hours| begin() + SignedDuration::from_hours(hours);
    let mut facts = begun("acme");
    facts.push(fact(
        "acme",
        4,
        "user.logged_in",
        later(1),
        json!({"user": "u1"}),
    ));
    facts.push(fact(
        "acme",
        5,
        "nps.responded",
        later(2),
        json!({"contact": "p-1", "score": 3}),
    ));
    facts.push(fact(
        "acme",
        6,
        "contact.updated",
        later(24 * 8),
        json!({"contact": "p-2", "name": "佐藤", "role": "billing", "email": "sato@acme.example"}),
    ));
    facts.push(fact(
        "acme",
        7,
        "account.updated",
        later(24 * 29),
        json!({"arr": 20_000_000, "timezone": "Asia/Tokyo"}),
    ));
    facts.push(fact(
        "acme",
        8,
        "contract.deleted",
        later(24 * 30),
        json!({"contract": "k-9"}),
    ));
    for logged in &facts {
        simulation.push(logged);
    }
    let account = simulation.accounts().next().expect("there is one account");
    let now = shown(account);
    assert!(now == VERSION_6, "the stored format has changed:\n{now}");
    assert!(
        account.encode_head().len() < 2_048,
        "a typical head stays below 2 kB"
    );
}

#[test]
fn what_is_no_account_is_refused_by_name() {
    let id = || AccountId::new("acme");
    let read = |head: &[u8]| Account::decode(id(), Some(head), Vec::new()).err();
    assert_eq!(read(&[]), Some(DecodeError::Truncated));
    assert_eq!(read(&[9]), Some(DecodeError::Version(9)));
    assert_eq!(read(&[1, 0]), Some(DecodeError::Truncated));
    let mut long = Account::new(id()).encode_head();
    long.push(0);
    assert_eq!(read(&long), Some(DecodeError::Trailing));
    let part = Account::decode(id(), None, vec![("secrets".into(), vec![1])]).err();
    assert_eq!(part, Some(DecodeError::Part));
}

#[test]
fn no_bytes_can_stop_the_reading() {
    for golden in [VERSION_6, VERSION_6_PACKED] {
        let golden = unhex(golden.lines().next().expect("a head"));
        for place in 0..golden.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut broken = golden.clone();
                broken[place] = value;
                if let Ok(account) =
                    Account::decode(AccountId::new("acme"), Some(&broken), Vec::new())
                {
                    account.encode_head();
                }
            }
        }
    }
}
