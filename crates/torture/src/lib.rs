//! The product from outside: a world that is told to it, blows that fall meanwhile, and what must be so afterwards.
//!
//! | part | is |
//! |---|---|
//! | [`Product`], [`Serving`] | `sottaku` itself, run as its users run it |
//! | [`World`], [`Load`] | the facts, and the client that tells them until each was accepted |
//! | [`Sink`], [`SinkProcess`] | a recording mail server, which cuts and refuses as a [`Plan`] says |
//! | [`Watched`] | how long it takes until somebody else has the shards of who was struck |
//! | [`prove`] | holds what the world has against what was told |
//! | [`torture`] | all of it together |
//!
//! It knows nothing of the product's own rooms: what it is told of leases and shards comes through [`Look`].

pub mod blows;
pub mod certificate;
pub mod client;
pub mod dice;
pub mod failure;
pub mod files;
pub mod load;
pub mod product;
pub mod proof;
pub mod report;
pub mod serving;
pub mod sink;
pub mod stage;
pub mod takeover;
pub mod wait;
pub mod workspace;
pub mod world;

pub use blows::{Strikes, Struck};
pub use certificate::Certificate;
pub use client::{Answer, Client, Cut};
pub use dice::Dice;
pub use failure::{Failure, broken};
pub use load::{Accounted, Load, Progress, Telling};
pub use product::{Product, Ran};
pub use proof::{Evidence, Found, Listed, prove};
pub use report::Report;
pub use serving::{Serving, Signal};
pub use sink::plan::{Act, Phase, Plan, Rule};
pub use sink::process::SinkProcess;
pub use sink::record::Taken;
pub use sink::{Sink, SinkOptions};
pub use stage::{Measure, Stage, torture};
pub use takeover::{Held, Look, Reached, Takeover, Takeovers, Watched};
pub use world::{Told, World};
