//! Buttons: what they look like in a post, what is pressed, and how a post looks once somebody has answered.

use serde_json::{Value, json};

/// The most blocks of a post.
const BLOCKS_MAX: usize = 50;

/// What a button says to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// An approval is given.
    Approve,
    /// An approval is refused.
    Reject,
    /// A task is done.
    Done,
    /// A task is put off to the next day.
    Snooze,
}

impl Button {
    /// The buttons of an approval.
    pub const OF_ASK: [Self; 2] = [Self::Approve, Self::Reject];
    /// The buttons of a task.
    pub const OF_TASK: [Self; 2] = [Self::Done, Self::Snooze];

    fn id(self) -> &'static str {
        match self {
            Self::Approve => "sottaku.approve",
            Self::Reject => "sottaku.reject",
            Self::Done => "sottaku.done",
            Self::Snooze => "sottaku.snooze",
        }
    }

    fn of(id: &str) -> Option<Self> {
        [Self::Approve, Self::Reject, Self::Done, Self::Snooze]
            .into_iter()
            .find(|button| button.id() == id)
    }

    fn label(self, is_japanese: bool) -> &'static str {
        match (self, is_japanese) {
            (Self::Approve, false) => "Approve",
            (Self::Approve, true) => "承認する",
            (Self::Reject, false) => "Reject",
            (Self::Reject, true) => "見送る",
            (Self::Done, false) => "Done",
            (Self::Done, true) => "完了",
            (Self::Snooze, false) => "Tomorrow",
            (Self::Snooze, true) => "明日にする",
        }
    }

    fn style(self) -> Option<&'static str> {
        match self {
            Self::Approve | Self::Done => Some("primary"),
            Self::Reject => Some("danger"),
            Self::Snooze => None,
        }
    }
}

/// A payload with buttons at its end that answer `task`.
pub fn with_buttons(payload: &Value, buttons: &[Button], task: &str, is_japanese: bool) -> Value {
    let elements: Vec<Value> = buttons
        .iter()
        .map(|button| {
            let label = json!({ "type": "plain_text", "text": button.label(is_japanese) });
            let mut element =
                json!({ "type": "button", "action_id": button.id(), "value": task, "text": label });
            if let Some(style) = button.style() {
                element["style"] = style.into();
            }
            element
        })
        .collect();
    let block = json!({ "type": "actions", "block_id": "sottaku", "elements": elements });
    with_last(payload, block)
}

fn with_last(payload: &Value, block: Value) -> Value {
    let mut payload = payload.clone();
    if let Some(blocks) = payload["blocks"].as_array_mut() {
        blocks.truncate(BLOCKS_MAX - 1);
        blocks.push(block);
    }
    payload
}

/// A button that was pressed.
#[derive(Clone, Debug, PartialEq)]
pub struct Press {
    /// Which.
    pub button: Button,
    /// The task that it answers.
    pub task: Box<str>,
    /// Slack's id of who pressed it.
    pub user: Box<str>,
    /// Where the post stands: channel and time stamp.
    pub place: Option<(Box<str>, Box<str>)>,
    /// The post, as far as Slack tells it.
    pub post: Value,
}

/// Reads the body of a request of Slack; none if it is of another kind or of a button that is not ours.
pub fn read(body: &[u8]) -> Option<Press> {
    let payload = url::form_urlencoded::parse(body)
        .find(|(key, _)| key == "payload")
        .map(|(_, value)| value)?;
    let payload: Value = serde_json::from_str(&payload).ok()?;
    let action = payload["actions"].as_array()?.first()?;
    let text = |value: &Value| value.as_str().map(Box::<str>::from);
    let container = &payload["container"];
    let channel = text(&payload["channel"]["id"]).or_else(|| text(&container["channel_id"]));
    let ts = text(&payload["message"]["ts"]).or_else(|| text(&container["message_ts"]));
    Some(Press {
        button: Button::of(action["action_id"].as_str()?)?,
        task: text(&action["value"])?,
        user: text(&payload["user"]["id"]).filter(|id| is_id(id))?,
        place: channel.zip(ts),
        post: json!({
            "text": payload["message"]["text"],
            "blocks": payload["message"]["blocks"],
        }),
    })
}

/// Ids of Slack are capital letters and digits; what is not cannot be shown as a mention.
fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// The post once it is answered: its buttons gone, and who answered in their place.
pub fn answered(press: &Press, words: &str) -> Value {
    let mut post = press.post.clone();
    if let Some(blocks) = post["blocks"].as_array_mut() {
        blocks.retain(|block| block["type"] != "actions");
    } else {
        post["blocks"] = json!([]);
    }
    let text = json!({ "type": "mrkdwn", "text": words });
    with_last(&post, json!({ "type": "context", "elements": [text] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(action: &str, user: &str) -> Vec<u8> {
        let payload = json!({
            "type": "block_actions",
            "user": { "id": user, "username": "<!channel>" },
            "channel": { "id": "C1" },
            "message": { "ts": "1.2", "text": "x", "blocks": [{ "type": "section" }, { "type": "actions" }] },
            "actions": [{ "action_id": action, "value": "t_1" }],
        });
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", &payload.to_string());
        form.finish().into_bytes()
    }

    #[test]
    fn a_button_that_is_pressed_reads_back() {
        for button in Button::OF_ASK.into_iter().chain(Button::OF_TASK) {
            let post = with_buttons(
                &json!({ "text": "x", "blocks": [] }),
                &[button],
                "t_1",
                true,
            );
            let element = &post["blocks"][0]["elements"][0];
            let id = element["action_id"].as_str().expect("an id");
            let press = read(&body(id, "U1")).expect("a press");
            assert_eq!(press.button, button);
            assert_eq!((&*press.task, &*press.user), ("t_1", "U1"));
            assert_eq!(press.place, Some(("C1".into(), "1.2".into())));
            let after = answered(&press, "done");
            let blocks = after["blocks"].as_array().expect("blocks");
            assert_eq!(blocks.len(), 2);
            assert!(blocks.iter().all(|block| block["type"] != "actions"));
        }
    }

    #[test]
    fn what_is_not_ours_is_no_press() {
        for body in [
            body("sottaku.other", "U1"),
            body("sottaku.done", "<!here>"),
            b"payload=x".to_vec(),
            b"".to_vec(),
            b"payload=%7B%7D".to_vec(),
        ] {
            assert_eq!(read(&body), None);
        }
    }
}
