//! The heart, from outside: the shipped workspace's tests, the rules of one instant, and properties.

mod backfill;
mod bench;
mod crowds;
mod deeds;
mod golden;
mod handed;
mod history;
mod late;
mod limits;
mod news;
mod properties;
mod rebase;
mod recount;
mod rules;
mod scenarios;
mod schedules;
mod starts;
mod stops;
mod together;
mod why;
mod workspace;
