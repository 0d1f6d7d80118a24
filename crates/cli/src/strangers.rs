//! Names on the command line that the text in force does not know: a topic may be gone, so they are noted, not refused.

use store::Store;
use workflow::Program;

/// What the text in force knows; nothing where there is none.
pub(crate) struct Known(Option<Program>);

impl Known {
    /// Reads it.
    pub(crate) async fn of(store: &Store) -> anyhow::Result<Self> {
        let files = server::applied_files(store).await?;
        Ok(Self(
            files.and_then(|files| workflow::check(&files).program),
        ))
    }

    /// Says when there is no such workflow, and what happens all the same.
    pub(crate) fn note_workflow(&self, name: &str, all_the_same: &str) {
        let program = self.0.iter();
        let names = program.flat_map(|program| program.workflows.iter().map(|one| &*one.name));
        self.note("workflow", name, names.collect(), all_the_same);
    }

    /// Says when there is no such topic, and what happens all the same.
    pub(crate) fn note_topic(&self, name: &str, all_the_same: &str) {
        let program = self.0.iter();
        let names = program.flat_map(|program| program.topics.keys().map(|name| &**name));
        self.note("topic", name, names.collect(), all_the_same);
    }

    fn note(&self, kind: &str, name: &str, known: Vec<&str>, all_the_same: &str) {
        if self.0.is_none() || known.contains(&name) {
            return;
        }
        let meant = match workflow::meant(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has: {}.", known.join(", ")),
        };
        let note = format!("the text in force has no {kind} `{name}`; {meant} {all_the_same}");
        anstream::eprintln!("note: {}", note.trim_end());
    }
}
