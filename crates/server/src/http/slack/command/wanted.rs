//! What a slash command asks for, read from the words behind it.

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The open tasks.
    Open,
    /// Those whose time is over.
    Overdue,
    /// A task is done.
    Done(Done),
}

/// A task that is done, and what is known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) task: Box<str>,
    pub(super) outcome: Option<Box<str>>,
    pub(super) set: Vec<(Box<str>, Box<str>)>,
}

/// Reads the words; none if they ask for nothing that is known.
///
/// `done TASK [what came of it] [entity.field=value …]`: a value goes on to the next field, so nothing has to be quoted.
pub(super) fn read(words: &str) -> Option<Wanted> {
    let mut words = words.split_whitespace();
    match words.next().map(str::to_lowercase).as_deref() {
        None => Some(Wanted::Open),
        Some("tasks") if words.next().is_none() => Some(Wanted::Open),
        Some("overdue") if words.next().is_none() => Some(Wanted::Overdue),
        Some("done") => Some(Wanted::Done(done(words)?)),
        Some(_) => None,
    }
}

fn done<'w>(mut words: impl Iterator<Item = &'w str>) -> Option<Done> {
    let task = words.next()?.trim_matches('`').into();
    let mut outcome = Vec::new();
    let mut set: Vec<(&str, Vec<&str>)> = Vec::new();
    for word in words {
        match (field(word), set.last_mut()) {
            (Some((name, value)), _) => set.push((name, vec![value])),
            (None, Some((_, value))) => value.push(word),
            (None, None) => outcome.push(word),
        }
    }
    let set = set.into_iter();
    Some(Done {
        task,
        outcome: (!outcome.is_empty()).then(|| outcome.join(" ").into()),
        set: set
            .map(|(name, value)| (name.into(), value.join(" ").trim().into()))
            .collect(),
    })
}

/// A field and the first word of its value: `account.csm_sentiment=good`.
fn field(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let (entity, field) = name.split_once('.')?;
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    (is_name(entity) && is_name(field)).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_up_to_the_next_field() {
        let done = |outcome: Option<&str>, set: &[(&str, &str)]| {
            let set = set
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()));
            Some(Wanted::Done(Done {
                task: "t-1".into(),
                outcome: outcome.map(Box::from),
                set: set.collect(),
            }))
        };
        for (words, wanted) in [
            ("", Some(Wanted::Open)),
            (" Tasks ", Some(Wanted::Open)),
            ("overdue", Some(Wanted::Overdue)),
            ("overdue please", None),
            ("dance", None),
            ("done", None),
            ("done t-1", done(None, &[])),
            (
                "done `t-1` they stay, 1=1 and a.b",
                done(Some("they stay, 1=1 and a.b"), &[]),
            ),
            (
                "DONE t-1 account.plan=paid",
                done(None, &[("account.plan", "paid")]),
            ),
            (
                "done t-1 booked account.note=they will  renew account.sentiment=good",
                done(
                    Some("booked"),
                    &[
                        ("account.note", "they will renew"),
                        ("account.sentiment", "good"),
                    ],
                ),
            ),
            (
                "done t-1 account.note=",
                done(None, &[("account.note", "")]),
            ),
            (
                "done t-1 account.note= x=y",
                done(None, &[("account.note", "x=y")]),
            ),
        ] {
            assert_eq!(read(words), wanted, "{words}");
        }
    }
}
