//! A workspace of two texts: letters after a pause, and what a person writes next.

use std::path::Path;

use end_to_end::Failure;

use crate::office::workspace;

/// Whoever is told `trial` gets a letter after a pause.
pub(crate) const BEFORE: &str = "\
workflow: course
title: A letter after a pause
for_each: account
topic: tips
status: live

start:
  when: account.plan == trial
  existing: include
once_per: account
while: account.plan == trial

steps:
  - id: pause
    wait: 3d
  - id: letter
    send: hello
    to: champion
";

/// The pause is longer, small customers leave, and the desk is told at the end.
pub(crate) fn after() -> String {
    BEFORE.replace("wait: 3d", "wait: 5d").replace(
        "while: account.plan == trial",
        "while: account.plan == trial and account.name != \"Small\"",
    ) + "  - id: call\n    alert: desk\n    text: Call them.\n    hours: any\n"
}

/// Whoever is there is greeted, once.
pub(crate) const GREET: &str = "\
workflow: greet
title: A word to everybody
for_each: account
topic: notice
status: live

start:
  when: account.plan == trial or account.plan == paid
  existing: include
once_per: account

steps:
  - id: word
    alert: desk
    text: Say hello.
    hours: any
";

/// Writes the definitions and templates of the tests' workspace into `folder`, with this text of `course`.
pub(crate) fn write(folder: &Path, course: &str) -> Result<(), Failure> {
    for part in ["workflows/definitions", "templates"] {
        let to = folder.join(part);
        std::fs::create_dir_all(&to).map_err(Failure::io("making a folder"))?;
        let from = workspace().join(part);
        for entry in std::fs::read_dir(from).map_err(Failure::io("listing a folder"))? {
            let entry = entry.map_err(Failure::io("listing a folder"))?;
            let copied = std::fs::copy(entry.path(), to.join(entry.file_name()));
            copied.map_err(Failure::io("copying a file"))?;
        }
    }
    save(folder, "course", course)
}

/// Saves the text of a workflow.
pub(crate) fn save(folder: &Path, workflow: &str, text: &str) -> Result<(), Failure> {
    let file = folder.join(format!("workflows/{workflow}.yaml"));
    std::fs::write(file, text).map_err(Failure::io("saving a workflow"))
}
