//! Facts from HTTP bodies and files, and mail that comes back: decode, validate. Pure: bytes come in, facts or refusals
//! go out.
//!
//! What is checked here needs no schema (facts.md 1): the envelope, the subject, sizes, reserved types. What a field
//! means is the engine's business. Each fact leaves as canonical JSON: attributes in the order of `model::Fact`,
//! without white space, the keys of `data` in the order in which they came. Extension attributes that Sottaku does not
//! know are dropped; they are no part of the public format, so nothing may come to lean on them.

mod body;
mod canonical;
mod check;
pub mod csv;
mod envelope;
mod headers;
mod lines;
pub mod mail;
pub mod notice;
mod refuse;
pub mod topic;

pub use body::{Form, decode};
pub use check::{NewFact, Rules, decode_one};
pub use lines::{LINE_BYTES_MAX, Line, Lines};
pub use refuse::{Refused, Unreadable};

/// The longest `subject`, in characters.
pub const SUBJECT_CHARS_MAX: usize = 128;
/// The longest `id`, in characters.
pub const ID_CHARS_MAX: usize = 256;
/// The longest `source`, in characters.
pub const SOURCE_CHARS_MAX: usize = 512;
/// The longest `type`, in characters.
pub const TYPE_CHARS_MAX: usize = 128;
/// The largest `data`, in bytes of its canonical form.
pub const DATA_BYTES_MAX: usize = 256 * 1024;
/// How deep `data` may nest; the object itself is the first level.
pub const DATA_DEPTH_MAX: usize = 64;
/// How many keys `data` may have, at all levels together.
pub const DATA_KEYS_MAX: usize = 1_000;
