//! Renders messages and hands them over.
