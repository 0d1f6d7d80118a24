//! Workspaces for the tests: the shipped one, and small ones written in a test.

use workflow::{Checked, Files, Program, Severity, check};

/// The files of the shipped workspace.
const SHIPPED: [(&str, &str); 21] = [
    (
        "workflows/renewal.yaml",
        include_str!("../../../../workflows/renewal.yaml"),
    ),
    (
        "workflows/definitions/schema.yaml",
        include_str!("../../../../workflows/definitions/schema.yaml"),
    ),
    (
        "workflows/definitions/metrics.yaml",
        include_str!("../../../../workflows/definitions/metrics.yaml"),
    ),
    (
        "workflows/definitions/segments.yaml",
        include_str!("../../../../workflows/definitions/segments.yaml"),
    ),
    (
        "workflows/definitions/health.yaml",
        include_str!("../../../../workflows/definitions/health.yaml"),
    ),
    (
        "workflows/definitions/risks.yaml",
        include_str!("../../../../workflows/definitions/risks.yaml"),
    ),
    (
        "workflows/definitions/policies.yaml",
        include_str!("../../../../workflows/definitions/policies.yaml"),
    ),
    (
        "workflows/holidays/jp.yaml",
        include_str!("../../../../workflows/holidays/jp.yaml"),
    ),
    (
        "workflows/tests/renewal.test.yaml",
        include_str!("../../../../workflows/tests/renewal.test.yaml"),
    ),
    (
        "templates/renewal-intro.en.hbs",
        include_str!("../../../../templates/renewal-intro.en.hbs"),
    ),
    (
        "templates/renewal-intro.ja.hbs",
        include_str!("../../../../templates/renewal-intro.ja.hbs"),
    ),
    (
        "templates/renewal-opened.en.hbs",
        include_str!("../../../../templates/renewal-opened.en.hbs"),
    ),
    (
        "templates/renewal-opened.ja.hbs",
        include_str!("../../../../templates/renewal-opened.ja.hbs"),
    ),
    (
        "templates/renewal-silent.en.hbs",
        include_str!("../../../../templates/renewal-silent.en.hbs"),
    ),
    (
        "templates/renewal-silent.ja.hbs",
        include_str!("../../../../templates/renewal-silent.ja.hbs"),
    ),
    (
        "templates/renewal-sponsor.en.hbs",
        include_str!("../../../../templates/renewal-sponsor.en.hbs"),
    ),
    (
        "templates/renewal-sponsor.ja.hbs",
        include_str!("../../../../templates/renewal-sponsor.ja.hbs"),
    ),
    (
        "templates/renewal-thanks.en.hbs",
        include_str!("../../../../templates/renewal-thanks.en.hbs"),
    ),
    (
        "templates/renewal-thanks.ja.hbs",
        include_str!("../../../../templates/renewal-thanks.ja.hbs"),
    ),
    (
        "templates/renewal-value.en.hbs",
        include_str!("../../../../templates/renewal-value.en.hbs"),
    ),
    (
        "templates/renewal-value.ja.hbs",
        include_str!("../../../../templates/renewal-value.ja.hbs"),
    ),
];

/// The shipped files.
pub(crate) fn shipped_files() -> Files {
    SHIPPED
        .iter()
        .map(|(path, text)| ((*path).into(), (*text).into()))
        .collect()
}

/// The shipped workspace, checked.
pub(crate) fn shipped() -> (Program, Checked) {
    checked(&shipped_files())
}

/// A workspace that has to be right.
pub(crate) fn checked(files: &Files) -> (Program, Checked) {
    let mut checked = check(files);
    let errors: Vec<_> = checked
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "the workspace has mistakes: {errors:#?}");
    let program = checked
        .program
        .take()
        .expect("a workspace without an error has a program");
    (program, checked)
}
