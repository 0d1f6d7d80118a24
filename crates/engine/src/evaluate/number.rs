//! Numbers: comparisons and arithmetic.
