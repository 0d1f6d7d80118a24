//! The vocabulary as plain types.
