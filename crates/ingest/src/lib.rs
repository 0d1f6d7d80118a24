//! Facts from HTTP bodies and files: decode, validate.
