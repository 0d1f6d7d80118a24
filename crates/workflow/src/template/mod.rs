//! Templates: front matter and Handlebars, checked against a scope; what they read.
//!
//! `file` takes a file apart, `scan` refuses what no template may hold before Handlebars sees it, `walk` follows
//! the parsed text through a scope, `check` joins the locales.

mod block;
mod blocks;
mod check;
pub(crate) mod file;
mod scan;
#[cfg(test)]
mod tests;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has forty kinds, and only a role is asked about here"
)]
mod value;
mod walk;

pub use check::check;
pub use file::{Parsed, parse};
pub use scan::{
    TEMPLATE_BLOCKS_DEPTH_MAX, TEMPLATE_BYTES_MAX, TEMPLATE_LOOPS_DEPTH_MAX,
    TEMPLATE_PARENTHESES_DEPTH_MAX, TEMPLATE_TAGS_MAX,
};

/// Helpers that give a value.
pub(crate) const HELPERS: [&str; 9] = [
    "date",
    "percent",
    "money",
    "number",
    "count",
    "or",
    "days_until",
    "days_since",
    "url",
];
/// Helpers around a block.
pub(crate) const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];
