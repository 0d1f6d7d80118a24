//! Whole posts, as Slack reads them.

use crate::desk::{by_route, mail_text, outgoing, post_of, set, slack_text};
use model::TemplateText;
use model::message::Content;
use outreach::render::{Rendered, RenderedPost, Templates, render};
use serde_json::{Value, json};

fn shown(post: &RenderedPost) -> String {
    serde_json::to_string_pretty(&post.payload()).expect("JSON")
}

fn own(templates: &Templates, content: Content, values: Value) -> RenderedPost {
    match render(templates, &outgoing(by_route(), content, values), None) {
        Ok(Rendered::Post(post)) => post,
        other => panic!("not a post: {other:?}"),
    }
}

fn daichi() -> Value {
    json!({ "account": { "name": "大地株式会社" } })
}

#[test]
fn the_alert_of_a_renewal() {
    let text = slack_text(
        "renewal-opened",
        "ja",
        "{{account.name}} の更新まで120日を切りました。健康度: {{or health.band \"不明\"}}\n",
    );
    let values = json!({ "account": { "name": "大地 & <!channel>" }, "health": { "band": null } });
    insta::assert_snapshot!(shown(&post_of(text, values)));
}

#[test]
fn the_quarters_renewals() {
    let text = slack_text(
        "renewal-review",
        "ja",
        "*今四半期の契約更新({{count this_quarter}}件)*\n{{#each this_quarter}}\n• {{account.name}} — {{date contract.renewal_date}} / ARR {{#if account.arr}}{{money account.arr}}{{/if}} / {{or health.band \"不明\"}}\n{{/each}}\n",
    );
    let values = json!({ "this_quarter": [
        { "account": { "name": "大地株式会社", "arr": 3000000 }, "contract": { "renewal_date": "2026-05-10" }, "health": { "band": "red" } },
        { "account": { "name": "*青空*", "arr": null }, "contract": { "renewal_date": "2026-06-01" }, "health": null },
    ]});
    insta::assert_snapshot!(shown(&post_of(text, values)));
}

#[test]
fn an_ask_shows_the_mail_and_the_commands() {
    let text = mail_text(
        "renewal-sponsor",
        "ja",
        "{{account.name}} 様 ご更新にあたって",
        "{{contact.name}} 様\n\nこの一年の成果と、次の一年のご提案をまとめました。\n[資料](https://vendor.example/a_b)をご覧ください。\n",
    );
    let content = Content::Ask {
        task: "t_abc".into(),
        name: text.name.clone(),
        locale: "ja".into(),
        hash: "h1".into(),
    };
    let mut values = daichi();
    values["contact"] = json!({ "name": "鈴木 一郎" });
    insta::assert_snapshot!(shown(&own(&set([text]), content, values)));
}

#[test]
fn an_ask_in_english() {
    let text = mail_text(
        "sponsor",
        "en",
        "About your renewal",
        "Dear {{contact.name}},\n\nhere is **our proposal**.\n",
    );
    let content = Content::Ask {
        task: "t_abc".into(),
        name: text.name.clone(),
        locale: "en".into(),
        hash: "h1".into(),
    };
    let values = json!({ "contact": { "name": "Mary" } });
    insta::assert_snapshot!(shown(&own(&set([text]), content, values)));
}

#[test]
fn a_task_in_both_languages() {
    let content = |title: &str| Content::Task {
        task: "t_abc".into(),
        title: title.into(),
        due_at: Some("2026-01-15T15:00:00Z".parse().expect("an instant")),
    };
    let japanese = own(&set([]), content("更新面談を設定する"), daichi());
    let values = json!({ "account": { "name": "Daichi" }, "_": { "locale": "en" } });
    let mut message = outgoing(
        by_route(),
        content("Arrange the <meeting>"),
        json!({ "account": { "name": "Daichi" } }),
    );
    message.view["_"]["locale"] = values["_"]["locale"].clone();
    let Ok(Rendered::Post(english)) = render(&set([]), &message, None) else {
        panic!("not a post");
    };
    insta::assert_snapshot!(format!("{}\n{}", japanese.text, english.text));
}

#[test]
fn plain_text_stays_as_written() {
    let post = own(
        &set([]),
        Content::Text("1. *一* <!here>\n   - a_b & c".into()),
        daichi(),
    );
    let (name, text) = post.text.split_once('\n').expect("whose it is, first");
    assert_eq!(name, "*大地株式会社*");
    assert_eq!(text, "1. ＊一＊ &lt;!here&gt;\n- a_b &amp; c");
    let named = own(
        &set([]),
        Content::Text("大地株式会社 is quiet".into()),
        daichi(),
    );
    assert_eq!(named.text, "大地株式会社 is quiet");
}

#[test]
fn a_text_without_a_mark_has_one_block() {
    let text: TemplateText = slack_text("done", "ja", "{{account.name}} の導入が完了しました。\n");
    assert_eq!(post_of(text, daichi()).blocks.len(), 1);
}
