//! Messages that left before the store was restored from a backup: the store does not know of it, the mail server does.

use super::{ConfigError, setting};
use model::MessageId;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest list, in bytes: about a million messages.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
const NAME: &str = "left_before";

/// A list of messages that are not handed over, since they were.
#[derive(Clone, Debug, Default)]
pub struct Left {
    from: Option<PathBuf>,
    messages: Arc<BTreeSet<MessageId>>,
}

impl Left {
    pub(super) fn read(file: Option<&str>, base: &Path) -> Result<Self, ConfigError> {
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let from = base.join(file);
        let failed = |error: std::io::Error| setting(NAME, format!("{}: {error}", from.display()));
        if std::fs::metadata(&from).map_err(failed)?.len() > FILE_BYTES_MAX {
            let why = format!("{} is larger than {FILE_BYTES_MAX} bytes", from.display());
            return Err(setting(NAME, why));
        }
        let text = std::fs::read_to_string(&from).map_err(failed)?;
        let mut messages = BTreeSet::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some(id) = message(line) else {
                let why = format!(
                    "{}:{number}: {line:?} is neither a message (`m_…`) nor its Message-ID (`<…@…>`)",
                    from.display()
                );
                return Err(setting(NAME, why));
            };
            messages.insert(id);
        }
        Ok(Self {
            from: Some(from),
            messages: Arc::new(messages),
        })
    }

    /// Whether a message had left.
    pub fn contains(&self, message: &MessageId) -> bool {
        self.messages.contains(message)
    }

    pub(super) fn shown(&self) -> serde_json::Value {
        serde_json::json!(self.from.as_ref().map(|from| from.display().to_string()))
    }
}

/// A message by its id or by its Message-ID, which is the id without its prefix, at a domain.
fn message(line: &str) -> Option<MessageId> {
    let letters = match line.strip_prefix("m_") {
        Some(letters) => letters,
        None => {
            let bare = line.strip_prefix('<').unwrap_or(line);
            let bare = bare.strip_suffix('>').unwrap_or(bare);
            bare.split_once('@')?.0
        }
    };
    let is_ours = letters.len() == 26
        && letters
            .bytes()
            .all(|letter| matches!(letter, b'a'..=b'z' | b'2'..=b'7'));
    is_ours.then(|| MessageId::new(format!("m_{letters}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_named_by_their_id_or_their_message_id() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let [one, two] = ["one", "two"].map(|name| MessageId::of(&[name]));
        let letters = one.as_str().trim_start_matches("m_");
        let text = format!("# from the mail server\n<{letters}@vendor.example>\n\n{two}\n");
        std::fs::write(folder.path().join("left.txt"), text).expect("it can be written");
        let left = Left::read(Some("left.txt"), folder.path()).expect("it is a list");
        assert!(left.contains(&one) && left.contains(&two));
        assert!(!left.contains(&MessageId::of(&["three"])));
    }

    #[test]
    fn another_line_is_refused_by_its_number() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let other = "# fine\n<somebody@elsewhere.example>\n";
        std::fs::write(folder.path().join("left.txt"), other).expect("it can be written");
        let refused = Left::read(Some("left.txt"), folder.path()).expect_err("it is not ours");
        assert!(refused.to_string().contains("left.txt:2:"), "{refused}");
        let missing = Left::read(Some("none.txt"), folder.path());
        assert!(
            missing.is_err(),
            "a list that is not there is no empty list"
        );
    }
}
