//! `sottaku log export`: the log as it was stored, so that `simulate` can decide it again.

use crate::apply::short;
use crate::arguments::{Log, LogCommand, LogExport};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::file_or_stdout;
use anyhow::Context;
use model::Fact;
use server::Text;
use std::collections::VecDeque;
use std::io::Write;
use store::{Store, StoredFact};

/// How many facts, and how many bytes, are read at once.
const PAGE: u32 = 2_000;
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Exports the log.
pub(crate) fn run(arguments: &Log) -> anyhow::Result<Exit> {
    match &arguments.command {
        LogCommand::Export(export) => wait(write(export)),
    }
}

async fn write(arguments: &LogExport) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let mut out = file_or_stdout(arguments.out.as_deref())?;
    let shards = 0..store.shards();
    let mut cursors: Vec<Cursor> = shards
        .filter(|shard| arguments.shard.is_none_or(|only| only == *shard))
        .map(Cursor::new)
        .collect();
    loop {
        // What goes to every shard stands in each log in the same order, so the logs are cut at the same places.
        let mut broadcast = None;
        for cursor in &mut cursors {
            broadcast = cursor.write_own(&store, &mut out).await?.or(broadcast);
        }
        let Some(fact) = broadcast else { break };
        line(&fact, &mut out)?;
    }
    out.flush()?;
    if let Some(told) = beginnings(&cursors) {
        anstream::eprintln!("{told}");
    }
    let texts = server::texts(&store).await?;
    if let Some(told) = several(&texts, arguments.shard) {
        anstream::eprintln!("{told}");
    }
    Ok(Exit::Done)
}

/// Which texts decided the log, where it was not one alone from the beginning; `simulate` has one text.
fn several(texts: &[Text], shard: Option<u32>) -> Option<String> {
    let (first, later) = texts.split_first()?;
    let is_told = |from: &u32| shard.is_none_or(|only| only == *from);
    let places = |text: &Text| {
        let of = text.from.iter().filter(|(shard, _)| is_told(shard));
        let of = of.map(|(shard, position)| format!("{position} of shard {shard}"));
        of.collect::<Vec<_>>().join(", ")
    };
    let had_facts = first
        .from
        .iter()
        .any(|(shard, at)| is_told(shard) && *at > 0);
    if later.is_empty() && !had_facts {
        return None;
    }
    let mut told = format!("revision {} decided this log", short(&first.revision));
    if had_facts {
        let places = places(first);
        told.push_str(&format!(
            "; what came up to position {places} was its history"
        ));
    }
    for text in later {
        let (name, places) = (short(&text.revision), places(text));
        told.push_str(&format!("; {name} after position {places}"));
    }
    told.push_str(
        ": `simulate`, which has one text from the first fact on, need not come to the same",
    );
    Some(told)
}

/// Which logs begin later, since what was before is not kept.
fn beginnings(cursors: &[Cursor]) -> Option<String> {
    let late = cursors
        .iter()
        .filter_map(|cursor| Some((cursor.first.filter(|first| *first > 1)?, cursor.shard)));
    let late: Vec<String> = late
        .map(|(first, shard)| format!("{first} of shard {shard}"))
        .collect();
    (!late.is_empty()).then(|| {
        let places = late.join(", ");
        format!(
            "the log is kept from position {places} on: what came before is gone, so `simulate` knows nothing of it"
        )
    })
}

/// How far one shard's log is written.
struct Cursor {
    shard: u32,
    /// The position of the oldest fact.
    first: Option<u64>,
    after: u64,
    page: VecDeque<StoredFact>,
}

impl Cursor {
    fn new(shard: u32) -> Self {
        Self {
            shard,
            first: None,
            after: 0,
            page: VecDeque::new(),
        }
    }

    /// Writes the facts of this shard's accounts up to the next one that stands in every shard, which it hands over.
    async fn write_own(
        &mut self,
        store: &Store,
        out: &mut impl Write,
    ) -> anyhow::Result<Option<Fact>> {
        loop {
            if self.page.is_empty() {
                self.page = store
                    .read_back(self.shard, self.after, PAGE, PAGE_BYTES)
                    .await?
                    .into();
            }
            let Some(stored) = self.page.pop_front() else {
                return Ok(None);
            };
            self.after = stored.position;
            self.first.get_or_insert(stored.position);
            let mut fact: Fact = match serde_json::from_str(&stored.json) {
                Ok(fact) => fact,
                // Somebody else wrote it into the topic; whoever decides has put it aside.
                Err(why) if !store.rewrites_log() => {
                    let (shard, position) = (self.shard, self.after);
                    anstream::eprintln!(
                        "left out what is no fact: shard {shard}, position {position}: {why}"
                    );
                    continue;
                }
                Err(why) => return Err(why).context("a stored fact must read back"),
            };
            fact.arrived_at = Some(stored.arrived_at);
            if fact.is_control() || fact.is_csm() {
                return Ok(Some(fact));
            }
            line(&fact, out)?;
        }
    }
}

fn line(fact: &Fact, out: &mut impl Write) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, fact).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::collections::BTreeMap;

    fn text(revision: &str, from: [u64; 2]) -> Text {
        Text {
            id: store::RevisionId(1),
            resting: engine::Resting::Next,
            revision: revision.into(),
            applied_at: Timestamp::UNIX_EPOCH,
            from: BTreeMap::from([(0, from[0]), (1, from[1])]),
        }
    }

    #[test]
    fn it_says_where_a_log_begins_whose_beginning_is_gone() {
        let at = |shard, first| Cursor {
            first,
            ..Cursor::new(shard)
        };
        assert_eq!(beginnings(&[at(0, Some(1)), at(1, None)]), None);
        let told = beginnings(&[at(0, Some(1)), at(1, Some(8)), at(2, Some(3))]);
        assert_eq!(
            told.as_deref(),
            Some(
                "the log is kept from position 8 of shard 1, 3 of shard 2 on: what came before is gone, so `simulate` knows nothing of it"
            )
        );
    }

    #[test]
    fn it_says_which_texts_decided_the_log() {
        let none = [];
        let one = [text("aaaa", [0, 0])];
        let two = [text("aaaa", [0, 0]), text("bbbb", [7, 9])];
        let late = [text("aaaa", [3, 0])];
        let end =
            ": `simulate`, which has one text from the first fact on, need not come to the same";
        for (texts, shard, told) in [
            (&none[..], None, None),
            (&one[..], None, None),
            (
                &two[..],
                None,
                Some(
                    "revision aaaa decided this log; bbbb after position 7 of shard 0, 9 of shard 1",
                ),
            ),
            (
                &two[..],
                Some(1),
                Some("revision aaaa decided this log; bbbb after position 9 of shard 1"),
            ),
            (
                &late[..],
                None,
                Some(
                    "revision aaaa decided this log; what came up to position 3 of shard 0, 0 of shard 1 was its history",
                ),
            ),
            (&late[..], Some(1), None),
        ] {
            let told = told.map(|told| format!("{told}{end}"));
            assert_eq!(several(texts, shard), told, "{shard:?}");
        }
    }
}
