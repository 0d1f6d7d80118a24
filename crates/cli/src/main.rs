//! The one binary `sottaku`.

fn main() {}
