//! Workspaces for the twins: the example, and beside its workflows some that chance wrote.

use crate::dice::Dice;
use crate::rules::{patient, rule};
use workflow::{Files, Program, Severity, check};

/// A file of the example, with its path in the workspace.
macro_rules! example {
    ($($path:literal),* $(,)?) => {
        [$((
            $path,
            include_str!(concat!("../../../../tests/data/example/", $path)),
        )),*]
    };
}

/// The files of the example.
const EXAMPLE: [(&str, &str); 45] = example![
    "templates/champion-welcome.ja.hbs",
    "templates/onboarding-done.ja.hbs",
    "templates/onboarding-first-win.ja.hbs",
    "templates/onboarding-graduation.ja.hbs",
    "templates/onboarding-invite-team.ja.hbs",
    "templates/onboarding-quick-win.ja.hbs",
    "templates/onboarding-stuck.ja.hbs",
    "templates/onboarding-training.ja.hbs",
    "templates/onboarding-webinar.ja.hbs",
    "templates/onboarding-welcome.ja.hbs",
    "templates/reference-agreed.ja.hbs",
    "templates/reference-reminder.ja.hbs",
    "templates/reference-request.ja.hbs",
    "templates/renewal-intro.ja.hbs",
    "templates/renewal-opened.ja.hbs",
    "templates/renewal-review-danger.ja.hbs",
    "templates/renewal-review.ja.hbs",
    "templates/renewal-silent.ja.hbs",
    "templates/renewal-sponsor.ja.hbs",
    "templates/renewal-thanks.ja.hbs",
    "templates/renewal-value.ja.hbs",
    "templates/reports-customer-story.ja.hbs",
    "templates/reports-how-to.ja.hbs",
    "templates/reports-webinar.ja.hbs",
    "templates/risk-closed.ja.hbs",
    "templates/risk-implementation-help.ja.hbs",
    "templates/risk-opened.ja.hbs",
    "templates/risk-product-tips.ja.hbs",
    "templates/risk-product-voice.ja.hbs",
    "templates/risk-sentiment-apology.ja.hbs",
    "templates/risk-still-open.ja.hbs",
    "templates/risk-support-followup.ja.hbs",
    "workflows/adopt-reports.yaml",
    "workflows/advocacy.yaml",
    "workflows/definitions/health.yaml",
    "workflows/definitions/metrics.yaml",
    "workflows/definitions/policies.yaml",
    "workflows/definitions/risks.yaml",
    "workflows/definitions/schema.yaml",
    "workflows/definitions/segments.yaml",
    "workflows/holidays/jp.yaml",
    "workflows/onboarding.yaml",
    "workflows/renewal-review.yaml",
    "workflows/renewal.yaml",
    "workflows/risk.yaml",
];
/// How many workflows chance writes at most.
const WRITTEN_MAX: i64 = 4;
/// How often chance tries again where the checker refuses what it wrote.
const TRIES_MAX: usize = 12;

/// The example's workflows, and some more.
pub(crate) fn workspace(dice: &mut Dice) -> (Program, Files) {
    let mut files = example(|_| true);
    for number in 0..dice.between(1, WRITTEN_MAX) {
        if let Some((path, text)) = written(dice, number) {
            files.insert(path, text);
        }
    }
    files.insert(
        "workflows/written-patient.yaml".into(),
        patient(dice).into(),
    );
    let program = check(&files).program;
    let program = program.expect("a workspace without mistakes has a program");
    (program, files)
}

/// Files of the example.
fn example(is_wanted: impl Fn(&str) -> bool) -> Files {
    let all = EXAMPLE.iter().filter(|(path, _)| is_wanted(path));
    all.map(|(path, text)| ((*path).into(), (*text).into()))
        .collect()
}

/// A workflow by chance which the checker lets pass.
fn written(dice: &mut Dice, number: i64) -> Option<(Box<str>, Box<str>)> {
    let path: Box<str> = format!("workflows/written-{number}.yaml").into();
    for _ in 0..TRIES_MAX {
        let text: Box<str> = rule(dice, number).into();
        let mut files = example(|path| {
            path.contains("definitions") || path.contains("jp.yaml") || path.contains("invite")
        });
        files.insert(path.clone(), text.clone());
        let checked = check(&files);
        let mut mistakes = checked.diagnostics.iter();
        if mistakes.all(|one| one.severity == Severity::Warning) {
            return Some((path, text));
        }
    }
    None
}
