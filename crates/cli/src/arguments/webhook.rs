//! Options of `sottaku webhook`.

use crate::place::Place;
use crate::print::Output;
use clap::{Args, Subcommand};

/// Webhooks.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sottaku webhook list\n  sottaku webhook enable crm\n\n\
                  An endpoint that answers 410 Gone is not called again; its messages wait until it is enabled, or until \
                  its address in the policies is another one."
)]
pub(crate) struct Webhook {
    #[command(subcommand)]
    pub(crate) command: WebhookCommand,
}

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// List them: on, unsigned (its secret is missing in the settings), or gone.
    List(WebhookList),
    /// Call one again that said to be gone.
    Enable(WebhookPick),
}

/// How to list.
#[derive(Debug, Args)]
pub(crate) struct WebhookList {
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which webhook.
#[derive(Debug, Args)]
pub(crate) struct WebhookPick {
    /// Its name among the policies.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: Place,
}
