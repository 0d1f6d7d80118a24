//! Options of the commands that look at what happened.

use crate::at::At;
use crate::place::Place;
use crate::print::Output;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Messages.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku mail list --state unknown\n  sottaku mail show m_… --html mail.html"
)]
pub(crate) struct Mail {
    #[command(subcommand)]
    pub(crate) command: MailCommand,
}

/// What to do with messages.
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// List messages in the order they were decided.
    List(MailList),
    /// Show one: its attempts and what it says.
    Show(MailShow),
    /// Take one mail that came back, from standard input: a bounce, a complaint, an answer. For mail servers.
    Receive(MailReceive),
}

/// A mail that came back.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku mail receive < bounce.eml\n  sottaku mail receive --to 'bounce+…@bounces.vendor.example' --config /etc/sottaku.yaml\n\nFor Postfix, in master.cf:\n  sottaku unix - n n - 4 pipe user=sottaku argv=/usr/bin/sottaku mail receive --config /etc/sottaku.yaml --to ${recipient}\n\nExit codes: 0 taken, or nothing for us to take; 75 not now, to be brought again."
)]
pub(crate) struct MailReceive {
    /// The envelope's recipient; without one, whom the mail's own header names.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: Vec<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which messages.
#[derive(Debug, Args)]
pub(crate) struct MailList {
    /// Only of this account.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only in this state: queued, claimed, sent, deferred, refused, unknown, suppressed, expired, shadow, withdrawn.
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) limit: usize,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which message.
#[derive(Debug, Args)]
pub(crate) struct MailShow {
    /// Its id.
    pub(crate) message: String,
    /// Write its HTML part to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Tasks.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku task list\n  sottaku task approve t_…\n  sottaku task done t_… --outcome booked\n  sottaku task done t_… --set account.csm_sentiment=good\n  sottaku task list --assignee c7 --overdue\n  sottaku task snooze t_… --until 2026-06-01T09:00:00+09:00\n  sottaku task reassign t_… --to c9"
)]
pub(crate) struct Task {
    #[command(subcommand)]
    pub(crate) command: TaskCommand,
}

/// What to do with tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List open tasks and approvals.
    List(TaskList),
    /// Say that a task is done, and what was learnt of the customer.
    Done(TaskAnswer),
    /// Approve what is asked.
    Approve(TaskAnswer),
    /// Reject what is asked.
    Reject(TaskAnswer),
    /// Put a task off: it is due then.
    Snooze(TaskSnooze),
    /// Give a task to another CSM, who is told.
    Reassign(TaskHand),
}

/// Which tasks.
#[derive(Debug, Args)]
pub(crate) struct TaskList {
    /// Only of this account.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only of this CSM, by id, or of this route.
    #[arg(long, value_name = "CSM")]
    pub(crate) assignee: Option<String>,
    /// Only those whose time is over.
    #[arg(long)]
    pub(crate) overdue: bool,
    /// Those that stand so, instead of the open ones.
    #[arg(long, value_enum)]
    pub(crate) state: Option<TaskStateName>,
    /// Also those that are answered or closed.
    #[arg(long, conflicts_with = "state")]
    pub(crate) all: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TaskStateName {
    /// Waits for somebody.
    Open,
    /// Done.
    Done,
    /// Approved.
    Approved,
    /// Rejected.
    Rejected,
    /// Nobody answered in time, or its run ended.
    Closed,
}

impl From<TaskStateName> for model::TaskState {
    fn from(state: TaskStateName) -> Self {
        match state {
            TaskStateName::Open => Self::Open,
            TaskStateName::Done => Self::Done,
            TaskStateName::Approved => Self::Approved,
            TaskStateName::Rejected => Self::Rejected,
            TaskStateName::Closed => Self::Closed,
        }
    }
}

/// Until when a task is put off.
#[derive(Debug, Args)]
pub(crate) struct TaskSnooze {
    /// Its id.
    pub(crate) task: String,
    /// Until this instant; it is overdue if it is not done by then.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) until: jiff::Timestamp,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Whose a task is from now on.
#[derive(Debug, Args)]
pub(crate) struct TaskHand {
    /// Its id.
    pub(crate) task: String,
    /// The CSM who gets it, by id.
    #[arg(long, value_name = "CSM")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// An answer to a task.
#[derive(Debug, Args)]
pub(crate) struct TaskAnswer {
    /// Its id.
    pub(crate) task: String,
    /// What came of it.
    #[arg(long)]
    pub(crate) outcome: Option<String>,
    /// With `done`: a field of the account that is known now, for example `account.csm_sentiment=good`.
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The journal.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku journal --account acme\n  sottaku journal --workflow renewal --since 2026-01-01T00:00:00Z --output json\n  sottaku journal --verify"
)]
pub(crate) struct Journal {
    /// Only of this account.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only of this workflow.
    #[arg(long)]
    pub(crate) workflow: Option<String>,
    /// Only from this instant on.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) since: Option<jiff::Timestamp>,
    /// Check that no row was changed since it was written.
    #[arg(long)]
    pub(crate) verify: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The shards.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku shards --config /etc/sottaku.yaml\n  sottaku shards --output json | jq 'select(.lag > 1000)'\n\nExit codes: 0 done; 1 the end of a log could not be read."
)]
pub(crate) struct Shards {
    /// How to print: a line for each shard.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Why something happened, or did not.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku why acme                                  every run of the account, past and open\n  sottaku why renewal acme                          the start taken apart, and where its runs rest\n  sottaku why renewal acme --at 2026-01-13           as it stood when that day began for acme\n  sottaku why renewal acme --at 2026-01-13T09:00:00+09:00 --output json"
)]
pub(crate) struct Why {
    /// A workflow and an account, or an account alone.
    #[arg(value_name = "[WORKFLOW] ACCOUNT", num_args = 1..=2, required = true)]
    pub(crate) of: Vec<String>,
    /// As it stood at this instant, or when this day began in the account's zone (the workspace's, where it has none): the
    /// log is decided anew up to then, each part of it by the text that decided it.
    #[arg(long, value_name = "DAY or INSTANT")]
    pub(crate) at: Option<At>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The log.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku log export --out log.ndjson\n  sottaku log export | sottaku simulate . --events -"
)]
pub(crate) struct Log {
    #[command(subcommand)]
    pub(crate) command: LogCommand,
}

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Write the log as NDJSON, in an order in which each account's facts stand as they were decided.
    Export(LogExport),
}

/// Which part of the log.
#[derive(Debug, Args)]
pub(crate) struct LogExport {
    /// Only this shard.
    #[arg(long)]
    pub(crate) shard: Option<u32>,
    /// Where to write; standard output if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Parked facts.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku parked list\n  sottaku parked replay 3 4\n  sottaku parked drop --all"
)]
pub(crate) struct Parked {
    #[command(subcommand)]
    pub(crate) command: ParkedCommand,
}

/// What to do with parked facts.
#[derive(Debug, Subcommand)]
pub(crate) enum ParkedCommand {
    /// List them with their reasons.
    List(ParkedList),
    /// Tell them again, now that the reason is gone.
    Replay(ParkedPick),
    /// Forget them.
    Drop(ParkedPick),
}

/// How to list.
#[derive(Debug, Args)]
pub(crate) struct ParkedList {
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which parked facts.
#[derive(Debug, Args)]
pub(crate) struct ParkedPick {
    /// Their numbers.
    pub(crate) numbers: Vec<u64>,
    /// All of them.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Schemas of files, and of what comes in.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  sottaku schema             all kinds, as one object\n  sottaku schema workflow\n  sottaku schema --out .schemas\n  sottaku schema unknown\n\n\
                  An editor that reads YAML then completes keys, shows their texts and marks mistakes, with a first line:\n  \
                  # yaml-language-server: $schema=../.schemas/workflow.schema.json"
)]
pub(crate) struct Schema {
    /// Write the JSON Schemas of all kinds of files into this folder, each as KIND.schema.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<SchemaCommand>,
}

/// Which schema, or what to ask of it.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// The JSON Schema (draft 2020-12) of a workflow's file.
    Workflow,
    /// That of a file of definitions: entities, events, metrics, segments, labels, health, risks, policies.
    Definitions,
    /// That of a file of tests, `*.test.yaml`.
    Test,
    /// That of a file of holidays, `date: name`.
    Holidays,
    /// That of a template's front matter.
    Template,
    /// What came in and was not taken: undeclared events and fields, wrong values.
    Unknown(SchemaUnknown),
}

/// How to print it.
#[derive(Debug, Args)]
pub(crate) struct SchemaUnknown {
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}
