//! Wires the house together and runs it.
