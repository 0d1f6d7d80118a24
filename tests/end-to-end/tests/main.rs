//! The product from outside, against real servers; one binary, because a link is expensive.

mod apply;
mod approvals;
mod complaints;
mod dev;
mod ends;
mod grounds;
mod hostile;
mod kafka;
mod kill;
mod leave;
mod manual;
mod notices;
mod office;
mod people;
mod refusals;
mod returns;
mod servers;
mod signed;
mod slack;
mod smtp;
mod tables;
mod tasks;
mod texts;
mod texts_before;
mod webhooks;
