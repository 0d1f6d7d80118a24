//! The promise of the store, case by case, for every backend.
