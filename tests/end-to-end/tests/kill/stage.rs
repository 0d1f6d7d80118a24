//! The stage: a folder, a store with the shipped workspace applied, a mail server and a webhook endpoint
//! that outlive the kills, and two servers of the product.

use std::path::Path;
use std::time::Duration;

use end_to_end::{
    Act, Failure, Peek, Phase, Plan, Product, Rule, Serving, SinkOptions, SinkProcess, Slack,
};
use tempfile::TempDir;

use super::Size;

const SINK: &str = env!("CARGO_BIN_EXE_mail-sink");
const SETTINGS: &str = "sottaku.yaml";

pub(super) struct Stage {
    /// Kept when something is wrong.
    pub(super) folder: TempDir,
    /// The binary that is tried.
    pub(super) product: Product,
    /// The binary that says what is right: always the one with all its safeguards.
    pub(super) oracle: Product,
    /// The folder of the workspace that decides.
    pub(super) workspace: String,
    pub(super) servers: Vec<Serving>,
    pub(super) peek: Peek,
    pub(super) sink: SinkProcess,
    pub(super) slack: Slack,
}

impl Stage {
    pub(super) async fn set(size: &Size) -> Result<Stage, Failure> {
        let folder = tempfile::tempdir().map_err(Failure::io("making a folder"))?;
        let slack = Slack::start([]).await?;
        let mut options = SinkOptions::new(folder.path().join("taken"));
        options.plan = plan();
        let sink = SinkProcess::start(Path::new(SINK), &options)?;
        let text = settings(sink.address().port());
        std::fs::write(folder.path().join(SETTINGS), text)
            .map_err(Failure::io("writing the settings"))?;
        let oracle = Product::beside(SINK, folder.path()).with("SLACK_URL", &slack.url());
        let product = match &size.binary {
            Some(binary) => Product::of(binary, folder.path()).with("SLACK_URL", &slack.url()),
            None => oracle.clone(),
        };
        let workspace = size.workspace.display().to_string();
        product.done(&["apply", &workspace, "--yes"]).await?;
        let peek = Peek::open(&folder.path().join("sottaku.db")).await?;
        let mut servers = Vec::new();
        for name in ["one.log", "two.log"] {
            let log = folder.path().join(name);
            servers.push(Serving::start(&product, &["serve"], &log)?);
        }
        for server in &servers {
            server.answers().await?;
        }
        Ok(Stage {
            folder,
            product,
            oracle,
            workspace,
            servers,
            peek,
            sink,
            slack,
        })
    }

    /// Asks both servers to end; their exit codes.
    pub(super) async fn end(&mut self) -> Result<Vec<Option<i32>>, Failure> {
        let mut codes = Vec::new();
        for server in self.servers.drain(..) {
            codes.push(server.end().await?);
        }
        Ok(codes)
    }

    /// How often the servers' logs say `words`.
    pub(super) fn said(&self, words: &str) -> usize {
        ["one.log", "two.log"]
            .iter()
            .filter_map(|name| std::fs::read_to_string(self.folder.path().join(name)).ok())
            .map(|log| log.matches(words).count())
            .sum()
    }
}

fn settings(port: u16) -> String {
    format!(
        r##"store: sottaku.db
shards: 8
clock: log
mode: smtp
from_domain: vendor.example
smtp: {{host: 127.0.0.1, port: {port}, tls: none, command_time_max: 30s, answer_time_max: 30s}}
slack:
  channels:
    "#cs-unassigned": "${{env:SLACK_URL}}"
    "#voc": "${{env:SLACK_URL}}"
limits: {{retry_wait_max: 300ms}}
"##
    )
}

/// Slow now and then, so that a sender is often found between claim and attempt, and between body and
/// reply; sometimes it refuses for now, cuts, or takes a mail and does not say so.
fn plan() -> Plan {
    let slow = |time: Duration| Act::SlowMs(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    Plan::of([
        Rule::new(Phase::Rcpt, slow(Duration::from_millis(1_500))).every(47),
        Rule::new(Phase::Dot, slow(Duration::from_millis(900))).every(71),
        Rule::new(Phase::Mail, Act::Reply("451 4.3.0 later".to_owned())).every(101),
        Rule::new(Phase::Data, Act::Cut).every(503),
        Rule::new(Phase::Dot, Act::Cut).keeping().every(607),
        Rule::new(Phase::Dot, Act::Cut).every(701),
    ])
}
