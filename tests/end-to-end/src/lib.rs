//! The servers that the end-to-end tests run against, each on 127.0.0.1 in a folder of its own.
//!
//! | server | is |
//! |---|---|
//! | [`Postfix`] | a second instance of Debian's Postfix: what a real relay answers and queues |
//! | [`Sink`], [`SinkProcess`] | our own recording mail server, which cuts and refuses as a [`Plan`] says |
//! | [`Slack`] | a recording HTTP endpoint for incoming webhooks |
//!
//! | [`Product`], [`Serving`] | `sottaku` itself, run as its users run it |
//! | [`Client`] | a client of `POST /v1/events` that tells an answer from a cut |
//! | [`Browser`] | Debian's Chromium, which opens pages and presses buttons |
//! | [`outline`] | what a page is made of, as browsers read it |
//! | [`Peek`] | looks into a store, read-only, to aim a blow at the right moment; it proves nothing |
//!
//! Each is ready when its `start` returns, and is stopped when it is dropped.

pub mod browser;
pub mod markup;
pub mod peek;
pub mod postfix;
pub mod slack;

pub use torture::{certificate, client, dice, failure, product, serving, sink, wait};

pub use browser::Browser;
pub use markup::{Outline, outline};
pub use peek::Peek;
pub use postfix::{Postfix, Tls};
pub use slack::{Slack, SlackAct, SlackHabit, SlackReply};
pub use torture::{
    Act, Answer, Certificate, Client, Cut, Dice, Failure, Look, Phase, Plan, Product, Ran, Rule,
    Serving, Signal, Sink, SinkOptions, SinkProcess, Taken,
};
