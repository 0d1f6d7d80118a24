//! Buttons: what they look like in a post, what is pressed, and how a post looks once somebody has answered.

use serde_json::{Value, json};

/// The most blocks of a post.
const BLOCKS_MAX: usize = 50;
/// What stands before the task in the name of the block of its buttons: whom somebody chooses comes without a value.
const BLOCK: &str = "sottaku:";
/// The line for what came of a task.
const OUTCOME: &str = "sottaku.outcome";
/// The most characters of that line.
const OUTCOME_CHARS_MAX: usize = 1_000;

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
    /// A task goes to the person who is chosen.
    Reassign,
}

impl Button {
    /// The buttons of an approval.
    pub const OF_ASK: [Self; 2] = [Self::Approve, Self::Reject];
    /// The buttons of a task.
    pub const OF_TASK: [Self; 3] = [Self::Done, Self::Snooze, Self::Reassign];

    fn id(self) -> &'static str {
        match self {
            Self::Approve => "sottaku.approve",
            Self::Reject => "sottaku.reject",
            Self::Done => "sottaku.done",
            Self::Snooze => "sottaku.snooze",
            Self::Reassign => "sottaku.reassign",
        }
    }

    fn of(id: &str) -> Option<Self> {
        let mut all = Self::OF_ASK.into_iter().chain(Self::OF_TASK);
        all.find(|button| button.id() == id)
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
            (Self::Reassign, false) => "Hand over to",
            (Self::Reassign, true) => "引き継ぐ相手",
        }
    }

    fn style(self) -> Option<&'static str> {
        match self {
            Self::Approve | Self::Done => Some("primary"),
            Self::Reject => Some("danger"),
            Self::Snooze | Self::Reassign => None,
        }
    }

    fn element(self, task: &str, is_japanese: bool) -> Value {
        let label = json!({ "type": "plain_text", "text": self.label(is_japanese) });
        if self == Self::Reassign {
            return json!({ "type": "users_select", "action_id": self.id(), "placeholder": label });
        }
        let mut element =
            json!({ "type": "button", "action_id": self.id(), "value": task, "text": label });
        if let Some(style) = self.style() {
            element["style"] = style.into();
        }
        element
    }
}

/// A payload with buttons at its end that answer `task`; above those of a task a line for what came of it.
pub fn with_buttons(payload: &Value, buttons: &[Button], task: &str, is_japanese: bool) -> Value {
    let elements = buttons.iter();
    let elements: Vec<Value> = elements
        .map(|button| button.element(task, is_japanese))
        .collect();
    let actions =
        json!({ "type": "actions", "block_id": format!("{BLOCK}{task}"), "elements": elements });
    let outcome = buttons.contains(&Button::Done).then(|| {
        let label = if is_japanese { "結果" } else { "Outcome" };
        let line = json!({ "type": "plain_text_input", "action_id": OUTCOME, "max_length": OUTCOME_CHARS_MAX });
        json!({
            "type": "input", "block_id": OUTCOME, "optional": true, "element": line,
            "label": { "type": "plain_text", "text": label },
        })
    });
    with_last(payload, outcome.into_iter().chain([actions]).collect())
}

fn with_last(payload: &Value, last: Vec<Value>) -> Value {
    let mut payload = payload.clone();
    if let Some(blocks) = payload["blocks"].as_array_mut() {
        blocks.truncate(BLOCKS_MAX - last.len());
        blocks.extend(last);
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
    /// What came of the task, if that was written.
    pub outcome: Option<Box<str>>,
    /// Slack's id of who was chosen.
    pub chosen: Option<Box<str>>,
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
    let block = action["block_id"].as_str().unwrap_or_default();
    let outcome = text(&payload["state"]["values"][OUTCOME][OUTCOME]["value"]);
    Some(Press {
        button: Button::of(action["action_id"].as_str()?)?,
        task: text(&action["value"]).or_else(|| Some(block.strip_prefix(BLOCK)?.into()))?,
        user: text(&payload["user"]["id"]).filter(|id| is_id(id))?,
        outcome: outcome.filter(|words| !words.trim().is_empty()),
        chosen: text(&action["selected_user"]).filter(|id| is_id(id)),
        place: channel.zip(ts),
        post: json!({
            "text": payload["message"]["text"],
            "blocks": payload["message"]["blocks"],
        }),
    })
}

/// Who gave a command of the app, and the words behind it as they were typed; none if the body names nobody.
pub fn command(body: &[u8]) -> Option<(Box<str>, Box<str>)> {
    let field = |name: &str| {
        let mut all = url::form_urlencoded::parse(body);
        all.find(|(key, _)| key == name)
            .map(|(_, value)| Box::<str>::from(value))
    };
    let user = field("user_id").filter(|id| is_id(id))?;
    let text = field("text").unwrap_or_default();
    Some((user, unescaped(&text).into()))
}

/// Text as it was before Slack escaped it.
fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&amp;", "&")
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
        blocks.retain(|block| block["type"] != "actions" && block["type"] != "input");
    }
    noted(post, words)
}

/// The post where an answer could not be taken: its buttons stay, and why stands below them.
pub fn unanswered(press: &Press, words: &str) -> Value {
    noted(press.post.clone(), words)
}

fn noted(mut post: Value, words: &str) -> Value {
    if !post["blocks"].is_array() {
        post["blocks"] = json!([]);
    }
    let text = json!({ "type": "mrkdwn", "text": words });
    with_last(
        &post,
        vec![json!({ "type": "context", "elements": [text] })],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(action: &str, user: &str) -> Vec<u8> {
        let payload = json!({
            "type": "block_actions",
            "user": { "id": user, "username": "<!channel>" },
            "channel": { "id": "C1" },
            "message": { "ts": "1.2", "text": "x", "blocks": [{ "type": "section" }, { "type": "input" }, { "type": "actions" }] },
            "actions": [{ "action_id": action, "block_id": "sottaku:t_1", "selected_user": "U2" }],
            "state": { "values": { "sottaku.outcome": { "sottaku.outcome": { "value": "booked" } } } },
        });
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", &payload.to_string());
        form.finish().into_bytes()
    }

    #[test]
    fn a_command_says_who_gave_it_and_with_which_words() {
        let read = |body: &str| command(body.as_bytes());
        let said = read("command=%2Ftodo&user_id=U1&text=over+due%0A");
        assert_eq!(said, Some(("U1".into(), "over due\n".into())));
        assert_eq!(read("user_id=U1"), Some(("U1".into(), "".into())));
        for nobody in ["", "text=x", "user_id=", "user_id=%3C%21channel%3E", "{}"] {
            assert_eq!(read(nobody), None, "{nobody}");
        }
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
            let blocks = post["blocks"].as_array().expect("blocks");
            assert_eq!(blocks.len(), if button == Button::Done { 2 } else { 1 });
            let element = &blocks.last().expect("one")["elements"][0];
            let id = element["action_id"].as_str().expect("an id");
            let press = read(&body(id, "U1")).expect("a press");
            assert_eq!(press.button, button);
            assert_eq!((&*press.task, &*press.user), ("t_1", "U1"));
            assert_eq!(press.outcome.as_deref(), Some("booked"));
            assert_eq!(press.chosen.as_deref(), Some("U2"));
            assert_eq!(press.place, Some(("C1".into(), "1.2".into())));
            let after = answered(&press, "done");
            let blocks = after["blocks"].as_array().expect("blocks");
            assert_eq!(blocks.len(), 2);
            assert!(blocks.iter().all(|block| block["type"] != "actions"));
            let still = unanswered(&press, "who?");
            assert_eq!(still["blocks"].as_array().map(Vec::len), Some(4));
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
