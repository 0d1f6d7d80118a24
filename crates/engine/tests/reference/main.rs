//! A slow reference: random workspaces and histories, decided hour by hour from the raw list of facts, as the pages on
//! the language tell it, and compared with what the engine decides.
//!
//! It shares with the engine the checked program, the vocabulary of `model` and `jiff`, and no rule of deciding. The
//! values of fields, metrics, segments and labels are worked out anew from all facts at every hour; only what the
//! language itself calls memory (conditions, runs, fields written) goes from one hour to the next.
//!
//! Each of these was broken once in the engine on purpose, and seen to turn the test red:
//!
//! | what was broken | what the test said |
//! |---|---|
//! | a wait counts from the start of its run | a quarter of all histories part them |
//! | `for` goes on over what was false in between | one in eighty parts them |
//! | the hold of a risk begins before it was last seen to be false | 11 histories part them |
//! | an event that comes late resets no hold | seed 85 |
//! | what nobody approved in time is decided at night | seed 261 |
//! | a list that `with` names is nobody, as it once was | 28 of 160 histories part them |

mod acts;
mod agree;
mod ask;
mod begin;
mod days;
mod deed;
#[path = "../reckoning/dice.rs"]
mod dice;
mod health;
mod names;
mod own;
mod risk;
mod rules;
mod run;
mod send;
mod sometimes;
mod tell;
mod told;
mod walk;
mod words;
mod workspace;
