//! A small workspace of its own: the road from a contract to the mails before its renewal. All its messages are mails.

use std::path::Path;

use crate::Failure;

/// A file of the tests' workspace: its path in it, and its text.
macro_rules! tested {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../tests/data/renewal/", $name)),
        )
    };
}

/// Its files, but for the policies those of the tests' workspace for renewals.
const FILES: &[(&str, &str)] = &[
    tested!("workflows/renewal.yaml"),
    tested!("workflows/definitions/schema.yaml"),
    tested!("workflows/definitions/metrics.yaml"),
    tested!("workflows/definitions/segments.yaml"),
    tested!("workflows/definitions/health.yaml"),
    tested!("workflows/definitions/risks.yaml"),
    tested!("workflows/definitions/policies.yaml"),
    tested!("workflows/holidays/jp.yaml"),
    tested!("templates/renewal-opened.en.hbs"),
    tested!("templates/renewal-opened.ja.hbs"),
    tested!("templates/renewal-intro.en.hbs"),
    tested!("templates/renewal-intro.ja.hbs"),
    tested!("templates/renewal-value.en.hbs"),
    tested!("templates/renewal-value.ja.hbs"),
    tested!("templates/renewal-sponsor.en.hbs"),
    tested!("templates/renewal-sponsor.ja.hbs"),
    tested!("templates/renewal-silent.en.hbs"),
    tested!("templates/renewal-silent.ja.hbs"),
    tested!("templates/renewal-thanks.en.hbs"),
    tested!("templates/renewal-thanks.ja.hbs"),
];

/// What nobody has here is a channel; who would read it there reads it in a mailbox.
const ROUTES: [(&str, &str); 3] = [
    (
        "{slack: csm.slack, email: csm.email, ",
        "{email: csm.email, ",
    ),
    ("{slack: csm.manager_slack, ", "{email: csm.email, "),
    (
        "{channel: \"#cs-unassigned\"}",
        "{email: team@vendor.example}",
    ),
];

/// Writes it into a folder.
///
/// # Errors
/// When that can't be written.
pub fn write(folder: &Path) -> Result<(), Failure> {
    for (name, text) in FILES {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(Failure::io("making a folder"))?;
        let text = ROUTES
            .iter()
            .fold((*text).to_owned(), |text, (was, is)| text.replace(was, is));
        std::fs::write(&path, text).map_err(Failure::io("writing the workspace"))?;
    }
    Ok(())
}
