//! Our own SMTP session, which always knows how far it came.
//!
//! The library that builds our mails also has a client, but its errors do not say whether the mail may have been
//! sent, it reads without a deadline, and it splits body and final dot over two writes. So this one is written by hand:
//! one phase at a time, each under its deadline, and after any doubt the connection is dropped. Where a server takes commands in
//! one flight, each answer is still booked to the command that it answers.

mod connections;
mod dialer;
mod reply;
mod session;
mod settings;
mod wire;

pub use connections::Connections;
pub use dialer::Dialer;
pub use session::{HandedOver, Session};
pub use settings::{Credentials, Deadlines, Encryption, Settings, SettingsFault};
