//! Our own SMTP session, which always knows how far it came.
//!
//! The client of the library at hand does not say whether the mail may have been sent, reads without a deadline, and splits
//! body and final dot over two writes. So this one is written by hand: one phase at a time, each under its deadline, and
//! after any doubt the connection is dropped. Where a server takes commands in one flight, each answer is still booked to
//! the command that it answers, and the next mail's commands may leave with the message before it.

mod ahead;
mod connections;
mod dialer;
mod reply;
mod riders;
mod session;
mod settings;
mod wire;

pub use connections::Connections;
pub use dialer::Dialer;
pub use session::{HandedOver, Session};
pub use settings::{Credentials, Deadlines, Encryption, Settings, SettingsFault};
