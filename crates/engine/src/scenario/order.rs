//! The order of facts: how two accounts' lie among each other, and two facts of one account and one instant that don't
//! depend on each other, told both ways (engine.md, 3).
//!
//! Facts depend on each other where they touch the same, or where anything that decides reads both: a workflow, a risk,
//! health or the stage, each with all that its names lead to. What acts can still stand in each other's way (a limit, a topic
//! that is held back): where a fact does something, and something else beside the other one, the order of the log decides.

use super::history::{ACCOUNT, Dice, small};
use super::readers::{Readers, touched};
use crate::account::Account;
use crate::context::Context;
use crate::log_clock::{Moment, step};
use crate::simulate::Simulation;
use jiff::Timestamp;
use model::{AccountId, Logged, Record};
use workflow::Program;

/// How often chance looks for two facts that don't depend on each other.
const TRIES_MAX: u32 = 24;

/// What was found of two facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No two such facts, or they stood in each other's way.
    Nothing,
    /// Their order changes nothing.
    Same,
    /// It does.
    Differs(Box<Difference>),
}

/// What the order of two facts changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Where one can be named.
    pub(super) workflow: Option<Box<str>>,
    /// The facts' types, and what they change.
    pub(super) sentence: String,
}

/// What an account does on facts, one after the other: the records of each.
fn react(context: &Context<'_>, account: &mut Account, facts: &[&Logged]) -> Vec<Vec<Record>> {
    let each = facts.iter().map(|logged| {
        let decided = step(context, account, Moment::Fact(logged), None);
        let records = decided
            .into_iter()
            .flat_map(|(_, decision)| decision.records);
        records.collect()
    });
    each.collect()
}

/// Tells two facts in both orders somewhere in a history, and the rest of it after them.
pub(super) fn swap(
    context: &Context<'_>,
    (readers, facts): (&Readers, &[Logged]),
    until: Option<Timestamp>,
    dice: &mut Dice,
) -> Found {
    let at = usize::try_from(dice.below(facts.len() as u64)).unwrap_or(0) + 1;
    let (before, after) = facts.split_at(at.min(facts.len()));
    let mut account = Account::new(AccountId::new(ACCOUNT));
    let before: Vec<&Logged> = before.iter().collect();
    react(context, &mut account, &before);
    let Some(now) = account.head.now else {
        return Found::Nothing;
    };
    let Some([one, other]) = pair(context.program, readers, now, dice) else {
        return Found::Nothing;
    };
    let (mut left, mut right) = (account.clone(), account);
    let forth = react(context, &mut left, &[&one, &other]);
    let back = react(context, &mut right, &[&other, &one]);
    let is_quiet = forth[0].is_empty() && back[0].is_empty();
    let is_same = forth[0] == back[1] && forth[1] == back[0];
    let differs = |workflow: Option<Box<str>>, what: &str| {
        let kinds = [&one.fact.kind, &other.fact.kind];
        let sentence = format!(
            "the order of `{}` and `{}` at {now} changes {what}",
            kinds[0], kinds[1]
        );
        Found::Differs(Box::new(Difference { workflow, sentence }))
    };
    if !is_same {
        // What one does alone may be in the other's way; two that do nothing alone do nothing together.
        let mut all = forth.iter().chain(&back).flatten();
        let workflow = all.next().and_then(|record| record.workflow.clone());
        return if is_quiet {
            differs(workflow, "what happens")
        } else {
            Found::Nothing
        };
    }
    if left.encode_head() != right.encode_head() {
        return differs(None, "what is kept of the account");
    }
    let after: Vec<&Logged> = after.iter().collect();
    let mut one = react(context, &mut left, &after);
    let mut two = react(context, &mut right, &after);
    for (account, all) in [(&mut left, &mut one), (&mut right, &mut two)] {
        let end = step(context, account, Moment::Tick, until);
        all.push(end.into_iter().flat_map(|(_, one)| one.records).collect());
    }
    let parted = one
        .iter()
        .flatten()
        .zip(two.iter().flatten())
        .find(|(one, two)| one != two);
    if let Some((record, _)) = parted {
        return differs(
            record.workflow.clone(),
            &format!("what happens at {}", record.at),
        );
    }
    if one != two || left.encode_head() != right.encode_head() {
        return differs(None, "what happens later");
    }
    Found::Same
}

/// Two facts of an instant that don't depend on each other.
fn pair(
    program: &Program,
    readers: &Readers,
    now: Timestamp,
    dice: &mut Dice,
) -> Option<[Logged; 2]> {
    for _ in 0..TRIES_MAX {
        let one = small(program, now, dice, "one")?;
        let other = small(program, now, dice, "other")?;
        if let (Some(first), Some(second)) =
            (touched(program, &one.fact), touched(program, &other.fact))
            && !readers.tie(&first, &second)
        {
            return Some([one, other]);
        }
    }
    None
}

/// Decides two accounts' facts one account after the other, and mixed.
pub(super) fn mix(
    program: &Program,
    facts: &[Logged],
    other: &[Logged],
    dice: &mut Dice,
) -> Option<Difference> {
    let apart: Vec<&Logged> = facts.iter().chain(other).collect();
    let (mut left, mut right) = (facts.iter().peekable(), other.iter().peekable());
    let mut mixed = Vec::new();
    while left.peek().is_some() || right.peek().is_some() {
        mixed.extend(if dice.one_in(2) {
            left.next()
        } else {
            right.next()
        });
    }
    let one = simulate(program, &apart);
    let two = simulate(program, &mixed);
    let differs = |workflow: Option<Box<str>>, what: &str| {
        let sentence = format!("the order of two accounts' facts changes {what}");
        Some(Difference { workflow, sentence })
    };
    if let Some((record, _)) = one.iter().zip(&two).find(|(one, two)| one != two) {
        return differs(record.workflow.clone(), &record.at);
    }
    if one.len() == two.len() {
        return None;
    }
    differs(None, "what happens")
}

fn simulate(program: &Program, facts: &[&Logged]) -> Vec<Record> {
    let mut simulation = Simulation::new(program);
    for logged in facts {
        simulation.push(logged);
    }
    simulation.finish(None).0
}

#[cfg(test)]
mod tests {
    use super::super::history::history;
    use super::*;
    use crate::context::{Clock, Csms};
    use crate::rules::Rules;

    const WORLD: &str = "\
entities:
  account: {name: required text, flagship: boolean, seats: number, plan: basic | pro}
  contract: {status: required trial | active, renewal_date: date}
  contact: {name: required text, email: required email, role: champion | admin}
events:
  user.logged_in: {user: required text}
  ticket.opened: {severity: required low | high}
complete_since: {all: 2020-01-01}
metrics:
  logins_7d: {count: user.logged_in, over: 7d}
  tickets_ever: {count: ticket.opened}
calendar: {timezone: Asia/Tokyo, business_days: Mon-Fri, sending_hours: 09:00-18:00}
routes:
  csm: {channel: '#cs'}
defaults: {from: Us <us@vendor.example>, locale: en, currency: JPY}
";

    /// A workflow that starts where a condition becomes true.
    fn tells(name: &str, when: &str) -> String {
        format!(
            "workflow: {name}\nstatus: live\nstart: {{when: '{when}', existing: include}}\nonce_per: occurrence\n\
             steps:\n  - {{id: tell, alert: csm, text: Look, hours: any}}\n"
        )
    }

    fn program() -> Program {
        let mut files = workflow::Files::new();
        files.insert("workflows/definitions/world.yaml".into(), WORLD.into());
        for (name, when) in [
            ("flagships", "account.flagship"),
            ("busy", "logins_7d >= 2 and account.seats > 20"),
            ("troubled", "tickets_ever > 3"),
        ] {
            let path = format!("workflows/{name}.yaml");
            files.insert(path.into(), tells(name, when).into());
        }
        let checked = workflow::check(&files);
        checked.program.expect("it is right")
    }

    #[test]
    fn facts_depend_on_each_other_where_anything_reads_both() {
        let program = program();
        let readers = Readers::of(&program);
        let touched = |kind: &str, data: serde_json::Value| {
            let fact = model::Fact {
                specversion: "1.0".into(),
                id: "x".into(),
                source: "x".into(),
                kind: kind.into(),
                subject: Some("acme".into()),
                time: None,
                is_history: false,
                arrived_at: None,
                data: data.as_object().cloned().unwrap_or_default(),
            };
            touched(&program, &fact)
        };
        let seats = touched("account.updated", serde_json::json!({"seats": 1})).expect("a field");
        let login = touched("user.logged_in", serde_json::json!({"user": "u"})).expect("an event");
        let ticket = touched("ticket.opened", serde_json::json!({})).expect("an event");
        assert!(readers.tie(&seats, &login), "busy reads both");
        assert!(!readers.tie(&seats, &ticket), "nothing reads both");
        assert!(readers.tie(&ticket, &ticket));
        let email = serde_json::json!({"contact": "p-1", "email": "a@b.example"});
        assert_eq!(touched("contact.updated", email), None);
    }

    #[test]
    fn facts_that_do_not_depend_on_each_other_are_found_and_told_both_ways() {
        let program = program();
        let (rules, readers, csms) = (Rules::of(&program), Readers::of(&program), Csms::default());
        let context = Context {
            program: &program,
            rules: &rules,
            csms: &csms,
            pins: None,
            clock: Clock::Log,
        };
        let (mut same, mut acting) = (0, 0);
        for seed in 0..60 {
            let mut dice = Dice::new(seed);
            let facts = history(&program, ACCOUNT, &mut dice);
            match swap(&context, (&readers, &facts), None, &mut dice) {
                Found::Same => same += 1,
                Found::Nothing => acting += 1,
                Found::Differs(difference) => panic!("seed {seed}: {difference:?}"),
            }
        }
        assert!(same >= 40, "{same} pairs, {acting} times none");
    }
}
