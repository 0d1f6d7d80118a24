//! Templates: front matter and Handlebars, checked against a scope; what they read.
//!
//! `file` takes a file apart, `shelf` sets partials in, `dress` finds a mail's layout and its text by hand, `mjml` makes
//! HTML of MJML, `scan` refuses what no template may hold before Handlebars sees it, `walk` follows the parsed text
//! through a scope, `check` joins the locales.

mod block;
mod blocks;
mod check;
mod dress;
pub(crate) mod file;
mod mjml;
mod scan;
pub(crate) mod shelf;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_parts;
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
pub use shelf::{PARTIALS_DEPTH_MAX, PARTIALS_MAX, Shelf};

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
