//! Sources: other topics of Kafka whose records become facts.

use super::expression::Expr;
pub use model::topic::TopicFormat;
use serde::Serialize;
use std::collections::BTreeMap;

/// One topic, and what its records say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopicSource {
    /// The topic.
    pub topic: Box<str>,
    /// How its records are written.
    pub format: TopicFormat,
    /// Which records are taken; all, if nothing is said.
    pub condition: Option<Expr>,
    /// The fact's subject; a CloudEvent has its own.
    pub subject: Option<Expr>,
    /// What each record says; none: a CloudEvent that says it itself.
    pub says: Option<TopicSays>,
    /// When it happened; else as the format tells, or as the record's own timestamp.
    pub time: Option<Expr>,
    /// What names the record; else its place in the topic.
    pub id: Option<Expr>,
    /// What a deleted row is.
    pub deletes: Deletes,
    /// What is read of the rows as they stood when the capture began.
    pub snapshot: Past,
    /// What is in the topic when it is read for the first time.
    pub backlog: Past,
}

/// What each record of a topic says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopicSays {
    /// The fact's type: an event, or `account.updated` and its like.
    pub kind: Box<str>,
    /// What its data say.
    pub fields: BTreeMap<Box<str>, Expr>,
}

/// What a row that was deleted is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Deletes {
    /// The deletion of the entity.
    Entity,
    /// Nothing.
    Skip,
    /// What the mapping says of the row as it was.
    Map,
}

/// What is done with what lies back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Past {
    /// It tells how things stood: nothing starts from it.
    History,
    /// It is news.
    News,
    /// It is passed over.
    Skip,
}

impl TopicSays {
    /// Which entity it is about, if it is about one.
    pub fn entity(&self) -> Option<&str> {
        let entity = self.kind.strip_suffix(".updated")?;
        super::ENTITIES.contains(&entity).then_some(entity)
    }
}
