//! YAML text to a checked program, with diagnostics.
