//! Renders messages and hands them over.
//!
//! `render` is pure: from a template, as it was at the decision, and a frozen view to a mail or a post.
//! `mail` builds the bytes of a mail, `dkim` signs them, `smtp` hands them to a server, `seal` signs what comes back by a stranger's hand.
//! Whatever leaves by HTTP goes through `egress`, which looks at every address: `slack` posts, `webhook` calls.
//! Whatever the world answers is a `Fate`; none of its cases means "we do not know what happened" but `Unknown`.
//!
//! Knows `model` and nothing else of the house: neither the engine that decided nor the store that keeps.

pub mod backoff;
pub mod dkim;
pub mod dns;
pub mod egress;
pub mod fate;
pub mod links;
pub mod mail;
pub mod render;
pub mod seal;
pub mod secret;
pub mod slack;
pub mod smtp;
pub mod teams;
pub mod tls;
pub mod webhook;

pub use fate::{Fate, Next, Phase, RefusedCopy};
pub use secret::Secret;
