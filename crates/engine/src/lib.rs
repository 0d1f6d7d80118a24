//! Folds a fact into state, decides, simulates.
