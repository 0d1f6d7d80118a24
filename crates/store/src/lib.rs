//! What must survive: one promise over SQLite.
