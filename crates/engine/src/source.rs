//! What a record of a topic says: the mapping of its source, applied. The fact that it becomes is checked like any other.

mod nobody;
mod read;
#[cfg(test)]
mod tests;

use crate::account::zone_of_workspace;
use crate::evaluate::{Reading, Scene};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::topic::{RowChange, TopicRecord};
use model::{Decimal, ParkCode, Parked, Value};
use nobody::Nobody;
use read::{read, time};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use workflow::Program;
use workflow::program::{Deletes, Expr, ExprKind, Past, TopicSays, TopicSource, Type};

/// The longest id of a fact, in characters.
const ID_CHARS_MAX: usize = 256;

/// The source of which a record is, and what is known of its topic.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The source's name.
    pub name: &'a str,
    /// The source.
    pub source: &'a TopicSource,
    /// Names this topic, so that one made anew under its name is another.
    pub topic_id: &'a str,
    /// When the source was first read: what is older lies back.
    pub since: Timestamp,
}

/// What a record comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A CloudEvent, still to be checked like any other.
    Fact(Box<Json>),
    /// Nothing, and why.
    Nothing(&'static str),
}

/// Applies the mapping of a source to a record.
pub fn map(program: &Program, origin: &Origin<'_>, record: &TopicRecord) -> Result<Said, Parked> {
    let reader = Reader {
        program,
        record,
        nobody: Nobody::default(),
        zone: zone_of_workspace(program),
    };
    let source = origin.source;
    let is_met = |condition: &Expr| reader.value(condition) == Some(Value::Bool(true));
    if source
        .condition
        .as_ref()
        .is_some_and(|condition| !is_met(condition))
    {
        return Ok(Said::Nothing("`where` does not hold"));
    }
    let past = past(origin, record);
    if past == Past::Skip {
        return Ok(Said::Nothing("it lies back, and what lies back is skipped"));
    }
    let is_deleted = record.change == Some(RowChange::Deleted);
    if is_deleted && source.deletes == Deletes::Skip {
        return Ok(Said::Nothing("deleted rows are skipped"));
    }
    let mut event = match &source.says {
        Some(says) => reader.told(origin, says, is_deleted)?,
        None => own(record)?,
    };
    if let Some(subject) = &source.subject {
        let Some(subject) = reader.text(subject) else {
            return Err(no_subject(origin, is_deleted));
        };
        event.insert("subject".into(), subject.into());
    }
    if let Some(time) = reader.time(origin) {
        event.insert("time".into(), time.to_string().into());
    }
    if let Some(id) = &source.id {
        let Some(id) = reader.text(id) else {
            let message = "`id` is unknown in this record, so nobody could tell it from another";
            return Err(parked(ParkCode::BadEnvelope, "id", message));
        };
        event.insert("id".into(), fitting(&id).into());
        event.insert("source".into(), source_name(origin).into());
    }
    if past == Past::History {
        event.insert("sottakuhistory".into(), true.into());
    }
    Ok(Said::Fact(Box::new(Json::Object(event))))
}

/// What is done with a record, as far as it lies back.
fn past(origin: &Origin<'_>, record: &TopicRecord) -> Past {
    if record.change == Some(RowChange::Read) {
        origin.source.snapshot
    } else if record.at < origin.since {
        origin.source.backlog
    } else {
        Past::News
    }
}

fn no_subject(origin: &Origin<'_>, is_deleted: bool) -> Parked {
    let is_csm = matches!(&origin.source.says, Some(says) if says.entity() == Some("csm"));
    let key = if is_csm { "csm" } else { "account" };
    let why = if is_deleted {
        ": a table tells of a deleted row no more than its key, unless its replica identity is full"
    } else {
        ""
    };
    let message = format!("`{key}` is unknown in this record{why}");
    parked(ParkCode::BadSubject, key, &message)
}

fn parked(code: ParkCode, field: &str, message: &str) -> Parked {
    Parked {
        code,
        message: message.into(),
        field: Some(field.into()),
    }
}

/// The system that tells a source's facts.
fn source_name(origin: &Origin<'_>) -> String {
    format!("kafka/{}", origin.name)
}

/// An id that fits, whatever it is made of.
fn fitting(id: &str) -> String {
    if (1..=ID_CHARS_MAX).contains(&id.chars().count()) && !id.contains(char::is_control) {
        return id.to_owned();
    }
    let digest = model::id::digest(&[id]);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A CloudEvent that says all itself.
fn own(record: &TopicRecord) -> Result<Map<String, Json>, Parked> {
    match &record.record {
        Json::Object(event) => Ok(event.clone()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            let message = "the record is no CloudEvent";
            Err(parked(ParkCode::BadEnvelope, "specversion", message))
        }
    }
}

/// Reads a record by expressions.
struct Reader<'a> {
    program: &'a Program,
    record: &'a TopicRecord,
    nobody: Nobody,
    zone: TimeZone,
}

impl Reader<'_> {
    /// The CloudEvent that the mapping makes, without what is the same for all.
    fn told(
        &self,
        origin: &Origin<'_>,
        says: &TopicSays,
        is_deleted: bool,
    ) -> Result<Map<String, Json>, Parked> {
        let mut event = Map::new();
        event.insert("specversion".into(), "1.0".into());
        let (source, id) = self.name(origin);
        event.insert("id".into(), id.into());
        event.insert("source".into(), source.into());
        if let Some(subject) = self.at("record.subject").filter(|_| self.is_cloud_event()) {
            event.insert("subject".into(), subject.clone());
        }
        let entity = says.entity();
        let deletes = is_deleted && origin.source.deletes == Deletes::Entity;
        let kind = match entity.filter(|_| deletes) {
            Some(entity) => format!("{entity}.deleted"),
            None => says.kind.to_string(),
        };
        event.insert("type".into(), kind.into());
        let mut data = Map::new();
        for (name, value) in &says.fields {
            let is_own = entity == Some(&**name);
            if deletes && !is_own {
                continue;
            }
            let value = self.field(value, entity.is_some());
            if is_own && value.as_ref().is_none_or(Json::is_null) {
                let message = format!("`fields.{name}` is unknown in this record");
                return Err(parked(ParkCode::BadData, name, &message));
            }
            if let Some(value) = value {
                data.insert(name.to_string(), value);
            }
        }
        if !data.is_empty() {
            event.insert("data".into(), Json::Object(data));
        }
        Ok(event)
    }

    fn is_cloud_event(&self) -> bool {
        self.record.change.is_none() && self.record.record.get("specversion").is_some()
    }

    /// What names the fact: a CloudEvent's own name, or its place in the topic.
    fn name(&self, origin: &Origin<'_>) -> (String, String) {
        let text = |name: &str| self.at(&format!("record.{name}"))?.as_str();
        if self.is_cloud_event()
            && let (Some(source), Some(id)) = (text("source"), text("id"))
        {
            return (source_name(origin), fitting(&format!("{source} {id}")));
        }
        let TopicRecord {
            partition, offset, ..
        } = self.record;
        let id = format!("{}/{partition}/{offset}", origin.topic_id);
        (source_name(origin), fitting(&id))
    }

    /// When it happened.
    fn time(&self, origin: &Origin<'_>) -> Option<Timestamp> {
        let said = origin.source.time.as_ref();
        if let Some(Value::Time(time)) = said.and_then(|time| self.value(time)) {
            return Some(time);
        }
        let own = self
            .at("record.time")
            .filter(|time| self.is_cloud_event() && !time.is_null());
        if let Some(own) = own {
            // One that says all itself says this too, as it stands.
            return time(own).filter(|_| origin.source.says.is_some());
        }
        self.record.time.or(Some(self.record.at))
    }

    fn text(&self, expr: &Expr) -> Option<String> {
        let value = self.value(expr)?;
        let text = value.text()?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// What goes into the fact: a value, null where the record says null of an entity's field, and what can't be read as
    /// it stands, so that it is counted as a wrong value.
    fn field(&self, expr: &Expr, keeps_null: bool) -> Option<Json> {
        if let Some(value) = self.value(expr) {
            return Some(value.to_json());
        }
        let ExprKind::Event(name) = &expr.kind else {
            return None;
        };
        let raw = self.at(path_of(name))?;
        (keeps_null || !raw.is_null()).then(|| raw.clone())
    }

    fn value(&self, expr: &Expr) -> Option<Value> {
        let mut named = BTreeMap::new();
        self.gather(expr, &mut named);
        let scene = Scene::new(self.program, &self.nobody, &self.zone, self.record.at);
        match scene.with_event(&named).reading(expr) {
            Reading::Known(value) => Some(value),
            Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown => None,
        }
    }

    /// The values of all names of an expression, each read as the type that it has there.
    fn gather(&self, expr: &Expr, named: &mut BTreeMap<Box<str>, Value>) {
        if let ExprKind::Event(name) = &expr.kind {
            let value = self.named(path_of(name), &expr.ty);
            named.extend(value.map(|value| (name.clone(), value)));
        }
        for child in expr.children() {
            self.gather(child, named);
        }
    }

    fn named(&self, path: &str, ty: &Type) -> Option<Value> {
        let record = self.record;
        match path {
            "change.op" => Some(Value::Text(record.change?.letter().into())),
            "kafka.topic" => Some(Value::Text(record.topic.clone())),
            "kafka.partition" => Some(Value::Number(Decimal::from_count(record.partition))),
            "kafka.offset" => {
                let offset = i64::try_from(record.offset).ok()?;
                Some(Value::Number(Decimal::from_int(offset)?))
            }
            "kafka.time" => Some(Value::Time(record.at)),
            path => read(self.at(path)?, ty),
        }
    }

    /// What stands at a path. A name may hold dots itself: the longest that is there counts.
    fn at(&self, path: &str) -> Option<&Json> {
        let (head, path) = path.split_once('.').unwrap_or((path, ""));
        let root = match head {
            "record" => &self.record.record,
            "before" => &self.record.before,
            "key" => &self.record.key,
            "header" => return self.record.headers.get(path),
            _ => return None,
        };
        below(root, path)
    }
}

fn below<'j>(json: &'j Json, path: &str) -> Option<&'j Json> {
    if path.is_empty() {
        return Some(json);
    }
    let object = json.as_object()?;
    if let Some(found) = object.get(path) {
        return Some(found);
    }
    let mut dots = path.rmatch_indices('.');
    dots.find_map(|(dot, _)| below(object.get(&path[..dot])?, &path[dot + 1..]))
}

/// A name without the type that it has.
fn path_of(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(path, _)| path)
}
