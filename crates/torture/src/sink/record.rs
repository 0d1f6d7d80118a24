//! What the sink took: one line of JSON for each message, on the disk before the client is told.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::Failure;

/// One message that the sink took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The `Message-ID` of its head, with the angle brackets; empty if it has none.
    pub message_id: String,
    /// The names of its headers, in order.
    #[serde(default)]
    pub headers: Vec<String>,
    /// What MAIL said.
    pub sender: String,
    /// What each RCPT said, in order.
    pub recipients: Vec<String>,
    /// The size of the message.
    pub bytes: usize,
    /// Whether the session was encrypted.
    pub is_encrypted: bool,
    /// Whether the plan kept the reply from the client, who cannot know that it was taken.
    pub is_untold: bool,
    /// The whole message; empty where the sink was not told to keep it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// The file of lines, which only ever grows.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: Arc<Mutex<File>>,
}

impl Ledger {
    pub(crate) fn open(path: &Path) -> Result<Ledger, Failure> {
        let doing = format!("opening the record {}", path.display());
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(Failure::io(doing))?;
        Ok(Ledger {
            file: Arc::new(Mutex::new(file)),
        })
    }

    /// Appends the line and returns once the disk has it.
    pub(crate) async fn append(&self, taken: &Taken) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(taken)?;
        line.push(b'\n');
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&line)?;
            file.sync_data()
        });
        written.await.map_err(std::io::Error::other)?
    }
}

/// The messages of a record, in order; a last line that a killed sink left unfinished is none.
///
/// # Errors
/// When the file cannot be read or is no record.
pub fn read(path: &Path) -> Result<Vec<Taken>, Failure> {
    let what = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(Failure::io(format!("reading {what}")))?;
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| {
            serde_json::from_str(line).map_err(|error| Failure::Unreadable {
                what: what.clone(),
                reason: error.to_string(),
            })
        })
        .collect()
}

/// Now, in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// The names of a message's headers.
pub(crate) fn header_names(message: &str) -> Vec<String> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap_or_default().to_owned())
        .collect()
}

/// The `Message-ID` of a message's head, also when its line is folded.
pub(crate) fn message_id(message: &str) -> String {
    let mut value: Option<String> = None;
    for line in message.lines() {
        if line.is_empty() {
            break;
        }
        if let Some(value) = &mut value {
            if !line.starts_with([' ', '\t']) {
                break;
            }
            value.push_str(line.trim());
        } else if let Some((name, rest)) = line.split_once(':')
            && name.eq_ignore_ascii_case("message-id")
        {
            value = Some(rest.trim().to_owned());
        }
    }
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_id_is_that_of_the_head() {
        for (message, expected) in [
            ("Message-ID: <a@b>\r\n\r\nHi", "<a@b>"),
            (
                "Subject: x\r\nmessage-id:\r\n <a@b>\r\nTo: c\r\n\r\n",
                "<a@b>",
            ),
            ("Subject: x\r\n\r\nMessage-ID: <a@b>\r\n", ""),
        ] {
            assert_eq!(message_id(message), expected, "{message:?}");
        }
    }

    #[test]
    fn an_unfinished_line_is_no_message() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("record");
        let line = r#"{"at_ms":1,"message_id":"<a@b>","sender":"s","recipients":["r"],"bytes":3,"is_encrypted":false,"is_untold":false}"#;
        let text = format!("{line}\n{}", &line[..20]);
        std::fs::write(&path, text).expect("the record can be written");
        let taken = read(&path).expect("the record can be read");
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].message_id, "<a@b>");
    }
}
