//! What came over HTTP, held against what was decided: a call at least once and in its account's order, a post at most
//! once, and neither ever lost.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::Failure;
use end_to_end::slack::Posted;
use serde_json::Value;

use torture::Listed;
use torture::world::MARK;

use super::stage::Stage;

/// So many repeats of what was answered well are looked at one by one.
const SHOWN_MAX: usize = 200;

/// All that contradicts it; `listed` stands in the order in which it was decided, and its posts are those that went to no
/// mail server.
pub(super) async fn judge(stage: &Stage, listed: &[Listed<'_>]) -> Result<Vec<String>, Failure> {
    let heard = stage.slack.posted();
    let (calls, posts): (Vec<&Posted>, Vec<&Posted>) = heard
        .iter()
        .filter(|post| !post.path.ends_with("users.lookupByEmail"))
        .partition(|post| post.headers.contains_key("webhook-id"));
    let mut by_id: BTreeMap<&str, Vec<&Posted>> = BTreeMap::new();
    for call in &calls {
        by_id.entry(id(call)).or_default().push(call);
    }
    let wanted: Vec<&Listed> = listed.iter().filter(|one| one.is_call).collect();
    let mut violations = each_is_called(&wanted, &by_id);
    violations.extend(in_order(&wanted, &calls));
    let again = repeated_without_need(stage, &by_id).await?;
    violations.extend(again.violations);
    let posted = posts_stand_once(listed, &posts);
    violations.extend(posted.violations);
    println!(
        "calls {} of {} messages: {} answered with an error, {} cut, {} made again though taken; posts {}: {} taken, {} of them without an answer",
        calls.len(),
        wanted.len(),
        calls.iter().filter(|call| is_refused(call)).count(),
        calls.iter().filter(|call| call.answered.is_none()).count(),
        again.count,
        posts.len(),
        posted.count,
        posts.iter().filter(|post| post.answered.is_none()).count(),
    );
    Ok(violations)
}

fn id(call: &Posted) -> &str {
    call.headers.get("webhook-id").map_or("", |id| &**id)
}

fn is_taken(post: &Posted) -> bool {
    post.answered
        .is_some_and(|status| (200..300).contains(&status))
}

fn is_refused(post: &Posted) -> bool {
    post.answered.is_some() && !is_taken(post)
}

/// Each call that was decided was taken, and made no more often than there are attempts; and no other was made.
fn each_is_called(wanted: &[&Listed<'_>], by_id: &BTreeMap<&str, Vec<&Posted>>) -> Vec<String> {
    let mut violations = Vec::new();
    for one in wanted {
        let made = by_id.get(one.id).map_or(&[][..], Vec::as_slice);
        let is_taken = made.iter().any(|call| is_taken(call));
        if one.state != "sent" || !is_taken {
            violations.push(format!(
                "the call {} is {} and was made {} times, taken: {is_taken}",
                one.id,
                one.state,
                made.len()
            ));
        }
        if u64::try_from(made.len()).is_ok_and(|made| made > one.attempts) {
            violations.push(format!(
                "the call {} was made {} times in {} attempts",
                one.id,
                made.len(),
                one.attempts
            ));
        }
    }
    let known: BTreeSet<&str> = wanted.iter().map(|one| one.id).collect();
    let unknown = by_id.keys().filter(|id| !known.contains(*id));
    violations.extend(unknown.map(|id| format!("{id} was called and nobody decided it")));
    violations
}

/// The calls of an account are made first in the order in which they were decided.
fn in_order(wanted: &[&Listed<'_>], calls: &[&Posted]) -> Vec<String> {
    let account: BTreeMap<&str, &str> = wanted.iter().map(|one| (one.id, one.account)).collect();
    let mut decided: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in wanted {
        decided.entry(one.account).or_default().push(one.id);
    }
    let mut seen = BTreeSet::new();
    let mut made: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for call in calls {
        let id = id(call);
        if let Some(account) = account.get(id)
            && seen.insert(id)
        {
            made.entry(account).or_default().push(id);
        }
    }
    let other = decided
        .iter()
        .filter(|(account, ids)| made.get(*account) != Some(*ids));
    other
        .map(|(account, ids)| {
            let made = made.get(account);
            format!("the calls of {account} were made as {made:?}, not as {ids:?}")
        })
        .collect()
}

struct Judged {
    count: usize,
    violations: Vec<String>,
}

/// What was taken is called again only where one of its attempts ended without its answer being known.
async fn repeated_without_need(
    stage: &Stage,
    by_id: &BTreeMap<&str, Vec<&Posted>>,
) -> Result<Judged, Failure> {
    let taken = |made: &[&Posted]| made.iter().filter(|call| is_taken(call)).count();
    let again: Vec<(&str, usize)> = by_id
        .iter()
        .map(|(id, made)| (*id, taken(made)))
        .filter(|(_, taken)| *taken > 1)
        .collect();
    let mut violations = Vec::new();
    for (id, taken) in again.iter().take(SHOWN_MAX) {
        let shown = stage
            .oracle
            .done(&["mail", "show", id, "--output", "json"])
            .await?;
        let shown = shown.json_lines()?;
        let attempts = shown.first().map(|mail| &mail["attempt"]);
        let attempts = attempts.and_then(Value::as_array);
        let is_unsure = |attempt: &&Value| {
            attempt["outcome"] != "sent"
                && !text(attempt, "detail").starts_with("deferred at answer")
        };
        let unsure = attempts.map_or(0, |all| all.iter().filter(is_unsure).count());
        if *taken > 1 + unsure {
            violations.push(format!(
                "the call {id} was taken {taken} times, and {unsure} of its attempts are unknown"
            ));
        }
    }
    Ok(Judged {
        count: again.len(),
        violations,
    })
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// How the posts of one account stand.
#[derive(Debug, Default)]
struct Standing<'v> {
    sent: usize,
    unknown: usize,
    taken: usize,
    /// How often each text was posted, and how many messages say the same.
    texts: BTreeMap<String, usize>,
    says: BTreeMap<&'v str, usize>,
}

/// Each sent message stands in its channel once, each unknown one at most once, and no other.
fn posts_stand_once(listed: &[Listed<'_>], posts: &[&Posted]) -> Judged {
    let mut accounts: BTreeMap<&str, Standing> = BTreeMap::new();
    for one in listed.iter().filter(|one| one.is_post) {
        let standing = accounts.entry(one.account).or_default();
        *standing.says.entry(one.says).or_default() += 1;
        match one.state {
            "sent" => standing.sent += 1,
            "unknown" => standing.unknown += 1,
            _ => {}
        }
    }
    let mut violations = Vec::new();
    let taken: Vec<&&Posted> = posts.iter().filter(|post| !is_refused(post)).collect();
    for post in &taken {
        let Some(account) = account(&post.text) else {
            violations.push(format!("a post names no account: {}", post.text));
            continue;
        };
        let Some(standing) = accounts.get_mut(account) else {
            violations.push(format!("nobody decided a post of {account}"));
            continue;
        };
        standing.taken += 1;
        let said = format!("{}{}", post.body["text"], post.body["blocks"]);
        *standing.texts.entry(said).or_default() += 1;
    }
    for (account, standing) in &accounts {
        let (sent, all) = (standing.sent, standing.sent + standing.unknown);
        if !(sent..=all).contains(&standing.taken) {
            violations.push(format!(
                "{} posts of {account} came for {sent} sent and {} unknown messages",
                standing.taken, standing.unknown
            ));
        }
        let alike = standing.says.values().max().copied().unwrap_or(0);
        let twice = standing.texts.iter().filter(|(_, times)| **times > alike);
        violations.extend(twice.map(|(said, times)| format!("posted {times} times: {said}")));
    }
    Judged {
        count: taken.len(),
        violations,
    }
}

/// The account that a post names: by its name, which has its id in it, or by the id itself.
fn account(text: &str) -> Option<&str> {
    let mut named = ["*", MARK].iter().filter_map(|before| {
        let begin = format!("{before}a-");
        let from = text.find(&begin)? + before.len();
        let is_end = |letter: char| !letter.is_ascii_digit();
        let length = 2 + text[from + 2..].find(is_end)?;
        text.get(from..from + length)
    });
    named.next()
}

#[test]
fn a_post_is_that_of_the_account_that_it_names() {
    assert_eq!(account("*Maple Foods [account a-17]*: it"), Some("a-17"));
    assert_eq!(account("*a-1568* Task: call"), Some("a-1568"));
    assert_eq!(account("Maple Foods"), None);
}
