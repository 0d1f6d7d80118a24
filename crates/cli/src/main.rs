//! The one binary `sottaku`: reads the command line, calls one room each, and exits with a documented code.

mod apply;
mod arguments;
mod at;
mod check;
mod config;
mod consent;
mod demo;
mod dev;
mod doctor;
mod erase;
mod exit;
mod explain;
mod export;
mod fixture;
mod import;
mod journal;
mod key;
mod log;
mod mail;
mod mend;
mod new;
mod parked;
mod place;
mod plan;
mod preview;
mod print;
mod records;
mod sample;
mod schema;
mod serve;
mod shards;
mod show;
mod simulate;
mod source;
mod strangers;
mod suppress;
mod switching;
mod task;
mod tests;
mod torture;
mod watch;
mod webhook;
mod why;
mod workspace;

use arguments::Command;
use clap::Parser;
use std::process::ExitCode;

/// Accounts are many small pieces that come and go: the usual allocator took half of the time of deciding those that had to
/// be read first.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    exit::code(run(&arguments.command))
}

fn run(command: &Command) -> anyhow::Result<exit::Exit> {
    match command {
        Command::Check(check) => check::run(check),
        Command::Explain(explain) => explain::run(explain),
        Command::Test(test) => tests::run(test),
        Command::Simulate(simulate) => simulate::run(simulate),
        Command::Import(import) => import::run(import),
        Command::Mail(mail) => mail::run(mail),
        Command::Task(task) => task::run(task),
        Command::Erase(erase) => erase::run(erase),
        Command::Export(export) => export::run(export),
        Command::Suppress(suppress) => suppress::run(suppress),
        Command::Unsuppress(unsuppress) => suppress::lift(unsuppress),
        Command::Consent(consent) => consent::run(consent),
        Command::Pause(switching) => switching::run(switching, false),
        Command::Resume(switching) => switching::run(switching, true),
        Command::Journal(journal) => journal::run(journal),
        Command::New(new) => new::run(new),
        Command::Preview(preview) => preview::run(preview),
        Command::Why(why) => why::run(why),
        Command::Shards(shards) => shards::run(shards),
        Command::Log(log) => log::run(log),
        Command::Source(source) => source::run(source),
        Command::Parked(parked) => parked::run(parked),
        Command::Webhook(webhook) => webhook::run(webhook),
        Command::Schema(schema) => schema::run(schema),
        Command::Key(key) => key::run(key),
        Command::Config(config) => config::run(config),
        Command::Doctor(doctor) => doctor::run(doctor),
        Command::Sample(sample) => sample::write(sample),
        Command::Apply(apply) => apply::run(apply),
        Command::Plan(plan) => plan::run(plan),
        Command::Dev(dev) => dev::run(dev),
        Command::Demo(demo) => demo::run(demo),
        Command::Serve(serve) => serve::run(serve),
        Command::Torture(torture) => torture::run(torture),
    }
}
