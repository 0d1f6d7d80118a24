//! The raw list of facts, and what it says of the account at one moment. Nothing is kept from moment to moment.

use crate::days;
use crate::risk::Case;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{Decimal, Value};
use serde_json::{Map, Value as Json};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use workflow::Program;
use workflow::program::{Band, Entity, FieldType};

/// What a fact is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Account,
    Contract(String),
    Contact(String),
    ContractGone(String),
    ContactGone(String),
    Event(String),
    /// What people say to our tasks and messages: an event only once it is known what it answers.
    Answer(String),
}

/// One fact.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) about: About,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// When it came in.
    pub(crate) seen_at: Timestamp,
    pub(crate) data: Map<String, Json>,
    /// The account's civil day and hour in which it happened, by its zone when the fact came in.
    pub(crate) day: Date,
    pub(crate) hour: i64,
}

/// A field that a workflow has written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// None: the account's.
    pub(crate) contract: Option<String>,
    pub(crate) field: String,
    pub(crate) value: Option<Value>,
}

/// What is not in the facts: what the engine itself did and told.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub(crate) written: &'a [Written],
    /// The cases of risks, in the order in which they opened.
    pub(crate) cases: &'a [Case],
    /// What the engine itself told, in order.
    pub(crate) own: &'a [Told],
    /// The band of health that is shown.
    pub(crate) band: Option<Band>,
}

/// All that is known at one moment.
#[derive(Clone)]
pub(crate) struct Known<'a> {
    pub(crate) program: &'a Program,
    pub(crate) told: &'a [Told],
    /// What the engine itself told, in order.
    pub(crate) own: &'a [Told],
    pub(crate) written: &'a [Written],
    /// The cases of risks, in the order in which they opened.
    pub(crate) cases: &'a [Case],
    /// The band of health that is shown.
    pub(crate) band: Option<Band>,
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
    contracts: Rc<[&'a str]>,
    contacts: Rc<[&'a str]>,
    said: Rc<Said>,
    current: OnceCell<Option<usize>>,
    /// What metrics give at this moment, and gave in the window before, once it was asked.
    pub(crate) metrics: Metrics,
}

/// By metric and window.
pub(crate) type Metrics = Rc<RefCell<BTreeMap<(usize, i64), Option<Value>>>>;

/// What there is, as the facts alone say it: the same until another one comes.
#[derive(Clone)]
pub(crate) struct There<'a> {
    zone: TimeZone,
    contracts: Rc<[&'a str]>,
    contacts: Rc<[&'a str]>,
    said: Rc<Said>,
}

/// What a field was told to be last, by id and field.
type Fields = RefCell<BTreeMap<String, BTreeMap<String, Option<Value>>>>;
/// How many of our own events were looked through for a metric, and which events it is about.
type Found = (usize, Rc<Vec<Place>>);

/// What was looked for in the facts already. It is read anew as soon as another one comes.
#[derive(Default)]
struct Said {
    /// By field: the account's, then by id and field those of contracts and contacts.
    fields: [Fields; 3],
    /// By metric.
    events: RefCell<BTreeMap<usize, Found>>,
}

/// Where an event stands: among the facts, or among what the engine itself told.
#[derive(Clone, Copy)]
enum Place {
    Told(usize),
    Own(usize),
}

impl<'a> There<'a> {
    pub(crate) fn of(program: &Program, told: &'a [Told]) -> Self {
        Self {
            zone: zone(program, told),
            contracts: contracts(told).into(),
            contacts: contacts(told).into(),
            said: Rc::default(),
        }
    }
}

impl<'a> Known<'a> {
    pub(crate) fn new(
        program: &'a Program,
        told: &'a [Told],
        kept: Kept<'a>,
        now: Timestamp,
    ) -> Self {
        let there = There::of(program, told);
        Self::with(program, told, kept, now, there)
    }

    /// The same where it is known already what there is.
    pub(crate) fn with(
        program: &'a Program,
        told: &'a [Told],
        kept: Kept<'a>,
        now: Timestamp,
        there: There<'a>,
    ) -> Self {
        Self {
            program,
            told,
            own: kept.own,
            written: kept.written,
            cases: kept.cases,
            band: kept.band,
            now,
            zone: there.zone,
            contracts: there.contracts,
            contacts: there.contacts,
            said: there.said,
            current: OnceCell::new(),
            metrics: Metrics::default(),
        }
    }

    pub(crate) fn today(&self) -> Date {
        days::day(self.now, &self.zone)
    }

    pub(crate) fn account(&self, field: &str) -> Option<Value> {
        let of_schema = &self.program.schema.account;
        if of_schema.fields.get(field)?.is_written_by_workflows {
            return self.written(None, field);
        }
        self.said((0, ""), field, || {
            typed(of_schema, field, latest(self.told, &About::Account, field)?)
        })
    }

    pub(crate) fn contract(&self, id: &str, field: &str) -> Option<Value> {
        let of_schema = &self.program.schema.contract;
        if of_schema.fields.get(field)?.is_written_by_workflows {
            return self.written(Some(id), field);
        }
        self.said((1, id), field, || {
            let latest = latest(self.told, &About::Contract(id.into()), field)?;
            typed(of_schema, field, latest)
        })
    }

    pub(crate) fn contact(&self, id: &str, field: &str) -> Option<Value> {
        self.said((2, id), field, || {
            let json = latest(self.told, &About::Contact(id.into()), field)?;
            typed(&self.program.schema.contact, field, json)
        })
    }

    /// A field as the facts say it, looked for once.
    fn said(
        &self,
        (of, id): (usize, &str),
        field: &str,
        look: impl FnOnce() -> Option<Value>,
    ) -> Option<Value> {
        let fields = &self.said.fields[of];
        if let Some(found) = fields.borrow().get(id).and_then(|all| all.get(field)) {
            return found.clone();
        }
        let value = look();
        let mut fields = fields.borrow_mut();
        let all = fields.entry(id.to_owned()).or_default();
        all.insert(field.to_owned(), value.clone());
        value
    }

    /// The events that a metric is about, looked for once.
    pub(crate) fn events(
        &self,
        metric: usize,
        is_meant: impl Fn(&'a Told) -> bool,
    ) -> Vec<&'a Told> {
        let (told, own) = (self.told, self.own);
        let at = |place: &Place| match place {
            Place::Told(index) => &told[*index],
            Place::Own(index) => &own[*index],
        };
        if let Some((seen, places)) = self.said.events.borrow().get(&metric)
            && *seen == own.len()
        {
            return places.iter().map(at).collect();
        }
        let mut places = Vec::new();
        places.extend(
            (0..told.len())
                .filter(|index| is_meant(&told[*index]))
                .map(Place::Told),
        );
        places.extend(
            (0..own.len())
                .filter(|index| is_meant(&own[*index]))
                .map(Place::Own),
        );
        let all = places.iter().map(at).collect();
        let kept = (own.len(), Rc::new(places));
        self.said.events.borrow_mut().insert(metric, kept);
        all
    }

    fn written(&self, contract: Option<&str>, field: &str) -> Option<Value> {
        let mut all = self.written.iter().rev();
        let last = all.find(|one| one.contract.as_deref() == contract && one.field == field);
        last.and_then(|one| one.value.clone())
    }

    /// The contracts that exist, in order of their ids.
    pub(crate) fn contracts(&self) -> &[&'a str] {
        &self.contracts
    }

    /// The contacts that exist, in order of their ids.
    pub(crate) fn contacts(&self) -> &[&'a str] {
        &self.contacts
    }

    /// Who holds a role, at most five.
    pub(crate) fn role(&self, role: &str) -> Vec<String> {
        let all = self.contacts().iter();
        let holding = all.filter(|id| {
            let own = self.contact(id, "role");
            own.as_ref().and_then(Value::text) == Some(role)
        });
        holding.take(5).map(|id| (*id).to_owned()).collect()
    }

    /// Active with the earliest renewal date, unknown last; else trial; else the one that ended last.
    pub(crate) fn current_contract(&self) -> Option<&'a str> {
        let current = self.current.get_or_init(|| self.find_current());
        current.map(|index| self.contracts[index])
    }

    fn find_current(&self) -> Option<usize> {
        let renewal = |id: &str| match self.contract(id, "renewal_date") {
            Some(Value::Date(day)) => Some(day),
            _ => None,
        };
        let rank = |id: &&str| {
            let status = self.contract(id, "status");
            match status.as_ref().and_then(Value::text) {
                Some("active") => (0, renewal(id).unwrap_or(Date::MAX)),
                Some("trial") => (1, renewal(id).unwrap_or(Date::MAX)),
                _ => {
                    let ended = renewal(id).unwrap_or(Date::MIN);
                    (2, Date::MIN + (Date::MAX - ended))
                }
            }
        };
        (0..self.contracts.len()).min_by_key(|index| rank(&self.contracts[*index]))
    }

    /// Where a contact lives.
    pub(crate) fn zone_of(&self, contact: &str) -> TimeZone {
        let own = self.contact(contact, "timezone");
        let own = own.as_ref().and_then(Value::text);
        own.and_then(|name| TimeZone::get(name).ok())
            .unwrap_or_else(|| self.zone.clone())
    }
}

fn contracts(told: &[Told]) -> Vec<&str> {
    let ids = told.iter().filter_map(|told| match &told.about {
        About::Contract(id) => Some(id.as_str()),
        About::Account
        | About::Contact(_)
        | About::ContractGone(_)
        | About::ContactGone(_)
        | About::Event(_)
        | About::Answer(_) => None,
    });
    existing(ids, |id| gone_at(told, &About::Contract(id.into())))
}

fn contacts(told: &[Told]) -> Vec<&str> {
    let ids = told.iter().filter_map(|told| match &told.about {
        About::Contact(id) => Some(id.as_str()),
        About::Account
        | About::Contract(_)
        | About::ContractGone(_)
        | About::ContactGone(_)
        | About::Event(_)
        | About::Answer(_) => None,
    });
    existing(ids, |id| gone_at(told, &About::Contact(id.into())))
}

/// The account's zone, else the calendar's.
pub(crate) fn zone(program: &Program, told: &[Told]) -> TimeZone {
    let own = latest(told, &About::Account, "timezone").and_then(Json::as_str);
    let name = own.unwrap_or(&program.calendar.timezone);
    TimeZone::get(name).expect("a zone")
}

/// What was said last of a field; what happened at one instant goes by its order in the log.
fn latest<'t>(told: &'t [Told], about: &About, field: &str) -> Option<&'t Json> {
    let mut best: Option<(Timestamp, &Json)> = None;
    let gone = gone_at(told, about).map(|(at, _)| at);
    for one in told.iter().filter(|one| one.about == *about) {
        let is_later = best.is_none_or(|(at, _)| at <= one.at);
        if let Some(value) = one.data.get(field)
            && is_later
            && gone.is_none_or(|gone| gone <= one.at)
        {
            best = Some((one.at, value));
        }
    }
    best.map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

/// When anything was said last of a field, whatever it was.
pub(crate) fn carried_at(told: &[Told], about: &About, field: &str) -> Option<Timestamp> {
    let gone = gone_at(told, about).map(|(at, _)| at);
    let all = told.iter().filter(|one| one.about == *about);
    let all = all.filter(|one| one.data.contains_key(field));
    let after = all.filter(|one| gone.is_none_or(|gone| gone <= one.at));
    after.map(|one| one.at).max()
}

/// When it was deleted last, and whether nothing brought it back.
fn gone_at(told: &[Told], about: &About) -> Option<(Timestamp, bool)> {
    let gone = match about {
        About::Contract(id) => About::ContractGone(id.clone()),
        About::Contact(id) => About::ContactGone(id.clone()),
        About::Account
        | About::ContractGone(_)
        | About::ContactGone(_)
        | About::Event(_)
        | About::Answer(_) => {
            return None;
        }
    };
    let (index, last) = told
        .iter()
        .enumerate()
        .filter(|(_, one)| one.about == gone)
        .max_by_key(|(index, one)| (one.at, *index))?;
    let mut others = told
        .iter()
        .enumerate()
        .filter(|(_, one)| one.about == *about);
    let is_back = others.any(|(other, one)| (one.at, other) > (last.at, index));
    Some((last.at, !is_back))
}

fn existing<'t>(
    ids: impl Iterator<Item = &'t str>,
    gone: impl Fn(&str) -> Option<(Timestamp, bool)>,
) -> Vec<&'t str> {
    let mut all: Vec<&str> = ids.collect();
    all.sort_unstable();
    all.dedup();
    all.retain(|id| !gone(id).is_some_and(|(_, is_gone)| is_gone));
    all
}

/// A value as the schema types it.
pub(crate) fn typed(entity: &Entity, field: &str, json: &Json) -> Option<Value> {
    value(&entity.fields.get(field)?.kind, json)
}

pub(crate) fn value(kind: &FieldType, json: &Json) -> Option<Value> {
    let number = || Decimal::from_json(json.as_number()?);
    match kind {
        FieldType::Number => number().map(Value::Number),
        FieldType::Percent => number().map(Value::Percent),
        FieldType::Money => number().map(Value::Money),
        FieldType::Boolean => json.as_bool().map(Value::Bool),
        FieldType::Date => json.as_str()?.parse().ok().map(Value::Date),
        FieldType::Time => json.as_str()?.parse().ok().map(Value::Time),
        FieldType::Pick(_) => Some(Value::Word(json.as_str()?.into())),
        FieldType::Text
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Contact
        | FieldType::Csm => Some(Value::Text(json.as_str()?.into())),
    }
}

impl Told {
    /// Whether it is an event of one of these types.
    pub(crate) fn is_one_of(&self, events: &[Box<str>]) -> bool {
        matches!(&self.about, About::Event(kind) if events.iter().any(|event| **event == **kind))
    }
}
