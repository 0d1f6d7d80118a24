//! The command line: every command, its options and examples.

mod author;
mod gate;
mod key;
mod look;
mod run;
mod source;
mod take;
mod webhook;

pub(crate) use author::*;
pub(crate) use gate::*;
pub(crate) use key::*;
pub(crate) use look::*;
pub(crate) use run::*;
pub(crate) use source::*;
pub(crate) use take::*;
pub(crate) use webhook::*;

use clap::{Parser, Subcommand};

/// Acts at the right moment: reads what customers do, decides by YAML, sends the one message that moment calls for.
#[derive(Debug, Parser)]
#[command(
    name = "sottaku",
    version,
    arg_required_else_help = true,
    max_term_width = 110,
    after_help = "Exit codes: 0 done; 1 done, and something is wrong (mistakes, failed tests, refused facts); \
                  2 wrong usage; 3 it could not be done."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a workspace: every mistake at once, with its place and a way out.
    Check(Check),
    /// Say what a code of the check means, why, and how to mend it.
    Explain(Explain),
    /// Run the tests beside the workflows, on virtual time.
    Test(Test),
    /// Decide a file of facts in memory and print what would happen; nothing is sent or stored.
    Simulate(Simulate),
    /// Begin a workflow or a template: a first text that is right for this workspace.
    New(New),
    /// See a template as its reader would: rendered for a real or a sample account.
    Preview(Preview),
    /// Say what applying the workspace would do to the accounts there are; nothing is changed.
    Plan(Plan),
    /// Make the checked workspace the one that decides.
    Apply(Apply),
    /// Run everything in one process on this machine, watching the files; mails are kept, not sent.
    Dev(Dev),
    /// See Sottaku at work: a year of generated customers in about a minute; mails are kept, not sent.
    Demo(Demo),
    /// Run: take facts in, decide, send.
    Serve(Serve),
    /// Kill workers, database and brokers while facts are told, and prove that each counted once.
    Torture(Torture),
    /// Bring facts in from files.
    Import(Import),
    /// Look at messages and what became of them.
    Mail(Mail),
    /// Look at tasks and approvals, and answer them.
    Task(Task),
    /// Take messages, runs or tasks out as a table.
    Export(Export),
    /// Erase a person from everything that is kept.
    Erase(Erase),
    /// Stop messages to an address, from now on.
    Suppress(Suppress),
    /// Lift what stops messages to an address; the ledger keeps both.
    Unsuppress(Unsuppress),
    /// Keep and show on which ground an address is written to.
    Consent(Consent),
    /// Hold messages back: all, or those of a workflow, a topic, a domain.
    Pause(Switching),
    /// Let go what was held back.
    Resume(Switching),
    /// Print what was decided, when and why.
    Journal(Journal),
    /// Ask why: did it start, what keeps it from starting, where does it rest, what did it do.
    Why(Why),
    /// Show who has each shard, how far it is and what it waits for.
    Shards(Shards),
    /// Work on the log of facts.
    Log(Log),
    /// Try the mapping of topics that are read, and look at how far each is.
    Source(Source),
    /// Look at facts that could not be used, and try them again.
    Parked(Parked),
    /// Look at webhooks, and call one again that said to be gone.
    Webhook(Webhook),
    /// Print the JSON Schemas of all kinds of files, for editors; or what came in that the schema does not know.
    Schema(Schema),
    /// Look at the keys that sign links and addresses in messages, and make new ones.
    Key(Key),
    /// Print the settings in force, secrets masked.
    Config(Config),
    /// Look at all that the settings name: store, log, mail servers, sending domains; nothing is sent.
    Doctor(Doctor),
    /// Print generated facts of customers who do not exist, as NDJSON.
    Sample(Sample),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn help_of(command: &clap::Command, path: &str, out: &mut String) {
        let mut command = command.clone();
        out.push_str(&format!("# {path}\n\n{}\n\n", command.render_long_help()));
        for inner in command.get_subcommands() {
            help_of(inner, &format!("{path} {}", inner.get_name()), out);
        }
    }

    #[test]
    fn every_command_says_what_it_does_with_examples() {
        let command = Arguments::command().disable_help_subcommand(true);
        command.clone().debug_assert();
        let mut help = String::new();
        help_of(&command, "sottaku", &mut help);
        insta::assert_snapshot!(help);
        for name in command.get_subcommands() {
            let help = name.clone().render_long_help().to_string();
            assert!(
                help.contains("Examples:"),
                "{} has no example",
                name.get_name()
            );
        }
    }
}
