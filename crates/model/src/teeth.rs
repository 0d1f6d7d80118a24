//! Safeguards that a trial leaves out one at a time, so that a test can be seen to fail.
//!
//! Only a build with debug assertions can leave anything out, when `SOTTAKU_WITHOUT` names it (`tests/teeth` does). What is
//! built for use has every safeguard, and nothing that is set outside changes that.

/// The safeguards that can be left out.
pub const SAFEGUARDS: [&str; 12] = [
    "attempt", "cache", "dedupe", "epoch", "fence", "gate", "keep", "key", "lease", "position",
    "settle", "source",
];

/// Whether this safeguard is left out.
#[inline]
pub fn is_out(safeguard: &str) -> bool {
    debug_assert!(SAFEGUARDS.contains(&safeguard), "{safeguard} is not listed");
    left_out() == Some(safeguard)
}

/// The safeguard that is left out.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn left_out() -> Option<&'static str> {
    None
}

/// The safeguard that is left out: what the trial names, read once.
///
/// # Panics
/// When there is no such safeguard: a control without its name proves nothing.
#[cfg(debug_assertions)]
#[expect(
    clippy::disallowed_methods,
    reason = "what is left out in a trial is no setting, and all that is built for use is without it"
)]
pub fn left_out() -> Option<&'static str> {
    static NAMED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let named = NAMED.get_or_init(|| std::env::var("SOTTAKU_WITHOUT").ok());
    let named = named.as_deref()?;
    assert!(SAFEGUARDS.contains(&named), "there is no safeguard {named}");
    Some(named)
}
