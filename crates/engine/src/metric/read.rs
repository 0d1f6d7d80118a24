//! What a metric gives at an instant.
