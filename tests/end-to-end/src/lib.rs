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
pub mod certificate;
pub mod client;
pub mod dice;
pub mod failure;
pub mod markup;
pub mod peek;
pub mod postfix;
pub mod product;
pub mod serving;
pub mod sink;
pub mod slack;
pub mod wait;

pub use browser::Browser;
pub use certificate::Certificate;
pub use client::{Answer, Client, Cut};
pub use dice::Dice;
pub use failure::Failure;
pub use markup::{Outline, outline};
pub use peek::Peek;
pub use postfix::{Postfix, Tls};
pub use product::{Product, Ran};
pub use serving::{Serving, Signal};
pub use sink::plan::{Act, Phase, Plan, Rule};
pub use sink::process::SinkProcess;
pub use sink::record::Taken;
pub use sink::{Sink, SinkOptions};
pub use slack::{Slack, SlackAct, SlackHabit, SlackReply};
