//! Slack's own interface, spoken to as a bot: posts, threads, direct messages, and whom an address belongs to.

use super::{fate, json, meaning};
use crate::egress::{Answer, Barred, Call, Cut, Egress};
use crate::{Fate, Phase, Secret};
use serde_json::Value;

/// What Slack says when the app itself is not welcome: it must not end every message that was tried meanwhile.
const UNWELCOME: [&str; 9] = [
    "not_authed",
    "invalid_auth",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "no_permission",
    "org_login_required",
    "ekm_access_denied",
];
/// What passes by itself.
const PASSING: [&str; 4] = [
    "ratelimited",
    "rate_limited",
    "service_unavailable",
    "team_added_to_org",
];
/// What Slack says where nobody is there to read it.
const NOBODY: [&str; 6] = [
    "channel_not_found",
    "user_not_found",
    "users_not_found",
    "user_disabled",
    "is_archived",
    "not_in_channel",
];
/// Of these Slack says that part of it may have been done.
const DOUBTFUL: [&str; 3] = ["internal_error", "fatal_error", "request_timeout"];

/// The bot.
#[derive(Clone, Debug)]
pub struct Bot {
    token: Secret,
    api: Box<str>,
}

/// What became of a post, and where it stands if it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What became of it.
    pub fate: Fate,
    /// The channel's id and the post's own time stamp, by which it is answered and changed.
    pub place: Option<(Box<str>, Box<str>)>,
}

impl Bot {
    /// A bot by its token; `api` is where Slack's interface is, such as `https://slack.com/api`.
    pub fn new(egress: &Egress, token: Secret, api: &str) -> Result<Self, Barred> {
        let api = api.trim_end_matches('/');
        egress.check(api)?;
        Ok(Self {
            token,
            api: api.into(),
        })
    }

    /// Posts to a channel or a person, by id, or to a channel by name; in a thread, if one is given.
    pub async fn post(
        &self,
        egress: &Egress,
        (channel, thread): (&str, Option<&str>),
        payload: &Value,
    ) -> Said {
        let mut body = payload.clone();
        body["channel"] = channel.into();
        body["unfurl_links"] = false.into();
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
        }
        match self.ask(egress, "chat.postMessage", &body).await {
            Ok(answer) => said(&answer),
            Err(cut) => Said {
                fate: fate(cut),
                place: None,
            },
        }
    }

    /// Puts other words in the place of a post.
    pub async fn update(
        &self,
        egress: &Egress,
        (channel, ts): (&str, &str),
        payload: &Value,
    ) -> Fate {
        let mut body = payload.clone();
        body["channel"] = channel.into();
        body["ts"] = ts.into();
        match self.ask(egress, "chat.update", &body).await {
            Ok(answer) => said(&answer).fate,
            Err(cut) => fate(cut),
        }
    }

    /// The id of the person with this address; none if Slack knows nobody by it. Asking twice does no harm, so what is
    /// not known is only not known yet.
    pub async fn find(&self, egress: &Egress, email: &str) -> Result<Option<Box<str>>, Fate> {
        let call = Call {
            headers: self.headers(),
            content_type: "application/x-www-form-urlencoded",
            body: form("email", email).into_bytes(),
        };
        let answer = egress
            .call(&self.method("users.lookupByEmail"), &call)
            .await;
        let answer = answer.map_err(|cut| harmless(fate(cut)))?;
        let read = body(&answer);
        if let Some(id) = read["user"]["id"].as_str().filter(|_| read["ok"] == true) {
            return Ok(Some(id.into()));
        }
        if read["error"] == "users_not_found" {
            return Ok(None);
        }
        Err(harmless(said(&answer).fate))
    }

    async fn ask(&self, egress: &Egress, method: &str, body: &Value) -> Result<Answer, Cut> {
        let call = json(body, self.headers());
        egress.call(&self.method(method), &call).await
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("authorization", format!("Bearer {}", self.token.expose()))]
    }

    fn method(&self, name: &str) -> String {
        format!("{}/{name}", self.api)
    }
}

fn form(key: &str, value: &str) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair(key, value);
    form.finish()
}

/// The fate of a question that was cut: it can be asked again.
fn harmless(fate: Fate) -> Fate {
    if let Fate::Unknown { why, .. } = fate {
        return Fate::cut(Phase::Connect, why);
    }
    fate
}

fn body(answer: &Answer) -> Value {
    let bytes = answer.body.as_deref().unwrap_or_default();
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

fn said(answer: &Answer) -> Said {
    let read = body(answer);
    let word = read["error"].as_str().unwrap_or_default();
    let error = || super::text(word.as_bytes());
    let (code, phase) = (answer.status, Phase::Answer);
    let place = read["channel"].as_str().zip(read["ts"].as_str());
    let fate = match read["ok"].as_bool() {
        Some(false) if code == 200 && UNWELCOME.contains(&word) => Fate::NotSent {
            phase: Phase::Auth,
            why: format!("Slack does not let the app in: {}", error()).into(),
        },
        Some(false) if code == 200 && PASSING.contains(&word) => Fate::Deferred {
            phase,
            code,
            text: error(),
            retry_after: answer.retry_after,
        },
        Some(false) if code == 200 && DOUBTFUL.contains(&word) => Fate::Unknown {
            phase,
            why: error(),
        },
        Some(false) if code == 200 => Fate::Refused {
            phase: if NOBODY.contains(&word) {
                Phase::Recipient
            } else {
                phase
            },
            code,
            text: error(),
            recipient: None,
        },
        Some(_) | None => meaning(answer, |_| read["ok"] == true),
    };
    let is_sent = matches!(fate, Fate::Sent { .. });
    Said {
        fate,
        place: place
            .filter(|_| is_sent)
            .map(|(channel, ts)| (channel.into(), ts.into())),
    }
}
