//! The one binary `sottaku`: reads the command line, calls one room each, and exits with a documented code.

mod arguments;
mod exit;
mod print;
mod sample;
mod workspace;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    exit::code(run(arguments.command))
}

fn run(command: arguments::Command) -> anyhow::Result<exit::Exit> {
    match command {
        arguments::Command::Sample(sample) => sample::write(&sample),
    }
}
