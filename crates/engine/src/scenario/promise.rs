//! What holds for every workflow whatever happens, tried on random histories (language.md, 4.1).

use super::history::{ACCOUNT, Dice, history, steps_of};
use super::order::{Found, mix, swap};
use super::readers::Readers;
use crate::account::Account;
use crate::calendar;
use crate::context::{Clock, Context, Csms};
use crate::log_clock::{Moment, step};
use crate::rules::Rules;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, Channel, Decision, Kind, Logged, Outgoing, Record, RunId, Value};
use std::collections::{BTreeMap, BTreeSet};
use workflow::Program;
use workflow::program::{AtLimit, Hours, LimitPer, Period, Status, Step, Verb};

/// So long after its last fact a history is followed.
const AFTER: SignedDuration = SignedDuration::from_hours(24 * 200);
/// In so many places of a history two facts are told in both orders.
const SWAPS_COUNT: u32 = 3;
const DAY_SECONDS: i64 = 86_400;

/// A promise that a history broke.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// The workflow, where one can be named.
    pub workflow: Option<Box<str>>,
    /// The seed of the history that showed it: `--seed` with this, and one history, shows it again.
    pub seed: u64,
    /// What was promised and what happened, in a sentence.
    pub sentence: Box<str>,
}

/// What a history gave.
#[derive(Default)]
struct Told {
    records: Vec<(Timestamp, Record)>,
    sends: Vec<(Outgoing, bool)>,
    head: Vec<u8>,
}

/// Tries the promises on `count` histories, the first with this seed. Every workflow runs, drafts too.
pub fn promises(program: &Program, seed: u64, count: u32) -> Vec<Broken> {
    let mut program = program.clone();
    for workflow in &mut program.workflows {
        if workflow.status != Status::Retired {
            workflow.status = Status::Live;
        }
    }
    let rules = Rules::of(&program);
    let readers = Readers::of(&program);
    let mut broken = BTreeSet::new();
    for number in 0..u64::from(count) {
        let seed = seed.wrapping_add(number);
        let mut dice = Dice::new(seed);
        let facts = history(&program, ACCOUNT, &mut dice);
        let other = history(&program, "zeta", &mut dice);
        let mut judge = Judge {
            program: &program,
            seed,
            broken: Vec::new(),
        };
        let told = play(&program, &rules, &facts, false);
        judge.hours(&told);
        judge.steps(&told);
        judge.limits(&told);
        judge.restarts(&told, &play(&program, &rules, &facts, true));
        judge.order(&facts, &other, &mut dice);
        judge.swaps((&rules, &readers), &facts, &mut dice);
        broken.extend(judge.broken);
    }
    broken.into_iter().collect()
}

/// Decides a history; with restarts only what was stored goes on from fact to fact.
fn play(program: &Program, rules: &Rules, facts: &[Logged], restarts: bool) -> Told {
    let csms = Csms::default();
    let context = by(program, rules, &csms);
    let mut account = Account::new(AccountId::new(ACCOUNT));
    let mut told = Told::default();
    let ending = (Moment::Tick, until(facts));
    let moments = facts.iter().map(|logged| (Moment::Fact(logged), None));
    for (moment, shard_now) in moments.chain([ending]) {
        if restarts && let Some(again) = stored_again(&account) {
            account = again;
        }
        // Wake-ups before the fact were decided by what was known before it.
        let before = account.clone();
        for decided in step(&context, &mut account, moment, shard_now) {
            keep(program, [&before, &account], decided, &mut told);
        }
    }
    told.head = account.encode_head();
    told
}

fn by<'p>(program: &'p Program, rules: &'p Rules, csms: &'p Csms) -> Context<'p> {
    Context {
        program,
        rules,
        csms,
        pins: None,
        clock: Clock::Log,
    }
}

/// How far a history is followed.
fn until(facts: &[Logged]) -> Option<Timestamp> {
    let last = facts.iter().filter_map(|logged| logged.fact.time).max();
    last.and_then(|last| last.checked_add(AFTER).ok())
}

/// The account as it comes back from the store.
fn stored_again(account: &Account) -> Option<Account> {
    let parts = account.parts.encode_all();
    Account::decode(account.id.clone(), Some(&account.encode_head()), parts).ok()
}

fn keep(
    program: &Program,
    accounts: [&Account; 2],
    (at, decision): (Timestamp, Decision),
    told: &mut Told,
) {
    told.records
        .extend(decision.records.into_iter().map(|record| (at, record)));
    for outgoing in decision.outbox {
        if let Channel::Email { contact, .. } = &outgoing.channel {
            let is_open = accounts.iter().any(|account| {
                let zone = zone_of(program, account, contact);
                calendar::is_open(&program.calendar, at, &zone)
            });
            told.sends.push((outgoing, is_open));
        }
    }
}

/// The zone of a contact: its own, the account's, the calendar's.
fn zone_of(program: &Program, account: &Account, contact: &str) -> TimeZone {
    let own = account.head.contacts.get(contact);
    let personal = account.parts.contact(contact);
    let of_contact = own
        .and_then(|own| own.value("timezone"))
        .or_else(|| personal?.get("timezone")?.value.as_ref());
    let of_account = account.head.account.value("timezone");
    let known = [of_contact, of_account];
    let names = known.into_iter().flatten().filter_map(Value::text);
    let mut zones = names
        .chain([&*program.calendar.timezone])
        .filter_map(calendar::zone);
    zones.next().unwrap_or(TimeZone::UTC)
}

/// Who finds broken promises in one history.
struct Judge<'p> {
    program: &'p Program,
    seed: u64,
    broken: Vec<Broken>,
}

impl Judge<'_> {
    fn complain(&mut self, workflow: Option<&str>, sentence: String) {
        self.broken.push(Broken {
            workflow: workflow.map(Box::from),
            seed: self.seed,
            sentence: sentence.into(),
        });
    }

    fn step(&self, workflow: &str, id: &str) -> Option<&Step> {
        let mut all = self.program.workflows.iter();
        let workflow = all.find(|one| *one.name == *workflow)?;
        steps_of(workflow).into_iter().find(|step| *step.id == *id)
    }

    /// No message leaves outside the recipient's hours, but where the step asks for any.
    fn hours(&mut self, told: &Told) {
        for (outgoing, is_open) in &told.sends {
            let step = self.step(&outgoing.workflow, &outgoing.step);
            let keeps = step.is_some_and(|step| step.hours == Hours::Working);
            if keeps && !is_open {
                let (step, at) = (&outgoing.step, outgoing.not_before);
                let sentence = format!("`{step}` sends outside the recipient's hours, at {at}");
                self.complain(Some(&outgoing.workflow), sentence);
            }
        }
    }

    /// No step acts twice for the same in a run, and none acts after its run has ended but those of the goal.
    fn steps(&mut self, told: &Told) {
        let mut done = BTreeSet::new();
        let mut ended: BTreeMap<RunId, Box<str>> = BTreeMap::new();
        for (at, record) in &told.records {
            let (Some(workflow), Some(run)) = (&record.workflow, &record.run) else {
                continue;
            };
            if let (Kind::End, Some(how)) = (record.kind, &record.how) {
                if ended.insert(run.clone(), how.clone()).is_some() {
                    self.complain(Some(workflow), format!("a run ends twice, again at {at}"));
                }
                if &**how == "stuck" {
                    let sentence = format!("a run never comes to rest, at {at}");
                    self.complain(Some(workflow), sentence);
                }
            }
            let (true, Some(step)) = (acts(record), &record.step) else {
                continue;
            };
            let whom = record
                .to
                .as_ref()
                .or(record.route.as_ref())
                .or(record.name.as_ref());
            let key = (
                run.clone(),
                step.clone(),
                record.kind as u8,
                whom.cloned(),
                record.why.clone(),
            );
            if !done.insert(key) {
                self.complain(
                    Some(workflow),
                    format!("`{step}` acts twice in one run, again at {at}"),
                );
            }
            let is_after = match ended.get(run).map(|how| &**how) {
                Some("goal") => !self.is_of_goal(workflow, step),
                Some(_) => true,
                None => false,
            };
            if is_after {
                let sentence = format!("`{step}` acts after its run has ended, at {at}");
                self.complain(Some(workflow), sentence);
            }
        }
    }

    fn is_of_goal(&self, workflow: &str, id: &str) -> bool {
        let mut all = self.program.workflows.iter();
        let then = all
            .find(|one| *one.name == *workflow)
            .and_then(|workflow| workflow.goal.as_ref())
            .map_or(&[][..], |goal| &goal.then);
        let mut next: Vec<&Step> = then.iter().collect();
        while let Some(step) = next.pop() {
            if *step.id == *id {
                return true;
            }
            next.extend(step.blocks().into_iter().flatten());
        }
        false
    }

    /// Where a limit binds a message, no more than its number were said in its time.
    fn limits(&mut self, told: &Told) {
        for limit in &self.program.limits {
            let Some(seconds) = shortest(limit.window) else {
                continue;
            };
            let counts = |outgoing: &Outgoing| {
                let topic = outgoing.topic.as_deref();
                limit.topics.is_empty() || limit.topics.iter().any(|one| Some(&**one) == topic)
            };
            let is_email = limit
                .channel
                .as_deref()
                .is_none_or(|channel| channel == "email");
            let counted: Vec<&Outgoing> = told
                .sends
                .iter()
                .map(|(outgoing, _)| outgoing)
                .filter(|outgoing| is_email && counts(outgoing))
                .collect();
            for (index, outgoing) in counted.iter().enumerate() {
                if !self.is_bound(outgoing) {
                    continue;
                }
                let inside = counted[..=index].iter().filter(|earlier| {
                    let age = outgoing.not_before.duration_since(earlier.not_before);
                    let same = match limit.per {
                        LimitPer::Contact => contact(earlier) == contact(outgoing),
                        LimitPer::Account => true,
                    };
                    same && age.as_secs() < seconds
                });
                let said = inside.count();
                if said > usize::try_from(limit.at_most).unwrap_or(usize::MAX) {
                    let sentence = format!(
                        "`{}` breaks a limit: {said} where at most {} are allowed, at {}",
                        outgoing.step, limit.at_most, outgoing.not_before
                    );
                    self.complain(Some(&outgoing.workflow), sentence);
                }
            }
        }
    }

    /// Contractual messages, and steps that ignore limits, are never held by them.
    fn is_bound(&self, outgoing: &Outgoing) -> bool {
        let step = self.step(&outgoing.workflow, &outgoing.step);
        let ignores = step.is_some_and(|step| {
            matches!(
                step.verb,
                Verb::Send {
                    at_limit: Some(AtLimit::Ignore),
                    ..
                }
            )
        });
        outgoing.purpose != Some(model::Purpose::Contractual) && !ignores
    }

    /// A restart at any point changes nothing.
    fn restarts(&mut self, told: &Told, again: &Told) {
        let differs = told
            .records
            .iter()
            .zip(&again.records)
            .find(|(one, other)| one != other);
        if let Some(((at, record), _)) = differs {
            let sentence = format!("a restart changes what happens at {at}");
            self.complain(record.workflow.as_deref(), sentence);
        } else if told.records.len() != again.records.len() || told.head != again.head {
            self.complain(
                None,
                "a restart changes what is kept of the account".to_owned(),
            );
        }
    }

    /// The order of two facts of one account that don't depend on each other changes nothing.
    fn swaps(&mut self, (rules, readers): (&Rules, &Readers), facts: &[Logged], dice: &mut Dice) {
        let csms = Csms::default();
        let context = by(self.program, rules, &csms);
        for _ in 0..SWAPS_COUNT {
            let found = swap(&context, (readers, facts), until(facts), dice);
            if let Found::Differs(difference) = found {
                self.complain(difference.workflow.as_deref(), difference.sentence);
            }
        }
    }

    /// How the facts of two accounts lie among each other changes nothing.
    fn order(&mut self, facts: &[Logged], other: &[Logged], dice: &mut Dice) {
        if let Some(difference) = mix(self.program, facts, other, dice) {
            self.complain(difference.workflow.as_deref(), difference.sentence);
        }
    }
}

/// Whether a record tells that a step did something.
fn acts(record: &Record) -> bool {
    match record.kind {
        Kind::Send | Kind::Alert | Kind::Task | Kind::Webhook | Kind::Set | Kind::Ask => true,
        Kind::Start
        | Kind::End
        | Kind::Skip
        | Kind::Hold
        | Kind::RiskOpened
        | Kind::RiskClosed
        | Kind::HealthChanged
        | Kind::StageChanged => false,
    }
}

fn contact(outgoing: &Outgoing) -> Option<&str> {
    match &outgoing.channel {
        Channel::Email { contact, .. } => Some(contact),
        Channel::Route { .. } | Channel::Webhook { .. } => None,
    }
}

/// A time that is not longer than the window of a limit, whatever the clocks do.
fn shortest(window: Period) -> Option<i64> {
    match window {
        Period::Seconds(seconds) => Some(i64::from(seconds)),
        Period::Days(days) | Period::BusinessDays(days) => {
            Some((i64::from(days) - 1) * DAY_SECONDS).filter(|seconds| *seconds > 0)
        }
    }
}
