//! The stage: a folder, a store with the shipped workspace applied, a mail server and a webhook endpoint
//! that outlive the kills, and two servers of the product.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use end_to_end::{
    Act, Failure, Peek, Phase, Plan, Product, Rule, Serving, SinkOptions, SinkProcess, Slack,
    SlackAct, SlackHabit, SlackReply,
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
        slack.has_habits(habits());
        let mut options = SinkOptions::new(folder.path().join("taken"));
        options.plan = plan();
        let sink = SinkProcess::start(Path::new(SINK), &options)?;
        let workspace = own(&size.workspace, folder.path(), &slack)?;
        let text = settings(sink.address().port(), size.pipelining, &slack);
        std::fs::write(folder.path().join(SETTINGS), text)
            .map_err(Failure::io("writing the settings"))?;
        let with_secrets = |product: Product| {
            let product = product.with("SLACK_URL", &slack.url());
            let product = product.with("SLACK_BOT", "xoxb-test");
            product.with("CRM_HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        };
        let oracle = with_secrets(Product::beside(SINK, folder.path()));
        let product = match &size.binary {
            Some(binary) => with_secrets(Product::of(binary, folder.path())),
            None => oracle.clone(),
        };
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

    /// Where both servers listen.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(Serving::address).collect()
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

/// The workspace in a folder of its own, its webhook led to our endpoint.
fn own(workspace: &Path, folder: &Path, slack: &Slack) -> Result<String, Failure> {
    let own = folder.join("workspace");
    for part in ["workflows", "templates"] {
        copy(&workspace.join(part), &own.join(part))?;
    }
    let policies = own.join("workflows/definitions/policies.yaml");
    let text = std::fs::read_to_string(&policies).map_err(Failure::io("reading the policies"))?;
    let text = text.replace("https://crm.example/hooks/sottaku", &slack.url());
    std::fs::write(&policies, text).map_err(Failure::io("writing the policies"))?;
    Ok(own.display().to_string())
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to).map_err(Failure::io("making a folder"))?;
    for entry in std::fs::read_dir(from).map_err(Failure::io("listing a folder"))? {
        let entry = entry.map_err(Failure::io("listing a folder"))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            std::fs::copy(&from, &to).map_err(Failure::io("copying a file"))?;
        }
    }
    Ok(())
}

fn settings(port: u16, pipelining: bool, slack: &Slack) -> String {
    let (allowed, api) = (slack.allowed(), slack.api());
    format!(
        r##"store: sottaku.db
shards: 8
clock: log
mode: smtp
from_domain: vendor.example
public_url: https://cs.vendor.example
smtp: {{host: 127.0.0.1, port: {port}, tls: none, pipelining: {pipelining}, command_time_max: 30s, answer_time_max: 30s}}
egress: {{allow: ["{allowed}"]}}
webhooks: {{crm: {{secret: "${{env:CRM_HOOK}}", ordered: true}}}}
slack:
  pace: 0s
  bot_token: "${{env:SLACK_BOT}}"
  api: {api}
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

/// What the endpoint does now and then, to calls and posts alike: it is slow, so that a sender is killed before it hears
/// the answer; it does not take them for now; it takes one and does not say so.
fn habits() -> [SlackHabit; 4] {
    let error = SlackReply::new(503, "later");
    [
        SlackHabit::new(53, SlackAct::Slow(Duration::from_millis(900))),
        SlackHabit::new(67, SlackAct::Reply(error)),
        SlackHabit::new(149, SlackAct::Reply(SlackReply::too_many(1))),
        SlackHabit::new(211, SlackAct::Cut),
    ]
}
