//! Workspaces for the tests: one that never changes, and small ones written in a test.

use workflow::{Checked, Files, Program, Severity, check};

/// The files of the workspace as it first shipped: stored heads of then name its metrics, so it stays as it was.
const SHIPPED: [(&str, &str); 21] = [
    (
        "workflows/renewal.yaml",
        include_str!("../../../../tests/data/renewal/workflows/renewal.yaml"),
    ),
    (
        "workflows/definitions/schema.yaml",
        include_str!("../../../../tests/data/renewal/workflows/definitions/schema.yaml"),
    ),
    (
        "workflows/definitions/metrics.yaml",
        include_str!("../../../../tests/data/renewal/workflows/definitions/metrics.yaml"),
    ),
    (
        "workflows/definitions/segments.yaml",
        include_str!("../../../../tests/data/renewal/workflows/definitions/segments.yaml"),
    ),
    (
        "workflows/definitions/health.yaml",
        include_str!("../../../../tests/data/renewal/workflows/definitions/health.yaml"),
    ),
    (
        "workflows/definitions/risks.yaml",
        include_str!("../../../../tests/data/renewal/workflows/definitions/risks.yaml"),
    ),
    (
        "workflows/definitions/policies.yaml",
        include_str!("../../../../tests/data/renewal/workflows/definitions/policies.yaml"),
    ),
    (
        "workflows/holidays/jp.yaml",
        include_str!("../../../../tests/data/renewal/workflows/holidays/jp.yaml"),
    ),
    (
        "workflows/tests/renewal.test.yaml",
        include_str!("../../../../tests/data/renewal/workflows/tests/renewal.test.yaml"),
    ),
    (
        "templates/renewal-intro.en.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-intro.en.hbs"),
    ),
    (
        "templates/renewal-intro.ja.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-intro.ja.hbs"),
    ),
    (
        "templates/renewal-opened.en.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-opened.en.hbs"),
    ),
    (
        "templates/renewal-opened.ja.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-opened.ja.hbs"),
    ),
    (
        "templates/renewal-silent.en.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-silent.en.hbs"),
    ),
    (
        "templates/renewal-silent.ja.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-silent.ja.hbs"),
    ),
    (
        "templates/renewal-sponsor.en.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-sponsor.en.hbs"),
    ),
    (
        "templates/renewal-sponsor.ja.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-sponsor.ja.hbs"),
    ),
    (
        "templates/renewal-thanks.en.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-thanks.en.hbs"),
    ),
    (
        "templates/renewal-thanks.ja.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-thanks.ja.hbs"),
    ),
    (
        "templates/renewal-value.en.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-value.en.hbs"),
    ),
    (
        "templates/renewal-value.ja.hbs",
        include_str!("../../../../tests/data/renewal/templates/renewal-value.ja.hbs"),
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
