//! Random histories of one account, made of what the schema declares: the same seed tells the same one.

use super::fixture::{contact_id, with_id};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{Decimal, Fact, Logged};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use workflow::Program;
use workflow::program::{Field, FieldType, ForEach, Step, Verb, Workflow};
use workflow::scenario::Json;

/// The account that histories are about.
pub(super) const ACCOUNT: &str = "acme";
/// How many facts follow those with which a history begins.
const FACTS_COUNT: u64 = 60;

/// Chance with a seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (SplitMix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Whether one of `of` cases came.
    pub(super) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(from.len() as u64)).ok()?;
        from.get(index)
    }
}

/// When histories begin: a Monday morning.
fn begin() -> Timestamp {
    let civil = date(2026, 1, 5).at(0, 0, 0, 0);
    civil
        .to_zoned(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// A history under way.
struct Teller<'p> {
    program: &'p Program,
    account: &'static str,
    now: Timestamp,
    facts: Vec<Logged>,
}

/// The facts of an account in the order of the log, some of them late.
pub(super) fn history(program: &Program, account: &'static str, dice: &mut Dice) -> Vec<Logged> {
    let mut teller = Teller {
        program,
        account,
        now: begin(),
        facts: Vec::new(),
    };
    let schema = &program.schema;
    let whole = teller.object(&schema.account.fields, dice, true);
    teller.tell("account.updated", whole, 0);
    for number in 1..=3 {
        let contact = teller.object(&schema.contact.fields, dice, true);
        teller.tell(
            "contact.updated",
            with_id(&contact, "contact", &contact_id(number)),
            0,
        );
    }
    let contract = teller.object(&schema.contract.fields, dice, true);
    teller.tell("contract.updated", with_id(&contract, "contract", "k-1"), 0);
    for _ in 0..FACTS_COUNT {
        let hours = if dice.one_in(8) {
            dice.below(800)
        } else {
            dice.below(60)
        };
        let gap =
            SignedDuration::from_mins(i64::try_from(hours * 60 + dice.below(60)).unwrap_or(0));
        teller.now = teller.now.saturating_add(gap).unwrap_or(teller.now);
        let late = if dice.one_in(10) { dice.below(400) } else { 0 };
        teller.any(dice, late);
    }
    teller.facts
}

/// One small fact of an instant: a field of the account, a contract or a contact, or an event.
pub(super) fn small(
    program: &Program,
    now: Timestamp,
    dice: &mut Dice,
    id: &str,
) -> Option<Logged> {
    let mut teller = Teller {
        program,
        account: ACCOUNT,
        now,
        facts: Vec::new(),
    };
    teller.small(dice);
    let mut logged = teller.facts.pop()?;
    logged.fact.id = id.into();
    Some(logged)
}

impl Teller<'_> {
    fn small(&mut self, dice: &mut Dice) {
        let schema = &self.program.schema;
        let (kind, key, id, fields) = match dice.below(6) {
            0 => ("account.updated", "", String::new(), &schema.account.fields),
            1 => (
                "contract.updated",
                "contract",
                "k-1".to_owned(),
                &schema.contract.fields,
            ),
            2 => (
                "contact.updated",
                "contact",
                contact_id(1),
                &schema.contact.fields,
            ),
            _ => return self.event(dice, 0),
        };
        let open = fields
            .iter()
            .filter(|(_, field)| !field.is_written_by_workflows);
        let open: Vec<_> = open.collect();
        let Some((name, field)) = dice.pick(&open) else {
            return;
        };
        let mut patch = Json::new();
        patch.insert(name.to_string(), self.value(&field.kind, dice));
        let patch = if key.is_empty() {
            patch
        } else {
            with_id(&patch, key, &id)
        };
        self.tell(kind, patch, 0);
    }

    fn tell(&mut self, kind: &str, data: Json, late_hours: u64) {
        let late = SignedDuration::from_hours(i64::try_from(late_hours).unwrap_or(0));
        let time = self.now.saturating_sub(late).unwrap_or(self.now);
        let position = self.facts.len() as u64 + 1;
        self.facts.push(Logged {
            position,
            arrived_at: begin(),
            fact: Fact {
                specversion: "1.0".into(),
                id: format!("h-{position}").into(),
                source: "history".into(),
                kind: kind.into(),
                subject: Some(self.account.into()),
                time: Some(time),
                is_history: false,
                arrived_at: None,
                data,
            },
        });
    }

    /// Any fact that may come.
    fn any(&mut self, dice: &mut Dice, late: u64) {
        let schema = &self.program.schema;
        let contract = if dice.one_in(4) { "k-2" } else { "k-1" };
        let contact = contact_id(usize::try_from(dice.below(3)).unwrap_or(0) + 1);
        match dice.below(12) {
            0 | 1 => {
                let patch = self.object(&schema.account.fields, dice, false);
                self.tell("account.updated", patch, late);
            }
            2 | 3 => {
                let patch = self.object(&schema.contract.fields, dice, contract == "k-2");
                self.tell(
                    "contract.updated",
                    with_id(&patch, "contract", contract),
                    late,
                );
            }
            4 => {
                let patch = self.object(&schema.contact.fields, dice, true);
                self.tell(
                    "contact.updated",
                    with_id(&patch, "contact", &contact),
                    late,
                );
            }
            5 if dice.one_in(3) => {
                let gone = with_id(&Json::new(), "contact", &contact);
                self.tell("contact.deleted", gone, late);
            }
            5 | 6 => self.answer(dice),
            _ => self.event(dice, late),
        }
    }

    fn event(&mut self, dice: &mut Dice, late: u64) {
        let events: Vec<_> = self
            .program
            .schema
            .events
            .iter()
            .filter(|(_, event)| !event.is_engine)
            .collect();
        if let Some((kind, event)) = dice.pick(&events) {
            let data = self.object(&event.fields, dice, true);
            self.tell(kind, data, late);
        }
    }

    /// An answer to some step, reached or not.
    fn answer(&mut self, dice: &mut Dice) {
        let Some(workflow) = dice.pick(&self.program.workflows) else {
            return;
        };
        let steps = steps_of(workflow);
        let Some(step) = dice.pick(&steps) else {
            return;
        };
        let kinds: &[&str] = match &step.verb {
            Verb::Send { .. } => &[
                "task.approved",
                "task.approved",
                "task.rejected",
                "message.replied",
                "message.clicked",
                "message.delivered",
                "message.bounced",
            ],
            Verb::Task { .. } => &["task.done"],
            Verb::Alert { .. }
            | Verb::Branch { .. }
            | Verb::Match { .. }
            | Verb::Split { .. }
            | Verb::Set { .. }
            | Verb::Webhook { .. }
            | Verb::Wait { .. }
            | Verb::WaitFor { .. }
            | Verb::Stop { .. } => return,
        };
        let subject = match workflow.for_each {
            ForEach::Account => self.account.to_owned(),
            ForEach::Contract => "k-1".to_owned(),
            ForEach::Contact => contact_id(1),
            ForEach::Risk => match dice.pick(&self.program.risks) {
                Some(risk) => format!("{}-1", risk.name),
                None => return,
            },
        };
        if let Some(kind) = dice.pick(kinds) {
            let data = json!({"workflow": workflow.name, "subject": subject, "step": step.id});
            self.tell(kind, data.as_object().cloned().unwrap_or_default(), 0);
        }
    }

    /// Values for fields: a patch names some of them, what is whole names nearly all.
    fn object(&self, fields: &BTreeMap<Box<str>, Field>, dice: &mut Dice, is_whole: bool) -> Json {
        let mut object = Json::new();
        for (name, field) in fields {
            let is_named = if is_whole {
                field.is_required || !dice.one_in(4)
            } else {
                dice.one_in(3)
            };
            if !is_named || field.is_written_by_workflows {
                continue;
            }
            let is_null = !field.is_required && dice.one_in(12);
            let value = if is_null {
                Value::Null
            } else {
                self.value(&field.kind, dice)
            };
            object.insert(name.to_string(), value);
        }
        object
    }

    fn value(&self, kind: &FieldType, dice: &mut Dice) -> Value {
        let day = |dice: &mut Dice| {
            let shift = i64::try_from(dice.below(700)).unwrap_or(0) - 350;
            let today = self.now.to_zoned(TimeZone::UTC).date();
            today.checked_add(shift.days()).unwrap_or(today)
        };
        match kind {
            FieldType::Text => format!("x{}", dice.below(40)).into(),
            FieldType::Email => format!("p{}@acme.example", dice.below(6)).into(),
            FieldType::Locale => (*dice.pick(&["ja", "en", "en-GB"]).unwrap_or(&"ja")).into(),
            FieldType::Timezone => {
                let zones = ["Asia/Tokyo", "America/New_York", "Europe/Berlin"];
                (*dice.pick(&zones).unwrap_or(&"Asia/Tokyo")).into()
            }
            FieldType::Contact => {
                contact_id(usize::try_from(dice.below(3)).unwrap_or(0) + 1).into()
            }
            FieldType::Csm => "c-1".into(),
            FieldType::Number => {
                let end = if dice.one_in(3) { 120 } else { 12 };
                dice.below(end).into()
            }
            FieldType::Percent => percent(dice.below(120)),
            FieldType::Money => (dice.below(40) * 1_000_000).into(),
            FieldType::Boolean => dice.one_in(2).into(),
            FieldType::Date => day(dice).to_string().into(),
            FieldType::Time => format!("{}T09:00:00Z", day(dice)).into(),
            FieldType::Pick(list) => dice
                .pick(&list.words)
                .map_or(Value::Null, |word| Value::from(&**word)),
        }
    }
}

/// So many hundredths as facts carry them.
fn percent(hundredths: u64) -> Value {
    let share = Decimal::from_millionths(i64::try_from(hundredths * 10_000).unwrap_or(0));
    model::Value::Percent(share).to_json()
}

/// All steps of a workflow, wherever they stand.
pub(super) fn steps_of(workflow: &Workflow) -> Vec<&Step> {
    let then = workflow.goal.iter().flat_map(|goal| &goal.then);
    let mut found = Vec::new();
    let mut next: Vec<&Step> = workflow.steps.iter().chain(then).collect();
    while let Some(step) = next.pop() {
        next.extend(step.blocks().into_iter().flatten());
        found.push(step);
    }
    found
}
