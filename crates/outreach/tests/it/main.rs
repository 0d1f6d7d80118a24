//! What people see, what the wire carries, and what became of it when the world misbehaves.

mod added;
mod call;
mod desk;
mod dns;
mod dressed;
mod egress;
mod flight;
mod hostile;
mod limits;
mod mails;
mod phases;
mod pool;
mod posts;
mod scripted;
mod session;
mod tls;
mod webhook;
