//! The vocabulary as plain types: what every other room of the house speaks.
//!
//! Knows no IO and no format but its own stored one.

pub mod decimal;
pub mod decision;
pub mod fact;
pub mod id;
pub mod law;
pub mod message;
pub mod record;
pub mod suppression;
pub mod teeth;
pub mod template;
pub mod topic;
pub mod value;

pub use decimal::Decimal;
pub use decision::{Decision, ParkCode, Parked, TaskChange, TaskKind, TaskState};
pub use fact::{Fact, Logged};
pub use id::{AccountId, MessageId, RunId};
pub use law::{Basis, Demand, Jurisdiction};
pub use message::{Channel, DeliveryState, Mailbox, Outgoing, Purpose, Target};
pub use record::{Kind, Record};
pub use suppression::{Reason, Scope};
pub use template::{Medium, TemplateText};
pub use value::Value;
