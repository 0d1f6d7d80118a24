//! The heart, from outside: the shipped workspace's tests, the rules of one instant, and properties.

mod history;
mod properties;
mod scenarios;
mod workspace;
