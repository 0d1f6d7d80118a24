//! Digests: what CSMs are to know together comes at the hour of the digest, one post for each of them, each topic under
//! its title; a CSM without an id in Slack is found there by e-mail address.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use end_to_end::slack::Posted;
use end_to_end::{Failure, Slack, wait};
use serde_json::{Value, json};

use crate::office::{Office, fact};

const SCHEMA: &str = "entities:\n  account: {name: required text, plan: trial | lost, csm: csm}\n  contact: {name: required text, email: required email, role: champion | user}\n  csm: {name: required text, email: email, slack: text}\nevents:\n  user.logged_in: {user: required text}\n";
const ROUTES: &str = "topics:\n  notice: {title: {en: Notices, ja: お知らせ}, purpose: contractual}\n  tips: {title: {en: Tips, ja: ヒント}, purpose: contractual}\ndefaults: {from: Tests <success@vendor.example>, locale: ja, currency: JPY}\nroutes:\n  csm: {slack: csm.slack, else: by-mail}\n  by-mail: {slack: csm.email}\n";
/// What is told before the digest is due has to be decided until then.
const SETUP_SECONDS: u64 = 25;
const MINUTE: u64 = 60;

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is later than 1970").as_secs()
}

fn workspace(folder: &Path, due: u64) -> Result<(), Failure> {
    let minutes = due % (24 * 60 * MINUTE) / MINUTE;
    let at = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let definitions = folder.join("workflows/definitions");
    std::fs::create_dir_all(&definitions).map_err(Failure::io("making a folder"))?;
    let policies = format!(
        "calendar: {{timezone: UTC, business_days: Mon-Sun, sending_hours: 09:00-18:00}}\ndigest: day {at}\n{ROUTES}"
    );
    let workflow = |topic: &str, words: &str| {
        format!(
            "workflow: {topic}\ntitle: {topic}\nfor_each: account\ntopic: {topic}\nstatus: live\nstart:\n  when: account.plan == lost\n  existing: include\nonce_per: account\nsteps:\n  - id: tell\n    alert: csm\n    text: {words}\n    deliver: digest\n    hours: any\n"
        )
    };
    for (file, text) in [
        ("definitions/schema.yaml", SCHEMA.to_owned()),
        ("definitions/policies.yaml", policies),
        ("notice.yaml", workflow("notice", "They left.")),
        ("tips.yaml", workflow("tips", "Ask them why.")),
    ] {
        let path = folder.join("workflows").join(file);
        std::fs::write(path, text).map_err(Failure::io("writing a file"))?;
    }
    Ok(())
}

async fn tell(office: &Office) {
    let lost = |account: &str, csm: &str| {
        let data = json!({"name": account.to_uppercase(), "plan": "lost", "csm": csm});
        fact(account, "account.updated", data)
    };
    let lines = [
        fact(
            "c-1",
            "csm.updated",
            json!({"name": "Yamamoto", "slack": "U0CSM00001"}),
        ),
        fact(
            "c-2",
            "csm.updated",
            json!({"name": "Sato", "email": "sato@vendor.example"}),
        ),
        lost("acme", "c-1"),
        lost("beta", "c-1"),
        lost("gamma", "c-2"),
    ];
    let body = lines.join("\n");
    let mut client = office.client();
    let told = client.tell("application/x-ndjson", body.as_bytes());
    assert_eq!(told.await.expect("it is answered").status, 202);
}

/// The words of a post's blocks, in order: titles, and for what each account stands.
fn outline(post: &Posted) -> Vec<String> {
    let blocks = post.body["blocks"].as_array().expect("blocks");
    let words = blocks.iter().filter_map(|block| {
        if block["type"] == "header" {
            return block["text"]["text"].as_str().map(str::to_owned);
        }
        let said = block.to_string();
        let about = ["ACME", "BETA", "GAMMA"].into_iter();
        about
            .filter(|name| said.contains(name))
            .map(str::to_owned)
            .next()
    });
    words.collect()
}

fn posts(slack: &Slack) -> Vec<Posted> {
    let mut posted = slack.posted();
    posted.retain(|post| post.path == "/api/chat.postMessage");
    posted
}

#[tokio::test]
async fn a_digest_comes_at_its_hour_one_post_for_each_csm_with_each_topic_under_its_title() {
    let slack = Slack::start([]).await.expect("the endpoint starts");
    let folder = tempfile::tempdir().expect("a folder");
    let due = (now() + SETUP_SECONDS).next_multiple_of(MINUTE);
    workspace(folder.path(), due).expect("the workspace is written");
    let settings = format!(
        "store: sottaku.db\nclock: live\nmode: smtp\nfrom_domain: vendor.example\n\
         smtp: {{host: 127.0.0.1, port: 9, tls: required}}\negress: {{allow: ['{}']}}\n\
         slack: {{bot_token: '${{env:BOT}}', api: '{}'}}\n",
        slack.allowed(),
        slack.api()
    );
    let variables = [("BOT", "xoxb-test")];
    let office = Office::open(&settings, folder.path(), &variables).await;
    let office = office.expect("the office opens");
    tell(&office).await;
    for account in ["acme", "beta", "gamma"] {
        let decided = wait::until("both are decided", Duration::from_secs(30), async || {
            let mails = office.mails(account).await;
            (mails.len() == 2 && mails.iter().all(|mail| mail["state"] == "queued")).then_some(())
        });
        decided.await.expect("they are decided and wait");
    }
    assert!(
        now() < due && slack.posted().is_empty(),
        "they wait for the hour"
    );
    let came = wait::until("both posts come", Duration::from_secs(180), async || {
        let posts = posts(&slack);
        (posts.len() == 2).then_some(posts)
    });
    let mut came = came.await.expect("both posts come");
    assert!(now() >= due, "not before the hour");
    came.sort_by_key(|post| post.body["channel"].to_string());
    let channels: Vec<&Value> = came.iter().map(|post| &post.body["channel"]).collect();
    assert_eq!(channels, ["U0CSM00001", "U0EMAIL99"]);
    let titled = outline(&came[0]);
    assert_eq!(
        titled,
        ["お知らせ", "ACME", "BETA", "ヒント", "ACME", "BETA"]
    );
    assert_eq!(outline(&came[1]), ["お知らせ", "GAMMA", "ヒント", "GAMMA"]);
    let asked = slack.posted();
    let asked: Vec<&Posted> = asked
        .iter()
        .filter(|post| post.path == "/api/users.lookupByEmail")
        .collect();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].text.contains("sato"), "{asked:?}");
    for account in ["acme", "beta", "gamma"] {
        office.fate(account, &["sent"]).await;
    }
    assert_eq!(posts(&slack).len(), 2, "nothing comes twice");
}
